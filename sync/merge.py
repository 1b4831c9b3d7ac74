"""Merging, as pure functions on wire values: what becomes of a field, a record, a place in a bucket.

The server decides with these when a device sends a change; the client uses the same ones to lay its
own unsent changes over what the server sends. A *stamp* says who wrote a field last: the revision
and the device. Clocks take no part.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from enum import IntEnum
from typing import Any, NamedTuple

from sync.catalogue import Collection, Field, Kind, Merge

CREATED = "*"  # the stamp of every field that was never changed after creation


class Stamp(NamedTuple):
    rev: int
    device: int


NEVER = Stamp(0, 0)


@dataclass(frozen=True, slots=True)
class FieldOutcome:
    """The value a field takes, and whether one of two concurrent values had to give way."""

    value: Any
    kept: bool = False  # the server's value stays, the device's gave way
    displaced: bool = False  # the device's value stands, another device's gave way


@dataclass(frozen=True, slots=True)
class Outcome:
    """What an update does to a record: the values to write, and the two kinds of clash."""

    values: Mapping[str, Any] = field(default_factory=dict)
    lost: Mapping[str, Any] = field(default_factory=dict)  # field -> the device's value, not taken
    displaced: Mapping[str, Any] = field(default_factory=dict)  # field -> the earlier value, overwritten
    foreign: bool = False  # somebody else changed the record after the device's base


class Entry(IntEnum):
    """What a bucket says of a record."""

    PUT = 1
    REVOKE = 2  # it left this bucket, and lives elsewhere
    GONE = 3  # it was deleted


def stamp_of(stamps: Mapping[str, Stamp], name: str) -> Stamp:
    return stamps.get(name) or stamps.get(CREATED, NEVER)


def carry(definition: Field, current: Any, was: Any, new: Any) -> Any:
    """``current`` with the change from ``was`` to ``new`` carried over, when no side has to give way.

    A map keeps the keys the change did not touch, a set its other members, a counter the other
    increments, a long text the other lines. Where lines cannot be reconciled the result is ``new``.
    """
    if definition.kind is Kind.COUNTER:
        return (current or 0) + (new or 0) - (was or 0)
    if definition.kind is Kind.SET:
        return _carry_set(current, was, new)
    if definition.merge is Merge.KEYS:
        return _carry_map(current, was, new)
    if definition.merge in (Merge.MAX, Merge.MIN):
        return _extreme(definition.merge, current, new)
    if definition.merge is Merge.LINES and current != was:
        merged = merge_lines(was or "", current or "", new or "")
        return new if merged is None else merged
    return new


def decide_field(definition: Field, current: Any, was: Any, new: Any, foreign: bool) -> FieldOutcome:
    """``foreign``: another device wrote this field after the base of the change."""
    mergeable = definition.kind in (Kind.COUNTER, Kind.SET) or definition.merge in (Merge.KEYS, Merge.MAX, Merge.MIN)
    if mergeable:
        return FieldOutcome(carry(definition, current, was, new))
    if current == new or (not foreign and definition.merge is not Merge.LINES):
        return FieldOutcome(new)
    if definition.merge is Merge.LINES:
        merged = new if current == was else merge_lines(was or "", current or "", new or "")
        if merged is not None:
            return FieldOutcome(merged)
        return FieldOutcome(current, kept=True) if foreign else FieldOutcome(new)
    if definition.merge is Merge.ARRIVAL:
        return FieldOutcome(new, displaced=True)
    return FieldOutcome(current, kept=True)


def decide_update(
    collection: Collection,
    current: Mapping[str, Any],
    stamps: Mapping[str, Stamp],
    change: Mapping[str, Any],
    was: Mapping[str, Any],
    base: int,
    device: int,
) -> Outcome:
    """Merge ``change``, made by ``device`` when it held revision ``base``, into the server's record.

    A field last written by the same device never clashes with it, however old the base:
    two edits of the same field, made offline one after the other, arrive with the same base.
    """
    values: dict[str, Any] = {}
    lost: dict[str, Any] = {}
    displaced: dict[str, Any] = {}
    for name, new in change.items():
        stamp = stamp_of(stamps, name)
        foreign = stamp.rev > base and stamp.device != device
        outcome = decide_field(collection.by_name[name], current.get(name), was.get(name), new, foreign)
        if outcome.kept:
            lost[name] = new
            continue
        if outcome.displaced:
            displaced[name] = current.get(name)
        values[name] = outcome.value
    return Outcome(values, lost, displaced, bool(foreign_fields(stamps, base, device)))


def foreign_fields(stamps: Mapping[str, Stamp], base: int, device: int) -> tuple[str, ...]:
    """Fields that another device wrote after ``base``; a deletion may not sweep such a change away."""
    return tuple(name for name, stamp in stamps.items() if stamp.rev > base and stamp.device != device)


def bucket_entries(old: frozenset[str], new: frozenset[str], deleted: bool) -> dict[str, Entry]:
    """What each bucket has to be told when a record that was in ``old`` belongs to ``new``."""
    if deleted:
        return dict.fromkeys(old, Entry.GONE)
    return {**dict.fromkeys(old - new, Entry.REVOKE), **dict.fromkeys(new, Entry.PUT)}


@dataclass(frozen=True, slots=True)
class Pending:
    """A change that the server has not confirmed: ``kind`` is "new", "upd" or "del"."""

    kind: str
    set: Mapping[str, Any] = field(default_factory=dict)
    was: Mapping[str, Any] = field(default_factory=dict)


def overlay(collection: Collection, row: Mapping[str, Any] | None, pending: Iterable[Pending]) -> dict[str, Any] | None:
    """The record as its device shows it: the server's values, then the device's own changes in order."""
    shown = None if row is None else dict(row)
    for change in pending:
        if change.kind == "new":
            shown = {**change.set, **(shown or {})}
        elif change.kind == "del":
            shown = None
        elif change.kind == "upd" and shown is not None:
            for name, new in change.set.items():
                shown[name] = carry(collection.by_name[name], shown.get(name), change.was.get(name), new)
    return shown


def merge_lines(base: str, ours: str, theirs: str) -> str | None:
    """Three-way merge by line; ``None`` when both sides changed the same lines differently.

    Lines that both sides added at the same place are kept, ours first: two people who each
    append to a note have not contradicted one another.
    """
    if ours == theirs or theirs == base:
        return ours
    if ours == base:
        return theirs
    old, left, right = base.splitlines(), ours.splitlines(), theirs.splitlines()
    merged: list[str] = []
    position = 0
    hunks = sorted([(h, 0) for h in _hunks(old, left)] + [(h, 1) for h in _hunks(old, right)])
    previous: tuple[_Hunk, int] | None = None
    for hunk, side in hunks:
        if previous is not None and previous[1] != side and hunk == previous[0]:
            continue  # both made the same change
        if previous is not None and hunk.start < previous[0].end:
            return None
        merged += old[position : hunk.start]
        merged += hunk.lines
        position = hunk.end
        previous = (hunk, side)
    merged += old[position:]
    return "\n".join(merged)


class _Hunk(NamedTuple):
    start: int
    end: int
    lines: tuple[str, ...]


def _hunks(old: list[str], new: list[str]) -> list[_Hunk]:
    codes = SequenceMatcher(None, old, new, autojunk=False).get_opcodes()
    return [_Hunk(i1, i2, tuple(new[j1:j2])) for tag, i1, i2, j1, j2 in codes if tag != "equal"]


def _carry_set(current: Any, was: Any, new: Any) -> list[str]:
    before, after = set(was or ()), set(new or ())
    return sorted((set(current or ()) | (after - before)) - (before - after))


def _carry_map(current: Any, was: Any, new: Any) -> dict[str, Any]:
    before, after = was or {}, new or {}
    merged = {key: value for key, value in (current or {}).items() if key in after or key not in before}
    merged.update({key: value for key, value in after.items() if key not in before or before[key] != value})
    return merged


def _extreme(merge: Merge, current: Any, new: Any) -> Any:
    if current is None or new is None:
        return new if current is None else current
    return max(current, new) if merge is Merge.MAX else min(current, new)
