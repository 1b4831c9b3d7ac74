"""The line at the bottom: what is saved on this device, when headquarters last verified it, on line or not."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from fieldcrm import words
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.widgets import Button, ElidedText, painting
from fieldcrm.words import tr, trn


@dataclass(frozen=True)
class SyncLine:
    """What the line says. Counts are of visits and of other changes that headquarters has not verified yet."""

    visits: int = 0
    changes: int = 0
    decisions: int = 0
    verified_at: datetime | None = None
    offline: bool = False
    sending: bool = False
    problem: str = ""  # a sentence

    @property
    def tone(self) -> str:
        if self.decisions or self.problem:
            return "danger"
        if self.visits or self.changes:
            return "warning"
        return "neutral" if self.offline or self.verified_at is None else "success"


def sentence(line: SyncLine, now: datetime) -> str:
    """``3 visits saved on this device · last verified at headquarters 10:42 · offline``."""
    parts = []
    if line.sending:
        parts.append(tr("Sending…"))
    if line.decisions:
        parts.append(trn("{n} change needs your decision", "{n} changes need your decision", line.decisions))
    if line.visits:
        parts.append(trn("{n} visit saved on this device", "{n} visits saved on this device", line.visits))
    elif line.changes:
        parts.append(trn("{n} change saved on this device", "{n} changes saved on this device", line.changes))
    elif not line.decisions and not line.sending:
        parts.append(tr("Everything is verified at headquarters") if line.verified_at else tr("Saved on this device"))
    if line.verified_at is not None:
        same_day = line.verified_at.astimezone().date() == now.astimezone().date()
        shown = words.time(line.verified_at) if same_day else words.day_time(line.verified_at)
        parts.append(tr("last verified {time}", time=shown))
    if line.problem:
        parts.append(line.problem)
    elif line.offline:
        parts.append(tr("offline"))
    return " · ".join(parts)


class _Mark(QWidget):
    def __init__(self) -> None:
        super().__init__()
        self.tone = "neutral"
        self.setFixedSize(theme.pixels(12), theme.pixels(20))

    def paintEvent(self, event: QPaintEvent) -> None:
        painter = painting.smooth(self)
        painting.mark(painter, QPointF(self.width() / 2, self.height() / 2), self.tone)
        painter.end()


class StatusLine(QWidget):
    """Bound to the syncing supervisor; a workspace without a server says that all stays on this device."""

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        row = QHBoxLayout(self)
        row.setContentsMargins(theme.space(3), theme.space(0.5), theme.space(3), theme.space(0.5))
        row.setSpacing(theme.space(2))
        self._mark = _Mark()
        self.words = ElidedText("", "caption", "muted")
        self.button = Button(tr("Sync now"), "ghost", "refresh-cw", self._sync)
        self.button.setVisible(session.sync is not None)
        row.addWidget(self._mark)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        session.sync_changed.connect(self.refresh)
        self.refresh()

    def _sync(self) -> None:
        if self._session.sync is not None:
            self._session.sync.sync_now()

    def refresh(self) -> None:
        line: SyncLine | None = None if self._session.sync is None else self._session.sync.line()
        if line is None:
            self._mark.tone = "neutral"
            self.words.set_whole(tr("Saved on this device. This workspace has no server."))
        else:
            self._mark.tone = line.tone
            self.words.set_whole(sentence(line, self._session.clock()))
            self.button.setEnabled(not line.sending)
            self._session.set_count("sync", line.decisions or line.visits + line.changes)
        self._mark.update()
