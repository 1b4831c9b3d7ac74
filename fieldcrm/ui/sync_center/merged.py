"""What was merged without a person, one sentence each: both changes were kept, and mine can be taken back."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from fieldcrm import words
from fieldcrm.ui import theme
from fieldcrm.ui.labels import field_name
from fieldcrm.ui.sync_center.phrases import merge_words, record_words
from fieldcrm.ui.sync_center.values import shown
from fieldcrm.ui.widgets import Badge, Button, Card, Disc, FlowLayout, ScrollPage, Text, clear_layout, column, row
from fieldcrm.usecases.merges import Merge, State
from fieldcrm.words import tr

SHOWN = 4  # values told below the sentence


class Merged(ScrollPage):
    """``show_all`` fills it."""

    def __init__(self, undo: Callable[[Merge], None], open_outlet: Callable[[Any], None]) -> None:
        super().__init__(width=960, margin=4, spacing=2)
        self._undo, self._open = undo, open_outlet
        self._known: tuple[Merge, ...] | None = None
        self.cards: list[Card] = []

    def show_all(self, merges: tuple[Merge, ...]) -> None:
        if merges == self._known:
            return
        self._known = merges
        clear_layout(self.body)
        self.cards = [self._card(merge) for merge in merges]
        for card in self.cards:
            self.body.addWidget(card)
        self.body.addStretch(1)

    def _card(self, merge: Merge) -> Card:
        card = Card(padding=4, spacing=2)
        line = row(3)
        disc = Disc(36)
        disc.set("merge", "success" if merge.state is State.KEPT else "neutral")
        line.addWidget(disc, 0, Qt.AlignmentFlag.AlignTop)
        texts = column(0.5)
        name = " · ".join(part for part in (merge.outlet_name, merge.record_name) if part)
        when = words.day_time(merge.at) if merge.at else ""
        title = name or record_words((merge.collection,), "")[0]
        top = row(2)
        top.addWidget(Text(f"{title} · {when}" if when else title, "caption-strong", "muted", wrap=True), 1)
        if merge.state is not State.KEPT:
            top.addWidget(Badge(_state(merge.state), "neutral"), 0, Qt.AlignmentFlag.AlignTop)
        texts.addLayout(top)
        said = merge_words(merge)
        texts.addWidget(Text(said, "body-medium", wrap=True))
        texts.addWidget(Text(_values(merge), "caption", "muted", wrap=True))
        line.addLayout(texts, 1)
        doing = QWidget()
        buttons = FlowLayout(doing, 2)
        if merge.state is State.KEPT:
            undo = Button(tr("Undo mine"), "secondary", "undo-2", lambda: self._undo(merge))
            buttons.addWidget(undo)
        if merge.outlet_id is not None and merge.state is not State.GONE:
            opened = Button(tr("Open the outlet"), "ghost", "arrow-right", lambda: self._open(merge.outlet_id))
            buttons.addWidget(opened)
        texts.addSpacing(theme.space(1))
        texts.addWidget(doing)
        card.add(line)
        card.setAccessibleName(f"{title}. {said}")
        return card


def _state(state: State) -> str:
    return {
        State.TAKEN_BACK: tr("Yours was taken back"),
        State.OVERTAKEN: tr("Changed again since"),
        State.GONE: tr("No longer on this device"),
    }.get(state, "")


def _values(merge: Merge) -> str:
    told = [
        tr("{name}: {before} → {now}", name=field_name(name), before=shown(name, merge.before.get(name)),
           now=shown(name, value))
        for name, value in merge.mine.items()
    ]
    told += [
        tr("{name}: now {value}", name=field_name(name), value=shown(name, value))
        for name, value in merge.theirs.items()
        if name not in merge.mine
    ]
    return "  ·  ".join(one.replace("\n", " / ") for one in told[:SHOWN])
