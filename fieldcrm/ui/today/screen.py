"""The Today screen: plan the day, see it as a list and on the map, change it, go in."""

from __future__ import annotations

from datetime import date, timedelta
from functools import partial
from typing import Any

from PySide6.QtCore import QPoint, Qt, QTimer
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QApplication, QMenu, QSplitter, QVBoxLayout, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.domain.ids import Id
from fieldcrm.ui import icons, theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.fresh_screen import FreshScreen
from fieldcrm.ui.report_words import skip_reason
from fieldcrm.ui.today import day_map, pick
from fieldcrm.ui.today.brief import BriefPanel
from fieldcrm.ui.today.day_end import DayEnd
from fieldcrm.ui.today.empty import empty_day
from fieldcrm.ui.today.header import DayHeader
from fieldcrm.ui.today.model import DayModel, Heading, Item
from fieldcrm.ui.today.print_day import save_day_report
from fieldcrm.ui.today.stop_changes import StopChanges, price_words
from fieldcrm.ui.today.stop_list import StopList
from fieldcrm.ui.widgets import Divider, EmptyState, StateStack
from fieldcrm.ui.widgets.map_view import MapView
from fieldcrm.usecases import card as cards
from fieldcrm.usecases import outlets, plans, stops
from fieldcrm.usecases.outlets import Filters
from fieldcrm.usecases.plans import DayPlan
from fieldcrm.usecases.stops import Price
from fieldcrm.usecases.today import (
    OtherOutlet,
    StopState,
    Today,
    TodayRow,
    has_outlets,
    local_day,
    other_outlets,
    today,
)
from fieldcrm.words import tr, trn

KINDS = ("plan", "plan_stop", "visit", "draft", "outlet", "task", "submission", "review", "outlet_alias")
MAP_SHOWN, SPLIT = "today/map", "today/split"
NARROW = 900  # pixels: below, the header keeps icons only
LOW = 96  # pixels of map that stay above the brief on the lowest window
SLIM = 560  # pixels: below, there is room for the list alone


class TodayScreen(FreshScreen):
    kinds = KINDS

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        self._day: date | None = None
        self._today: Today | None = None
        self._others: tuple[OtherOutlet, ...] = ()
        self._stocked = False  # whether the sector has stores at all
        self._planning = False
        self._split_once = True
        self._prices: dict[tuple[Id, int], Price] = {}
        self.changes = StopChanges(session)
        self.day_end = DayEnd(session, lambda missing: session.navigator.go("outlet", id=missing.receipt.outlet_id))
        self.header = DayHeader(shift=self._shift, plan=self.plan, add=self.pick_store, toggle_map=self.toggle_map)
        self.model = DayModel(self)
        self.list = StopList(self.model)
        self.states = StateStack(self.list)
        self.map = MapView(session.folder)
        self.map.setMinimumHeight(theme.pixels(LOW))
        self.brief = BriefPanel(
            start=self.start_visit, skip=self._skip_from, open_card=self.open_card, add=self._add_left
        )
        self.brief.hide()
        self._map_shown = bool(session.preferences.json(MAP_SHOWN, True))
        self._lay_out()
        self._connect()
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(60)
        self._pause.timeout.connect(self._show_brief)

    def _lay_out(self) -> None:
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        column.addWidget(self.header)
        column.addWidget(Divider())
        self.split = QSplitter(Qt.Orientation.Horizontal)
        self.split.setChildrenCollapsible(False)
        self.split.addWidget(self.states)
        self.side = QWidget()
        side = QVBoxLayout(self.side)
        side.setContentsMargins(0, 0, 0, 0)
        side.setSpacing(0)
        side.addWidget(self.map, 1)
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(*(theme.space(3),) * 4)
        inner.addWidget(self.brief, 0, Qt.AlignmentFlag.AlignTop)
        self._brief_holder = holder
        side.addWidget(holder)
        self.split.addWidget(self.side)
        self.split.setStretchFactor(0, 5)
        self.split.setStretchFactor(1, 6)
        self.states.setMinimumWidth(theme.pixels(400))  # both buttons of an empty day
        column.addWidget(self.split, 1)
        column.addWidget(self.day_end)

    def _connect(self) -> None:
        self.list.activated_item.connect(self._activate)
        self.list.chosen.connect(self._chosen)
        self.list.hovering.connect(self._price)
        self.list.moved.connect(self.changes.move)
        self.list.skip_asked.connect(lambda _: self._skip_from(self.list))
        self.list.menu_asked.connect(self._menu)
        self.map.outletSelected.connect(self._picked_on_map)
        self.map.outletActivated.connect(self._activated_on_map)
        self.split.splitterMoved.connect(lambda *_: self._session.preferences.set_state(SPLIT, self.split.saveState()))

    # ---- what the shell asks

    def open(self, **params: Any) -> None:
        """Show a day (``day``, today when none is given); ``outlet`` chooses a store; ``plan`` plans it at once."""
        chosen = params.get("day")
        self._day = chosen if isinstance(chosen, date) else self._real_today()
        saved = self._session.preferences.state(SPLIT)
        self._split_once = saved.isEmpty() or not self.split.restoreState(saved)
        self._online_layer()
        self._load()
        if params.get("outlet"):
            self.list.select_outlet(params["outlet"])
        if params.get("plan"):
            self.plan()
        self._focus_content()

    def _focus_content(self) -> None:
        if (shown := self.states.currentWidget()) is not None:
            shown.setFocus()

    def areas(self) -> list[QWidget]:
        return [self.list, self.map, self.brief] if self._map_shown else [self.list, self.brief]

    def actions(self) -> list[Action]:  # type: ignore[override]
        def stop_open() -> bool:
            item = self.list.current()
            return isinstance(item, TodayRow) and item.open and item.stop_id is not None

        return [
            Action("today.start", tr("&Start visit"), self.start_visit, icon="play", menu="visit",
                   enabled=lambda: self.list.current_outlet() is not None),
            Action("today.skip", tr("S&kip this store…"), lambda: self._skip_from(self.list), ("Ctrl+Backspace",),
                   "skip-forward", "visit", enabled=stop_open),
            Action("today.unplanned", tr("&Unplanned visit…"), self.pick_store, ("Ctrl+Shift+N",), "plus", "visit"),
            Action("today.plan", tr("&Plan the day"), self.plan, ("Ctrl+Shift+P",), "route", "visit", 1,
                   enabled=lambda: not self._planning),
            Action("today.earlier", tr("Move the store &earlier"), lambda: self._nudge(-1), ("Alt+Up",), "arrow-up",
                   "visit", 1, enabled=stop_open),
            Action("today.later", tr("Move the store &later"), lambda: self._nudge(1), ("Alt+Down",), "arrow-down",
                   "visit", 1, enabled=stop_open),
            Action("today.report", tr("&Report of the day (PDF)…"), self.save_report, ("Ctrl+P",), "file-spreadsheet",
                   "visit", 2),
            Action("today.map", tr("&Map"), self.toggle_map, ("F8",), "map", "view", checked=lambda: self._map_shown),
        ]

    def save_report(self) -> None:
        save_day_report(self, self._session, self._day or self._real_today())

    def leaving(self) -> None:
        self._pause.stop()

    def hideEvent(self, event: Any) -> None:
        self._pause.stop()
        super().hideEvent(event)

    # ---- showing

    def _real_today(self) -> date:
        now = self._session.clock()
        return self._session.ask(lambda r: local_day(r, self._session.actor, now))

    def _load(self) -> None:
        """A day is a few rows: read at once, so the screen never flickers. The other stores follow, for the map."""
        day = self._day or self._real_today()
        chosen = self.list.current_outlet()
        actor = self._session.actor

        self._today, self._stocked = self._session.ask(lambda r: (today(r, actor, day), has_outlets(r, actor)))
        self._stale = False
        self._prices.clear()
        self.header.show_day(self._today, self._real_today())
        self.day_end.read(shown=day == self._real_today())
        self.model.set_today(self._today)
        self._show_map()
        if self._today.rows or self._today.left_out:
            self.states.show_content()
            if chosen is None or not self.list.select_outlet(chosen):
                first = self._today.next
                self.list.select_outlet(first.outlet_id if first else None)
        else:
            focus = QApplication.focusWidget()
            held = focus is not None and self.states.isAncestorOf(focus)
            self.states.show_empty(self._empty())
            if held:  # a new empty state took the place of the one whose button had the focus
                self._focus_content()
        self._arrange()
        self._show_brief()

    def _show_map(self) -> None:
        """The day and every other store of the sector at once, when these have been read: pins are placed one time."""
        shown = self._today
        if shown is None or not self._map_shown:
            return
        ids, actor = [row.outlet_id for row in shown.rows], self._session.actor

        def arrived(others: tuple[OtherOutlet, ...]) -> None:
            if self._today is shown:
                self._others = others
                day_map.show_day(self.map, shown, others)

        self._session.ask_later(lambda r: other_outlets(r, actor, ids), arrived, key="today/others")

    def _shift(self, days: int) -> None:
        self._day = (self._day or self._real_today()) + timedelta(days=days)
        self._load()

    def _empty(self) -> EmptyState:
        planned = self._today is not None and self._today.plan_id is not None
        if self._stocked and not planned:
            self._session.tasks.run(plans.warm_up)
        return empty_day(planned=planned, stocked=self._stocked, plan=self.plan, add=self.pick_store)

    def _arrange(self) -> None:
        """What is shown beside the list: map, brief, or nothing where there is no room."""
        slim = self.width() < theme.pixels(SLIM)
        self.map.setVisible(self._map_shown and not slim)
        brief = self.brief.outlet_id is not None
        self._brief_holder.setVisible(brief)
        self.side.setVisible(not slim and (self._map_shown or brief))
        if self._split_once and not self.side.isHidden() and self.width() > theme.pixels(SLIM):
            self._split_once = False
            self.split.setSizes([self.width() * 46 // 100, self.width() * 54 // 100])
        self.header.map.setChecked(self._map_shown)
        self.header.set_narrow(self.width() < theme.pixels(NARROW))

    def _show_brief(self) -> None:
        item = self.list.current()
        if item is None or isinstance(item, Heading):
            self.brief.clear()
            self._arrange()
            return
        outlet_id, now = item.outlet_id, self._session.clock()
        self._session.ask_later(
            lambda r: cards.card(r, outlet_id, self._session.actor, now=now), self._brief_arrived, key="today/brief"
        )

    def _brief_arrived(self, card: cards.Card) -> None:
        item = self.list.current()
        if item is None or isinstance(item, Heading) or item.outlet_id != card.outlet.id:
            return
        self.brief.show_store(item, card, self._session.clock())
        self._arrange()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._arrange()

    def toggle_map(self) -> None:
        self._map_shown = not self._map_shown
        self._session.preferences.set_json(MAP_SHOWN, self._map_shown)
        self._arrange()
        self._show_map()

    def _online_layer(self) -> None:
        preferences = self._session.preferences
        self.map.set_online_layer(preferences.online_tiles_url if preferences.online_map else "")

    # ---- list and map

    def _chosen(self, item: Item | None) -> None:
        if item is not None and not isinstance(item, Heading):
            self.map.select(item.outlet_id.hex)
            # Its buttons act on the chosen store: not while it still speaks of the one before.
            self.brief.setEnabled(item.outlet_id == self.brief.outlet_id)
        self._pause.start()

    def _picked_on_map(self, id: str) -> None:
        outlet = Id(id)
        if self.list.select_outlet(outlet):
            return
        if self._today is not None and any(row.outlet_id == outlet for row in self._today.left_out):
            self.model.fold(False)
            self.list.select_outlet(outlet)
            return
        self.map.select(id, show=False)
        other = next((o for o in self._others if o.outlet_id == outlet), None)
        if other is not None:
            self._session.messages.say(
                other.name, action=tr("Add to the day"), run=lambda: self._add(outlet)
            )

    def _activated_on_map(self, id: str) -> None:
        self._session.navigator.go("outlet", id=Id(id))

    def _activate(self, item: Item) -> None:
        if isinstance(item, TodayRow) and item.open:
            self.start_visit()
        else:
            self.open_card()

    def _menu(self, item: Item, at: QPoint) -> None:
        menu = QMenu(self)
        menu.addAction(icons.icon("play", "muted"), tr("Start visit"), self.start_visit)
        menu.addAction(icons.icon("store", "muted"), tr("Open the store’s card"), self.open_card)
        if isinstance(item, TodayRow) and item.stop_id is not None:
            stop = item.stop_id
            menu.addSeparator()
            if item.open:
                skip = menu.addMenu(icons.icon("skip-forward", "muted"), tr("Skip…"))
                self._fill_skip(skip, stop)
                pin_text = tr("Unpin") if item.pinned else tr("Pin: keep when planned again")
                menu.addAction(icons.icon("pin", "muted"), pin_text, lambda: self._pin(stop, not item.pinned))
                menu.addAction(icons.icon("x", "muted"), tr("Take off the day"), lambda: self.changes.remove(stop))
            elif item.state is StopState.SKIPPED:
                back = tr("Take back into the day")
                menu.addAction(icons.icon("undo-2", "muted"), back, lambda: self.changes.take_back(stop))
        elif not isinstance(item, TodayRow):
            menu.addAction(icons.icon("plus", "muted"), tr("Add to the day"), self._add_left)
        menu.exec(at)

    # ---- doing

    def plan(self) -> None:
        """Plan, or plan anew, in the pool; what is done, skipped or pinned stays."""
        if self._planning:
            return
        self._planning = True
        day, actor = self._day or self._real_today(), self._session.actor
        self.header.plan.setEnabled(False)
        self.states.show_loading()

        def solved(made: DayPlan) -> None:
            self._session.do(lambda tx: plans.save_plan(tx, made), self._planned, self._plan_failed)

        self._session.ask_later(
            lambda r: plans.solve_day(plans.prepare(r, actor, day)), solved, self._plan_failed, key="today/plan"
        )

    def _planned(self, _plan: Id) -> None:
        self._planning = False
        self.header.plan.setEnabled(True)
        self._load()
        self.list.setFocus()
        if self._today is not None and self._today.total:
            text = trn("{n} store planned.", "{n} stores planned.", self._today.total)
            self._session.messages.done(text)

    def _plan_failed(self, error: BaseException) -> None:
        self._planning = False
        self.header.plan.setEnabled(True)
        if not isinstance(error, CodedError):
            raise error
        self.states.show_error(error, self.plan)

    def start_visit(self) -> None:
        item = self.list.current()
        if item is None or isinstance(item, Heading):
            return
        self._start(item.outlet_id, item.stop_id if isinstance(item, TodayRow) else None)

    def _start(self, outlet_id: Id, stop_id: Id | None) -> None:
        from fieldcrm.usecases import visits  # with the forms: nobody waits for them at the start of the day

        self._session.do(
            lambda tx: visits.start_visit(tx, outlet_id, stop_id),
            lambda draft: self._session.navigator.go("visit", draft=draft),
        )

    def open_card(self) -> None:
        outlet = self.list.current_outlet()
        if outlet is not None:
            self._session.navigator.go("outlet", id=outlet)

    def pick_store(self) -> None:
        """Any store: a visit that nobody planned, or one more stop."""
        midnight = self._session.clock().replace(hour=0, minute=0, second=0, microsecond=0)
        dialog = pick.PickStore(
            self,
            lambda text: self._session.ask(lambda r: outlets.find(r, text, Filters(midnight))),
            lambda rids: self._session.ask(lambda r: outlets.rows(r, rids, midnight=midnight)),
        )
        answer = dialog.exec()
        if answer and dialog.chosen is not None:
            if answer == pick.ADD:
                self._add(dialog.chosen)
            else:
                self._start(dialog.chosen, None)

    def _add_left(self) -> None:
        outlet = self.list.current_outlet()
        if outlet is not None:
            self._add(outlet)

    def _add(self, outlet_id: Id) -> None:
        self.changes.add(self._day or self._real_today(), outlet_id, lambda: self.list.select_outlet(outlet_id))

    def _skip_from(self, at: QWidget) -> None:
        item = self.list.current()
        if isinstance(item, TodayRow) and item.open and item.stop_id is not None:
            menu = QMenu(self)
            self._fill_skip(menu, item.stop_id)
            menu.exec(at.mapToGlobal(QPoint(0, at.height() if at is not self.list else at.height() // 3)))

    def _fill_skip(self, menu: QMenu, stop: Id) -> None:
        for code in stops.SKIP_REASONS:
            words = skip_reason(code)
            menu.addAction(words[:1].upper() + words[1:], partial(self.skip, stop, code))

    def skip(self, stop: Id, reason: str) -> None:
        """The skipped store sinks to the end; the cursor goes on with the day."""
        open_rows = [row for row in self._today.rows if row.open] if self._today is not None else []
        at = next((n for n, row in enumerate(open_rows) if row.stop_id == stop), -1)
        after = open_rows[at + 1:] + open_rows[:max(at, 0)]
        following = after[0].outlet_id if after else None
        self.changes.skip(stop, reason, lambda: self.list.select_outlet(following))

    def _pin(self, stop: Id, pinned: bool) -> None:
        self.changes.pin(stop, pinned)

    # ---- order

    def _price(self, stop: Id, position: int) -> None:
        price = self._prices.get((stop, position))
        if price is None:
            price = self._session.ask(lambda r: stops.price_of_move(r, stop, position))
            self._prices[stop, position] = price
        self.list.show_price(price_words(price), "danger" if price.closed else "warning" if price.late else "success")

    def _nudge(self, step: int) -> None:
        item = self.list.current()
        if not isinstance(item, TodayRow) or item.stop_id is None or not item.open:
            return
        at = self.model.index_of(item.outlet_id).row()
        if 0 <= at + step < self.model.open_count:
            self.changes.move(item.stop_id, at + step)
