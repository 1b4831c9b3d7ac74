"""An import on a device: all of it or nothing, and out again."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from sqlalchemy import func, select

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.intake import Refused
from fieldcrm.store.database import Database
from fieldcrm.store.tables import T
from fieldcrm.usecases import importing
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
