from __future__ import annotations

import json
import threading
from datetime import datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import delete, insert, select, update
from sqlalchemy.exc import IntegrityError, OperationalError

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import DATABASE_NAME, Database, Transaction
from fieldcrm.store.state import read_state, write_state
from fieldcrm.store.tables import T
from tests.conftest import KEY, NOW

REP = Actor(uuid4(), Role.REP)


def add_outlet(tx: Transaction, name: str = "Café Éclair", **values: object) -> object:
    outlet = uuid4()
    row = {"id": outlet, "name": name, "sector_id": uuid4(), "zone": "Europe/Paris", "state": "active", **values}
    tx.conn.execute(insert(T.outlet).values(row))
    return outlet


def operations(db: Database) -> list[tuple[int, str, dict[str, object], dict[str, object]]]:
    with db.read() as r:
        rows = r.conn.execute(select(T.outbox.c.n, T.outbox.c.kind, T.outbox.c["set"], T.outbox.c.was))
        return [(n, kind, json.loads(set_), json.loads(was)) for n, kind, set_, was in rows]


def test_the_file_is_encrypted_and_a_wrong_key_is_refused(db: Database) -> None:
    db.write(add_outlet, actor=REP, now=NOW).result()
    content = b"".join(path.read_bytes() for path in db.folder.glob(DATABASE_NAME + "*"))
    assert b"SQLite format" not in content
    assert "Éclair".encode() not in content
    with pytest.raises(DomainError, match="key_wrong"):
        Database.open(db.folder, b"?" * 32, now=NOW)


def test_every_kind_of_field_is_captured_with_what_changed_only(db: Database) -> None:
    outlet = db.write(
        lambda tx: add_outlet(tx, custom={"é": 1}, confirmed_at=NOW, lat_e7=601_000_000, lon_e7=249_000_000),
        actor=REP,
        now=NOW,
    ).result()
    changed = update(T.outlet).where(T.outlet.c.id == outlet.value)
    db.write(lambda tx: tx.conn.execute(changed.values(phone="+33 1", name="Café Éclair")), actor=REP, now=NOW).result()
    db.write(
        lambda tx: tx.conn.execute(delete(T.outlet).where(T.outlet.c.id == outlet.value)), actor=REP, now=NOW
    ).result()

    (_, created, first, _), (_, edited, second, before), (_, removed, third, whole) = operations(db)
    assert (created, edited, removed) == ("new", "upd", "del")
    assert first["custom"] == {"é": 1}
    assert first["confirmed_at"] == int(NOW.timestamp() * 1000)
    assert first["lat_e7"] == 601_000_000
    assert (second, before) == ({"phone": "+33 1"}, {"phone": None})
    assert third == {}
    assert whole["phone"] == "+33 1"


def test_operation_numbers_have_no_hole_after_a_rollback(db: Database) -> None:
    def fails(tx: Transaction) -> None:
        add_outlet(tx)
        raise DomainError("refused")

    db.write(add_outlet, actor=REP, now=NOW).result()
    with pytest.raises(DomainError, match="refused"):
        db.write(fails, actor=REP, now=NOW).result()
    db.write(add_outlet, actor=REP, now=NOW).result()
    assert [n for n, *_ in operations(db)] == [1, 2]


def test_rows_from_the_server_and_local_tables_are_not_captured(db: Database) -> None:
    def arrive(tx: Transaction) -> None:
        with tx.uncaptured():
            add_outlet(tx)
        write_state(tx, "language", "fr")

    db.write(arrive, actor=REP, now=NOW).result()
    assert operations(db) == []
    with db.read() as r:
        assert read_state(r, "language") == "fr"
        assert r.conn.execute(select(T.outbox_tx)).all() == []


def test_what_was_captured_is_what_the_screens_are_told(db: Database) -> None:
    written = db.write(add_outlet, actor=REP, now=NOW).result()
    assert written.changes.ids == {"outlet": frozenset({written.value})}


def test_a_write_under_way_sees_that_another_one_waits(db: Database) -> None:
    begun, go_on = threading.Event(), threading.Event()

    def long(tx: Transaction) -> tuple[bool, bool]:
        alone = not db.waited_for()
        begun.set()
        go_on.wait(10)
        return alone, db.waited_for()

    first = db.write(long, actor=REP, now=NOW)
    assert begun.wait(10)
    second = db.write(lambda tx: db.waited_for(), actor=REP, now=NOW)
    go_on.set()
    assert first.result().value == (True, True)
    assert second.result().value is False


def test_a_kind_touched_without_ids_is_touched_as_a_whole(db: Database) -> None:
    def arrive(tx: Transaction) -> object:
        tx.touch("outlet")
        return add_outlet(tx)

    changes = db.write(arrive, actor=REP, now=NOW).result().changes
    assert changes.touches_id("outlet", new_id(NOW)) and not changes.touches("visit")


def test_a_pending_change_keeps_the_servers_version_in_the_shadow(db: Database) -> None:
    def arrive(tx: Transaction) -> object:
        with tx.uncaptured():
            return add_outlet(tx, rev=7)

    outlet = db.write(arrive, actor=REP, now=NOW).result().value
    rename = update(T.outlet).where(T.outlet.c.id == outlet)
    for name in ("first", "second"):
        db.write(lambda tx, name=name: tx.conn.execute(rename.values(name=name)), actor=REP, now=NOW).result()
    with db.read() as r:
        ((number, record, rev, row),) = r.conn.execute(select(T.shadow)).all()
    assert (CATALOGUE.by_number[number].name, record, rev, row["name"]) == ("outlet", outlet, 7, "Café Éclair")


def test_search_folds_accents_and_follows_updates(db: Database) -> None:
    outlet = db.write(add_outlet, actor=REP, now=NOW).result().value

    def found(word: str) -> int:
        with db.read() as r:
            query = "SELECT count(*) FROM outlet_search WHERE outlet_search MATCH ?"
            return int(r.conn.exec_driver_sql(query, (word,)).scalar_one())

    assert found("eclair*") == 1
    rename = update(T.outlet).where(T.outlet.c.id == outlet).values(name="Le Zinc")
    db.write(lambda tx: tx.conn.execute(rename), actor=REP, now=NOW).result()
    assert (found("eclair*"), found("zinc")) == (0, 1)


def test_the_spatial_index_follows_a_moved_outlet_exactly(db: Database) -> None:
    outlet = db.write(lambda tx: add_outlet(tx, lat_e7=601_234_567, lon_e7=-1_799_999_999), actor=REP, now=NOW).result()
    move = update(T.outlet).where(T.outlet.c.id == outlet.value).values(lat_e7=-899_999_999)
    db.write(lambda tx: tx.conn.execute(move), actor=REP, now=NOW).result()
    with db.read() as r:
        place = r.conn.exec_driver_sql("SELECT min_lat, max_lat, min_lon, max_lon FROM outlet_place").one()
    assert tuple(place) == (-899_999_999, -899_999_999, -1_799_999_999, -1_799_999_999)


@pytest.mark.parametrize(
    "values", [{"lat_e7": 900_000_001}, {"state": "gone"}, {"zone": None}, {"visit_minutes": 0}, {"name": None}]
)
def test_the_catalogues_limits_hold_in_the_database(db: Database, values: dict[str, object]) -> None:
    with pytest.raises(IntegrityError):
        db.write(lambda tx: add_outlet(tx, **{"name": "x", **values}), actor=REP, now=NOW).result()


def test_a_reader_cannot_write(db: Database) -> None:
    with db.read() as r, pytest.raises(OperationalError, match="readonly"):
        r.conn.execute(insert(T.app_state).values(key="a", value=1))


def test_a_database_of_a_newer_program_is_refused_and_left_as_it_is(db: Database) -> None:
    db.write(lambda tx: tx.conn.exec_driver_sql("PRAGMA user_version = 999"), actor=REP, now=NOW).result()
    before = (db.folder / DATABASE_NAME).stat().st_size
    with pytest.raises(DomainError, match="database_newer") as refusal:
        Database.open(db.folder, KEY, now=NOW)
    assert refusal.value.params["found"] == 999
    assert (db.folder / DATABASE_NAME).stat().st_size == before


def test_a_copy_opens_with_the_same_key(db: Database, tmp_path: Path, now: datetime) -> None:
    db.write(add_outlet, actor=REP, now=now).result()
    copy = tmp_path / "copy"
    copy.mkdir()
    db.copy_to(copy / DATABASE_NAME)
    again = Database.open(copy, KEY, now=now + timedelta(days=1))
    with again.read() as r:
        assert r.conn.execute(select(T.outlet.c.name)).scalars().all() == ["Café Éclair"]
    again.close()


def test_a_damaged_file_gives_a_sentence_code_and_is_not_touched(tmp_path: Path) -> None:
    (tmp_path / DATABASE_NAME).write_bytes(b"this is not a database" * 400)
    with pytest.raises(DomainError, match="key_wrong"):
        Database.open(tmp_path, KEY, now=NOW)
    assert (tmp_path / DATABASE_NAME).read_bytes().startswith(b"this is not")
