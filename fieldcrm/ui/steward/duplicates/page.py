"""The page of duplicates: pairs at the left, the likeliest first; the two outlets and the decision at the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QSplitter, QStackedWidget, QWidget

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.ui import duplicate_words, theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.steward.duplicates import words
from fieldcrm.ui.steward.duplicates.compare import Comparison
from fieldcrm.ui.steward.duplicates.merged import MergeDetail, described
from fieldcrm.ui.steward.duplicates.rules import RulesPanel
from fieldcrm.ui.steward.duplicates.searching import MERGE, SEARCH, DuplicateWork
from fieldcrm.ui.steward.page import PageHead, StewardPage
from fieldcrm.ui.steward.workbar import WorkBar
from fieldcrm.ui.widgets import (
    Button,
    Card,
    Confirm,
    EmptyState,
    IconButton,
    PageModel,
    RowList,
    SegmentedControl,
    StateStack,
    TwoLine,
    TwoLineDelegate,
    column,
    row,
)
from fieldcrm.ui.widgets.lists import Column
from fieldcrm.usecases import duplicate_review, duplicates, merging
from fieldcrm.usecases.duplicate_review import BothSides, Overview
from fieldcrm.usecases.duplicates import Group
from fieldcrm.usecases.merging import MergeLine
from fieldcrm.words import since, tr, trc, trn

NARROW = 900
TO_DECIDE, DONE = "pairs", "merged"


class DuplicatesPage(StewardPage):
    """Places: ``show`` is ``pairs`` or ``merged``."""

    kinds = ("duplicate_pair", "outlet_alias", "distinct_pair", "rule", "outlet")

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._shown: Overview | None = None
        self._by_key: dict[Any, Group] = {}
        self._lines: dict[Any, MergeLine] = {}
        self._gone: set[Any] = set()  # pairs decided on, until they are read again
        self.work = DuplicateWork(session)
        self._page = page = column(3)
        self.setLayout(page)
        page.addWidget(self._make_head())
        self.bar = WorkBar(self.work.work, SEARCH, MERGE)
        page.addWidget(self.bar)
        self.splitter = QSplitter(Qt.Orientation.Horizontal)
        self.splitter.setChildrenCollapsible(False)
        self.splitter.setHandleWidth(1)
        self.splitter.addWidget(self._make_list())
        self.splitter.addWidget(self._make_right())
        self.splitter.setStretchFactor(1, 1)
        self.state = StateStack(self.splitter)
        page.addWidget(self.state, 1)
        self.work.work.changed.connect(self._arm)

    # its parts

    def _make_head(self) -> QWidget:
        self.head = PageHead(tr("Duplicates"), " ")
        self.rules_button = IconButton("sliders-horizontal", tr("Rules for duplicates"), self.show_rules)
        self.search_button = Button(tr("Compare the base"), "secondary", "refresh-cw", self.search)
        self.all_button = Button("", "primary", "merge", self.merge_certain)
        for one in (self.rules_button, self.search_button, self.all_button):
            self.head.add(one)
        return self.head

    def _make_list(self) -> QWidget:
        side = QWidget()
        side.setMinimumWidth(theme.pixels(200))
        part = column(2)
        part.setContentsMargins(0, 0, theme.space(2), 0)
        side.setLayout(part)
        choices = [(TO_DECIDE, tr("To decide")), (DONE, trc("outlets", "Merged"))]
        self.which = SegmentedControl(choices, name=tr("Pairs"))
        self.which.chosen.connect(lambda value: self.session.navigator.go("steward", page="duplicates", show=value))
        head = row(0)
        head.addWidget(self.which)
        head.addStretch(1)
        part.addLayout(head)
        self._pairs: PageModel[Group] = PageModel(
            [Column("pair", tr("Pair"), self._spoken)], lambda keys: [self._by_key[key] for key in keys],
            lambda group: group.best.key, self)
        self.list = RowList(self._pairs, TwoLineDelegate(self._describe), tr("Pairs that may be one outlet"))
        self.list.current_changed.connect(lambda _: self._show_current())
        self._merges: PageModel[MergeLine] = PageModel(
            [Column("merge", tr("Merge"), lambda line: f"{line.kept}, {line.merged}")],
            lambda ids: [self._lines[id_] for id_ in ids], lambda line: line.alias.id, self)
        self.merge_list = RowList(self._merges, TwoLineDelegate(lambda line: described(line, self.session.clock())),
                                  tr("Merges made"))
        self.merge_list.current_changed.connect(lambda id_: self.detail.show_line(self._lines[id_]))
        self.lists = QStackedWidget()
        self.lists.addWidget(self.list)
        self.lists.addWidget(self.merge_list)
        framed = Card(padding=1, spacing=0)
        framed.add(self.lists, 1)
        part.addWidget(framed, 1)
        return side

    def _make_right(self) -> QWidget:
        self.comparison = Comparison()
        self.comparison.card_wanted.connect(lambda id_: self.session.navigator.go("outlet", id=id_))
        self.compare_state = StateStack(self._with_buttons())
        self.detail = MergeDetail()
        self.detail.apart_wanted.connect(self.take_apart)
        self.merge_state = StateStack(self.detail)
        self.rules = RulesPanel(self.session, self._leave_rules)
        self.right = QStackedWidget()
        for one in (self.compare_state, self.merge_state, self.rules):
            self.right.addWidget(one)
        return self.right

    def _with_buttons(self) -> QWidget:
        side = QWidget()
        part = column(0)
        side.setLayout(part)
        part.addWidget(self.comparison, 1)
        foot = row(2)
        foot.setContentsMargins(theme.space(5), theme.space(3), theme.space(5), 0)
        foot.addWidget(Button(tr("Later (L)"), "ghost", on_click=self.put_off))
        foot.addStretch(1)
        self.apart_button = Button(tr("Two different (D)"), "secondary", "x", self.tell_apart)
        self.merge_button = Button(tr("Merge (M)"), "primary", "merge", self.merge)
        foot.addWidget(self.apart_button)
        foot.addWidget(self.merge_button)
        part.addLayout(foot)
        return side

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < theme.pixels(NARROW)
        side = theme.pixels(216 if narrow else 320)
        margin = theme.space(4 if narrow else 6)
        self._page.setContentsMargins(margin, margin, margin, margin)
        self.head.note.setVisible(not narrow)
        self._arm()
        self.apart_button.setText(tr("Two (D)") if narrow else tr("Two different (D)"))
        self.splitter.setSizes([side, max(1, self.width() - side)])

    # what the shell asks

    def open(self, show: str = TO_DECIDE, **params: Any) -> None:
        self.which.set_value(DONE if show == DONE else TO_DECIDE)
        self._load()

    def page_actions(self) -> list[Action]:
        pair, merged = self._pair_in_front, self._merge_in_front
        return [
            Action("steward.duplicates_search", tr("&Compare the base with itself"), self.search, (), "refresh-cw",
                   "tools", 3, enabled=lambda: not self.work.busy),
            Action("steward.duplicates_certain", tr("Merge all &certain pairs…"), self.merge_certain, (), "merge",
                   "edit", 5, enabled=lambda: bool(self._certain()) and not self.work.busy),
            Action("steward.duplicates_rules", tr("&Rules for duplicates…"), self.show_rules, (), "sliders-horizontal",
                   "edit", 6),
            Action("steward.merge", tr("&Merge the two outlets"), self.merge, ("M",), "merge", "edit", 5, enabled=pair),
            Action("steward.two", tr("They are two &different outlets"), self.tell_apart, ("D",), "x", "edit", 5,
                   enabled=pair),
            Action("steward.later", tr("Decide &later"), self.put_off, ("L",), "clock", "edit", 5, enabled=pair),
            Action("steward.first", tr("Choose the &first"), lambda: self.comparison.choose(0), ("1",), "", "edit", 6,
                   enabled=pair),
            Action("steward.second", tr("Choose the &second"), lambda: self.comparison.choose(1), ("2",), "", "edit",
                   6, enabled=pair),
            Action("steward.next_pair", tr("&Next pair"), lambda: self._step(1), ("J",), "arrow-down", "view", 5),
            Action("steward.previous_pair", tr("&Previous pair"), lambda: self._step(-1), ("K",), "arrow-up", "view",
                   5),
            Action("steward.unmerge", tr("&Take the merge apart"), self._apart_current, ("U",), "undo-2", "edit", 5,
                   enabled=merged),
        ]  # fmt: skip

    def areas(self) -> list[QWidget]:
        return [self.list if self.which.value() == TO_DECIDE else self.merge_list, self.right]

    def _pair_in_front(self) -> bool:
        return self.right.currentWidget() is self.compare_state and self.comparison.pair is not None

    def _merge_in_front(self) -> bool:
        return self.right.currentWidget() is self.merge_state and self.detail.line is not None

    # reading

    def _load(self) -> None:
        self._stale = False
        if self._shown is None:
            self.state.show_loading()
        self.session.ask_later(duplicate_review.overview, self._show, self._failed, key="steward.duplicates")
        self.work.refresh()

    def _failed(self, error: BaseException) -> None:
        self.state.show_error(error, self._load)

    def _show(self, shown: Overview) -> None:
        self._shown = shown
        self._gone.clear()
        self._by_key = {group.best.key: group for group in shown.groups}
        self._lines = {line.alias.id: line for line in shown.merges}
        self._say_state(shown)
        self.lists.setCurrentIndex(1 if self.which.value() == DONE else 0)
        if self.right.currentWidget() is not self.rules:
            self.right.setCurrentIndex(self.lists.currentIndex())
        self._arm()
        never = shown.state.checked_at is None and not shown.merges
        if never and self.which.value() == TO_DECIDE and not self.work.busy and not shown.groups:
            self.state.show_empty(self._nothing_yet())
            return
        self.state.show_content()
        self._fill(self.merge_list, self._merges, list(self._lines), self.merge_state, EmptyState(
            "merge", tr("Nothing merged yet"), tr("Merges are listed here, and can be taken apart.")))
        if shown.state.checked_at is None:
            nothing = EmptyState("copy", tr("Not compared yet"), tr("The list fills as soon as the base is compared."))
        else:
            nothing = EmptyState("check-check", tr("No duplicates left"),
                                 tr("Nothing in the base looks like something else in it."))
        self._fill(self.list, self._pairs, list(self._by_key), self.compare_state, nothing)

    def _fill(self, view: RowList, model: PageModel[Any], ids: list[Any], state: StateStack, empty: QWidget) -> None:
        kept, at = view.current_id(), max(0, view.currentIndex().row())
        model.set_ids(ids)
        if not ids:
            if view is self.list:
                self.comparison.pair = None
            else:
                self.detail.line = None
            state.show_empty(empty)
            return
        state.show_content()
        if kept is None or not view.select_id(kept):
            view.setCurrentIndex(model.index(min(at, len(ids) - 1), 0))
        elif view is self.list:
            self._show_current()
        else:
            self.detail.show_line(self._lines[kept])

    def _nothing_yet(self) -> EmptyState:
        text = tr("Every outlet is compared with those around it and those with the same telephone or SIRET. "
                  "Half a million take a few minutes; you can go on working meanwhile.")
        return EmptyState("copy", tr("The base was never compared"), text, (tr("Compare the base"), self.search))

    def _say_state(self, shown: Overview) -> None:
        parts = [tr("Outlets that are in the base twice: you say which one stays, and can take it back.")]
        if shown.state.checked_at is not None:
            parts.append(tr("Compared {since}.", since=since(shown.state.checked_at, self.session.clock())))
        if shown.state.waiting > duplicates.ONE_BY_ONE and shown.state.checked_at is not None:
            parts.append(tr("Many outlets are new or changed since: compare the base again."))
        self.head.say(" ".join(parts))
        self.head.note.setVisible(self.width() >= theme.pixels(NARROW))

    def _arm(self) -> None:
        """Buttons that depend on what is there, and on work under way."""
        certain = len(self._certain())
        text = trn("Merge the {n} certain…", "Merge the {n} certain…", certain)
        self.all_button.setText(tr("Certain: {n}…", n=certain) if self.width() < theme.pixels(NARROW) else text)
        self.all_button.setAccessibleName(text)
        self.all_button.setVisible(certain > 0)
        self.all_button.setEnabled(not self.work.busy)
        self.search_button.setEnabled(not self.work.busy)
        if self.session.action_table is not None:
            self.session.action_table.refresh()

    def _certain(self) -> list[duplicates.Pair]:
        return [] if self._shown is None else merging.certain(self._shown.groups, self._shown.rules.certain)

    def _spoken(self, group: Group) -> str:
        line = self._describe(group)
        return f"{line.title}, {line.subtitle}, {line.trailing}"

    def _describe(self, group: Group) -> TwoLine:
        assert self._shown is not None
        pair, known = group.best, self._shown.names
        one, other = (known.get(id_, ("", "")) for id_ in (pair.one_id, pair.other_id))
        second = other[0] if other[0] != one[0] else ""
        why = duplicate_words.why(pair.reasons, most=2, speaking_for=True)
        several = tr("group of {n}", n=len(group.outlets)) if len(group.outlets) > 2 else ""
        return TwoLine(
            one[0], " · ".join(part for part in (several, second, why) if part), icon="copy",
            trailing=words.score_words(pair.score),
            tone=words.verdict(pair.score, self._shown.rules.certain)[1], faded=pair.later_at is not None,
        )  # fmt: skip

    def _show_current(self) -> None:
        group = self._by_key.get(self.list.current_id())
        if group is None or self._shown is None:
            return
        pair, certain = group.best, self._shown.rules.certain

        def show(found: BothSides) -> None:
            one, other = found.sides
            if one.outlet.id == other.outlet.id:
                self._load()  # merged a moment ago
                return
            self.comparison.show_pair(group, found.sides, found.people, certain, self.session.clock())
            self._arm()

        def gone(error: BaseException) -> None:
            if isinstance(error, DomainError):
                self._load()  # one of them has left this device
            else:
                self.compare_state.show_error(error, self._show_current)

        read = lambda r: duplicate_review.both_sides(r, pair)  # noqa: E731
        self.session.ask_later(read, show, gone, key="steward.duplicates.pair")

    # deciding

    def _step(self, by: int) -> None:
        view = self.lists.currentWidget()
        assert isinstance(view, RowList)
        at, model = view.currentIndex().row() + by, view.model()
        if 0 <= at < model.rowCount():
            view.setCurrentIndex(model.index(at, 0))
            view.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def merge(self) -> None:
        """The two in front become one; the next pair comes."""
        sides, pair = self.comparison.sides, self.comparison.pair
        if sides is None or pair is None:
            return
        keep, lose = sides[self.comparison.survivor].outlet, sides[1 - self.comparison.survivor].outlet
        take, codes = self.comparison.take(), ",".join(reason.code for reason in pair.reasons[:6])

        def merged(alias: Id) -> None:
            self.session.messages.done(tr("Merged: {name} stays.", name=keep.name), lambda: self.take_apart(alias))

        self._decide(pair.key, lambda tx: merging.merge(tx, keep.id, lose.id, take, reason=codes), merged)

    def tell_apart(self) -> None:
        pair = self.comparison.pair
        if pair is None:
            return

        def told(record: Id) -> None:
            undo = lambda: self.session.do(lambda tx: merging.tell_apart_no_more(tx, record))  # noqa: E731
            self.session.messages.done(tr("Kept as two outlets, for everybody."), undo)

        self._decide(pair.key, lambda tx: merging.tell_apart(tx, pair.one_id, pair.other_id), told)

    def put_off(self) -> None:
        pair = self.comparison.pair
        if pair is None:
            return
        later = pair.later_at is None
        self._decide(pair.key, lambda tx: duplicates.later(tx, pair, put_off=later), lambda _: None)

    def _decide(self, key: Any, write: Callable[[Any], Any], then: Callable[[Any], None]) -> None:
        if key in self._gone:
            return  # a second press before the first has landed
        self._gone.add(key)
        self.session.do(write, then, self._refused)

    def _refused(self, error: BaseException) -> None:
        self._gone.clear()
        self.session.messages.error(error)
        self._load()

    def take_apart(self, alias: Id) -> None:
        done = lambda _: self.session.messages.done(tr("Two outlets again, each with its own visits."))  # noqa: E731
        self.session.do(lambda tx: merging.unmerge(tx, alias), done)

    def _apart_current(self) -> None:
        if self.detail.line is not None:
            self.take_apart(self.detail.line.alias.id)

    # the whole base

    def search(self) -> None:
        if self.state.currentWidget() is not self.splitter:
            self.state.show_content()
        self.work.search(self._load)

    def merge_certain(self) -> None:
        pairs = self._certain()
        if not pairs or self.work.busy:
            return
        text = tr("Of each pair the one that people have worked at stays, and takes what only the other knows. "
                  "Every merge is listed under “Merged”, and can be taken apart.")
        question = trn("Merge {n} certain pair?", "Merge {n} certain pairs?", len(pairs))
        if Confirm.ask(self.window(), question, text, tr("Merge"), danger=False):
            self.work.merge(pairs, self._load)

    def show_rules(self) -> None:
        if self._shown is not None:
            self.state.show_content()
            self.rules.show_rules(self._shown.rules)
            self.right.setCurrentWidget(self.rules)

    def _leave_rules(self) -> None:
        self.right.setCurrentIndex(self.lists.currentIndex())
        self._load()
