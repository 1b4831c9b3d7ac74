"""Lists and tables over one model: all ids first, rows by page; two-line rows; cells with badges."""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from PySide6.QtCore import QAbstractTableModel, QModelIndex, QPersistentModelIndex, Qt, Signal

from fieldcrm.ui.widgets.text import plain

Row = TypeVar("Row")
Index = QModelIndex | QPersistentModelIndex

ROW_ROLE = int(Qt.ItemDataRole.UserRole)
ID_ROLE = ROW_ROLE + 1
PAGE = 100
PAGES_KEPT = 30


@dataclass(frozen=True)
class Column(Generic[Row]):
    """A column: how to say a row's value, and how to draw it."""

    key: str
    title: str
    text: Callable[[Row], str]
    width: int = 140  # pixels at 100 %
    right: bool = False
    sortable: bool = True
    badge: Callable[[Row], str] | None = None  # the tone; the text becomes a badge
    tone: Callable[[Row], str] | None = None  # "muted", "faint", "danger_text" …, a colour token
    strong: bool = False
    figures: bool = False


class PageModel(QAbstractTableModel, Generic[Row]):
    """``fetch(ids)`` gives the rows of some ids in any order, with ``identify(row)``; pages are read when shown.

    ``sort_requested(key, descending)`` asks the screen for a new order of ids: sorting is done in SQL.
    """

    sort_requested = Signal(str, bool)

    def __init__(
        self,
        columns: Sequence[Column[Row]],
        fetch: Callable[[Sequence[Any]], Sequence[Row]],
        identify: Callable[[Row], Hashable] = lambda row: row.id,  # type: ignore[attr-defined]
        parent: Any = None,
    ) -> None:
        super().__init__(parent)
        self.columns = list(columns)
        self._fetch, self._identify = fetch, identify
        self._ids: Any = []  # a list, or an array of numbers: half a million of them are two megabytes
        self._at: dict[Any, int] | None = None
        self._pages: OrderedDict[int, list[Row | None]] = OrderedDict()

    # what a screen uses

    def set_ids(self, ids: Sequence[Any] | Any) -> None:
        """Show these ids, in this order: a sequence, or an array of numpy, which is kept as it is."""
        self.beginResetModel()
        self._take(ids)
        self._pages.clear()
        self.endResetModel()

    def go_on_with(self, ids: Sequence[Any] | Any) -> None:
        """All the ids, of which the first are shown already: what is shown stays as it is, the others are added."""
        shown = len(self._ids)
        if len(ids) < shown or list(ids[:shown]) != list(self._ids):
            self.set_ids(ids)
            return
        if len(ids) == shown:
            return
        self.beginInsertRows(QModelIndex(), shown, len(ids) - 1)
        self._take(ids)
        self._pages.pop(shown // PAGE, None)  # it was not full
        self.endInsertRows()

    def _take(self, ids: Any) -> None:
        self._ids = ids if hasattr(ids, "tolist") else list(ids)
        self._at = None

    def ids(self) -> list[Any]:
        return list(self._listed(0, len(self._ids)))

    def _listed(self, start: int, end: int) -> list[Any]:
        part = self._ids[start:end]
        found: list[Any] = part if isinstance(part, list) else part.tolist()
        return found

    def id_at(self, row: int) -> Any:
        return self._listed(row, row + 1)[0] if 0 <= row < len(self._ids) else None

    def row_of(self, id: Any) -> int:
        """The line an id is on, or -1."""
        if not isinstance(self._ids, list):
            lines = (self._ids == id).nonzero()[0]
            return int(lines[0]) if len(lines) else -1
        if self._at is None:
            self._at = {one: line for line, one in enumerate(self._ids)}
        return self._at.get(id, -1)

    def row(self, at: int) -> Row | None:
        """The row at a line; ``None`` when it is gone from the database since the ids were read."""
        if not 0 <= at < len(self._ids):
            return None
        page = at // PAGE
        rows = self._pages.get(page)
        if rows is None:
            rows = self._pages[page] = self._read(page)
            while len(self._pages) > PAGES_KEPT:
                self._pages.popitem(last=False)
        else:
            self._pages.move_to_end(page)
        return rows[at % PAGE]

    def forget_rows(self, ids: Sequence[Any] | None = None) -> None:
        """Read these rows (or all) again when they are next shown: their content changed, not their order."""
        if ids is None:
            self._pages.clear()
        else:
            for id in ids:
                self._pages.pop(self.row_of(id) // PAGE, None)
        if len(self._ids):
            self.dataChanged.emit(self.index(0, 0), self.index(len(self._ids) - 1, len(self.columns) - 1))

    def _read(self, page: int) -> list[Row | None]:
        ids = self._listed(page * PAGE, (page + 1) * PAGE)
        found = {self._identify(row): row for row in self._fetch(ids)}
        return [found.get(id) for id in ids]

    # what Qt asks

    def rowCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self._ids)

    def columnCount(self, parent: Index = QModelIndex()) -> int:  # noqa: B008
        return 0 if parent.isValid() else len(self.columns)

    def data(self, index: Index, role: int = Qt.ItemDataRole.DisplayRole) -> Any:
        if not index.isValid():
            return None
        if role == ID_ROLE:
            return self.id_at(index.row())
        role_of = Qt.ItemDataRole
        wanted = (role_of.DisplayRole, role_of.AccessibleTextRole, role_of.ToolTipRole, ROW_ROLE)
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self.columns[index.column()].right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        if role not in wanted:
            return None
        row = self.row(index.row())
        if role == ROW_ROLE or row is None:
            return row
        text = self.columns[index.column()].text(row)
        return plain(text) if role == role_of.ToolTipRole else text

    def headerData(
        self, section: int, orientation: Qt.Orientation, role: int = Qt.ItemDataRole.DisplayRole
    ) -> Any:
        if orientation != Qt.Orientation.Horizontal or not 0 <= section < len(self.columns):
            return None
        if role == Qt.ItemDataRole.DisplayRole:
            return self.columns[section].title
        if role == Qt.ItemDataRole.TextAlignmentRole:
            side = Qt.AlignmentFlag.AlignRight if self.columns[section].right else Qt.AlignmentFlag.AlignLeft
            return side | Qt.AlignmentFlag.AlignVCenter
        return None

    def sort(self, column: int, order: Qt.SortOrder = Qt.SortOrder.AscendingOrder) -> None:
        if 0 <= column < len(self.columns) and self.columns[column].sortable:
            self.sort_requested.emit(self.columns[column].key, order == Qt.SortOrder.DescendingOrder)
