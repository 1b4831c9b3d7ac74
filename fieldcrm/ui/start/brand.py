"""The left half of the start: what this program promises, drawn on the accent."""

from __future__ import annotations

from itertools import pairwise

from PySide6.QtCore import QPointF, QRect, Qt
from PySide6.QtGui import QColor, QLinearGradient, QPainter, QPainterPath, QPaintEvent, QPen
from PySide6.QtWidgets import QSizePolicy, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.widgets import painting
from fieldcrm.words import tr

# A route over the lower part, as shares of width and height.
ROUTE = ((0.10, 0.93), (0.26, 0.80), (0.45, 0.88), (0.60, 0.72), (0.86, 0.78))


class Brand(QWidget):
    """Painted, so that it looks the same in each theme: white words on the accent."""

    GROUND, DEEP, LINE = "#0f6b57", "#0a4a3d", "#7fd8bf"

    def __init__(self) -> None:
        super().__init__()
        self.setMinimumWidth(theme.pixels(300))
        self.setMaximumWidth(theme.pixels(420))
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Expanding)

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        shade = QLinearGradient(0, 0, self.width() * 0.4, self.height())
        shade.setColorAt(0, QColor(self.GROUND))
        shade.setColorAt(1, QColor(self.DEEP))
        painter.fillRect(self.rect(), shade)
        self._route(painter)
        margin = theme.space(9)
        side = theme.pixels(40)
        box = QRect(margin, margin, side, side)
        painting.ground(painter, box, "#ffffff", "", 10)
        icons.paint(painter, "map-pinned", box.adjusted(8, 8, -8, -8), self.GROUND)
        beside = QRect(box.right() + theme.space(3), margin, self.width(), side)
        painting.words(painter, beside, "FieldCRM", "title", "#ffffff")
        self._promises(painter, margin, box.bottom() + theme.space(14))
        painter.end()

    def _promises(self, painter: QPainter, left: int, top: int) -> None:
        width = self.width() - 2 * left
        painter.setFont(theme.font("display"))
        painter.setPen(QColor("#ffffff"))
        head = tr("Your day in the field, with or without network")
        flags = int(Qt.TextFlag.TextWordWrap | Qt.AlignmentFlag.AlignLeft)
        used = painter.boundingRect(QRect(left, top, width, 400), flags, head)
        painter.drawText(used, flags, head)
        y = used.bottom() + theme.space(7)
        promises = (
            ("shield-check", tr("Every visit is saved on this device at once")),
            ("badge-check", tr("Headquarters verifies each report and photo")),
            ("route", tr("Each stop of the day says why it is there")),
        )
        for name, words in promises:
            icons.paint(painter, name, QRect(left, y, theme.pixels(20), theme.pixels(20)), self.LINE)
            painter.setFont(theme.font("body-medium"))
            painter.setPen(QColor("#e9f7f2"))
            room = QRect(left + theme.pixels(20) + theme.space(3), y, width - theme.pixels(20) - theme.space(3), 200)
            line = painter.boundingRect(room, flags, words)
            painter.drawText(line, flags, words)
            y = max(line.bottom(), y + theme.pixels(20)) + theme.space(3.5)

    def _route(self, painter: QPainter) -> None:
        points = [QPointF(x * self.width(), y * self.height()) for x, y in ROUTE]
        path = QPainterPath(points[0])
        for before, after in pairwise(points):
            middle = (before.x() + after.x()) / 2
            path.cubicTo(QPointF(middle, before.y()), QPointF(middle, after.y()), after)
        pen = QPen(theme.qcolor(self.LINE, 0.55), 2.5, Qt.PenStyle.DashLine)
        pen.setCapStyle(Qt.PenCapStyle.RoundCap)
        painter.strokePath(path, pen)
        for at, point in enumerate(points):
            done = at < 2
            painting.dot(painter, point, self.LINE if done else "#ffffff", 16)
            painting.dot(painter, point, self.GROUND, 0 if done else 9)
