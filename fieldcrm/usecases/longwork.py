"""Work that takes minutes: done in a worker thread in slices, with progress, and stopped when a person says so.

Each slice is one write of the database, short enough that what a person saves meanwhile waits a blink; the next is
handed in only when the last is done, so a person's write never stands behind more than one.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum


class Phase(StrEnum):
    """What is being done; the screen has a word for each."""

    COMPARING = "comparing"  # a dry run, or what a newer extract says otherwise
    WRITING = "writing"
    TIDYING = "tidying"  # the search index
    CLOSING = "closing"  # looking for outlets that the extract no longer has
    TAKING_OUT = "taking_out"  # an undo, or a cancelled import
    RESTORING = "restoring"  # fields that go back to what they were
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
