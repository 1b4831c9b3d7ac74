"""How many outlets each filter chip would leave: counted in SQL, beside the list itself."""

from __future__ import annotations

from dataclasses import dataclass, replace
from uuid import UUID

from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader
from fieldcrm.store.search import Filters, ListQuery, filtered, match_expression


@dataclass(frozen=True, slots=True)
class Facets:
    """How many outlets each filter would leave, given the query and the other filters."""

    total: int
    overdue: int
    unmapped: int
    segments: tuple[tuple[str, int], ...] = ()
    store_types: tuple[tuple[str, int], ...] = ()
    states: tuple[tuple[str, int], ...] = ()
    banners: tuple[tuple[str, int], ...] = ()
    sectors: tuple[tuple[Id, str, int], ...] = ()


def facets(r: Reader, query: str, filters: Filters) -> Facets:
    """Counts beside each filter: of the list as it would be with that filter alone changed."""
    expression = match_expression(query)
    return Facets(
        total=_count(r, expression, filters),
        overdue=_count(r, expression, replace(filters, overdue=True)),
        unmapped=_count(r, expression, replace(filters, unmapped=True)),
        segments=_counts(r, expression, replace(filters, segments=frozenset()), "coalesce(o.segment, '')"),
        store_types=_counts(r, expression, replace(filters, store_types=frozenset()), "o.store_type"),
        states=_counts(r, expression, replace(filters, states=frozenset()), "o.state"),
        banners=_counts(r, expression, replace(filters, banners=frozenset()), "o.banner"),
        sectors=_sector_counts(r, expression, replace(filters, sectors=frozenset())),
    )


def _restricted(r: Reader, expression: str | None, filters: Filters) -> ListQuery:
    query = filtered(r, filters)
    if expression is not None:
        query.where.append("o.rid IN (SELECT rowid FROM outlet_search WHERE outlet_search MATCH :match)")
        query.params["match"] = expression
    return query


def _count(r: Reader, expression: str | None, filters: Filters) -> int:
    query = _restricted(r, expression, filters)
    return int(r.conn.exec_driver_sql(f"SELECT count(*) {query.source}", query.params).scalar_one())


def _counts(r: Reader, expression: str | None, filters: Filters, column: str) -> tuple[tuple[str, int], ...]:
    query = _restricted(r, expression, filters)
    sql = f"SELECT {column} AS value, count(*) AS n {query.source} GROUP BY 1 ORDER BY n DESC, 1"
    return tuple((value, n) for value, n in r.conn.exec_driver_sql(sql, query.params) if value is not None)


def _sector_counts(r: Reader, expression: str | None, filters: Filters) -> tuple[tuple[Id, str, int], ...]:
    query = _restricted(r, expression, filters)
    sql = f"SELECT o.sector_id, count(*) AS n {query.source} GROUP BY 1"
    counts = {bytes(sector): n for sector, n in r.conn.exec_driver_sql(sql, query.params)}
    names = r.conn.exec_driver_sql("SELECT id, name FROM sector ORDER BY code")
    return tuple((UUID(bytes=bytes(id_)), name, counts[bytes(id_)]) for id_, name in names if bytes(id_) in counts)


def counters(r: Reader) -> tuple[int, int]:
    """All outlets on this device, and those that are not mapped: for the empty and the partial state."""
    row = r.conn.exec_driver_sql("SELECT count(*), coalesce(sum(lat_e7 IS NULL), 0) FROM outlet").one()
    return int(row[0]), int(row[1])
