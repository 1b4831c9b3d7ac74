"""The list, or the map of the same outlets: one is in front; search, filters and the chosen outlet hold on both.

The map is made when it is first asked for: WebEngine and numpy are no part of the start.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from PySide6.QtCore import Signal
from PySide6.QtWidgets import QApplication, QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.map.scheme import webengine_installed
from fieldcrm.ui.widgets import Button, EmptyState, SegmentedControl, Text
from fieldcrm.usecases import bulk_edit
from fieldcrm.usecases.outlets import Filters
from fieldcrm.words import tr, trn

if TYPE_CHECKING:
    from fieldcrm.ui.outlets.map_panel import OutletsMap

SHOWN = "outlets/as_map"
LIST, MAP = "list", "map"


class ListOrMap(QWidget):
    """``listing`` is what the list is in; ``narrowed`` when an area of the map became, or ceased to be, a filter.

    ``narrow(filters)`` adds that area; ``chosen`` and ``opened`` speak in row numbers of the list.
    """

    narrowed = Signal()
    chosen = Signal(int)
    opened = Signal(int)
    export_wanted = Signal(list)
    unmapped_wanted = Signal()
    switched = Signal()

    def __init__(self, session: AppSession, listing: QWidget) -> None:
        super().__init__()
        self._session, self._listing = session, listing
        self._only: tuple[tuple[tuple[int, int], ...] | None, frozenset[Id] | None] = (None, None)
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
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.space(2))
        whole.addWidget(self._note)
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
        self.switched.emit()

    def _bring(self) -> None:
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
        made.export_wanted.connect(self.export_wanted)
        made.unmapped_wanted.connect(self._to_unmapped)
        made.only_wanted.connect(self._show_only)
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

    # ---- an area as a filter

    def narrow(self, filters: Filters) -> Filters:
        """The filters of the chips, and the area or the selection that was made on the map."""
        ring, ids = self._only
        return filters if ring is None and ids is None else replace(filters, polygon=ring, ids=ids)

    @property
    def is_narrow(self) -> bool:
        return self._only != (None, None)

    def widen(self) -> None:
        """No area any more."""
        if self.is_narrow:
            self._only = (None, None)
            self._note.hide()
            self.narrowed.emit()

    def _show_only(self, ring: Sequence[tuple[float, float]] | None, rids: list[int]) -> None:
        if ring is not None:
            corners = tuple((round(lat * 1e7), round(lon * 1e7)) for lat, lon in ring)
            self._narrowed_to((corners, None), tr("Only the area drawn on the map"))
            return
        self._session.ask_later(
            lambda r: frozenset(bulk_edit.ids(r, rids)),
            lambda ids: self._narrowed_to(
                (None, ids), trn("Only the outlet selected on the map", "Only the {n} outlets selected on the map",
                                 len(ids)),
            ),
            key="outlets.only",
        )  # fmt: skip

    def _narrowed_to(self, only: tuple[tuple[tuple[int, int], ...] | None, frozenset[Id] | None], words: str) -> None:
        self._only = only
        self.only_text.setText(words)
        self._note.show()
        if self.map is not None:
            self.map.clear_selection()
        self.narrowed.emit()
