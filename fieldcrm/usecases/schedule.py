"""When to sync: a pure machine of events and time. It holds one promise above all:

whatever waits to be sent has a next try, and that try is never further away than ``LONGEST``.
Nothing here reads a clock or touches the network; chance (for the spread of retries) is a parameter.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

QUIET = timedelta(seconds=4)  # after the last change, so that a burst goes as one
SOONEST_AFTER_WRITE = timedelta(seconds=20)  # but a person who never stops typing is sent all the same
FIRST_RETRY = timedelta(seconds=5)
LONGEST = timedelta(minutes=5)
OFFLINE_RETRY = timedelta(seconds=15)
OFFLINE_LONGEST = timedelta(minutes=2)
PERIOD = timedelta(minutes=5)  # to hear what others did


class Phase(StrEnum):
    IDLE = "idle"  # nothing waits
    WAITING = "waiting"  # something waits, and goes in a moment
    SYNCING = "syncing"
    BACKING_OFF = "backing_off"  # the server failed or asked to wait
    OFFLINE = "offline"
    NEEDS_SIGN_IN = "needs_sign_in"  # only a person can go on
    BLOCKED = "blocked"  # revoked, or too old: an administrator or an update is needed
    PAUSED = "paused"


class Trouble(StrEnum):
    """How a try failed, as far as the next one is concerned."""

    OFFLINE = "offline"
    SERVER = "server"
    SIGN_IN = "sign_in"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True)
class Schedule:
    """``next_try`` is None only while syncing, paused, or waiting for a person."""

    phase: Phase = Phase.IDLE
    next_try: datetime | None = None
    failures: int = 0
    automatic: bool = True
    waiting_since: datetime | None = None  # the first change that no run has taken up
    again: bool = False  # asked for, or changed, during the run

    @property
    def stuck(self) -> bool:
        return self.phase in (Phase.NEEDS_SIGN_IN, Phase.BLOCKED)


def started(now: datetime, *, automatic: bool) -> Schedule:
    """At the start of the program: once soon, then by itself if ``automatic``."""
    return Schedule(Phase.IDLE, now + FIRST_RETRY if automatic else None, automatic=automatic)


def wrote(schedule: Schedule, now: datetime) -> Schedule:
    """Something was recorded on this device."""
    since = schedule.waiting_since or now
    if schedule.phase is Phase.SYNCING:
        return replace(schedule, again=True, waiting_since=since)
    schedule = replace(schedule, waiting_since=since)
    if schedule.stuck or schedule.phase is Phase.PAUSED or not schedule.automatic:
        return schedule
    if schedule.phase in (Phase.BACKING_OFF, Phase.OFFLINE):
        return schedule  # its next try is set already
    when = min(now + QUIET, since + SOONEST_AFTER_WRITE)
    return replace(schedule, phase=Phase.WAITING, next_try=max(now, when))


def asked(schedule: Schedule, now: datetime) -> Schedule:
    """A person pressed Sync now: at once, whatever else was planned, even when paused or signed out."""
    if schedule.phase is Phase.SYNCING:
        return replace(schedule, again=True)
    return replace(schedule, phase=Phase.WAITING, next_try=now)


def network_back(schedule: Schedule, now: datetime) -> Schedule:
    if schedule.phase is Phase.OFFLINE:
        return replace(schedule, phase=Phase.WAITING, next_try=now, failures=0)
    return schedule


def signed_in(schedule: Schedule, now: datetime) -> Schedule:
    return replace(schedule, phase=Phase.WAITING, next_try=now, failures=0)


def set_automatic(schedule: Schedule, now: datetime, automatic: bool) -> Schedule:
    """Pause or go on. A run under way ends by itself."""
    if schedule.phase is Phase.SYNCING:
        return replace(schedule, automatic=automatic)
    if not automatic:
        phase = schedule.phase if schedule.stuck else Phase.PAUSED
        return replace(schedule, automatic=False, phase=phase, next_try=None)
    if schedule.stuck:
        return replace(schedule, automatic=True)
    return replace(schedule, automatic=True, phase=Phase.WAITING, next_try=now)


def due(schedule: Schedule, now: datetime) -> bool:
    return schedule.next_try is not None and schedule.next_try <= now and schedule.phase is not Phase.SYNCING


def begun(schedule: Schedule) -> Schedule:
    return replace(schedule, phase=Phase.SYNCING, next_try=None, again=False, waiting_since=None)


def finished(schedule: Schedule, now: datetime, *, waiting: bool) -> Schedule:
    """A run ended well; ``waiting``: something is left that could not go now (a photo that is elsewhere)."""
    rested = replace(schedule, failures=0, again=False, phase=Phase.IDLE)
    if schedule.again:
        return replace(rested, phase=Phase.WAITING, next_try=now + QUIET)
    if not schedule.automatic:
        return replace(rested, phase=Phase.PAUSED, next_try=None)
    return replace(rested, next_try=now + (PERIOD / 2 if waiting else PERIOD))


def failed(
    schedule: Schedule, now: datetime, trouble: Trouble, *, chance: float, wait: timedelta = timedelta()
) -> Schedule:
    """A run was cut. ``chance`` in [0, 1) spreads the tries of many devices; ``wait``: what the server asked for."""
    failures = schedule.failures + 1
    known = replace(schedule, failures=failures, again=False, waiting_since=schedule.waiting_since or now)
    if trouble is Trouble.SIGN_IN:
        return replace(known, phase=Phase.NEEDS_SIGN_IN, next_try=None)
    if trouble is Trouble.BLOCKED:
        return replace(known, phase=Phase.BLOCKED, next_try=None)
    if not schedule.automatic:
        return replace(known, phase=Phase.PAUSED, next_try=None)
    offline = trouble is Trouble.OFFLINE
    first, longest = (OFFLINE_RETRY, OFFLINE_LONGEST) if offline else (FIRST_RETRY, LONGEST)
    backoff = min(first * 2 ** min(failures - 1, 10), longest)
    spread = backoff * (0.5 + chance / 2)
    when = now + min(max(spread, wait), LONGEST)
    return replace(known, phase=Phase.OFFLINE if offline else Phase.BACKING_OFF, next_try=when)
