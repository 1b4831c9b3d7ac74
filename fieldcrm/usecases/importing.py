"""Outlets from a file become outlets of this device, in slices, with undo; a newer extract makes proposals.

All of it runs in a worker thread (never the one of the screens) and writes through ``Database.write``.
"""

from __future__ import annotations

import threading
from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from enum import StrEnum
from pathlib import Path
from typing import Any

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.imported import given_by
from fieldcrm.domain.intake import Feed, Incoming, Refused
from fieldcrm.domain.outlet import check_zone
from fieldcrm.store import imports as _imports
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import proposals as _proposals
from fieldcrm.store import unimports as _unimports
from fieldcrm.store.database import Database, Reader
from fieldcrm.store.imports import Head
from fieldcrm.usecases import importlines as _lines
from fieldcrm.usecases import takingout as _takingout
from fieldcrm.usecases.importlines import News, Sorted, Sorter
from fieldcrm.usecases.importrun import LABEL, Run, Told, proposed_of
from fieldcrm.usecases.longwork import OnProgress, Phase, Progress, Slices, Stopped, Teller, never, silent

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
    with read() as r:
        sorter = Sorter(feed.source, _codes(r), None, _given(defaults))
        known_source = _imports.has_source(r, feed.source)
        standing = _proposals.standing(r, feed.source) if known_source else _proposals.Standing()
    tell, tally = Teller(on_progress), _Tally(standing)
    for lines in _lines.parts(feed, lambda: _DRY_ROWS):
        if stopped():
            return tally.preview(known_source, stopped=True)
        with read() as r:
            part = sorter.sort(r, lines)
            tally.add(part, _names(r, part) if len(tally.changed) < SAMPLE else {})
        tell(Phase.COMPARING, feed.position(), tally.rows)
    tell(Phase.COMPARING, 1.0, tally.rows)
    return tally.preview(known_source, stopped=False)


_DRY_ROWS = 400


@dataclass(slots=True)
class _Tally:
    standing: _proposals.Standing
    rows: int = 0
    unmapped: int = 0
    counts: Counter[str] = field(default_factory=Counter)
    codes: Counter[str] = field(default_factory=Counter)
    new: list[Incoming] = field(default_factory=list)
    changed: list[Changed] = field(default_factory=list)
    same: list[Incoming] = field(default_factory=list)
    refused: list[Refused] = field(default_factory=list)

    def add(self, part: Sorted, names: Mapping[Id, str]) -> None:
        self.rows += part.lines
        news: list[News] = []
        same = list(part.same)
        for one in part.news:
            if self._worth(one):
                news.append(one)
            else:
                same.append(one.ready.line)
        self.counts.update(new=len(part.new), changed=len(news), same=len(same), refused=len(part.refused))
        self.codes.update(refused.code for refused in part.refused)
        self.unmapped += sum("lat_e7" not in ready.values for ready in part.new)
        self.new += [_lines.named(one.line, one.values) for one in part.new[: SAMPLE - len(self.new)]]
        self.same += same[: SAMPLE - len(self.same)]
        self.refused += part.refused[: SAMPLE - len(self.refused)]
        for one in news[: SAMPLE - len(self.changed)]:
            fields = {name: (each.before.get(name), value) for each in one.differences
                      for name, value in each.after.items()}
            self.changed.append(Changed(one.ready.line, one.outlet_id, names.get(one.outlet_id, ""), fields))

    def _worth(self, news: News) -> bool:
        """Whether the import would propose anything of it: not what we have, and not what was refused before."""
        made = proposed_of(news, datetime.fromtimestamp(0, UTC))
        worth = [self.standing.replaced(one)[0] for one in made]  # each, for lines that follow
        return any(worth)

    def preview(self, known_source: bool, *, stopped: bool) -> Preview:
        counts = self.counts
        return Preview(
            self.rows, counts["new"], counts["changed"], counts["same"], counts["refused"],
            self.codes["reference_repeated"], self.unmapped, dict(self.codes), tuple(self.new), tuple(self.changed),
            tuple(self.same), tuple(self.refused), known_source, stopped,
        )  # fmt: skip


def _names(r: Reader, part: Sorted) -> dict[Id, str]:
    found = _unimports.names(r, [one.outlet_id.bytes for one in part.news])
    return {Id(bytes=id): name for id, name in found.items()}


def _given(defaults: Defaults) -> dict[str, Any]:
    return given_by(defaults.sector_id, defaults.zone, defaults.country, defaults.state)


def _codes(r: Reader) -> dict[str, Id]:
    return {sector.code.strip().casefold(): sector.id for sector in _outlets.sectors(r)}


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
    _check(actor, defaults)
    slices, tell = Slices(db, actor, clock, LABEL), Teller(on_progress)
    with _alone(db):
        _takingout.after_crash(slices, tell)
        begun = clock()
        head = Head(new_id(begun), feed.source, feed.licence, begun, _given(defaults))
        with db.read() as r:
            codes = {code: id for code, id in _codes(r).items() if not actor.sectors or id in actor.sectors}
            has = _imports.has_source(r, feed.source)
        propose = defaults.openings is Openings.PROPOSE or (defaults.openings is Openings.AUTO and has)
        told = Told(propose, has, defaults.complete, defaults.sector_id, feed.file)
        run = Run(slices, head, Sorter(feed.source, codes, head.id, head.given), told, tell, stopped, on_refused)
        try:
            whole = run.through(feed)
            if whole and run.nothing:
                raise DomainError("import_empty", refused=run.refused)
        except BaseException:
            run.end()
            _takingout.take_out(slices, head, tell, withdraw=True)
            raise
        if not whole:
            _takingout.take_out(slices, head, tell, withdraw=True)
            return Imported(head.id, stopped=True)
        run.close()
    return Imported(head.id, run.rows, run.added, run.proposed, run.same, run.refused)


def _check(actor: Actor, defaults: Defaults) -> None:
    check_manager(actor)
    check_zone(defaults.zone)
    if actor.sectors and defaults.sector_id not in actor.sectors:
        raise DomainError("sector_not_yours", field="sector_id")


def check_manager(actor: Actor) -> None:
    """Raises ``DomainError("import_needs_manager")``."""
    if actor.role is not Role.MANAGER:
        raise DomainError("import_needs_manager")


_working: set[Path] = set()
_guard = threading.Lock()


@contextmanager
def _alone(db: Database) -> Iterator[None]:
    """One import, or undo of one, at a time. Raises ``DomainError("import_running")``."""
    with _guard:
        if db.folder in _working:
            raise DomainError("import_running")
        _working.add(db.folder)
    try:
        yield
    finally:
        with _guard:
            _working.discard(db.folder)


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
    check_manager(actor)
    slices, tell = Slices(db, actor, clock, LABEL), Teller(on_progress)
    with _alone(db):
        _takingout.after_crash(slices, tell)
        with db.read() as r:
            found = _imports.head_of(r, batch_id)
        if found is None:
            raise DomainError("import_unknown")
        head, state = found
        if state != "live":
            raise DomainError("import_undone")
        return Undone(*_takingout.take_out(slices, head, tell, withdraw=False, stopped=stopped))


def batches(r: Reader) -> tuple[Batch, ...]:
    """Every import that this device knows of, the newest first."""
    return tuple(Batch(*row) for row in _imports.batches(r))


def kept_outlets(r: Reader, batch_id: Id, limit: int = 500) -> tuple[Kept, ...]:
    """Outlets of the import that an undo would keep, or has kept, by name, and why."""
    found = _imports.head_of(r, batch_id)
    if found is None:
        return ()
    kept = _takingout.would_keep(r, found[0], limit)
    names = _unimports.names(r, kept)
    shown = [Kept(Id(bytes=id), names.get(id, ""), reason) for id, reason in kept.items()]
    return tuple(sorted(shown, key=lambda one: (one.name.casefold(), one.outlet_id)))


def interrupted(r: Reader) -> Id | None:
    """The import that a crash cut short, if any; also the one under way, while it is."""
    return _imports.running(r)


def take_out_interrupted(
    db: Database,
    *,
    actor: Actor,
    clock: Callable[[], datetime],
    on_progress: OnProgress = silent,
    stopped: Stopped = never,
) -> Undone | None:
    """At the start: take out what a crash left of an import; ``None`` when there is nothing to do."""
    with db.read() as r:
        if _imports.running(r) is None:
            return None
    with _alone(db):
        done = _takingout.after_crash(Slices(db, actor, clock, LABEL), Teller(on_progress), stopped)
    return None if done is None else Undone(*done)
