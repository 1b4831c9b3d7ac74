"""What was imported: who, when, from which file and source, with what result; and the way back."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHeaderView, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.widgets import Button, Column, PageModel, PageTable, Text, column, row
from fieldcrm.usecases.importing import Batch
from fieldcrm.words import day_time, number, tr, trc, trn

NARROW = 860
GIVES_WAY = ("licence", "who", "kept")  # in a narrow place


class HistoryView(QWidget):
    """``undo_asked(batch)``, ``proposals_asked(batch)``; the row in front is explained below the table."""

    undo_asked = Signal(object)
    proposals_asked = Signal(object)

    def __init__(self, *, server: bool) -> None:
        super().__init__()
        self._server = server
        self._batches: dict[Id, Batch] = {}
        lines = column(3)
        self.setLayout(lines)
        self._model: PageModel[Batch] = PageModel(
            _columns(server), lambda ids: [self._batches[id] for id in ids if id in self._batches], parent=self)
        self.table = PageTable(self._model, tr("Imports"))
        self.table.setSelectionMode(PageTable.SelectionMode.SingleSelection)
        self.table.setSortingEnabled(False)
        self.table.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        header = self.table.horizontalHeader()
        header.setSectionsMovable(False)
        header.setStretchLastSection(False)
        for at, one in enumerate(self._model.columns):
            stretches = one.key in ("file", "source")
            header.setSectionResizeMode(
                at, QHeaderView.ResizeMode.Stretch if stretches else QHeaderView.ResizeMode.Fixed)
        self.table.current_changed.connect(lambda _: self._tell())
        lines.addWidget(self.table, 1)
        foot = row(2)
        self._words = Text("", "body", "muted", wrap=True)
        foot.addWidget(self._words, 1)
        self.proposals_button = Button(tr("See its updates"), "secondary", "git-compare", self._ask_proposals)
        self.undo_button = Button(tr("Undo this import…"), "secondary", "undo-2", self.ask_undo)
        foot.addWidget(self.proposals_button)
        foot.addWidget(self.undo_button)
        lines.addLayout(foot)

    def show_batches(self, batches: Sequence[Batch]) -> None:
        self._batches = {batch.id: batch for batch in batches}
        self.table.set_ids([batch.id for batch in batches])
        if self.table.current_id() is None and batches:
            self.table.selectRow(0)
        self._tell()

    @property
    def current(self) -> Batch | None:
        return self._batches.get(self.table.current_id())

    def _tell(self) -> None:
        batch = self.current
        self.undo_button.setVisible(batch is not None and batch.state == "live")
        self.proposals_button.setVisible(batch is not None and batch.proposals_open > 0)
        self._words.setText("" if batch is None else described(batch, server=self._server))

    def ask_undo(self) -> None:
        batch = self.current
        if batch is not None and batch.state == "live":
            self.undo_asked.emit(batch)

    def _ask_proposals(self) -> None:
        if self.current is not None:
            self.proposals_asked.emit(self.current)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < theme.pixels(NARROW)
        for at, one in enumerate(self._model.columns):
            self.table.setColumnHidden(at, narrow and one.key in GIVES_WAY)


def described(batch: Batch, *, server: bool) -> str:
    """The row in front in a sentence or two."""
    parts = []
    if batch.state == "undone":
        when = day_time(batch.undone_at) if batch.undone_at else ""
        parts.append(tr("Undone {when}.", when=when))
        if batch.kept:
            parts.append(trn("{n} outlet stayed: somebody had used it.", "{n} outlets stayed: somebody had used them.",
                             batch.kept))
    if batch.proposals_open:
        parts.append(trn("{n} update waits for a decision.", "{n} updates wait for a decision.", batch.proposals_open))
    if batch.unsent and server:
        parts.append(tr("Not all of it is at headquarters yet."))
    if batch.licence:
        parts.append(tr("Licence: {licence}.", licence=batch.licence))
    return " ".join(parts)


def state_of(batch: Batch, *, server: bool) -> tuple[str, str]:
    """The state in words, and its tone."""
    if batch.state == "undone":
        return tr("Undone"), "neutral"
    return (tr("On its way"), "warning") if batch.unsent and server else (tr("In use"), "success")


def _columns(server: bool) -> list[Column[Batch]]:
    return [
        Column("when", tr("When"), lambda batch: day_time(batch.begun_at), 132, figures=True),
        Column("source", tr("Source"), lambda batch: source_name(batch.source), 120, strong=True),
        Column("file", tr("File"), lambda batch: batch.file or "–", 200, tone=lambda _: "muted"),
        Column("who", tr("Who"), lambda batch: batch.person_name or "–", 150, tone=lambda _: "muted"),
        Column("added", trc("outlets", "Added"), lambda batch: number(batch.added), 90, right=True),
        Column("changed", tr("Updates"), lambda batch: number(batch.changed), 104, right=True),
        Column("refused", trc("rows", "Refused"), lambda batch: number(batch.refused), 92, right=True,
               tone=lambda batch: "warning_text" if batch.refused else "muted"),
        Column("state", tr("State"), lambda batch: state_of(batch, server=server)[0], 124,
               badge=lambda batch: state_of(batch, server=server)[1]),
    ]


def source_name(code: str) -> str:
    """The open bases by their name; any other source as a person named it."""
    return {"osm": "OpenStreetMap", "sirene": "SIRENE", "banco": "BANCO"}.get(code, code)
