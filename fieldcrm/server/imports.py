"""Outlets of an outside source become the organisation's, and a later import brings only what the source changed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Protocol
from uuid import UUID

from sqlalchemy import select

from fieldcrm.domain import provenance
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.server.headquarters import Headquarters
from sync.server.database import reading

_FIELDS: Mapping[str, str] = {  # of the outlet: of the source
    "name": "name",
    "banner": "brand",
    "store_type": "store_type",
    "lat_e7": "lat_e7",
    "lon_e7": "lon_e7",
    "house_number": "house_number",
    "street": "street",
    "postcode": "postcode",
    "city": "city",
    "country": "country",
    "phone": "phone",
    "email": "email",
    "website": "website",
    "opening_hours": "opening_hours",
}


class SourceOutlet(Protocol):
    """One outlet as a source gives it; texts that the source lacks are empty."""

    @property
    def reference(self) -> str: ...  # stable: the key of a later import

    @property
    def tags(self) -> Mapping[str, str]: ...


@dataclass(frozen=True, slots=True)
class Source:
    name: str  # "osm"
    licence: str
    batch: str


@dataclass(frozen=True, slots=True)
class Imported:
    added: int
    changed: int
    unchanged: int


@dataclass(frozen=True, slots=True)
class _Known:
    source_id: UUID
    outlet_id: UUID
    raw: Mapping[str, str]


def import_outlets(
    hq: Headquarters,
    org: Id,
    sector: Id,
    outlets: Iterable[SourceOutlet],
    source: Source,
    *,
    zone: str,
    country: str,
    now: datetime,
) -> Imported:
    """Add the outlets to ``sector``; one that came before keeps its sector, and every field that a person changed."""
    known = _known(hq, org, source.name)
    rows: list[tuple[str, Mapping[str, Any]]] = []
    added = changed = unchanged = 0
    for outlet in outlets:
        earlier = known.get(outlet.reference)
        if earlier is None:
            rows += _new_rows(outlet, sector, source, zone, country, now)
            added += 1
        elif dict(earlier.raw) == dict(outlet.tags):
            unchanged += 1
        else:
            rows += _changed_rows(hq, org, outlet, earlier, source, now)
            changed += 1
    hq.apply(org, rows)
    return Imported(added, changed, unchanged)


def _given(outlet: SourceOutlet) -> dict[str, Any]:
    values = {ours: getattr(outlet, theirs) for ours, theirs in _FIELDS.items()}
    return {name: value for name, value in values.items() if value not in ("", None)}


def _new_rows(
    outlet: SourceOutlet, sector: Id, source: Source, zone: str, country: str, now: datetime
) -> list[tuple[str, Mapping[str, Any]]]:
    given = _given(outlet)
    id_ = new_id(now)
    origin = provenance.origin(source.name, now, licence=source.licence)
    values = {"id": id_, "sector_id": sector, "zone": zone, "country": country, "state": "prospect", "custom": {}}
    assignment = {"id": new_id(now), "outlet_id": id_, "sector_id": sector, "valid_from": now.date()}
    return [
        ("outlet", values | given | {"provenance": {provenance.EVERYTHING: origin}}),
        ("outlet_source", _source_row(new_id(now), id_, outlet, source, now)),
        ("sector_assignment", assignment),
    ]


def _changed_rows(
    hq: Headquarters, org: Id, outlet: SourceOutlet, earlier: _Known, source: Source, now: datetime
) -> list[tuple[str, Mapping[str, Any]]]:
    table = hq.sync.tables.records["outlet"]
    with reading(hq.engine) as connection:
        query = select(table).where(
            table.c.org_id == org, table.c.id == earlier.outlet_id, table.c.deleted_rev.is_(None)
        )
        present = connection.execute(query).mappings().first()
    rows: list[tuple[str, Mapping[str, Any]]] = [
        ("outlet_source", _source_row(earlier.source_id, earlier.outlet_id, outlet, source, now))
    ]
    if present is None:
        return rows
    # A field is still the source's while nobody has written over it.
    origins = dict(present["provenance"] or {})

    def theirs(name: str) -> bool:
        return (provenance.origin_of(origins, name) or {}).get("source") == source.name

    fresh = {name: value for name, value in _given(outlet).items() if theirs(name) or present[name] is None}
    untouched = {
        name: value for name, value in fresh.items() if present[name] != value and not _edited(present["frev"], name)
    }
    if untouched:
        origins |= provenance.stamped(untouched, provenance.origin(source.name, now, licence=source.licence))
        rows.append(("outlet", {"id": earlier.outlet_id, **untouched, "provenance": origins}))
    return rows


def _edited(stamps: Mapping[str, Any], field: str) -> bool:
    """Whether a device, and not the server, wrote the field last."""
    stamp = stamps.get(field) or stamps.get("*") or [0, 0]
    return bool(stamp[1])


def _source_row(id_: Id, outlet_id: Id, outlet: SourceOutlet, source: Source, now: datetime) -> dict[str, Any]:
    return {
        "id": id_,
        "outlet_id": outlet_id,
        "source": source.name,
        "reference": outlet.reference,
        "licence": source.licence,
        "imported_at": now,
        "values": dict(outlet.tags),
        "batch": source.batch,
    }


def _known(hq: Headquarters, org: Id, source: str) -> dict[str, _Known]:
    table = hq.sync.tables.records["outlet_source"]
    query = select(table.c.reference, table.c.id, table.c.outlet_id, table.c["values"]).where(
        table.c.org_id == org, table.c.source == source, table.c.deleted_rev.is_(None)
    )
    with reading(hq.engine) as connection:
        return {ref: _Known(id_, outlet, raw or {}) for ref, id_, outlet, raw in connection.execute(query)}
