"""When to sync: a pure machine of events and time. It holds one promise above all:

whatever waits to be sent has a next try, and that try is never further away than ``FURTHEST``, unless a person paused.
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
FURTHEST = LONGEST * 1.25  # what a server may ask for at most, with its spread
OFFLINE_RETRY = timedelta(seconds=15)
OFFLINE_LONGEST = timedelta(minutes=2)
PERIOD = timedelta(minutes=5)  # to hear what others did
PAUSE = timedelta(hours=1)  # the pause that ends by itself


class Phase(StrEnum):
    IDLE = "idle"  # nothing waits
    WAITING = "waiting"  # something waits, and goes in a moment
    SYNCING = "syncing"
    BACKING_OFF = "backing_off"  # the server failed or asked to wait
    OFFLINE = "offline"
    NEEDS_SIGN_IN = "needs_sign_in"  # only a person can go on
    BLOCKED = "blocked"  # too old: an update is needed
    REVOKED = "revoked"  # shut out: only an administrator can go on
    PAUSED = "paused"


class Trouble(StrEnum):
    """How a try failed, as far as the next one is concerned."""

    OFFLINE = "offline"
    SERVER = "server"
    SIGN_IN = "sign_in"
    BLOCKED = "blocked"
    REVOKED = "revoked"


_STUCK = {Trouble.SIGN_IN: Phase.NEEDS_SIGN_IN, Trouble.BLOCKED: Phase.BLOCKED, Trouble.REVOKED: Phase.REVOKED}


@dataclass(frozen=True, slots=True)
class Schedule:
    """``next_try`` is None only while syncing, paused, or waiting for a person.

    ``automatic`` False with ``paused_until`` is a pause that ends by itself; without it, until the person resumes.
    """

    phase: Phase = Phase.IDLE
    next_try: datetime | None = None
    failures: int = 0
    automatic: bool = True
    waiting_since: datetime | None = None  # the first change that no run has taken up
    again: bool = False  # something was recorded during the run
    insisted: bool = False  # a person asked during the run
    paused_until: datetime | None = None

    @property
    def stuck(self) -> bool:
        return self.phase in (Phase.NEEDS_SIGN_IN, Phase.BLOCKED, Phase.REVOKED)


def started(now: datetime, *, automatic: bool, paused_until: datetime | None = None) -> Schedule:
    """At the start of the program: once soon, then by itself; or still paused."""
    if paused_until is not None and paused_until > now:
        return pause(Schedule(), now, paused_until)
    if not automatic and paused_until is None:
        return Schedule(Phase.PAUSED, automatic=False)
    return Schedule(Phase.IDLE, now + FIRST_RETRY)


def wrote(schedule: Schedule, now: datetime) -> Schedule:
    """Something was recorded on this device."""
    since = min(schedule.waiting_since or now, now)  # the clock may have been set back
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
        return replace(schedule, insisted=True)
    return replace(schedule, phase=Phase.WAITING, next_try=now)


def network_back(schedule: Schedule, now: datetime) -> Schedule:
    """Only what failed for want of a network is tried at once: a server that asked for patience still gets it."""
    if schedule.phase is Phase.OFFLINE:
        return replace(schedule, phase=Phase.WAITING, next_try=now, failures=0)
    return schedule


def network_news(schedule: Schedule, now: datetime) -> Schedule:
    """The network is another one, or photos may go now: nothing that was resting has to wait for its hour."""
    if schedule.phase is Phase.IDLE and schedule.automatic:
        return replace(schedule, phase=Phase.WAITING, next_try=now + QUIET)
    return schedule


def signed_in(schedule: Schedule, now: datetime) -> Schedule:
    if schedule.phase is Phase.SYNCING:
        return replace(schedule, insisted=True)
    return replace(schedule, phase=Phase.WAITING, next_try=now, failures=0)


def set_automatic(schedule: Schedule, now: datetime, automatic: bool) -> Schedule:
    """Pause until the person resumes, or go on. A run under way ends by itself."""
    return resume(schedule, now) if automatic else pause(schedule, now, None)


def pause(schedule: Schedule, now: datetime, until: datetime | None) -> Schedule:
    """No try by itself before ``until``, or before the person resumes when it is None."""
    known = replace(schedule, automatic=False, paused_until=until)
    if schedule.phase is Phase.SYNCING:
        return known
    return replace(known, phase=schedule.phase if schedule.stuck else Phase.PAUSED, next_try=None)


def resume(schedule: Schedule, now: datetime) -> Schedule:
    known = replace(schedule, automatic=True, paused_until=None)
    if schedule.phase is Phase.SYNCING or schedule.stuck:
        return known
    return replace(known, phase=Phase.WAITING, next_try=now)


def ticked(schedule: Schedule, now: datetime) -> Schedule:
    """Time has passed: a pause may be over. A clock that was set back must not put off what was near."""
    until = schedule.paused_until
    if until is not None:
        if until <= now:
            return resume(schedule, now)
        if until > now + PAUSE:
            schedule = replace(schedule, paused_until=now + PAUSE)
    if schedule.next_try is not None and schedule.next_try > now + FURTHEST:
        schedule = replace(schedule, next_try=now + FURTHEST)
    return schedule


def due(schedule: Schedule, now: datetime) -> bool:
    return schedule.next_try is not None and schedule.next_try <= now and schedule.phase is not Phase.SYNCING


def begun(schedule: Schedule) -> Schedule:
    return replace(schedule, phase=Phase.SYNCING, next_try=None, again=False, insisted=False, waiting_since=None)


def finished(schedule: Schedule, now: datetime, *, waiting: bool) -> Schedule:
    """A run ended well; ``waiting``: something is left that could not go now (a photo that is elsewhere)."""
    rested = replace(schedule, failures=0, again=False, insisted=False, phase=Phase.IDLE)
    if schedule.insisted or (schedule.again and schedule.automatic):
        return replace(rested, phase=Phase.WAITING, next_try=now + QUIET)
    if not schedule.automatic:
        return replace(rested, phase=Phase.PAUSED, next_try=None)
    return replace(rested, next_try=now + (PERIOD / 2 if waiting else PERIOD))


def failed(
    schedule: Schedule, now: datetime, trouble: Trouble, *, chance: float, wait: timedelta = timedelta()
) -> Schedule:
    """A run was cut. ``chance`` in [0, 1) spreads the tries of many devices; ``wait``: what the server asked for."""
    failures = schedule.failures + 1
    since = schedule.waiting_since or now
    known = replace(schedule, failures=failures, again=False, insisted=False, waiting_since=since)
    if trouble in _STUCK:
        return replace(known, phase=_STUCK[trouble], next_try=None)
    if not schedule.automatic:
        return replace(known, phase=Phase.PAUSED, next_try=None)
    offline = trouble is Trouble.OFFLINE
    first, longest = (OFFLINE_RETRY, OFFLINE_LONGEST) if offline else (FIRST_RETRY, LONGEST)
    backoff = min(first * 2 ** min(failures - 1, 10), longest)
    spread = backoff * (0.5 + chance / 2)
    asked_for = min(wait, LONGEST) * (1 + chance / 4)  # never earlier than asked, and not all at once
    when = now + max(spread, asked_for)
    return replace(known, phase=Phase.OFFLINE if offline else Phase.BACKING_OFF, next_try=when)
