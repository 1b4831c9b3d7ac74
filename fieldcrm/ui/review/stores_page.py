"""What is behind a figure: its stores with their state, the report each comes from, and who reviewed it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHeaderView, QWidget

from fieldcrm.ui import report_words, theme
from fieldcrm.ui.widgets.fields import SegmentedControl
from fieldcrm.ui.widgets.layouts import column, row
from fieldcrm.ui.widgets.lists import Column, PageModel
from fieldcrm.ui.widgets.page_table import PageTable
from fieldcrm.ui.widgets.text import Text
from fieldcrm.usecases.figures import StoreBehind
from fieldcrm.words import day_time, money, number, tr, trn

NARROW = 900


@dataclass(frozen=True)
class Line:
    """A row of the table: a store, and its place in the list (a store may have several prices)."""

    at: int
    store: StoreBehind


class StoresView(QWidget):
    """``opened(row)`` when a store is to be looked into."""

    opened = Signal(object)

    def __init__(self) -> None:
        super().__init__()
        self._lines: dict[int, Line] = {}
        self._all: list[Line] = []
        page = column(3)
        page.setContentsMargins(theme.space(5), theme.space(2), theme.space(5), theme.space(4))
        self.setLayout(page)
        head = row(3)
        words = column(0.5)
        self._sentence = Text("", "heading", wrap=True)
        self._base = Text("", "caption", "muted", wrap=True)
        words.addWidget(self._sentence)
        words.addWidget(self._base)
        head.addLayout(words, 1)
        self.which = SegmentedControl([("all", tr("All")), ("seen", tr("Seen")), ("unseen", tr("Not seen"))],
                                      name=tr("Stores"))
        self.which.chosen.connect(lambda _: self._filter())
        head.addWidget(self.which)
        page.addLayout(head)
        self._model: PageModel[Line] = PageModel(
            _columns(), lambda ids: [self._lines[id] for id in ids], lambda line: line.at, self)
        self.table = PageTable(self._model, tr("Stores behind the figure"))
        self.table.setSortingEnabled(False)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.table.horizontalHeader()
        header.setStretchLastSection(False)
        header.setSectionsMovable(False)
        for at, one in enumerate(self._model.columns):
            stretches = one.key in ("store", "product", "review")
            header.setSectionResizeMode(
                at, QHeaderView.ResizeMode.Stretch if stretches else QHeaderView.ResizeMode.Fixed)
        self.table.opened.connect(lambda at: self.opened.emit(self._lines[at].store))
        page.addWidget(self.table, 1)

    def show_stores(self, sentence: str, base: str, stores: Sequence[StoreBehind]) -> None:
        self._sentence.setText(sentence)
        self._base.setText(base)
        self._base.setVisible(bool(base))
        self._all = [Line(at, store) for at, store in enumerate(stores)]
        self._lines = {line.at: line for line in self._all}
        self.which.setVisible(any(line.store.state == "unseen" for line in self._all))
        self._arrange()
        self._filter()

    def _filter(self) -> None:
        wanted = self.which.value() if self.which.isVisibleTo(self) else "all"
        self._model.set_ids([
            line.at for line in self._all
            if wanted == "all" or (line.store.state == "unseen") == (wanted == "unseen")
        ])
        if self._model.rowCount():
            self.table.selectRow(0)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def _arrange(self) -> None:
        """The town gives way first; the product and its prices take the place of what price alerts have alike."""
        priced = any(line.store.product for line in self._all)
        hidden = {"product": not priced, "state": priced, "city": priced or self.width() < theme.pixels(NARROW)}
        for at, one in enumerate(self._model.columns):
            self.table.setColumnHidden(at, hidden.get(one.key, False))

    def rows(self) -> list[StoreBehind]:
        return [self._lines[at].store for at in self._model.ids()]


def _columns() -> list[Column[Line]]:
    return [
        Column("store", tr("Store"), lambda line: line.store.name, 230, strong=True),
        Column("city", tr("Town"), lambda line: line.store.city, 130, tone=lambda line: "muted"),
        Column("product", tr("Product"), lambda line: line.store.product or "", 230),
        Column("state", tr("State"), lambda line: report_words.store_state(line.store.state)[0], 140,
               badge=lambda line: report_words.store_state(line.store.state)[1]),
        Column("count", tr("Count"), _count, 172, right=True),
        Column("when", tr("When"), lambda line: day_time(line.store.at, line.store.zone) if line.store.at else "–", 130,
               tone=lambda line: "muted"),
        Column("review", tr("Review"), _review, 200, tone=lambda line: "muted"),
    ]


def _count(line: Line) -> str:
    store = line.store
    if store.state == "price" and store.part is not None and store.whole is not None:
        return tr("{seen}, ref. {reference}", seen=money(round(store.part)), reference=money(round(store.whole)))
    if store.part is None:
        return ""
    if store.whole is None:
        return trn("{n} facing", "{n} facings", round(store.part))
    return tr("{part} of {all}", part=number(round(store.part)), all=number(round(store.whole)))


def _review(line: Line) -> str:
    store = line.store
    if store.reason or store.state == "skipped":
        return report_words.skip_reason(store.reason)
    if store.submission_id is None:
        return ""
    if store.decision is None:
        return tr("not reviewed yet")
    if store.decision == "approved":
        return tr("approved by {person}", person=store.reviewer or "–")
    return tr("returned by {person}", person=store.reviewer or "–")
