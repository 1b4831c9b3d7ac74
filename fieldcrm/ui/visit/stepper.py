"""The steps of a report, side by side: where one is, what is done, where something is wrong."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QPersistentModelIndex, QRect, QSize, Qt
from PySide6.QtGui import QPainter
from PySide6.QtWidgets import QAbstractItemView, QListView, QStyle, QStyledItemDelegate, QStyleOptionViewItem, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.widgets import painting
from fieldcrm.words import tr

Index = QModelIndex | QPersistentModelIndex
_STATE = int(Qt.ItemDataRole.UserRole)


@dataclass(frozen=True, slots=True)
class StepState:
    """``note`` is the small figure after the name (``12/36``); ``mark`` is "", "done" or "problem"."""

    name: str
    icon: str
    note: str = ""
    mark: str = ""


class _Model(QAbstractListModel):
    def __init__(self, parent: QWidget) -> None:
        super().__init__(parent)
        self.steps: list[StepState] = []

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.steps)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        step = self.steps[index.row()]
        if role == _STATE:
            return step
        if role == Qt.ItemDataRole.DisplayRole:
            return step.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            said = {"done": tr("done"), "problem": tr("something is missing")}.get(step.mark, "")
            return ", ".join(part for part in (step.name, step.note, said) if part)
        return None


class _Cells(QStyledItemDelegate):
    def sizeHint(self, option: QStyleOptionViewItem, index: Index) -> QSize:
        step: StepState = index.data(_STATE)
        width = theme.metrics("body-strong").horizontalAdvance(step.name) + theme.pixels(18) + theme.space(7.5)
        if step.note:
            width += theme.metrics("caption").horizontalAdvance(step.note) + theme.space(2)
        return QSize(width, theme.pixels(40))

    def paint(self, painter: QPainter, option: QStyleOptionViewItem, index: Index) -> None:
        color = theme.current().color
        step: StepState = index.data(_STATE)
        here = bool(option.state & QStyle.StateFlag.State_Selected)
        box = option.rect.adjusted(0, theme.space(0.5), -theme.space(1.5), -theme.space(0.5))
        painter.save()
        painter.setRenderHint(QPainter.RenderHint.Antialiasing)
        if here:
            painting.ground(painter, box, color.selected, "", theme.RADIUS)
        elif option.state & QStyle.StateFlag.State_MouseOver:
            painting.ground(painter, box, color.hover, "", theme.RADIUS)
        icon, ink = step.icon, color.accent_text if here else color.muted
        if step.mark == "done":
            icon, ink = "circle-check", color.success_text
        elif step.mark == "problem":
            icon, ink = "circle-alert", color.warning_text
        side = theme.pixels(18)
        left = box.x() + theme.space(2)
        icons.paint(painter, icon, QRect(left, box.center().y() - side // 2 + 1, side, side), ink)
        left += side + theme.space(1.5)
        words = QRect(left, box.y(), box.right() - left, box.height())
        style = "body-strong" if here else "body-medium"
        used = painting.words(painter, words, step.name, style, color.text if here else color.muted)
        if step.note:
            rest = QRect(left + used + theme.space(1.5), box.y(), box.right() - left - used, box.height())
            painting.words(painter, rest, step.note, "caption", color.faint, figures=True)
        if option.state & QStyle.StateFlag.State_HasFocus and here:
            painting.focus_ring(painter, box)
        painter.restore()


class Stepper(QListView):
    """Arrows move between the steps; ``currentChanged`` of its selection model tells."""

    def __init__(self) -> None:
        super().__init__()
        self._model = _Model(self)
        self.setModel(self._model)
        self.setItemDelegate(_Cells(self))
        self.setFlow(QListView.Flow.LeftToRight)
        self.setWrapping(False)
        self.setResizeMode(QListView.ResizeMode.Adjust)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setFixedHeight(theme.pixels(42))
        self.setProperty("kind", "rail")
        self.setMouseTracking(True)
        self.setAccessibleName(tr("Steps of the report"))

    def set_steps(self, steps: list[StepState]) -> None:
        model = self._model
        if len(steps) != len(model.steps):
            model.beginResetModel()
            model.steps = steps
            model.endResetModel()
            return
        for at, step in enumerate(steps):
            if model.steps[at] != step:
                model.steps[at] = step
                model.dataChanged.emit(model.index(at), model.index(at))
        self.scheduleDelayedItemsLayout()

    def go(self, step: int) -> None:
        self.setCurrentIndex(self._model.index(step))
