"""The streets and house numbers of a region, in its pack: an address finds its place without a network.

Written from an extract by ``write_streets``; asked through ``Streets``.
"""

from __future__ import annotations

import re
import sqlite3
import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import osmium

from fieldcrm.domain.earth import METRES_A_DEGREE, metres
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.placing import plain
from fieldcrm.geo.basemap import keep_short
from fieldcrm.geo.osm import check_extract

TABLE = "street"
_METRE = METRES_A_DEGREE / 1e7  # metres of a degree x 10^-7
SAME_STREET_M = 1_500  # pieces of one name farther apart than this are two streets
_TOWNS = {"city": 9_000.0, "town": 5_000.0, "village": 2_500.0, "suburb": 2_500.0, "hamlet": 900.0}
_SHORT = {
    "st": "saint", "ste": "sainte", "bd": "boulevard", "bld": "boulevard", "blvd": "boulevard", "av": "avenue",
    "ave": "avenue", "pl": "place", "ch": "chemin", "rte": "route", "all": "allee", "imp": "impasse", "sq": "square",
    "fg": "faubourg", "fbg": "faubourg", "rd": "road", "gen": "general",
}  # fmt: skip
_NUMBER = re.compile(r"(?:^|\s)([0-9]{1,4})\s*(bis|ter|quater|[a-d])?(?=$|[\s,])", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class StreetFound:
    """``precision``: "address" for the house itself, "street" for the middle of it."""

    street: str
    city: str
    house_number: str
    lat_e7: int
    lon_e7: int
    precision: str


@dataclass(slots=True)
class _Collected:
    """``pieces``: name -> middles of its ways; ``houses``: (street, number, latitude, longitude, city)."""

    pieces: dict[str, list[tuple[int, int]]]
    houses: list[tuple[str, str, int, int, str]]
    towns: list[tuple[str, float, int, int]]


# ---- building ------------------------------------------------------------------------------------------------------


def write_streets(connection: sqlite3.Connection, extract: Path) -> int:
    """Put the streets of ``extract`` into a pack; returns how many. Errors like ``osm.read_outlets``."""
    collected = _collect(extract)
    connection.executescript(
        f"CREATE TABLE {TABLE} (id INTEGER PRIMARY KEY, name TEXT NOT NULL, city TEXT NOT NULL,"
        " lat_e7 INTEGER NOT NULL, lon_e7 INTEGER NOT NULL);"
        "CREATE TABLE house (street_id INTEGER NOT NULL, number TEXT NOT NULL, lat_e7 INTEGER NOT NULL,"
        " lon_e7 INTEGER NOT NULL, PRIMARY KEY (street_id, number)) WITHOUT ROWID;"
        "CREATE INDEX ix_house_place ON house (lat_e7, lon_e7);"
        f"CREATE INDEX ix_street_place ON {TABLE} (lat_e7, lon_e7);"
        "CREATE VIRTUAL TABLE street_search USING fts5(name, city, content='street', content_rowid='id',"
        " tokenize='unicode61 remove_diacritics 2', prefix='2 3');"
    )
    at_home = _cities_of_houses(collected)
    places: dict[str, list[tuple[int, int, int]]] = defaultdict(list)  # folded name -> (id, latitude, longitude)
    count = 0
    for name in sorted(collected.pieces):
        for group in _groups(collected.pieces[name]):
            count += 1
            lat, lon = group[len(group) // 2]
            city = at_home.get((fold(name), lat // 200_000, lon // 200_000)) or _town(collected.towns, lat, lon)
            connection.execute(f"INSERT INTO {TABLE} VALUES (?, ?, ?, ?, ?)", (count, name, city, lat, lon))
            places[fold(name)].append((count, lat, lon))
    for street, number, lat, lon, _ in collected.houses:
        near = min(places.get(fold(street), ()), key=lambda one: metres(one[1], one[2], lat, lon), default=None)
        if near is not None and metres(near[1], near[2], lat, lon) < 2 * SAME_STREET_M:
            row = (near[0], fold_number(number), lat, lon)
            connection.execute("INSERT OR IGNORE INTO house VALUES (?, ?, ?, ?)", row)
    connection.execute("INSERT INTO street_search (street_search) VALUES ('rebuild')")
    connection.execute("INSERT INTO street_search (street_search) VALUES ('optimize')")
    return count


def _collect(path: Path) -> _Collected:
    check_extract(path)
    found = _Collected(defaultdict(list), [], [])
    wanted = osmium.filter.KeyFilter("highway", "addr:housenumber", "place")
    try:
        source = osmium.io.File(str(path), "pbf")
        for item in osmium.FileProcessor(source).with_locations().with_filter(wanted):
            tags = {tag.k: tag.v for tag in item.tags}
            place = _middle(item)
            if place is None:
                continue
            name = tags.get("name", "").strip()
            if name and "highway" in tags and isinstance(item, osmium.osm.Way):
                found.pieces[name].append(place)
            elif name and tags.get("place") in _TOWNS and isinstance(item, osmium.osm.Node):
                found.towns.append((name, _TOWNS[tags["place"]], *place))
            if tags.get("addr:housenumber") and tags.get("addr:street"):
                city = tags.get("addr:city", "").strip()
                found.houses.append((tags["addr:street"].strip(), tags["addr:housenumber"].strip()[:20], *place, city))
    except (RuntimeError, ValueError, OverflowError) as error:
        raise DomainError("osm_file_damaged", file=path.name, detail=str(error), found=0) from error
    return found


def _middle(item: Any) -> tuple[int, int] | None:
    if isinstance(item, osmium.osm.Node):
        return (item.location.y, item.location.x) if item.location.valid() else None
    if isinstance(item, osmium.osm.Way):
        known = [node.location for node in item.nodes if node.location.valid()]
        return (known[len(known) // 2].y, known[len(known) // 2].x) if known else None
    return None


def _groups(pieces: Iterable[tuple[int, int]]) -> list[list[tuple[int, int]]]:
    """Pieces of one name by street: each is near another of its group."""
    groups: list[list[tuple[int, int]]] = []
    for piece in sorted(pieces):
        near = [group for group in groups if any(metres(*piece, *other) < SAME_STREET_M for other in group)]
        joined = [piece, *(one for group in near for one in group)]
        groups = [group for group in groups if group not in near] + [sorted(joined)]
    return sorted(groups)


def _cities_of_houses(collected: _Collected) -> Mapping[tuple[str, int, int], str]:
    """The town that most houses of a street name, by street and square of two kilometres."""
    votes: dict[tuple[str, int, int], dict[str, int]] = defaultdict(lambda: defaultdict(int))
    for street, _, lat, lon, city in collected.houses:
        if city:
            votes[fold(street), lat // 200_000, lon // 200_000][city] += 1
    return {key: max(sorted(cities), key=lambda city: cities[city]) for key, cities in votes.items()}


def _town(towns: list[tuple[str, float, int, int]], lat: int, lon: int) -> str:
    """The town whose reach covers the place best; empty beyond all of them."""
    if not towns:
        return ""
    reach = np.array([town[1] for town in towns])
    away = np.array([metres(town[2], town[3], lat, lon) for town in towns])
    best = int(np.argmin(away / reach))
    return towns[best][0] if away[best] < 3 * reach[best] else ""


def fold(text: str) -> str:
    """Letters and digits without accents and case, short forms written out."""
    return " ".join(_SHORT.get(word, word) for word in plain(text).split())


def _term(word: str) -> str:
    """A word as it is written, or as it might be written out; or cut short in the map."""
    forms = {word, _SHORT.get(word, word), *(short for short, full in _SHORT.items() if full == word)}
    return "(" + " OR ".join(f'"{form}"*' for form in sorted(forms)) + ")"


def fold_number(text: str) -> str:
    return re.sub(r"[\s,]+", "", text).casefold()


# ---- asking ----------------------------------------------------------------------------------------------------------


class Streets:
    """The streets of one pack. DomainError ``map_pack_no_streets``, ``map_pack_missing`` on opening."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DomainError("map_pack_missing", file=path.name)
        self._lock = threading.Lock()
        address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        keep_short(self._connection)
        try:
            self._connection.execute(f"SELECT id, name, city, lat_e7, lon_e7 FROM {TABLE} LIMIT 1").fetchone()
            self._connection.execute("SELECT rowid FROM street_search LIMIT 1").fetchone()
        except sqlite3.DatabaseError as error:
            self._connection.close()
            raise DomainError("map_pack_no_streets", file=path.name) from error

    def close(self) -> None:
        self._connection.close()

    def find(self, text: str, *, limit: int = 8) -> tuple[StreetFound, ...]:
        """Addresses that fit ``text`` ("12 rue de la Gare, Lyon"), houses before streets; nothing raises."""
        house = _NUMBER.search(text)
        number = fold_number("".join(part or "" for part in house.groups())) if house else ""
        rest = text[: house.start()] + " " + text[house.end() :] if house else text
        words = [word for word in plain(rest).split() if not word.isdigit()][:10]  # a postcode is no street
        if not words:
            return ()
        match = " AND ".join(_term(word) for word in words)
        query = (
            f"SELECT s.id, s.name, s.city, s.lat_e7, s.lon_e7, h.lat_e7, h.lon_e7 FROM street_search f "
            f"JOIN {TABLE} s ON s.id = f.rowid LEFT JOIN house h ON h.street_id = s.id AND h.number = ? "
            "WHERE street_search MATCH ? ORDER BY h.number IS NULL, bm25(street_search, 4.0, 1.0), s.id LIMIT ?"
        )
        with self._lock:
            rows = self._connection.execute(query, (number, match, limit)).fetchall()
        return tuple(_found(row, number) for row in rows)

    def near(self, lat_e7: int, lon_e7: int, *, within: int = 150) -> tuple[StreetFound, ...]:
        """The house nearest to a place, or the street where no house is near; nothing within so many metres: empty."""
        box = (within / _METRE, within / _METRE / max(0.01, float(np.cos(np.radians(lat_e7 / 1e7)))))
        inside = (lat_e7 - box[0], lat_e7 + box[0], lon_e7 - box[1], lon_e7 + box[1])
        where = "{0}.lat_e7 BETWEEN ? AND ? AND {0}.lon_e7 BETWEEN ? AND ?"
        houses = (
            "SELECT s.name, s.city, h.number, h.lat_e7, h.lon_e7, 'address' FROM house h "
            f"JOIN {TABLE} s ON s.id = h.street_id WHERE {where.format('h')}"
        )
        streets = f"SELECT name, city, '', lat_e7, lon_e7, 'street' FROM {TABLE} WHERE {where.format(TABLE)}"
        with self._lock:
            rows = self._connection.execute(houses, inside).fetchall() or self._connection.execute(
                streets, inside
            ).fetchall()
        found = sorted((metres(row[3], row[4], lat_e7, lon_e7), row) for row in rows)
        return tuple(StreetFound(*row) for away, row in found[:3] if away <= within)


def _found(row: tuple[Any, ...], number: str) -> StreetFound:
    _, name, city, lat, lon, house_lat, house_lon = row
    if house_lat is None:
        return StreetFound(name, city, "", lat, lon, "street")
    return StreetFound(name, city, number, house_lat, house_lon, "address")
