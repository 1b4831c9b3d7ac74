"""An import on a device: all of it or nothing, and out again."""

from __future__ import annotations

from dataclasses import replace
from itertools import count as count_up
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import func, insert, select, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.domain.intake import Incoming, Refused
from fieldcrm.store import outbox
from fieldcrm.store.database import Database
from fieldcrm.store.tables import T
from fieldcrm.usecases import importing, outlets
from fieldcrm.usecases.importing import Defaults, Imported
from tests.conftest import NOW
from tests.imports.feeds import Clock, Lines, refused, store
from tests.world import World, build_world

TABLES = ("outlet", "outlet_source", "proposal", "sector_assignment")


@pytest.fixture
def world() -> World:
    return build_world()


def run(db: Database, world: World, feed: Lines, **more: Any) -> Imported:
    settled = {name: more.pop(name) for name in ("openings", "complete") if name in more}
    defaults = Defaults(world.sector, country="FR", **settled)
    return importing.run_import(db, feed, defaults, actor=world.manager, clock=Clock(), **more)


def count(db: Database, table: str) -> int:
    with db.read() as r:
        return int(r.conn.execute(select(func.count()).select_from(getattr(T, table))).scalar_one())


def everything(db: Database) -> dict[str, Any]:
    """What a person could see of the base: all rows of outlets and what came with them, and both indexes."""
    with db.read() as r:
        found: dict[str, Any] = {}
        for table in TABLES:
            found[table] = sorted(map(repr, r.conn.exec_driver_sql(f'SELECT * FROM "{table}"').all()))
        found["place"] = sorted(r.conn.exec_driver_sql("SELECT * FROM outlet_place").all())
        terms = "SELECT rowid FROM outlet_search WHERE outlet_search MATCH 'epicerie OR rue' ORDER BY 1"
        found["search"] = r.conn.exec_driver_sql(terms).all()
        return found


def check_indexes(db: Database) -> None:
    def work(tx: Any) -> None:
        tx.conn.exec_driver_sql("INSERT INTO outlet_search (outlet_search, rank) VALUES ('integrity-check', 1)")

    db.write(work, actor=build_world().manager, now=NOW).result()
    with db.read() as r:
        mapped = "SELECT count(*) FROM outlet WHERE lat_e7 IS NOT NULL AND lon_e7 IS NOT NULL"
        placed = "SELECT count(*) FROM outlet_place p JOIN outlet o ON o.rid = p.rid AND o.lat_e7 = p.min_lat"
        assert r.conn.exec_driver_sql(mapped).scalar_one() == r.conn.exec_driver_sql(placed).scalar_one()


def test_what_the_dry_run_says_is_what_the_import_does(db: Database, world: World) -> None:
    last = store(5), store(701, name=""), store(702, lat_e7=None, lon_e7=None)
    odd = [refused(702), *(replace(line, row=703 + at) for at, line in enumerate(last))]
    feed = Lines([*(store(n) for n in range(700)), *odd])
    before = everything(db)
    preview = importing.dry_run(db.read, feed, Defaults(world.sector))
    assert everything(db) == before
    assert (preview.rows, preview.new, preview.same, preview.changed) == (704, 701, 0, 0)
    assert (preview.refused, preview.repeated, preview.unmapped) == (3, 1, 1)
    assert preview.by_code == {"outlet_name_missing": 2, "reference_repeated": 1}
    heard: list[Refused] = []
    done = run(db, world, feed, on_refused=heard.append)
    assert (done.rows, done.added, done.refused, done.proposed) == (704, 701, 3, 0)
    assert [one.code for one in heard] == ["outlet_name_missing", "reference_repeated", "outlet_name_missing"]
    assert count(db, "outlet") == 5 + 701 == 5 + count(db, "outlet_source")
    check_indexes(db)
    again = importing.dry_run(db.read, feed, Defaults(world.sector))
    assert (again.new, again.same, again.known_source) == (0, 701, True)
    with db.read() as r:
        [batch] = importing.batches(r)
    assert (batch.added, batch.refused, batch.state, batch.file) == (701, 3, "live", "magasins.csv")


def test_an_undo_leaves_the_base_as_it_was(db: Database, world: World) -> None:
    before = everything(db)
    done = run(db, world, Lines([store(n) for n in range(900)]))
    assert done.batch_id is not None
    assert count(db, "outlet") == 905
    undone = importing.undo_import(db, done.batch_id, actor=world.manager, clock=Clock())
    assert (undone.removed, undone.kept) == (900, 0)
    assert everything(db) == before
    check_indexes(db)
    with pytest.raises(DomainError, match="import_undone"):
        importing.undo_import(db, done.batch_id, actor=world.manager, clock=Clock())


def test_a_cancelled_import_leaves_nothing(db: Database, world: World) -> None:
    before = everything(db)
    asked = count_up()
    done = run(db, world, Lines([store(n) for n in range(2_000)]), stopped=lambda: next(asked) > 3)
    assert done.stopped
    assert done.added == 0
    assert everything(db) == before
    check_indexes(db)
    with db.read() as r:
        assert importing.interrupted(r) is None
        assert [batch.state for batch in importing.batches(r)] == ["undone"]


def test_a_file_that_breaks_off_midway_leaves_nothing(db: Database, world: World) -> None:
    def tear(number: int) -> None:
        if number == 1_200:
            raise DomainError("file_damaged", file="magasins.csv")

    before = everything(db)
    with pytest.raises(DomainError, match="file_damaged"):
        run(db, world, Lines([store(n) for n in range(2_000)], at=tear))
    assert everything(db) == before
    with pytest.raises(DomainError, match="import_empty"):
        run(db, world, Lines([refused(2), refused(3)]))
    assert everything(db) == before


def test_what_a_person_adds_meanwhile_is_indexed_once_and_stays(db: Database, world: World) -> None:
    made: list[UUID] = []

    def meanwhile(number: int) -> None:
        if number in (400, 900):
            write = db.write(
                lambda tx: outlets.create_outlet(tx, {"name": f"Kiosque {number}", "sector_id": world.sector}),
                actor=world.manager, now=NOW,
            )  # fmt: skip
            made.append(write.result().value)

    done = run(db, world, Lines([store(n) for n in range(1_500)], at=meanwhile))
    check_indexes(db)
    with db.read() as r:
        hits = r.conn.exec_driver_sql("SELECT count(*) FROM outlet_search WHERE outlet_search MATCH 'kiosque'")
        assert hits.scalar_one() == len(made) == 2
    assert done.batch_id is not None
    importing.undo_import(db, done.batch_id, actor=world.manager, clock=Clock())
    with db.read() as r:
        for id_ in made:
            assert outlets.read(r, id_).name.startswith("Kiosque")


def test_an_undo_keeps_and_names_what_was_used_or_changed(db: Database, world: World) -> None:
    done = run(db, world, Lines([store(n) for n in range(60)]))
    with db.read() as r:
        ids = r.conn.execute(select(T.outlet_source.c.outlet_id).order_by(T.outlet_source.c.rid)).scalars().all()
    uses: dict[str, Any] = {
        "visit": insert(T.visit).values(
            id=new_id(NOW), outlet_id=ids[0], person_id=world.rep.user_id, started_at=NOW, zone="Europe/Paris",
            position_source="none"),
        "draft": insert(T.draft).values(
            id=new_id(NOW), visit_id=new_id(NOW), outlet_id=ids[1], form="f", form_version="1", started_at=NOW,
            zone="Europe/Paris", position_source="none", answers={}, updated_at=NOW),
        "task": insert(T.task).values(id=new_id(NOW), outlet_id=ids[2], kind="task", title="Appeler", state="open"),
        "contact": insert(T.contact).values(id=new_id(NOW), outlet_id=ids[3], name="Paul"),
        "plan": insert(T.plan_stop).values(
            id=new_id(NOW), plan_id=new_id(NOW), outlet_id=ids[4], position=1, state="planned"),
        "order": insert(T.sales_order).values(
            id=new_id(NOW), outlet_id=ids[5], person_id=world.rep.user_id, placed_at=NOW, lines=[], state="placed"),
        "alias": insert(T.outlet_alias).values(
            id=new_id(NOW), outlet_id=ids[6], alias_id=ids[7], active=True),
        "changed": update(T.outlet).where(T.outlet.c.id == ids[8]).values(custom={"cle": 1}),
    }  # fmt: skip
    for statement in uses.values():
        db.write(lambda tx, said=statement: tx.conn.execute(said), actor=world.rep, now=NOW).result()  # type: ignore[misc]
    assert done.batch_id is not None
    undone = importing.undo_import(db, done.batch_id, actor=world.manager, clock=Clock())
    assert (undone.removed, undone.kept) == (51, 9)
    with db.read() as r:
        kept = importing.kept_outlets(r, done.batch_id)
        [batch] = importing.batches(r)
    assert sorted(one.reason for one in kept) == sorted([*uses, "alias"])
    assert {one.outlet_id for one in kept} == set(ids[:9])
    assert all(one.name.startswith("Épicerie") for one in kept)
    assert batch.kept == 9


def test_only_a_manager_imports_and_only_for_sectors_of_theirs(db: Database, world: World) -> None:
    feed = Lines([store(1)])
    with pytest.raises(DomainError, match="import_needs_manager"):
        importing.run_import(db, feed, Defaults(world.sector), actor=world.rep, clock=Clock())
    with pytest.raises(DomainError, match="sector_not_yours"):
        importing.run_import(db, feed, Defaults(new_id(NOW)), actor=world.manager, clock=Clock())
    with pytest.raises(DomainError, match="zone_unknown"):
        importing.run_import(db, feed, Defaults(world.sector, zone="Mars/Phobos"), actor=world.manager, clock=Clock())
    heard: list[Refused] = []
    run(db, world, Lines([store(1), store(2, sector="S2"), store(3, sector="none")]), on_refused=heard.append)
    assert [(one.row, one.code) for one in heard] == [(5, "sector_not_yours")]
    with db.read() as r:
        placed = r.conn.execute(select(T.outlet.c.sector_id).where(T.outlet.c.name == "Épicerie 2")).scalar_one()
    assert placed == world.other_sector


def test_a_source_without_references_is_known_again_by_siret_or_by_name_and_place(db: Database, world: World) -> None:
    def bare(number: int, **values: Any) -> Incoming:
        line = store(number, **values)
        return replace(line, reference="")

    nowhere = {"lat_e7": None, "lon_e7": None}
    first = [bare(1, siret="39962626600387"), bare(2), bare(3, **nowhere)]
    assert run(db, world, Lines(first)).added == 3
    again = [bare(1, siret="39962626600387", name="Autre nom"), bare(2, lat_e7=480_000_000 + 2_000), bare(3, **nowhere)]
    preview = importing.dry_run(db.read, Lines(again), Defaults(world.sector, country="FR"))
    assert (preview.new, preview.changed, preview.same, preview.refused) == (0, 1, 2, 0)  # 22 m is no move
    assert {name for one in preview.sample_changed for name in one.fields} == {"name"}


def test_the_sync_centre_says_an_import_in_one_line(db: Database, world: World) -> None:
    run(db, world, Lines([store(n) for n in range(3_000)]))
    with db.read() as r:
        waiting = outbox.waiting(r, world.manager.user_id)
        changes = outbox.pending_changes(r)
        transactions = r.conn.exec_driver_sql("SELECT count(DISTINCT tx) FROM outbox").scalar_one()
    assert [(one.label, one.count) for one in changes] == [("outlet.import", transactions)]
    assert (waiting.transactions, waiting.changes) == (1, 1)
    assert changes[0].size > 100_000
