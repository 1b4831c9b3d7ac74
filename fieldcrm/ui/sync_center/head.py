"""The head of a card of the Sync Centre."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QWidget

from fieldcrm.ui.widgets import Button, Card, Disc, Text, column, row
from fieldcrm.words import tr


def headed(
    card: Card, icon: str, title: str, note: str, outlet: Any, open_outlet: Callable[[Any], None], tone: str = "danger"
) -> QWidget:
    """The head of a card: what it is about, in a word and in a sentence, and the way to the outlet."""
    holder = QWidget()
    line = row(3)
    disc = Disc(36)
    disc.set(icon, tone)
    line.addWidget(disc, 0, Qt.AlignmentFlag.AlignTop)
    texts = column(0.5)
    texts.addWidget(Text(title, "heading", wrap=True))
    if note:
        texts.addWidget(Text(note, "body", "muted", wrap=True))
    line.addLayout(texts, 1)
    if outlet is not None:
        opened = Button(tr("Open the outlet"), "ghost", "arrow-right", lambda: open_outlet(outlet))
        line.addWidget(opened, 0, Qt.AlignmentFlag.AlignTop)
    holder.setLayout(line)
    card.setAccessibleName(f"{title}. {note}")
    return holder
