"""The legend of the map: each class with its colour and how many outlets it has."""

from __future__ import annotations

from PySide6.QtCore import QPointF, QSize
from PySide6.QtGui import QColor, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.outlets.map_colours import Coloured
from fieldcrm.ui.widgets import FlowLayout, clear_layout, painting
from fieldcrm.ui.widgets.map_view_points import Shade
from fieldcrm.words import number, tr


class LegendEntry(QWidget):
    """A dot as on the map, the words, the count."""

    def __init__(self, shade: Shade, count: int) -> None:
        super().__init__()
        self._shade, self._count = shade, number(count)
        self.setSizePolicy(QSizePolicy.Policy.Fixed, QSizePolicy.Policy.Fixed)
        self.setAccessibleName(tr("{name}: {n}", name=shade.name, n=self._count))

    def sizeHint(self) -> QSize:
        words = theme.metrics("caption").horizontalAdvance(self._shade.name)
        count = theme.metrics("caption-strong").horizontalAdvance(self._count)
        return QSize(theme.pixels(14) + words + theme.space(1) + count + theme.space(1), theme.pixels(18))

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        painter.setPen(QColor(color.surface))
        painter.setBrush(QColor(self._shade.colour))
        side = theme.pixels(5)
        painter.drawEllipse(QPointF(side + 0.5, self.height() / 2), side, side)
        rest = self.rect().adjusted(theme.pixels(14), 0, 0, 0)
        width = painting.words(painter, rest, self._shade.name, "caption", color.text)
        rest.adjust(width + theme.space(1), 0, 0, 0)
        painting.words(painter, rest, self._count, "caption-strong", color.muted)
        painter.end()


class Legend(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self._flow = FlowLayout(self, 2)
        self.entries: list[LegendEntry] = []
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Minimum)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)

    def show_classes(self, coloured: Coloured) -> None:
        """Classes that no outlet has are left out."""
        clear_layout(self._flow)
        self.entries = [
            LegendEntry(shade, count)
            for shade, count in zip(coloured.shades, coloured.counts, strict=True)
            if count
        ]
        for entry in self.entries:
            self._flow.addWidget(entry)
        self.updateGeometry()
