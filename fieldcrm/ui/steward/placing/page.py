"""Outlets that are not on the map: counts, the queue of addresses, a list, and the one in front with its proposal."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSplitter, QVBoxLayout, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.domain.placing import DOUBTFUL, REFUSED
from fieldcrm.ui import theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.placing import AgreeDialog, agree, agreed, chosen_provider, placer_of
from fieldcrm.ui.steward.page import StewardPage
from fieldcrm.ui.steward.placing import place_words
from fieldcrm.ui.steward.placing.compare import CompareView
from fieldcrm.ui.steward.placing.dialogs import PlaceDialog
from fieldcrm.ui.widgets import (
    Button,
    Card,
    Column,
    EmptyState,
    PageModel,
    RowList,
    SegmentedControl,
    StateStack,
    Text,
    TwoLine,
    TwoLineDelegate,
    column,
)
from fieldcrm.usecases import placing
from fieldcrm.usecases.placing import WAITING, Board, Line, Provider
from fieldcrm.words import listing, number, tr, trn

_ICONS = {WAITING: ("clock", "accent"), DOUBTFUL: ("circle-help", "warning"), REFUSED: ("map-pin-off", "danger")}


class PlacingPage(StewardPage):
    """Places: ``group`` is waiting, doubtful or refused."""

    kinds = ("outlet", "rule", "outlet_alias")

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._board: Board | None = None
        self._placer = placer_of(session)
        self._placer.changed.connect(self._say_progress)
        self._placer.ended.connect(self._freshen)
        self._lay_out()

    # ---- layout ----

    def _lay_out(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(theme.space(6), theme.space(5), theme.space(6), theme.space(5))
        whole.setSpacing(theme.space(3))
        whole.addLayout(self._head())
        whole.addWidget(self._queue())
        names = {WAITING: tr("Waiting"), DOUBTFUL: tr("In doubt"), REFUSED: tr("Cannot")}
        self.group = SegmentedControl([(code, names[code]) for code in placing.GROUPS], DOUBTFUL, tr("Outlets"))
        self.group.chosen.connect(lambda _: self._list())
        self.counts = Text("", "caption", "muted", wrap=True)
        line = QHBoxLayout()
        line.setSpacing(theme.space(3))
        line.addWidget(self.group)
        line.addWidget(self.counts, 1)
        self.model: PageModel[Line] = PageModel(
            [Column("outlet", tr("Outlet"), lambda one: f"{one.name}, {place_words.address_line(one.address)}")],
            self._lines, lambda one: one.rid, self)
        self.list = RowList(self.model, TwoLineDelegate(self._two_lines, dividers=True), tr("Outlets to place"))
        self.list.current_changed.connect(lambda _: self._show_current())
        self.list.opened.connect(lambda _: self._enter())
        self.compare = CompareView()
        self.compare.acted.connect(self._act)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(theme.space(4))
        self.list_state = StateStack(self.list)
        framed = Card(padding=1.5, spacing=0)
        framed.add(self.list_state, 1)
        split.addWidget(framed)
        split.addWidget(self.compare)
        split.setStretchFactor(0, 1)
        split.setStretchFactor(1, 1)
        split.setSizes([theme.pixels(480), theme.pixels(480)])
        holder = QWidget()
        inner = QVBoxLayout(holder)
        inner.setContentsMargins(0, 0, 0, 0)
        inner.setSpacing(theme.space(3))
        inner.addLayout(line)
        inner.addWidget(split, 1)
        self.states = StateStack(holder)
        whole.addWidget(self.states, 1)

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(theme.space(2))
        titles = column(0)
        titles.addWidget(Text(tr("To place"), "title"))
        self.line = Text("", "body", "muted", wrap=True)
        titles.addWidget(self.line)
        head.addLayout(titles, 1)
        settings = Button(tr("Address service…"), "secondary", "settings", self.choose_service)
        self.ask_button = Button(tr("Look for the addresses"), "primary", "map-pinned", self.ask)
        for button in (settings, self.ask_button):
            head.addWidget(button, 0, Qt.AlignmentFlag.AlignTop)
        return head

    def _queue(self) -> Card:
        self.queue_card = card = Card(padding=3.5, spacing=2)
        across = QHBoxLayout()
        across.setSpacing(theme.space(3))
        self.queue_line = Text("", "body", "", wrap=True)
        across.addWidget(self.queue_line, 1)
        self.stop_button = Button(tr("Stop"), "secondary", "x", self._placer.stop)
        across.addWidget(self.stop_button, 0, Qt.AlignmentFlag.AlignTop)
        card.add(across)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(theme.pixels(4))
        card.add(self.bar)
        card.hide()
        return card

    # ---- what the screen calls ----

    def open(self, group: str = "", **params: Any) -> None:
        if group in placing.GROUPS:
            self.group.set_value(group)
        super().open(**params)
        self._say_progress()

    def page_actions(self) -> list[Action]:
        def doubtful() -> bool:
            one = self._current()
            return one is not None and one.group == DOUBTFUL

        def there() -> bool:
            return self._current() is not None

        return [
            Action("steward.ask_places", tr("&Look for the addresses"), self.ask, (), "map-pinned", "tools", 7,
                   lambda: not self._placer.progress.busy),
            Action("steward.check_places", tr("&Check doubtful positions by address"), self.ask_suspects, (),
                   "map-pin", "tools", 7, lambda: not self._placer.progress.busy),
            Action("steward.accept_place", tr("&Take the proposed place"), self.accept, ("A",), "check", "edit", 7,
                   doubtful),
            Action("steward.decline_place", tr("&Refuse the proposed place"), self.decline, ("R",), "x", "edit", 7,
                   doubtful),
            Action("steward.by_hand", tr("Place by &hand…"), self.place_by_hand, ("H",), "map-pin", "edit", 7, there),
            Action("steward.open_placed", tr("&Open the outlet"), self.open_card, ("O",), "arrow-right", "view", 7,
                   there),
            Action("steward.next_place", tr("&Next outlet"), lambda: self._step(1), ("J",), "arrow-down", "view", 7,
                   there),
            Action("steward.previous_place", tr("&Previous outlet"), lambda: self._step(-1), ("K",), "arrow-up",
                   "view", 7, there),
        ]

    def areas(self) -> list[QWidget]:
        return [self.group, self.list]

    # ---- reading ----

    def _load(self) -> None:
        self._stale = False
        if self._board is None:
            self.states.show_loading()
        self.session.ask_later(placing.board, self._show, self._failed, key="placing.board")

    def _failed(self, error: BaseException) -> None:
        self.states.show_error(error, self._load)

    def _show(self, board: Board) -> None:
        first = self._board is None
        self._board = board
        self.line.setText(tr("{n} of {all} outlets are on the map", n=number(board.mapped), all=number(board.outlets)))
        if first and not board.count(self.group.value()):
            self.group.set_value(next((one for one in (DOUBTFUL, WAITING, REFUSED) if board.count(one)), DOUBTFUL))
        self.ask_button.setEnabled(board.count(WAITING) > 0 and not self._placer.progress.busy)
        if not any(board.count(group) for group in placing.GROUPS):
            self.states.show_empty(EmptyState(
                "map-pinned", tr("Every outlet is on the map"), "", tone="success") if board.outlets else EmptyState(
                "map-pin-off", tr("No outlet to place"), tr("Import a file of outlets, or sync first.")))
            return
        parts = [trn("{n} waiting", "{n} waiting", board.count(WAITING)),
                 trn("{n} in doubt", "{n} in doubt", board.count(DOUBTFUL))]
        reasons = [f"{place_words.why(why).lower()} ({number(n)})"
                   for why, n in sorted(board.whys.items(), key=lambda pair: -pair[1])]
        parts.append(trn("{n} cannot", "{n} cannot", board.count(REFUSED)))
        self.counts.setText(" · ".join(parts) + (tr(": {reasons}", reasons=listing(reasons)) if reasons else ""))
        self.states.show_content()
        self._list()

    def _list(self) -> None:
        if self._board is None:
            return
        ids = list(self._board.groups.get(self.group.value(), ()))
        at = max(0, self.model.row_of(self.list.current_id())) if self.list.current_id() is not None else 0
        self.list.set_ids(ids)
        if not ids:
            titles = {WAITING: tr("Nobody waits"), DOUBTFUL: tr("Nothing is in doubt"), REFUSED: tr("Nothing here")}
            self.list_state.show_empty(EmptyState("circle-check", titles[self.group.value()], tone="success"))
            self.compare.hide()
            return
        self.list_state.show_content()
        if self.model.row_of(self.list.current_id()) < 0:
            self.list.select_id(ids[min(at, len(ids) - 1)])
        self._show_current()

    def _lines(self, rids: Sequence[int]) -> list[Line]:
        return self.session.ask(lambda r: placing.lines(r, rids))

    def _two_lines(self, one: Line) -> TwoLine:
        icon, tone = _ICONS[one.group]
        address = place_words.address_line(one.address)
        said = f"{place_words.why(one.why)} · {address}" if one.why and one.why != "no_address" else address
        return TwoLine(one.name, said, icon=icon, tone=tone, trailing=one.address.city)

    def _current(self) -> Line | None:
        id_ = self.list.current_id()
        return self.model.row(self.model.row_of(id_)) if id_ is not None and self.isVisible() else None

    def _show_current(self) -> None:
        one = self._current()
        self.compare.setVisible(one is not None)
        if one is not None:
            self.compare.show_line(one)

    # ---- the queue ----

    def ask(self) -> None:
        """Ask about every address that waits."""
        self._ask_about(placing.waiting)

    def ask_suspects(self) -> None:
        """Ask about outlets whose position was found to be wrong: what is found is proposed, nothing is moved."""
        self._ask_about(placing.suspects)

    def _ask_about(self, read: Any) -> None:
        try:
            provider = chosen_provider(self.session)
        except CodedError as error:
            self.session.messages.say(sentence(error), "warning", tr("Settings"), self.choose_service)
            return
        if provider is None:
            self.session.messages.say(
                tr("Choose first who is asked about addresses."), "neutral", tr("Settings"), self.choose_service)
            return
        self.session.ask_later(read, partial(self._begin, provider), self._refused, key="placing.ask")

    def _begin(self, provider: Provider, rids: list[int]) -> None:
        if not rids:
            self.session.messages.say(tr("No address waits."))
            return
        if not agreed(self.session, provider):
            if not AgreeDialog.ask(self.window(), provider, len(rids)):
                return
            agree(self.session, provider)
        self._placer.start(provider, rids)

    def choose_service(self) -> None:
        self.session.navigator.go("settings", page="addresses")

    def _say_progress(self) -> None:
        progress = self._placer.progress
        said = place_words.progress_line(progress)
        self.queue_card.setVisible(bool(said))
        self.queue_line.setText(said)
        self.stop_button.setVisible(progress.busy)
        self.bar.setVisible(progress.busy)
        self.bar.setRange(0, max(1, progress.total))
        self.bar.setValue(progress.done)
        self.ask_button.setEnabled(not progress.busy and self._board is not None and self._board.count(WAITING) > 0)

    # ---- deeds ----

    def _act(self, name: str) -> None:
        {"accept": self.accept, "decline": self.decline, "hand": self.place_by_hand, "open": self.open_card}[name]()

    def _enter(self) -> None:
        one = self._current()
        if one is not None:
            (self.accept if one.group == DOUBTFUL else self.place_by_hand)()

    def accept(self) -> None:
        self._decide(placing.accept, tr("Placed: {name}"))

    def decline(self) -> None:
        self._decide(placing.decline, tr("Refused: {name}"))

    def _decide(self, deed: Any, said: str) -> None:
        one = self._current()
        if one is None or one.group != DOUBTFUL:
            return
        self._do(one, lambda tx: deed(tx, one.id), said)

    def place_by_hand(self) -> None:
        one = self._current()
        if one is None:
            return
        chosen = PlaceDialog.ask(self.window(), self.session, one)
        if chosen is not None:
            self._do(one, lambda tx: placing.place_by_hand(tx, one.id, *chosen), tr("Placed: {name}"))

    def _do(self, one: Line, work: Any, said: str) -> None:
        def back(transaction: Any) -> None:
            self.session.do(lambda tx: placing.take_back(tx, transaction), None, self._refused)

        self.session.do(
            lambda tx: (work(tx), tx.id)[1],
            lambda done: self.session.messages.done(said.format(name=one.name), partial(back, done)), self._refused)

    def open_card(self) -> None:
        one = self._current()
        if one is not None:
            self.session.navigator.go("outlet", id=one.id)

    def _step(self, by: int) -> None:
        ids = self.model.ids()
        if ids:
            at = self.model.row_of(self.list.current_id()) + by
            self.list.select_id(ids[min(max(at, 0), len(ids) - 1)])

    def _refused(self, error: BaseException) -> None:
        if not isinstance(error, CodedError):
            raise error
        self.session.messages.error(error)
        self._load()
