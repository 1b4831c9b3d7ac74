"""Outlets from a file become outlets of this device, in slices, with undo; a newer extract makes proposals.

All of it runs in a worker thread (never the one of the screens) and writes through ``Database.write``.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractContextManager
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.ids import Id
from fieldcrm.domain.intake import Feed, Incoming, Refused
from fieldcrm.store.database import Database, Reader
from fieldcrm.usecases.longwork import OnProgress, Phase, Progress, Stopped, never, silent

__all__ = [
    "Batch", "Changed", "Defaults", "Imported", "Kept", "Openings", "Phase", "Preview", "Progress", "Undone",
    "batches", "dry_run", "interrupted", "kept_outlets", "run_import", "take_out_interrupted", "undo_import",
]  # fmt: skip

SAMPLE = 200  # rows of each sort that a preview shows


class Openings(StrEnum):
    """What becomes of outlets that we do not have: added, or proposed as opened."""

    AUTO = "auto"  # proposed when outlets of the same source are here already, else added
    ADD = "add"
    PROPOSE = "propose"


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a person settles before an import: what outlets get where the file says nothing, and how to compare.

    ``complete``: the file holds every outlet that its source has in ``sector_id``; those of the same source that it
    lacks are then proposed as closed.
    """

    sector_id: Id
    zone: str = "Europe/Paris"
    country: str = ""
    state: str = "prospect"
    openings: Openings = Openings.AUTO
    complete: bool = False


@dataclass(frozen=True, slots=True)
class Changed:
    """A line about an outlet that we have. ``fields``: field -> (what we have, what the source says now)."""

    line: Incoming
    outlet_id: Id
    outlet_name: str
    fields: Mapping[str, tuple[Any, Any]]


@dataclass(frozen=True, slots=True)
class Preview:
    """What an import would do. The samples hold the first ``SAMPLE`` rows of each sort.

    ``refused`` counts ``repeated`` too: a reference that a line before it had (code ``reference_repeated``).
    ``known_source``: outlets of this source are here, so new ones would be proposed, not added (``Openings.AUTO``).
    """

    rows: int = 0
    new: int = 0
    changed: int = 0
    same: int = 0
    refused: int = 0
    repeated: int = 0
    unmapped: int = 0  # of ``new``, those without a position
    by_code: Mapping[str, int] = field(default_factory=dict)  # why lines are refused -> how many
    sample_new: tuple[Incoming, ...] = ()
    sample_changed: tuple[Changed, ...] = ()
    sample_same: tuple[Incoming, ...] = ()
    sample_refused: tuple[Refused, ...] = ()
    known_source: bool = False
    stopped: bool = False  # cut short: the counts are of the rows read so far


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import did. ``stopped``: it was cancelled, and everything is as it was; the counts are then 0."""

    batch_id: Id | None
    rows: int = 0
    added: int = 0
    proposed: int = 0  # proposals made, see ``usecases.updates``
    same: int = 0
    refused: int = 0
    stopped: bool = False


@dataclass(frozen=True, slots=True)
class Undone:
    """``kept``: outlets that stay because somebody used or changed them; their names by ``kept_outlets``."""

    removed: int = 0
    kept: int = 0
    restored: int = 0  # outlets whose accepted changes of this import went back
    withdrawn: int = 0  # open proposals of this import
    stopped: bool = False  # cut short: asked for again it goes on


@dataclass(frozen=True, slots=True)
class Kept:
    """An outlet of an import that was undone. ``reason``: "visit", "task", "note", "contact", "plan", "order",
    "draft", "alias", "changed"."""

    outlet_id: Id
    name: str
    reason: str


@dataclass(frozen=True, slots=True)
class Batch:
    """One import. ``unsent``: pieces of it that headquarters has not answered yet."""

    id: Id
    source: str
    licence: str
    file: str
    person_id: Id | None
    person_name: str
    begun_at: datetime
    state: str  # "live", "undone"
    added: int
    changed: int  # proposals it made
    refused: int
    undone_at: datetime | None
    kept: int
    unsent: int
    proposals_open: int


def dry_run(
    read: Callable[[], AbstractContextManager[Reader]],
    feed: Feed,
    defaults: Defaults,
    *,
    on_progress: OnProgress = silent,
    stopped: Stopped = never,
) -> Preview:
    """Read the whole feed and say what ``run_import`` would do; writes nothing. ``read``: ``db.read``.

    Raises ``DomainError`` when the file as a whole cannot be read.
    """
    raise NotImplementedError


def run_import(
    db: Database,
    feed: Feed,
    defaults: Defaults,
    *,
    actor: Actor,
    clock: Callable[[], datetime],
    on_progress: OnProgress = silent,
    stopped: Stopped = never,
    on_refused: Callable[[Refused], None] = lambda refused: None,
) -> Imported:
    """Import the feed: all of it or nothing. ``on_refused`` hears of each line that was left out, in order.

    Cancelled, or when the file cannot be read to its end, what was written is taken out again before this returns or
    raises; after a crash the next start does it (``take_out_interrupted``).

    Raises ``DomainError``: ``import_needs_manager``, ``sector_not_yours``, ``zone_unknown``, ``import_running``,
    ``import_empty`` when no line could be taken, and what the feed raises. ``Unavailable``: ``disk_full``.
    """
    raise NotImplementedError


def undo_import(
    db: Database,
    batch_id: Id,
    *,
    actor: Actor,
    clock: Callable[[], datetime],
    on_progress: OnProgress = silent,
    stopped: Stopped = never,
) -> Undone:
    """Take a whole import back, also after headquarters has it: outlets that nobody has used or changed since.

    Raises ``DomainError``: ``import_needs_manager``, ``import_unknown``, ``import_undone``, ``import_running``.
    """
    raise NotImplementedError


def batches(r: Reader) -> tuple[Batch, ...]:
    """Every import that this device knows of, the newest first."""
    raise NotImplementedError


def kept_outlets(r: Reader, batch_id: Id, limit: int = 500) -> tuple[Kept, ...]:
    """Outlets of the import that an undo would keep, or has kept, by name, and why."""
    raise NotImplementedError


def interrupted(r: Reader) -> Id | None:
    """The import that a crash cut short, if any."""
    raise NotImplementedError


def take_out_interrupted(
    db: Database,
    *,
    actor: Actor,
    clock: Callable[[], datetime],
    on_progress: OnProgress = silent,
    stopped: Stopped = never,
) -> Undone | None:
    """At the start: take out what a crash left of an import; ``None`` when there is nothing to do."""
    raise NotImplementedError
