"""The filter chips above the list, each with the count it would leave; longer choices open as a menu."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import labels
from fieldcrm.ui.widgets import Button, Chip, FlowLayout, plain
from fieldcrm.usecases.outlets import Facets, Filters, Near
from fieldcrm.words import number, tr

Choice = tuple[Any, str, int]  # value, words, count
BANNERS_SHOWN = 24


class ChoiceChip(Chip):
    """A chip that opens a menu of choices with their counts; ticked as long as any is chosen."""

    chosen = Signal()

    def __init__(self, title: str, icon: str) -> None:
        super().__init__(title, icon=icon)
        self._title = title
        self._choices: list[Choice] = []
        self.values: frozenset[Any] = frozenset()
        self.setAccessibleName(title)
        self.clicked.connect(self.open_menu)

    def set_choices(self, choices: Iterable[Choice]) -> None:
        self._choices = list(choices)
        self._say()

    def set_values(self, values: frozenset[Any]) -> None:
        self.values = values
        self._say()

    def menu(self) -> QMenu:
        """The choices as a menu; made anew each time, for the counts change."""
        menu = QMenu(self)
        for value, words, count in self._choices:
            action = QAction(f"{words}\t{number(count)}", menu)
            action.setCheckable(True)
            action.setChecked(value in self.values)
            action.triggered.connect(lambda _=False, value=value: self._toggle(value))
            menu.addAction(action)
        if self.values:
            menu.addSeparator()
            menu.addAction(tr("All of them"), lambda: self._take(frozenset()))
        return menu

    def open_menu(self) -> None:
        self.setChecked(bool(self.values))
        self.menu().popup(self.mapToGlobal(QPoint(0, self.height() + 4)))

    def _toggle(self, value: Any) -> None:
        self._take(self.values ^ {value})

    def _take(self, values: frozenset[Any]) -> None:
        self.set_values(values)
        self.chosen.emit()

    def _say(self) -> None:
        names = [words for value, words, _ in self._choices if value in self.values]
        text = self._title
        if names:
            text = names[0] if len(names) == 1 else tr("{name} +{n}", name=names[0], n=number(len(names) - 1))
        elif self.values:
            text = tr("{name} +{n}", name=self._title, n=number(len(self.values)))
        self.setText(text)
        self.setChecked(bool(self.values))
        self.setToolTip(plain(", ".join(names)))
        self.updateGeometry()
        self.update()


class FilterBar(QWidget):
    """``changed`` when the person changes a filter; ``filters(midnight)`` says which are on."""

    changed = Signal()

    def __init__(self, where: Callable[[], Near | None]) -> None:
        super().__init__()
        self._where = where
        self._flow = FlowLayout(self, 2)
        self.overdue = self._chip(tr("Overdue"), "alarm-clock")
        self.near = self._chip(tr("Near me"), "navigation")
        self.segments = {letter: self._chip(labels.segment(letter), "") for letter in ("a", "b", "c")}
        self.types = self._choice(tr("Type"), "store")
        self.banners = self._choice(tr("Banner"), "tag")
        self.sectors = self._choice(tr("Sector"), "map")
        self.states = self._choice(tr("State"), "circle-dashed")
        self.unmapped = self._chip(tr("Not mapped"), "map-pin-off")
        self.clear_button = Button(tr("Clear filters"), "ghost", "x", self.clear)
        self._flow.addWidget(self.clear_button)
        self.clear_button.hide()
        self.sectors.hide()

    def _chip(self, words: str, icon: str) -> Chip:
        chip = Chip(words, icon=icon)
        chip.setAccessibleName(words)
        chip.clicked.connect(self._changed)
        self._flow.addWidget(chip)
        return chip

    def _choice(self, words: str, icon: str) -> ChoiceChip:
        chip = ChoiceChip(words, icon)
        chip.chosen.connect(self._changed)
        self._flow.addWidget(chip)
        return chip

    def _changed(self) -> None:
        self.clear_button.setVisible(self.active())
        self.changed.emit()

    def active(self) -> bool:
        chips = (self.overdue, self.near, self.unmapped, *self.segments.values())
        menus = (self.types, self.banners, self.sectors, self.states)
        return any(chip.isChecked() for chip in chips) or any(menu.values for menu in menus)

    def clear(self) -> None:
        for chip in (self.overdue, self.near, self.unmapped, *self.segments.values()):
            chip.setChecked(False)
        for menu in (self.types, self.banners, self.sectors, self.states):
            menu.set_values(frozenset())
        self._changed()

    def filters(self, midnight: datetime) -> Filters:
        chosen = Filters(
            midnight,
            overdue=self.overdue.isChecked(),
            unmapped=self.unmapped.isChecked(),
            segments=frozenset(letter for letter, chip in self.segments.items() if chip.isChecked()),
            store_types=self.types.values,
            sectors=self.sectors.values,
            banners=self.banners.values,
            near=self._where() if self.near.isChecked() else None,
        )
        return replace(chosen, states=self.states.values) if self.states.values else chosen

    def set_facets(self, facets: Facets) -> None:
        """Show the counts of the list as it is now."""
        self.overdue.set_count(number(facets.overdue))
        self.unmapped.set_count(number(facets.unmapped))
        self.unmapped.setVisible(facets.unmapped > 0 or self.unmapped.isChecked())
        segments = dict(facets.segments)
        for letter, chip in self.segments.items():
            chip.set_count(number(segments.get(letter, 0)))
            chip.setVisible(letter in segments or chip.isChecked())
        self.types.set_choices((code, labels.store_type(code), n) for code, n in facets.store_types)
        self.states.set_choices((code, labels.outlet_state(code), n) for code, n in facets.states)
        self.banners.set_choices((name, name, n) for name, n in facets.banners[:BANNERS_SHOWN])
        self.banners.setVisible(bool(facets.banners) or bool(self.banners.values))
        sectors: list[tuple[Id, str, int]] = list(facets.sectors)
        self.sectors.set_choices(sectors)
        self.sectors.setVisible(len(sectors) > 1 or bool(self.sectors.values))

    def remember(self) -> dict[str, Any]:
        """The filters as a small JSON value, to be found again at the next start."""
        return {
            "overdue": self.overdue.isChecked(),
            "segments": sorted(letter for letter, chip in self.segments.items() if chip.isChecked()),
            "types": sorted(self.types.values),
            "banners": sorted(self.banners.values),
        }

    def restore(self, kept: dict[str, Any]) -> None:
        self.overdue.setChecked(bool(kept.get("overdue")))
        for letter, chip in self.segments.items():
            chip.setChecked(letter in kept.get("segments", ()))
        self.types.set_values(frozenset(kept.get("types", ())))
        self.banners.set_values(frozenset(kept.get("banners", ())))
        self.clear_button.setVisible(self.active())
