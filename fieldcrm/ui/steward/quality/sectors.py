"""The figures of each sector: how complete and how fresh its outlets are, and of how many that is said."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QGridLayout, QVBoxLayout, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.widgets import Card, ElidedText, ScrollPage, ShareBar, Text, clear_layout
from fieldcrm.usecases.outlet_quality import Rules, SectorQuality
from fieldcrm.words import number, percent, tr, trn


def bar_tone(share: float) -> str:
    return "success" if share >= 0.8 else "warning" if share >= 0.5 else "danger"


class Meter(QWidget):
    """A share as a bar, its value beside its name, and below what was counted."""

    def __init__(self) -> None:
        super().__init__()
        grid = QGridLayout(self)
        grid.setContentsMargins(0, 0, 0, 0)
        grid.setHorizontalSpacing(theme.space(2))
        grid.setVerticalSpacing(theme.space(1))
        self._name, self._value = Text("", "caption", "muted"), Text("", "caption-strong")
        self._bar = ShareBar(6)
        self._counted = Text("", "caption", "faint", wrap=True)
        grid.addWidget(self._name, 0, 0)
        grid.addWidget(self._value, 0, 1, Qt.AlignmentFlag.AlignRight)
        grid.addWidget(self._bar, 1, 0, 1, 2)
        grid.addWidget(self._counted, 2, 0, 1, 2)
        grid.setColumnStretch(0, 1)

    def show_share(self, name: str, value: str, share: float | None, counted: str) -> None:
        self._name.setText(name)
        self._value.setText(value)
        self._counted.setText(counted)
        part = share or 0.0
        self._bar.set([(part, bar_tone(part)), (1 - part, theme.current().color.pressed)], f"{name}: {value}")


class Figures(QWidget):
    """Completeness and freshness of one sector, or of all together."""

    def __init__(self) -> None:
        super().__init__()
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space(3))
        self.complete, self.fresh = Meter(), Meter()
        column.addWidget(self.complete)
        column.addWidget(self.fresh)

    def show_figures(self, sectors: Sequence[SectorQuality], rules: Rules) -> None:
        judged = sum(one.judged for one in sectors)
        outlets = sum(one.outlets for one in sectors)
        weighted = sum((one.completeness or 0.0) * one.judged for one in sectors)
        mean = weighted / judged / 100 if judged else None
        fresh = sum(one.fresh for one in sectors)
        share = fresh / judged if judged else None
        of = tr("mean of {n} of {all} outlets", n=number(judged), all=number(outlets))
        self.complete.show_share(tr("Completeness"), "–" if mean is None else percent(mean), mean, of)
        counted = tr("{n} of {all} confirmed in {days} days", n=number(fresh), all=number(judged),
                     days=number(rules.confirm_days))
        self.fresh.show_share(tr("Freshness"), "–" if share is None else percent(share), share, counted)


class SectorsView(ScrollPage):
    """A card for each sector; a click shows its findings alone."""

    def __init__(self, choose: Callable[[Id], None]) -> None:
        super().__init__(margin=0, spacing=3)
        self._choose = choose
        self._note = Text("", "body", "muted", wrap=True)
        self.body.addWidget(self._note)
        self._cards = QWidget()
        self._grid = QGridLayout(self._cards)
        self._grid.setContentsMargins(0, 0, 0, 0)
        self._grid.setSpacing(theme.space(3))
        self.body.addWidget(self._cards)
        self.body.addStretch(1)

    def show_sectors(self, sectors: Sequence[SectorQuality], rules: Rules) -> None:
        clear_layout(self._grid)
        self._note.setText(
            tr("Counted are outlets that are active or prospects, merged ones once. Completeness weighs the fields: "
               "position 20, phone 15, name, type, street, hours and SIRET 10 each, postcode, town and segment 5.")
        )
        for at, sector in enumerate(sectors):
            self._grid.addWidget(self._card(sector, rules), at // 2, at % 2)
        self._grid.setColumnStretch(0, 1)
        self._grid.setColumnStretch(1, 1)

    def _card(self, sector: SectorQuality, rules: Rules) -> Card:
        card = Card(padding=4, spacing=2.5, clickable=True)
        card.setAccessibleName(sector.name)
        card.clicked.connect(lambda: self._choose(sector.sector_id))
        card.add(ElidedText(sector.name, "body-strong"))
        figures = Figures()
        figures.show_figures([sector], rules)
        card.add(figures)
        said = trn("{n} outlet has something to mend", "{n} outlets have something to mend", sector.flawed)
        card.add(Text(said, "caption", "muted", wrap=True))
        return card
