"""A process that is killed in the middle of an import: the next start takes out what it left."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from fieldcrm.store.database import Database
from fieldcrm.usecases import importing
from fieldcrm.usecases.importing import Defaults
from tests.conftest import KEY, NOW
from tests.imports.feeds import Clock, Lines, store
from tests.imports.test_importing import check_indexes, count, everything, run
from tests.world import World, build_world

_VICTIM = """
import os, sys
from pathlib import Path
from fieldcrm.store.database import Database
from tests.conftest import KEY, NOW
from tests.imports.feeds import Lines, store
from tests.imports.test_importing import run
from tests.world import build_world

db = Database.open(Path(sys.argv[1]), KEY, now=NOW)

def die(number):
    if number == int(sys.argv[2]):
        with db.read() as r:
            print(r.conn.exec_driver_sql("SELECT count(*) FROM outlet_source").scalar_one(), flush=True)
        os._exit(9)

run(db, build_world(), Lines([store(n) for n in range(3_000)], at=die))
"""


@pytest.fixture
def world() -> World:
    return build_world()


def test_the_next_start_takes_out_what_a_killed_import_left(db: Database, world: World) -> None:
    before = everything(db)
    folder = db.folder
    db.close()
    call = [sys.executable, "-c", _VICTIM, str(folder), "2500"]
    victim = subprocess.run(call, capture_output=True, text=True, cwd=Path(__file__).parents[2])
    assert victim.returncode == 9, victim.stderr
    assert int(victim.stdout) > 0  # it had written some
    again = Database.open(folder, KEY, now=NOW)
    try:
        with again.read() as r:
            half = importing.interrupted(r)
        assert half is not None
        assert count(again, "outlet") > 5
        done = importing.take_out_interrupted(again, actor=world.manager, clock=Clock())
        assert done is not None
        assert done.removed == int(victim.stdout)
        assert everything(again) == before
        check_indexes(again)
        assert importing.take_out_interrupted(again, actor=world.manager, clock=Clock()) is None
        with again.read() as r:
            assert importing.interrupted(r) is None
            assert [(one.id, one.state) for one in importing.batches(r)] == [(half, "undone")]
        # And the journal has all of it: each operation once, in the order of its number.
        assert run(again, world, Lines([store(n) for n in range(10)])).added == 10
        assert again.journal.trouble is None
    finally:
        again.close()


def test_an_import_begun_after_a_crash_takes_out_what_was_left_first(db: Database, world: World) -> None:
    folder = db.folder
    db.close()
    call = [sys.executable, "-c", _VICTIM, str(folder), "1500"]
    assert subprocess.run(call, capture_output=True, cwd=Path(__file__).parents[2]).returncode == 9
    again = Database.open(folder, KEY, now=NOW)
    try:
        done = importing.run_import(
            again, Lines([store(n) for n in range(100)]), Defaults(world.sector), actor=world.manager, clock=Clock()
        )
        assert done.added == 100
        assert count(again, "outlet_source") == 100
    finally:
        again.close()
