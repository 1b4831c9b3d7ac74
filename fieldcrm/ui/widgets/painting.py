"""What several widgets and delegates draw: round grounds, dots, badges, elided words."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QRect, QRectF, Qt
from PySide6.QtGui import QColor, QFontMetrics, QPainter, QPen
from PySide6.QtWidgets import QWidget

from fieldcrm.ui import theme

BADGE_HEIGHT = 22
_DOT = 6


def smooth(widget: QWidget) -> QPainter:
    """A painter with smooth edges; the caller ends it."""
    painter = QPainter(widget)
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    return painter


def ground(painter: QPainter, rect: QRect, fill: str, border: str = "", radius: float = theme.RADIUS) -> None:
    """A round ground; the border is one crisp pixel inside ``rect``."""
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(QColor(fill) if fill else Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(border), 1) if border else Qt.PenStyle.NoPen)
    inset = 0.5 if border else 0
    painter.drawRoundedRect(QRectF(rect).adjusted(inset, inset, -inset, -inset), radius, radius)
    painter.restore()


def focus_ring(painter: QPainter, rect: QRect, radius: float = theme.RADIUS) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setBrush(Qt.BrushStyle.NoBrush)
    painter.setPen(QPen(QColor(theme.current().color.focus), 2))
    painter.drawRoundedRect(QRectF(rect).adjusted(1, 1, -1, -1), radius, radius)
    painter.restore()


def words(
    painter: QPainter,
    rect: QRect,
    text: str,
    style: str,
    color: str,
    align: Qt.AlignmentFlag = Qt.AlignmentFlag.AlignLeft,
    *,
    figures: bool = False,
) -> int:
    """One line of text, elided to ``rect`` and centred in its height; returns the width used."""
    font = theme.font(style, figures=figures)
    metrics = QFontMetrics(font)
    shown = metrics.elidedText(text, Qt.TextElideMode.ElideRight, rect.width())
    painter.setFont(font)
    painter.setPen(QColor(color))
    painter.drawText(rect, align | Qt.AlignmentFlag.AlignVCenter | Qt.TextFlag.TextSingleLine, shown)
    return metrics.horizontalAdvance(shown)


def dot(painter: QPainter, center: QPointF, color: str, size: float = _DOT) -> None:
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    painter.setPen(Qt.PenStyle.NoPen)
    painter.setBrush(QColor(color))
    painter.drawEllipse(center, size / 2, size / 2)
    painter.restore()


def badge_width(text: str) -> int:
    return theme.metrics("caption-strong").horizontalAdvance(text) + theme.pixels(_DOT) + theme.space(5.5)


def badge_height() -> int:
    return theme.pixels(BADGE_HEIGHT)


def badge(painter: QPainter, rect: QRect, text: str, tone: str) -> int:
    """A dot and a word on a soft ground, from the left of ``rect``, centred in its height; returns the width used.

    The shape of the dot says the tone without colour: a ring for neutral, a square for danger, a diamond for warning.
    """
    colors = theme.current().color.tone(tone)
    width = min(badge_width(text), rect.width())
    height = badge_height()
    box = QRect(rect.x(), rect.y() + (rect.height() - height) // 2, width, height)
    border = theme.current().color.border_strong if theme.current().high_contrast else ""
    ground(painter, box, colors.soft, border, radius=height / 2)
    mark(painter, QPointF(box.x() + theme.space(2.5), box.center().y() + 0.5), tone)
    left = box.x() + theme.space(2.5) + theme.pixels(_DOT) // 2 + theme.space(1.5)
    inner = QRect(left, box.y(), box.right() - left - theme.space(1), height)
    words(painter, inner, text, "caption-strong", colors.text)
    return width


def mark(painter: QPainter, center: QPointF, tone: str) -> None:
    """The dot of a badge: its shape differs by tone, so that colour is never alone."""
    size = theme.pixels(_DOT)
    color = QColor(theme.current().color.tone(tone).solid)
    painter.save()
    painter.setRenderHint(QPainter.RenderHint.Antialiasing)
    if tone == "neutral":
        painter.setBrush(Qt.BrushStyle.NoBrush)
        painter.setPen(QPen(color, 1.5))
        painter.drawEllipse(center, size / 2 - 0.5, size / 2 - 0.5)
    else:
        painter.setPen(Qt.PenStyle.NoPen)
        painter.setBrush(color)
        half = size / 2
        if tone == "danger":
            painter.drawRoundedRect(QRectF(center.x() - half, center.y() - half, size, size), 1.5, 1.5)
        elif tone == "warning":
            painter.translate(center)
            painter.rotate(45)
            painter.drawRoundedRect(QRectF(-half, -half, size, size), 1, 1)
        else:
            painter.drawEllipse(center, half, half)
    painter.restore()
