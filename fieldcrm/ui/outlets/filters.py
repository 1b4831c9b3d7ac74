"""The filter chips above the list, each with the count it would leave; longer choices open as a menu."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import replace
from datetime import datetime
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QAction
from PySide6.QtWidgets import QMenu, QWidget

from fieldcrm.domain.customfield import CustomField
from fieldcrm.domain.ids import Id
from fieldcrm.ui import labels
from fieldcrm.ui.outlets.more_filters import ActiveFilter, MorePanel, active
from fieldcrm.ui.widgets import Button, Chip, FlowLayout, plain
from fieldcrm.usecases.outlets import Facets, Filters, Near
from fieldcrm.words import language, number, tr

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
    """``changed`` when the person changes a filter; ``filters(midnight)`` says which are on.

    Those of every day stand in the bar; the others are in the panel behind "More filters", and each of them that is
    on has a chip in the bar, which takes it away.
    """

    changed = Signal()
    more_wanted = Signal()

    def __init__(self, where: Callable[[], Near | None], midnight: datetime) -> None:
        super().__init__()
        self._where = where
        self._extra = Filters(midnight)  # what the panel has set
        self._field_names: dict[str, str] = {}
        self._flow = FlowLayout(self, 2)
        self.overdue = self._chip(tr("Overdue"), "alarm-clock")
        self.near = self._chip(tr("Near me"), "navigation")
        self.segments = {letter: self._chip(labels.segment(letter), "") for letter in ("a", "b", "c")}
        self.types = self._choice(tr("Type"), "store")
        self.banners = self._choice(tr("Banner"), "tag")
        self.sectors = self._choice(tr("Sector"), "map")
        self.unmapped = self._chip(tr("Not mapped"), "map-pin-off")
        self.more_button = Chip(tr("More filters"), icon="sliders-horizontal")
        self.more_button.setAccessibleName(tr("More filters"))
        self.more_button.clicked.connect(self._ask_for_more)
        self._flow.addWidget(self.more_button)
        self.panel = MorePanel(self, self._extra)
        self.panel.changed.connect(self._take_extra)
        self._active: list[ActiveFilter] = []
        self.clear_button = Button(tr("Clear filters"), "quiet", "x", self.clear)
        self.clear_button.setFixedHeight(self.more_button.sizeHint().height())
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
        return self.filters(self._extra.midnight) != Filters(self._extra.midnight)

    def clear(self) -> None:
        self.set_filters(Filters(self._extra.midnight))
        self._changed()

    def filters(self, midnight: datetime) -> Filters:
        return replace(
            self._extra,
            midnight=midnight,
            overdue=self.overdue.isChecked(),
            unmapped=self.unmapped.isChecked(),
            segments=frozenset(letter for letter, chip in self.segments.items() if chip.isChecked()),
            store_types=self.types.values,
            sectors=self.sectors.values,
            banners=self.banners.values,
            near=self._where() if self.near.isChecked() else None,
        )

    def set_filters(self, filters: Filters) -> None:
        """Show these filters, without telling anybody."""
        self.overdue.setChecked(filters.overdue)
        self.unmapped.setChecked(filters.unmapped)
        self.unmapped.setVisible(filters.unmapped or not self.unmapped.isHidden())
        self.near.setChecked(filters.near is not None)
        for letter, chip in self.segments.items():
            chip.setChecked(letter in filters.segments)
        self.types.set_values(filters.store_types)
        self.banners.set_values(filters.banners)
        self.sectors.set_values(filters.sectors)
        self._show_extra(filters)

    # ---- the panel

    def _ask_for_more(self) -> None:
        self._say_more()  # a click has turned it over
        self.more_wanted.emit()

    def _say_more(self) -> None:
        """Ticked, with their number, as long as one of the panel is on."""
        self.more_button.setChecked(bool(self._active))
        self.more_button.set_count(number(len(self._active)) if self._active else "")

    def open_panel(self, distributors: Iterable[str], fields: Iterable[CustomField]) -> None:
        """The panel of the other filters, with what there is to choose from."""
        known = tuple(fields)
        self._field_names = {one.key: one.name(language()) for one in known}
        self.panel.show_filters(self._extra)
        self.panel.offer(distributors, known)
        self.panel.open_under(self.more_button)

    def _take_extra(self, filters: Filters) -> None:
        self._show_extra(filters)
        self._changed()

    def _show_extra(self, filters: Filters) -> None:
        none: frozenset[Any] = frozenset()
        self._extra = replace(
            filters, overdue=False, unmapped=False, segments=none, store_types=none, sectors=none, banners=none,
            near=None, ids=None,
        )  # fmt: skip
        for old in self._active:
            self._flow.removeWidget(old)
            old.hide()
            old.deleteLater()
        self._active = []
        self._flow.removeWidget(self.clear_button)
        for words, without in active(self._extra, self._field_names):
            chip = ActiveFilter(words)
            chip.clicked.connect(lambda _=False, without=without: self._remove(without))
            self._flow.addWidget(chip)
            chip.show()
            self._active.append(chip)
        self._flow.addWidget(self.clear_button)
        self._say_more()
        self.clear_button.setVisible(self.active())
        self.updateGeometry()

    def _remove(self, filters: Filters) -> None:
        self._take_extra(filters)
        self.more_button.setFocus(Qt.FocusReason.OtherFocusReason)

    # ---- counts

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
        self.banners.set_choices((name, name, n) for name, n in facets.banners[:BANNERS_SHOWN])
        self.banners.setVisible(bool(facets.banners) or bool(self.banners.values))
        sectors: list[tuple[Id, str, int]] = list(facets.sectors)
        self.sectors.set_choices(sectors)
        self.sectors.setVisible(len(sectors) > 1 or bool(self.sectors.values))
        states = dict(facets.states)
        for code, chip in self.panel.states.items():
            chip.set_count(number(states.get(code, 0)))
        self.panel.open_tasks.set_count(number(facets.open_tasks))

    def remember(self) -> dict[str, Any]:
        """The filters as a small JSON value, to be found again at the next start; where the person was is not kept."""
        return replace(self.filters(self._extra.midnight), near=None).to_dict()

    def restore(self, kept: object) -> None:
        self.set_filters(Filters.from_dict(kept, self._extra.midnight))
