"""What a person does with outlets: find, create, change, close. Every change says who knew it, and when."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.outlet import Outlet, check_name, check_zone, checked
from fieldcrm.store import facets as _facets
from fieldcrm.store import outletrows as _rows
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import search as _search
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.facets import Facets
from fieldcrm.store.outletrows import OutletRow
from fieldcrm.store.outlets import Sector
from fieldcrm.store.search import Asked, Filters, Found, Near, Points, Sort
from fieldcrm.usecases.confirming import answer_alert
from fieldcrm.usecases.opening import check_opening_hours

__all__ = [
    "Asked",
    "Facets",
    "Filters",
    "Found",
    "Near",
    "OutletRow",
    "Points",
    "Sector",
    "Sort",
    "banners",
    "close_outlet",
    "counters",
    "create_outlet",
    "distributors",
    "edit_outlet",
    "facets",
    "find",
    "points",
    "prepare",
    "read",
    "rows",
    "search",
    "sectors",
    "whereabouts",
    "within_box",
]

_UNTRACED = frozenset({"note"})  # merged line by line: no single person knew it


# ---- reading ----------------------------------------


def find(
    r: Reader, query: str, filters: Filters, sort: Sort = Sort.RELEVANCE, *, descending: bool = False
) -> list[int]:
    """Row numbers of every outlet that fits what was typed and the filters, in order, typing mistakes forgiven."""
    return _search.ids(r, query, filters, sort, descending=descending)


def search(r: Reader, asked: Asked, *, first: bool = False) -> Found:
    """As ``find``, as an array, with what was searched instead of a mistyped text.

    ``first``: perhaps only the first of them, in milliseconds at half a million, to be shown until all are asked for.
    """
    return _search.search(r, asked, first=first)


def prepare(r: Reader) -> None:
    """Read what searches keep in memory, seconds at half a million outlets: in the pool, when a list is opened."""
    _search.prepare(r)


def rows(r: Reader, rids: Sequence[int], *, midnight: datetime, near: Near | None = None) -> list[OutletRow]:
    """The lines of a page, in the order of ``rids``. ``midnight``: when today began for the person."""
    return _rows.rows(r, rids, midnight=midnight, near=near)


def within_box(
    r: Reader, south: int, west: int, north: int, east: int, filters: Filters | None = None, limit: int = 2_000
) -> list[int]:
    """Row numbers of the outlets in a box of degrees x 10^7 that pass, at most ``limit``; under 10 ms at 500,000."""
    return _search.within_box(r, south, west, north, east, filters, limit)


def points(r: Reader, filters: Filters, query: str = "", *, colour: str = "") -> Points:
    """Every mapped outlet that passes, as arrays for the map; ``colour`` is one of ``searchspace.COLOURS``.

    Some tenths of a second for 100,000: ask for it in the pool.
    """
    return _search.points(r, filters, query, colour=colour)


def facets(r: Reader, query: str, filters: Filters) -> Facets:
    """Counts for the filter chips, some 10 ms at half a million once lists are warm: ask for it in the pool."""
    return _facets.facets(r, query, filters)


def read(r: Reader, outlet_id: Id) -> Outlet:
    """The outlet; one that was merged away resolves to the one that stayed. Raises ``outlet_unknown``."""
    return _outlets.read_outlet(r, outlet_id)


def sectors(r: Reader) -> tuple[Sector, ...]:
    return _outlets.sectors(r)


def usual_country(r: Reader, sector_id: Id | None) -> str:
    """The country of most outlets of a sector: how a national telephone number there is read. ``""`` if none."""
    return (_outlets.zone_of_neighbours(r, sector_id)[1] or "") if sector_id is not None else ""


def banners(r: Reader) -> tuple[str, ...]:
    return _outlets.banners(r)


def distributors(r: Reader) -> tuple[str, ...]:
    """Every distributor in use, the most frequent first: reads every outlet, in the pool."""
    return _outlets.distributors(r)


def counters(r: Reader) -> tuple[int, int]:
    """Outlets on this device, and how many of them are not mapped."""
    return _facets.counters(r)


def whereabouts(r: Reader, actor: Actor, midnight: datetime, *, radius_m: int = 5_000) -> Near | None:
    """About where the person is: at the last visit of the day, else at home; ``None`` when neither is known."""
    place = _outlets.whereabouts(r, actor.user_id, midnight)
    return None if place is None else Near(*place, radius_m, me=True)


# ---- writing ----------------------------------------


def edit_outlet(tx: Transaction, outlet_id: Id, values: Mapping[str, Any]) -> Outlet:
    """Change fields of an outlet; only those that differ are written, each with its provenance.

    Raises ``DomainError`` with the field: ``outlet_name_missing``, ``phone_malformed``, ``postcode_malformed``,
    ``position_outside_world``, ``opening_hours_malformed``, …, or ``field_not_yours`` for what managers decide.
    """
    before = _outlets.read_outlet(tx, outlet_id)
    fresh = _checked(values, before.country)
    changes = {name: value for name, value in fresh.items() if getattr(before, name) != value}
    if not changes:
        return before
    _may_write(tx.actor, changes)
    origins = {**before.provenance, **_stamped(tx, changes)}
    _outlets.update_outlet(tx, before.id, {**changes, "provenance": origins, "confirmed_at": tx.now})
    answer_alert(tx, before.id, before.confirmed_at)
    tx.touch("outlet", before.id)
    tx.label = tx.label or _label(changes)
    return _outlets.read_outlet(tx, before.id)


def create_outlet(tx: Transaction, values: Mapping[str, Any]) -> Id:
    """Enter a new outlet as a prospect of the person's sector. Without coordinates it is kept, and shown as not mapped.

    Never refused for looking like another one: that is a duplicate to merge. Raises as ``edit_outlet`` does, and
    ``sector_missing`` when the person has none.
    """
    sector_id = values.get("sector_id") or min(tx.actor.sectors, default=None, key=lambda id_: id_.hex)
    if sector_id is None:
        raise DomainError("sector_missing", field="sector_id")
    if tx.actor.sectors and sector_id not in tx.actor.sectors:
        raise DomainError("sector_not_yours", field="sector_id")
    zone, country = _outlets.zone_of_neighbours(tx, sector_id)
    given = {name: value for name, value in values.items() if name != "sector_id"}
    given = {"country": country, "state": "prospect", **given}
    given["zone"] = given.get("zone") or zone or "Europe/Paris"
    check_name(given.get("name"))
    fresh = _checked(given, given["country"])
    check_zone(fresh["zone"])
    stored = {name: value for name, value in fresh.items() if value is not None}
    outlet_id = new_id(tx.now)
    origins = _stamped(tx, {name: value for name, value in stored.items() if name in values})
    row = {**stored, "sector_id": sector_id, "provenance": origins, "confirmed_at": tx.now}
    _outlets.insert_outlet(tx, outlet_id, row)
    tx.touch("outlet", outlet_id)
    tx.label = tx.label or "outlet.new"
    return outlet_id


def close_outlet(tx: Transaction, outlet_id: Id) -> None:
    """The store is shut for good: kept with its history, out of lists and plans."""
    tx.label = tx.label or "outlet.closed"
    edit_outlet(tx, outlet_id, {"state": "closed"})


def _checked(values: Mapping[str, Any], country: str | None) -> dict[str, Any]:
    fresh = checked(values, country=country)
    for name in ("opening_hours", "preferred_slots"):
        if name in fresh:
            fresh[name] = check_opening_hours(fresh[name], name)
    return fresh


MANAGERS_DECIDE = frozenset({"segment", "visit_interval_days"})


def _may_write(actor: Actor, changes: Mapping[str, Any]) -> None:
    if actor.role is Role.REP and MANAGERS_DECIDE & set(changes):
        raise DomainError("field_not_yours", field=min(MANAGERS_DECIDE & set(changes)))


def _stamped(tx: Transaction, changes: Mapping[str, Any]) -> dict[str, provenance.Origin]:
    """Provenance of what a person wrote: the source, who, and when in milliseconds."""
    entry = provenance.origin(provenance.PERSON, tx.now, by=tx.actor.user_id)
    return provenance.stamped((name for name in changes if name not in _UNTRACED), entry)


def _label(changes: Mapping[str, Any]) -> str:
    """The code of what was done, for "Undo change of phone number"."""
    names = {provenance.key_of(name) for name in changes}
    if names <= {"house_number", "street", "postcode", "city", "country"}:
        return "outlet.address"
    return f"outlet.{names.pop()}" if len(names) == 1 else "outlet.details"
