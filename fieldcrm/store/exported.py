"""Outlets as they go into a file: every field of a page of row numbers, and the people there."""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fieldcrm.domain.contact import Contact
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import DEGREE
from fieldcrm.store.contacts import contacts_of
from fieldcrm.store.database import Reader
from fieldcrm.store.tables import T
from sync.chunks import chunks

FIELDS = (
    "name", "banner", "group_name", "store_type", "house_number", "street", "postcode", "city", "country", "phone",
    "email", "website", "opening_hours", "preferred_slots", "siret", "segment", "state", "visit_interval_days",
    "visit_minutes", "surface_m2", "distributor", "zone", "note",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class ExportedOutlet:
    """``values``: those of ``FIELDS`` that are known. ``sector``: its code."""

    id: Id
    values: dict[str, Any]
    custom: dict[str, Any]
    sector: str
    position: tuple[float, float] | None  # degrees


_QUERY = f"""
SELECT o.id, o.lat_e7, o.lon_e7, s.code, o.custom, {", ".join(f"o.{name}" for name in FIELDS)}
FROM json_each(:rids) j JOIN outlet o ON o.rid = j.value LEFT JOIN sector s ON s.id = o.sector_id ORDER BY j.key"""


def outlets_to_export(r: Reader, rids: Sequence[int]) -> list[ExportedOutlet]:
    """In the order of ``rids``; one that was deleted meanwhile is left out."""
    return [_outlet(tuple(row)) for row in r.conn.exec_driver_sql(_QUERY, {"rids": json.dumps(list(rids))})]


def _outlet(row: tuple[Any, ...]) -> ExportedOutlet:
    id_, lat, lon, sector, custom = row[:5]
    values = {name: value for name, value in zip(FIELDS, row[5:], strict=True) if value not in (None, "")}
    position = None if lat is None or lon is None else (lat / DEGREE, lon / DEGREE)
    own = json.loads(custom) if isinstance(custom, str | bytes) and custom else custom or {}
    return ExportedOutlet(UUID(bytes=bytes(id_)), values, dict(own), sector or "", position)


def people_at(r: Reader, outlets: Iterable[Id]) -> dict[Id, tuple[Contact, ...]]:
    """The contacts of several outlets, those of outlets merged into them included."""
    homes = {id_: id_ for id_ in outlets}
    for some in chunks(list(homes)):
        query = select(T.outlet_home.c.alias_id, T.outlet_home.c.outlet_id).where(T.outlet_home.c.outlet_id.in_(some))
        homes.update(tuple(row) for row in r.conn.execute(query))
    found: dict[Id, list[Contact]] = {}
    for contact in contacts_of(r, homes):
        found.setdefault(homes[contact.outlet_id], []).append(contact)
    return {id_: tuple(contacts) for id_, contacts in found.items()}
