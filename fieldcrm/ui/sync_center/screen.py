"""The Sync Centre: the state in a sentence, the receipt of the day, and four lists."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtGui import QGuiApplication, QResizeEvent, QShowEvent
from PySide6.QtWidgets import QHBoxLayout, QStackedWidget, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.fresh_screen import FreshScreen
from fieldcrm.ui.receipt_words import day_words
from fieldcrm.ui.sync_center import rows
from fieldcrm.ui.sync_center.decisions import Decisions
from fieldcrm.ui.sync_center.doing import Doing
from fieldcrm.ui.sync_center.hero import StateCard
from fieldcrm.ui.sync_center.merged import Merged
from fieldcrm.ui.sync_center.rows import Entry, EntryModel
from fieldcrm.ui.sync_center.track import DayCard
from fieldcrm.ui.widgets import (
    Button,
    Card,
    Divider,
    EmptyState,
    RowList,
    SectionTitle,
    StateStack,
    Tabs,
    Text,
    TwoLineDelegate,
    column,
    row,
)
from fieldcrm.usecases import sync_state
from fieldcrm.usecases.receipts import GONE_HERE, Missing, Stage
from fieldcrm.usecases.sync_overview import Overview, Run, overview
from fieldcrm.usecases.sync_state import Phases, Storage
from fieldcrm.words import number, size, tr, trn

NARROW = 1040  # pixels below which the receipt of the day becomes a line at the top
TIGHT = 880  # below which the top speaks in smaller words
LOW, VERY_LOW = 470, 340  # pixels of height below which the top gives way to the lists
KINDS = ("sync", "visit", "submission", "attachment", "review", "conflict", "outlet", "contact", "task", "plan", "note")
SENDING, DECIDING, MERGED, REPORTS, HISTORY = range(5)
TABS = {"sending": SENDING, "decisions": DECIDING, "merged": MERGED, "reports": REPORTS, "history": HISTORY}


class SyncScreen(FreshScreen):
    kinds = KINDS

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        self._stale = True
        self._to_focus = False
        self._runs: tuple[Run, ...] = ()
        self._found: Overview | None = None
        self.doing = Doing(session, self, self._load)
        self.head = StateCard(self.doing.switches())
        self.day = DayCard(self._go_to)
        self.tabs = Tabs("", "", "", "", "")
        self.tabs.setAccessibleName(tr("Lists of the Sync Centre"))
        self.tabs.setMinimumWidth(theme.pixels(360))  # or a narrow window could not become narrow
        self.pages = QStackedWidget()
        self.sending, self.sending_model = self._list(tr("To send"), self._open_entry)
        self.reports, self.reports_model = self._list(tr("Reports"), self._open_entry)
        self.history, self.history_model = self._list(tr("History"), lambda key: None)
        self.decisions = Decisions(self.doing.deeds())
        self.merged = Merged(self.doing.undo_merge, self.doing.open_outlet)
        views = (self.sending, self.decisions, self.merged, self.reports, self.history)
        self.states = [StateStack(view) for view in views]
        for state in self.states:
            self.pages.addWidget(state)
        self.tabs.currentChanged.connect(self._turn)
        self._lay_out()
        self._clock = QTimer(self)
        self._clock.setInterval(5_000)  # “next try in 2 minutes” must not stand still
        self._clock.timeout.connect(self._show_state)
        session.sync_changed.connect(self._on_sync)
        self._show_state()
        self._title_tabs(0, 0, 0, 0)

    # ---- what the shell asks ----

    def open(self, **params: Any) -> None:
        """Show the lists; ``tab`` is "sending", "decisions", "merged", "reports" or "history"."""
        self._load()
        self.head.now.setFocus(Qt.FocusReason.OtherFocusReason)
        if params.get("tab") in TABS:
            self.tabs.setCurrentIndex(TABS[str(params["tab"])])
        elif self._session.sync is not None and self._session.sync.state.waiting.decisions:
            self.tabs.setCurrentIndex(DECIDING)
        self._to_focus = self.tabs.currentIndex() == DECIDING

    def actions(self) -> list[Action]:  # type: ignore[override]
        on = self._session.sync is not None
        return [
            Action("sync.pause", tr("&Pause or resume syncing"), self.doing.toggle, ("Ctrl+P",), "pause", "tools", 1,
                   enabled=lambda: on),
            Action("sync.pause_hour", tr("Pause syncing for an &hour"), self.doing.pause_for_an_hour, (), "timer",
                   "tools", 1, enabled=lambda: on),
            Action("sync.photos", tr("Send the p&hotos now"), self.doing.photos_now, (), "image", "tools", 1,
                   enabled=lambda: on),
            Action("sync.decisions", tr("What needs my &decision"), lambda: self.open(tab="decisions"), (),
                   "circle-help", "tools", 1),
            Action("sync.theirs", tr("Theirs for &all questions"), self.decisions.all_theirs, (), "check-check",
                   "tools", 1, enabled=self._asked),
            Action("sync.mine", tr("&Mine for all questions"), self.decisions.all_mine, (), "undo-2", "tools", 1,
                   enabled=self._asked),
            Action("sync.carry", tr("Carry by &USB stick…"), self.doing.carry, (), "download", "tools", 2,
                   enabled=lambda: on),
            Action("sync.answer", tr("Take the answer from a &stick…"), self.doing.take_answer, (), "upload", "tools",
                   2, enabled=lambda: on),
            Action("sync.report", tr("&Copy the history of syncs"), self._copy_history, (), "copy", "tools", 1),
        ]

    def _asked(self) -> bool:
        return self._found is not None and bool(self._found.clashes)

    def areas(self) -> list[QWidget]:
        return [self.head.now, self.tabs, self.states[self.tabs.currentIndex()]]

    # ---- layout ----

    def _list(self, name: str, opened: Callable[[Any], None]) -> tuple[RowList, EntryModel]:
        model = EntryModel(self)
        view = RowList(model, TwoLineDelegate(_line, dividers=True), name)
        view.opened.connect(opened)
        return view, model

    def _lay_out(self) -> None:
        self._page = page = QVBoxLayout(self)
        page.addWidget(self.head)
        self._body = QHBoxLayout()
        self._body.setSpacing(theme.space(4))
        self._body.addWidget(self._lists(), 1)
        self._body.addWidget(self._side(), 0)
        page.addLayout(self._body, 1)

    def _lists(self) -> QWidget:
        self._board = Card(padding=0, spacing=0)
        line = row(2)
        line.setContentsMargins(theme.space(3), theme.space(1), theme.space(3), 0)
        line.addWidget(self.tabs, 1)
        self.copy_history = Button(tr("Copy report"), "ghost", "copy", self._copy_history)
        self.copy_history.setAccessibleName(tr("Copy report"))
        self.copy_history.setToolTip(tr("Copy report"))
        line.addWidget(self.copy_history)
        self._board.body.setContentsMargins(1, 1, 1, theme.space(2))  # the lists keep off the rounded edge
        self._board.add(line)
        self._board.add(Divider())
        self._board.add(self.pages, 1)
        self.copy_history.hide()
        return self._board

    def _side(self) -> QWidget:
        self._aside = QWidget()
        self._aside_lines = column(4)
        self._aside.setLayout(self._aside_lines)
        self._aside.setFixedWidth(theme.pixels(370))
        self._aside_lines.addWidget(self.day)
        self._aside_lines.addWidget(self._storage_card())
        self._aside_lines.addStretch(1)
        return self._aside

    def _storage_card(self) -> Card:
        self._storage = Card(padding=5, spacing=2)
        self._storage.add(SectionTitle(tr("Room used on this device")))
        self._data_size, self._photo_size = Text("–", "body-medium"), Text("–", "body-medium")
        for label, value in ((tr("Data, encrypted"), self._data_size), (tr("Photos, encrypted"), self._photo_size)):
            line = row(2)
            line.addWidget(Text(label, "body", "muted"))
            line.addStretch(1)
            line.addWidget(value)
            self._storage.add(line)
        self._photo_note = Text("", "caption", "faint", wrap=True)
        self._storage.add(self._photo_note)
        return self._storage

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._aside.setVisible(self.width() >= theme.pixels(NARROW))
        self._fit()

    def _fit(self) -> None:
        """Room for the lists where there is little: the top says less, a question needs its place more."""
        tight, low = self.width() < theme.pixels(TIGHT), self.height() < theme.pixels(LOW)
        deciding = self.tabs.currentIndex() in (DECIDING, MERGED)
        said = self._found is not None and self._found.day.reports_here > 0
        fits = self.width() < theme.pixels(NARROW) and self.height() >= theme.pixels(VERY_LOW)
        # The receipt of the day in one line, where its card has no room.
        self.head.note.setVisible(fits and said and not deciding)
        self.head.detail.setVisible(not (low and deciding))
        margin = theme.space(3 if low else 6)
        self._page.setContentsMargins(margin, margin, margin, margin)
        self._page.setSpacing(theme.space(2 if low else 4))
        self.copy_history.setText("" if tight else tr("Copy report"))  # or it pushes the tabs out of sight
        self.head.set_room(narrow=tight, low=low)

    # ---- reading ----

    def showEvent(self, event: QShowEvent) -> None:
        self._clock.start()
        self._show_state()
        super().showEvent(event)

    def hideEvent(self, event: object) -> None:
        self._clock.stop()

    def _on_sync(self) -> None:
        self._show_state()
        sync = self._session.sync
        if sync is not None and sync.state.phase is not Phases.SYNCING:
            self._freshen()

    def _show_state(self) -> None:
        sync = self._session.sync
        self.head.setVisible(sync is not None)
        if sync is not None:
            self.head.show_state(sync.state, self._session.clock())

    def _load(self) -> None:
        self._stale = False
        if self._found is None:
            for state in self.states:
                state.show_loading()
        person, now = self._session.actor.user_id, self._session.clock()
        day = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        self._session.ask_later(lambda r: overview(r, person, now, day), self._show, key="sync-centre")
        session = self._session
        session.tasks.run(lambda: sync_state.storage(session.db, session.photos), self._show_storage)

    def _show(self, found: Overview) -> None:
        now = self._session.clock()
        sync = self._session.sync
        self._found = found
        self.doing.lists_are_fresh()
        state = None if sync is None else sync.state
        waiting = [rows.of_change(change, state, now) for change in found.changes]
        waiting += [rows.of_photo(photo, state, now, found.to_call) for photo in found.photos]
        waiting += [rows.of_away(away) for away in found.away]
        self._runs = found.runs
        past = [rows.of_run(at, run, now) for at, run in enumerate(found.runs)]
        self._fill(SENDING, self.sending, self.sending_model, waiting)
        self._fill(REPORTS, self.reports, self.reports_model, [rows.of_receipt(r, now) for r in found.reports])
        self._fill(HISTORY, self.history, self.history_model, past)
        self.decisions.show_all(found.clashes, found.refusals, found.to_call, found.let_go)
        if self._to_focus:  # the keys of the first question work at once
            self._to_focus = False
            self.decisions.focus_first()
        self.merged.show_all(found.merges)
        to_decide = len(found.clashes) + len(found.refusals)
        for tab, count in ((DECIDING, to_decide or len(found.let_go)), (MERGED, len(found.merges))):
            if count:
                self.states[tab].show_content()
            else:
                self.states[tab].show_empty(self._empty(tab))
        self._title_tabs(found.to_send, to_decide, len(found.merges), len(found.reports))
        self.day.show_day(found.day)
        self.head.note.setText(day_words(found.day))
        self._fit()

    def _fill(self, tab: int, view: RowList, model: EntryModel, entries: list[Entry]) -> None:
        keys = model.keep(entries)
        view.set_ids(keys)
        if keys:
            self.states[tab].show_content()
        else:
            self.states[tab].show_empty(self._empty(tab))

    def _empty(self, tab: int) -> EmptyState:
        if tab == DECIDING:
            return EmptyState("circle-check", tr("Nothing needs your decision"),
                              tr("When two people change the same thing, or a change is refused, it appears here."),
                              tone="success")
        if tab == MERGED:
            return EmptyState("merge", tr("Nothing was merged"),
                              tr("When you and somebody else change different things of one outlet, both are kept and "
                                 "it is told here."))
        if tab == REPORTS:
            return EmptyState("clipboard-list", tr("No report in the last two weeks"),
                              tr("Each report you send has its receipt here: sent, verified, reviewed."))
        if tab == HISTORY:
            return EmptyState("history", tr("No sync yet"), tr("Each sync is written down here, with what it did."))
        if self._session.sync is None:
            return EmptyState("hard-drive", tr("This workspace has no server"),
                              tr("All you record stays on this device, encrypted."))
        return EmptyState("shield-check", tr("Nothing is waiting"),
                          tr("What you record is listed here until headquarters has it."), tone="success")

    def _title_tabs(self, sending: int, to_decide: int, merged: int, reports: int) -> None:
        titles = (
            (SENDING, tr("To send"), sending),
            (DECIDING, tr("Needs your decision"), to_decide),
            (MERGED, tr("Merged for you"), merged),
            (REPORTS, tr("Reports"), reports),
            (HISTORY, tr("History"), 0),
        )
        for at, title, count in titles:
            self.tabs.setTabText(at, f"{title}  {number(count)}" if count else title)

    def _show_storage(self, used: Storage) -> None:
        self._data_size.setText(size(used.database))
        self._photo_size.setText(size(used.photos))
        self._photo_note.setText(trn("{n} photo on this device", "{n} photos on this device", used.photo_count))

    def _turn(self, at: int) -> None:
        self.pages.setCurrentIndex(at)
        self._fit()
        self.copy_history.setVisible(at == HISTORY)

    # ---- doing ----

    def _open_entry(self, key: Any) -> None:
        entry = self.sending_model.entry(key) or self.reports_model.entry(key)
        if entry is not None:
            self.doing.open_outlet(getattr(entry.about, "outlet_id", None))

    def _go_to(self, missing: Missing) -> None:
        """The one thing that is missing: send it, or go where it can be mended."""
        if missing.receipt.stage is Stage.REFUSED:
            self.tabs.setCurrentIndex(DECIDING)
            self.decisions.focus_first()
        elif missing.problem in GONE_HERE:
            self.doing.open_outlet(missing.receipt.outlet_id)
        else:
            self.doing.resend(missing.receipt.submission_id)

    def _copy_history(self) -> None:
        QGuiApplication.clipboard().setText(rows.report_text(self._runs))
        self._session.messages.done(tr("The history was copied."))


def _line(entry: Entry) -> Any:
    return entry.line
