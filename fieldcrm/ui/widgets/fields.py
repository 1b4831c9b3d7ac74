"""Fields: the search field, a labelled field with its error below, a segmented control, a switch."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QEvent, QPointF, QRect, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QColor, QKeyEvent, QMouseEvent, QPaintEvent, QResizeEvent, QShowEvent
from PySide6.QtWidgets import (
    QAbstractButton,
    QDateEdit,
    QLabel,
    QLineEdit,
    QSizePolicy,
    QSpinBox,
    QToolButton,
    QVBoxLayout,
    QWidget,
)

from fieldcrm.ui import icons, theme
from fieldcrm.ui.widgets import painting
from fieldcrm.ui.widgets.text import Text
from fieldcrm.words import tr

DEBOUNCE = 150  # ms after the last key


class SearchField(QLineEdit):
    """``searched(text)`` 150 ms after the last key, at once on Enter; Esc empties it; Down leaves it (``left``)."""

    searched = Signal(str)
    left = Signal()

    def __init__(self, placeholder: str, name: str = "") -> None:
        super().__init__()
        self.setPlaceholderText(placeholder)
        self.setAccessibleName(name or placeholder)
        self._side = theme.pixels(16)
        self.setTextMargins(self._side + theme.space(2), 0, self._side + theme.space(2), 0)
        self._clear = QToolButton(self)
        self._clear.setIcon(icons.icon("x", "muted"))
        self._clear.setIconSize(QSize(self._side, self._side))
        self._clear.setProperty("kind", "bare")
        self._clear.setToolTip(tr("Clear the search"))
        self._clear.setAccessibleName(tr("Clear the search"))
        self._clear.setCursor(Qt.CursorShape.ArrowCursor)
        self._clear.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self._clear.hide()
        self._clear.clicked.connect(self.clear)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(DEBOUNCE)
        self._timer.timeout.connect(self._emit)
        self._last = ""
        self.textChanged.connect(self._typed)

    def _typed(self, text: str) -> None:
        self._clear.setVisible(bool(text))
        self._timer.start()

    def show_text(self, text: str) -> None:
        """Stand there as if it had been searched for: ``searched`` comes with the next text that is another one."""
        self._last = text
        self.setText(text)

    def _emit(self) -> None:
        self._timer.stop()
        if self.text() != self._last:
            self._last = self.text()
            self.searched.emit(self._last)

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        painter = painting.smooth(self)
        spot = QRect(theme.space(3), (self.height() - self._side) // 2, self._side, self._side)
        icons.paint(painter, "search", spot, theme.current().color.faint)
        painter.end()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        side = self._side + theme.space(2)
        self._clear.setGeometry(self.width() - side - theme.space(1.5), (self.height() - side) // 2, side, side)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        key = event.key()
        if key == Qt.Key.Key_Escape and self.text():
            self.clear()
            self._emit()
        elif key in (Qt.Key.Key_Return, Qt.Key.Key_Enter) or key == Qt.Key.Key_Down:
            self._emit()
            self.left.emit()
        else:
            super().keyPressEvent(event)


class Field(QWidget):
    """A label, its editor, and below it a hint or, when something is wrong, the reason."""

    def __init__(self, label: str, editor: QWidget, hint: str = "") -> None:
        super().__init__()
        self.editor = editor
        self._hint = hint
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space(1.5))
        self.label = QLabel(label)
        self.label.setTextFormat(Qt.TextFormat.PlainText)
        self.label.setFont(theme.font("body-medium"))
        self.label.setBuddy(editor)
        editor.setAccessibleName(label.replace("&", ""))
        self._below = Text(hint, "caption", "faint", wrap=True)
        column.addWidget(self.label)
        column.addWidget(editor)
        column.addWidget(self._below)
        column.addStretch(1)
        self._below.setMinimumHeight(theme.metrics("caption").height())
        self._below.setVisible(bool(hint))

    def set_error(self, reason: str) -> None:
        """Show why the value is refused; an empty reason takes it away."""
        self._below.setText(reason or self._hint)
        self._below.set_tone("danger" if reason else "faint")
        self._below.setVisible(bool(reason or self._hint))
        self.editor.setAccessibleDescription(reason)
        self.editor.setProperty("invalid", "true" if reason else "false")
        self.editor.style().unpolish(self.editor)
        self.editor.style().polish(self.editor)

    def error(self) -> str:
        return str(self.editor.accessibleDescription())


class NumberField(QSpinBox):
    """A whole number without arrows: typed, or stepped by the arrow keys."""

    def __init__(self, low: int = 0, high: int = 9999, value: int = 0) -> None:
        super().__init__()
        self.setRange(low, high)
        self.setValue(value)
        self.setButtonSymbols(QSpinBox.ButtonSymbols.NoButtons)

    def _spread(self) -> None:
        # With a style sheet Qt gives the editor of a button-less spin box no room at all.
        self.lineEdit().setGeometry(self.rect().adjusted(theme.space(2.5), 2, -theme.space(2.5), -2))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._spread()

    def changeEvent(self, event: QEvent) -> None:
        super().changeEvent(event)
        self._spread()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        self._spread()


class DateField(QDateEdit):
    """A day, typed or chosen in a calendar."""

    def __init__(self) -> None:
        super().__init__()
        self.setCalendarPopup(True)
        self.setDisplayFormat("dd/MM/yyyy")
        self.lineEdit().setTextMargins(theme.space(0.5), 0, 0, 0)


class SegmentedControl(QWidget):
    """One of a few choices, side by side; arrows move. ``chosen(value)`` when the person changes it."""

    chosen = Signal(str)

    def __init__(self, choices: Sequence[tuple[str, str]], value: str = "", name: str = "") -> None:
        super().__init__()
        self._choices = list(choices)
        self._value = value or self._choices[0][0]
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self._name = name
        self._say()

    def value(self) -> str:
        return self._value

    def set_value(self, value: str) -> None:
        """Show ``value`` without telling anybody."""
        self._value = value
        self._say()
        self.update()

    def _say(self) -> None:
        words = dict(self._choices).get(self._value, "")
        self.setAccessibleName(f"{self._name}: {words}" if self._name else words)

    def _choose(self, value: str) -> None:
        if value != self._value:
            self.set_value(value)
            self.chosen.emit(value)

    def _widths(self) -> list[int]:
        metrics = theme.metrics("body-strong")
        return [metrics.horizontalAdvance(words) + theme.space(6) for _, words in self._choices]

    def sizeHint(self) -> QSize:
        return QSize(sum(self._widths()) + theme.space(1), theme.pixels(34))

    def _boxes(self) -> list[QRect]:
        left, boxes = theme.space(0.5), []
        for width in self._widths():
            boxes.append(QRect(left, theme.space(0.5), width, self.height() - theme.space(1)))
            left += width
        return boxes

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        edge = color.border_strong if theme.current().high_contrast else ""
        painting.ground(painter, self.rect(), color.pressed, edge)
        for (value, words), box in zip(self._choices, self._boxes(), strict=True):
            on = value == self._value
            if on:
                painting.ground(painter, box, color.surface, color.border, theme.RADIUS_SMALL)
            style = "body-strong" if on else "body-medium"
            tone = color.accent_text if on else color.muted
            painting.words(painter, box, words, style, tone, Qt.AlignmentFlag.AlignHCenter)
        if self.hasFocus():
            painting.focus_ring(painter, self.rect())
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        for (value, _), box in zip(self._choices, self._boxes(), strict=True):
            if box.contains(event.pos()):
                self._choose(value)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        values = [value for value, _ in self._choices]
        at = values.index(self._value)
        if event.key() in (Qt.Key.Key_Right, Qt.Key.Key_Down):
            self._choose(values[min(at + 1, len(values) - 1)])
        elif event.key() in (Qt.Key.Key_Left, Qt.Key.Key_Up):
            self._choose(values[max(at - 1, 0)])
        else:
            super().keyPressEvent(event)


class Switch(QAbstractButton):
    """On or off, at once."""

    def __init__(self, name: str, on: bool = False) -> None:
        super().__init__()
        self.setCheckable(True)
        self.setChecked(on)
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setFixedSize(theme.pixels(42), theme.pixels(26))

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        track = self.rect().adjusted(2, 2, -2, -2)
        on = self.isChecked()
        fill, edge = (color.accent, color.accent) if on else (color.surface, color.border_strong)
        painting.ground(painter, track, fill, edge, track.height() / 2)
        radius = track.height() / 2 - 3.5
        x = track.right() - radius - 3 if on else track.left() + radius + 4
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(QColor(color.on_accent if on else color.border_strong))
        painter.drawEllipse(QPointF(x, track.center().y() + 0.5), radius, radius)
        if self.hasFocus():
            painting.focus_ring(painter, self.rect(), self.height() / 2)
        painter.end()
