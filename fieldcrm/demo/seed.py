"""Headquarters of the sample organisation: imported outlets, accounts, history and photos, loaded on the server."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, time
from pathlib import Path
from statistics import median
from typing import Any

from argon2 import PasswordHasher
from sqlalchemy import select

from fieldcrm import resources
from fieldcrm.demo.place import country_and_zone
from fieldcrm.demo.records import Records, Row
from fieldcrm.demo.territory import LICENCE, ORGANISATION, Territory, bands
from fieldcrm.demo.upkeep import bring_newer_extract
from fieldcrm.demo.world import SEED, AuditForm, SampleWorld, begin, build_world, first_day
from fieldcrm.domain.actor import Role
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import DEGREE
from fieldcrm.geo.osm import OutletFound, collect_outlets
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.imports import Source, import_outlets
from sync.server.database import reading

ORGANISATION_CODE = "demo"
PASSWORD = "demo-fieldcrm"  # of every account of the sample organisation, which lives on this computer alone
FORM_NAME = "shelf_audit"

# What changed in an imported outlet; its other fields stay as the source gave them.
_OURS = ("id", "state", "segment", "visit_interval_days", "visit_minutes", "sector_id")


@dataclass(frozen=True, slots=True)
class Seeded:
    """What was loaded: the world, and how many rows and photos the server took."""

    org: Id
    world: SampleWorld
    outlets_imported: int
    left_out: Mapping[str, int]  # of the extract, by reason
    rows: int
    photos: int


def demo_extract() -> Path:
    return resources.path("demo/helsinki.osm.pbf")


def built_in_audit() -> AuditForm:
    """The audit that comes with the program, as it is published by the sample organisation."""
    titles = {"fr": "Relevé de linéaire", "en": "Shelf audit"}
    return AuditForm(FORM_NAME, "1", titles, resources.text(f"forms/{FORM_NAME}.xml"))


def seed_server(folder: Path, extract: Path, now: datetime, *, seed: int = SEED) -> Seeded:
    """Make the sample organisation in a new server folder, up to the day before ``now``.

    Raises ``DomainError`` as ``collect_outlets``; nothing is made then.
    """
    found, left_out = collect_outlets(extract)
    # The accounts of a demo are no secret: a light hash saves seconds at each first start.
    hq = open_headquarters(folder, None, lambda: now, hasher=PasswordHasher(time_cost=1, memory_cost=1024))
    try:
        return _seed(hq, found, dict(left_out), extract.name, now, seed)
    finally:
        hq.close()


def _seed(
    hq: Headquarters, found: Sequence[OutletFound], left_out: dict[str, int], file: str, now: datetime, seed: int
) -> Seeded:
    records, territory = begin(now, seed)
    org = accounts.add_organisation(
        hq, ORGANISATION_CODE, ORGANISATION, now=now, id=records.id("organisation")
    )
    _add_people(hq, org, territory, now)
    rows = hq.apply(org, list(records.in_order()))
    imported = _import(hq, org, territory, found, file, now)
    begun = set(records.rows)
    world = build_world(records, territory, _outlets(hq, org), _assignments(hq, org), built_in_audit())
    rows += hq.apply(org, _changes(world.records, begun))
    country, zone = _place(found)
    bring_newer_extract(
        hq, org, territory, bands(found, len(territory.sectors))[-1], _outlets(hq, org), file, zone=zone,
        country=country, now=now)
    for content in world.photos.values():
        hq.blobs.put(org, content, "image/jpeg", now=now)
    return Seeded(org, world, imported, left_out, rows, len(world.photos))


def _add_people(hq: Headquarters, org: Id, territory: Territory, now: datetime) -> None:
    for person in territory.people:
        accounts.add_account(hq, org, person.login, PASSWORD, person=person.id, role=Role(person.role), now=now)


def _place(found: Sequence[OutletFound]) -> tuple[str, str]:
    """Country and time zone of the region."""
    latitude, longitude = median(o.lat_e7 for o in found), median(o.lon_e7 for o in found)
    return country_and_zone(latitude / DEGREE, longitude / DEGREE)


def _import(
    hq: Headquarters, org: Id, territory: Territory, found: Sequence[OutletFound], file: str, now: datetime
) -> int:
    """The region's outlets came in when the organisation began: sectors are assigned from that day on."""
    country, zone = _place(found)
    began = datetime.combine(first_day(now), time(8), UTC)
    source = Source("osm", LICENCE, file)
    return sum(
        import_outlets(hq, org, sector, band, source, zone=zone, country=country, now=began).added
        for sector, band in zip(territory.sectors, bands(found, len(territory.sectors)), strict=True)
    )


def _outlets(hq: Headquarters, org: Id) -> list[Row]:
    """Every outlet as the server holds it, in the order of its reference in the source."""
    outlet, source = hq.sync.tables.records["outlet"], hq.sync.tables.records["outlet_source"]
    query = (
        select(outlet)
        .join(source, (source.c.outlet_id == outlet.c.id) & (source.c.org_id == outlet.c.org_id))
        .where(outlet.c.org_id == org)
        .order_by(source.c.reference)
    )
    return _rows(hq, query, "outlet")


def _assignments(hq: Headquarters, org: Id) -> list[Row]:
    table = hq.sync.tables.records["sector_assignment"]
    return _rows(hq, select(table).where(table.c.org_id == org), "sector_assignment")


def _rows(hq: Headquarters, query: Any, collection: str) -> list[Row]:
    names = ("id", *CATALOGUE.by_name[collection].field_names)
    with reading(hq.engine) as connection:
        return [{name: row[name] for name in names} for row in connection.execute(query).mappings()]


def _changes(records: Records, begun: set[str]) -> Iterator[tuple[str, Row]]:
    """Everything that the server does not have yet; of imported outlets only what changed in them."""
    invented = records.id("duplicate")
    for collection, row in records.in_order():
        if collection in begun:
            continue
        if collection == "outlet" and row["id"] != invented:
            own = {"custom": row["custom"]} if row.get("custom") else {}
            yield collection, {name: row[name] for name in _OURS} | own
        else:
            yield collection, row
