from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fieldcrm.domain import provenance
from fieldcrm.server.imports import Source, import_outlets
from sync.protocol import Op, SyncRequest, Tx
from sync.server.database import reading
from tests.server.conftest import NOW, Company
from tests.server.test_sign_in import enter

OSM = Source("osm", "ODbL-1.0", "first")


@dataclass(frozen=True)
class Found:
    reference: str
    name: str
    phone: str = ""
    brand: str = ""
    store_type: str = "kiosk"
    lat_e7: int = 488_566_000
    lon_e7: int = 23_522_000
    house_number: str = ""
    street: str = "Rue Haute"
    postcode: str = ""
    city: str = "Paris"
    country: str = ""
    website: str = ""
    email: str = ""
    opening_hours: str = ""


def found(reference: str, name: str, **more: Any) -> Found:
    return Found(reference, name, **more)


def bring(company: Company, *outlets: Found) -> tuple[int, int, int]:
    """How many were added, changed, and the same as before."""
    west = company.sectors["west"]
    done = import_outlets(company.hq, company.org, west, outlets, OSM, zone="Europe/Paris", country="FR", now=NOW)
    return done.added, done.changed, done.unchanged


def rows(company: Company, collection: str) -> list[Any]:
    table = company.hq.sync.tables.records[collection]
    with reading(company.hq.engine) as connection:
        return list(connection.execute(select(table).where(table.c.org_id == company.org)).mappings())


def outlet(company: Company, name: str) -> Any:
    [row] = [row for row in rows(company, "outlet") if row["name"] == name]
    return row


def test_each_outlet_comes_with_its_source_licence_and_first_sector(company: Company) -> None:
    assert bring(company, found("node/1", "Kiosk A", phone="+33 1"), found("node/2", "Kiosk B")) == (2, 0, 0)
    a = outlet(company, "Kiosk A")
    assert (a["sector_id"], a["zone"], a["country"], a["state"]) == (
        company.sectors["west"],
        "Europe/Paris",
        "FR",
        "prospect",
    )
    phone = provenance.origin_of(a["provenance"], "phone")
    assert phone == {"source": "osm", "licence": "ODbL-1.0", "at": int(NOW.timestamp() * 1000)}
    assert {row["reference"] for row in rows(company, "outlet_source")} == {"node/1", "node/2"}
    assert {row["outlet_id"] for row in rows(company, "sector_assignment")} >= {a["id"]}


def test_the_same_import_again_changes_nothing(company: Company) -> None:
    bring(company, found("node/1", "Kiosk A"))
    before = outlet(company, "Kiosk A")["rev"]
    assert bring(company, found("node/1", "Kiosk A")) == (0, 0, 1)
    assert outlet(company, "Kiosk A")["rev"] == before


def test_what_the_source_changed_comes_in_and_what_a_person_changed_stays(company: Company) -> None:
    bring(company, found("node/1", "Kiosk A", phone="+33 1", street="Old street"))
    mine = outlet(company, "Kiosk A")
    edit(company, mine["id"], mine["rev"], phone="+33 999")
    assert bring(company, found("node/1", "Kiosk A", phone="+33 2", street="New street")) == (0, 1, 0)
    after = outlet(company, "Kiosk A")
    assert (after["phone"], after["street"]) == ("+33 999", "New street")


def test_a_moved_outlet_keeps_its_sector_at_the_next_import(company: Company) -> None:
    bring(company, found("node/1", "Kiosk A"))
    id_ = outlet(company, "Kiosk A")["id"]
    company.hq.apply(company.org, [("outlet", {"id": id_, "sector_id": company.sectors["east"]})])
    bring(company, replace(found("node/1", "Kiosk A"), street="New street"))
    assert outlet(company, "Kiosk A")["sector_id"] == company.sectors["east"]


def edit(company: Company, id_: UUID, base: int, **values: Any) -> None:
    """A rep's change, through the door that every device uses."""
    identity, _ = enter(company)
    op = Op(1, "a" * 32, "upd", 8, id_.hex, base, values)
    request = SyncRequest(1, 1, 1, identity.device_no, 1, None, {}, [Tx("b" * 32, [op])], 0)
    answer = company.hq.sync.sync(identity.caller, request, now=NOW)
    assert [result.s for result in answer.results] == ["applied"]
