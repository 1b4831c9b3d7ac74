"""The top bar: where one was, and one field that finds everything."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QHBoxLayout, QSizePolicy, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.widgets import Badge, IconButton, painting
from fieldcrm.words import tr


class _SearchButton(QAbstractButton):
    """Looks like a field; opens the palette."""

    def __init__(self, keys: str) -> None:
        super().__init__()
        self._keys = keys
        self.setText(tr("Search outlets, people, actions…"))
        self.setAccessibleName(self.text())
        self.setCursor(Qt.CursorShape.IBeamCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMaximumWidth(theme.pixels(560))

    def sizeHint(self) -> QSize:
        return QSize(theme.pixels(420), theme.pixels(36))

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        painting.ground(painter, self.rect(), color.hover if self.underMouse() else color.surface, color.border_strong)
        if self.hasFocus():
            painting.focus_ring(painter, self.rect())
        side = theme.pixels(16)
        icons.paint(painter, "search", QRect(theme.space(3), (self.height() - side) // 2, side, side), color.faint)
        left = theme.space(5) + side
        room = self.width() - left - theme.space(3)
        keys = theme.metrics("caption").horizontalAdvance(self._keys)
        words = QRect(left, 0, room - keys - theme.space(3), self.height())
        painting.words(painter, words, self.text(), "body", color.faint)
        rest = QRect(left, 0, room, self.height())
        painting.words(painter, rest, self._keys, "caption", color.faint, Qt.AlignmentFlag.AlignRight)
        painter.end()


class TopBar(QWidget):
    """``search`` when the field is clicked."""

    search = Signal()
    help = Signal()

    def __init__(self, session: AppSession, keys: str) -> None:
        super().__init__()
        navigator = session.navigator
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(4), theme.space(2.5), theme.space(4), theme.space(2.5))
        row.setSpacing(theme.space(1))
        self._back = IconButton("arrow-left", tr("Back"), navigator.back)
        self._forward = IconButton("arrow-right", tr("Forward"), navigator.forward)
        self.field = _SearchButton(keys)
        self.field.clicked.connect(self.search)
        row.addWidget(self._back)
        row.addWidget(self._forward)
        row.addSpacing(theme.space(2))
        row.addWidget(self.field, 10)
        row.addStretch(1)
        if session.identity.sample:
            row.addWidget(Badge(tr("Sample data, nothing is real"), "warning"))
            row.addSpacing(theme.space(2))
        row.addWidget(IconButton("keyboard", tr("Keyboard shortcuts"), self.help.emit))
        self._navigator = navigator
        self.refresh()

    def refresh(self) -> None:
        self._back.setEnabled(self._navigator.can_go_back)
        self._forward.setEnabled(self._navigator.can_go_forward)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        painter.fillRect(self.rect(), theme.qcolor(color.rail))
        painter.fillRect(0, self.height() - 1, self.width(), 1, theme.qcolor(color.border))
        painter.end()
