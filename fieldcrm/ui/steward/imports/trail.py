"""The steps of an import in a row: those done, the one in front, those to come."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QRect, QSize, Qt, Signal
from PySide6.QtGui import QMouseEvent, QPaintEvent
from PySide6.QtWidgets import QSizePolicy, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.widgets import painting


class StepTrail(QWidget):
    """``chosen(name)`` when the person goes back to a step that is done. Steps are ``(name, words)``."""

    chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        self._steps: list[tuple[str, str]] = []
        self._at = 0
        self._free = True
        self.setSizePolicy(QSizePolicy.Policy.Expanding, QSizePolicy.Policy.Fixed)
        self.setMouseTracking(True)

    def show_steps(self, steps: Sequence[tuple[str, str]], at: int, *, free: bool = True) -> None:
        """``free``: a click on a step that is done goes there."""
        self._steps, self._at, self._free = list(steps), at, free
        self.setAccessibleName(", ".join(
            ("▸ " if number == at else "") + words for number, (_, words) in enumerate(self._steps)))
        self.updateGeometry()
        self.update()

    def sizeHint(self) -> QSize:
        return QSize(theme.pixels(360), theme.pixels(32))

    def _boxes(self) -> list[QRect]:
        """Each step: its disc and its words; in a narrow place only the step in front is named."""
        disc, gap = theme.pixels(22), theme.space(2)
        metrics = theme.metrics("body-strong")
        wide = [disc + gap + metrics.horizontalAdvance(words) for _, words in self._steps]
        joint = theme.space(9)
        if sum(wide) + joint * (len(wide) - 1) > self.width():
            wide = [width if at == self._at else disc for at, width in enumerate(wide)]
            joint = theme.space(6)
        boxes, left = [], 1
        for width in wide:
            boxes.append(QRect(left, 0, width, self.height()))
            left += width + joint
        return boxes

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        disc = theme.pixels(22)
        boxes = self._boxes()
        for at, ((_, words), box) in enumerate(zip(self._steps, boxes, strict=True)):
            done, here = at < self._at, at == self._at
            spot = QRect(box.x(), (self.height() - disc) // 2, disc, disc)
            fill = color.accent if here else color.accent_soft if done else color.sunken
            ink = color.on_accent if here else color.accent_text if done else color.faint
            edge = color.border_strong if theme.current().high_contrast else ""
            painting.ground(painter, spot, fill, edge, disc / 2)
            if done:
                inner = spot.adjusted(5, 5, -5, -5)
                icons.paint(painter, "check", inner, ink)
            else:
                painting.words(painter, spot, str(at + 1), "caption-strong", ink, Qt.AlignmentFlag.AlignHCenter)
            left = spot.right() + theme.space(2)
            rest = QRect(left, 0, box.right() - left + 2, box.height())
            if rest.width() > disc:
                tone = color.text if here else color.muted if done else color.faint
                painting.words(painter, rest, words, "body-strong" if here else "body-medium", tone)
            if at + 1 < len(boxes):
                middle = self.height() // 2
                start, end = box.right() + theme.space(2), boxes[at + 1].x() - theme.space(2)
                painter.fillRect(start, middle, max(end - start, 0), 1, theme.qcolor(color.border_strong))
        painter.end()

    def _step_at(self, event: QMouseEvent) -> str:
        for at, box in enumerate(self._boxes()):
            if self._free and at < self._at and box.contains(event.position().toPoint()):
                return self._steps[at][0]
        return ""

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        shape = Qt.CursorShape.PointingHandCursor if self._step_at(event) else Qt.CursorShape.ArrowCursor
        self.setCursor(shape)
        super().mouseMoveEvent(event)

    def mouseReleaseEvent(self, event: QMouseEvent) -> None:
        name = self._step_at(event)
        if name:
            self.chosen.emit(name)
