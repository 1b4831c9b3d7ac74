"""The line at the bottom: what is saved on this device, when headquarters last verified it, on line or not."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import QPointF
from PySide6.QtGui import QPaintEvent
from PySide6.QtWidgets import QHBoxLayout, QWidget

from fieldcrm import words
from fieldcrm.domain.errors import CodedError
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.widgets import Button, ElidedText, painting
from fieldcrm.usecases.sync_state import Phases, SyncState
from fieldcrm.words import tr, trn


def tone(state: SyncState) -> str:
    """``danger`` when a person has to act, ``warning`` while something waits here, ``success`` when all is verified."""
    if state.waiting.decisions or state.phase in (Phases.NEEDS_SIGN_IN, Phases.BLOCKED, Phases.REVOKED):
        return "danger"
    if not state.everything_there:
        return "warning"
    return "success" if state.verified_at is not None and state.phase != Phases.OFFLINE else "neutral"


def line(state: SyncState, now: datetime) -> str:
    """``3 visits saved on this device · last verified at headquarters 10:42 · offline``."""
    parts = [_decisions(state), _here(state), _verified(state, now), _surroundings(state)]
    return " · ".join(part for part in parts if part)


def _decisions(state: SyncState) -> str:
    count = state.waiting.decisions
    return trn("{n} change needs your decision", "{n} changes need your decision", count) if count else ""


def _here(state: SyncState) -> str:
    waiting = state.waiting
    if waiting.visits:
        return trn("{n} visit saved on this device", "{n} visits saved on this device", waiting.visits)
    if waiting.changes or waiting.reports:
        many = waiting.changes + waiting.reports
        return trn("{n} change saved on this device", "{n} changes saved on this device", many)
    if waiting.photos:
        return trn("{n} photo still to send", "{n} photos still to send", waiting.photos)
    if state.waiting.decisions:
        return ""  # what was refused is not there
    return tr("Everything is verified at headquarters") if state.verified_at else tr("Saved on this device")


def _verified(state: SyncState, now: datetime) -> str:
    at = state.verified_at
    if at is None:
        return ""
    same_day = at.astimezone().date() == now.astimezone().date()
    return tr("last verified at headquarters {time}", time=words.time(at) if same_day else words.day_time(at))


def _surroundings(state: SyncState) -> str:
    if state.phase == Phases.SYNCING:
        return tr("sending…") if not state.everything_there else tr("looking for news…")
    if state.phase == Phases.OFFLINE:
        return tr("offline")
    if state.phase == Phases.PAUSED:
        return tr("paused")
    if state.phase == Phases.NEEDS_SIGN_IN:  # whichever of its tokens was refused
        return sentence(CodedError("sign_in_needed"))
    if state.phase == Phases.REVOKED:
        return sentence(CodedError("device_revoked"))
    if state.problem and state.phase in (Phases.BLOCKED, Phases.BACKING_OFF):
        return sentence(CodedError(state.problem, **state.params))
    return ""


def to_send(state: SyncState) -> int:
    """As many as the Sync Centre lists: a visit and its report travel as one."""
    return state.waiting.to_send


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
        self.button = Button(tr("Sync now"), "quiet", "refresh-cw", self._sync)
        self.button.setVisible(session.sync is not None)
        row.addWidget(self._mark)
        row.addWidget(self.words, 1)
        row.addWidget(self.button)
        session.sync_changed.connect(self.refresh)
        session.under_way_changed.connect(self.refresh)
        self.refresh()

    def _sync(self) -> None:
        if self._session.sync is not None:
            self._session.sync.sync_now()

    def refresh(self) -> None:
        sync = self._session.sync
        if sync is None:
            self._mark.tone = "neutral"
            self.words.set_whole(tr("Saved on this device. This workspace has no server."))
        else:
            state = sync.state
            self._mark.tone = tone(state)
            self.words.set_whole(line(state, self._session.clock()))
            self.button.setEnabled(state.phase != Phases.SYNCING)
            self._session.set_count("sync", state.waiting.decisions or to_send(state))
        if self._session.under_way:
            self._mark.tone = "accent"
            self.words.set_whole(" · ".join((self._session.under_way.rstrip("."), self.words.whole())))
        self._mark.update()
