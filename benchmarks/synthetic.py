"""A synthetic outlet base of any size, the same from the same seed: half a million stores that never were.

    python -m benchmarks.synthetic --outlets 500000 --csv FILE       a file as a distributor would send it
    python -m benchmarks.synthetic --outlets 500000 --base FOLDER    an encrypted store that holds them

Stores stand around French towns, thicker in the large ones; names, streets and telephones repeat as they do in life.
"""

from __future__ import annotations

import argparse
import csv
import json
import random
import sys
import time
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from pathlib import Path
from uuid import UUID

SEED = 7
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
KEY = bytes(range(32))
SECTORS = 12
COLUMNS = (
    "reference", "name", "banner", "store_type", "house_number", "street", "postcode", "city", "phone", "email",
    "opening_hours", "siret", "lat", "lon",
)  # fmt: skip

# name, department, latitude, longitude, weight
TOWNS = (
    ("Paris", "75", 48.857, 2.352, 60), ("Marseille", "13", 43.297, 5.370, 26), ("Lyon", "69", 45.764, 4.836, 24),
    ("Toulouse", "31", 43.605, 1.444, 18), ("Nice", "06", 43.703, 7.266, 14), ("Nantes", "44", 47.218, -1.554, 14),
    ("Montpellier", "34", 43.611, 3.877, 12), ("Strasbourg", "67", 48.573, 7.752, 12),
    ("Bordeaux", "33", 44.838, -0.579, 14), ("Lille", "59", 50.629, 3.057, 14), ("Rennes", "35", 48.117, -1.678, 10),
    ("Reims", "51", 49.258, 4.032, 7), ("Saint-Étienne", "42", 45.440, 4.387, 7), ("Toulon", "83", 43.124, 5.928, 7),
    ("Grenoble", "38", 45.188, 5.724, 8), ("Dijon", "21", 47.322, 5.041, 7), ("Angers", "49", 47.478, -0.563, 7),
    ("Nîmes", "30", 43.837, 4.360, 6),
    ("Clermont-Ferrand", "63", 45.777, 3.087, 6), ("Le Mans", "72", 48.006, 0.199, 6),
    ("Brest", "29", 48.390, -4.486, 6), ("Tours", "37", 47.394, 0.685, 6), ("Amiens", "80", 49.894, 2.296, 5),
    ("Limoges", "87", 45.833, 1.261, 5), ("Besançon", "25", 47.238, 6.024, 5), ("Orléans", "45", 47.902, 1.909, 5),
    ("Caen", "14", 49.183, -0.371, 5), ("Mulhouse", "68", 47.750, 7.336, 5), ("Perpignan", "66", 42.699, 2.896, 5),
    ("Pau", "64", 43.295, -0.371, 4), ("Quimper", "29", 47.996, -4.097, 3), ("Valence", "26", 44.933, 4.892, 3),
    ("Chambéry", "73", 45.565, 5.918, 3), ("Niort", "79", 46.324, -0.464, 3), ("Aurillac", "15", 44.926, 2.440, 2),
    ("Mende", "48", 44.518, 3.501, 1), ("Gap", "05", 44.559, 6.079, 2), ("Épinal", "88", 48.174, 6.450, 2),
)  # fmt: skip
# enseigne, store type, weight
BANNERS = (
    ("Carrefour City", "convenience", 8), ("Carrefour Market", "supermarket", 6), ("Carrefour", "hypermarket", 2),
    ("Intermarché Super", "supermarket", 8), ("Intermarché Express", "convenience", 4), ("E.Leclerc", "hypermarket", 5),
    ("Super U", "supermarket", 6), ("U Express", "convenience", 4), ("Auchan", "hypermarket", 2),
    ("Monoprix", "supermarket", 3), ("Franprix", "convenience", 5), ("Casino Shop", "convenience", 4),
    ("Spar", "convenience", 5), ("Vival", "convenience", 6), ("Proxi", "convenience", 4), ("Lidl", "supermarket", 6),
    ("Aldi", "supermarket", 4), ("Netto", "supermarket", 2), ("Biocoop", "specialist", 3), ("Picard", "specialist", 4),
    ("Relay", "kiosk", 2), ("TotalEnergies", "petrol", 5), ("Avia", "petrol", 2), ("Esso", "petrol", 2),
)  # fmt: skip
# for a store without an enseigne: what it is, its store type, weight
TRADES = (
    ("Boulangerie", "specialist", 14), ("Épicerie", "convenience", 10), ("Alimentation générale", "convenience", 6),
    ("Tabac-presse", "kiosk", 12), ("Pharmacie", "pharmacy", 12), ("Bar", "food_service", 12),
    ("Restaurant", "food_service", 16), ("Café", "food_service", 10), ("Boucherie", "specialist", 6),
    ("Primeur", "specialist", 4), ("Cave", "specialist", 4), ("Fromagerie", "specialist", 2),
)  # fmt: skip
FAMILIES = (
    "Martin Bernard Thomas Petit Robert Richard Durand Dubois Moreau Laurent Simon Michel Lefebvre Leroy Roux David "
    "Bertrand Morel Fournier Girard Bonnet Dupont Lambert Fontaine Rousseau Vincent Muller Lefèvre Faure André Mercier "
    "Blanc Guérin Boyer Garnier Chevalier François Legrand Gauthier Garcia Perrin Robin Clément Morin Nicolas Henry "
    "Roussel Mathieu Gautier Masson Marchand Duval Denis Dumont Marie Lemaire Noël Meyer Dufour Meunier"
).split()
PLACES = (
    "du Marché|de la Gare|des Halles|du Port|de l'Église|du Centre|de la Mairie|du Stade|des Écoles|du Pont|"
    "de la Fontaine|des Tilleuls|du Moulin|de la Poste|des Platanes|du Château|de la Plage|des Lilas|du Parc|"
    "de la Liberté|de l'Europe|du Canal|des Vignes|du Lavoir|de l'Abbaye|des Remparts|du Beffroi|de la Halle"
).split("|")
STREETS = (
    "rue de la République|avenue Jean Jaurès|boulevard Victor Hugo|place du Marché|rue Gambetta|rue Pasteur|"
    "avenue du Général de Gaulle|rue Nationale|rue Saint-Martin|rue de l'Église|route de Paris|rue Victor Hugo|"
    "chemin des Vignes|allée des Tilleuls|rue du Moulin|boulevard Voltaire|avenue Foch|rue Carnot|quai de la Marine|"
    "rue des Écoles|place de la Mairie|rue Émile Zola|rue Jules Ferry|avenue de la Gare|rue du Faubourg Saint-Jean"
).split("|")
HOURS = (
    "Mo-Sa 08:00-20:00", "Mo-Sa 09:00-12:30,14:00-19:00", "Mo-Su 07:00-22:00",
    "Tu-Sa 07:00-13:00,15:30-19:30; Su 07:00-13:00",
    "Mo-Fr 08:30-19:30; Sa 09:00-19:00", "24/7", "Mo-Sa 08:30-20:30; Su 09:00-12:30",
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class Made:
    """One outlet; ``lat`` and ``lon`` in degrees, texts empty where the source would not know."""

    reference: str
    name: str
    banner: str
    store_type: str
    house_number: str
    street: str
    postcode: str
    city: str
    phone: str
    email: str
    opening_hours: str
    siret: str
    lat: float
    lon: float


def outlets(count: int, seed: int = SEED) -> Iterator[Made]:
    """``count`` outlets, one after another: no list is kept."""
    pick = random.Random(seed)
    towns, town_weights = TOWNS, [town[4] for town in TOWNS]
    banner_weights, trade_weights = [one[2] for one in BANNERS], [one[2] for one in TRADES]
    for number in range(count):
        city, department, lat, lon, weight = pick.choices(towns, town_weights)[0]
        spread = 0.012 * weight**0.5
        street = pick.choice(STREETS)
        banner, trade = "", ""
        if pick.random() < 0.35:
            banner, store_type, _ = pick.choices(BANNERS, banner_weights)[0]
            name = pick.choice((f"{banner} {city}", f"{banner} {pick.choice(PLACES)}", banner))
        else:
            trade, store_type, _ = pick.choices(TRADES, trade_weights)[0]
            name = f"{trade} {pick.choice((pick.choice(FAMILIES), pick.choice(PLACES), pick.choice(PLACES)))}"
        yield Made(
            reference=f"S{number:07d}",
            name=name,
            banner=banner,
            store_type=store_type,
            house_number=f"{pick.randint(1, 180)}{pick.choices(('', ' bis', ' ter'), (20, 2, 1))[0]}",
            street=street,
            postcode=f"{department}{pick.randint(0, 99) * 10 % 1000:03d}",
            city=city,
            phone=f"0{pick.randint(1, 5)} {' '.join(f'{pick.randint(0, 99):02d}' for _ in range(4))}"
            if pick.random() < 0.7
            else "",
            email=f"magasin{number}@example.org" if pick.random() < 0.3 else "",
            opening_hours=pick.choice(HOURS) if pick.random() < 0.5 else "",
            siret=_siret(pick) if pick.random() < 0.6 else "",
            lat=round(pick.gauss(lat, spread), 6),
            lon=round(pick.gauss(lon, spread * 1.4), 6),
        )


def _siret(pick: random.Random) -> str:
    """Fourteen digits, SIREN and SIRET each closed by Luhn's check digit."""
    siren = _closed(f"{pick.randint(10_000_000, 99_999_999)}")
    return _closed(f"{siren}{pick.randint(1, 40):04d}")


def _closed(digits: str) -> str:
    total = 0
    for place, digit in enumerate(reversed(digits)):
        value = int(digit) * (2 if place % 2 == 0 else 1)
        total += value - 9 if value > 9 else value
    return digits + str(-total % 10)


def write_csv(path: Path, count: int, seed: int = SEED, *, delimiter: str = ";") -> None:
    """The outlets as a file: UTF-8, a header, one line each."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.writer(file, delimiter=delimiter)
        writer.writerow(COLUMNS)
        for made in outlets(count, seed):
            writer.writerow([getattr(made, name) for name in COLUMNS])


def fill_base(folder: Path, count: int, seed: int = SEED, *, visits: bool = True) -> None:
    """An encrypted store (``KEY``) with the outlets in ``SECTORS`` sectors, indexed, and visits of one in ten."""
    from fieldcrm.domain.actor import Actor, Role
    from fieldcrm.store.database import Database, Transaction
    from fieldcrm.store.replica import indexed_in_bulk

    pick = random.Random(seed + 1)
    person = _id(pick)
    sectors = [_id(pick) for _ in range(SECTORS)]

    def fill(tx: Transaction) -> None:
        connection = tx.conn
        with tx.uncaptured(), indexed_in_bulk(tx):
            connection.exec_driver_sql(
                "INSERT INTO person (id, name, role, active, rev) VALUES (?, 'Asha Rey', 'manager', 1, 1)", (person,)
            )
            connection.exec_driver_sql(
                "INSERT INTO sector (id, code, name, rev) VALUES (?, ?, ?, 1)",
                [(id_, f"S{number:02d}", f"Secteur {number}") for number, id_ in enumerate(sectors, 1)],
            )
            rows: list[tuple[object, ...]] = []
            seen: list[tuple[object, ...]] = []
            for made in outlets(count, seed):
                id_ = _id(pick)
                rows.append(_row(pick, made, id_, sectors))
                if visits and len(rows) % 10 == 0:
                    for _ in range(3):
                        at = NOW - timedelta(days=pick.randint(1, 300))
                        seen.append((_id(pick), id_, person, int(at.timestamp() * 1000)))
                if len(rows) == 20_000:
                    _insert(connection, rows, seen)
            _insert(connection, rows, seen)

    database = Database.open(folder, KEY, now=NOW)
    try:
        database.write(fill, actor=Actor(UUID(bytes=person), Role.MANAGER), now=NOW).result()
    finally:
        database.close()


_OUTLET = (
    "id, name, banner, store_type, sector_id, lat_e7, lon_e7, house_number, street, postcode, city, country, phone, "
    "email, opening_hours, zone, siret, segment, state, visit_interval_days, custom, provenance, confirmed_at, rev"
)


def _row(pick: random.Random, made: Made, id_: bytes, sectors: list[bytes]) -> tuple[object, ...]:
    confirmed = NOW - timedelta(days=pick.randint(1, 720)) if pick.random() < 0.4 else None
    origin = '{"*":{"at":1790000000000,"licence":"synthetic","source":"synthetic"}}'
    return (
        id_, made.name, made.banner or None, made.store_type, sectors[hash_of(made.city) % len(sectors)],
        round(made.lat * 1e7), round(made.lon * 1e7), made.house_number, made.street, made.postcode, made.city, "FR",
        made.phone or None, made.email or None, made.opening_hours or None, "Europe/Paris", made.siret or None,
        pick.choice("abc"), pick.choices(("active", "prospect", "closed"), (80, 15, 5))[0], pick.choice((14, 28, 56)),
        "{}", origin, int(confirmed.timestamp() * 1000) if confirmed else None, 1,
    )  # fmt: skip


def hash_of(text: str) -> int:
    """The same in every process, unlike ``hash``."""
    return sum(text.encode()) * 2_654_435_761 % 2**32


def _insert(connection: object, rows: list[tuple[object, ...]], visits: list[tuple[object, ...]]) -> None:
    if not rows:
        return
    marks = ", ".join("?" * 24)
    connection.exec_driver_sql(f"INSERT INTO outlet ({_OUTLET}) VALUES ({marks})", rows)  # type: ignore[attr-defined]
    if visits:
        connection.exec_driver_sql(  # type: ignore[attr-defined]
            "INSERT INTO visit (id, outlet_id, person_id, started_at, zone, position_source, rev) "
            "VALUES (?, ?, ?, ?, 'Europe/Paris', 'none', 1)",
            visits,
        )
    rows.clear()
    visits.clear()


def _id(pick: random.Random) -> bytes:
    milliseconds = int(NOW.timestamp() * 1000)
    return (
        milliseconds << 80 | 7 << 76 | pick.getrandbits(12) << 64 | 2 << 62 | pick.getrandbits(62)
    ).to_bytes(16, "big")


def base(folder: Path, count: int, seed: int = SEED) -> Path:
    """The folder of a filled store, made once and found again by the next benchmark."""
    made = folder / f"synthetic-{count}-{seed}"
    if not (made / "whole").exists():
        made.mkdir(parents=True, exist_ok=True)
        fill_base(made, count, seed)
        (made / "whole").write_text("")
    return made


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--outlets", type=int, default=500_000)
    parser.add_argument("--seed", type=int, default=SEED)
    parser.add_argument("--csv", type=Path)
    parser.add_argument("--base", type=Path)
    arguments = parser.parse_args()
    started = time.perf_counter()
    if arguments.csv:
        write_csv(arguments.csv, arguments.outlets, arguments.seed)
    if arguments.base:
        base(arguments.base, arguments.outlets, arguments.seed)
    json.dump({"synthetic": True, "outlets": arguments.outlets, "seed": arguments.seed,
               "seconds": round(time.perf_counter() - started, 1)}, sys.stdout)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
