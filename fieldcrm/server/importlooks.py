"""What an import on the server looks up: what a source gave before, what was proposed, and outlets as they stand."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fieldcrm.domain import extracts, provenance
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.earth import metres
from fieldcrm.domain.extracts import SAME_PLACE_METRES
from fieldcrm.domain.ids import Id
from fieldcrm.domain.proposing import Standing
from fieldcrm.server.headquarters import Headquarters
from sync.chunks import chunks
from sync.columns import to_wire
from sync.server.database import reading

_CELL = 10_000  # degrees x 10^7: more than ``SAME_PLACE_METRES`` of latitude
_ALIASES_FOLLOWED = 16


@dataclass(frozen=True, slots=True)
class Known:
    """An outlet that a source gave before; ``outlet_id``: the one that stayed, when it was merged."""

    source_id: UUID
    outlet_id: UUID


@dataclass(frozen=True, slots=True)
class Present:
    """An outlet in wire values; ``written``: fields that a device, and not the server, wrote last."""

    values: Mapping[str, Any]
    written: frozenset[str]

    def untouched(self, name: str, source: str) -> bool:
        """Whether the field still is the source's: nobody has written over it, or it is empty."""
        if name in self.written:
            return False
        origin = provenance.origin_of(self.values.get("provenance") or {}, name) or {}
        return self.values.get(name) is None or origin.get("source") == source


class KnownOutlets:
    """Everything that a source gave before, by its references; of a source without them by name and place."""

    def __init__(self) -> None:
        self._by_key: dict[str, Known] = {}
        self._by_place: dict[tuple[str, int, int], list[tuple[Known, int, int]]] = {}

    def __bool__(self) -> bool:
        return bool(self._by_key or self._by_place)

    def __iter__(self) -> Iterator[Known]:
        yield from self._by_key.values()
        for some in self._by_place.values():
            yield from (known for known, _, _ in some)

    def add(self, reference: str, known: Known, values: Mapping[str, Any]) -> None:
        if reference:
            self._by_key[reference] = known
            return
        lat, lon = values.get("lat_e7"), values.get("lon_e7")
        if isinstance(lat, int) and isinstance(lon, int):
            cell = extracts.folded(str(values.get("name") or "")), lat // _CELL, lon // _CELL
            self._by_place.setdefault(cell, []).append((known, lat, lon))

    def of(self, key: str, values: Mapping[str, Any]) -> Known | None:
        if key:
            return self._by_key.get(key)
        lat, lon = values.get("lat_e7"), values.get("lon_e7")
        if lat is None or lon is None or not self._by_place:
            return None
        name = extracts.folded(values["name"])
        for north in (-1, 0, 1):
            for east in (-2, -1, 0, 1, 2):  # a degree of longitude is half as long at 60 degrees
                cell = name, lat // _CELL + north, lon // _CELL + east
                for known, other_lat, other_lon in self._by_place.get(cell, ()):
                    if metres(lat, lon, other_lat, other_lon) <= SAME_PLACE_METRES:
                        return known
        return None


def known(hq: Headquarters, org: Id, source: str) -> KnownOutlets:
    found = KnownOutlets()
    table, alias = hq.sync.tables.records["outlet_source"], hq.sync.tables.records["outlet_alias"]
    merged = select(alias.c.alias_id, alias.c.outlet_id).where(
        alias.c.org_id == org, alias.c.active, alias.c.deleted_rev.is_(None)
    )
    query = select(table.c.id, table.c.outlet_id, table.c.reference, table.c["values"]).where(
        table.c.org_id == org, table.c.source == source, table.c.deleted_rev.is_(None)
    )
    with reading(hq.engine) as connection:
        stays: dict[UUID, UUID] = {alias_id: outlet for alias_id, outlet in connection.execute(merged)}  # noqa: C416
        for id_, outlet, reference, values in connection.execute(query):
            found.add(reference or "", Known(id_, _resolved(stays, outlet)), values or {})
    return found


def _resolved(stays: Mapping[UUID, UUID], outlet: UUID) -> UUID:
    for _ in range(_ALIASES_FOLLOWED):
        following = stays.get(outlet)
        if following is None:
            break
        outlet = following
    return outlet


def standing(hq: Headquarters, org: Id, source: str) -> Standing:
    found, p = Standing(), hq.sync.tables.records["proposal"].c
    query = select(p.id, p.kind, p.outlet_id, p.reference, p.after, p.state).where(
        p.org_id == org, p.source == source, p.state.in_(("open", "refused")), p.deleted_rev.is_(None)
    )
    with reading(hq.engine) as connection:
        for id_, kind, outlet, reference, after, state in connection.execute(query.order_by(p.seen_at, p.id)):
            found.note(id_, kind, outlet, reference or "", after or {}, is_open=state == "open")
    return found


def standing_values(
    hq: Headquarters, org: Id, some: Sequence[Known]
) -> tuple[dict[UUID, dict[str, Any]], dict[UUID, Present]]:
    """What the source said last, by ``source_id``; and the outlets as they stand, by their id."""
    source, outlet = hq.sync.tables.records["outlet_source"], hq.sync.tables.records["outlet"]
    last: dict[UUID, dict[str, Any]] = {}
    present: dict[UUID, Present] = {}
    with reading(hq.engine) as connection:
        for ids in chunks(one.source_id for one in some):
            query = select(source.c.id, source.c["values"]).where(source.c.org_id == org, source.c.id.in_(ids))
            last.update((id_, values or {}) for id_, values in connection.execute(query))
        for ids in chunks({one.outlet_id for one in some}):
            rows = select(outlet).where(
                outlet.c.org_id == org, outlet.c.id.in_(ids), outlet.c.deleted_rev.is_(None)
            )
            for row in connection.execute(rows).mappings():
                present[row["id"]] = _present(row)
    return last, present


def _present(row: Any) -> Present:
    fields = CATALOGUE.by_name["outlet"].fields
    values = {field.name: to_wire(field.kind, row[field.name]) for field in fields}
    return Present(values, frozenset(name for name in values if _edited(row["frev"], name)))


def _edited(stamps: Mapping[str, Any], field: str) -> bool:
    stamp = stamps.get(field) or stamps.get("*") or [0, 0]
    return bool(stamp[1])
