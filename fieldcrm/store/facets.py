"""How many outlets each filter chip would leave: counted in SQL, beside the list itself."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any
from uuid import UUID

from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader
from fieldcrm.store.search import Filters, ListQuery, filtered, match_expression, matching, restrict
from fieldcrm.store.searchcolumns import Cell, Columns, columns

if TYPE_CHECKING:
    from fieldcrm.store.searchcolumns import Mask


@dataclass(frozen=True, slots=True)
class Facets:
    """How many outlets each filter would leave, given the query and the other filters."""

    total: int
    overdue: int
    unmapped: int
    open_tasks: int = 0
    segments: tuple[tuple[str, int], ...] = ()
    store_types: tuple[tuple[str, int], ...] = ()
    states: tuple[tuple[str, int], ...] = ()
    banners: tuple[tuple[str, int], ...] = ()
    sectors: tuple[tuple[Id, str, int], ...] = ()


def facets(r: Reader, query: str, filters: Filters) -> Facets:
    """Counts beside each filter: of the list as it would be with that filter alone changed."""
    kept = columns(r)
    if kept is None:
        return plain_facets(r, query, filters)
    matches = _matching(r, kept, query)
    free = replace(filters, segments=_ANY, store_types=_ANY, states=_ANY, banners=_ANY, sectors=_ANY)
    counts = _by_cell(kept, kept.mask(r, free), matches)
    return Facets(
        total=sum(n for cell, n in counts if cell.passes(filters)),
        overdue=_passing(kept.mask(r, replace(filters, overdue=True)), matches),
        unmapped=_passing(kept.mask(r, replace(filters, unmapped=True)), matches),
        open_tasks=_passing(kept.mask(r, replace(filters, open_tasks=True)), matches),
        segments=_by(counts, replace(filters, segments=_ANY), lambda cell: cell.segment),
        store_types=_by(counts, replace(filters, store_types=_ANY), lambda cell: cell.store_type),
        states=_by(counts, replace(filters, states=_ANY), lambda cell: cell.state),
        banners=_by(counts, replace(filters, banners=_ANY), lambda cell: cell.banner),
        sectors=_named(r, dict(_by(counts, replace(filters, sectors=_ANY), lambda cell: cell.sector))),
    )


def count(r: Reader, query: str, filters: Filters) -> int:
    """How many outlets fit: for the line of a saved segment."""
    kept = columns(r)
    if kept is None:
        return _count(r, query, filters)
    return _passing(kept.mask(r, filters), _matching(r, kept, query))


_ANY: frozenset[Any] = frozenset()


def _matching(r: Reader, kept: Columns, query: str) -> Mask | None:
    """What the typed text finds, whatever the filters; ``None``: nothing was typed, and everything is found."""
    import numpy as np

    expression = match_expression(query)
    if expression is None:
        return None
    matches: Mask = np.zeros(kept.size, dtype=bool)
    matches[matching(r, kept, query)] = True
    return matches


def _passing(mask: Mask, matches: Mask | None) -> int:
    return int((mask if matches is None else mask & matches).sum())


def _by_cell(kept: Columns, mask: Mask, matches: Mask | None) -> list[tuple[Cell, int]]:
    import numpy as np

    numbers = kept.cell[mask if matches is None else mask & matches]
    counts = np.bincount(numbers[numbers >= 0], minlength=len(kept.cells)).tolist()
    return [(cell, n) for cell, n in zip(kept.cells, counts, strict=False) if n]


def _by(counts: list[tuple[Cell, int]], filters: Filters, key: Callable[[Cell], Any]) -> tuple[tuple[Any, int], ...]:
    """Sums by what ``key`` says of a cell, the largest first."""
    sums: dict[Any, int] = {}
    for cell, n in counts:
        value = key(cell)
        if value is not None and cell.passes(filters):
            sums[value] = sums.get(value, 0) + n
    return tuple(sorted(sums.items(), key=lambda pair: (-pair[1], pair[0])))


def _named(r: Reader, counts: dict[bytes, int]) -> tuple[tuple[Id, str, int], ...]:
    names = r.conn.exec_driver_sql("SELECT id, name FROM sector ORDER BY code")
    return tuple((UUID(bytes=bytes(id_)), name, counts[bytes(id_)]) for id_, name in names if bytes(id_) in counts)


# ---- the same, plainly ---------------------------------------------------------------------------------------------


def plain_facets(r: Reader, query: str, filters: Filters) -> Facets:
    """What ``facets`` gives, counted by SQL alone: within a transaction, and for the tests."""
    return Facets(
        total=_count(r, query, filters),
        overdue=_count(r, query, replace(filters, overdue=True)),
        unmapped=_count(r, query, replace(filters, unmapped=True)),
        open_tasks=_count(r, query, replace(filters, open_tasks=True)),
        segments=_counts(r, query, replace(filters, segments=_ANY), "coalesce(o.segment, '')"),
        store_types=_counts(r, query, replace(filters, store_types=_ANY), "o.store_type"),
        states=_counts(r, query, replace(filters, states=_ANY), "o.state"),
        banners=_counts(r, query, replace(filters, banners=_ANY), "o.banner"),
        sectors=_sector_counts(r, query, replace(filters, sectors=_ANY)),
    )


def _restricted(r: Reader, text: str, filters: Filters) -> ListQuery:
    query = filtered(r, filters)
    restrict(query, text)
    return query


def _count(r: Reader, text: str, filters: Filters) -> int:
    query = _restricted(r, text, filters)
    return int(r.conn.exec_driver_sql(f"SELECT count(*) {query.source}", query.params).scalar_one())


def _counts(r: Reader, text: str, filters: Filters, column: str) -> tuple[tuple[str, int], ...]:
    query = _restricted(r, text, filters)
    sql = f"SELECT {column} AS value, count(*) AS n {query.source} GROUP BY 1 ORDER BY n DESC, 1"
    return tuple((value, n) for value, n in r.conn.exec_driver_sql(sql, query.params) if value is not None)


def _sector_counts(r: Reader, text: str, filters: Filters) -> tuple[tuple[Id, str, int], ...]:
    query = _restricted(r, text, filters)
    sql = f"SELECT o.sector_id, count(*) AS n {query.source} GROUP BY 1"
    return _named(r, {bytes(sector): n for sector, n in r.conn.exec_driver_sql(sql, query.params)})


def counters(r: Reader) -> tuple[int, int]:
    """All outlets on this device, and those that are not mapped: for the empty and the partial state.

    Two that were merged are one, as in every list.
    """
    row = r.conn.exec_driver_sql(
        "SELECT count(*), coalesce(sum(o.lat_e7 IS NULL OR o.lon_e7 IS NULL), 0) FROM outlet o "
        "WHERE o.rid NOT IN (SELECT m.rid FROM outlet_home a JOIN outlet m ON m.id = a.alias_id)"
    ).one()
    return int(row[0]), int(row[1])
