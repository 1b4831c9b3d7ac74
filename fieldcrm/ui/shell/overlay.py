"""A panel over the window, on a dimmed ground: for the palette and the shortcut help. Esc gives the focus back."""

from __future__ import annotations

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QApplication, QFrame, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.widgets import painting


class _Panel(QFrame):
    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        for grow, alpha in ((10, 0.05), (6, 0.06), (3, 0.08)):
            shade = theme.qcolor("#000000", alpha)
            painter.setPen(Qt.PenStyle.NoPen)
            painter.setBrush(shade)
            painter.drawRoundedRect(self.rect().adjusted(12 - grow, 14 - grow, grow - 12, grow - 12), 16, 16)
        edge = color.border_strong if theme.current().high_contrast else color.border
        painting.ground(painter, self.rect().adjusted(12, 12, -12, -12), color.raised, edge, 14)
        painter.end()


class Overlay(QWidget):
    """Covers its parent; ``panel`` is centred near the top, at most ``width`` wide; ``body`` is its layout."""

    closed = Signal()

    def __init__(self, parent: QWidget, width: int, height: int) -> None:
        super().__init__(parent)
        self._width, self._height = width, height
        self._before: QWidget | None = None
        self.panel = _Panel(self)
        self.body = QVBoxLayout(self.panel)
        self.body.setContentsMargins(12, 12, 12, 12)
        self.body.setSpacing(0)
        self.hide()
        parent.installEventFilter(self)

    def appear(self, focus: QWidget) -> None:
        if not self.isVisible():
            self._before = QApplication.focusWidget()
        self._place()
        self.show()
        self.raise_()
        focus.setFocus(Qt.FocusReason.PopupFocusReason)

    def vanish(self) -> None:
        if not self.isVisible():
            return
        self.hide()
        before, self._before = self._before, None
        if before is not None and before.isVisible():
            before.setFocus(Qt.FocusReason.PopupFocusReason)
        self.closed.emit()

    def _place(self) -> None:
        parent = self.parentWidget()
        assert parent is not None
        self.setGeometry(parent.rect())
        width = min(theme.pixels(self._width), self.width() - theme.space(8))
        height = min(theme.pixels(self._height), self.height() - theme.space(12))
        top = max(theme.space(4), min(self.height() // 9, (self.height() - height) // 2))
        self.panel.setGeometry((self.width() - width) // 2, top, width, height)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.Resize and self.isVisible():
            self._place()
        return False

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        painter.fillRect(self.rect(), theme.qcolor(theme.current().color.scrim))
        painter.end()

    def mousePressEvent(self, event: QMouseEvent) -> None:
        if not self.panel.geometry().contains(event.pos()):
            self.vanish()

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.vanish()
            return
        super().keyPressEvent(event)

    def focusNextPrevChild(self, next: bool) -> bool:
        return False  # the focus stays in the panel until it closes
