"""Today: the day is planned, changed by hand, worked through, and always says why."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import insert, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from fieldcrm.usecases.plans import make_plan, prepare, solve_day, visit_windows
from fieldcrm.usecases.stops import add_stop, move_stop, pin_stop, price_of_move, remove_stop, skip_stop, unskip_stop
from fieldcrm.usecases.today import StopState, Today, other_outlets, today
from fieldcrm.usecases.undo import undo
from fieldcrm.usecases.visits import discard, start_visit
from tests.world import ZONE, World, an_id

DAY = date(2026, 11, 20)  # a Friday


def write(db: Database, world: World, now: datetime, work: Any) -> Any:
    return db.write(work, actor=world.rep, now=now).result().value


def shown(db: Database, world: World, day: date = DAY) -> Today:
    with db.read() as r:
        return today(r, world.rep, day)


@pytest.fixture
def planned(db: Database, world: World, now: datetime) -> Today:
    """More stores in the sector, then a plan."""

    def more(tx: Transaction) -> None:
        with tx.uncaptured():
            for i in range(6):
                tx.conn.execute(insert(T.outlet).values(
                    id=an_id(f"more-{i}"), name=f"Magasin {i}", store_type="convenience", sector_id=world.sector,
                    lat_e7=488_500_000 + i * 40_000, lon_e7=23_300_000 + i * 55_000, zone=ZONE, state="active",
                    country="FR", opening_hours="Mo-Sa 08:00-20:00", visit_interval_days=28, visit_minutes=25,
                    segment="c", rev=1,
                ))

    write(db, world, now, more)
    write(db, world, now, lambda tx: make_plan(tx, DAY))
    return shown(db, world)


def test_a_day_without_a_plan_is_empty(db: Database, world: World) -> None:
    empty = shown(db, world)
    assert (empty.plan_id, empty.rows, empty.total, empty.next) == (None, (), 0, None)


def test_the_plan_has_stops_in_order_with_times_reasons_and_distance(planned: Today, world: World) -> None:
    assert planned.total == 9  # every store with a position is due: none was ever visited
    assert [row.number for row in planned.rows] == list(range(1, 10))
    assert all(row.reasons[0]["code"] == "never_visited" for row in planned.rows)
    times = [row.arrive for row in planned.rows]
    assert times == sorted(times) and times[0] is not None and times[0] >= 8 * 60 + 30
    assert planned.rows[0].state is StopState.NEXT
    assert all(row.distance_m for row in planned.rows[1:])
    assert {left.reason for left in planned.left_out} == {"no_position"}
    assert world.outlets[3] in {left.outlet_id for left in planned.left_out}


def test_planning_twice_gives_the_same_order(db: Database, world: World, planned: Today, now: datetime) -> None:
    write(db, world, now, lambda tx: make_plan(tx, DAY))
    again = shown(db, world)
    assert [row.outlet_id for row in again.rows] == [row.outlet_id for row in planned.rows]
    assert again.plan_id == planned.plan_id


def test_stores_seen_lately_are_left_out_until_their_day(db: Database, world: World, now: datetime) -> None:
    seen = datetime(2026, 11, 14, 9, 0, tzinfo=UTC)
    write(db, world, now, lambda tx: tx.conn.execute(insert(T.visit).values(
        id=new_id(now), outlet_id=world.outlets[0], person_id=world.rep.user_id, started_at=seen,
        ended_at=seen + timedelta(minutes=30), zone=ZONE, position_source="none",
    )))
    write(db, world, now, lambda tx: make_plan(tx, DAY))
    day = shown(db, world)
    assert world.outlets[0] not in {row.outlet_id for row in day.rows}
    left = next(left for left in day.left_out if left.outlet_id == world.outlets[0])
    assert (left.reason, left.params) == ("not_due", {"until": "2026-12-12"})


def test_a_promise_that_falls_due_brings_a_store_in_as_the_first_reason(
    db: Database, world: World, now: datetime
) -> None:
    write(db, world, now, lambda tx: tx.conn.execute(insert(T.task).values(
        id=new_id(now), outlet_id=world.outlets[1], kind="promise", title="Display at the till", due=DAY, state="open",
    )))
    write(db, world, now, lambda tx: make_plan(tx, DAY))
    row = next(row for row in shown(db, world).rows if row.outlet_id == world.outlets[1])
    assert [reason["code"] for reason in row.reasons] == ["promise_due", "never_visited"]


def test_what_was_out_of_stock_twice_and_what_is_missing_are_reasons(
    db: Database, world: World, now: datetime
) -> None:
    def observe(tx: Transaction) -> None:
        for weeks, first, second in ((4, "oos", "present"), (3, "oos", "absent")):
            at = now - timedelta(weeks=weeks)
            submission = new_id(at)
            for line, (product, state) in enumerate(((world.products[2], first), (world.products[4], second))):
                tx.conn.execute(insert(T.observation).values(
                    submission_id=submission, line=line, visit_id=an_id(f"v{weeks}"), outlet_id=world.outlets[0],
                    product_id=product, observed_at=at, state=state, basis="observed", current=True,
                ))
            tx.conn.execute(insert(T.visit).values(
                id=an_id(f"v{weeks}"), outlet_id=world.outlets[0], person_id=world.rep.user_id, started_at=at,
                zone=ZONE, position_source="none",
            ))

    write(db, world, now, observe)
    write(db, world, now, lambda tx: make_plan(tx, DAY))
    row = next(row for row in shown(db, world).rows if row.outlet_id == world.outlets[0])
    assert [(r["code"], r["params"]) for r in row.reasons] == [
        ("out_of_stock_again", {"product": "Produit 03", "times": 2, "others": 0}), ("missing_codes", {"n": 1}),
        ("due_soon", {"days": 7}),
    ]


def test_a_move_costs_what_was_said_and_can_be_taken_back(
    db: Database, world: World, planned: Today, now: datetime
) -> None:
    stop = planned.rows[0].stop_id
    assert stop is not None
    with db.read() as r:
        said = price_of_move(r, stop, 8)
    done = write(db, world, now, lambda tx: move_stop(tx, stop, 8))
    assert done == said and said.minutes != 0
    moved = shown(db, world)
    assert [row.stop_id for row in moved.rows] == [*(row.stop_id for row in planned.rows[1:]), stop]
    assert [row.arrive for row in moved.rows] == sorted(row.arrive or 0 for row in moved.rows)
    write(db, world, now + timedelta(seconds=1), undo)
    assert [row.stop_id for row in shown(db, world).rows] == [row.stop_id for row in planned.rows]


def test_a_move_to_where_it_stands_costs_nothing(db: Database, planned: Today) -> None:
    stop = planned.rows[2].stop_id
    assert stop is not None
    with db.read() as r:
        assert price_of_move(r, stop, 2).minutes == 0


def test_a_skip_needs_a_reason_sinks_to_the_end_and_is_counted(
    db: Database, world: World, planned: Today, now: datetime
) -> None:
    stop = planned.rows[1].stop_id
    assert stop is not None
    with pytest.raises(DomainError, match="skip_reason_missing"):
        write(db, world, now, lambda tx: skip_stop(tx, stop, ""))
    write(db, world, now, lambda tx: skip_stop(tx, stop, "closed"))
    day = shown(db, world)
    assert (day.rows[-1].stop_id, day.rows[-1].state, day.rows[-1].skip_reason) == (stop, StopState.SKIPPED, "closed")
    assert (day.done, day.skipped, day.total) == (0, 1, 9)
    with pytest.raises(DomainError, match="stop_not_open"):
        write(db, world, now, lambda tx: skip_stop(tx, stop, "closed"))
    write(db, world, now, lambda tx: unskip_stop(tx, stop))
    assert shown(db, world).skipped == 0


def test_a_visit_makes_its_stop_done_and_an_unplanned_one_a_row_of_its_own(
    db: Database, world: World, planned: Today, now: datetime
) -> None:
    first = planned.rows[0]

    def work(tx: Transaction) -> None:
        for outlet, stop in ((first.outlet_id, first.stop_id), (world.outlets[3], None)):
            tx.conn.execute(insert(T.visit).values(
                id=new_id(now), outlet_id=outlet, person_id=world.rep.user_id, stop_id=stop, started_at=now,
                ended_at=now + timedelta(minutes=20), zone=ZONE, position_source="none",
            ))
        tx.conn.execute(update(T.plan_stop).where(T.plan_stop.c.id == first.stop_id).values(state="done"))

    write(db, world, now, work)
    day = shown(db, world)
    assert (day.done, day.total, day.unplanned) == (1, 9, 1)
    assert [row.state for row in day.rows[-2:]] == [StopState.DONE, StopState.DONE]
    assert day.rows[-1].outlet_id == world.outlets[3] and day.rows[-1].arrive == 10 * 60
    assert day.next is not None and day.next.stop_id == planned.rows[1].stop_id
    # Planned anew, what is done stays and is not planned again.
    write(db, world, now, lambda tx: make_plan(tx, DAY))
    again = shown(db, world)
    assert again.done == 1 and again.total == 9
    assert len({row.outlet_id for row in again.rows}) == 10


def test_an_unplanned_visit_that_was_begun_stays_in_sight_until_it_is_sent(
    db: Database, world: World, planned: Today, now: datetime
) -> None:
    draft = write(db, world, now, lambda tx: start_visit(tx, world.outlets[3]))
    day = shown(db, world)
    last = [row for row in day.rows if row.open][-1]
    assert (last.outlet_id, last.state, last.draft_id) == (world.outlets[3], StopState.STARTED, draft)
    assert day.next is not None and day.next.stop_id == planned.rows[0].stop_id
    assert world.outlets[3] not in {left.outlet_id for left in day.left_out}
    assert all(row.draft_id is None for row in shown(db, world, DAY - timedelta(days=1)).rows)
    write(db, world, now, lambda tx: discard(tx, draft))
    assert shown(db, world).unplanned == 0


def test_a_store_is_added_where_it_costs_least_and_taken_off_again(
    db: Database, world: World, planned: Today, now: datetime
) -> None:
    stop, price = write(db, world, now, lambda tx: add_stop(tx, DAY, world.outlets[3]))
    day = shown(db, world)
    assert day.total == 10 and price.minutes > 0
    assert world.outlets[3] not in {left.outlet_id for left in day.left_out}
    with pytest.raises(DomainError, match="stop_already_planned"):
        write(db, world, now, lambda tx: add_stop(tx, DAY, world.outlets[3]))
    write(db, world, now, lambda tx: remove_stop(tx, stop))
    assert shown(db, world).total == 9


def test_a_pinned_stop_stays_when_the_day_is_planned_anew(db: Database, world: World, now: datetime) -> None:
    stop, _ = write(db, world, now, lambda tx: add_stop(tx, DAY, world.outlets[0]))
    write(db, world, now, lambda tx: pin_stop(tx, stop, True))
    write(db, world, now, lambda tx: make_plan(tx, DAY))
    row = next(row for row in shown(db, world).rows if row.outlet_id == world.outlets[0])
    assert row.pinned


def test_a_store_closed_that_day_is_not_planned_and_says_so(db: Database, world: World, now: datetime) -> None:
    sunday = date(2026, 11, 22)
    write(db, world, now, lambda tx: make_plan(tx, sunday))
    day = shown(db, world, sunday)
    assert day.rows == ()
    assert "closed_today" in {left.reason for left in day.left_out}


def test_usual_hours_stand_in_where_none_are_known(db: Database, world: World) -> None:
    with db.read() as r:
        problem = prepare(r, world.rep, DAY)
        plan = solve_day(problem)
    outlet = problem.outlets[0]
    assert visit_windows(outlet, DAY) == ((8 * 3600 + 1800, 12 * 3600 + 1800), (14 * 3600, 19 * 3600 + 1800))
    assert plan.schedule.fits


def test_the_rest_of_the_sector_is_for_the_map(db: Database, world: World, planned: Today) -> None:
    with db.read() as r:
        others = other_outlets(r, world.rep, [row.outlet_id for row in planned.rows[:4]])
    assert len(others) == planned.total - 4


def test_nobody_without_a_sector_is_planned(db: Database, world: World, now: datetime) -> None:
    from dataclasses import replace

    nobody = replace(world.rep, sectors=frozenset())
    with pytest.raises(DomainError, match="no_sector"), db.read() as r:
        prepare(r, nobody, DAY)
