"""The merges that were made: who merged what, what the one that stays took, and the way back."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from PySide6.QtCore import Signal

from fieldcrm.ui import labels
from fieldcrm.ui.widgets import Button, Card, ScrollPage, Text, TwoLine, clear_layout, column, row
from fieldcrm.usecases.merging import STOPS, MergeLine
from fieldcrm.words import date, since, tr


def described(line: MergeLine, now: datetime) -> TwoLine:
    when = since(line.alias.at, now) if line.alias.at else ""
    return TwoLine(line.kept, tr("with {name}", name=line.merged), icon="merge", trailing_note=when)


class MergeDetail(ScrollPage):
    """One merge. ``apart_wanted(alias_id)`` when it is to be taken apart."""

    apart_wanted = Signal(object)

    def __init__(self) -> None:
        super().__init__(width=640, margin=5, spacing=4)
        self.line: MergeLine | None = None

    def show_line(self, line: MergeLine) -> None:
        clear_layout(self.body)
        self.line = line
        self.body.addWidget(Text(tr("{name} is found as {kept}", name=line.merged, kept=line.kept), "heading",
                                 wrap=True))
        by = [part for part in (line.person, date(line.alias.at.date(), "long") if line.alias.at else "") if part]
        self.body.addWidget(Text(" · ".join(by), "body", "muted"))
        self.body.addWidget(Text(
            tr("Visits, contacts, tasks and notes of both stand on one card. Taken apart, each has its own again, and "
               "what was taken goes back unless it was changed since."), "body", wrap=True))
        entries = line.alias.taken.items()
        taken = {name: entry for name, entry in entries if name != STOPS and isinstance(entry, Mapping)}
        if taken:
            self.body.addWidget(self._taken(taken))
        across = row(2)
        self.apart = Button(tr("Take apart"), "secondary", "undo-2", lambda: self.apart_wanted.emit(line.alias.id))
        across.addWidget(self.apart)
        across.addStretch(1)
        self.body.addLayout(across)
        self.body.addStretch(1)

    def _taken(self, taken: Mapping[str, Mapping[str, Any]]) -> Card:
        card = Card(padding=4, spacing=2)
        card.add(Text(tr("What {name} took from the other", name=self.line.kept if self.line else ""), "body-strong",
                      wrap=True))
        for name, entry in taken.items():
            lines = column(0)
            lines.addWidget(Text(labels.field_name(name), "caption", "muted"))
            was, now = (labels.field_value(name, entry.get(key)) for key in ("was", "now"))
            lines.addWidget(Text(tr("{now} (before: {was})", now=now, was=was), "body", wrap=True))
            card.add(lines)
        return card
