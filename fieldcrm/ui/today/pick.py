"""Choose any store of the sector by typing: for a visit that was not planned."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import labels, theme
from fieldcrm.ui.widgets import Column, Dialog, PageModel, RowList, SearchField, Text, TwoLine, TwoLineDelegate
from fieldcrm.usecases.outlets import OutletRow
from fieldcrm.words import tr

START, ADD = 1, 2

Find = Callable[[str], list[int]]
Rows = Callable[[Sequence[int]], list[OutletRow]]


class PickStore(Dialog):
    """``exec`` answers START or ADD, or 0; ``chosen`` is then the outlet. The list changes as one types."""

    def __init__(self, parent: QWidget | None, find: Find, rows: Rows) -> None:
        super().__init__(parent, tr("Which store?"), tr("Any store of your sector, planned or not."), width=520)
        self._find = find
        self.chosen: Id | None = None
        self.search = SearchField(tr("Search by name, banner, street, town or postcode"), tr("Search stores"))
        self.search.searched.connect(self._searched)
        self.search.installEventFilter(self)
        name: Column[OutletRow] = Column("name", "", lambda row: row.name)
        self.model: PageModel[OutletRow] = PageModel([name], rows, lambda row: row.rid, self)
        self.list = RowList(self.model, TwoLineDelegate(_line), tr("Stores found"))
        self.list.setMinimumHeight(theme.pixels(280))
        self.list.opened.connect(lambda _: self._answer(START))
        self.none = Text(tr("No store fits what you typed."), "body", "muted")
        self.none.setAlignment(Qt.AlignmentFlag.AlignCenter)
        self.body.addWidget(self.search)
        self.body.addWidget(self.list)
        self.body.addWidget(self.none)
        self.add_button(tr("Cancel"), "secondary", 0)
        for text, kind, answer in ((tr("Add to the day"), "secondary", ADD), (tr("Start visit"), "primary", START)):
            button = self.add_button(text, kind, 0)
            button.clicked.disconnect()
            button.clicked.connect(lambda _=False, answer=answer: self._answer(answer))
        self._searched("")
        self.search.setFocus()

    def _searched(self, query: str) -> None:
        found = self._find(query)
        self.list.set_ids(found)
        self.list.setVisible(bool(found))
        self.none.setVisible(not found)
        if found and self.list.current_id() is None:
            self.list.select_id(found[0])

    def _answer(self, answer: int) -> None:
        row = self.model.row(self.list.currentIndex().row())
        if row is not None:
            self.chosen = row.id
            self.done(answer)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.search and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            at = self.list.currentIndex().row()
            step = {Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1}.get(Qt.Key(event.key()))
            if step is not None:
                ids = self.model.ids()
                if ids:
                    self.list.select_id(ids[max(0, min(len(ids) - 1, at + step))])
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._answer(START)
                return True
        return super().eventFilter(watched, event)


def _line(row: OutletRow) -> TwoLine:
    return TwoLine(title=row.name, subtitle=row.address, icon="store", trailing_note=labels.store_type(row.store_type))
