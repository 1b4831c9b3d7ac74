"""A small icon in the flow of words."""

from __future__ import annotations

from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.widgets import painting


class Sign(QWidget):
    """``tone`` is a tone, or a colour token for words (``muted``, ``faint``, ``text``)."""

    def __init__(self, icon: str, tone: str = "neutral", size: int = 18) -> None:
        super().__init__()
        self._icon, self._tone = icon, tone
        side = theme.pixels(size)
        self.setFixedSize(side, side)

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        ink = color.tone(self._tone).text if self._tone in theme.TONES else str(getattr(color, self._tone))
        painter = painting.smooth(self)
        icons.paint(painter, self._icon, self.rect(), ink)
        painter.end()
