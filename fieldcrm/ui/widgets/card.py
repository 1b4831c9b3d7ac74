"""A card: a surface with a fine edge that groups what belongs together; and the disc that says its state."""

from __future__ import annotations

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QFrame, QLayout, QVBoxLayout, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.widgets import painting


class Card(QFrame):
    """``body`` is its layout (vertical). ``clickable``: it takes the focus, answers Enter, and emits ``clicked``."""

    clicked = Signal()

    def __init__(self, *, padding: float = 5, spacing: float = 3, clickable: bool = False, tone: str = "") -> None:
        super().__init__()
        self._clickable = clickable
        self._tone = tone
        self.body = QVBoxLayout(self)
        margin = theme.space(padding)
        self.body.setContentsMargins(margin, margin, margin, margin)
        self.body.setSpacing(theme.space(spacing))
        if clickable:
            self.setCursor(Qt.CursorShape.PointingHandCursor)
            self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
            self.setAttribute(Qt.WidgetAttribute.WA_Hover)

    def add(self, what: QWidget | QLayout, stretch: int = 0) -> None:
        if isinstance(what, QWidget):
            self.body.addWidget(what, stretch)
        else:
            self.body.addLayout(what, stretch)

    def set_tone(self, tone: str) -> None:
        """Tint the card: ``""`` for the plain surface, or a tone."""
        self._tone = tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        fill, edge = color.surface, color.border
        if self._tone:
            tone = color.tone(self._tone)
            fill, edge = tone.soft, tone.soft
        if self._clickable and self.underMouse():
            fill = color.hover if not self._tone else fill
            edge = color.border_strong
        painter = painting.smooth(self)
        painting.ground(painter, self.rect(), fill, edge, theme.RADIUS_LARGE)
        if self._clickable and self.hasFocus():
            painting.focus_ring(painter, self.rect(), theme.RADIUS_LARGE)
        painter.end()

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        if self._clickable and event.button() == Qt.MouseButton.LeftButton and self.rect().contains(event.pos()):
            self.clicked.emit()
        super().mouseReleaseEvent(event)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if self._clickable and event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter, Qt.Key.Key_Space):
            self.clicked.emit()
            return
        super().keyPressEvent(event)


class Divider(QFrame):
    """A hairline between rows of a card."""

    def __init__(self) -> None:
        super().__init__()
        self.setFixedHeight(1)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        painter.fillRect(self.rect(), theme.qcolor(theme.current().color.border))
        painter.end()


class Disc(QWidget):
    """The state as a picture: an icon on a soft disc in the tone of the state."""

    def __init__(self, size: int = 52) -> None:
        super().__init__()
        self._icon, self._tone = "cloud", "neutral"
        side = theme.pixels(size)
        self.setFixedSize(side, side)

    def set(self, icon: str, tone: str) -> None:
        self._icon, self._tone = icon, tone
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        tone = theme.current().color.tone(self._tone)
        painter = painting.smooth(self)
        painting.ground(painter, self.rect(), tone.soft, "", self.height() / 2)
        side = round(self.height() * 0.46)
        spot = self.rect().adjusted(0, 0, 0, 0)
        spot.setSize(spot.size().scaled(side, side, Qt.AspectRatioMode.KeepAspectRatio))
        spot.moveCenter(self.rect().center())
        icons.paint(painter, self._icon, spot, tone.text)
        painter.end()
