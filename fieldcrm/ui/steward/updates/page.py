"""The page of updates: what waits by kind, before and after, and the decision by one key."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QSplitter, QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.steward.page import PageHead, StewardPage
from fieldcrm.ui.steward.updates.filters import UpdateFilters
from fieldcrm.ui.steward.updates.listing import UpdateList
from fieldcrm.ui.steward.updates.panel import UpdatePanel
from fieldcrm.ui.steward.updates.words import accept_all_words
from fieldcrm.ui.steward.work import work_of
from fieldcrm.ui.steward.workbar import WorkBar
from fieldcrm.ui.widgets import Button, Card, Confirm, EmptyState, StateStack, Text, column, row
from fieldcrm.usecases import importing, outlets, update_details, updates
from fieldcrm.usecases.importing import Batch
from fieldcrm.usecases.update_details import UpdateDetails
from fieldcrm.usecases.updates import Decided, Proposal
from fieldcrm.words import tr, trn

DECIDE = "updates.decide"
AT_ONCE = 200  # chosen rows: beyond, it is long work with progress


class UpdatesPage(StewardPage):
    """Places: ``batch`` shows the updates of one import alone."""

    kinds = ("proposal", "outlet", "import_batch")

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._rids: list[int] = []
        self._front: UpdateDetails | None = None
        self._last: list[int] = []  # decided last, for Z
        self._work = work_of(session)
        self._work.changed.connect(self._tell_foot)
        page = column(4)
        page.setContentsMargins(theme.space(6), theme.space(6), theme.space(6), theme.space(4))
        self.setLayout(page)
        note = tr("What newer files say otherwise, for you to decide.")
        self.head = PageHead(tr("Updates"), note)
        self.filters = UpdateFilters()
        self.filters.changed.connect(self._load)
        self.head.add(self.filters.which)
        page.addWidget(self.head)
        page.addWidget(self.filters)
        self.bar = WorkBar(self._work, DECIDE)
        page.addWidget(self.bar)
        self.list = UpdateList(self._fetch)
        self.list.current_changed.connect(lambda _: self._load_details())
        self.list.opened.connect(lambda _: self.open_card())
        self.list.selectionModel().selectionChanged.connect(lambda *_: self._tell_foot())
        self.panel = UpdatePanel(self.accept, self.refuse, self.take_back, self.open_card)
        both = QSplitter(Qt.Orientation.Horizontal)
        both.setChildrenCollapsible(False)
        both.setHandleWidth(theme.space(4))
        holder = Card(padding=1.5, spacing=0)
        holder.add(self.list, 1)
        holder.setMinimumWidth(theme.pixels(300))
        both.addWidget(holder)
        both.addWidget(self.panel)
        both.setStretchFactor(0, 5)
        both.setStretchFactor(1, 6)
        both.setSizes([500, 600])
        self._content = QWidget()
        lines = column(3)
        self._content.setLayout(lines)
        lines.addWidget(both, 1)
        lines.addWidget(self._make_foot())
        self.state = StateStack(self._content)
        page.addWidget(self.state, 1)

    def _make_foot(self) -> QWidget:
        foot = QWidget()
        line = row(2)
        foot.setLayout(line)
        self._words = Text("", "body", "muted", wrap=True)
        line.addWidget(self._words, 1)
        self.refuse_chosen = Button("", "ghost", on_click=self.refuse)
        self.accept_chosen = Button("", "secondary", on_click=self.accept)
        self.accept_all_button = Button("", "secondary", "check-check", self.accept_all)
        for button in (self.refuse_chosen, self.accept_chosen, self.accept_all_button):
            line.addWidget(button)
        return foot

    # what the shell asks

    def open(self, batch: Id | None = None, **params: Any) -> None:
        self.filters.set_batch(batch)
        self._load()

    def page_actions(self) -> list[Action]:
        waits = lambda: self._decidable() and self.filters.which.value() == "open"  # noqa: E731
        return [
            Action("steward.accept", tr("&Accept the update"), self.accept, ("A",), "check", "edit", 5, enabled=waits),
            Action("steward.refuse", tr("&Refuse the update"), self.refuse, ("R",), "x", "edit", 5, enabled=waits),
            Action("steward.next", tr("&Next update"), lambda: self._step(1), ("J",), "arrow-down", "view", 5),
            Action("steward.previous", tr("&Previous update"), lambda: self._step(-1), ("K",), "arrow-up", "view", 5),
            Action("steward.take_back", tr("&Take the decision on the update back"), self.take_back, ("Z",),
                   "rotate-ccw", "edit", 5, enabled=self._decidable),
            Action("steward.accept_all", tr("Accept a&ll that are shown…"), self.accept_all, (), "check-check", "edit",
                   5, enabled=waits),
        ]  # fmt: skip

    def areas(self) -> list[QWidget]:
        return [self.filters, self.list, self.panel]

    def _decidable(self) -> bool:
        return self._work.running is None

    # reading

    def _load(self) -> None:
        self._stale = False
        shown = self.filters.shown()
        if not self._rids:
            self.state.show_loading()

        def read(r: Any) -> tuple[list[int], Mapping[str, int], Sequence[Batch], Sequence[Any]]:
            rids = updates.proposals(
                r, kinds=[shown.kind] if shown.kind else (), states=shown.states, sector=shown.sector,
                batch=shown.batch, written_only=shown.written)
            counted = updates.counts(r, states=shown.states, sector=shown.sector)
            return rids, counted, importing.batches(r), outlets.sectors(r)

        self.session.ask_later(read, self._show, self._failed, key="steward.updates")

    def _failed(self, error: BaseException) -> None:
        self.state.show_error(error, self._load)

    def _show(self, found: tuple[list[int], Mapping[str, int], Sequence[Batch], Sequence[Any]]) -> None:
        rids, counted, batches, sectors = found
        at = max(self.list.currentIndex().row(), 0)
        self._rids = rids
        self.filters.show_counts(counted)
        self.filters.show_choices(batches, sectors)
        if not rids:
            self._empty(sum(counted.values()))
            return
        self.state.show_content()
        self.list.show_rids(rids)
        if self.list.current_id() is None:
            self.list.select_row(min(at, len(rids) - 1))
        self._load_details()
        self._tell_foot()

    def _empty(self, elsewhere: int) -> None:
        self._front = None
        if self.filters.narrowed and elsewhere:
            self.state.show_empty(EmptyState(
                "list-filter", tr("None with these filters"), "", (tr("Show all"), self.filters.clear)))
        elif self.filters.which.value() == "open":
            text = tr("Import a newer file of a source that is here already: what it says otherwise then waits here.")
            self.state.show_empty(EmptyState(
                "circle-check", tr("Nothing waits for a decision"), text,
                (tr("To the imports"), lambda: self.session.navigator.go("steward", page="imports")), tone="success"))
        else:
            self.state.show_empty(EmptyState("history", tr("Nothing was decided yet")))

    def _fetch(self, rids: Sequence[int]) -> Sequence[Proposal]:
        return self.session.ask(lambda r: updates.rows(r, rids))

    def _load_details(self) -> None:
        rid = self.list.current_id()
        proposal = self.list.proposal(rid)
        if proposal is None:
            self.panel.hide()
            self._front = None
            return
        self.session.ask_later(
            lambda r: update_details.details(r, proposal), self._show_details, key="steward.update")

    def _show_details(self, found: UpdateDetails) -> None:
        self._front = found
        self.panel.show_details(found, now=self.session.clock(), may_decide=self.session.actor.role.value == "manager")

    def _tell_foot(self) -> None:
        chosen, shown = len(self.list.selected_ids()), self.filters.shown()
        waiting = self.filters.which.value() == "open"
        many = chosen > 1 and waiting
        self._words.setText(
            trn("{n} chosen", "{n} chosen", chosen) if many else trn("{n} update", "{n} updates", len(self._rids)))
        for button in (self.accept_chosen, self.refuse_chosen):
            button.setVisible(many)
        self.accept_chosen.setText(trn("Accept {n}", "Accept {n}", chosen))
        self.refuse_chosen.setText(trn("Refuse {n}", "Refuse {n}", chosen))
        self.accept_all_button.setText(accept_all_words(shown.kind, len(self._rids)))
        self.accept_all_button.setVisible(waiting and len(self._rids) > 1 and not many)
        for button in (self.accept_chosen, self.refuse_chosen, self.accept_all_button):
            button.setEnabled(self._decidable())

    # deciding

    def _step(self, by: int) -> None:
        at = self.list.currentIndex().row() + by
        if 0 <= at < len(self._rids):
            self.list.select_row(at)

    def open_card(self) -> None:
        if self._front is not None and self._front.outlet is not None:
            self.session.navigator.go("outlet", id=self._front.outlet.id)

    def accept(self) -> None:
        """The chosen ones, or the one in front."""
        self._decide(self.list.selected_ids(), accepted=True)

    def refuse(self) -> None:
        self._decide(self.list.selected_ids(), accepted=False)

    def accept_all(self) -> None:
        """All that the filters show; fields that somebody confirmed are named before."""
        rids = list(self._rids)
        if not rids or not self._decidable() or self.filters.which.value() != "open":
            return
        text = tr("The outlets then say what the file says, also where somebody has confirmed another value. "
                  "You can take it back.")
        title = trn("Accept {n} update?", "Accept all {n} updates?", len(rids))
        if Confirm.ask(self.window(), title, text, tr("Accept"), danger=False):
            self._decide_long(rids, accepted=True)

    def _decide(self, rids: list[int], *, accepted: bool) -> None:
        if not rids or not self._decidable() or self.filters.which.value() != "open":
            return
        if len(rids) > AT_ONCE:
            self._decide_long(rids, accepted=accepted)
            return
        found = {one.rid: one for one in self._fetch(rids)}
        ids, name = [one.id for one in found.values()], next((one.outlet_name for one in found.values()), "")

        def done(decided: Decided) -> None:
            self._said(decided, rids, name, accepted=accepted)

        decide = updates.accept if accepted else updates.refuse
        self.session.do(lambda tx: decide(tx, ids), done)

    def _decide_long(self, rids: list[int], *, accepted: bool) -> None:
        session = self.session
        said = trn("Accepting {n} update.", "Accepting {n} updates.", len(rids)) if accepted else trn(
            "Refusing {n} update.", "Refusing {n} updates.", len(rids))
        self._work.begin(
            DECIDE, said,
            lambda told, stopped: updates.decide_all(
                session.db, rids, accepted=accepted, actor=session.actor, clock=session.clock, on_progress=told,
                stopped=stopped),
            lambda decided: self._said(decided, rids, "", accepted=accepted), session.messages.error,
        )  # fmt: skip

    def _said(self, decided: Decided, rids: list[int], name: str, *, accepted: bool) -> None:
        self._last = rids
        if decided.done == 1 and name:
            text = tr("Accepted: {name}.", name=name) if accepted else tr("Refused: {name} stays as it is.", name=name)
        elif accepted:
            text = trn("{n} update accepted.", "{n} updates accepted.", decided.done)
        else:
            text = trn("{n} update refused.", "{n} updates refused.", decided.done)
        if decided.stopped:
            text += " " + tr("The others still wait.")
        elif decided.passed_over:
            text += " " + trn("{n} was passed over: its outlet is gone, or another has decided.",
                              "{n} were passed over: their outlets are gone, or another has decided.",
                              decided.passed_over)
        undo: Callable[[], None] | None = (lambda: self._reopen(rids)) if decided.done else None
        self.session.messages.done(text, undo)

    def take_back(self) -> None:
        """The decision in front, or else the last one made here."""
        if not self._decidable():
            return
        if self.filters.which.value() != "open":
            self._reopen(self.list.selected_ids())
        elif self._last:
            self._reopen(self._last)

    def _reopen(self, rids: list[int]) -> None:
        if not rids:
            return
        self._last = []
        session = self.session
        self._work.begin(
            DECIDE, trn("Taking {n} decision back.", "Taking {n} decisions back.", len(rids)),
            lambda told, stopped: updates.reopen_all(
                session.db, rids, actor=session.actor, clock=session.clock, on_progress=told, stopped=stopped),
            self._reopened, session.messages.error,
        )  # fmt: skip

    def _reopened(self, decided: Decided) -> None:
        text = trn("{n} update waits again.", "{n} updates wait again.", decided.done)
        if decided.passed_over:
            text += " " + trn("{n} stays as it is: somebody has changed it since.",
                              "{n} stay as they are: somebody has changed them since.", decided.passed_over)
        self.session.messages.say(text)
