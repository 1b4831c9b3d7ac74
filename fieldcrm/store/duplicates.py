"""Pairs of outlets that may be one: what is compared, the pairs found so far, and what is to be looked at again.

The pairs are this device's own and never synced: each device finds the same ones from the same outlets.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from math import cos, radians
from typing import Any

from sqlalchemy import text

from fieldcrm.domain.earth import METRES_A_DEGREE
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import DEGREE
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.merging_tables import DUPLICATE_COLUMNS, PHONE_DIGITS, phone_key
from sync.columns import to_milliseconds

NEAR_ROWS = 120  # outlets around a point that are compared, the closest first
KEYED_ROWS = 40  # outlets with one telephone or company number
NAMED_ROWS = 60  # outlets with a word of the name
RARE = 400  # outlets that have a word, above which it does not find anything by itself
COUNTED = 2_000  # hits of a word that are counted before it is called frequent

RawRow = tuple[Any, ...]  # rid, then DUPLICATE_COLUMNS


@dataclass(frozen=True, slots=True)
class FoundPair:
    """Two outlets by their row numbers, the smaller first; ``levels`` and ``metres`` as they were compared."""

    one: int
    other: int
    levels: Mapping[str, str]
    metres: float | None
    phones: tuple[str, ...]  # in common


@dataclass(frozen=True, slots=True)
class KeptPair:
    """A pair found, with both outlets' ids and when it was put off, if it was."""

    one: int
    other: int
    one_id: Id
    other_id: Id
    levels: Mapping[str, str]
    metres: float | None
    phones: tuple[str, ...]
    later_at: datetime | None


_SELECT = ", ".join(f"o.{name}" for name in DUPLICATE_COLUMNS)
_OPEN = "o.state <> 'closed' AND NOT EXISTS (SELECT 1 FROM outlet_home h WHERE h.alias_id = o.id)"


def outlet_count(r: Reader) -> int:
    return int(r.conn.exec_driver_sql("SELECT count(*) FROM outlet").scalar_one())


def last_rid(r: Reader) -> int:
    return int(r.conn.exec_driver_sql("SELECT coalesce(max(rid), 0) FROM outlet").scalar_one())


def stream(r: Reader, *, slice_rows: int = 10_000) -> Iterator[list[RawRow]]:
    """Every outlet that is open and not merged away, slices of rows in order of ``rid``."""
    after = 0
    query = f"SELECT o.rid, {_SELECT} FROM outlet o WHERE o.rid > ? AND {_OPEN} ORDER BY o.rid LIMIT ?"
    while rows := r.conn.exec_driver_sql(query, (after, slice_rows)).all():
        after = rows[-1][0]
        yield [tuple(row) for row in rows]


def raw_rows(r: Reader, rids: Iterable[int], *, closed: bool = False) -> list[RawRow]:
    """The same of some outlets; ``closed``: shut ones too."""
    which = "NOT EXISTS (SELECT 1 FROM outlet_home h WHERE h.alias_id = o.id)" if closed else _OPEN
    query = f"SELECT o.rid, {_SELECT} FROM json_each(?) j JOIN outlet o ON o.rid = j.value WHERE {which}"
    return [tuple(row) for row in r.conn.exec_driver_sql(query, (json.dumps(list(rids)),))]


# ---- blocking for one outlet, as it is typed ---------------------------------------------------------------------


def near(r: Reader, position: tuple[int, int], metres: float) -> Sequence[int]:
    """Row numbers of the outlets around a point (degrees x 10^7), the closest first."""
    lat, lon = position
    height = int(metres / METRES_A_DEGREE * DEGREE)
    share = max(0.01, cos(radians(lat / DEGREE)))
    box = {"s": lat - height, "n": lat + height, "w": lon - int(height / share), "e": lon + int(height / share),
           "lat": lat, "lon": lon, "share": share, "limit": NEAR_ROWS}  # fmt: skip
    query = text(
        "SELECT rid FROM outlet_place WHERE min_lat BETWEEN :s AND :n AND min_lon BETWEEN :w AND :e "
        "ORDER BY abs(min_lat - :lat) + abs(min_lon - :lon) * :share LIMIT :limit"
    )
    return r.conn.execute(query, box).scalars().all()


def same_phone(r: Reader, digits: str) -> Sequence[int]:
    """Outlets whose telephone ends like ``digits``; by an index."""
    query = f"SELECT rid FROM outlet WHERE phone IS NOT NULL AND {phone_key('phone')} = ? LIMIT ?"
    return r.conn.exec_driver_sql(query, (digits[-PHONE_DIGITS:], KEYED_ROWS)).scalars().all()


def same_company(r: Reader, siren: str) -> Sequence[int]:
    """Outlets whose SIRET begins with the nine digits of a company."""
    query = "SELECT rid FROM outlet WHERE siret >= ? AND siret < ? LIMIT ?"
    return r.conn.exec_driver_sql(query, (siren, siren + ":", KEYED_ROWS)).scalars().all()


def same_words(r: Reader, words: Sequence[str], where: Sequence[str]) -> Sequence[int]:
    """Outlets that share the rarest words of a name; frequent ones only together with a word of the address."""
    counted = sorted((_hits(r, _quoted("name banner", [word])), word) for word in dict.fromkeys(words) if len(word) > 2)
    rare = [word for hits, word in counted if 0 < hits <= RARE][:3]
    found: list[int] = []
    if rare:
        found += _matches(r, " OR ".join(_quoted("name banner", [word]) for word in rare))
    frequent = [word for hits, word in counted if hits > 0][:3]
    place = [word for word in where if len(word) > 1]
    if frequent and place:
        terms = [_quoted("name banner", frequent), *(_quoted("city postcode", [word]) for word in place[:2])]
        found += _matches(r, " AND ".join(terms))
    if not found and len(frequent) > 1:
        found += _matches(r, _quoted("name banner", frequent))
    mistyped = [word[:4] for hits, word in counted if hits == 0 and len(word) > 4][:2]
    if mistyped and (place or frequent):
        beside = [_quoted("name banner", frequent[:1])] if frequent else [_quoted("city postcode", place[:1])]
        found += _matches(r, " AND ".join([*(f'{{name banner}} : "{start}"*' for start in mistyped[:1]), *beside]))
    return list(dict.fromkeys(found))


def name_count(r: Reader, words: Sequence[str], limit: int) -> int:
    """How many outlets have all these words in their name, counted up to ``limit``."""
    return _hits(r, _quoted("name", list(words)), limit) if words else 0


def _quoted(columns: str, words: Sequence[str]) -> str:
    inner = " AND ".join(f'"{word}"' for word in words)
    return f"{{{columns}}} : ({inner})"


def _hits(r: Reader, expression: str, limit: int = COUNTED) -> int:
    query = "SELECT count(*) FROM (SELECT 1 FROM outlet_search WHERE outlet_search MATCH ? LIMIT ?)"
    return int(r.conn.exec_driver_sql(query, (expression, limit)).scalar_one())


def _matches(r: Reader, expression: str) -> Sequence[int]:
    query = "SELECT rowid FROM outlet_search WHERE outlet_search MATCH ? LIMIT ?"
    return r.conn.exec_driver_sql(query, (expression, NAMED_ROWS)).scalars().all()


# ---- the pairs that were found -----------------------------------------------------------------------------------


def keep_pairs(tx: Transaction, pairs: Sequence[FoundPair]) -> None:
    rows = [
        (pair.one, pair.other, json.dumps({"levels": dict(pair.levels), "metres": pair.metres, "phones": pair.phones}))
        for pair in pairs
    ]
    if rows:
        tx.conn.exec_driver_sql(
            "INSERT INTO duplicate_pair (one, other, evidence) VALUES (?, ?, ?) "
            "ON CONFLICT (one, other) DO UPDATE SET evidence = excluded.evidence",
            rows,
        )
        tx.touch("duplicate_pair")


def forget_pairs(tx: Transaction, rids: Sequence[int]) -> None:
    """Drop the pairs of these outlets: they are about to be compared again."""
    given = {"rids": json.dumps(list(rids))}
    for side in ("one", "other"):
        tx.conn.execute(
            text(f"DELETE FROM duplicate_pair WHERE {side} IN (SELECT value FROM json_each(:rids))"), given
        )
    tx.touch("duplicate_pair")


def put_off(tx: Transaction, one: int, other: int, at: datetime | None) -> None:
    """Later, or not later any more when ``at`` is none."""
    moment = None if at is None else to_milliseconds(at)
    tx.conn.exec_driver_sql(
        "UPDATE duplicate_pair SET later_at = ? WHERE one = ? AND other = ?", (moment, min(one, other), max(one, other))
    )
    tx.touch("duplicate_pair")


_KEPT = """
SELECT p.one, p.other, a.id, b.id, p.evidence, p.later_at FROM duplicate_pair p
JOIN outlet a ON a.rid = p.one JOIN outlet b ON b.rid = p.other
WHERE p.evidence <> '' AND a.state <> 'closed' AND b.state <> 'closed'
  AND NOT EXISTS (SELECT 1 FROM outlet_home h WHERE h.alias_id IN (a.id, b.id))
  AND NOT EXISTS (SELECT 1 FROM distinct_pair d WHERE d.active
    AND (d.outlet_id = a.id AND d.other_id = b.id OR d.outlet_id = b.id AND d.other_id = a.id))"""


def pairs(r: Reader) -> list[KeptPair]:
    """Every pair that still stands: neither merged, nor shut, nor said to be two."""
    return [_kept(row) for row in r.conn.exec_driver_sql(_KEPT)]


def _kept(row: Any) -> KeptPair:
    evidence = json.loads(row[4])
    later = None if row[5] is None else datetime.fromtimestamp(row[5] / 1000).astimezone()
    return KeptPair(
        row[0], row[1], Id(bytes=row[2]), Id(bytes=row[3]), evidence["levels"], evidence["metres"],
        tuple(evidence["phones"]), later,
    )  # fmt: skip


# ---- what is to be looked at again -------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Checked:
    """Up to where the base has been compared. ``at`` none: never as a whole."""

    at: datetime | None
    upto: int  # row number


def checked(r: Reader) -> Checked:
    row = r.conn.exec_driver_sql("SELECT at, upto FROM duplicate_state").one()
    return Checked(None if row[0] is None else datetime.fromtimestamp(row[0] / 1000).astimezone(), int(row[1]))


@dataclass(frozen=True, slots=True)
class Before:
    """How things stood when a search began, should it be given up."""

    upto: int
    changed: tuple[int, ...]


def begin_search(tx: Transaction) -> Before:
    """From now on every change is remembered: the search may have read the outlet before or after it."""
    before = Before(checked(tx).upto, tuple(tx.conn.exec_driver_sql("SELECT rid FROM duplicate_recheck").scalars()))
    tx.conn.exec_driver_sql("DELETE FROM duplicate_recheck")
    tx.conn.exec_driver_sql("UPDATE duplicate_state SET upto = ?", (last_rid(tx),))
    return before


def give_up_search(tx: Transaction, before: Before) -> None:
    tx.conn.exec_driver_sql("UPDATE duplicate_state SET upto = ?", (before.upto,))
    rows = [(rid,) for rid in before.changed]
    if rows:
        tx.conn.exec_driver_sql("INSERT OR IGNORE INTO duplicate_recheck (rid) VALUES (?)", rows)


def end_search(tx: Transaction, at: datetime) -> None:
    """The pairs of before go; those put off wait, without evidence, to be found again by what is written next."""
    tx.conn.exec_driver_sql("DELETE FROM duplicate_pair WHERE later_at IS NULL")
    tx.conn.exec_driver_sql("UPDATE duplicate_pair SET evidence = ''")
    tx.conn.exec_driver_sql("UPDATE duplicate_state SET at = ?", (to_milliseconds(at),))
    tx.touch("duplicate_pair")


def forget_unfound(tx: Transaction) -> None:
    """Pairs that were put off, and that the search did not find again."""
    tx.conn.exec_driver_sql("DELETE FROM duplicate_pair WHERE evidence = ''")


def waiting(r: Reader, limit: int) -> list[int]:
    """Row numbers of outlets that are new or changed since they were compared, up to ``limit``."""
    query = (
        "SELECT rid FROM duplicate_recheck UNION SELECT rid FROM outlet WHERE rid > (SELECT upto FROM duplicate_state) "
        "ORDER BY 1 LIMIT ?"
    )
    return list(r.conn.exec_driver_sql(query, (limit,)).scalars())


def rechecked(tx: Transaction, rids: Sequence[int]) -> None:
    """These have been compared again. New ones are compared in order, so that all up to the last of them are done."""
    query = text("DELETE FROM duplicate_recheck WHERE rid IN (SELECT value FROM json_each(:rids))")
    tx.conn.execute(query, {"rids": json.dumps(list(rids))})
    tx.conn.exec_driver_sql("UPDATE duplicate_state SET upto = max(upto, ?)", (max(rids),))
    tx.touch("duplicate_pair")
