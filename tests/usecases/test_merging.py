"""Two outlets become one, and two again: nothing is moved, everything is found."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import insert, select, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store import outlets as stored
from fieldcrm.store import plans
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from fieldcrm.usecases import card, merging, undo
from fieldcrm.usecases import outlets as outlet_cases
from tests.world import ZONE, World, an_id


def write(db: Database, world: World, now: datetime, work: Callable[[Transaction], Any]) -> Any:
    return db.write(work, actor=world.manager, now=now).result().value


def visit(db: Database, world: World, outlet: Id, at: datetime) -> Id:
    id_ = new_id(at)
    write(db, world, at, lambda tx: tx.conn.execute(insert(T.visit).values(
        id=id_, outlet_id=outlet, person_id=world.manager.user_id, started_at=at, ended_at=at, zone=ZONE,
        position_source="none")))
    return id_


def outlet(db: Database, id_: Id) -> Any:
    with db.read() as reader:
        return reader.conn.execute(select(T.outlet).where(T.outlet.c.id == id_)).one()


def homes(db: Database) -> dict[Id, Id]:
    with db.read() as reader:
        return plans.aliases(reader)


def test_what_was_recorded_at_either_is_on_the_card_of_the_one_that_stays(
    db: Database, world: World, now: datetime
) -> None:
    keep, lose = world.outlets[1], world.outlets[0]
    visits = {visit(db, world, keep, now - timedelta(days=3)), visit(db, world, lose, now - timedelta(days=1))}
    write(db, world, now, lambda tx: merging.merge(tx, keep, lose))
    with db.read() as reader:
        shown = card.card(reader, lose, world.manager, now=now)
        assert shown.outlet.id == keep
        assert {line.visit.id for line in shown.visits} == visits
        assert [contact.name for contact in shown.contacts] == ["Mme Lefort"]
        assert merging.side(reader, keep).belongings.visits == 2
        found = outlet_cases.find(reader, "Halles", outlet_cases.Filters(now))
        assert found == []  # by the name of the one that went: it is not in lists any more


def test_the_one_that_stays_takes_what_it_did_not_know_with_its_origin(
    db: Database, world: World, now: datetime
) -> None:
    keep, lose = world.outlets[3], world.outlets[0]
    origin = {"source": "osm", "licence": "ODbL", "at": 1_700_000_000_000}
    write(db, world, now, lambda tx: tx.conn.execute(
        update(T.outlet).where(T.outlet.c.id == lose).values(provenance={"*": origin})))
    write(db, world, now, lambda tx: merging.merge(tx, keep, lose))
    row = outlet(db, keep)
    assert (row.name, row.street, row.lat_e7) == ("Chez Amélie", "Rue Montorgueil", 488_610_000)
    assert row.provenance["street"] == row.provenance["position"] == origin
    assert "name" not in row.provenance


def test_an_unmerge_gives_back_both_with_their_own_visits_and_values(db: Database, world: World, now: datetime) -> None:
    keep, lose = world.outlets[3], world.outlets[0]
    before = outlet(db, keep)
    mine, theirs = visit(db, world, keep, now), visit(db, world, lose, now)
    alias = write(db, world, now, lambda tx: merging.merge(tx, keep, lose, {"name", "street", "position"}))
    assert outlet(db, keep).name == "Épicerie des Halles"
    assert write(db, world, now, lambda tx: merging.unmerge(tx, alias)) == lose
    after = outlet(db, keep)
    assert {**after._mapping, "provenance": after.provenance or None} == dict(before._mapping)
    with db.read() as reader:
        for id_, expected in ((keep, mine), (lose, theirs)):
            assert [line.visit.id for line in card.card(reader, id_, world.manager, now=now).visits] == [expected]
    with pytest.raises(DomainError, match="merge_unknown"):
        db.write(lambda tx: merging.unmerge(tx, alias), actor=world.manager, now=now).result()


def test_what_was_changed_since_stays_when_a_merge_is_taken_apart(db: Database, world: World, now: datetime) -> None:
    keep, lose = world.outlets[1], world.outlets[0]
    alias = write(db, world, now, lambda tx: merging.merge(tx, keep, lose, {"name", "street"}))
    write(db, world, now, lambda tx: outlet_cases.edit_outlet(tx, keep, {"name": "Les Halles du Nil"}))
    write(db, world, now, lambda tx: merging.unmerge(tx, alias))
    assert (outlet(db, keep).name, outlet(db, keep).street) == ("Les Halles du Nil", "Rue du Nil")


def test_merges_of_merges_lead_to_the_last_and_come_apart_one_by_one(db: Database, world: World, now: datetime) -> None:
    a, b, c = world.outlets[:3]
    seen = visit(db, world, a, now)
    first = write(db, world, now, lambda tx: merging.merge(tx, b, a))
    second = write(db, world, now, lambda tx: merging.merge(tx, c, b))
    assert homes(db) == {a: c, b: c}
    with pytest.raises(DomainError, match="same_outlet"):
        db.write(lambda tx: merging.merge(tx, a, c), actor=world.manager, now=now).result()
    with db.read() as reader:
        assert merging.side(reader, c).belongings.visits == 1
        assert stored.same_outlets(reader, c) == tuple(sorted((c, *(a, b)), key=lambda i: (i != c, i.bytes)))
    write(db, world, now, lambda tx: merging.unmerge(tx, second))
    assert homes(db) == {a: b}
    write(db, world, now, lambda tx: merging.unmerge(tx, first))
    assert homes(db) == {}
    with db.read() as reader:
        assert [line.visit.id for line in card.card(reader, a, world.manager, now=now).visits] == [seen]


def test_undo_and_redo_take_a_merge_apart_and_put_it_together(db: Database, world: World, now: datetime) -> None:
    keep, lose = world.outlets[1], world.outlets[0]
    write(db, world, now, lambda tx: merging.merge(tx, keep, lose, {"name"}))
    assert write(db, world, now, undo.undo).label == "outlet.merged"
    assert homes(db) == {} and outlet(db, keep).name == "Superette du Marché"
    write(db, world, now, undo.redo)
    assert homes(db) == {lose: keep} and outlet(db, keep).name == "Épicerie des Halles"


def test_two_that_were_said_to_be_two_may_be_merged_after_all(
    db: Database, world: World, now: datetime
) -> None:
    one, other = world.outlets[:2]
    write(db, world, now, lambda tx: merging.tell_apart(tx, one, other))
    again = write(db, world, now, lambda tx: merging.tell_apart(tx, other, one))
    with db.read() as reader:
        assert reader.conn.execute(select(T.distinct_pair.c.id, T.distinct_pair.c.active)).all() == [(again, True)]
    assert write(db, world, now, undo.undo).label == "outlet.told_apart"
    write(db, world, now, lambda tx: merging.tell_apart(tx, one, other))
    write(db, world, now, lambda tx: merging.merge(tx, one, other))
    with db.read() as reader:
        assert reader.conn.execute(select(T.distinct_pair.c.active)).scalars().all() == [False]


def test_a_round_that_has_both_leaves_the_second_stop_out_until_they_are_two_again(
    db: Database, world: World, now: datetime
) -> None:
    keep, lose = world.outlets[:2]
    plan, stops = an_id("plan"), (an_id("stop-keep"), an_id("stop-lose"))

    def lay_out(tx: Transaction) -> None:
        tx.conn.execute(insert(T.plan).values(
            id=plan, person_id=world.manager.user_id, sector_id=world.sector, day=now.date() + timedelta(days=2)))
        for position, (stop, at) in enumerate(zip(stops, (keep, lose), strict=True)):
            tx.conn.execute(insert(T.plan_stop).values(
                id=stop, plan_id=plan, outlet_id=at, position=position, state="planned"))

    def states() -> list[tuple[str, str | None]]:
        with db.read() as reader:
            query = select(T.plan_stop.c.state, T.plan_stop.c.skip_reason).order_by(T.plan_stop.c.position)
            return [tuple(row) for row in reader.conn.execute(query)]  # type: ignore[misc]

    write(db, world, now, lay_out)
    alias = write(db, world, now, lambda tx: merging.merge(tx, keep, lose))
    assert states() == [("planned", None), ("skipped", "merged")]
    write(db, world, now, lambda tx: merging.unmerge(tx, alias))
    assert states() == [("planned", None), ("planned", None)]


def test_a_rep_may_neither_merge_nor_take_apart_nor_tell_apart(db: Database, world: World, now: datetime) -> None:
    one, other = world.outlets[:2]
    alias = write(db, world, now, lambda tx: merging.merge(tx, one, other))
    for work in (
        lambda tx: merging.merge(tx, one, world.outlets[2]), lambda tx: merging.unmerge(tx, alias),
        lambda tx: merging.tell_apart(tx, one, world.outlets[2]),
    ):
        with pytest.raises(DomainError, match="duplicates_not_yours"):
            db.write(work, actor=world.rep, now=now).result()


def follow(edges: list[tuple[int, int]]) -> dict[int, int]:
    """Where each outlet is found, told without SQL: the newest edge of each holds, of a ring the newest does not."""
    newest = {goes: (at, stays) for at, (goes, stays) in enumerate(edges) if goes != stays}
    dead = set()
    for start in newest:
        path, here = [], start
        while here in newest and here not in path:
            path.append(here)
            here = newest[here][1]
        if here == start:
            dead.add(max(path, key=lambda one: newest[one][0]))
    holds = {goes: stays for goes, (_, stays) in newest.items() if goes not in dead}

    def home(one: int) -> int:
        while one in holds:
            one = holds[one]
        return one

    return {one: home(one) for one in holds}


@settings(max_examples=40, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(edges=st.lists(st.tuples(st.integers(0, 5), st.integers(0, 5)), max_size=9), order=st.randoms())
def test_merges_that_come_in_any_order_lead_to_one_place_on_every_device(
    db: Database, world: World, now: datetime, edges: list[tuple[int, int]], order: Any
) -> None:
    ids = [an_id(f"ring-{n}") for n in range(6)]
    rows = [
        {"id": Id(int=(0x0190_0000_0000_7000_8000 << 48) + n), "alias_id": ids[goes],
         "outlet_id": ids[stays], "active": True, "rev": 1}
        for n, (goes, stays) in enumerate(edges)
    ]
    shuffled = list(rows)
    order.shuffle(shuffled)

    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.exec_driver_sql("DELETE FROM outlet_alias")
            for row in shuffled:
                tx.conn.execute(insert(T.outlet_alias).values(**row))

    write(db, world, now, work)
    assert homes(db) == {ids[one]: ids[home] for one, home in follow(edges).items()}
    write(db, world, now, lambda tx: tx.conn.execute(update(T.outlet_alias).values(active=False)))
    assert homes(db) == {}
