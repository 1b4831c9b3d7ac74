"""What a newer extract says otherwise, as proposals: a person accepts or refuses them, one by one or in bulk."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.usecases.longwork import OnProgress, Stopped, never, silent

KINDS = ("opened", "closed", "moved", "renamed", "hours", "details")


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
    """Row numbers of the proposals that fit, in order of outlet name; no kinds: all. Rows by ``rows``."""
    raise NotImplementedError


def rows(r: Reader, rids: Sequence[int]) -> tuple[Proposal, ...]:
    """The proposals of a page, in the order of ``rids``; those that are gone are left out."""
    raise NotImplementedError


def counts(r: Reader, *, states: Iterable[str] = ("open",), sector: Id | None = None) -> Mapping[str, int]:
    """How many proposals of each kind; every kind is named."""
    raise NotImplementedError


def accept(tx: Transaction, ids: Iterable[Id]) -> Decided:
    """Write what the source says, with the source as origin, also over what a person wrote: that person decides now.

    For some hundreds at once: more by ``decide_all``. Raises ``DomainError("import_needs_manager")``.
    """
    raise NotImplementedError


def refuse(tx: Transaction, ids: Iterable[Id]) -> Decided:
    """The outlet stays as it is; the same value does not come again. Raises as ``accept`` does."""
    raise NotImplementedError


def reopen(tx: Transaction, ids: Iterable[Id]) -> Decided:
    """Take decisions back: fields return to what they were unless somebody changed them since, the proposal is open.

    An outlet that came by an accepted "opened" goes again unless somebody used or changed it (then passed over).
    """
    raise NotImplementedError


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
    raise NotImplementedError


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
    raise NotImplementedError
