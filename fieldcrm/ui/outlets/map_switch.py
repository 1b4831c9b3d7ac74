"""The list, or the map of the same outlets: one is in front; search, filters and the chosen outlet hold on both.

The map is made when it is first asked for: WebEngine and numpy are no part of the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QLayout, QStackedWidget, QVBoxLayout, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.map.scheme import webengine_installed
from fieldcrm.ui.outlets.map_bulk import BulkWork, ChangeMany, TaskForMany
from fieldcrm.ui.outlets.map_tools import SelectionBar
from fieldcrm.ui.widgets import Button, EmptyState, SegmentedControl, Text
from fieldcrm.usecases import bulk_edit
from fieldcrm.usecases.outlets import Filters
from fieldcrm.words import tr, trn

if TYPE_CHECKING:
    from fieldcrm.ui.outlets.map_panel import OutletsMap

SHOWN = "outlets/as_map"
DEGREE = 10_000_000
LIST, MAP = "list", "map"


class ListOrMap(QWidget):
    """``listing`` is what the list is in; ``chosen`` and ``opened`` speak in its row numbers.

    ``area_wanted``: a ring (degrees x 10^7) is to be a filter. ``narrowed``: the selected outlets became, or ceased to
    be, the only ones; ``narrow(filters)`` adds them to the filters.
    """

    narrowed = Signal()
    area_wanted = Signal(tuple)
    chosen = Signal(int)
    opened = Signal(int)
    export_wanted = Signal(list)
    cleared = Signal()  # the selection of the list is to end
    unmapped_wanted = Signal()
    switched = Signal()

    def __init__(self, session: AppSession, listing: QWidget) -> None:
        super().__init__()
        self._session, self._listing = session, listing
        self._only: frozenset[Id] | None = None
        self._results: tuple[str, Filters, int] | None = None
        self._current: int | None = None
        self._wants_map = False
        self.map: OutletsMap | None = None
        self.switch = SegmentedControl([(LIST, tr("List")), (MAP, tr("Map"))], LIST, tr("Outlets as"))
        self.switch.chosen.connect(lambda value: self.show_map(value == MAP))
        self._stack = QStackedWidget()
        self._stack.addWidget(listing)
        self._note = QWidget()
        line = QHBoxLayout(self._note)
        line.setContentsMargins(0, 0, 0, 0)
        line.setSpacing(theme.space(2))
        self.only_text = Text("", "body-medium")
        line.addWidget(self.only_text)
        line.addWidget(Button(tr("Show all again"), "quiet", "x", self.widen))
        line.addStretch(1)
        self._note.hide()
        self._rows: list[int] = []
        self.bar = SelectionBar()
        self.bar.change_wanted.connect(self.change_selected)
        self.bar.tasks_wanted.connect(self.task_for_selected)
        self.bar.only_wanted.connect(self._show_only)
        self.bar.export_wanted.connect(lambda: self.export_wanted.emit(self.selected()))
        self.bar.clear_wanted.connect(self._clear)
        self.work = BulkWork(session)
        self.work.changed.connect(lambda: self.bar.show_work(self.work.running))
        self.bar.stop_wanted.connect(self.work.stop)
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.space(2))
        whole.addWidget(self._note)
        whole.addWidget(self.bar)
        whole.addWidget(self._stack, 1)
        if session.preferences.json(SHOWN, False):
            self.show_map(True)

    # ---- which is in front

    @property
    def showing_map(self) -> bool:
        return self._wants_map

    def toggle(self) -> None:
        self.show_map(not self._wants_map)

    def show_map(self, on: bool) -> None:
        """Bring the map, or the list, to the front, and remember it."""
        focus = QApplication.focusWidget()
        at_list = focus is not None and self._listing.isAncestorOf(focus)
        self._wants_map = on
        self.switch.set_value(MAP if on else LIST)
        self._session.preferences.set_json(SHOWN, on)
        if on and self._stack.count() == 1:
            self._stack.addWidget(self._made())
            if self.map is not None and self._results is not None:
                self.map.show_results(*self._results)
        self._bring()
        if self.map is not None and on:
            self.map.set_current(self._current, reveal=at_list)  # who comes from a line wants to see where it is
        self._say_selected()
        self.switched.emit()

    def _place_bar(self) -> None:
        """One line for the tools and what may be done with the selected: a small window has no room for two."""
        on_map = self._wants_map and self.map is not None
        line: QLayout | None = self.map.tools.line if on_map and self.map is not None else self.layout()
        if line is None or line.indexOf(self.bar) >= 0:
            return
        for other in (self.layout(), self.map.tools.line if self.map is not None else None):
            if other is not None and other is not line:
                other.removeWidget(self.bar)
        if isinstance(line, QVBoxLayout):
            line.insertWidget(1, self.bar)
        else:
            line.addWidget(self.bar)

    def _bring(self) -> None:
        self._place_bar()
        # What says that there is nothing, and why, stands in the list's place.
        nothing = self._results is not None and self._results[2] == 0
        self._stack.setCurrentIndex(1 if self._wants_map and not nothing else 0)

    def _made(self) -> QWidget:
        if not webengine_installed():
            return EmptyState(
                "map", tr("The map cannot be shown on this computer"),
                tr("Qt WebEngine is not installed. The list has the same outlets, with the same search and filters."),
                (tr("Back to the list"), lambda: self.show_map(False)),
            )  # fmt: skip
        from fieldcrm.ui.outlets.map_panel import OutletsMap

        made = self.map = OutletsMap(self._session)
        made.current_changed.connect(self.chosen)
        made.opened.connect(self.opened)
        made.unmapped_wanted.connect(self._to_unmapped)
        made.selection_changed.connect(self._say_selected)
        return made

    def _to_unmapped(self) -> None:
        self.show_map(False)
        self.unmapped_wanted.emit()

    # ---- what is shown

    def show_results(self, query: str, filters: Filters, total: int) -> None:
        """What the list has found, to be found on the map too."""
        self._results = (query, filters, total)
        self._bring()
        if self.map is not None:
            self.map.show_results(query, filters, total)

    def set_current(self, rid: int | None) -> None:
        """The line that is chosen in the list."""
        self._current = rid
        if self.map is not None and rid != self.map.current:
            self.map.set_current(rid, reveal=False)

    # ---- many outlets

    def set_rows(self, rids: Sequence[int]) -> None:
        """The lines that are selected in the list; one alone is no selection of many."""
        self._rows = list(rids) if len(rids) > 1 else []
        if not self._wants_map:
            self._say_selected()

    def selected(self) -> list[int]:
        """Row numbers of what is selected on the side that is in front."""
        if self._wants_map:
            return self.map.selection.rids if self.map is not None else []
        return self._rows

    def any_selected(self) -> bool:
        return self._count() > 0

    def _count(self) -> int:
        if self._wants_map:
            return self.map.selection.count if self.map is not None else 0
        return len(self._rows)

    def _say_selected(self) -> None:
        self.bar.show_count(self._count())
        if self.map is not None:
            self.map.tools.all_button.setVisible(not self.any_selected())

    def _clear(self) -> None:
        if self._wants_map and self.map is not None:
            self.map.clear_selection()
        else:
            self.cleared.emit()

    def change_selected(self) -> None:
        """One field of every selected outlet, after a look at what that would do."""
        rids = self.selected()
        if rids and self.work.running is None:
            dialog = ChangeMany(self, self._session, rids)
            if dialog.exec() and dialog.chosen is not None:
                self.work.change(rids, dialog.chosen)

    def task_for_selected(self) -> None:
        """The same task at every selected outlet."""
        rids = self.selected()
        if rids and self.work.running is None:
            dialog = TaskForMany(self, len(rids), self._session.clock().date())
            if dialog.exec():
                self.work.tasks(rids, dialog.title.text(), dialog.day())

    # ---- the selection as a filter

    def narrow(self, filters: Filters) -> Filters:
        """The filters of the chips, and the outlets that alone are to be shown."""
        return filters if self._only is None else replace(filters, ids=self._only)

    @property
    def is_narrow(self) -> bool:
        return self._only is not None

    def widen(self) -> None:
        """All of them again."""
        if self.is_narrow:
            self._only = None
            self._note.hide()
            self.narrowed.emit()

    def _show_only(self) -> None:
        rids = self.selected()
        ring = self.map.selection.ring if self._wants_map and self.map is not None else None
        if ring is not None:  # one area made it: a filter that stays true when outlets come and go
            if self.map is not None:
                self.map.clear_selection()
            self.area_wanted.emit(tuple((round(lat * DEGREE), round(lon * DEGREE)) for lat, lon in ring))
            return
        self._session.ask_later(
            lambda r: frozenset(bulk_edit.ids(r, rids)),
            lambda ids: self._narrowed_to(
                ids,
                trn("Only the outlet that was selected", "Only the {n} outlets that were selected", len(ids)),
            ),
            key="outlets.only",
        )  # fmt: skip

    def _narrowed_to(self, ids: frozenset[Id], words: str) -> None:
        self._only = ids
        self.only_text.setText(words)
        self._note.show()
        if self.map is not None:
            self.map.clear_selection()
        self.narrowed.emit()
