"""Badges say a state (dot and word), chips choose a filter, avatars and key caps are small signs."""

from __future__ import annotations

from PySide6.QtCore import QRect, QSize, Qt
from PySide6.QtGui import QFontMetrics, QPaintEvent
from PySide6.QtWidgets import QAbstractButton, QSizePolicy, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.widgets import painting


class Badge(QWidget):
    """A dot and a word on a soft ground. ``tone``: ``neutral``, ``accent``, ``success``, ``warning``, ``danger``."""

    def __init__(self, text: str = "", tone: str = "neutral") -> None:
        super().__init__()
        self._text, self._tone = text, tone
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(text)

    def set(self, text: str, tone: str = "neutral") -> None:
        self._text, self._tone = text, tone
        self.setAccessibleName(text)
        self.updateGeometry()
        self.update()

    def text(self) -> str:
        return self._text

    def sizeHint(self) -> QSize:
        return QSize(painting.badge_width(self._text), painting.badge_height())

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        painting.badge(painter, self.rect(), self._text, self._tone)
        painter.end()


class Chip(QAbstractButton):
    """A filter that is on or off, with an optional icon and count."""

    def __init__(self, text: str, *, icon: str = "", count: str = "", checked: bool = False) -> None:
        super().__init__()
        self.setText(text)
        self._icon, self._count = icon, count
        self.setCheckable(True)
        self.setChecked(checked)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        self.setAttribute(Qt.WidgetAttribute.WA_Hover)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.toggled.connect(lambda _: self.updateGeometry())

    def set_count(self, count: str) -> None:
        self._count = count
        self.updateGeometry()
        self.update()

    def _lead(self) -> str:
        return "check" if self.isChecked() else self._icon

    def sizeHint(self) -> QSize:
        width = theme.space(6) + theme.metrics("body-medium").horizontalAdvance(self.text())
        if self._lead():
            width += theme.pixels(14) + theme.space(1.5)
        if self._count:
            figures = QFontMetrics(theme.font("body", figures=True))  # figures of one width are wider
            width += theme.space(1.5) + figures.horizontalAdvance(self._count)
        return QSize(width, theme.pixels(30))

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        on = self.isChecked()
        fill = color.accent_soft if on else (color.hover if self.underMouse() else color.surface)
        painter = painting.smooth(self)
        painting.ground(painter, self.rect(), fill, color.accent if on else color.border_strong, self.height() / 2)
        if self.hasFocus():
            painting.focus_ring(painter, self.rect(), self.height() / 2)
        words = color.accent_text if on else color.text
        x = theme.space(3)
        if self._lead():
            side = theme.pixels(14)
            icons.paint(painter, self._lead(), QRect(x, (self.height() - side) // 2, side, side), words)
            x += side + theme.space(1.5)
        x += painting.words(painter, QRect(x, 0, self.width() - x, self.height()), self.text(), "body-medium", words)
        if self._count:
            rest = QRect(x + theme.space(1.5), 0, self.width() - x, self.height())
            painting.words(painter, rest, self._count, "body", words if on else color.faint, figures=True)
        painter.end()


class Avatar(QWidget):
    """The initials of a person or an outlet on a colour that is always the same for the name."""

    def __init__(self, name: str = "", size: int = 32, *, square: bool = False) -> None:
        super().__init__()
        self._name, self._side, self._square = name, theme.pixels(size), square
        self.setFixedSize(self._side, self._side)
        self.setAccessibleName(name)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        paint_avatar(painter, self.rect(), self._name, square=self._square)
        painter.end()


def initials(name: str) -> str:
    """``Asha Raman`` to ``AR``."""
    parts = [part for part in name.replace("-", " ").replace("’", " ").split() if part[:1].isalnum()]
    if not parts:
        return "·"
    return (parts[0][0] + (parts[-1][0] if len(parts) > 1 else "")).upper()


def paint_avatar(painter: object, rect: QRect, name: str, *, square: bool = False) -> None:
    from PySide6.QtGui import QPainter

    assert isinstance(painter, QPainter)
    color = theme.current().color
    hue = color.series[sum(name.encode()) % len(color.series)]
    radius = theme.RADIUS if square else rect.height() / 2
    tint = theme.qcolor(hue, 0.22 if theme.current().dark else 0.13)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(tint)
    painter.drawRoundedRect(rect, radius, radius)
    style = "caption-strong" if rect.height() < 44 else "heading"
    painting.words(painter, rect, initials(name), style, hue, Qt.AlignmentFlag.AlignHCenter)
