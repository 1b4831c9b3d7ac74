"""The head of the screen: its two sides, the period with presets or own days, the sectors, what is left out."""

from __future__ import annotations

from collections.abc import Sequence
from datetime import date

from PySide6.QtCore import QDate, Signal
from PySide6.QtWidgets import QComboBox, QDateEdit, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.domain.metrics import Period
from fieldcrm.ui import theme
from fieldcrm.ui.widgets.fields import SegmentedControl
from fieldcrm.ui.widgets.layouts import FlowLayout, column, row
from fieldcrm.ui.widgets.text import ElidedText, Text
from fieldcrm.usecases.figures import SectorName
from fieldcrm.usecases.periods import PRESETS, preset
from fieldcrm.words import date as say_date
from fieldcrm.words import tr

OWN = "own"


class FilterBar(QWidget):
    """``changed`` when the period or the sectors are; ``side_chosen(side)``: ``figures`` or ``reports``."""

    changed = Signal()
    side_chosen = Signal(str)

    def __init__(self) -> None:
        super().__init__()
        page = column(1.5)
        page.setContentsMargins(theme.space(5), theme.space(4), theme.space(5), theme.space(3))
        self.setLayout(page)
        head = row(3)
        head.addWidget(Text(tr("Team"), "title"))
        self.sides = SegmentedControl([("figures", tr("Figures")), ("reports", tr("Reports"))], name=tr("Show"))
        self.sides.chosen.connect(self.side_chosen)
        head.addWidget(self.sides)
        head.addStretch(1)
        self.sector = QComboBox()
        self.sector.setAccessibleName(tr("Sector"))
        self.sector.currentIndexChanged.connect(lambda _: self.changed.emit())
        self.span = QComboBox()
        self.span.setAccessibleName(tr("Period"))
        for code in (*PRESETS, OWN):
            self.span.addItem(_preset_name(code), code)
        self.span.setCurrentIndex(self.span.findData("last_4_weeks"))
        self.span.currentIndexChanged.connect(self._span_changed)
        head.addWidget(self.sector)
        head.addWidget(self.span)
        page.addLayout(head)
        self._days = self._make_days()
        page.addWidget(self._days)
        self._line = ElidedText("", "caption", "faint")
        page.addWidget(self._line)
        self._left_out, self._shown = "", ""
        self.set_sectors(())

    def _make_days(self) -> QWidget:
        holder = QWidget()
        flow = FlowLayout(holder, 2)
        self.first, self.last = QDateEdit(), QDateEdit()
        for edit, name in ((self.first, tr("From")), (self.last, tr("To"))):
            edit.setCalendarPopup(True)
            edit.setAccessibleName(name)
            edit.setDisplayFormat("dd/MM/yyyy")
            edit.dateChanged.connect(lambda _: self.changed.emit())
            flow.addWidget(Text(name, "body", "muted"))
            flow.addWidget(edit)
        holder.hide()
        return holder

    def show_side(self, side: str) -> None:
        self.sides.set_value(side)

    def choose(self, code: str) -> None:
        """Pick a preset, as if the person had."""
        self.span.setCurrentIndex(self.span.findData(code))

    def set_sectors(self, sectors: Sequence[SectorName]) -> None:
        kept = self.sector.currentData()
        self.sector.blockSignals(True)
        self.sector.clear()
        self.sector.addItem(tr("All sectors"), None)
        for sector in sectors:
            self.sector.addItem(f"{sector.code} · {sector.name}" if sector.code else sector.name, sector.id)
        at = next((i for i in range(self.sector.count()) if self.sector.itemData(i) == kept), 0)
        self.sector.setCurrentIndex(at)
        self.sector.setVisible(len(sectors) > 1)
        self.sector.blockSignals(False)

    def sectors(self) -> tuple[Id, ...]:
        chosen = self.sector.currentData()
        return () if chosen is None else (chosen,)

    def period(self, today: date) -> Period:
        """The period chosen; own days that are the wrong way round are turned."""
        code = self.span.currentData()
        if code == OWN:
            days = sorted((self.first.date().toPython(), self.last.date().toPython()), key=str)
            chosen = Period(*days)  # type: ignore[arg-type]
        else:
            chosen = preset(code, today)
            self._offer(chosen)
        self._shown = tr("{first} to {last}", first=say_date(chosen.first, "day"), last=say_date(chosen.last, "day"))
        self._say()
        return chosen

    def _offer(self, chosen: Period) -> None:
        """Own days begin with the period that was shown."""
        for edit, day in ((self.first, chosen.first), (self.last, chosen.last)):
            edit.blockSignals(True)
            edit.setDate(QDate(day.year, day.month, day.day))
            edit.blockSignals(False)

    def _span_changed(self) -> None:
        self._days.setVisible(self.span.currentData() == OWN)
        self.changed.emit()

    def say(self, left_out: str) -> None:
        """What the figures leave out, beside the days and where the records come from."""
        self._left_out = left_out
        self._say()

    def _say(self) -> None:
        parts = (self._shown, tr("showing what is on this device"), self._left_out)
        self._line.set_whole(" · ".join(part for part in parts if part))


def _preset_name(code: str) -> str:
    return {
        "today": tr("Today"), "this_week": tr("This week"), "last_week": tr("Last week"),
        "last_4_weeks": tr("Last 4 weeks"), "last_13_weeks": tr("Last 13 weeks"), "this_month": tr("This month"),
        "last_month": tr("Last month"), OWN: tr("Own dates…"),
    }[code]
