"""The right side of the page: the findings of a kind, and what can be done with the one in front."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from PySide6.QtCore import Qt, Signal
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.steward.quality import finding_words
from fieldcrm.ui.widgets import (
    Button,
    Card,
    Column,
    FlowLayout,
    PageModel,
    RowList,
    SegmentedControl,
    StateStack,
    Text,
    TwoLine,
    TwoLineDelegate,
    column,
)
from fieldcrm.usecases.outlet_quality import FindingRow
from fieldcrm.words import tr, trn


class FindingsView(QWidget):
    """``acted(name)``: fix, fix_all, ignore, task or open, of the finding in front."""

    acted = Signal(str)
    shown_changed = Signal()

    def __init__(
        self, fetch: Callable[[Sequence[Any]], Sequence[FindingRow]], describe: Callable[[FindingRow], str]
    ) -> None:
        super().__init__()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.space(3))
        self._describe = describe
        self.model: PageModel[FindingRow] = PageModel(
            [Column("outlet", tr("Outlet"), lambda one: f"{one.name}: {describe(one)}")], fetch, lambda one: one.id,
            self)
        self.list = RowList(self.model, TwoLineDelegate(self._line, dividers=True), tr("Findings"))
        self.list.opened.connect(lambda _: self.acted.emit("fix"))
        self.list.current_changed.connect(lambda _: self._enable())
        self.states = StateStack(self.list)
        whole.addLayout(self._head())
        framed = Card(padding=1.5, spacing=0)
        framed.add(self.states, 1)
        whole.addWidget(framed, 1)
        whole.addWidget(self._foot())

    def _head(self) -> QHBoxLayout:
        head = QHBoxLayout()
        head.setSpacing(theme.space(3))
        words = column(0.5)
        self.title = Text("", "heading", wrap=True)
        self.means = Text("", "caption", "muted", wrap=True)
        words.addWidget(self.title)
        words.addWidget(self.means)
        head.addLayout(words, 1)
        self.which = SegmentedControl((("open", tr("To mend")), ("ignored", tr("Ignored"))), "open", tr("Findings"))
        self.which.chosen.connect(lambda _: self.shown_changed.emit())
        head.addWidget(self.which, 0, Qt.AlignmentFlag.AlignTop)
        return head

    def _foot(self) -> QWidget:
        self._bar = QWidget()
        flow = FlowLayout(self._bar, 2)
        self.buttons = {
            "fix": Button(tr("Apply"), "primary", "check"),
            "ignore": Button(tr("Ignore…"), "secondary", "ban"),
            "task": Button(tr("Make a task…"), "secondary", "user-round"),
            "fix_all": Button(tr("Mend all…"), "ghost", "check-check"),
            "open": Button(tr("Open card"), "ghost", "arrow-right"),
        }
        for name, button in self.buttons.items():
            button.clicked.connect(lambda _=False, name=name: self.acted.emit(name))
            flow.addWidget(button)
        keys = {"fix": "F, Enter", "ignore": "I", "task": "T", "open": "O"}
        for name, key in keys.items():
            self.buttons[name].setToolTip(key)
        return self._bar

    def _line(self, one: FindingRow) -> TwoLine:
        return TwoLine(
            one.name, self._describe(one), icon=finding_words.icon_of(one.code), tone=finding_words.tone_of(one.code),
            trailing=one.city, trailing_note="" if one.suggestion else one.sector,
        )

    def show_kind(self, title: str, means: str, safe: int, *, ignorable: bool) -> None:
        self.title.setText(title)
        self.means.setText(means)
        self.which.setVisible(ignorable)
        self.buttons["fix_all"].setVisible(safe > 0)
        self.buttons["fix_all"].setText(trn("Mend {n} safely…", "Mend all {n} safely…", safe))

    def show_ids(self, ids: list[Any]) -> None:
        at = self.model.row_of(self.list.current_id()) if self.list.current_id() is not None else 0
        self.list.set_ids(ids)
        if ids and self.model.row_of(self.list.current_id()) < 0:
            self.list.select_id(ids[min(max(at, 0), len(ids) - 1)])
        self.states.show_content()
        self._enable()

    def current(self) -> FindingRow | None:
        return self.model.row(self.model.row_of(self.list.current_id())) if self.list.current_id() is not None else None

    def step(self, by: int) -> None:
        ids = self.model.ids()
        if ids:
            now = self.model.row_of(self.list.current_id())
            self.list.select_id(ids[min(max(now + by, 0), len(ids) - 1)])

    def _enable(self) -> None:
        one = self.current()
        self.buttons["fix"].setVisible(one is not None and one.suggestion is not None and not one.ignored)
        calendar = one is not None and not one.field
        self.buttons["ignore"].setVisible(one is not None and not calendar)
        self.buttons["ignore"].setText(tr("Mend after all") if one is not None and one.ignored else tr("Ignore…"))
        for name in ("task", "open"):
            self.buttons[name].setEnabled(one is not None)
