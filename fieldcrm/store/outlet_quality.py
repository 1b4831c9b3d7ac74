"""The kept judgements about outlets: what is due, findings, and figures by sector. Rows are written in slices."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, NamedTuple
from uuid import UUID

from sqlalchemy import delete, insert, select, update

from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.outlet import address
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from sync.columns import to_milliseconds

_MERGED = "SELECT m.rid FROM outlet_home a JOIN outlet m ON m.id = a.alias_id"
# Judged are those that work: a closed store needs no telephone, one merged away is found as the other.
_COUNTED = f"q.state <> 'closed' AND q.rid NOT IN ({_MERGED})"
FACTS = (
    "name, banner, store_type, segment, house_number, street, postcode, city, country, lat_e7, lon_e7, phone, email, "
    "website, opening_hours, siret, surface_m2, visit_minutes"
)
IGNORED = "quality.ignored"  # the key of the rules that say which finding is none


class Judged(NamedTuple):
    """One outlet's row and its findings: ``(code, field, value, suggestion, safe)``."""

    rid: int
    sector: bytes
    state: str
    completeness: int
    missing: int
    confirmed: int | None
    findings: Sequence[tuple[str, str, str, str | None, bool]]


@dataclass(frozen=True, slots=True)
class FindingRow:
    """A line of the list; ``id`` names it among the findings of one kind."""

    id: tuple[int, str]  # the outlet's row number, the field
    outlet_id: Id
    name: str
    city: str
    address: str
    sector: str
    code: str
    field: str
    value: str
    suggestion: str | None
    safe: bool
    ignored: bool
    confirmed_at: datetime | None
    visited_at: datetime | None
    missing: int
    completeness: int


@dataclass(frozen=True, slots=True)
class SectorQuality:
    """What a manager can defend: of ``outlets`` (active and prospects, merged ones aside) so many. ``judged``: how many
    of them were looked at so far; the mean completeness is of those."""

    sector_id: Id
    code: str
    name: str
    outlets: int
    judged: int
    completeness: float | None  # 0 to 100
    fresh: int
    flawed: int  # with at least one finding that is not a note and not ignored


# ---- what is due ----------------------------------------


def due(r: Reader) -> list[int]:
    """Row numbers of outlets that were never judged, or changed since."""
    sql = (
        # The small index holds every row number: the outlets themselves need not be read.
        "SELECT o.rid FROM outlet o INDEXED BY ix_outlet_sector_id "
        "WHERE NOT EXISTS (SELECT 1 FROM outlet_quality q WHERE q.rid = o.rid) "
        "UNION ALL SELECT rid FROM outlet_quality WHERE due ORDER BY 1"
    )
    return list(r.conn.exec_driver_sql(sql).scalars())


def judged_count(r: Reader) -> int:
    return int(r.conn.exec_driver_sql("SELECT count(*) FROM outlet_quality").scalar_one())


def facts(r: Reader, rids: Sequence[int]) -> Iterator[tuple[Any, ...]]:
    """``rid, sector_id, state, confirmed_at`` and then ``FACTS``, raw as they are kept."""
    sql = f"SELECT o.rid, o.sector_id, o.state, o.confirmed_at, {_prefixed(FACTS)} FROM json_each(?) j " \
          "JOIN outlet o ON o.rid = j.value"
    return (tuple(row) for row in r.conn.exec_driver_sql(sql, (json.dumps(list(rids)),)))


def written(r: Reader) -> Iterator[tuple[Any, ...]]:
    """``lat_e7, lon_e7, street, postcode, city, country, banner`` of every outlet, texts empty when there are none."""
    sql = (
        "SELECT lat_e7, lon_e7, coalesce(street, ''), coalesce(postcode, ''), coalesce(city, ''), "
        "coalesce(country, ''), coalesce(banner, '') FROM outlet"
    )
    return (tuple(row) for row in r.conn.exec_driver_sql(sql))


def _prefixed(columns: str) -> str:
    return ", ".join(f"o.{name.strip()}" for name in columns.split(","))


# ---- writing ----------------------------------------

_PUT = (
    "INSERT INTO outlet_quality (rid, sector_id, state, completeness, missing, confirmed_at, visited_at, due) "
    "SELECT ?1, ?2, ?3, ?4, ?5, ?6, (SELECT max(v.started_at) FROM visit v WHERE v.outlet_id IN "
    "(SELECT o.id FROM outlet o WHERE o.rid = ?1 UNION ALL SELECT a.alias_id FROM outlet o JOIN outlet_home a "
    "ON a.outlet_id = o.id WHERE o.rid = ?1)), 0 WHERE EXISTS (SELECT 1 FROM outlet WHERE rid = ?1) "
    "ON CONFLICT (rid) DO UPDATE SET sector_id = excluded.sector_id, state = excluded.state, "
    "completeness = excluded.completeness, missing = excluded.missing, confirmed_at = excluded.confirmed_at, "
    "visited_at = excluded.visited_at, due = 0"
)


def put(tx: Transaction, judged: Sequence[Judged]) -> None:
    """One slice: the rows and findings of these outlets in place of those they had."""
    rids = [(one.rid,) for one in judged]
    tx.conn.exec_driver_sql("DELETE FROM outlet_finding WHERE rid = ?", rids)
    tx.conn.exec_driver_sql(
        _PUT, [(j.rid, j.sector, j.state, j.completeness, j.missing, j.confirmed) for j in judged])
    found = [(j.rid, *finding, j.sector) for j in judged if j.state != "closed" for finding in j.findings]
    if found:
        tx.conn.exec_driver_sql(
            "INSERT OR REPLACE INTO outlet_finding (rid, code, field, value, suggestion, safe, sector_id) "
            "VALUES (?, ?, ?, ?, ?, ?, ?)", found)


def last_judged(r: Reader) -> int:
    """The highest row number that was judged; 0 when none was."""
    return int(r.conn.exec_driver_sql("SELECT coalesce(max(rid), 0) FROM outlet_quality").scalar_one())


def forget(tx: Transaction, first: int, last: int) -> None:
    """These are to be judged anew."""
    tx.conn.exec_driver_sql("UPDATE outlet_quality SET due = 1 WHERE rid BETWEEN ? AND ? AND NOT due", (first, last))


def surroundings_kept(r: Reader) -> Iterator[tuple[str, str, Any]]:
    rows = r.conn.exec_driver_sql("SELECT kind, key, value FROM outlet_surroundings")
    return ((kind, key, json.loads(value)) for kind, key, value in rows)


def keep_surroundings(tx: Transaction, parts: Iterable[tuple[str, str, Any]], *, first: bool) -> None:
    """One slice of them; with the ``first`` the old ones go."""
    if first:
        tx.conn.exec_driver_sql("DELETE FROM outlet_surroundings")
    rows = [(kind, key, json.dumps(value, ensure_ascii=False)) for kind, key, value in parts]
    if rows:
        tx.conn.exec_driver_sql("INSERT OR REPLACE INTO outlet_surroundings (kind, key, value) VALUES (?, ?, ?)", rows)


# ---- ignored findings, and the rules of the organisation ----------------------------------------


def read_rule(r: Reader, key: str) -> Any:
    """The newest document under ``key``, or ``None``."""
    query = select(T.rule.c.value).where(T.rule.c.key == key).order_by(T.rule.c.id.desc()).limit(1)
    return r.conn.execute(query).scalar_one_or_none()


def write_rule(tx: Transaction, key: str, value: Mapping[str, Any]) -> None:
    found = tx.conn.execute(select(T.rule.c.id).where(T.rule.c.key == key).order_by(T.rule.c.id.desc()).limit(1))
    row = found.scalar_one_or_none()
    if row is None:
        tx.conn.execute(insert(T.rule).values(id=new_id(tx.now), key=key, value=dict(value)))
    else:
        tx.conn.execute(update(T.rule).where(T.rule.c.id == row).values(value=dict(value)))


def ignore(tx: Transaction, document: Mapping[str, Any]) -> Id:
    id_ = new_id(tx.now)
    tx.conn.execute(insert(T.rule).values(id=id_, key=IGNORED, value=dict(document)))
    return id_


def ignored(r: Reader) -> list[tuple[Id, Any]]:
    """The rules that say which finding is none."""
    query = select(T.rule.c.id, T.rule.c.value).where(T.rule.c.key == IGNORED)
    return [(row.id, row.value) for row in r.conn.execute(query)]


def take_back_ignored(tx: Transaction, id_: Id) -> None:
    tx.conn.execute(delete(T.rule).where(T.rule.c.id == id_, T.rule.c.key == IGNORED))


def mark_ignored(tx: Transaction) -> None:
    """Put the mark on every finding that a rule says is none, and take it off the others. The value counts too: when
    it changes, the finding is a new one."""
    sql = (
        "UPDATE outlet_finding SET ignored = NOT ignored WHERE ignored <> EXISTS (SELECT 1 FROM rule r "
        "JOIN outlet o ON o.rid = outlet_finding.rid WHERE r.key = ? "
        "AND r.value ->> 'outlet' = lower(hex(o.id)) AND r.value ->> 'code' = outlet_finding.code "
        "AND r.value ->> 'field' = outlet_finding.field AND r.value ->> 'value' = outlet_finding.value)"
    )
    marked = "SELECT 1 FROM outlet_finding WHERE ignored LIMIT 1"
    if ignored(tx) or tx.conn.exec_driver_sql(marked).first() is not None:
        rids = [rid for rid in (_rid_of(tx, value) for _, value in ignored(tx)) if rid is not None]
        tx.conn.exec_driver_sql(
            sql + " AND (ignored OR rid IN (SELECT value FROM json_each(?)))", (IGNORED, json.dumps(rids)))


def _rid_of(r: Reader, value: Any) -> int | None:
    try:
        outlet = UUID(hex=value["outlet"])
    except (TypeError, KeyError, ValueError):
        return None
    return r.conn.execute(select(T.outlet.c.rid).where(T.outlet.c.id == outlet)).scalar_one_or_none()


# ---- figures ----------------------------------------


def sector_figures(r: Reader, *, fresh_since: datetime) -> list[SectorQuality]:
    """By sector. An outlet that was not judged yet counts among the outlets, and nowhere else."""
    sql = f"""
        SELECT s.id, s.code, s.name, coalesce(j.n, 0) + coalesce(o.n, 0), coalesce(j.n, 0), j.mean,
          coalesce(j.fresh, 0), coalesce(f.n, 0)
        FROM sector s
        LEFT JOIN (SELECT sector_id, count(*) AS n FROM outlet INDEXED BY ix_outlet_sector_id
          WHERE NOT EXISTS (SELECT 1 FROM outlet_quality q WHERE q.rid = outlet.rid)
          AND state <> 'closed' AND rid NOT IN ({_MERGED}) GROUP BY sector_id) o ON o.sector_id = s.id
        LEFT JOIN (SELECT q.sector_id, count(*) AS n, avg(q.completeness) AS mean,
          sum(coalesce(q.confirmed_at, 0) >= :since) AS fresh FROM outlet_quality q WHERE {_COUNTED}
          GROUP BY q.sector_id) j ON j.sector_id = s.id
        LEFT JOIN (SELECT sector_id, count(DISTINCT rid) AS n FROM outlet_finding
          WHERE NOT ignored AND code NOT IN (SELECT value FROM json_each(:notes)) AND rid NOT IN ({_MERGED})
          GROUP BY sector_id) f ON f.sector_id = s.id
        ORDER BY s.code"""
    rows = r.conn.exec_driver_sql(sql, {"since": to_milliseconds(fresh_since), "notes": json.dumps(list(NOTES))})
    return [SectorQuality(UUID(bytes=bytes(row[0])), *row[1:]) for row in rows]


# Kinds that are about style alone; the same codes as insights.outlet_quality gives, a test compares them.
NOTES = ("spaces", "capitals", "phone_style", "email_style", "website_style", "siret_style", "postcode_style")


@dataclass(frozen=True, slots=True)
class Since:
    """What the calendar makes of outlets: fresh when confirmed after ``confirmed``, seen when visited after
    ``visited``; incomplete below ``complete``."""

    confirmed: datetime
    visited: datetime
    complete: int


def _calendar(code: str) -> str:
    return {
        "not_confirmed": "coalesce(q.confirmed_at, 0) < :confirmed",
        "not_visited": "q.state = 'active' AND coalesce(q.visited_at, 0) < :visited",
        "incomplete": "q.completeness < :complete",
    }[code]


CALENDAR = ("not_confirmed", "not_visited", "incomplete")


def _params(since: Since, sector: Id | None) -> dict[str, Any]:
    return {
        "confirmed": to_milliseconds(since.confirmed), "visited": to_milliseconds(since.visited),
        "complete": since.complete, "sector": sector.bytes if sector else None,
    }


def counts(r: Reader, since: Since, sector: Id | None = None) -> dict[str, tuple[int, int]]:
    """Of each kind how many findings, and how many of them may be mended all at once."""
    params = _params(since, sector)
    kept = f"""SELECT code, count(*), sum(safe AND suggestion IS NOT NULL) FROM outlet_finding
        WHERE NOT ignored AND (:sector IS NULL OR sector_id = :sector) AND rid NOT IN ({_MERGED}) GROUP BY code"""
    found = {code: (n, safe) for code, n, safe in r.conn.exec_driver_sql(kept, params)}
    sums = ", ".join(f"sum({_calendar(code)})" for code in CALENDAR)
    calendar = f"SELECT {sums} FROM outlet_quality q WHERE {_COUNTED} AND (:sector IS NULL OR q.sector_id = :sector)"
    row = r.conn.exec_driver_sql(calendar, params).one()
    for code, n in zip(CALENDAR, row, strict=True):
        if n:
            found[code] = (n, 0)
    return found


def finding_ids(
    r: Reader, code: str, since: Since, sector: Id | None = None, *, show_ignored: bool = False, safe: bool = False
) -> list[tuple[int, str]]:
    """The findings of a kind: the outlet's row number and the field, those of one town together."""
    params = _params(since, sector)
    if code in CALENDAR:
        sql = f"""SELECT q.rid, '' FROM outlet_quality q
            WHERE {_COUNTED} AND {_calendar(code)} AND (:sector IS NULL OR q.sector_id = :sector)
            ORDER BY {_ORDERS[code]}, q.rid"""
        return [(rid, field) for rid, field in r.conn.exec_driver_sql(sql, params)]
    sql = f"""SELECT rid, field FROM outlet_finding WHERE code = :code AND ignored = :ignored
        AND (:sector IS NULL OR sector_id = :sector) AND (NOT :safe OR safe AND suggestion IS NOT NULL)
        AND rid NOT IN ({_MERGED}) ORDER BY rid, field"""
    params |= {"code": code, "ignored": show_ignored, "safe": safe}
    return [(rid, field) for rid, field in r.conn.exec_driver_sql(sql, params)]


_ORDERS = {
    "not_confirmed": "coalesce(q.confirmed_at, 0)", "not_visited": "coalesce(q.visited_at, 0)",
    "incomplete": "q.completeness",
}


def finding_rows(r: Reader, code: str, ids: Sequence[tuple[int, str]]) -> list[FindingRow]:
    """The lines of a page, in any order; what was mended meanwhile is left out."""
    sql = """SELECT o.rid, json_extract(j.value, '$[1]'), o.id, o.name, o.city, o.house_number, o.street, o.postcode,
          s.name, f.value, f.suggestion, f.safe, f.ignored, q.confirmed_at, q.visited_at, q.missing, q.completeness
        FROM json_each(:ids) j JOIN outlet o ON o.rid = json_extract(j.value, '$[0]')
        JOIN outlet_quality q ON q.rid = o.rid
        LEFT JOIN outlet_finding f ON f.rid = o.rid AND f.code = :code AND f.field = json_extract(j.value, '$[1]')
        LEFT JOIN sector s ON s.id = o.sector_id
        WHERE f.rid IS NOT NULL OR :calendar"""
    params = {"ids": json.dumps(ids), "code": code, "calendar": code in CALENDAR}
    return [_finding_row(code, tuple(row)) for row in r.conn.exec_driver_sql(sql, params)]


def _finding_row(code: str, row: tuple[Any, ...]) -> FindingRow:
    rid, name_of_field, id_, name, city, number, street, postcode, sector = row[:9]
    value, suggestion, safe, is_ignored, confirmed, visited, missing, complete = row[9:]
    return FindingRow(
        (rid, name_of_field), UUID(bytes=bytes(id_)), name, city or "", address(number, street, postcode, city),
        sector or "", code, name_of_field, value or "", suggestion, bool(safe), bool(is_ignored), _moment(confirmed),
        _moment(visited), missing, complete,
    )


def _moment(value: int | None) -> datetime | None:
    from sync.columns import from_milliseconds

    return None if value is None else from_milliseconds(value)


# ---- alerts ----------------------------------------


class Stale(NamedTuple):
    outlet_id: Id
    sector_id: Id
    confirmed_at: datetime | None
    due: date  # of the next visit


def stale_before_visit(r: Reader, since: Since, today: date, last: date, most: int) -> list[Stale]:
    """Outlets not confirmed whose next visit (planned, or due by their rhythm) is not after ``last``.

    Of each sector the ``most`` that come first."""
    sql = f"""
        WITH stale AS (
          SELECT q.rid, o.id, q.sector_id, q.confirmed_at, max(:today, min(
            coalesce((SELECT min(p.day) FROM plan_stop s JOIN plan p ON p.id = s.plan_id
              WHERE s.outlet_id = o.id AND s.state = 'planned' AND p.day >= :today), '9999-12-31'),
            coalesce(date(coalesce(q.visited_at, 0) / 1000 + o.visit_interval_days * 86400, 'unixepoch'),
              '9999-12-31'))) AS day
          FROM outlet_quality q JOIN outlet o ON o.rid = q.rid
          WHERE {_COUNTED} AND q.state = 'active' AND {_calendar("not_confirmed")}),
        ranked AS (SELECT *, row_number() OVER (PARTITION BY sector_id ORDER BY day, rid) AS place FROM stale
          WHERE day <= :last)
        SELECT id, sector_id, confirmed_at, day FROM ranked WHERE place <= :most ORDER BY sector_id, place"""
    params = _params(since, None) | {"today": today.isoformat(), "last": last.isoformat(), "most": most}
    return [
        Stale(UUID(bytes=bytes(id_)), UUID(bytes=bytes(sector)), _moment(confirmed), date.fromisoformat(day))
        for id_, sector, confirmed, day in r.conn.exec_driver_sql(sql, params)
    ]


def reps(r: Reader, today: date) -> dict[Id, Id]:
    """Who works in each sector today: its active rep, the one who came first when there are several."""
    member, person = T.sector_member, T.person
    query = (
        select(member.c.sector_id, person.c.id)
        .join(person, person.c.id == member.c.person_id)
        .where(person.c.role == "rep", person.c.active)
        .where((member.c.valid_from.is_(None)) | (member.c.valid_from <= today))
        .where((member.c.valid_to.is_(None)) | (member.c.valid_to >= today))
        .order_by(member.c.valid_from.desc(), person.c.id.desc())
    )
    return {row.sector_id: row.id for row in r.conn.execute(query)}


def known_tasks(r: Reader, ids: Sequence[Id]) -> set[Id]:
    """Those of these tasks that are here, open or closed."""
    found: set[Id] = set()
    for at in range(0, len(ids), 500):
        found |= set(r.conn.execute(select(T.task.c.id).where(T.task.c.id.in_(ids[at : at + 500]))).scalars())
    return found


def rid_of(r: Reader, outlet_id: Id) -> int | None:
    return r.conn.execute(select(T.outlet.c.rid).where(T.outlet.c.id == outlet_id)).scalar_one_or_none()
