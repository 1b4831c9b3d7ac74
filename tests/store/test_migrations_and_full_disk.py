from __future__ import annotations

from datetime import timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import Connection, func, insert, select

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.errors import Unavailable
from fieldcrm.store import database, migrations
from fieldcrm.store.database import DATABASE_NAME, Database, Transaction
from fieldcrm.store.tables import SCHEMA_VERSION, T
from tests.conftest import KEY, NOW

REP = Actor(uuid4(), Role.REP)


def add_outlet(tx: Transaction) -> None:
    row = {"id": uuid4(), "name": "Café", "sector_id": uuid4(), "zone": "Europe/Paris", "state": "active"}
    tx.conn.execute(insert(T.outlet).values(row))


def _with_next_version(monkeypatch: pytest.MonkeyPatch, step: object) -> None:
    monkeypatch.setattr(migrations, "SCHEMA_VERSION", SCHEMA_VERSION + 1)
    monkeypatch.setattr(migrations, "STEPS", {SCHEMA_VERSION: step})


def test_an_upgrade_keeps_a_copy_of_the_database_before_it(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    db.write(add_outlet, actor=REP, now=NOW).result()
    db.close()

    def step(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE later (x INTEGER) STRICT")

    _with_next_version(monkeypatch, step)
    upgraded = Database.open(db.folder, KEY, now=NOW)
    with upgraded.read() as r:
        assert r.conn.exec_driver_sql("PRAGMA user_version").scalar_one() == SCHEMA_VERSION + 1
        assert r.conn.exec_driver_sql("SELECT count(*) FROM later").scalar_one() == 0
    upgraded.close()

    (copy,) = (db.folder / "before-migration").glob("*.db")
    monkeypatch.undo()
    kept = db.folder / "kept"
    kept.mkdir()
    copy.rename(kept / DATABASE_NAME)
    before = Database.open(kept, KEY, now=NOW)
    with before.read() as r:
        assert r.conn.execute(select(func.count()).select_from(T.outlet)).scalar_one() == 1
    before.close()


def test_a_step_that_fails_leaves_the_database_at_its_version(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    db.close()

    def step(connection: Connection) -> None:
        connection.exec_driver_sql("CREATE TABLE later (x INTEGER) STRICT")
        raise RuntimeError("the step fails half-way")

    _with_next_version(monkeypatch, step)
    with pytest.raises(RuntimeError, match="half-way"):
        Database.open(db.folder, KEY, now=NOW)
    monkeypatch.undo()
    again = Database.open(db.folder, KEY, now=NOW)
    with again.read() as r:
        names = r.conn.exec_driver_sql("SELECT name FROM sqlite_schema WHERE name = 'later'").all()
    again.close()
    assert names == []


def test_only_the_last_copies_are_kept(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    db.close()
    _with_next_version(monkeypatch, lambda connection: None)
    for hour in range(migrations.COPIES_KEPT + 2):
        opened = Database.open(db.folder, KEY, now=NOW + timedelta(hours=hour))
        opened.write(
            lambda tx: tx.conn.exec_driver_sql(f"PRAGMA user_version = {SCHEMA_VERSION}"), actor=REP, now=NOW
        ).result()
        opened.close()
    assert len(list((db.folder / "before-migration").glob("*.db"))) == migrations.COPIES_KEPT


def test_a_full_disk_is_said_and_what_was_there_stays(db: Database) -> None:
    db.write(add_outlet, actor=REP, now=NOW).result()

    def no_more_pages(tx: Transaction) -> None:
        pages = tx.conn.exec_driver_sql("PRAGMA page_count").scalar_one()
        tx.conn.exec_driver_sql(f"PRAGMA max_page_count = {pages}")

    db.write(no_more_pages, actor=REP, now=NOW).result()

    def fill(tx: Transaction) -> None:
        for _ in range(2000):
            add_outlet(tx)

    with pytest.raises(Unavailable, match="disk_full"):
        db.write(fill, actor=REP, now=NOW).result()
    with db.read() as r:
        assert r.conn.execute(select(func.count()).select_from(T.outlet)).scalar_one() == 1
        assert r.conn.execute(select(func.count()).select_from(T.outbox)).scalar_one() == 1


def test_a_folder_that_cannot_be_made_is_said(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way")
    with pytest.raises(Unavailable, match="disk_denied"):
        Database.open(tmp_path / "file" / "profile", KEY, now=NOW)


def test_the_cache_of_the_writer_is_large_enough_for_an_encrypted_file(db: Database) -> None:
    size = db.write(lambda tx: tx.conn.exec_driver_sql("PRAGMA cache_size").scalar_one(), actor=REP, now=NOW).result()
    assert size.value == -database.WRITER_CACHE_KIB


def test_a_database_of_the_first_release_gains_the_new_fields_and_captures_them(db: Database) -> None:
    gained = ("before", "by_id", "lost_at", "kept_at")

    def as_the_first_release_had_it(connection: Connection) -> None:
        connection.exec_driver_sql("DROP TABLE conflict")
        connection.exec_driver_sql(
            "CREATE TABLE conflict (rid INTEGER PRIMARY KEY, id BLOB NOT NULL UNIQUE, collection TEXT NOT NULL, "
            "record_id BLOB NOT NULL, field TEXT NOT NULL, kept TEXT, lost TEXT, person_id BLOB, state TEXT NOT NULL, "
            "outlet_id BLOB, at INTEGER, rev INTEGER NOT NULL DEFAULT 0) STRICT"
        )

    def work(tx: Transaction) -> list[str]:
        as_the_first_release_had_it(tx.conn)
        migrations.follow_catalogue(tx.conn)
        row = {"id": uuid4(), "collection": "outlet", "record_id": uuid4(), "field": "phone", "state": "open",
               "before": {"a": 1}}
        tx.conn.execute(insert(T.conflict).values(row))
        return [row[1] for row in tx.conn.exec_driver_sql("PRAGMA table_info(conflict)")]

    assert set(gained) <= set(db.write(work, actor=REP, now=NOW).result().value)
    with db.read() as r:
        captured = r.conn.execute(select(T.outbox.c.set)).scalar_one()
    assert '"before":{"a":1}' in captured
