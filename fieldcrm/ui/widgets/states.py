"""The states of a list or a page: loading, empty, error, partial; each drawn with care."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QRect, QRectF, QSize, Qt, QTimer
from PySide6.QtGui import QColor, QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSizePolicy, QStackedWidget, QVBoxLayout, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.widgets import painting
from fieldcrm.ui.widgets.buttons import Button
from fieldcrm.ui.widgets.text import Text
from fieldcrm.words import tr

PATIENCE = 200  # ms before a skeleton is shown: most reads are quicker


class Emblem(QWidget):
    """An icon in soft rings: the picture of an empty state."""

    def __init__(self, icon: str, tone: str = "accent", size: int = 96) -> None:
        super().__init__()
        self._icon, self._tone = icon, tone
        self._side = theme.pixels(size)
        self.setFixedSize(self._side, self._side)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color.tone(self._tone)
        painter = painting.smooth(self)
        center = QRectF(self.rect()).center()
        painter.setPen(Qt.PenStyle.NoPen)
        for share, alpha in ((1.0, 0.05), (0.74, 0.08)):
            painter.setBrush(theme.qcolor(color.solid, alpha))
            painter.drawEllipse(center, self._side * share / 2, self._side * share / 2)
        painter.setBrush(QColor(color.soft))
        painter.drawEllipse(center, self._side * 0.25, self._side * 0.25)
        side = round(self._side * 0.26)
        box = QRect(0, 0, side, side)
        box.moveCenter(self.rect().center())
        icons.paint(painter, self._icon, box, color.text)
        painter.end()


class EmptyState(QWidget):
    """A picture, a sentence, and what to do next. ``action`` is ``(words, what it does)``."""

    def __init__(
        self,
        icon: str,
        title: str,
        text: str = "",
        action: tuple[str, Callable[[], object]] | None = None,
        *,
        tone: str = "accent",
        second: tuple[str, Callable[[], object]] | None = None,
    ) -> None:
        super().__init__()
        self._column = column = QVBoxLayout(self)
        column.setContentsMargins(theme.space(6), theme.space(8), theme.space(6), theme.space(8))
        column.setSpacing(theme.space(2))
        column.addStretch(2)
        self._emblem = Emblem(icon, tone)
        column.addWidget(self._emblem, 0, Qt.AlignmentFlag.AlignHCenter)
        column.addSpacing(theme.space(3))
        head = Text(title, "heading", wrap=True)
        head.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        column.addWidget(head)
        self._line: Text | None = None
        if text:
            self._line = Text(text, "body", "muted", wrap=True)
            self._line.setAlignment(Qt.AlignmentFlag.AlignHCenter)
            self._line.setMaximumWidth(min(theme.pixels(400), theme.metrics().horizontalAdvance(text) + theme.space(4)))
            line = QHBoxLayout()  # centred by a layout of its own: aligned in the column it gets one line of height
            line.addStretch(1)
            line.addWidget(self._line, 100)
            line.addStretch(1)
            column.addLayout(line)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.space(2))
        buttons.addStretch(1)
        for kind, offered in (("primary", action), ("secondary", second)):
            if offered is not None:
                button = Button(offered[0], kind, on_click=offered[1])
                buttons.addWidget(button)
                if self.focusProxy() is None:
                    self.setFocusProxy(button)  # Enter does what is offered first
        buttons.addStretch(1)
        if action or second:
            column.addSpacing(theme.space(3))
            column.addLayout(buttons)
        column.addStretch(3)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        if self._line is not None:
            # The layout asks for the height at the full width, which is more than the line takes.
            width = min(self._line.maximumWidth(), self.width() - theme.space(12))
            self._line.setMinimumHeight(self._line.heightForWidth(max(width, theme.space(20))))
        # In a low place the words come first: squeezed, they would lie on the picture.
        self._emblem.show()
        self._emblem.setVisible(self._column.minimumSize().height() <= self.height())


class Skeleton(QWidget):
    """Grey shapes where rows are about to be."""

    def __init__(self, rows: int = 6, row_height: int = 60) -> None:
        super().__init__()
        self._rows, self._height = rows, theme.pixels(row_height)
        self._phase = 0
        self._timer = QTimer(self)
        self._timer.setInterval(60)
        self._timer.timeout.connect(self._breathe)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)
        self.setAccessibleName(tr("Loading…"))

    def sizeHint(self) -> QSize:
        return QSize(theme.space(80), self._rows * self._height)

    def showEvent(self, event: object) -> None:
        self._timer.start()

    def hideEvent(self, event: object) -> None:
        self._timer.stop()

    def _breathe(self) -> None:
        self._phase = (self._phase + 1) % 40
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.qcolor(theme.current().color.pressed)
        color.setAlphaF(0.55 + 0.45 * abs(self._phase - 20) / 20)
        painter = painting.smooth(self)
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        unit = theme.space(1)
        for row in range(self._rows):
            top = row * self._height + self._height // 2 - 4 * unit
            left = 4 * unit
            painter.drawRoundedRect(left, top, 8 * unit, 8 * unit, 8, 8)
            left += 11 * unit
            room = max(self.width() - left - 6 * unit, 40)
            painter.drawRoundedRect(left, top + unit // 2, round(room * (0.42 + 0.07 * (row % 3))), 3 * unit, 4, 4)
            width = round(room * (0.66 - 0.09 * (row % 4)))
            painter.drawRoundedRect(left, top + round(5.2 * unit), width, round(2.4 * unit), 4, 4)
        painter.end()


class StateStack(QStackedWidget):
    """Shows one of: the content, a skeleton (after 200 ms), an empty state, an error with a way to try again."""

    def __init__(self, content: QWidget, skeleton_rows: int = 8) -> None:
        super().__init__()
        self.content = content
        self._skeleton = Skeleton(skeleton_rows)
        self._other: QWidget | None = None
        self.addWidget(content)
        self.addWidget(self._skeleton)
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(PATIENCE)
        self._wait.timeout.connect(lambda: self.setCurrentWidget(self._skeleton))

    def show_loading(self) -> None:
        self._wait.start()

    def show_content(self) -> None:
        self._wait.stop()
        self.setCurrentWidget(self.content)
        self._drop()

    def show_empty(self, state: QWidget) -> None:
        """Show ``state`` (an EmptyState) in place of the content; it is thrown away afterwards."""
        self._wait.stop()
        self._drop()
        self._other = state
        self.addWidget(state)
        self.setCurrentWidget(state)

    def show_error(self, error: BaseException, retry: Callable[[], object] | None = None) -> None:
        again = (tr("Try again"), retry) if retry is not None else None
        title = tr("This could not be shown")
        self.show_empty(EmptyState("triangle-alert", title, sentence(error), again, tone="danger"))

    def _drop(self) -> None:
        if self._other is not None:
            self.removeWidget(self._other)
            self._other.deleteLater()
            self._other = None
