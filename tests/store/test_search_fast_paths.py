"""What a search keeps in memory is never believed over the database: any filters, any text, any writes in between."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import delete, insert, update

from fieldcrm.domain.ids import new_id
from fieldcrm.store import facets, search
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.search import Asked, Filters, Near, Sort
from fieldcrm.store.searchcolumns import columns
from fieldcrm.store.tables import T
from tests.world import an_id

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
WORDS = ("Carrefour", "Épicerie", "Marché", "Œuf", "Halles", "Saint-Jean", "Lion", "Lyon", "Market", "d'Or", "City")
BANNERS = (None, "Carrefour", "Spar", "Système U")
TYPED = (
    "", "c", "car", "carrefour", "carrefour ly", "epi", "œuf", "oeuf", "marche halles", "st jean", "lyon", "spar",
    "7500", "rue", "a'", "-", "carrefour city", "CITY", "ŒUF", "zz", "or", "système",
)  # fmt: skip
DAY = timedelta(days=1)


@st.composite
def a_filter(draw: st.DrawFn) -> Filters:
    pick = lambda *values: frozenset(draw(st.sets(st.sampled_from(values), max_size=2)))  # noqa: E731
    near = st.builds(Near, st.integers(488_400_000, 488_900_000), st.integers(23_000_000, 23_900_000),
                     st.sampled_from((300, 2_000, 40_000)))  # fmt: skip
    corner = st.tuples(st.integers(488_400_000, 488_900_000), st.integers(23_000_000, 23_900_000))
    return Filters(
        MIDNIGHT,
        overdue=draw(st.booleans()) and draw(st.booleans()),
        unmapped=draw(st.sampled_from((False, False, False, True))),
        open_tasks=draw(st.sampled_from((False, False, False, True))),
        segments=pick("a", "b", ""),
        store_types=pick("supermarket", "convenience"),
        states=draw(st.sampled_from((frozenset({"active", "prospect"}), frozenset(), frozenset({"closed"})))),
        banners=pick("Carrefour", "Spar"),
        sectors=draw(st.sampled_from((frozenset(), frozenset(), frozenset({an_id("sector-1")})))),
        distributors=draw(st.sampled_from((frozenset(), frozenset(), frozenset({"Metro"})))),
        unconfirmed_days=draw(st.sampled_from((None, None, 30))),
        never_confirmed=draw(st.sampled_from((False, False, False, True))),
        unvisited_days=draw(st.sampled_from((None, None, 20))),
        custom=draw(st.sampled_from((frozenset(), frozenset(), frozenset({("fridge", True), ("shelf", "Left")})))),
        near=draw(st.one_of(st.none(), st.none(), near)),
        polygon=draw(st.one_of(st.none(), st.none(), st.lists(corner, min_size=3, max_size=6).map(tuple))),
    )


def an_outlet(pick: Any, id_: UUID) -> dict[str, Any]:
    mapped = pick.random() < 0.8
    confirmed = MIDNIGHT - pick.randint(0, 60) * DAY if pick.random() < 0.6 else None
    return {
        "id": id_,
        "name": " ".join(pick.choice(WORDS) for _ in range(pick.randint(1, 3))),
        "banner": pick.choice(BANNERS),
        "street": f"rue {pick.choice(WORDS)}",
        "city": pick.choice(("Lyon", "Évry", "Œuilly", None)),
        "postcode": pick.choice(("75001", "69003", None)),
        "store_type": pick.choice(("supermarket", "convenience", None)),
        "segment": pick.choice(("a", "b", "", None)),
        "state": pick.choice(("active", "prospect", "closed")),
        "sector_id": pick.choice((an_id("sector-1"), an_id("sector-2"))),
        "zone": "Europe/Paris",
        "distributor": pick.choice((None, "Metro")),
        "lat_e7": pick.randint(488_400_000, 488_900_000) if mapped else None,
        "lon_e7": pick.randint(23_000_000, 23_900_000) if mapped else None,
        "visit_interval_days": pick.choice((None, 14, 30)),
        "confirmed_at": confirmed,
        "custom": pick.choice(({}, {"fridge": True, "shelf": "left"}, {"fridge": False})),
    }


def a_visit(pick: Any, outlet: UUID, person: UUID) -> dict[str, Any]:
    at = MIDNIGHT - pick.randint(0, 40) * DAY
    return {"id": new_id(at), "outlet_id": outlet, "person_id": person, "started_at": at, "zone": "Europe/Paris",
            "position_source": "none"}  # fmt: skip


def write_something(pick: Any, tx: Transaction, outlets: list[UUID], world: Any) -> None:
    """One of the writes that a day brings."""
    what, one = pick.randint(0, 7), pick.choice(outlets)
    if what == 0:
        outlets.append(new_id(MIDNIGHT))
        tx.conn.execute(insert(T.outlet).values(**an_outlet(pick, outlets[-1])))
    elif what in (1, 2):
        values = an_outlet(pick, one)
        del values["id"]
        some = dict(pick.sample(sorted(values.items()), pick.randint(1, 5)))
        if {"lat_e7", "lon_e7"} & set(some):
            some |= {name: values[name] for name in ("lat_e7", "lon_e7")}
        tx.conn.execute(update(T.outlet).where(T.outlet.c.id == one).values(**some))
    elif what == 3:
        tx.conn.execute(insert(T.visit).values(**a_visit(pick, one, world.rep.user_id)))
    elif what == 4:
        alias = {"id": new_id(MIDNIGHT), "outlet_id": outlets[0], "alias_id": outlets[-1], "active": True}
        if len(outlets) > 2 and outlets[0] != outlets[-1]:
            tx.conn.execute(insert(T.outlet_alias).values(**alias))
    elif what == 5:
        task = {"id": new_id(MIDNIGHT), "outlet_id": one, "kind": "task", "title": "x", "state": "open"}
        tx.conn.execute(insert(T.task).values(**task))
    elif what == 6 and len(outlets) > 6:
        gone = outlets.pop(pick.randint(1, len(outlets) - 2))
        tx.conn.execute(delete(T.outlet).where(T.outlet.c.id == gone))
    else:
        tx.conn.execute(update(T.task).values(state="kept"))


@pytest.fixture
def filled(db: Database, world: Any, monkeypatch: pytest.MonkeyPatch) -> tuple[Database, Any]:
    monkeypatch.setattr(search, "FEW", search.FEW)
    return db, world


@settings(max_examples=10, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.randoms(use_true_random=False), st.data())
def test_a_search_finds_what_the_plain_query_finds_whatever_was_written(
    filled: tuple[Database, Any], pick: Any, data: st.DataObject
) -> None:
    db, world = filled
    outlets = [new_id(MIDNIGHT) for _ in range(12)]

    def begin(tx: Transaction) -> None:
        for table in (T.task, T.visit, T.outlet_alias, T.outlet):
            tx.conn.execute(delete(table))
        tx.conn.execute(insert(T.outlet), [an_outlet(pick, id_) for id_ in outlets])
        tx.conn.execute(insert(T.visit), [a_visit(pick, id_, world.rep.user_id) for id_ in outlets[:4]])

    db.write(begin, actor=world.rep, now=MIDNIGHT).result()
    for _ in range(4):
        asked = Asked(
            data.draw(st.sampled_from(TYPED)),
            data.draw(a_filter()),
            data.draw(st.sampled_from(list(Sort))),
            data.draw(st.booleans()),
            data.draw(st.sampled_from((None, Near(488_600_000, 23_400_000)))),
            data.draw(st.sampled_from((frozenset(), frozenset({an_id("sector-1")})))),
            exact=True,
        )
        search.FEW = data.draw(st.sampled_from((0, 500)))  # both ways to put what was found in order
        with db.read() as r:
            found = search.search(r, asked).rids.tolist()
            assert found == search.plain(r, asked)
            first = search.search(r, asked, first=True)
            assert found[: len(first.rids)] == first.rids.tolist()
            counts = facets.facets(r, asked.query, asked.filters)
            assert counts == facets.plain_facets(r, asked.query, asked.filters)
            assert facets.count(r, asked.query, asked.filters) == counts.total == len(found)
        db.write(lambda tx: write_something(pick, tx, outlets, world), actor=world.rep, now=MIDNIGHT).result()


@pytest.fixture
def crowd(db: Database, world: Any, now: datetime) -> Iterator[Any]:
    """Three hundred of a kind: more than a first answer holds."""

    def work(tx: Transaction) -> None:
        common = {"sector_id": world.sector, "zone": "Europe/Paris", "state": "active", "store_type": "supermarket"}
        tx.conn.execute(
            insert(T.outlet),
            [
                {"id": new_id(now), "name": f"{name} {n:03d}", "city": "Lyon", "street": "rue Bleue", "lat_e7":
                 457_000_000 + n * 9_000, "lon_e7": 48_000_000, **common}
                for n in range(300)
                for name in ("Carrefour", "Spar")
            ],
        )  # fmt: skip

    db.write(work, actor=world.rep, now=now).result()
    with db.read() as r:
        search.prepare(r)
        yield r


@pytest.mark.parametrize("typed", ["c", "carrefour", "lyon", "lyon carrefour", "rue bleue", "carefour", "bleu spar"])
@pytest.mark.parametrize("here", [None, Near(458_500_000, 48_100_000)])
def test_the_first_answer_is_the_beginning_of_the_whole(crowd: Any, typed: str, here: Near | None) -> None:
    asked = Asked(typed, Filters(MIDNIGHT), here=here)
    first, whole = search.search(crowd, asked, first=True), search.search(crowd, asked)
    assert search.PAGE <= len(first.rids) <= len(whole.rids) and whole.whole
    assert whole.rids[: len(first.rids)].tolist() == first.rids.tolist()


def test_the_nearest_come_first_among_equals_and_ones_own_sectors_before_them(crowd: Any, world: Any) -> None:
    here = Near(457_000_000 + 150 * 9_000, 48_000_000)
    names = _names(crowd, search.search(crowd, Asked("carrefour", Filters(MIDNIGHT), here=here)).rids[:3].tolist())
    assert names[0] == "Carrefour 150" and set(names) == {"Carrefour 149", "Carrefour 150", "Carrefour 151"}
    asked = Asked("station", Filters(MIDNIGHT), here=here, mine=frozenset({world.other_sector}))
    assert _names(crowd, search.search(crowd, asked).rids.tolist()) == ["Station du Pont"]


def _names(r: Any, rids: list[int]) -> list[str]:
    by_rid = dict(r.conn.exec_driver_sql("SELECT rid, name FROM outlet").all())
    return [by_rid[rid] for rid in rids]


def test_a_reader_of_before_a_write_does_not_spoil_what_later_ones_see(db: Database, world: Any, now: datetime) -> None:
    with db.read() as old:
        before = search.ids(old, "", Filters(MIDNIGHT))
        name = update(T.outlet).where(T.outlet.c.id == world.outlets[0]).values(name="Zanzibar")
        db.write(lambda tx: tx.conn.execute(name), actor=world.rep, now=now).result()
        assert search.ids(old, "", Filters(MIDNIGHT)) == before
        with db.read() as fresh:
            assert search.ids(fresh, "", Filters(MIDNIGHT))[-1] == before[1]
        search.ids(old, "epicerie", Filters(MIDNIGHT))
    with db.read() as r:
        assert search.ids(r, "zanzi", Filters(MIDNIGHT)) == [before[1]]
        assert search.ids(r, "epicerie", Filters(MIDNIGHT)) == []


def test_a_transaction_sees_its_own_writes(db: Database, world: Any, now: datetime) -> None:
    def work(tx: Transaction) -> list[int]:
        tx.conn.execute(update(T.outlet).where(T.outlet.c.id == world.outlets[0]).values(name="Zanzibar"))
        return search.ids(tx, "zanzibar", Filters(MIDNIGHT))

    assert len(db.write(work, actor=world.rep, now=now).result().value) == 1
    with db.read() as r:
        assert columns(r) is not None and len(search.ids(r, "zanzibar", Filters(MIDNIGHT))) == 1
