"""Finding outlets as a person types: ids in their order, by what was typed, by filters, and by the column asked for.

What is typed is asked of the full-text index. What passes the filters and the order of names are read by SQL once and
kept (``searchcolumns``), for they do not change while a person types. Ids are ``outlet.rid``, local row numbers.

The order of relevance: outlets whose name begins with the typed text, then those that have every word in their name
or banner, then the others; among these the person's own sectors first, then the nearest, then by name.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any

from fieldcrm.store.database import Reader
from fieldcrm.store.searchcolumns import NAME, NOWHERE, Columns, columns, numbers, ready
from fieldcrm.store.searchfilters import DAY_MS, Filters, Near
from fieldcrm.store.searchorders import Asked, Sort, metres, order, order_by
from fieldcrm.store.searchquery import ListQuery, filtered, point_params
from fieldcrm.store.searchspace import MATCHES, Points, nearest, points, restrict, within_box
from fieldcrm.store.searchtypos import meant, settled, vocabulary
from fieldcrm.store.searchwords import beginning_of, expression_of, match_expression, typed_words

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    Rids = npt.NDArray[np.int32]

__all__ = [
    "DAY_MS",
    "Asked",
    "Filters",
    "Found",
    "ListQuery",
    "Near",
    "Points",
    "Sort",
    "filtered",
    "ids",
    "match_expression",
    "matching",
    "nearest",
    "plain",
    "point_params",
    "points",
    "prepare",
    "restrict",
    "search",
    "within_box",
]

PAGE = 200  # ids that a first answer holds at least, when there are as many
FEW = 500  # outlets that are put in order one by one
BROAD = 20_000  # hits, of which only the first page is put in order while a person types
READINGS = 6  # of what was typed, tried at most


@dataclass(frozen=True, slots=True)
class Found:
    """Row numbers in their order. Not ``whole``: the first of them, to be shown until the rest is asked for.

    ``shown_for``: the text that was searched instead of the typed one, empty when it was as typed.
    """

    rids: Rids
    whole: bool = True
    shown_for: str = ""


def ids(r: Reader, query: str, filters: Filters, sort: Sort = Sort.RELEVANCE, *, descending: bool = False) -> list[int]:
    """Row numbers of all outlets that fit, in order."""
    found: list[int] = search(r, Asked(query, filters, sort, descending)).rids.tolist()
    return found


def prepare(r: Reader) -> None:
    """Read what a search keeps in memory, so that the first key finds it there: for a thread in the background."""
    kept = columns(r)
    known = vocabulary(r, fresh=True)
    if kept is not None and known is not None:
        for letter in dict.fromkeys(word[0] for word in known.words):  # each finds so much that it takes its time
            match = expression_of([settled(r, letter)])
            if known.count(letter) > BROAD:
                kept.having(r, str(match))
                kept.having(r, f"{{name banner}} : ({match})")


def search(r: Reader, asked: Asked, *, first: bool = False) -> Found:
    """All outlets that fit; with ``first`` perhaps only the first of them, at the speed of typing.

    When nothing is called as typed, the likeliest reading of it that finds something is taken.
    """
    words = typed_words(asked.query)
    if not words:
        return _unsearched(r, asked, first)
    kept = columns(r)
    if kept is None:
        return Found(_array(plain(r, asked)))
    found = _searched(r, kept, asked, words, first)
    if found is not None:
        return found
    for reading in _readings(r, asked, words):
        text = " ".join(reading)
        found = _searched(r, kept, replace(asked, query=text), reading, first)
        if found is not None:
            return replace(found, shown_for=text)
    return Found(_array([]))


def _readings(r: Reader, asked: Asked, words: list[str]) -> list[list[str]]:
    known = None if asked.exact else vocabulary(r)
    return meant(words, known)[:READINGS] if known is not None else []


# ---- nothing typed -------------------------------------------------------------------------------------------------


def _unsearched(r: Reader, asked: Asked, first: bool) -> Found:
    if first and asked.by_name and not ready(r):
        page = _ordered(r, asked, limit=PAGE)
        return Found(page, whole=len(page) < PAGE)
    kept = columns(r)
    if kept is None:
        return Found(_ordered(r, asked))
    mask = kept.mask(r, asked.filters)
    order = _order(r, kept, asked, mask)
    return Found(order[mask[order]])


def _order(r: Reader, kept: Columns, asked: Asked, mask: npt.NDArray[np.bool_]) -> Rids:
    """At least the outlets of ``mask``, in the order asked for."""
    import numpy as np

    if not asked.by_name and asked.sort is not Sort.DISTANCE and int(mask.sum()) <= FEW:
        return _sorted(r, asked, np.flatnonzero(mask).tolist())
    return order(r, kept, asked)


def _sorted(r: Reader, asked: Asked, rids: list[int]) -> Rids:
    query = ListQuery(few=True)
    query.only(rids)
    return _numbered(r, query, order_by(asked, query))


def _ordered(r: Reader, asked: Asked, *, limit: int = -1) -> Rids:
    """What passes the filters, in the order asked for, by one statement."""
    query = filtered(r, asked.filters)
    return _numbered(r, query, order_by(asked, query), limit)


def _numbered(r: Reader, query: ListQuery, order: str, limit: int = -1) -> Rids:
    sql = f"SELECT group_concat(rid) FROM (SELECT o.rid {query.source} ORDER BY {order} LIMIT {limit})"
    return numbers(r, sql, query.params)


# ---- something typed -----------------------------------------------------------------------------------------------

_NAMED, _CALLED, _ELSEWHERE = 0, 1, 2  # how well an outlet matches


def _searched(r: Reader, kept: Columns, asked: Asked, words: list[str], first: bool) -> Found | None:
    """``None`` when nothing is called like that, whatever the filters let through."""
    import numpy as np

    relevance = asked.sort is Sort.RELEVANCE
    mask = kept.mask(r, asked.filters)
    named = _named(r, kept, asked.query)
    if first and relevance:
        page = named[mask[named]]
        if len(page) >= PAGE:
            return Found(_ranked(kept, asked, page, None, None, PAGE), whole=False)
    called = _hits(r, kept, words, called=True) if relevance else None
    if first and called is not None:
        page = np.union1d(named, called)
        page = page[mask[page]]
        if len(page) >= PAGE:
            return Found(_ranked(kept, asked, page, named, None, PAGE), whole=False)
    everywhere = _everywhere(r, kept, words, named)
    if not len(everywhere):
        return None
    if relevance and first and len(everywhere) > BROAD:
        return Found(_ranked(kept, asked, everywhere[mask[everywhere]], named, called, PAGE), whole=False)
    if relevance:
        ranked = _ranked(kept, asked, everywhere[mask[everywhere]], named, called, None)
        return Found(ranked[::-1] if asked.descending else ranked)
    matches = np.zeros(kept.size, dtype=bool)
    matches[everywhere] = True
    matches &= mask
    order = _order(r, kept, asked, matches)
    return Found(order[matches[order]])


def _everywhere(r: Reader, kept: Columns, words: list[str], named: Rids) -> Rids:
    import numpy as np

    found = _hits(r, kept, words)
    return np.union1d(found, named) if len(named) else found


def matching(r: Reader, kept: Columns, query: str) -> Rids:
    """All outlets that a typed text finds as it is, whatever the filters let through."""
    return _everywhere(r, kept, typed_words(query), _named(r, kept, query))


def _hits(r: Reader, kept: Columns, words: list[str], *, called: bool = False) -> Rids:
    """What the index finds, in the order of row numbers; ``called``: with every word in the name or the banner.

    Asked word by word: of a text that is being typed all words but the last have been asked before.
    """
    import numpy as np

    found: npt.NDArray[np.bool_] | None = None
    for word in words:
        match = expression_of([settled(r, word)])
        having = kept.having(r, f"{{name banner}} : ({match})" if called else str(match))
        found = having if found is None else found & having
    return np.flatnonzero(found).astype(np.int32) if found is not None else kept.by_name[:0]


def _named(r: Reader, kept: Columns, query: str) -> Rids:
    """The outlets whose name begins with the typed text: a stretch of the order of names."""
    beginning = beginning_of(query)
    if not beginning:
        return kept.by_name[:0]
    low = _first_from(r, kept, beginning)
    return kept.by_name[low : _first_from(r, kept, beginning + "\U0010ffff")]


def _first_from(r: Reader, kept: Columns, text: str) -> int:
    """The place of the first name that is not before ``text``."""
    sql = f"SELECT o.rid FROM outlet o WHERE {NAME} >= ? ORDER BY {NAME}, o.rid LIMIT 1"
    rid = r.conn.exec_driver_sql(sql, (text,)).scalar_one_or_none()
    return len(kept.by_name) if rid is None or rid >= kept.size else int(kept.rank[rid])


def _ranked(
    kept: Columns, asked: Asked, found: Rids, named: Rids | None, called: Rids | None, most: int | None
) -> Rids:
    """``found`` by relevance, at most so many. Without ``named`` all are, without ``called`` all the others are."""
    import numpy as np

    match = np.full(len(found), _NAMED if named is None else _CALLED, dtype=np.int8)
    if called is not None:
        match[~_among(found, called, kept.size)] = _ELSEWHERE
    if named is not None:
        match[_among(found, named, kept.size)] = _NAMED
    if most is not None and named is not None:  # the best alone, when they fill the page
        enough = next((at for at in (_NAMED, _CALLED) if int((match <= at).sum()) >= most), _ELSEWHERE)
        found, match = found[match <= enough], match[match <= enough]
    key = match.astype(np.int64) << 1
    if asked.mine:
        own = {id_.bytes for id_ in asked.mine}
        mine = np.fromiter((cell.sector in own for cell in kept.cells), dtype=bool, count=len(kept.cells))
        key += ~np.append(mine, False)[kept.cell[found]]
    key <<= 26
    if asked.point is not None:
        key += metres(kept.lat[found], kept.lon[found], asked.point)
    key = (key << 32) + kept.rank[found]
    if most is not None and len(key) > 4 * most:
        first = np.argpartition(key, most)[:most]
        found, key = found[first], key[first]
    ordered: Rids = found[np.argsort(key)][:most]
    return ordered


def _among(found: Rids, others: Rids, size: int) -> npt.NDArray[np.bool_]:
    import numpy as np

    among = np.zeros(size, dtype=bool)
    among[others] = True
    answer: npt.NDArray[np.bool_] = among[found]
    return answer


def _array(rids: list[int]) -> Rids:
    import numpy as np

    return np.array(rids, dtype=np.int32)


# ---- the same, plainly ---------------------------------------------------------------------------------------------


def plain(r: Reader, asked: Asked) -> list[int]:
    """What ``search`` finds for exactly what was typed, by one statement over every outlet that passes.

    A transaction is answered so; and the tests ask for it beside ``search``.
    """
    words = typed_words(asked.query)
    if not words:
        found: list[int] = _ordered(r, asked).tolist()
        return found
    query = filtered(r, asked.filters)
    begins = restrict(query, asked.query)
    query.params["called"] = f"{{name banner}} : ({expression_of(words)})"
    ordered = order_by(asked, query)
    if asked.sort is not Sort.RELEVANCE:
        listed: list[int] = _numbered(r, query, ordered).tolist()
        return listed
    rows = r.conn.exec_driver_sql(
        f"SELECT o.rid, CASE WHEN {begins} THEN {_NAMED} WHEN {MATCHES.format('called')} THEN {_CALLED} "
        f"ELSE {_ELSEWHERE} END, o.sector_id, o.lat_e7, o.lon_e7 {query.source} ORDER BY {ordered}",
        query.params,
    ).all()
    own = {id_.bytes for id_ in asked.mine}
    keyed = [((row[1], bool(own) and bytes(row[2]) not in own, _away(row[3], row[4], asked.point)), row[0])
             for row in rows]  # fmt: skip
    ranked = [rid for _, rid in sorted(keyed, key=lambda pair: pair[0])]
    return ranked[::-1] if asked.descending else ranked


def _away(lat: Any, lon: Any, point: Near | None) -> int:
    if point is None:
        return 0
    known = lat is not None and lon is not None
    return int(metres(_array([lat if known else NOWHERE]), _array([lon if known else 0]), point)[0])
