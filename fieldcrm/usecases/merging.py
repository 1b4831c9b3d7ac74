"""Merging two outlets into one, and taking that apart again.

A merge writes one alias: the outlet that goes resolves to the one that stays. Nothing is moved: visits, reports,
contacts, tasks, notes and orders stay filed where they were recorded, and count for the one that stays, also those that
a colleague records at the other before the merge reaches that device. So an un-merge is one field of one record.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.actor import Actor
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import Outlet
from fieldcrm.store import history as _history
from fieldcrm.store import merges as _merges
from fieldcrm.store import outlets as _outlets
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.store.merges import Belongings, MergeLine
from fieldcrm.usecases.duplicates import Group, Pair, check_manager
from sync.columns import to_wire

__all__ = ["FIELDS", "Belongings", "MergeLine", "Side", "merge", "merge_certain", "merges", "side", "unmerge"]

POSITION = "position"
# What the one that stays may take from the other, in the order in which they are shown; position is two fields.
FIELDS = (
    "name", "banner", "group_name", "store_type", "house_number", "street", "postcode", "city", "country", POSITION,
    "phone", "email", "website", "opening_hours", "preferred_slots", "siret", "segment", "visit_interval_days",
    "visit_minutes", "surface_m2", "distributor", "note", "custom",
)  # fmt: skip
_TAKEN = frozenset(FIELDS) - {POSITION} | {"lat_e7", "lon_e7"}
STOPS = "*stops"  # in ``taken``: stops of rounds to come that were left out
AT_ONCE = 10  # merges in one transaction


@dataclass(frozen=True, slots=True)
class Side:
    """One of the outlets that are compared, with what hangs on it."""

    outlet: Outlet
    belongings: Belongings
    sector: str


@dataclass(frozen=True, slots=True)
class Merged:
    """What a merge of many did: aliases made, and pairs that could not be merged, by code of the error."""

    aliases: tuple[Id, ...]
    refused: Mapping[str, int]


def side(r: Reader, outlet_id: Id) -> Side:
    """Raises ``outlet_unknown``."""
    outlet = _outlets.read_outlet(r, outlet_id)
    sector = next((one.name for one in _outlets.sectors(r) if one.id == outlet.sector_id), "")
    return Side(outlet, _merges.belongings(r, outlet.id), sector)


def merges(r: Reader) -> list[MergeLine]:
    return _merges.merges(r)


def people(r: Reader) -> dict[Id, str]:
    """The names of the people, for who knew a value."""
    return _outlets.person_names(r)


def names(r: Reader, ids: Collection[Id]) -> dict[Id, tuple[str, str]]:
    """Name and town of these outlets, as they stand."""
    return _outlets.names_of(r, ids)


def value_of(outlet: Outlet, field: str) -> Any:
    """The value of one of ``FIELDS``; a position is a pair of numbers or ``None``."""
    if field == POSITION:
        return (outlet.lat_e7, outlet.lon_e7) if outlet.mapped else None
    value = getattr(outlet, field)
    return None if value in ("", {}) else value


def differing(one: Outlet, other: Outlet) -> tuple[str, ...]:
    return tuple(field for field in FIELDS if value_of(one, field) != value_of(other, field))


def filled(keep: Outlet, lose: Outlet) -> frozenset[str]:
    """The fields that only the other knows: taken unless a person says otherwise."""
    return frozenset(f for f in FIELDS if value_of(keep, f) is None and value_of(lose, f) is not None)


def survivor(one: Side, other: Side) -> Side:
    """Which of two stays when nobody chooses: what people have worked at, then what is known best, then the older."""

    def weight(found: Side) -> tuple[int, int, bytes]:
        known = sum(value_of(found.outlet, field) is not None for field in FIELDS)
        return -found.belongings.total, -known, found.outlet.id.bytes

    return min(one, other, key=weight)


# ---- merging -----------------------------------------------------------------------------------------------------


def merge(
    tx: Transaction, keep: Id, lose: Id, take: Collection[str] | None = None, *, reason: str = ""
) -> Id:
    """Let ``lose`` be found as ``keep``, which takes the values of ``take`` from it; returns the alias.

    ``take`` none: what ``keep`` does not know. Both resolve first, so that chains hold and no ring can be closed.
    Raises ``duplicates_not_yours``, ``outlet_unknown``, ``same_outlet`` (they are one already), ``not_your_sector``.
    """
    check_manager(tx.actor)
    stays, goes = _outlets.read_outlet(tx, keep), _outlets.read_outlet(tx, lose)
    if stays.id == goes.id:
        raise DomainError("same_outlet")
    for outlet in (stays, goes):
        if tx.actor.sectors and outlet.sector_id not in tx.actor.sectors:
            raise DomainError("not_your_sector", field="sector_id")
    wanted = filled(stays, goes) if take is None else frozenset(take) & frozenset(FIELDS)
    taken = _take(tx, stays, goes, wanted)
    stops = _merges.leave_out_second_stops(tx, stays.id, goes.id, tx.now.date())
    if stops:
        taken[STOPS] = [stop.hex for stop in stops]
    alias = _merges.add_alias(tx, stays.id, goes.id, reason=reason, taken=taken)
    known = _merges.distinct_pair(tx, stays.id, goes.id)
    if known is not None and known[1]:
        _merges.switch_distinct(tx, known[0], False)  # they were said to be two: not any more
    tx.touch("outlet", stays.id, goes.id)
    tx.label = tx.label or "outlet.merged"
    return alias


def _take(tx: Transaction, stays: Outlet, goes: Outlet, wanted: Collection[str]) -> dict[str, Any]:
    """Write the values and where they come from; what each was and is now, as wire values."""
    changes: dict[str, Any] = {}
    for field in wanted:
        if field == "custom":
            changes["custom"] = {**stays.custom, **goes.custom}
        elif field == POSITION:
            changes |= {"lat_e7": goes.lat_e7, "lon_e7": goes.lon_e7}
        elif field == "note" and stays.note and goes.note:
            changes["note"] = f"{stays.note}\n{goes.note}"
        else:
            changes[field] = getattr(goes, field)
    changes = {name: value for name, value in changes.items() if value != getattr(stays, name)}
    if not changes:
        return {}
    origins = dict(stays.provenance)
    taken: dict[str, Any] = {}
    for name, value in changes.items():
        key = provenance.key_of(name)
        taken[name] = {"was": _wire(name, getattr(stays, name)), "now": _wire(name, value)}
        if name in ("note", "custom"):
            continue
        was = stays.provenance.get(key)
        origin = provenance.origin_of(goes.provenance, name)
        origins[key] = dict(origin or provenance.origin(provenance.PERSON, tx.now, by=tx.actor.user_id))
        taken[name] |= {"origin_was": was, "origin_now": origins[key]}
    _outlets.update_outlet(tx, stays.id, {**changes, "provenance": origins})
    return taken


def _wire(name: str, value: Any) -> Any:
    return to_wire(CATALOGUE.by_name["outlet"].by_name[name].kind, value)


def unmerge(tx: Transaction, alias_id: Id) -> Id:
    """Let both be found by themselves again, each with its own visits; returns the outlet that is back.

    Values that the one which stayed had taken go back to what they were, unless somebody has changed them since.
    Raises ``duplicates_not_yours``, ``merge_unknown``, ``not_your_sector``.
    """
    check_manager(tx.actor)
    alias = _merges.read_alias(tx, alias_id)
    if alias is None or not alias.active:
        raise DomainError("merge_unknown")
    row = _history.current_row(tx, "outlet", alias.outlet_id)
    if row is not None and tx.actor.sectors and row["sector_id"] not in tx.actor.sectors:
        raise DomainError("not_your_sector", field="sector_id")
    _merges.switch_alias(tx, alias_id, False)
    if row is not None:
        _give_back(tx, alias.outlet_id, row, alias.taken)
    _merges.bring_back_stops(tx, _stops(alias.taken.get(STOPS)))
    tx.touch("outlet", alias.outlet_id, alias.alias_id)
    tx.label = tx.label or "outlet.unmerged"
    return alias.alias_id


def _stops(told: Any) -> tuple[Id, ...]:
    """The stops that a merge left out, as another device may have written them."""
    texts = [text for text in told if isinstance(text, str)] if isinstance(told, list) else []
    return tuple(Id(hex=text) for text in texts if re.fullmatch(r"[0-9a-f]{32}", text))


def _give_back(tx: Transaction, outlet_id: Id, row: Mapping[str, Any], taken: Mapping[str, Any]) -> None:
    origins = dict(row["provenance"] or {})
    back: dict[str, Any] = {}
    for name, entry in taken.items():
        if name not in _TAKEN or not isinstance(entry, Mapping) or _wire(name, row.get(name)) != entry.get("now"):
            continue  # changed since: that is what holds
        if not _history.fits("outlet", {name: entry.get("was")}):
            continue  # another program wrote what an outlet cannot have
        back[name] = entry.get("was")
        key = provenance.key_of(name)
        if "origin_now" in entry and origins.get(key) == entry["origin_now"]:
            if entry.get("origin_was") is None:
                origins.pop(key, None)
            else:
                origins[key] = entry["origin_was"]
    if back:
        _history.write_fields(tx, "outlet", outlet_id, {**back, "provenance": origins})


# ---- many at once ------------------------------------------------------------------------------------------------


def certain(groups: Sequence[Group], least: float) -> list[Pair]:
    """The pairs that are certain, the likeliest first; those put off are not among them."""
    pairs = [pair for group in groups for pair in group.pairs if pair.score >= least and pair.later_at is None]
    return sorted(pairs, key=lambda pair: (-pair.score, pair.key))


def merge_certain(
    db: Database, actor: Actor, pairs: Sequence[Pair], *, clock: Callable[[], datetime],
    watch: Callable[[float], None], stopped: Callable[[], bool] = lambda: False,
) -> Merged:
    """Merge each pair, a few in one transaction, each with a line of its own in the list of merges.

    Who stays is chosen by ``survivor``, and takes what only the other knows. ``watch`` is told the share that is done,
    ``stopped`` is asked between transactions. A pair whose outlets were merged meanwhile is one already.
    """
    aliases: list[Id] = []
    refused: dict[str, int] = {}

    def some(tx: Transaction, part: Sequence[Pair]) -> None:
        for pair in part:
            try:
                one, other = side(tx, pair.one_id), side(tx, pair.other_id)
                stays = survivor(one, other)
                goes = other if stays is one else one
                aliases.append(merge(tx, stays.outlet.id, goes.outlet.id, reason="certain"))
            except DomainError as error:
                if error.code != "same_outlet":
                    refused[error.code] = refused.get(error.code, 0) + 1

    for at in range(0, len(pairs), AT_ONCE):
        if stopped():
            break
        part = pairs[at : at + AT_ONCE]
        db.write(lambda tx, part=part: some(tx, part), actor=actor, now=clock()).result()  # type: ignore[misc]
        watch((at + len(part)) / len(pairs))
    return Merged(tuple(aliases), refused)


# ---- two that are two --------------------------------------------------------------------------------------------


def tell_apart(tx: Transaction, one: Id, other: Id) -> Id:
    """Say, for everybody, that these are two. Raises ``duplicates_not_yours``, ``same_outlet``, ``outlet_unknown``."""
    check_manager(tx.actor)
    first, second = _outlets.read_outlet(tx, one), _outlets.read_outlet(tx, other)
    if first.id == second.id:
        raise DomainError("same_outlet")
    known = _merges.distinct_pair(tx, first.id, second.id)
    if known is None:
        pair_id = _merges.add_distinct(tx, first.id, second.id)
    else:
        pair_id = known[0]
        _merges.switch_distinct(tx, pair_id, True)
    tx.touch("outlet", first.id, second.id)
    tx.label = tx.label or "outlet.told_apart"
    return pair_id


def tell_apart_no_more(tx: Transaction, pair_id: Id) -> None:
    """Take that word back: the pair may be shown again."""
    check_manager(tx.actor)
    _merges.switch_distinct(tx, pair_id, False)
    tx.label = tx.label or "outlet.told_apart"
