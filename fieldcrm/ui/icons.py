"""Icons by name: Lucide SVGs, drawn in the colour that the theme has when they are painted."""

from __future__ import annotations

from functools import lru_cache

from PySide6.QtCore import QByteArray, QPoint, QRect, QRectF, QSize, Qt
from PySide6.QtGui import QIcon, QIconEngine, QPainter, QPixmap
from PySide6.QtSvg import QSvgRenderer
from PySide6.QtWidgets import QAbstractButton, QPushButton

from fieldcrm import resources
from fieldcrm.ui import theme

STROKE = "1.75"  # a little finer than Lucide's own, to sit well beside Inter


@lru_cache(maxsize=512)
def _renderer(name: str, color: str) -> QSvgRenderer:
    svg = resources.text(f"icons/{name}.svg").replace("currentColor", color)
    return QSvgRenderer(QByteArray(svg.replace('stroke-width="2"', f'stroke-width="{STROKE}"').encode()))


@lru_cache(maxsize=1024)
def pixmap(name: str, size: int, color: str, ratio: float = 1.0) -> QPixmap:
    """``name`` drawn ``size`` logical pixels square in ``color``, for a screen of ``ratio`` pixels to one."""
    made = QPixmap(round(size * ratio), round(size * ratio))
    made.setDevicePixelRatio(ratio)
    made.fill(Qt.GlobalColor.transparent)
    painter = QPainter(made)
    _renderer(name, color).render(painter, QRectF(0, 0, size, size))
    painter.end()
    return made


def paint(painter: QPainter, name: str, rect: QRect, color: str) -> None:
    """Draw ``name`` centred in ``rect``, as large as its smaller side."""
    side = min(rect.width(), rect.height())
    ratio = painter.device().devicePixelRatio()
    left = rect.x() + (rect.width() - side) // 2
    top = rect.y() + (rect.height() - side) // 2
    painter.drawPixmap(QPoint(left, top), pixmap(name, side, color, ratio))


class _Engine(QIconEngine):
    """Looks its colour up when it paints, so that a new theme needs no new icons."""

    def __init__(self, name: str, tone: str) -> None:
        super().__init__()
        self._name = name
        self._tone = tone

    def _color(self, mode: QIcon.Mode) -> str:
        color = theme.current().color
        if mode == QIcon.Mode.Disabled:
            return color.disabled
        return str(getattr(color, self._tone))

    def paint(self, painter: QPainter, rect: QRect, mode: QIcon.Mode, state: QIcon.State) -> None:
        paint(painter, self._name, rect, self._color(mode))

    def pixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State) -> QPixmap:
        return self.scaledPixmap(size, mode, state, 1.0)

    def scaledPixmap(self, size: QSize, mode: QIcon.Mode, state: QIcon.State, scale: float) -> QPixmap:
        side = min(size.width(), size.height())
        drawn = pixmap(self._name, round(side / scale), self._color(mode), scale)
        if size.width() <= size.height():
            return drawn
        # A button asks for a wider icon to keep its words away: the rest stays empty.
        wide = QPixmap(size)
        wide.setDevicePixelRatio(scale)
        wide.fill(Qt.GlobalColor.transparent)
        painter = QPainter(wide)
        painter.drawPixmap(0, 0, drawn)
        painter.end()
        return wide

    def clone(self) -> QIconEngine:
        return _Engine(self._name, self._tone)


def known(name: str) -> bool:
    """Whether there is such an icon: a form that somebody published may name any."""
    return name.replace("-", "").isalnum() and resources.path(f"icons/{name}.svg").is_file()


def icon(name: str, tone: str = "text") -> QIcon:
    """The icon ``name`` in the colour token ``tone`` (``text``, ``muted``, ``accent_text``, ``on_accent`` …)."""
    return QIcon(_Engine(name, tone))


def set_icon(button: QAbstractButton, name: str, tone: str = "text", size: int = 18) -> None:
    """Put an icon on a button at the size that suits the text size in use."""
    button.setIcon(icon(name, tone))
    side = theme.pixels(size)
    gap = theme.space(1) if button.text() and isinstance(button, QPushButton) else 0
    button.setIconSize(QSize(side + gap, side))
