"""A device made anew from its journal has what was imported on it, before it has spoken to headquarters."""

from __future__ import annotations

from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import select, update

from fieldcrm.store import journal_rescue
from fieldcrm.store.database import Database
from fieldcrm.store.tables import T
from fieldcrm.usecases import importing
from tests.conftest import KEY, NOW
from tests.imports.feeds import Clock, Lines, store
from tests.imports.test_importing import run
from tests.world import World, build_world


@pytest.fixture
def world() -> World:
    return build_world()


def rows(db: Database, table: str) -> dict[UUID, dict[str, object]]:
    with db.read() as r:
        found = [dict(row._mapping) for row in r.conn.execute(select(getattr(T, table)))]
    return {row["id"]: {name: row[name] for name in row if name != "rid"} for row in found}


def test_a_rescued_device_shows_the_outlets_of_its_imports(db: Database, world: World, tmp_path: Path) -> None:
    run(db, world, Lines([store(n) for n in range(300)]))
    gone = run(db, world, Lines([store(n) for n in range(50)], source="autre"))
    assert gone.batch_id is not None
    importing.undo_import(db, gone.batch_id, actor=world.manager, clock=Clock())
    first = next(iter(rows(db, "outlet_source").values()))["outlet_id"]
    edited = update(T.outlet).where(T.outlet.c.id == first).values(phone="+33 1")
    db.write(lambda tx: tx.conn.execute(edited), actor=world.manager, now=NOW).result()
    mine = {name: rows(db, name) for name in ("outlet", "outlet_source", "import_batch")}
    folder = db.folder
    db.close()
    found = journal_rescue.look(folder, KEY)
    assert not found.damage
    anew = Database.open(tmp_path / "anew", KEY, now=NOW)
    try:
        anew.write(lambda tx: journal_rescue.rebuild(tx, found), actor=world.manager, now=NOW).result()
        known = set(mine["outlet_source"])
        assert rows(anew, "outlet_source") == mine["outlet_source"]
        made = {id_: row for id_, row in mine["outlet"].items() if row["rev"] == 0}
        assert rows(anew, "outlet") == made
        assert (len(known), len(made)) == (300, 300)
        assert rows(anew, "import_batch") == mine["import_batch"]
        with anew.read() as r:
            waiting = "SELECT count(*) FROM outbox WHERE kind = 'cmd' AND json_valid(\"set\") AND \"set\" <> '{}'"
            assert r.conn.exec_driver_sql(waiting).scalar_one() > 2
    finally:
        anew.close()
