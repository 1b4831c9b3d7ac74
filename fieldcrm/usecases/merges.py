"""What was merged without a person: both changes were kept. It is told, and this person's part can be taken back."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.store import clashes as _clashes
from fieldcrm.store import history as _history
from fieldcrm.store.clashes import Clash
from fieldcrm.store.database import Reader, Transaction
from sync.catalogue import Field, Kind
from sync.catalogue import Merge as Merging
from sync.merge import carry, merge_lines

__all__ = ["Merge", "State", "merges", "undo_merge"]


class State(StrEnum):
    KEPT = "kept"  # this person's change stands beside the other's
    TAKEN_BACK = "taken_back"
    OVERTAKEN = "overtaken"  # somebody has changed it again since
    GONE = "gone"  # the record is no longer on this device


@dataclass(frozen=True, slots=True)
class Merge:
    """``mine``, ``theirs``: fields with their wire values; ``before``: what mine were. ``by_name`` may be ""."""

    id: Id
    collection: str
    record_id: Id
    mine: Mapping[str, Any]
    theirs: Mapping[str, Any]
    before: Mapping[str, Any]
    by_name: str
    at: datetime | None
    outlet_id: Id | None
    outlet_name: str
    record_name: str
    state: State


def merges(r: Reader, person: Id, since: datetime) -> tuple[Merge, ...]:
    """The newest first."""
    return tuple(_merge(r, clash) for clash in _clashes.merges(r, person, since) if isinstance(clash.lost, Mapping))


def _merge(r: Reader, clash: Clash) -> Merge:
    fields = CATALOGUE.by_name[clash.collection].by_name
    mine = {name: value for name, value in clash.lost.items() if name in fields}
    theirs = {name: value for name, value in (clash.kept or {}).items() if name in fields}
    before = {name: (clash.before or {}).get(name) for name in mine}
    row = _clashes.current(r, clash.collection, clash.record_id)
    return Merge(
        clash.id, clash.collection, clash.record_id, mine, theirs, before, clash.by_name, clash.at, clash.outlet_id,
        clash.outlet_name, clash.record_name, _state(clash.collection, row, mine, before),
    )


def _state(collection: str, row: Mapping[str, Any] | None, mine: Mapping[str, Any], before: Mapping[str, Any]) -> State:
    if row is None:
        return State.GONE
    if _reversed(collection, row, mine, before):
        return State.KEPT
    if all(row.get(name) == before.get(name) for name in mine):
        return State.TAKEN_BACK
    return State.OVERTAKEN


def _reversed(
    collection: str, row: Mapping[str, Any], mine: Mapping[str, Any], before: Mapping[str, Any]
) -> dict[str, Any]:
    """The values that take my change back and leave every other one alone."""
    fields = CATALOGUE.by_name[collection].by_name
    wanted = {name: _without(fields[name], row.get(name), value, before.get(name)) for name, value in mine.items()}
    return {name: value for name, value in wanted.items() if value != row.get(name)}


def _without(field: Field, now: Any, mine: Any, before: Any) -> Any:
    """Of what merges within itself (lines, keys, sets) only my part goes; of a plain value all, if it still stands."""
    if field.merge is Merging.LINES:
        merged = merge_lines(mine or "", now or "", before or "")
        return now if merged is None else merged or None
    divisible = field.merge is Merging.KEYS or field.kind in (Kind.SET, Kind.COUNTER)
    return carry(field, now, mine, before) if divisible or now == mine else now


def undo_merge(tx: Transaction, merge: Merge) -> None:
    """Take this person's part of a merge back, as a change of now; the other's stays.

    Raises ``DomainError``: ``record_gone``, ``undo_overtaken`` when somebody has changed it again since.
    """
    row = _clashes.current(tx, merge.collection, merge.record_id)
    if row is None:
        raise DomainError("record_gone")
    back = _reversed(merge.collection, row, merge.mine, merge.before)
    if not back:
        raise DomainError("undo_overtaken")
    _history.write_fields(tx, merge.collection, merge.record_id, back)
    tx.touch(merge.collection, merge.record_id)
    if merge.outlet_id is not None:
        tx.touch("outlet", merge.outlet_id)
    tx.touch("sync")
    tx.label = "merge.undone"
