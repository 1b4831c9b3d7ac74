"""What the list of updates shows: by kind with counts, by sector, by import, and what somebody has confirmed."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QComboBox, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui.steward.imports.history import source_name
from fieldcrm.ui.steward.updates.words import ICONS, kind_name
from fieldcrm.ui.widgets import Chip, FlowLayout, SegmentedControl
from fieldcrm.usecases.importing import Batch
from fieldcrm.usecases.updates import KINDS
from fieldcrm.words import date, number, tr

STATES = {"open": ("open",), "decided": ("accepted", "refused")}


@dataclass(frozen=True)
class Shown:
    kind: str
    states: tuple[str, ...]
    sector: Id | None
    batch: Id | None
    written: bool


class UpdateFilters(QWidget):
    """``changed`` when the person chose otherwise. ``which`` (waiting or decided) is placed by the page."""

    changed = Signal()

    def __init__(self) -> None:
        super().__init__()
        self._batch: Id | None = None
        self.which = SegmentedControl([("open", tr("Waiting")), ("decided", tr("Decided"))], name=tr("Updates"))
        self.which.chosen.connect(lambda _: self.changed.emit())
        flow = FlowLayout(self, 2)
        self.kinds: dict[str, Chip] = {}
        for kind in KINDS:
            chip = self.kinds[kind] = Chip(kind_name(kind), icon=ICONS[kind])
            chip.clicked.connect(lambda _=False, kind=kind: self._choose(kind))
            flow.addWidget(chip)
        self.written = Chip(tr("Confirmed by a person"), icon="badge-check")
        self.written.toggled.connect(lambda _: self.changed.emit())
        flow.addWidget(self.written)
        self.sector, self.batch = QComboBox(), QComboBox()
        for combo in (self.sector, self.batch):
            combo.setSizeAdjustPolicy(QComboBox.SizeAdjustPolicy.AdjustToContents)
        self.sector.setAccessibleName(tr("Sector"))
        self.batch.setAccessibleName(tr("Import"))
        self.sector.activated.connect(lambda _: self.changed.emit())
        self.batch.activated.connect(lambda _: self._choose_batch())
        flow.addWidget(self.sector)
        flow.addWidget(self.batch)

    def shown(self) -> Shown:
        kind = next((kind for kind, chip in self.kinds.items() if chip.isChecked()), "")
        return Shown(kind, STATES[self.which.value()], self.sector.currentData(), self._batch, self.written.isChecked())

    @property
    def narrowed(self) -> bool:
        shown = self.shown()
        return bool(shown.kind or shown.sector or shown.batch or shown.written)

    def clear(self) -> None:
        for chip in (*self.kinds.values(), self.written):
            chip.blockSignals(True)
            chip.setChecked(False)
            chip.blockSignals(False)
            chip.update()
        self.sector.setCurrentIndex(0)
        self.batch.setCurrentIndex(0)
        self._batch = None
        self.changed.emit()

    def set_batch(self, batch: Id | None) -> None:
        """Only the updates of one import, without telling anybody."""
        self._batch = batch
        self.batch.setCurrentIndex(max(self.batch.findData(batch), 0))

    def _choose(self, kind: str) -> None:
        for other, chip in self.kinds.items():
            chip.setChecked(other == kind and chip.isChecked())
        self.changed.emit()

    def _choose_batch(self) -> None:
        self._batch = self.batch.currentData()
        self.changed.emit()

    def show_counts(self, counts: Mapping[str, int]) -> None:
        for kind, chip in self.kinds.items():
            chip.set_count(number(counts.get(kind, 0)))
            chip.setVisible(counts.get(kind, 0) > 0 or chip.isChecked())

    def show_choices(self, batches: Sequence[Batch], sectors: Sequence[Any]) -> None:
        """The sectors, and the imports that have updates; a choice of one is none."""
        places = [(tr("All sectors"), None), *((sector.name, sector.id) for sector in sectors)]
        of = [batch for batch in batches if batch.changed or batch.id == self._batch]
        imports = [(tr("All imports"), None), *(
            (f"{source_name(batch.source)} · {date(batch.begun_at.astimezone().date(), 'd')}", batch.id)
            for batch in of)]
        _fill(self.sector, places)
        _fill(self.batch, imports)
        self.batch.setCurrentIndex(max(self.batch.findData(self._batch), 0))


def _fill(combo: QComboBox, choices: Sequence[tuple[str, Any]]) -> None:
    if [combo.itemData(at) for at in range(combo.count())] == [value for _, value in choices]:
        return
    kept = combo.currentData()
    combo.clear()
    for words, value in choices:
        combo.addItem(words, value)
    combo.setCurrentIndex(max(combo.findData(kept), 0))
    combo.setVisible(len(choices) > 2)
