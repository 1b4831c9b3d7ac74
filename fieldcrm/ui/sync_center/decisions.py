"""What needs a decision, one card each: two values side by side, or a refused change with its reason."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from fieldcrm import words
from fieldcrm.ui import labels, theme
from fieldcrm.ui.sync_center.hero import Disc
from fieldcrm.ui.sync_center.phrases import record_words, refusal_words
from fieldcrm.ui.widgets import Badge, Button, Card, ScrollPage, Text, clear_layout, column, row
from fieldcrm.usecases.decisions import WHOLE_RECORD, FieldClash, Refusal
from fieldcrm.words import tr, trn

SHOWN_FIELDS = 6
_UNSEEN = frozenset({"provenance", "answers", "sha256"})


class Decisions(ScrollPage):
    """``show_all`` fills it; the callables are what the buttons do."""

    def __init__(
        self,
        keep_mine: Callable[[FieldClash], None],
        keep_theirs: Callable[[FieldClash], None],
        try_again: Callable[[Refusal], None],
        discard: Callable[[Refusal], None],
        copy: Callable[[Refusal], None],
        open_outlet: Callable[[Any], None],
    ) -> None:
        super().__init__(width=880, margin=4, spacing=3)
        self._keep_mine, self._keep_theirs = keep_mine, keep_theirs
        self._try_again, self._discard, self._copy, self._open = try_again, discard, copy, open_outlet
        self.cards: list[Card] = []

    def show_all(self, clashes: tuple[FieldClash, ...], refusals: tuple[Refusal, ...]) -> None:
        clear_layout(self.body)
        self.cards = [*map(self._clash, clashes), *map(self._refusal, refusals)]
        for card in self.cards:
            self.body.addWidget(card)
        self.body.addStretch(1)

    def focus_first(self) -> None:
        for card in self.cards[:1]:
            button = card.findChild(Button)
            if button is not None:
                button.setFocus(Qt.FocusReason.OtherFocusReason)

    def _head(self, card: Card, icon: str, title: str, note: str, outlet: Any) -> None:
        line = row(3)
        disc = Disc(36)
        disc.set(icon, "danger")
        line.addWidget(disc, 0, Qt.AlignmentFlag.AlignTop)
        texts = column(0.5)
        texts.addWidget(Text(title, "heading", wrap=True))
        texts.addWidget(Text(note, "body", "muted", wrap=True))
        line.addLayout(texts, 1)
        if outlet is not None:
            opened = Button(tr("Open the outlet"), "ghost", "arrow-right", lambda: self._open(outlet))
            line.addWidget(opened, 0, Qt.AlignmentFlag.AlignTop)
        card.add(line)
        card.setAccessibleName(f"{title}. {note}")

    def _clash(self, clash: FieldClash) -> Card:
        card = Card(padding=5, spacing=4)
        whole = clash.field == WHOLE_RECORD
        what = record_words((clash.collection,), "")[0] if whole else labels.field_name(clash.field)
        title = f"{clash.outlet_name} · {what}" if clash.outlet_name else what
        when = words.day_time(clash.at) if clash.at is not None else ""
        note = tr("You and somebody else changed this at the same time ({when}).", when=when)
        self._head(card, "git-compare", title, note, clash.outlet_id)
        sides = row(3)
        sides.addWidget(_side(tr("Yours"), _shown(clash.field, clash.mine), ""), 1)
        sides.addWidget(_side(tr("At headquarters now"), _shown(clash.field, clash.theirs), "accent"), 1)
        card.add(sides)
        buttons = row(2)
        buttons.addStretch(1)
        buttons.addWidget(Button(tr("Leave it as it is"), "secondary", "check", lambda: self._keep_theirs(clash)))
        buttons.addWidget(Button(tr("Put mine back"), "primary", "undo-2", lambda: self._keep_mine(clash)))
        card.add(buttons)
        return card

    def _refusal(self, refusal: Refusal) -> Card:
        card = Card(padding=5, spacing=4)
        what, _ = record_words(refusal.collections, "")
        title = f"{refusal.outlet_name} · {what}" if refusal.outlet_name else what
        note = refusal_words(refusal.code, refusal.params)
        self._head(card, "circle-alert", title, note, refusal.outlet_id)
        lines = _written(refusal)
        if lines:
            card.add(_side(tr("What you wrote, {when}", when=words.day_time(refusal.made_at)), "\n".join(lines), ""))
        buttons = row(2)
        buttons.addWidget(Button(tr("Copy what I wrote"), "ghost", "copy", lambda: self._copy(refusal)))
        buttons.addStretch(1)
        buttons.addWidget(Button(tr("Let it go"), "secondary", "trash-2", lambda: self._discard(refusal)))
        if refusal.repeatable:
            buttons.addWidget(Button(tr("Try again"), "primary", "refresh-cw", lambda: self._try_again(refusal)))
        card.add(buttons)
        return card


def _side(title: str, text: str, tone: str) -> QWidget:
    """One of two values, on a ground of its own."""
    box = Card(padding=3.5, spacing=1.5, tone=tone)
    head = row(2)
    head.addWidget(Text(title, "caption-strong", "muted"))
    head.addStretch(1)
    if tone:
        head.addWidget(Badge(tr("stands"), tone))
    box.add(head)
    value = Text(text, "body-medium", wrap=True)
    value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
    value.setMinimumHeight(theme.pixels(20))
    box.add(value)
    box.body.addStretch(1)
    return box


def _shown(field: str, value: Any) -> str:
    if field == WHOLE_RECORD:
        if value is None:
            return tr("Deleted")
        return "\n".join(_lines(value)) or tr("Changed")
    if isinstance(value, Mapping):
        return "\n".join(f"{key}: {part}" for key, part in value.items()) or tr("nothing")
    return labels.field_value(field, value)


def _lines(values: Mapping[str, Any]) -> list[str]:
    shown = [
        _named(name, value)
        for name, value in values.items()
        if name not in _UNSEEN and not isinstance(value, (dict, list)) and not name.endswith("_id")
    ]
    more = len(shown) - SHOWN_FIELDS
    return [*shown[:SHOWN_FIELDS], trn("and {n} more", "and {n} more", more)] if more > 0 else shown


def _named(name: str, value: Any) -> str:
    return tr("{name}: {value}", name=labels.field_name(name), value=labels.field_value(name, value))


def _written(refusal: Refusal) -> list[str]:
    lines = [line for letter in refusal.letters for line in _lines(letter.values)]
    return list(dict.fromkeys(lines))[: 2 * SHOWN_FIELDS]


def copied(refusal: Refusal) -> str:
    """Everything the person wrote, as text for another place."""
    parts = [refusal.outlet_name] if refusal.outlet_name else []
    for letter in refusal.letters:
        parts += [
            _named(name, value)
            for name, value in letter.values.items()
            if not name.endswith("_id") and name != "provenance"
        ]
    return "\n".join(parts)
