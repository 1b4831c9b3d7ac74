"""The screen of outlets: search, filter chips, the list, and beside it the preview or a new outlet."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime
from typing import Any

from PySide6.QtCore import QEvent, QObject, QPoint, Qt, QTimer
from PySide6.QtGui import QKeyEvent, QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QSplitter, QVBoxLayout, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.fresh_screen import FreshScreen
from fieldcrm.ui.outlets.columns import columns
from fieldcrm.ui.outlets.commands import commands
from fieldcrm.ui.outlets.export import export_list
from fieldcrm.ui.outlets.filters import FilterBar
from fieldcrm.ui.outlets.map_switch import ListOrMap
from fieldcrm.ui.outlets.newoutlet import NewOutlet
from fieldcrm.ui.outlets.preview import Preview
from fieldcrm.ui.outlets.results import Correction, Results, nothing_found
from fieldcrm.ui.outlets.searches import Searches
from fieldcrm.ui.outlets.table import OutletTable
from fieldcrm.ui.widgets import (
    Button,
    EmptyState,
    IconButton,
    PageModel,
    SearchField,
    StateStack,
    Text,
    column,
)
from fieldcrm.usecases import card as cards
from fieldcrm.usecases import customfields, outlets, visits
from fieldcrm.usecases.outlets import Asked, Facets, Filters, Found, Near, OutletRow, Sort
from fieldcrm.usecases.segments import Segment, filters_of
from fieldcrm.words import number, tr, trn

NARROW = 900  # pixels below which the preview gives its room to the list
FILTERS, PREVIEW = "outlets/filters", "outlets/preview"
KINDS = ("outlet", "visit", "task", "contact", "note", "draft", "outlet_alias", "sector", "submission", "review")


class OutletsScreen(FreshScreen):
    kinds = KINDS

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        self._query, self._sort, self._descending = "", Sort.RELEVANCE, False
        self._shown_for = ""
        self._near = self._whereabouts()
        self._filters = Filters(self._midnight())
        self.model: PageModel[OutletRow] = PageModel(columns(session.clock), self._rows, lambda row: row.rid, self)
        self.search = SearchField(tr("Search by name, banner, street, town or postcode"), tr("Search outlets"))
        self.search.searched.connect(self._searched)
        self.filters = FilterBar(lambda: self._near, self._midnight())
        self.filters.restore(session.preferences.json(FILTERS, {}))
        self.filters.changed.connect(self._filtered)
        self.filters.more_wanted.connect(self.more_filters)
        self.results = Results(session, self)
        self.results.first.connect(self._found)
        self.results.rest.connect(self._found_rest)
        self.results.counted.connect(self._counted)
        self.results.failed.connect(self._failed)
        self.correction = Correction()
        self.correction.wanted.connect(self.results.exactly)
        self.searches = Searches(session, lambda: (self._query, self._filters), lambda: self._near, self)
        self.searches.chosen.connect(self._show_segment)
        self.table = OutletTable(self.model, session.preferences)
        self.model.sort_requested.connect(self._sorted)
        self.table.opened.connect(lambda rid: self._with_row(rid, self.open_card))
        self.table.current_changed.connect(lambda _: self._preview_soon())
        self.table.installEventFilter(self)
        self.search.left.connect(self._into_list)
        self.states = StateStack(self.table)
        self.sides = ListOrMap(session, self.states)
        self.sides.chosen.connect(self._chosen_on_map)
        self.sides.opened.connect(lambda rid: self._with_row(rid, self.open_card))
        self.sides.narrowed.connect(self._load)
        self.sides.area_wanted.connect(self._only_inside)
        self.sides.switched.connect(self._side)
        self.sides.cleared.connect(lambda: self.table.selectRow(self.table.currentIndex().row()))
        self.table.selectionModel().selectionChanged.connect(lambda *_: self.sides.set_rows(self._selected_rids()))
        self.sides.export_wanted.connect(self._export_these)
        self.sides.unmapped_wanted.connect(self._only_unmapped)
        self.preview = Preview(self.open_card, self.start)
        self.new_outlet = NewOutlet(session, self.open_card)
        self.new_outlet.left.connect(self._leave_new)
        self.new_outlet.made.connect(self._made)
        self.new_outlet.hide()
        self.previewing = bool(session.preferences.json(PREVIEW, True))
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(60)  # holding an arrow key runs down the list without a read for each line
        self._pause.timeout.connect(self._show_preview)
        self._lay_out()
        self._side()

    # ---- what the shell asks ----

    def open(self, **params: Any) -> None:
        """Show the list; ``query`` searches, ``new`` begins a new outlet, ``overdue`` and ``banners`` filter."""
        self._near = self._whereabouts()
        self.filters.near.setVisible(self._near is not None)
        if params.get("overdue"):
            self.filters.clear()
            self.filters.overdue.setChecked(True)
        if params.get("banners"):
            self.filters.clear()
            self.filters.banners.set_values(frozenset(params["banners"]))
        if "query" in params:
            self._query = str(params["query"])
            self.search.show_text(self._query)
        self._load()
        if params.get("new"):
            self.begin_new()
        elif not self.table.hasFocus():
            self.search.setFocus(Qt.FocusReason.OtherFocusReason)

    def actions(self) -> list[Action]:  # type: ignore[override]  # the shell asks for ours, Qt never for its own
        return commands(self)

    def areas(self) -> list[QWidget]:
        return [self.search, self.table, self.preview.open_button]

    # ---- layout ----

    def _lay_out(self) -> None:
        whole = QVBoxLayout(self)
        margin = theme.space(6)
        whole.setContentsMargins(margin, theme.space(5), margin, margin)
        whole.setSpacing(theme.space(3))
        head = QHBoxLayout()
        head.setSpacing(theme.space(2))
        titles = column(0)
        titles.addWidget(Text(tr("Outlets"), "title"))
        self.count = Text("", "body", "muted")
        titles.addWidget(self.count)
        head.addLayout(titles)
        head.addStretch(1)
        self.columns_button = IconButton("sliders-horizontal", tr("Choose columns"), self._choose_columns)
        self.export_button = IconButton("file-spreadsheet", tr("Export the list"), self.export)
        self.preview_button = IconButton("panel-right", tr("Show or hide the preview"), self.toggle_preview)
        self.new_button = Button(tr("New outlet"), "secondary", "plus", self.begin_new)
        self.new_button.setAccessibleName(tr("New outlet"))
        self.new_button.setToolTip(tr("New outlet"))
        buttons = (self.columns_button, self.export_button, self.preview_button, self.new_button)
        for widget in (self.sides.switch, *buttons):
            head.addWidget(widget, 0, Qt.AlignmentFlag.AlignVCenter)
        whole.addLayout(head)
        line = QHBoxLayout()
        line.setSpacing(theme.space(2))
        line.addWidget(self.searches.button)
        line.addWidget(self.search, 1)
        whole.addLayout(line)
        whole.addWidget(self.filters)
        whole.addWidget(self.correction)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(theme.space(4))
        self.splitter.addWidget(self.sides)
        side = QWidget()
        self._side_holder = side
        beside = QVBoxLayout(side)
        beside.setContentsMargins(0, 0, 0, 0)
        beside.addWidget(self.preview)
        beside.addWidget(self.new_outlet)
        side.setMinimumWidth(theme.pixels(350))
        self.splitter.addWidget(side)
        self.splitter.setStretchFactor(0, 1)
        self.splitter.setStretchFactor(1, 0)
        self.splitter.setSizes([theme.pixels(900), theme.pixels(370)])
        whole.addWidget(self.splitter, 1)

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._side()

    def _side(self) -> None:
        """Below 900 px there is one column: the list, or what is being entered."""
        narrow = self.width() < theme.pixels(NARROW)
        entering = not self.new_outlet.isHidden()
        self.sides.setVisible(not (narrow and entering))
        self.filters.setVisible(not (narrow and entering))
        self.preview_button.setVisible(not narrow)
        self.columns_button.setVisible(not self.sides.showing_map)
        self.new_button.setText("" if narrow else tr("New outlet"))
        self._side_holder.setVisible(entering or (self.previewing and not narrow))

    def toggle_preview(self) -> None:
        self.previewing = not self.previewing
        self._session.preferences.set_json(PREVIEW, self.previewing)
        self._side()
        self._show_preview()

    # ---- reading ----

    def _midnight(self) -> datetime:
        return self._session.clock().astimezone().replace(hour=0, minute=0, second=0, microsecond=0)

    def _whereabouts(self) -> Near | None:
        midnight, actor = self._midnight(), self._session.actor
        return self._session.ask(lambda r: outlets.whereabouts(r, actor, midnight))

    def _rows(self, rids: Sequence[int]) -> list[OutletRow]:
        midnight, near = self._filters.midnight, self._filters.near or self._near
        return self._session.ask(lambda r: outlets.rows(r, rids, midnight=midnight, near=near))

    def _load(self) -> None:
        """Ask for the ids again, and for the counts of the chips."""
        self._stale = False
        self._filters = filters = self.sides.narrow(self.filters.filters(self._midnight()))
        query, sort, descending = self._query, self._sort, self._descending
        if sort is Sort.RELEVANCE and filters.near is not None:
            sort = Sort.DISTANCE
        self.states.show_loading()
        self.results.ask(Asked(query, filters, sort, descending, self._near, self._session.actor.sectors))

    def _found(self, found: Found) -> None:
        self.table.set_ids(found.rids)
        self.correction.show_for(self._query, found.shown_for)
        self._shown_for = found.shown_for or self._query
        if found.whole:
            self.sides.show_results(self._shown_for, self._filters, len(found.rids))
        if len(found.rids):
            self.states.show_content()
            if self.table.current_id() is None:
                self.table.selectRow(0)
            self._show_preview()
        else:
            self.states.show_empty(self._nothing())
            self.preview.show_nothing()
        self.searches.compare()

    def _found_rest(self, rids: Any) -> None:
        self.model.go_on_with(rids)
        self.sides.show_results(self._shown_for, self._filters, len(rids))

    def _failed(self, error: BaseException) -> None:
        self.states.show_error(error, self._load)

    def _counted(self, counted: tuple[Facets, tuple[int, int]]) -> None:
        facets, (total, _unmapped) = counted
        self.filters.set_facets(facets)
        if facets.total == total:
            self.count.setText(trn("{n} outlet on this device", "{n} outlets on this device", total))
        else:
            shown = number(facets.total)
            self.count.setText(
                trn("{shown} of {n} outlet on this device", "{shown} of {n} outlets on this device", total, shown=shown)
            )

    def _nothing(self) -> EmptyState:
        narrowed = self.filters.active() or self.sides.is_narrow
        return nothing_found(self._query.strip(), narrowed, self.clear, self.begin_new)

    # ---- searching, sorting, filtering ----

    def _searched(self, text: str) -> None:
        self._query = text
        if text.strip() and self._sort is not Sort.RELEVANCE:
            self._sort, self._descending = Sort.RELEVANCE, False
            self.table.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._load()

    def _sorted(self, key: str, descending: bool) -> None:
        self._sort, self._descending = Sort(key), descending
        self._load()

    def _filtered(self) -> None:
        self._session.preferences.set_json(FILTERS, self.filters.remember())
        self._load()

    def more_filters(self) -> None:
        self._session.ask_later(
            lambda r: (outlets.distributors(r), customfields.fields(r)),
            lambda found: self.filters.open_panel(*found),
            key="outlets.choices",
        )

    def _show_segment(self, segment: Segment | None) -> None:
        """The search as a segment keeps it, or everything again."""
        if segment is None:
            self.clear()
            return
        self._type(segment.query)
        self.filters.set_filters(filters_of(segment, self._midnight(), self._near))
        self._sort, self._descending = Sort.RELEVANCE, False
        self._filtered()

    def _type(self, query: str) -> None:
        self._query = query
        self.search.show_text(query)

    def clear(self) -> None:
        self.searches.button.set_current(None)
        self._type("")
        self.sides.widen()
        self.filters.clear()

    def find_outlet(self) -> None:
        self.search.setFocus(Qt.FocusReason.ShortcutFocusReason)
        self.search.selectAll()

    def _into_list(self) -> None:
        self.table.setFocus(Qt.FocusReason.OtherFocusReason)
        if self.table.current_id() is None and self.model.rowCount():
            self.table.selectRow(0)

    # ---- the chosen outlet ----

    def row_now(self) -> OutletRow | None:
        index = self.table.currentIndex()
        return self.model.row(index.row()) if index.isValid() else None

    def _with_row(self, rid: int, act: Any) -> None:
        row = self.model.row(self.model.row_of(rid))
        if row is not None:
            act(row.id)

    def with_current(self, act: Any) -> None:
        row = self.row_now()
        if row is not None:
            act(row.id)

    def _preview_soon(self) -> None:
        self._pause.start()

    def _show_preview(self) -> None:
        row = self.row_now()
        self.sides.set_current(row.rid if row is not None else None)
        if row is None or self._side_holder.isHidden() or not self.new_outlet.isHidden():
            return
        now, actor, id_ = self._session.clock(), self._session.actor, row.id
        self._session.ask_later(
            lambda r: cards.card(r, id_, actor, now=now),
            lambda found: self.preview.show_card(found, now),
            lambda error: self.preview.show_nothing(),
            key="outlets.preview",
        )

    def _chosen_on_map(self, rid: int) -> None:
        self.table.select_id(rid)

    def _selected_rids(self) -> list[int]:
        """The lines that are selected, by their ranges: half a million are not asked one by one."""
        chosen = self.table.selectionModel().selection()
        ranges = [(one.top(), one.bottom() + 1) for one in (chosen.at(at) for at in range(chosen.count()))]
        if sum(end - start for start, end in ranges) < 2:
            return []
        ids = self.model.ids()
        return [rid for start, end in ranges for rid in ids[start:end]]

    def _only_inside(self, ring: tuple[tuple[int, int], ...]) -> None:
        self.filters.set_filters(replace(self.filters.filters(self._midnight()), polygon=ring))
        self._filtered()

    def _only_unmapped(self) -> None:
        self.filters.unmapped.setChecked(True)
        self._filtered()

    def open_card(self, outlet_id: Id) -> None:
        self._session.navigator.go("outlet", id=outlet_id)

    def start(self, outlet_id: Id) -> None:
        self._session.do(
            lambda tx: visits.start_visit(tx, outlet_id),
            lambda draft: self._session.navigator.go("visit", draft=draft),
        )

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        """Space shows the preview of the line, and hides it again; Esc goes back to the search."""
        if watched is self.table and event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Space and not event.modifiers():
                self.toggle_preview()
                return True
            if event.key() == Qt.Key.Key_Escape:
                self.find_outlet()
                return True
        return super().eventFilter(watched, event)

    # ---- a new outlet ----

    def begin_new(self, name: str = "") -> None:
        self.preview.hide()
        self.new_outlet.show()
        self._side()
        self.new_outlet.begin(name)

    def _leave_new(self) -> None:
        self.new_outlet.hide()
        self.preview.show()
        self._side()
        self._show_preview()
        self.find_outlet()

    def _made(self, outlet_id: Id) -> None:
        self._leave_new()
        self.open_card(outlet_id)

    def _choose_columns(self) -> None:
        corner = self.columns_button.mapToGlobal(QPoint(0, self.columns_button.height()))
        self.table.columns_menu().popup(corner)

    def export(self) -> None:
        self._export_these(self.model.ids())

    def _export_these(self, rids: Sequence[int]) -> None:
        near = self._filters.near or self._near
        shown = self.table.shown_columns()
        export_list(self, self._session, rids, shown, self._filters.midnight, near)
