"""The head of a visit: which outlet, since when, from where, and that all of it is kept."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.visit.recording import Recording
from fieldcrm.ui.widgets import Badge, Button, ElidedText, IconButton, Text, column, row
from fieldcrm.usecases.visits import OpenDraft
from fieldcrm.words import distance, duration, tr
from fieldcrm.words import time as clock_time

FAR_M = 300  # beyond, the distance is said in a tone that asks for a look


class Head(QWidget):
    def __init__(self, recording: Recording, check: Callable[[], None], discard: Callable[[], None]) -> None:
        super().__init__()
        self._recording = recording
        opened = recording.opened
        outlet = opened.outlet
        line = row(4)
        words = column(0.5)
        correction = opened.draft.supersedes_id is not None
        title = row(2.5)
        self.title = ElidedText(outlet.name, "title")
        title.addWidget(self.title, 1)
        if correction:
            title.addWidget(Badge(tr("Correction"), "accent"), 0, Qt.AlignmentFlag.AlignVCenter)
        words.addLayout(title)
        parts = [outlet.banner if outlet.banner != outlet.name else None, outlet.address, None]
        words.addWidget(ElidedText(" · ".join(part for part in parts if part), "body", "muted"))
        line.addLayout(words, 1)
        facts = column(1)
        upper = row(2)
        upper.addStretch(1)
        self.since = Text("", "caption", "muted")
        self.position = Badge()
        upper.addWidget(self.since)
        if not correction:
            upper.addWidget(self.position)
        facts.addLayout(upper)
        self.saved = Text("", "caption", "faint")
        self.saved.setAlignment(Qt.AlignmentFlag.AlignRight)
        facts.addWidget(self.saved)
        line.addLayout(facts)
        line.addWidget(IconButton("trash-2", tr("Throw this draft away…"), discard))
        self.check = Button(tr("Check and send"), "primary", "send", check)
        line.addWidget(self.check)
        self.setLayout(line)
        self.show_position(opened)
        self.show_saved(opened.draft.updated_at)
        recording.saved.connect(self.show_saved)
        recording.unsaved.connect(lambda: self.saved.setText(tr("Saving…")))
        self._tick = QTimer(self)
        self._tick.setInterval(30_000)
        self._tick.timeout.connect(self._show_time)
        self._tick.start()
        self._show_time()
        self.setMinimumHeight(theme.pixels(48))

    def _show_time(self) -> None:
        draft = self._recording.opened.draft
        minutes = max(0.0, (self._recording.session.clock() - draft.started_at).total_seconds() / 60)
        begun = clock_time(draft.started_at, draft.zone)
        if begun != clock_time(draft.started_at):  # the line of sync below tells the time of this computer
            begun = tr("{time} store time", time=begun)
        long_ago = minutes >= 12 * 60
        self.since.setText(begun if long_ago else f"{begun} · {duration(minutes)}")

    def show_saved(self, moment: datetime) -> None:
        self.saved.setText(tr("Draft saved {time}", time=clock_time(moment, self._recording.opened.draft.zone)))

    def show_position(self, opened: OpenDraft) -> None:
        source, metres = opened.draft.position_source, opened.distance_m
        if source == "none":
            self.position.set(tr("No position"), "neutral")
            self.position.setToolTip(tr("The report says so. That is honest, and never held against anybody."))
            return
        names = {"receiver": tr("Position"), "photo": tr("Position from a photo")}
        words = names.get(source, source)
        if metres is not None:
            words = f"{words} · {distance(metres)}"
        self.position.set(words, "warning" if metres is not None and metres > FAR_M else "success")
        self.position.setToolTip(tr("One position for each visit, and none between visits."))
