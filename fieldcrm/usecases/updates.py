"""What a newer extract says otherwise, as proposals: a person accepts or refuses them, one by one or in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.catalogue import PROPOSAL_KINDS
from fieldcrm.domain.earth import metres
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.extracts import MOVED
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import DEGREE
from fieldcrm.store import proposals as _proposals
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.usecases import deciding as _deciding
from fieldcrm.usecases.longwork import OnProgress, Phase, Slices, Stopped, Teller, never, silent

KINDS = PROPOSAL_KINDS
LABEL = "outlet.proposals"
_AT_ONCE = 25
_NOT_SHOWN = frozenset({_proposals.ORIGINS, _proposals.SAID})


@dataclass(frozen=True, slots=True)
class Proposal:
    """``before`` and ``after``: field -> wire value, as the outlet had it and as the source gives it.

    ``written``: fields among them that a person entered or confirmed. ``outlet_id`` is ``None`` for "opened" until it
    is accepted.
    """

    rid: int
    id: Id
    kind: str
    state: str  # "open", "accepted", "refused", "stale"
    outlet_id: Id | None
    outlet_name: str  # of "opened": the name that the source gives
    city: str
    sector_id: Id
    sector_name: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]
    written: frozenset[str]
    metres: int | None  # how far it moved
    source: str
    reference: str
    batch_id: Id | None
    seen_at: datetime
    person_name: str  # who decided
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Decided:
    """``done`` proposals; ``passed_over``: no longer open, or their outlet is gone, or not the person's sector."""

    done: int = 0
    passed_over: int = 0
    stopped: bool = False


def proposals(
    r: Reader,
    *,
    kinds: Iterable[str] = (),
    states: Iterable[str] = ("open",),
    sector: Id | None = None,
    batch: Id | None = None,
    written_only: bool = False,
) -> list[int]:
    """Row numbers of the proposals that fit, in order of outlet name; no kinds: all. Rows by ``rows``.

    ``written_only``: those that would change what a person entered or confirmed.
    """
    return _proposals.find(r, kinds, states, sector, batch, written_only)


def rows(r: Reader, rids: Sequence[int]) -> tuple[Proposal, ...]:
    """The proposals of a page, in the order of ``rids``; those that are gone are left out."""
    found = {row.rid: _shown(row) for row in _proposals.rows(r, rids)}
    return tuple(found[rid] for rid in rids if rid in found)


def _shown(row: Any) -> Proposal:
    before, after = _deciding.said(row.before), _deciding.said(row.after)
    origins = _deciding.said(before.get(_proposals.ORIGINS))
    people = {name for name in after if (provenance.origin_of(origins, name) or {}).get("source") == provenance.PERSON}
    before = {name: value for name, value in before.items() if name not in _NOT_SHOWN}
    return Proposal(
        row.rid, row.id, row.kind, row.state, row.outlet_id, row.outlet_name or str(after.get("name") or ""),
        row.city or str(after.get("city") or ""), row.sector_id, row.sector_name or "", before, after,
        frozenset(people), _metres(row.kind, before, after), row.source, row.reference or "", row.batch_id,
        row.seen_at, row.person_name or "", row.decided_at,
    )  # fmt: skip


def _metres(kind: str, before: Mapping[str, Any], after: Mapping[str, Any]) -> int | None:
    points = [values.get(name) for values in (before, after) for name in ("lat_e7", "lon_e7")]
    known = [point for point in points if type(point) is int and abs(point) <= 180 * DEGREE]
    return round(metres(*known)) if kind == MOVED and len(known) == 4 else None


def counts(r: Reader, *, states: Iterable[str] = ("open",), sector: Id | None = None) -> Mapping[str, int]:
    """How many proposals of each kind; every kind is named."""
    return _proposals.counts(r, states, sector)


def accept(tx: Transaction, ids: Iterable[Id]) -> Decided:
    """Write what the source says, with the source as origin, also over what a person wrote: that person decides now.

    For some hundreds at once: more by ``decide_all``. Raises ``DomainError("import_needs_manager")``.
    """
    asked = list(ids)
    rows = _open_ones(tx, asked)
    done = _deciding.write(tx, rows)
    return _decided(tx, asked, done, "accepted")


def refuse(tx: Transaction, ids: Iterable[Id]) -> Decided:
    """The outlet stays as it is; the same value does not come again. Raises as ``accept`` does."""
    asked = list(ids)
    done = [row.id for row in _open_ones(tx, asked)]
    return _decided(tx, asked, done, "refused")


def reopen(tx: Transaction, ids: Iterable[Id]) -> Decided:
    """Take decisions back: fields return to what they were unless somebody changed them since, the proposal is open.

    An outlet that came by an accepted "opened" goes again unless somebody used or changed it (then passed over).
    """
    asked = list(ids)
    rows = _mine(tx, asked, ("accepted", "refused"))
    done = [row.id for row in rows if row.state == "refused"]
    done += _deciding.take_back(tx, [row for row in rows if row.state == "accepted"])
    _proposals.set_state(tx, done, "open", decided=False)
    tx.touch("proposal", *done)
    tx.label = tx.label or LABEL
    return Decided(len(done), len(asked) - len(done))


def _open_ones(tx: Transaction, ids: Sequence[Id]) -> list[Any]:
    return _mine(tx, ids, ("open",))


def _mine(tx: Transaction, ids: Sequence[Id], states: tuple[str, ...]) -> list[Any]:
    if tx.actor.role is not Role.MANAGER:
        raise DomainError("import_needs_manager")
    sectors = tx.actor.sectors
    rows = _proposals.by_ids(tx, ids)
    return [row for row in rows if row.state in states and (not sectors or row.sector_id in sectors)]


def _decided(tx: Transaction, asked: Sequence[Id], done: Sequence[Id], state: str) -> Decided:
    _proposals.set_state(tx, done, state, decided=True)
    tx.touch("proposal", *done)
    tx.label = tx.label or LABEL
    return Decided(len(done), len(asked) - len(done))


def decide_all(
    db: Database,
    rids: Sequence[int],
    *,
    accepted: bool,
    actor: Actor,
    clock: Callable[[], datetime],
    on_progress: OnProgress = silent,
    stopped: Stopped = never,
) -> Decided:
    """Accept or refuse many (what ``proposals`` gave), in slices in a worker thread; cut short, the rest stays open."""
    return _all(Slices(db, actor, clock, LABEL), rids, accept if accepted else refuse, Teller(on_progress), stopped)


def reopen_all(
    db: Database,
    rids: Sequence[int],
    *,
    actor: Actor,
    clock: Callable[[], datetime],
    on_progress: OnProgress = silent,
    stopped: Stopped = never,
) -> Decided:
    """Take many decisions back, as ``reopen``: the undo of ``decide_all``."""
    return _all(Slices(db, actor, clock, LABEL), rids, reopen, Teller(on_progress), stopped)


def _all(
    slices: Slices,
    rids: Sequence[int],
    decide: Callable[[Transaction, Iterable[Id]], Decided],
    tell: Teller,
    stopped: Stopped,
) -> Decided:
    with slices.db.read() as r:
        ids = _proposals.ids_of(r, rids)
    left = [ids[at : at + _AT_ONCE] for at in range(0, len(ids), _AT_ONCE)]
    total, done = max(1, len(ids)), [0, len(rids) - len(ids)]

    def one(tx: Transaction, part: list[Id]) -> None:
        decided = decide(tx, part)
        done[0] += decided.done
        done[1] += decided.passed_over

    while left:
        if stopped():
            return Decided(done[0], done[1], stopped=True)
        some, rest = left[:10], left[10:]
        unwritten = slices.write(lambda tx, some=some: slices.turn(tx, some, one))  # type: ignore[misc]
        left = [*unwritten, *rest]
        tell(Phase.DECIDING, sum(done) / total, sum(done))
    tell(Phase.DECIDING, 1.0, sum(done))
    return Decided(done[0], done[1])
