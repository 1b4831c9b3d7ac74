"""Work that takes minutes: done in a worker thread in slices, with progress, and stopped when a person says so.

Each slice is one write of the database, short enough that what a person saves meanwhile waits a blink; the next is
handed in only when the last is done, so a person's write never stands behind more than one.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from concurrent.futures import Future
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from time import perf_counter
from typing import TypeVar

from fieldcrm.domain.actor import Actor
from fieldcrm.store.database import Database, Transaction, Written

Result = TypeVar("Result")
Part = TypeVar("Part")


class Phase(StrEnum):
    """What is being done; the screen has a word for each."""

    COMPARING = "comparing"  # a dry run, or what a newer extract says otherwise
    WRITING = "writing"
    TIDYING = "tidying"  # the search index
    CLOSING = "closing"  # looking for outlets that the extract no longer has
    TAKING_OUT = "taking_out"  # an undo, or a cancelled import
    RESTORING = "restoring"  # fields that go back to what they were
    MATCHING = "matching"  # the base with itself, for duplicates
    MERGING = "merging"
    DECIDING = "deciding"  # accepting or refusing proposals


@dataclass(frozen=True, slots=True)
class Progress:
    """``fraction``: of the whole work, from 0 to 1; it never goes back within one phase. ``rows``: done so far."""

    phase: Phase
    fraction: float
    rows: int


OnProgress = Callable[[Progress], None]  # called in the worker thread, some ten times a second at most
Stopped = Callable[[], bool]  # asked between slices, in the worker thread


def silent(_progress: Progress) -> None:
    """For work that nobody watches."""


def never() -> bool:
    """For work that nobody stops."""
    return False


SLICE_SECONDS = 0.02  # of work, for one part
TOGETHER_SECONDS = 0.1  # of work in one transaction while nobody waits: its end costs the same for few rows as many
_TOLD_EVERY = 0.1  # seconds


class Pace:
    """How many rows are written at once: as many as this computer writes in ``SLICE_SECONDS``."""

    def __init__(self, rows: int = 200, least: int = 25, most: int = 1_000) -> None:
        self.rows, self._least, self._most = rows, least, most

    def took(self, seconds: float, rows: int) -> None:
        """So long for a part of ``rows``."""
        fits = rows * SLICE_SECONDS / max(seconds, 1e-6)
        self.rows = int(max(self._least, min(self._most, self.rows * 2, (self.rows + fits) / 2)))


class Slices:
    """Writes of one long work, one after another, each in the name of ``actor``."""

    def __init__(self, db: Database, actor: Actor, clock: Callable[[], datetime], label: str) -> None:
        self.db, self.actor, self.clock, self.label = db, actor, clock, label

    def submit(self, work: Callable[[Transaction], Result]) -> Future[Written[Result]]:
        return self.db.write(work, actor=self.actor, now=self.clock(), label=self.label)

    def write(self, work: Callable[[Transaction], Result]) -> Result:
        return self.submit(work).result().value

    def turn(self, tx: Transaction, parts: Iterable[Part], write: Callable[[Transaction, Part], None]) -> list[Part]:
        """Write parts in one transaction until somebody else waits to write, or there is much in it.

        At least one. Returns those that are left.
        """
        began, left, ended = perf_counter(), list[Part](), False
        for part in parts:
            if ended:
                left.append(part)
                continue
            write(tx, part)
            ended = self.db.waited_for() or perf_counter() - began > TOGETHER_SECONDS
        return left


class Teller:
    """Passes progress on, not more often than a screen can show it."""

    def __init__(self, on_progress: OnProgress) -> None:
        self._tell = on_progress
        self._last: tuple[Phase | None, float] = (None, 0.0)
        self._reached = 0.0

    def __call__(self, phase: Phase, fraction: float, rows: int) -> None:
        known, at = self._last
        moment = perf_counter()
        if phase is not known:
            self._reached = 0.0
        elif moment - at < _TOLD_EVERY and fraction < 1:
            return
        self._last = (phase, moment)
        self._reached = min(1.0, max(self._reached, fraction))
        self._tell(Progress(phase, self._reached, rows))
