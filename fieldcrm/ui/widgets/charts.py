"""Small figures that are drawn: a sparkline, a ring of progress, a bar of shares."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPointF, QRectF, QSize, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.widgets import painting


def sparkline(painter: QPainter, rect: QRectF, values: Sequence[float | None], color: str) -> None:
    """A line through ``values`` (gaps where ``None``), a soft ground below it, a dot at the last."""
    known = [value for value in values if value is not None]
    if len(known) < 2:
        return
    low, high = min(known), max(known)
    spread = (high - low) or 1.0
    step = rect.width() / (len(values) - 1)
    points = [
        QPointF(rect.left() + i * step, rect.bottom() - (value - low) / spread * rect.height())
        for i, value in enumerate(values)
        if value is not None
    ]
    line = QPainterPath(points[0])
    for point in points[1:]:
        line.lineTo(point)
    below = QPainterPath(line)
    below.lineTo(points[-1].x(), rect.bottom() + 2)
    below.lineTo(points[0].x(), rect.bottom() + 2)
    shade = QLinearGradient(0, rect.top(), 0, rect.bottom())
    shade.setColorAt(0, theme.qcolor(color, 0.20))
    shade.setColorAt(1, theme.qcolor(color, 0.0))
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.fillPath(below, shade)
    pen = QPen(QColor(color), 1.75)
    pen.setJoinStyle(Qt.PenJoinStyle.RoundJoin)
    pen.setCapStyle(Qt.PenCapStyle.RoundCap)
    painter.strokePath(line, pen)
    painter.restore()
    painting.dot(painter, points[-1], color, 5)


class Sparkline(QWidget):
    """A trend the size of a word; ``name`` says what it shows to those who cannot see it."""

    def __init__(self, values: Sequence[float | None] = (), name: str = "", tone: str = "accent") -> None:
        super().__init__()
        self._values: list[float | None] = list(values)
        self._tone = tone
        self.setAccessibleName(name)
        self.setSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Fixed)

    def set_values(self, values: Sequence[float | None]) -> None:
        self._values = list(values)
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.space(24), theme.space(8))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        color = theme.current().color.tone(self._tone).solid
        sparkline(painter, QRectF(self.rect()).adjusted(4, 4, -4, -4), self._values, color)
        painter.end()


class ProgressRing(QWidget):
    """How much of a day or a form is done: a ring with a word inside."""

    def __init__(self, size: int = 56, tone: str = "accent") -> None:
        super().__init__()
        self._side, self._tone = theme.pixels(size), tone
        self._share, self._words = 0.0, ""
        self.setFixedSize(self._side, self._side)

    def set(self, done: int, total: int, words: str = "") -> None:
        self._share = done / total if total else 0.0
        self._words = words or f"{done}/{total}"
        self.setAccessibleName(self._words)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        width = max(4, self._side // 11)
        box = QRectF(self.rect()).adjusted(width / 2 + 1, width / 2 + 1, -width / 2 - 1, -width / 2 - 1)
        painter = painting.smooth(self)
        painter.setPen(QPen(QColor(color.pressed), width))
        painter.drawEllipse(box)
        if self._share > 0:
            pen = QPen(QColor(color.tone(self._tone).solid), width)
            pen.setCapStyle(Qt.PenCapStyle.RoundCap)
            painter.setPen(pen)
            painter.drawArc(box, 90 * 16, round(-360 * 16 * min(self._share, 1.0)))
        style = "caption-strong" if self._side < 64 else "heading"
        middle = Qt.AlignmentFlag.AlignHCenter
        painting.words(painter, self.rect(), self._words, style, color.text, middle, figures=True)
        painter.end()


class ShareBar(QWidget):
    """Shares of a whole as one bar: ``set([(3, "success"), (1, "warning")])``; a tone may also be a colour."""

    def __init__(self, height: int = 8) -> None:
        super().__init__()
        self._parts: list[tuple[float, str]] = []
        self.setFixedHeight(height)
        self.setMinimumWidth(theme.space(10))

    def set(self, parts: Sequence[tuple[float, str]], name: str = "") -> None:
        self._parts = [(share, tone) for share, tone in parts if share > 0]
        self.setAccessibleName(name)
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        box = QRectF(self.rect())
        clip = QPainterPath()
        clip.addRoundedRect(box, box.height() / 2, box.height() / 2)
        painter.setClipPath(clip)
        painter.fillRect(box, QColor(color.pressed))
        total = sum(share for share, _ in self._parts)
        left = box.left()
        for share, tone in self._parts:
            width = box.width() * share / total
            fill = tone if tone.startswith("#") else color.tone(tone).solid
            painter.fillRect(QRectF(left, 0, max(width - 1.5, 1.0), box.height()), QColor(fill))
            left += width
        painter.end()
