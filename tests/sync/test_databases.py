"""T1 and T24 on both databases: many writers at once, a poller that never misses a row, and no lock to wait behind."""

from __future__ import annotations

import random
import sqlite3
import threading
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path
from uuid import UUID

import pytest
from sqlalchemy import create_engine, text
from sqlalchemy.pool import NullPool

from sync.protocol import SyncRequest
from sync.server import guard
from sync.server.database import open_database, reading
from sync.server.ports import Caller, Change
from sync.server.store import RecordStore
from tests import postgres
from tests.sync.conftest import ANA, BEN
from tests.sync.small import ORG, START, Device, Server

WRITERS, WRITES, ROWS = 6, 12, 5


@pytest.fixture(scope="module")
def postgres_cluster() -> Iterator[str]:
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres.cluster() as address:
        yield address


@pytest.fixture(params=["sqlite", "postgresql"])
def server(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[Server]:
    if request.param == "sqlite":
        made = Server(tmp_path)
        yield made
        made.engine.dispose()
        return
    with postgres.fresh_database(request.getfixturevalue("postgres_cluster")) as address:
        made = Server(tmp_path, address.replace("postgresql://", "postgresql+psycopg://"))
        yield made
        made.engine.dispose()


def race(server: Server, slow: Callable[[], None]) -> tuple[int, int]:
    """Many writers whose commits take their time, and a poller: rows written, and rows that reached the poller."""
    server.sectors = {ANA: {"A"}}
    number = server.add_device(ANA)
    server.sync.hooks = replace(server.sync.hooks, on_applied=lambda *_: slow())  # after the rows, before the commit
    done = threading.Event()
    received: set[str] = set()
    cursors: dict[str, int] = {}

    def write(writer: int) -> None:
        for turn in range(WRITES):
            ids = [UUID(int=(writer + 1) << 32 | turn << 16 | n) for n in range(ROWS)]
            server.write(*(Change("shop", id, {"name": "n", "sector": "A"}) for id in ids))

    def poll() -> None:
        request = SyncRequest(1, 1, 1, number, 1, None, dict(cursors), [], 5000)
        pull = server.sync.sync(Caller(ORG, ANA, "rep", number), request, now=START).pull
        assert pull is not None and not pull.more
        for page in pull.pages:
            received.update(row[0] for rows in page.put.values() for row in rows)
        cursors.update(dict.fromkeys(pull.buckets, pull.upto))

    def keep_polling() -> None:
        while not done.is_set():
            poll()

    with ThreadPoolExecutor(WRITERS + 1) as pool:
        poller = pool.submit(keep_polling)
        for future in [pool.submit(write, writer) for writer in range(WRITERS)]:
            future.result()
        done.set()
        poller.result()
    poll()
    return WRITERS * WRITES * ROWS, len(received)


def now_and_then() -> None:
    time.sleep(random.choice((0, 0, 0.01)))


def test_t1_a_poller_receives_every_row_while_many_write_and_commit_slowly(server: Server) -> None:
    written, received = race(server, now_and_then)
    assert received == written


def test_t1_a_counter_whose_lock_is_let_go_before_the_commit_loses_rows(
    postgres_cluster: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The naive cursor, kept here to prove that the race above would catch it: what the trap looks like."""

    def naive(self: RecordStore, epoch_floor: int) -> int:
        with others.begin() as other:
            rev = guard.next_rev(other, self.tables.org_rev, self.org, epoch_floor)
        passing = text("SELECT set_config('fieldcrm.rev', :value, true)")  # the database would refuse it otherwise
        self.connection.execute(passing, {"value": f"{self.org}/{rev}"})
        return rev

    with postgres.fresh_database(postgres_cluster) as plain:
        address = plain.replace("postgresql://", "postgresql+psycopg://")
        others = create_engine(address, poolclass=NullPool)
        monkeypatch.setattr(RecordStore, "next_rev", naive)
        server = Server(tmp_path, address)
        written, received = race(server, now_and_then)
        server.engine.dispose()
    assert received < written


def test_devices_that_push_at_the_same_moment_all_get_through_once(
    server: Server, tmp_path: Path, client_file: Path
) -> None:
    server.sectors = {ANA: {"A"}, BEN: {"A"}}
    people = enumerate([ANA, BEN] * 2)
    devices = [Device(server, user, tmp_path / f"{n}.db", template=client_file) for n, user in people]
    shop = UUID(int=5)
    devices[0].captured(("INSERT INTO shop (id, name, sector, stock) VALUES (?, 'x', 'A', 0)", (shop.bytes,)))
    for device in devices:
        device.sync()
    for turn in range(5):
        for device in devices:
            held = device.shop(shop)
            assert held is not None
            device.edit(shop, stock=held["stock"] + 1)
        with ThreadPoolExecutor(len(devices)) as pool:
            assert all(pool.map(Device.try_sync, devices)), turn
    for device in devices:
        device.sync()
        device.assert_settled()
    assert server.rows("shop")[shop]["stock"] == 5 * len(devices)
    for device in devices:
        device.engine.dispose()


def test_both_databases_keep_ids_times_and_scope_alike(server: Server, tmp_path: Path, client_file: Path) -> None:
    server.sectors = {ANA: {"A"}, BEN: {"B"}}
    ana = Device(server, ANA, tmp_path / "ana.db", template=client_file)
    ben = Device(server, BEN, tmp_path / "ben.db", template=client_file)
    ana.add_shop(UUID(int=7), "Here")
    ana.edit(UUID(int=7), custom={"é": [1, None]}, tags=["b", "a"], seen=2**53)
    ana.add_report(UUID(int=8), UUID(int=7), "words")
    ana.sync(), ben.sync()
    assert ben.rows() == {}
    server.write(Change("shop", UUID(int=7), {"sector": "B"}))
    ana.sync(), ben.sync()
    ana.assert_settled()
    ben.assert_settled()
    shop = ben.shop(UUID(int=7))
    assert shop is not None and (shop["custom"], shop["tags"], shop["seen"]) == ('{"é":[1,null]}', '["a","b"]', 2**53)
    ana.engine.dispose()
    ben.engine.dispose()


def test_a_file_that_another_is_writing_is_opened_once_it_is_done(tmp_path: Path) -> None:
    path = tmp_path / "server.sqlite"
    other = sqlite3.connect(path, isolation_level=None, check_same_thread=False)
    other.execute("CREATE TABLE note (words TEXT)")
    other.execute("BEGIN IMMEDIATE")  # in the old way of journalling: nobody can switch to a log meanwhile
    other.execute("INSERT INTO note VALUES ('kept')")
    done = threading.Timer(0.3, other.execute, ("COMMIT",))
    done.start()
    engine = open_database(f"sqlite:///{path}")
    with reading(engine) as connection:
        assert connection.exec_driver_sql("SELECT words FROM note").scalar_one() == "kept"
        assert connection.exec_driver_sql("PRAGMA journal_mode").scalar_one() == "wal"
    engine.dispose()
    done.join()
    other.close()
