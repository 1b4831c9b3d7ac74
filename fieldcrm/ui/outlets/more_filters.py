"""The filters that are asked for now and then: a panel under the bar, and a chip for each that is on."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QPoint, Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QFrame, QGridLayout, QHBoxLayout, QVBoxLayout, QWidget

from fieldcrm.domain.catalogue import OUTLET_STATES
from fieldcrm.domain.customfield import CustomField
from fieldcrm.ui import labels, theme
from fieldcrm.ui.widgets import Button, Card, Chip, Field, Text, row
from fieldcrm.usecases.outlets import Filters
from fieldcrm.words import language, tr, trn

STALE_DAYS = (30, 90, 180, 365)
VISIT_DAYS = (14, 30, 60, 90, 180)
NEVER = -1


class MorePanel(QFrame):
    """``changed(Filters)`` at each choice; only the filters of this panel are looked at. Esc closes it."""

    changed = Signal(object)

    def __init__(self, parent: QWidget, filters: Filters) -> None:
        flags = Qt.WindowType.Popup | Qt.WindowType.FramelessWindowHint | Qt.WindowType.NoDropShadowWindowHint
        super().__init__(parent, flags)
        self.setAttribute(Qt.WidgetAttribute.WA_TranslucentBackground)  # its corners are round
        self.setAccessibleName(tr("More filters"))
        self._filters = filters
        self._filling = False
        self._key = ""
        self._fields: dict[str, CustomField] = {}
        self.freshness = self._combo([(None, tr("Any")), *((n, _stale(n)) for n in STALE_DAYS), (NEVER, _never())])
        self.visited = self._combo([(None, tr("Any")), *((days, _unvisited(days)) for days in VISIT_DAYS)])
        self.distributor = self._combo([("", tr("Any"))])
        self.field = self._combo([("", tr("None"))])
        self.value = QComboBox()
        self.value.setEditable(True)
        editor = self.value.lineEdit()
        if editor is not None:
            editor.editingFinished.connect(self._tell)
        self.value.activated.connect(self._tell)
        self.states = {code: self._chip(labels.outlet_state(code)) for code in OUTLET_STATES}
        self.open_tasks = self._chip(tr("Has something to do"), "clipboard-list")
        self._lay_out()

    def _lay_out(self) -> None:
        around = QVBoxLayout(self)
        around.setContentsMargins(0, 0, 0, 0)
        card = Card(padding=5, spacing=3)
        around.addWidget(card)
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.space(4))
        grid.setVerticalSpacing(theme.space(2))
        grid.addWidget(Field(tr("Freshness"), self.freshness), 0, 0)
        grid.addWidget(Field(tr("Last visit"), self.visited), 0, 1)
        grid.addWidget(Field(tr("Distributor"), self.distributor), 1, 0)
        self._custom = QWidget()
        pair = QHBoxLayout(self._custom)
        pair.setContentsMargins(0, 0, 0, 0)
        pair.setSpacing(theme.space(2))
        pair.addWidget(Field(tr("Field of your own"), self.field), 1)
        pair.addWidget(Field(tr("is"), self.value), 1)
        grid.addWidget(self._custom, 1, 1)
        card.add(grid)
        card.add(Text(tr("State"), "body-medium"))
        chips = row(2)
        for chip in self.states.values():
            chips.addWidget(chip)
        chips.addStretch(1)
        card.add(chips)
        foot = row(2)
        foot.addWidget(self.open_tasks)
        foot.addStretch(1)
        self.done = Button(tr("Done"), "secondary", on_click=self.close)
        foot.addWidget(self.done)
        card.add(foot)
        self.setMinimumWidth(theme.pixels(560))

    def _combo(self, choices: Iterable[tuple[Any, str]]) -> QComboBox:
        combo = QComboBox()
        for value, words in choices:
            combo.addItem(words, value)
        combo.activated.connect(self._tell)
        return combo

    def _chip(self, words: str, icon: str = "") -> Chip:
        chip = Chip(words, icon=icon)
        chip.setAccessibleName(words)
        chip.clicked.connect(self._tell)
        return chip

    def offer(self, distributors: Iterable[str], fields: Iterable[CustomField]) -> None:
        """What there is to choose from, as read when the panel opens."""
        _refill(self.distributor, [("", tr("Any")), *((name, name) for name in distributors)])
        self._fields = {one.key: one for one in fields}
        _refill(self.field, [("", tr("None")), *((key, one.name(language())) for key, one in self._fields.items())])
        self._custom.setVisible(bool(self._fields))
        self.show_filters(self._filters)

    def show_filters(self, filters: Filters) -> None:
        """The panel as these filters have it."""
        self._filling = True
        self._filters = filters
        stale = NEVER if filters.never_confirmed else filters.unconfirmed_days
        _choose(self.freshness, stale, _stale(stale) if stale is not None else "")
        visited = filters.unvisited_days
        _choose(self.visited, visited, _unvisited(visited) if visited is not None else "")
        name = min(filters.distributors, default="")
        _choose(self.distributor, name, name)
        key, value = min(filters.custom, key=str, default=("", ""))
        _choose(self.field, key, key)
        self._key = key
        self._offer_values(key)
        self.value.setCurrentText(_shown(value))
        for code, chip in self.states.items():
            chip.setChecked(code in filters.states)
        self.open_tasks.setChecked(filters.open_tasks)
        self._filling = False

    def _offer_values(self, key: str) -> None:
        field = self._fields.get(key)
        choices: list[str] = [] if field is None else list(field.choices)
        if field is not None and field.kind == "flag":
            choices = [tr("Yes"), tr("No")]
        typed = self.value.currentText()
        self.value.clear()
        self.value.addItems(["", *choices])
        self.value.setCurrentText(typed if typed in choices or not choices else "")
        self.value.setEnabled(bool(key))

    def _tell(self) -> None:
        if self._filling:
            return
        key = self.field.currentData() or ""
        if key != self._key:
            self._key = key
            self._filling = True
            self._offer_values(key)
            self._filling = False
        stale, visited = self.freshness.currentData(), self.visited.currentData()
        self._filters = replace(
            self._filters,
            never_confirmed=stale == NEVER,
            unconfirmed_days=None if stale == NEVER else stale,
            unvisited_days=visited,
            distributors=frozenset({self.distributor.currentData()} - {""}),
            states=frozenset(code for code, chip in self.states.items() if chip.isChecked()),
            open_tasks=self.open_tasks.isChecked(),
            custom=self._custom_now(key),
        )
        self.changed.emit(self._filters)

    def _custom_now(self, key: str) -> frozenset[tuple[str, Any]]:
        typed, field = self.value.currentText().strip(), self._fields.get(key)
        if not typed or field is None:
            return frozenset()
        if field.kind == "flag":
            return frozenset({(key, typed == tr("Yes"))})
        if field.kind == "number":
            figure = typed.replace(",", ".").replace(" ", "").replace("\u202f", "")
            try:
                return frozenset({(key, float(figure) if "." in figure else int(figure))})
            except ValueError:
                return frozenset({(key, typed)})  # finds nothing, as it should
        return frozenset({(key, typed)})

    def open_under(self, button: QWidget) -> None:
        """Beside the button that opens it, on the screen's inside."""
        self.adjustSize()
        corner = button.mapToGlobal(QPoint(0, button.height() + theme.space(1)))
        area = button.screen().availableGeometry()
        corner.setX(max(area.left(), min(corner.x(), area.right() - self.width())))
        self.move(corner)
        self.show()
        self.freshness.setFocus(Qt.FocusReason.PopupFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.close()
            return
        super().keyPressEvent(event)


def _refill(combo: QComboBox, choices: list[tuple[str, str]]) -> None:
    combo.clear()
    for value, words in choices:
        combo.addItem(words, value)


def _choose(combo: QComboBox, value: Any, words: str) -> None:
    """Make ``value`` the current one, added when it is not offered: a segment may ask for any number of days."""
    at = combo.findData(value)
    if at < 0 and value not in (None, ""):
        combo.addItem(words, value)
        at = combo.count() - 1
    combo.setCurrentIndex(max(0, at))


def _stale(days: int) -> str:
    return _never() if days == NEVER else trn("Not confirmed for {n} day", "Not confirmed for {n} days", days)


def _never() -> str:
    return tr("Never confirmed")


def _unvisited(days: int) -> str:
    return trn("Not visited for {n} day", "Not visited for {n} days", days)


def _shown(value: object) -> str:
    if isinstance(value, bool):
        return tr("Yes") if value else tr("No")
    return str(value)


class ActiveFilter(Chip):
    """A filter that is on; a click, or a key, takes it away."""

    def __init__(self, words: str) -> None:
        super().__init__(words, checked=True)
        self.setAccessibleName(tr("Remove filter: {name}", name=words))
        self.setToolTip(tr("Remove this filter"))

    def _lead(self) -> str:
        return "x"


def active(filters: Filters, names: dict[str, str]) -> list[tuple[str, Filters]]:
    """Each filter of the panel that is on, in words, and the filters without it. ``names``: of custom fields."""
    found: list[tuple[str, Filters]] = []
    usual = Filters(filters.midnight)
    if filters.states != usual.states:
        words = ", ".join(labels.outlet_state(code) for code in sorted(filters.states)) or tr("Every state")
        found.append((words, replace(filters, states=usual.states)))
    if filters.open_tasks:
        found.append((tr("Has something to do"), replace(filters, open_tasks=False)))
    if filters.never_confirmed:
        found.append((_never(), replace(filters, never_confirmed=False)))
    elif filters.unconfirmed_days is not None:
        found.append((_stale(filters.unconfirmed_days), replace(filters, unconfirmed_days=None)))
    if filters.unvisited_days is not None:
        found.append((_unvisited(filters.unvisited_days), replace(filters, unvisited_days=None)))
    if filters.distributors:
        words = ", ".join(sorted(filters.distributors))
        found.append((tr("Distributor: {name}", name=words[:40]), replace(filters, distributors=frozenset())))
    for key, value in sorted(filters.custom, key=str):
        words = f"{names.get(key, key)}: {_shown(value)}"
        found.append((words[:48], replace(filters, custom=filters.custom - {(key, value)})))
    if filters.polygon is not None:
        found.append((tr("In an area of the map"), replace(filters, polygon=None)))
    return found
