"""What a list, its counts and the legend of its map say of the same outlets is the same, merges included."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, update

from fieldcrm.domain.ids import new_id
from fieldcrm.store import facets, outletrows, search
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.search import Asked, Filters, Sort
from fieldcrm.store.tables import T
from fieldcrm.usecases import merging, segments
from tests.world import ZONE, World, an_id


def write(db: Database, world: World, now: datetime, work: Any) -> Any:
    return db.write(work, actor=world.manager, now=now).result().value


def merge(db: Database, world: World, now: datetime, keep: UUID, lose: UUID) -> UUID:
    found: UUID = write(db, world, now, lambda tx: merging.merge(tx, keep, lose, ()))
    return found


@pytest.mark.parametrize("hours", [1, 11, 13, 23])
def test_the_legend_calls_late_what_the_filter_and_the_list_call_overdue(
    db: Database, world: World, now: datetime, hours: int
) -> None:
    """Also an outlet whose rhythm ended in the course of yesterday."""
    midnight = now.replace(hour=0)
    at = midnight - timedelta(days=28, hours=hours)

    def visits(tx: Transaction) -> None:
        for number, outlet in enumerate(world.outlets[:3]):
            when = at + timedelta(days=4 * number)
            tx.conn.execute(insert(T.visit).values(
                id=new_id(when), outlet_id=outlet, person_id=world.rep.user_id, started_at=when, ended_at=when,
                zone=ZONE, position_source="none"))

    write(db, world, now, visits)
    everything = Filters(midnight, states=frozenset())
    with db.read() as r:
        points = search.points(r, everything, colour="due")
        assert points.category is not None
        classes = {rid: points.categories[code] for rid, code in zip(points.rid.tolist(), points.category.tolist(),
                                                                     strict=True)}
        listed = outletrows.rows(r, sorted(classes), midnight=midnight)
        late = {row.rid for row in listed if row.due_days is not None and row.due_days > 0}
        assert {rid for rid, said in classes.items() if said == "late"} == late
        overdue = search.points(r, Filters(midnight, overdue=True, states=frozenset()))
        assert set(overdue.rid.tolist()) == late
        soon = {row.rid for row in listed if row.due_days is not None and -7 < row.due_days <= 0}
        assert {rid for rid, said in classes.items() if said == "soon"} == soon and soon


def test_a_closed_outlet_is_late_for_nothing(db: Database, world: World, now: datetime) -> None:
    shut = world.outlets[0]
    write(db, world, now, lambda tx: tx.conn.execute(
        update(T.outlet).where(T.outlet.c.id == shut).values(state="closed")))
    with db.read() as r:
        points = search.points(r, Filters(now, states=frozenset({"closed"})), colour="due")
    assert points.categories == ("none",)


def test_what_a_store_holds_counts_the_reports_of_all_that_were_merged_into_it(
    db: Database, world: World, now: datetime
) -> None:
    """Through two merges, each report once, and where it was again when both are taken apart."""
    first, second, last = world.outlets[:3]

    def reports(tx: Transaction) -> None:
        products = list(tx.conn.exec_driver_sql("SELECT id FROM product WHERE own ORDER BY id").scalars())
        for number, outlet in enumerate((first, second)):
            submission, visit = an_id(f"report-{number}"), an_id(f"visit-{number}")
            for line, state in enumerate(("present", "absent") if number else ("present",)):
                tx.conn.exec_driver_sql(
                    "INSERT INTO observation (submission_id, visit_id, outlet_id, product_id, line, state, "
                    "basis, observed_at, current) VALUES (?, ?, ?, ?, ?, ?, 'observed', ?, 1)",
                    (submission.bytes, visit.bytes, outlet.bytes, products[2 * number + line], line, state,
                     int(now.timestamp() * 1000)))

    write(db, world, now, reports)

    def held() -> dict[str, int]:
        with db.read() as r:
            points = search.points(r, Filters(now), colour="held")
            assert points.category is not None
            said = [points.categories[code] for code in points.category.tolist()]
            rows = outletrows.rows(r, points.rid.tolist(), midnight=now)
            return {row.name: value for row, value in zip(rows, said, strict=True)}

    before = held()
    assert (before["Épicerie des Halles"], before["Superette du Marché"], before["Hyper Ouest"]) == (
        "all", "half", "never")
    aliases = [merge(db, world, now, second, first), merge(db, world, now, last, second)]
    assert held()["Hyper Ouest"] == "half"  # two of three
    for alias in reversed(aliases):
        write(db, world, now, lambda tx, alias=alias: merging.unmerge(tx, alias))
    assert held() == before


@pytest.mark.parametrize("few", [True, False])
def test_the_order_by_promises_is_that_of_the_number_shown(
    db: Database, world: World, now: datetime, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not few:
        monkeypatch.setattr(search, "FEW", 0)
    a, b, c = world.outlets[:3]

    def tasks(tx: Transaction) -> None:
        for outlet, count in ((a, 3), (b, 1), (c, 2)):
            for _ in range(count):
                tx.conn.execute(insert(T.task).values(
                    id=new_id(now), outlet_id=outlet, kind="promise", title="Facing", state="open"))

    write(db, world, now, tasks)
    merge(db, world, now, b, a)
    with db.read() as r:
        found = search.search(r, Asked("", Filters(now), Sort.PROMISES, descending=True)).rids.tolist()
        counts = [row.open_tasks for row in outletrows.rows(r, found, midnight=now)]
        assert counts == sorted(counts, reverse=True)
        assert counts[:2] == [4, 2]
        assert found == search.plain(r, Asked("", Filters(now), Sort.PROMISES, descending=True))


def test_two_that_were_merged_are_one_outlet_on_this_device(db: Database, world: World, now: datetime) -> None:
    merge(db, world, now, world.outlets[0], world.outlets[3])
    with db.read() as r:
        total, unmapped = facets.counters(r)
        assert (total, unmapped) == (4, 0)
        assert total == facets.facets(r, "", Filters(now, states=frozenset())).total


@pytest.mark.parametrize("typed", ["oeu", "œu", "Œuvre d", "halles", "superete"])
def test_the_map_shows_what_the_list_finds(db: Database, world: World, now: datetime, typed: str) -> None:
    """Ligatures, which the list finds by the beginning of a name, and mistyped words, which a segment remembers."""
    write(db, world, now, lambda tx: tx.conn.execute(
        update(T.outlet).where(T.outlet.c.id == world.outlets[2]).values(name="Œuvre du Marais")))
    with db.read() as r:
        search.prepare(r)
        found = search.search(r, Asked(typed, Filters(now)))
        assert len(found.rids) == 1
        points = search.points(r, Filters(now), found.shown_for or typed)
        assert points.rid.tolist() == found.rids.tolist()
        segment = segments.Segment(new_id(now), "", typed, {}, world.manager.user_id, "", False)
        assert segments.count(r, segment, now) == 1


@pytest.mark.parametrize("few", [True, False])
def test_a_neighbour_beyond_the_180th_meridian_is_near(
    db: Database, world: World, now: datetime, few: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not few:
        monkeypatch.setattr(search, "FEW", 0)

    def move(tx: Transaction) -> None:
        for outlet, lon in zip(world.outlets[:3], (-1_799_500_000, 1_798_000_000, 0), strict=True):
            tx.conn.execute(update(T.outlet).where(T.outlet.c.id == outlet).values(lat_e7=-168_000_000, lon_e7=lon))

    write(db, world, now, move)
    here = search.Near(-168_000_000, 1_799_500_000)
    asked = Asked("", Filters(now), Sort.DISTANCE, here=here)
    with db.read() as r:
        found = search.search(r, asked).rids.tolist()
        assert found == search.plain(r, asked)
        rows = outletrows.rows(r, found, midnight=now, near=here)
    assert [row.name for row in rows[:2]] == ["Épicerie des Halles", "Superette du Marché"]
    assert rows[0].distance_m == pytest.approx(10_645, rel=0.001)


@pytest.mark.parametrize("few", [True, False])
@pytest.mark.parametrize("descending", [True, False])
def test_a_closed_outlet_has_no_next_visit_and_comes_last(
    db: Database, world: World, now: datetime, few: bool, descending: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    if not few:
        monkeypatch.setattr(search, "FEW", 0)
    write(db, world, now, lambda tx: tx.conn.execute(
        update(T.outlet).where(T.outlet.c.id == world.outlets[1]).values(state="closed", visit_interval_days=14)))
    asked = Asked("", Filters(now, states=frozenset()), Sort.DUE, descending)
    with db.read() as r:
        found = search.search(r, asked).rids.tolist()
        assert found == search.plain(r, asked)
        rows = outletrows.rows(r, found, midnight=now)
    assert [row.state for row in rows].index("closed") == len(rows) - 1 and rows[-1].due_days is None
