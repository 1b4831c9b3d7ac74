"""One row for each rep of the period: planned and done, visits, time in store, reports, returned, out of stock."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHeaderView

from fieldcrm.ui import report_words, theme
from fieldcrm.ui.widgets.lists import Column, PageModel
from fieldcrm.ui.widgets.page_table import PageTable
from fieldcrm.usecases.figures import RepCounts
from fieldcrm.words import duration, number, tr


class RepTable(PageTable):
    """As high as its rows."""

    def __init__(self) -> None:
        self._by_id: dict[object, RepCounts] = {}
        model: PageModel[RepCounts] = PageModel(
            _columns(), lambda ids: [self._by_id[id] for id in ids], lambda row: row.person_id)
        super().__init__(model, tr("By rep"))
        model.setParent(self)
        self.setSortingEnabled(False)
        self.setSelectionMode(PageTable.SelectionMode.SingleSelection)
        self.setVerticalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        self.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        for at in range(len(model.columns)):
            stretches = at == 0
            header.setSectionResizeMode(
                at, QHeaderView.ResizeMode.Stretch if stretches else QHeaderView.ResizeMode.Fixed)

    def show_reps(self, reps: Sequence[RepCounts]) -> None:
        self._by_id = {rep.person_id: rep for rep in reps}
        self.set_ids(list(self._by_id))
        row = self.verticalHeader().defaultSectionSize()
        self.setFixedHeight(row * len(self._by_id) + self.horizontalHeader().height() + theme.space(0.5))


def _columns() -> list[Column[RepCounts]]:
    return [
        Column("name", tr("Rep"), lambda row: row.name, 160, strong=True),
        Column("done", tr("Plan done"), _done, 104, right=True),
        Column("visits", tr("Visits"), lambda row: number(row.visits), 72, right=True),
        Column("stores", tr("Stores"), lambda row: number(row.stores), 84, right=True),
        Column("minutes", tr("Time per visit"), _minutes, 112, right=True),
        Column("returned", tr("Returned"), lambda row: number(row.returned), 92, right=True,
               tone=lambda row: "warning_text" if row.returned else "faint"),
        Column("oos", tr("Out of stock"), _oos, 104, right=True),
    ]


def _done(row: RepCounts) -> str:
    return tr("{part} of {all}", part=number(row.done), all=number(row.planned)) if row.planned else "–"


def _minutes(row: RepCounts) -> str:
    return duration(row.minutes) if row.minutes else "–"


def _oos(row: RepCounts) -> str:
    return report_words.share(row.oos_part / row.oos_whole) if row.oos_whole else "–"
