"""Search as a person types: what is found, in which order, and that no input is ever an error."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, update

from fieldcrm.domain.ids import new_id
from fieldcrm.store import facets, outletrows, search
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.search import Filters, Near, Sort
from fieldcrm.store.tables import T

MIDNIGHT = datetime(2026, 11, 20, 0, 0, tzinfo=UTC)
ALL = Filters(MIDNIGHT)


def names(r: Any, query: str, filters: Filters = ALL, sort: Sort = Sort.RELEVANCE, **more: Any) -> list[str]:
    found = search.ids(r, query, filters, sort, **more)
    return [row.name for row in outletrows.rows(r, found, midnight=MIDNIGHT)]


def write(db: Database, world: Any, work: Any, now: datetime) -> Any:
    return db.write(work, actor=world.rep, now=now).result().value


@pytest.fixture
def reader(db: Database, world: Any) -> Iterator[Any]:
    with db.read() as r:
        yield r


def test_nothing_typed_lists_everything_by_name_with_accents_in_their_place(reader: Any) -> None:
    assert names(reader, "") == [
        "Chez Amélie",
        "Épicerie des Halles",
        "Hyper Ouest",
        "Station du Pont",
        "Superette du Marché",
    ]


@pytest.mark.parametrize("typed", ["epicerie", "ÉPICERIE", "épi", "hal epi", "rue montorg", "7500 halles", "Épicerie"])
def test_accents_case_and_order_of_words_do_not_matter(reader: Any, typed: str) -> None:
    assert names(reader, typed)[0] == "Épicerie des Halles"


def test_a_word_in_the_name_comes_before_the_same_word_in_the_street(db: Database, world: Any, now: datetime) -> None:
    def work(tx: Transaction) -> None:
        common = {"sector_id": world.sector, "zone": "Europe/Paris", "state": "active"}
        tx.conn.execute(insert(T.outlet).values(id=new_id(now), name="Au bon pain", street="Rue Tilleul", **common))
        tx.conn.execute(insert(T.outlet).values(id=new_id(now), name="Tilleul", street="Rue du bas", **common))

    write(db, world, work, now)
    with db.read() as r:
        assert names(r, "tilleul") == ["Tilleul", "Au bon pain"]


def test_saint_is_found_by_its_short_form(db: Database, world: Any, now: datetime) -> None:
    common = {"sector_id": world.sector, "zone": "Europe/Paris", "state": "active", "city": "Saint-Étienne"}
    write(db, world, lambda tx: tx.conn.execute(insert(T.outlet).values(id=new_id(now), name="Vival", **common)), now)
    with db.read() as r:
        assert names(r, "st etienne") == ["Vival"]
        assert names(r, "St-Ét") == ["Vival"]


def test_a_change_is_found_by_a_reader_that_had_already_searched(db: Database, world: Any, now: datetime) -> None:
    with db.read() as r:
        assert names(r, "zanzibar") == []
        assert len(names(r, "")) == 5
    name = update(T.outlet).where(T.outlet.c.id == world.outlets[0]).values(name="Zanzibar", state="closed")
    write(db, world, lambda tx: tx.conn.execute(name), now)
    with db.read() as r:
        assert len(names(r, "")) == 4
        assert names(r, "zanzibar") == []
        assert names(r, "zanzibar", Filters(MIDNIGHT, states=frozenset({"closed"}))) == ["Zanzibar"]


def test_filters_meet_what_was_typed(reader: Any, world: Any) -> None:
    assert names(reader, "", Filters(MIDNIGHT, segments=frozenset({"a"}))) == ["Hyper Ouest"]
    assert names(reader, "", Filters(MIDNIGHT, sectors=frozenset({world.other_sector}))) == ["Station du Pont"]
    assert names(reader, "", Filters(MIDNIGHT, unmapped=True)) == ["Chez Amélie"]
    assert names(reader, "paris", Filters(MIDNIGHT, store_types=frozenset({"petrol"}))) == ["Station du Pont"]
    assert names(reader, "halles", Filters(MIDNIGHT, store_types=frozenset({"petrol"}))) == []


def test_near_me_is_a_disc_sorted_by_distance(reader: Any) -> None:
    near = Near(488_612_000, 23_461_000, 1_500)
    filters = Filters(MIDNIGHT, near=near)
    found = search.ids(reader, "", filters, Sort.DISTANCE)
    rows = outletrows.rows(reader, found, midnight=MIDNIGHT, near=near)
    assert [row.name for row in rows] == ["Épicerie des Halles", "Superette du Marché"]
    assert rows[0].distance_m is not None and rows[0].distance_m < 50
    assert rows[1].distance_m is not None and 300 < rows[1].distance_m < 700


def test_overdue_counts_whole_days_since_the_last_visit(db: Database, world: Any, now: datetime) -> None:
    def work(tx: Transaction) -> None:
        for outlet, days in ((0, 29), (1, 28), (2, 3)):
            tx.conn.execute(
                insert(T.visit).values(
                    id=new_id(now),
                    outlet_id=world.outlets[outlet],
                    person_id=world.rep.user_id,
                    zone="Europe/Paris",
                    position_source="none",
                    started_at=now - timedelta(days=days),
                )
            )

    write(db, world, work, now)
    with db.read() as r:
        overdue = names(r, "", Filters(MIDNIGHT, overdue=True))
        assert overdue == ["Chez Amélie", "Épicerie des Halles", "Station du Pont"]
        by_name = {row.name: row for row in outletrows.rows(r, search.ids(r, "", ALL), midnight=MIDNIGHT)}
        assert by_name["Épicerie des Halles"].due_days == 1
        assert by_name["Superette du Marché"].due_days == 0
        assert by_name["Hyper Ouest"].due_days == -25
        assert by_name["Chez Amélie"].due_days == 28
        assert names(r, "", sort=Sort.LAST_VISIT, descending=True)[0] == "Hyper Ouest"
        assert names(r, "", sort=Sort.DUE)[-1] == "Hyper Ouest"


def test_a_merged_outlet_is_found_as_the_one_that_stayed(db: Database, world: Any, now: datetime) -> None:
    def work(tx: Transaction) -> None:
        tx.conn.execute(
            insert(T.outlet_alias).values(
                id=new_id(now), outlet_id=world.outlets[0], alias_id=world.outlets[1], active=True
            )
        )
        tx.conn.execute(
            insert(T.visit).values(
                id=new_id(now),
                outlet_id=world.outlets[1],
                person_id=world.rep.user_id,
                zone="Europe/Paris",
                position_source="none",
                started_at=now - timedelta(days=2),
            )
        )

    write(db, world, work, now)
    with db.read() as r:
        assert "Superette du Marché" not in names(r, "")
        rows = outletrows.rows(r, search.ids(r, "epicerie", ALL), midnight=MIDNIGHT)
        assert rows[0].last_visit_at == now - timedelta(days=2)
        assert "Épicerie des Halles" not in names(r, "", Filters(MIDNIGHT, overdue=True))


def test_every_column_sorts_both_ways_and_loses_no_outlet(reader: Any) -> None:
    everything = sorted(search.ids(reader, "", ALL))
    for sort in Sort:
        for descending in (False, True):
            assert sorted(search.ids(reader, "", ALL, sort, descending=descending)) == everything
    assert names(reader, "", sort=Sort.CITY) == names(reader, "")
    assert names(reader, "", sort=Sort.BANNER)[-1] == "Chez Amélie"
    assert names(reader, "", sort=Sort.BANNER, descending=True)[-1] == "Chez Amélie"
    assert names(reader, "", sort=Sort.NAME, descending=True)[0] == "Superette du Marché"


def test_chips_count_what_they_would_leave(reader: Any, world: Any) -> None:
    counts = facets.facets(reader, "", ALL)
    assert (counts.total, counts.unmapped, counts.overdue) == (5, 1, 5)
    assert dict(counts.segments) == {"b": 4, "a": 1}
    assert [(name, n) for _, name, n in counts.sectors] == [("Paris centre", 4), ("Paris est", 1)]
    narrowed = facets.facets(reader, "hyper", Filters(MIDNIGHT, segments=frozenset({"b"})))
    assert narrowed.total == 0
    assert dict(narrowed.segments) == {"a": 1}


def test_rows_keep_the_order_asked_and_skip_what_is_gone(reader: Any) -> None:
    found = search.ids(reader, "", ALL)
    rows = outletrows.rows(reader, [found[2], 999_999, found[0]], midnight=MIDNIGHT)
    assert [row.rid for row in rows] == [found[2], found[0]]


FTS_SYNTAX = [
    '"',
    "'",
    "*",
    "^",
    "NEAR(a b)",
    "a AND",
    "OR",
    "NOT",
    "name:",
    "{name} :",
    "(",
    "a + b",
    "-a",
    "a\x00b",
    "🍕",
    "\ud800",
    "%",
    "_",
    ";--",
    "é\u0301",
    "‮abc",
    "AND AND",
    "a" * 5000,
    "١٢٣",
    "²",
]


@pytest.mark.parametrize("typed", FTS_SYNTAX)
def test_what_looks_like_syntax_is_only_text(reader: Any, typed: str) -> None:
    assert isinstance(search.ids(reader, typed, ALL), list)


@settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.one_of(st.text(max_size=60), st.lists(st.sampled_from(FTS_SYNTAX), max_size=5).map(" ".join)))
def test_no_typed_text_is_ever_an_error(reader: Any, typed: str) -> None:
    found = search.ids(reader, typed, ALL)
    assert len(found) == len(set(found)) <= 5


@settings(max_examples=100, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(st.sampled_from(["Épicerie des Halles", "Superette du Marché", "Hyper Ouest", "Station du Pont"]), st.data())
def test_every_beginning_of_a_name_finds_its_outlet(reader: Any, name: str, data: st.DataObject) -> None:
    end = data.draw(st.integers(1, len(name)))
    assert name in names(reader, name[:end])
