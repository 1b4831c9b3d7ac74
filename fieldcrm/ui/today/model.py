"""The list of the day as a model: stops to do, what is done, and who was left out, under headings."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import QAbstractListModel, QModelIndex, QObject, QPersistentModelIndex, Qt

from fieldcrm.domain.ids import Id
from fieldcrm.ui import reasons
from fieldcrm.ui.widgets import ROW_ROLE
from fieldcrm.usecases.today import LeftOutRow, StopState, Today, TodayRow
from fieldcrm.words import number, tr

Index = QModelIndex | QPersistentModelIndex

LEFT_OUT = "left_out"


@dataclass(frozen=True, slots=True)
class Heading:
    """``key`` LEFT_OUT can be folded."""

    key: str
    text: str
    folded: bool | None = None


Item = TodayRow | LeftOutRow | Heading


class DayModel(QAbstractListModel):
    """``row(at)`` is a TodayRow, a LeftOutRow or a Heading; only stops still to do can be dragged."""

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._items: list[Item] = []
        self._today: Today | None = None
        self.folded = True

    def set_today(self, today: Today) -> None:
        self._today = today
        self._remake()

    def fold(self, folded: bool) -> None:
        self.folded = folded
        self._remake()

    def _remake(self) -> None:
        self.beginResetModel()
        self._items = self._made(self._today) if self._today else []
        self.endResetModel()

    def _made(self, today: Today) -> list[Item]:
        todo = [row for row in today.rows if row.open]
        past = [row for row in today.rows if not row.open]
        items: list[Item] = list(todo)
        if past:
            items += [Heading("past", tr("Done and skipped")), *past]
        if today.left_out:
            text = tr("Left out, and why ({n})", n=number(len(today.left_out)))
            items.append(Heading(LEFT_OUT, text, self.folded))
            items += [] if self.folded else today.left_out
        return items

    def row(self, at: int) -> Item | None:
        return self._items[at] if 0 <= at < len(self._items) else None

    def index_of(self, outlet_id: Id) -> QModelIndex:
        for at, item in enumerate(self._items):
            if not isinstance(item, Heading) and item.outlet_id == outlet_id:
                return self.index(at, 0)
        return QModelIndex()

    @property
    def open_count(self) -> int:
        return sum(isinstance(item, TodayRow) and item.open for item in self._items)

    # ---- Qt

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._items)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        item = self.row(index.row()) if index.isValid() else None
        if item is None:
            return None
        if role == ROW_ROLE:
            return item
        if role == Qt.ItemDataRole.DisplayRole:
            return item.text if isinstance(item, Heading) else item.name
        if role == Qt.ItemDataRole.AccessibleTextRole:
            return described(item)
        return None

    def flags(self, index: Index) -> Qt.ItemFlag:
        item = self.row(index.row()) if index.isValid() else None
        if item is None:
            return Qt.ItemFlag.ItemIsDropEnabled
        flags = Qt.ItemFlag.ItemIsEnabled | Qt.ItemFlag.ItemIsSelectable
        if isinstance(item, Heading) and item.folded is None:
            return Qt.ItemFlag.ItemIsEnabled
        if isinstance(item, TodayRow) and item.open and item.stop_id is not None:
            flags |= Qt.ItemFlag.ItemIsDragEnabled
        return flags

    def supportedDropActions(self) -> Qt.DropAction:
        return Qt.DropAction.MoveAction


def state_words(state: StopState) -> str:
    return {
        StopState.NEXT: tr("Next"),
        StopState.STARTED: tr("In progress"),
        StopState.PLANNED: tr("Planned"),
        StopState.DONE: tr("Done"),
        StopState.SKIPPED: tr("Skipped"),
    }[state]


def described(item: Item) -> str:
    """What a screen reader says of a line."""
    if isinstance(item, Heading):
        return item.text
    if isinstance(item, LeftOutRow):
        return f"{item.name}, {reasons.left_out(item.reason, item.params)}"
    parts = [reasons.clock(item.arrive), item.name, state_words(item.state), reasons.reasons(item.reasons)]
    return ", ".join(part for part in parts if part)


