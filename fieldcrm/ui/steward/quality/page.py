"""The quality of the outlet base: the kinds of findings at the left, their list at the right, one key to mend each."""

from __future__ import annotations

from functools import partial
from typing import Any

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QSplitter, QStackedWidget, QVBoxLayout, QWidget

from fieldcrm.domain.changes import Changes
from fieldcrm.domain.errors import CodedError
from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.steward.page import StewardPage
from fieldcrm.ui.steward.quality import finding_words
from fieldcrm.ui.steward.quality.checking import checking_of
from fieldcrm.ui.steward.quality.dialogs import SAMPLE, IgnoreDialog, MendDialog, RulesDialog, TaskDialog
from fieldcrm.ui.steward.quality.kinds import SECTORS, KindsSide
from fieldcrm.ui.steward.quality.list_view import FindingsView
from fieldcrm.ui.steward.quality.sectors import SectorsView
from fieldcrm.ui.widgets import Button, EmptyState, StateStack, Text, column
from fieldcrm.usecases import outlet_quality as quality
from fieldcrm.usecases.outlet_quality import KINDS, Fixed, Overview, Rules
from fieldcrm.words import number, tr, trn

SOON = 500  # ms after the last change before it is looked at


class QualityPage(StewardPage):
    """Places: ``kind`` names a kind of findings."""

    kinds = ("outlet", "visit", "rule", "outlet_alias", "sector")

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._seen: Overview | None = None
        self._code = SECTORS
        self._mending = False
        self._checking = checking_of(session)
        self._checking.moved.connect(self._say_check)
        self._checking.ended.connect(self._checked)
        self._soon = QTimer(self)
        self._soon.setSingleShot(True)
        self._soon.setInterval(SOON)
        self._soon.timeout.connect(self._checking.start)
        self._lay_out()

    # ---- layout ----

    def _lay_out(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(theme.space(6), theme.space(5), theme.space(6), theme.space(5))
        whole.setSpacing(theme.space(3))
        whole.addLayout(self._head())
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.bar.setFixedHeight(theme.pixels(4))
        self.bar.hide()
        whole.addWidget(self.bar)
        self.side = KindsSide()
        self.side.chosen.connect(self._choose)
        self.side.sector_chosen.connect(lambda _: self._load())
        self.view = FindingsView(self._rows, self._describe)
        self.view.acted.connect(self._act)
        self.view.shown_changed.connect(self._list)
        self.sectors = SectorsView(self._choose_sector)
        self.right = QStackedWidget()
        self.right.addWidget(self.sectors)
        self.right.addWidget(self.view)
        split = QSplitter(Qt.Orientation.Horizontal)
        split.setChildrenCollapsible(False)
        split.setHandleWidth(theme.space(4))
        split.addWidget(self.side)
        split.addWidget(self.right)
        split.setStretchFactor(1, 1)
        split.setSizes([theme.pixels(270), theme.pixels(700)])
        self.side.setMinimumWidth(theme.pixels(220))
        self.states = StateStack(split)
        whole.addWidget(self.states, 1)

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(theme.space(2))
        titles = column(0)
        titles.addWidget(Text(tr("Quality"), "title"))
        self.line = Text("", "body", "muted", wrap=True)
        titles.addWidget(self.line)
        head.addLayout(titles, 1)
        self.stop_button = Button(tr("Stop"), "secondary", "x", self._checking.stop)
        self.stop_button.hide()
        self.rules_button = Button(tr("Rules…"), "secondary", "sliders-horizontal", self.set_rules)
        head.addWidget(self.stop_button, 0, Qt.AlignmentFlag.AlignTop)
        head.addWidget(self.rules_button, 0, Qt.AlignmentFlag.AlignTop)
        return head

    # ---- what the screen calls ----

    def open(self, kind: str = "", **params: Any) -> None:
        if kind in KINDS:
            self._code = kind
        super().open(**params)
        self._checking.start()

    def refresh(self, changes: Changes) -> None:
        super().refresh(changes)
        if changes.touches(*self.kinds) and self.isVisible() and not self._mending:
            self._soon.start()

    def page_actions(self) -> list[Action]:
        current, view = self.view.current, self.view

        def fixable() -> bool:
            one = current()
            return view.isVisible() and one is not None and one.suggestion is not None and not one.ignored

        def there() -> bool:
            return view.isVisible() and current() is not None

        return [
            Action("steward.fix", tr("&Apply the suggestion"), self.fix, ("F",), "check", "edit", 6, fixable),
            Action("steward.ignore", tr("&Ignore the finding…"), self.ignore, ("I",), "ban", "edit", 6, there),
            Action("steward.task", tr("Make it a &task…"), self.make_task, ("T",), "user-round", "edit", 6, there),
            Action("steward.open", tr("&Open the outlet"), self.open_card, ("O",), "arrow-right", "view", 6, there),
            Action("steward.next", tr("&Next finding"), lambda: view.step(1), ("J",), "arrow-down", "view", 6, there),
            Action("steward.previous", tr("&Previous finding"), lambda: view.step(-1), ("K",), "arrow-up", "view", 6,
                   there),
            Action("steward.fix_all", tr("&Mend all that is safe…"), self.fix_all, ("Ctrl+Shift+M",), "check-check",
                   "edit", 6, lambda: self._safe() > 0),
            Action("steward.rules", tr("&Rules of quality…"), self.set_rules, (), "sliders-horizontal", "tools", 6,
                   lambda: self.session.is_manager),
        ]

    def areas(self) -> list[QWidget]:
        return [self.side.list, self.view.list]

    # ---- reading ----

    def _load(self) -> None:
        self._stale = False
        now, sector = self.session.clock(), self.side.sector_id()
        if self._seen is None:
            self.states.show_loading()
            kept = self.session.ask(quality.last_overview) if sector is None else None
            if kept is not None and kept.outlets:
                self._show(kept)
        self.session.ask_later(
            lambda r: quality.overview(r, now=now, sector=sector), self._show, self._failed, key="quality.overview")

    def _failed(self, error: BaseException) -> None:
        self.states.show_error(error, self._load)

    def _show(self, seen: Overview) -> None:
        self._seen = seen
        if not seen.outlets:
            self.states.show_empty(EmptyState(
                "list-checks", tr("No outlet to look at"), tr("Import a file of outlets, or sync first.")))
            self._say_check()
            return
        self.side.show_overview(seen, self._code)
        self.sectors.show_sectors(seen.sectors, seen.rules)
        self.states.show_content()
        self._say_check()
        self._show_right()

    def _choose(self, code: str) -> None:
        self._code = code
        self.view.which.set_value("open")
        self._show_right()

    def _choose_sector(self, sector: Id) -> None:
        codes = list(self._seen.counts) if self._seen else []
        self._code = codes[0] if codes else SECTORS
        self.side.choose_sector(sector)

    def _show_right(self) -> None:
        if self._code == SECTORS:
            self.right.setCurrentWidget(self.sectors)
            return
        self.right.setCurrentWidget(self.view)
        self.view.show_kind(finding_words.kind_name(self._code), finding_words.kind_means(self._code, self._rules()),
                            self._safe(), ignorable=not KINDS[self._code].calendar)
        self._list()

    def _list(self) -> None:
        now, code, sector = self.session.clock(), self._code, self.side.sector_id()
        ignored = self.view.which.value() == "ignored"
        self.view.states.show_loading()
        self.session.ask_later(
            lambda r: quality.findings(r, code, now=now, sector=sector, ignored=ignored),
            self._show_list, lambda error: self.view.states.show_error(error, self._list), key="quality.list")

    def _show_list(self, ids: list[tuple[int, str]]) -> None:
        if ids:
            self.view.show_ids(ids)
            return
        self.view.show_ids([])
        if self.view.which.value() == "ignored":
            state = EmptyState("ban", tr("Nothing is ignored"), tr("What somebody found right as it is stands here."))
        else:
            state = EmptyState("circle-check", tr("Nothing left to mend here"), "", tone="success")
        self.view.states.show_empty(state)

    def _rows(self, ids: Any) -> list[quality.FindingRow]:
        code = self._code
        return self.session.ask(lambda r: quality.rows(r, code, ids))

    def _describe(self, one: quality.FindingRow) -> str:
        return finding_words.said(one, self._rules(), self.session.clock())

    def _rules(self) -> Rules:
        return self._seen.rules if self._seen is not None else Rules()

    def _safe(self) -> int:
        if self._seen is None or self._code == SECTORS or self.view.which.value() == "ignored":
            return 0
        return self._seen.counts.get(self._code, (0, 0))[1]

    # ---- the check in the background ----

    def _say_check(self) -> None:
        check, seen = self._checking, self._seen
        long = check.busy and check.total > 2 * quality.SLICE
        self.bar.setVisible(long or self._mending)
        self.stop_button.setVisible(long and not self._mending)
        self.rules_button.setVisible(self.session.is_manager)
        if check.busy and check.total and not self._mending:
            self.bar.setRange(0, check.total)
            self.bar.setValue(check.done)
            self.bar.setAccessibleName(tr("Looking at the outlets"))
        if long:
            self.line.setText(tr("Looking at the outlets: {n} of {all}", n=number(check.done), all=number(check.total)))
        elif seen is not None and seen.judged < seen.outlets:
            looked_at, everything = number(seen.judged), number(seen.outlets)
            self.line.setText(tr("{n} of {all} outlets were looked at", n=looked_at, all=everything))
        elif seen is not None:
            found = sum(count for code, (count, _) in seen.counts.items() if not KINDS[code].calendar)
            looked = trn("{n} outlet looked at", "{n} outlets looked at", seen.outlets)
            self.line.setText(f"{looked} · " + trn("{n} value to mend", "{n} values to mend", found))

    def _checked(self, count: int) -> None:
        if self._checking.error is not None:
            self.session.messages.error(self._checking.error)
        if count or self._seen is None:
            self.view.model.forget_rows()
            self._freshen()

    # ---- deeds ----

    def _act(self, name: str) -> None:
        {"fix": self.fix, "ignore": self.ignore, "task": self.make_task, "open": self.open_card,
         "fix_all": self.fix_all}[name]()

    def fix(self) -> None:
        """Apply the suggestion to the finding in front, and go to the next."""
        one = self.view.current()
        if one is None or one.suggestion is None or one.ignored:
            return
        suggestion = one.suggestion
        self._step_off()
        self.session.do(
            lambda tx: quality.fix(tx, one.outlet_id, one.code, one.field, one.value, suggestion),
            lambda kept: self._fixed(kept, one.name), self._refused)

    def ignore(self) -> None:
        one = self.view.current()
        if one is None or not one.field:
            return
        if one.ignored:
            self.session.do(lambda tx: quality.mend_after_all(tx, one), lambda _: self._load(), self._refused)
            return
        reason = IgnoreDialog.ask(self.window(), one)
        if reason is None:
            return
        self._step_off()
        self.session.do(
            lambda tx: quality.ignore_finding(tx, one, reason), lambda kept: self._ignored(kept, one.name),
            self._refused)

    def _ignored(self, kept: Id, name: str) -> None:
        def back() -> None:
            self.session.do(lambda tx: quality.take_back_ignored(tx, kept), lambda _: self._load())

        self.session.messages.done(tr("Ignored: {name}", name=name), back)
        self._load()

    def make_task(self) -> None:
        one = self.view.current()
        if one is None:
            return
        wanted = TaskDialog.ask(self.window(), one, self.session.clock().date())
        if wanted is not None:
            title, due = wanted
            self.session.do(
                lambda tx: quality.make_task(tx, one, title, due),
                lambda _: self.session.messages.done(tr("Task made for the sector’s rep: {name}", name=one.name)),
                self._refused)

    def open_card(self) -> None:
        one = self.view.current()
        if one is not None:
            self.session.navigator.go("outlet", id=one.outlet_id)

    def fix_all(self) -> None:
        """Show what would change, then mend it, some in each transaction."""
        if not self._safe() or self._mending:
            return
        now, code, sector = self.session.clock(), self._code, self.side.sector_id()

        def read(r: Any) -> tuple[list[tuple[int, str]], list[quality.FindingRow]]:
            ids = quality.findings(r, code, now=now, sector=sector, safe=True)
            return ids, quality.rows(r, code, ids[:SAMPLE])

        self.session.ask_later(read, partial(self._mend, code), self._refused, key="quality.mend")

    def _mend(self, code: str, found: tuple[list[tuple[int, str]], list[quality.FindingRow]]) -> None:
        ids, rows = found
        if not ids or not MendDialog.ask(self.window(), code, len(ids), rows):
            return
        session, now = self.session, self.session.clock()
        self._mending = True
        session.tasks.run(
            lambda: quality.fix_all(session.db, code, ids, actor=session.actor, now=now, progress=self._tell),
            self._mended, self._mend_failed)
        self._say_check()

    def _tell(self, done: int, total: int) -> None:
        def heard() -> None:
            self.bar.setRange(0, total)
            self.bar.setValue(done)

        self.session.tasks.post(heard)

    def _mended(self, fixed: Fixed) -> None:
        self._mending = False
        self.session.wrote(Changes({"outlet": frozenset()}, False, "", None))
        said = trn("{n} value mended.", "{n} values mended.", fixed.mended)
        if fixed.passed_over:
            said += " " + trn("{n} had changed meanwhile.", "{n} had changed meanwhile.", fixed.passed_over)
        self.session.messages.done(said, partial(self._take_back, fixed) if fixed.transactions else None)
        self._checking.start()
        self._load()

    def _take_back(self, fixed: Fixed) -> None:
        session, now = self.session, self.session.clock()
        self._mending = True
        session.tasks.run(
            lambda: quality.take_back_fixes(
                session.db, fixed.transactions, actor=session.actor, now=now, progress=self._tell),
            lambda _: self._taken_back(), self._mend_failed)
        self._say_check()

    def _taken_back(self) -> None:
        self._mending = False
        self.session.wrote(Changes({"outlet": frozenset()}, False, "", None))
        self.session.messages.say(tr("Everything is as it was before."))
        self._checking.start()

    def _mend_failed(self, error: BaseException) -> None:
        self._mending = False
        self._say_check()
        self._refused(error)

    def set_rules(self) -> None:
        wanted = RulesDialog.ask(self.window(), self._rules())
        if wanted is not None and wanted != self._rules():
            self.session.do(lambda tx: quality.set_rules(tx, wanted), lambda _: self._checking.start(), self._refused)

    def _step_off(self) -> None:
        """The line is about to go: the next one takes its place in front."""
        ids = self.view.model.ids()
        at = self.view.model.row_of(self.view.list.current_id())
        if len(ids) > 1:
            self.view.list.select_id(ids[at + 1 if at + 1 < len(ids) else at - 1])

    def _fixed(self, kept: Id, name: str) -> None:
        def back() -> None:
            self.session.do(lambda tx: quality.take_back_fix(tx, kept), lambda _: self._load(), self._refused)

        self.session.messages.done(tr("Mended: {name}", name=name), back)
        self._load()

    def _refused(self, error: BaseException) -> None:
        if not isinstance(error, CodedError):
            raise error
        self.session.messages.error(error)
        self._load()
