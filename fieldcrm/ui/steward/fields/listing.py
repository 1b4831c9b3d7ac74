"""The own fields in their order: dragged, or moved by keys."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QDragLeaveEvent, QDragMoveEvent, QDropEvent, QKeyEvent, QPaintEvent, QPen
from PySide6.QtWidgets import QAbstractItemView

from fieldcrm.ui import theme
from fieldcrm.ui.steward.fields.kinds import ICONS, described
from fieldcrm.ui.widgets import Column, PageModel, RowList, TwoLine, TwoLineDelegate, painting
from fieldcrm.ui.widgets.lists import Index
from fieldcrm.usecases.customfields import CustomField
from fieldcrm.words import language, tr


class FieldModel(PageModel[CustomField]):
    """The fields as rows that can be dragged; ``held`` counts the outlets with a value, by key."""

    def __init__(self, parent: Any = None) -> None:
        self._fields: dict[Any, CustomField] = {}
        self.held: dict[str, int] = {}
        super().__init__(
            [Column("name", tr("Name"), lambda field: field.name(language()))],
            lambda ids: [self._fields[id] for id in ids if id in self._fields], parent=parent)

    def set_fields(self, fields: Sequence[CustomField]) -> None:
        self._fields = {field.id: field for field in fields}

    def field(self, id: Any) -> CustomField | None:
        return self._fields.get(id)

    def flags(self, index: Index) -> Qt.ItemFlag:
        return super().flags(index) | Qt.ItemFlag.ItemIsDragEnabled | Qt.ItemFlag.ItemIsDropEnabled

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction

    def describe(self, field: CustomField) -> TwoLine:
        return TwoLine(
            field.name(language()), described(field, self.held.get(field.key, 0)), icon=ICONS.get(field.kind, "type"),
            badge="" if field.active else tr("Retired"), faded=not field.active,
        )  # fmt: skip


class FieldList(RowList):
    """``moved(id, place)`` when a field was dropped between others; ``retire_asked(id)`` on Delete."""

    moved = Signal(object, int)
    retire_asked = Signal(object)

    def __init__(self, model: FieldModel) -> None:
        super().__init__(model, TwoLineDelegate(model.describe), tr("Own fields"))
        self.fields = model
        self._line_at: int | None = None
        self.setDragDropMode(QAbstractItemView.DragDropMode.InternalMove)
        self.setDefaultDropAction(Qt.DropAction.MoveAction)
        self.setDropIndicatorShown(False)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Delete and self.current_id() is not None:
            self.retire_asked.emit(self.current_id())
            return
        super().keyPressEvent(event)

    def _target(self, at: QPoint) -> int:
        """Before which row a drop at this height would go."""
        for row in range(self.fields.rowCount()):
            if at.y() < self.visualRect(self.fields.index(row, 0)).center().y():
                return row
        return self.fields.rowCount()

    def dragMoveEvent(self, event: QDragMoveEvent) -> None:
        super().dragMoveEvent(event)
        event.acceptProposedAction()
        self._line_at = self._target(event.position().toPoint())
        self.viewport().update()

    def dragLeaveEvent(self, event: QDragLeaveEvent) -> None:
        self._line_at = None
        super().dragLeaveEvent(event)
        self.viewport().update()

    def dropEvent(self, event: QDropEvent) -> None:
        own, target = self.currentIndex().row(), self._target(event.position().toPoint())
        place = target - 1 if own < target else target
        if place != own and own >= 0:
            self.moved.emit(self.current_id(), place)
        event.setDropAction(Qt.DropAction.IgnoreAction)  # the rows come anew from the database
        event.accept()
        self._line_at = None
        self.viewport().update()

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        if self._line_at is None or not self.fields.rowCount():
            return
        last = self._line_at >= self.fields.rowCount()
        rect = self.visualRect(self.fields.index(min(self._line_at, self.fields.rowCount() - 1), 0))
        y = max(rect.bottom() if last else rect.top(), 2)
        painter = painting.smooth(self.viewport())
        painter.setPen(QPen(theme.qcolor(theme.current().color.accent), 2))
        painter.drawLine(theme.space(4), y, self.viewport().width() - theme.space(4), y)
        painter.end()
