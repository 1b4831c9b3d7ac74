"""Who works where: an organisation of three reps and a manager, over the real outlets of a region.

The people are invented. The outlets are those of the extract, imported by the server with source and licence.
"""

from __future__ import annotations

import random
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta

from fieldcrm.demo.records import Records, Row
from fieldcrm.domain.catalogue import MANAGER, REP
from fieldcrm.domain.ids import Id
from fieldcrm.geo.osm import OutletFound

LICENCE = "ODbL-1.0"
WEEKS = 13
ORGANISATION = "Maison Démo (données fictives)"


@dataclass(frozen=True, slots=True)
class Person:
    id: Id
    login: str
    name: str
    role: str
    sectors: tuple[Id, ...]


@dataclass(frozen=True, slots=True)
class Territory:
    sectors: tuple[Id, ...]
    reps: tuple[Person, ...]  # the first is the one whose day is played
    manager: Person
    moved_outlet: Id | None  # changed sector five weeks before now

    @property
    def people(self) -> tuple[Person, ...]:
        return (*self.reps, self.manager)


SECTORS = (("OUEST", "Secteur Ouest"), ("CENTRE", "Secteur Centre"), ("EST", "Secteur Est"))
REPS = (
    ("camille.roux", "Camille Roux (fictive)"),
    ("idriss.benali", "Idriss Benali (fictif)"),
    ("lea.morvan", "Léa Morvan (fictive)"),
)
MANAGER_NAME = ("dominique.vasseur", "Dominique Vasseur (fictif)")
FIRST_NAMES = ("Aino", "Mikko", "Sofia", "Juhani", "Elina", "Pekka", "Nora", "Timo", "Helmi", "Otto", "Saara", "Ville")
JOBS = ("Chef de rayon", "Responsable des achats", "Gérante", "Adjoint du magasin", "Directeur du magasin")

# segment, days between visits, minutes there
RHYTHM: Mapping[str, tuple[str, int, int]] = {
    "hypermarket": ("a", 14, 50), "supermarket": ("a", 14, 40), "convenience": ("b", 21, 30), "petrol": ("b", 28, 20),
    "kiosk": ("b", 28, 20), "pharmacy": ("b", 28, 25), "specialist": ("c", 42, 25), "food_service": ("c", 56, 20),
    "other": ("c", 56, 20),
}  # fmt: skip
CUSTOMERS_OF = {"food_service": 5, "specialist": 2, "other": 3}  # every n-th is a customer, the others prospects


def add_organisation(records: Records, since: date) -> Territory:
    """Sectors, people and who works in which; the manager sees all three sectors."""
    sectors = tuple(records.id("sector", code) for code, _ in SECTORS)
    for id, (code, name) in zip(sectors, SECTORS, strict=True):
        records.add("sector", id, code=code, name=name)
    reps = tuple(
        Person(records.id("person", login), login, name, REP, (sector,))
        for (login, name), sector in zip(REPS, sectors, strict=True)
    )
    manager = Person(records.id("person", MANAGER_NAME[0]), *MANAGER_NAME, MANAGER, sectors)
    for person in (*reps, manager):
        records.add("person", person.id, name=person.name, role=person.role, active=True)
        for sector in person.sectors:
            records.add(
                "sector_member", records.id("member", person.login, sector), person_id=person.id, sector_id=sector,
                valid_from=since, valid_to=None,
            )  # fmt: skip
    _add_settings(records)
    return Territory(sectors, reps, manager, None)


def _add_settings(records: Records) -> None:
    settings: dict[str, object] = {
        "sample_data": True,
        "roles": {"rep": "Chef de secteur", "manager": "Directeur régional"},
    }
    for key, value in settings.items():
        records.add("setting", records.id("setting", key), key=key, value=value, valid_from=None, valid_to=None)


def bands(found: Sequence[OutletFound], count: int) -> list[list[OutletFound]]:
    """The outlets cut into ``count`` equal bands from west to east: one for each sector."""
    ordered = sorted(found, key=lambda outlet: (outlet.lon_e7, outlet.reference))
    return [ordered[len(ordered) * n // count : len(ordered) * (n + 1) // count] for n in range(count)]


def choose_customers(outlets: Sequence[Row]) -> None:
    """Every outlet gets its rhythm by its type; some are customers, the others prospects."""
    counters: dict[str, int] = {}
    for row in outlets:
        kind = row["store_type"]
        segment, interval, minutes = RHYTHM[kind]
        counters[kind] = counters.get(kind, 0) + 1
        customer = counters[kind] % CUSTOMERS_OF.get(kind, 1) == 0
        row.update(
            segment=segment, visit_interval_days=interval, visit_minutes=minutes,
            state="active" if customer else "prospect",
        )  # fmt: skip


def move_one_store(records: Records, territory: Territory, today: date) -> Territory:
    """One store of the second sector went to the first five weeks ago; both assignments are dated."""
    old, new = territory.sectors[1], territory.sectors[0]
    moved = next(
        row for row in records.of("outlet")
        if row["sector_id"] == old and row["state"] == "active" and row["store_type"] in ("supermarket", "convenience")
    )
    change = today - timedelta(weeks=5)
    assignment = next(row for row in records.of("sector_assignment") if row["outlet_id"] == moved["id"])
    assignment["valid_to"] = change - timedelta(days=1)
    records.add(
        "sector_assignment", records.id("assignment", "moved"), outlet_id=moved["id"], sector_id=new,
        valid_from=change, valid_to=None,
    )  # fmt: skip
    moved["sector_id"] = new
    return replace(territory, moved_outlet=moved["id"])


def add_contacts(records: Records, chance: random.Random) -> None:
    """Somebody to see at each customer; invented names, labelled as such."""
    for row in records.of("outlet"):
        if row["state"] != "active":
            continue
        name = f"{chance.choice(FIRST_NAMES)} {chance.choice('ABEHKLMNPRSTV')}. (fictif)"
        records.add(
            "contact", records.id("contact", row["name"], row["lat_e7"], row["lon_e7"]), outlet_id=row["id"],
            name=name, job=chance.choice(JOBS), phone=f"+358 50 555 {chance.randrange(10_000):04d}", preferred=True,
        )  # fmt: skip
