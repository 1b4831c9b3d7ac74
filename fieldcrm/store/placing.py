"""Outlets that have no position, or one in doubt; and what providers said of addresses."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import delete
from sqlalchemy.dialects.sqlite import insert

from fieldcrm.domain.ids import Id
from fieldcrm.domain.placing import Address, Candidate, Placing
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.quality_tables import DOUBTFUL
from fieldcrm.store.tables import T
from sync.columns import to_milliseconds

_MERGED = "SELECT m.rid FROM outlet_home a JOIN outlet m ON m.id = a.alias_id"
_COLUMNS = (
    "o.rid, o.id, o.name, coalesce(o.house_number, ''), coalesce(o.street, ''), coalesce(o.postcode, ''), "
    "coalesce(o.city, ''), coalesce(o.country, ''), o.lat_e7, o.lon_e7, o.placing"
)
POSITION_KINDS = ("position_zero", "position_swapped", "position_outside", "position_far", "position_shared")


@dataclass(frozen=True, slots=True)
class Unplaced:
    """An outlet to be placed, or placed in doubt."""

    rid: int
    id: Id
    name: str
    address: Address
    lat_e7: int | None
    lon_e7: int | None
    placing: Placing | None

    @property
    def mapped(self) -> bool:
        return self.lat_e7 is not None and self.lon_e7 is not None


def unplaced(r: Reader) -> list[Unplaced]:
    """Every outlet that works and has no position, and those whose position is in doubt."""
    sql = f"""
        SELECT {_COLUMNS} FROM outlet o WHERE o.lat_e7 IS NULL AND o.state <> 'closed' AND o.rid NOT IN ({_MERGED})
        UNION ALL
        SELECT {_COLUMNS} FROM outlet o WHERE {DOUBTFUL.replace("placing", "o.placing")}
          AND o.lat_e7 IS NOT NULL AND o.state <> 'closed' AND o.rid NOT IN ({_MERGED})
        ORDER BY 1"""
    return [_unplaced(tuple(row)) for row in r.conn.exec_driver_sql(sql)]


def those(r: Reader, rids: Sequence[int]) -> list[Unplaced]:
    """These outlets, placed or not, in the order of their rows."""
    sql = f"SELECT {_COLUMNS} FROM json_each(?) j JOIN outlet o ON o.rid = j.value ORDER BY o.rid"
    return [_unplaced(tuple(row)) for row in r.conn.exec_driver_sql(sql, (json.dumps(list(rids)),))]


def suspects(r: Reader) -> list[int]:
    """Row numbers of outlets whose position was found to be wrong, and not ignored."""
    sql = (
        "SELECT DISTINCT rid FROM outlet_finding WHERE code IN (SELECT value FROM json_each(?)) AND NOT ignored "
        f"AND rid NOT IN ({_MERGED})"
    )
    return list(r.conn.exec_driver_sql(sql, (json.dumps(POSITION_KINDS),)).scalars())


def counted(r: Reader) -> tuple[int, int]:
    """Outlets that work, and how many of them have a position."""
    everything = f"SELECT count(*) FROM outlet o WHERE o.state <> 'closed' AND o.rid NOT IN ({_MERGED})"
    without = f"{everything} AND o.lat_e7 IS NULL"
    total = int(r.conn.exec_driver_sql(everything).scalar_one())
    return total, total - int(r.conn.exec_driver_sql(without).scalar_one())


def _unplaced(row: tuple[Any, ...]) -> Unplaced:
    rid, id_, name, number, street, postcode, city, country, lat, lon, placing = row
    address = Address(number, street, postcode, city, country)
    return Unplaced(rid, UUID(bytes=bytes(id_)), name, address, lat, lon, Placing.of(json.loads(placing or "null")))


def sector_names(r: Reader, rids: Sequence[int]) -> Mapping[int, str]:
    sql = (
        "SELECT o.rid, s.name FROM json_each(?) j JOIN outlet o ON o.rid = j.value "
        "JOIN sector s ON s.id = o.sector_id"
    )
    return {int(row[0]): str(row[1]) for row in r.conn.exec_driver_sql(sql, (json.dumps(list(rids)),))}


# ---- answers that are kept ----------------------------------------


def known_answers(
    r: Reader, provider: str, keys: Iterable[str], since: datetime
) -> dict[str, tuple[Candidate, ...]]:
    """What this provider said of these addresses not longer ago than ``since``."""
    sql = (
        "SELECT p.key, p.answer FROM json_each(?) j JOIN place_answer p ON p.provider = ? AND p.key = j.value "
        "WHERE p.at >= ?"
    )
    rows = r.conn.exec_driver_sql(sql, (json.dumps(list(keys)), provider, to_milliseconds(since)))
    return {key: tuple(one for item in json.loads(answer) if (one := Candidate.of(item))) for key, answer in rows}


def keep_answer(tx: Transaction, provider: str, key: str, found: Sequence[Candidate]) -> None:
    answer = [one.document() for one in found]
    row = insert(T.place_answer).values(provider=provider, key=key, at=tx.now, answer=answer)
    tx.conn.execute(row.on_conflict_do_update(
        index_elements=["provider", "key"], set_={"at": row.excluded.at, "answer": row.excluded.answer}))


def forget_answers(tx: Transaction, before: datetime) -> None:
    """What is no longer believed is not kept either."""
    tx.conn.execute(delete(T.place_answer).where(T.place_answer.c.at < before))
