"""The views over a PageModel: a table with quiet rows, and a list of two-line rows."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, ClassVar

from PySide6.QtCore import QEvent, QMetaMethod, QModelIndex, Qt, Signal
from PySide6.QtGui import QKeyEvent, QMouseEvent
from PySide6.QtWidgets import QAbstractItemView, QHeaderView, QListView, QTableView

from fieldcrm.ui import theme
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.widgets.lists import ID_ROLE, PageModel
from fieldcrm.ui.widgets.rows import CellDelegate, TwoLineDelegate

if TYPE_CHECKING:
    _View = QAbstractItemView
else:
    _View = object  # Qt allows one of its own classes among the bases


class _ById(_View):
    """What both views do: rows are spoken of by id, wherever they stand."""

    opened: ClassVar[Signal]
    current_changed: ClassVar[Signal]
    _pages: PageModel[Any]

    def _watch(self) -> None:
        """To be called once the model is set."""
        self.doubleClicked.connect(self._open)
        self.selectionModel().currentRowChanged.connect(self._moved)

    def current_id(self) -> Any:
        return self.currentIndex().data(ID_ROLE)

    def select_id(self, id: Any) -> bool:
        """Make the row of ``id`` the current one, in sight; ``False`` when it is not there."""
        at = self._pages.row_of(id)
        if at < 0:
            return False
        self._go_to(at)
        self.scrollTo(self.currentIndex())
        return True

    def _go_to(self, at: int) -> None:
        self.setCurrentIndex(self._pages.index(at, 0))

    def set_ids(self, ids: Any) -> None:
        """New ids, a list or an array; the current row stays with its id when it is still there."""
        kept = self.current_id()
        self._pages.set_ids(ids)
        if kept is not None:
            self.select_id(kept)

    def _open(self, index: QModelIndex) -> None:
        if index.isValid():
            self.opened.emit(index.data(ID_ROLE))

    def _moved(self, now: QModelIndex, before: QModelIndex) -> None:
        if now.isValid():
            self.current_changed.emit(now.data(ID_ROLE))

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and not event.modifiers():
            if self.isSignalConnected(QMetaMethod.fromSignal(self.opened)):
                self._open(self.currentIndex())
            else:  # nothing opens here: Enter means what it means around the list
                event.ignore()
            return
        super().keyPressEvent(event)


class PageTable(_ById, QTableView):
    """``opened(id)`` on Enter or double click, ``current_changed(id)`` as the person moves; selection kept by id."""

    opened = Signal(object)
    current_changed = Signal(object)

    def __init__(self, model: PageModel[Any], name: str, *, preferences: Preferences | None = None) -> None:
        super().__init__()
        self._pages = model
        self._name, self._preferences = name, preferences
        self.setAccessibleName(name)
        self._cells = CellDelegate(self)
        self.setItemDelegate(self._cells)
        self.setModel(model)
        self.setSelectionBehavior(QAbstractItemView.SelectionBehavior.SelectRows)
        self.setSelectionMode(QAbstractItemView.SelectionMode.ExtendedSelection)
        self.setShowGrid(False)
        self.setWordWrap(False)
        self.setMouseTracking(True)
        self.setTabKeyNavigation(False)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setCornerButtonEnabled(False)
        self._dress_headers()
        self._watch()

    def _dress_headers(self) -> None:
        lines = self.verticalHeader()
        lines.hide()
        lines.setSectionResizeMode(QHeaderView.ResizeMode.Fixed)
        lines.setDefaultSectionSize(theme.pixels(44))
        header = self.horizontalHeader()
        header.setHighlightSections(False)
        header.setSortIndicatorShown(False)
        header.setStretchLastSection(True)
        header.setSectionsMovable(True)
        header.setFixedHeight(theme.pixels(38))
        for i, column in enumerate(self._pages.columns):
            self.setColumnWidth(i, theme.pixels(column.width))
        self.setSortingEnabled(True)
        header.setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        if self._preferences is not None:
            header.restoreState(self._preferences.state(f"table/{self._name}"))
            header.sectionResized.connect(lambda *_: self._keep())
            header.sectionMoved.connect(lambda *_: self._keep())

    def _keep(self) -> None:
        if self._preferences is not None:
            self._preferences.set_state(f"table/{self._name}", self.horizontalHeader().saveState())

    def _go_to(self, at: int) -> None:
        self.selectRow(at)  # whatever key is held down just now

    def selected_ids(self) -> list[Any]:
        return [index.data(ID_ROLE) for index in self.selectionModel().selectedRows()]

    def mouseMoveEvent(self, event: QMouseEvent) -> None:
        self._hover(self.rowAt(event.pos().y()))
        super().mouseMoveEvent(event)

    def leaveEvent(self, event: QEvent) -> None:
        self._hover(-1)
        super().leaveEvent(event)

    def _hover(self, row: int) -> None:
        if row != self._cells.hovered_row:
            self._cells.hovered_row = row
            self.viewport().update()


class RowList(_ById, QListView):
    """A list of two-line rows. ``opened(id)`` on Enter or double click, ``current_changed(id)`` on moving."""

    opened = Signal(object)
    current_changed = Signal(object)

    def __init__(self, model: PageModel[Any], delegate: TwoLineDelegate, name: str) -> None:
        super().__init__()
        self._pages = model
        self.setAccessibleName(name)
        delegate.setParent(self)
        self.setItemDelegate(delegate)
        self.setModel(model)
        self.setMouseTracking(True)
        self.setUniformItemSizes(True)
        self.setVerticalScrollMode(QAbstractItemView.ScrollMode.ScrollPerPixel)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self._watch()
