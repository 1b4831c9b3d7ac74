"""Outlets that come by a sync are indexed for search and map all at once, and as truly as one by one."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any
from uuid import UUID

import pytest

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.replica import indexed_in_bulk

ACTOR = Actor(UUID(int=1), Role.REP)
COLUMNS = "id, name, city, sector_id, zone, state, lat_e7, lon_e7, rev"


def put(tx: Transaction, number: int, name: str, lat: int | None = 450_000_000) -> None:
    values = (UUID(int=number).bytes, name, "Lyon", UUID(int=9).bytes, "UTC", "active", lat, 40_000_000, 1)
    tx.conn.exec_driver_sql(f"INSERT INTO outlet ({COLUMNS}) VALUES ({', '.join('?' * 9)})", values)


def remove(tx: Transaction, number: int) -> None:
    tx.conn.exec_driver_sql("DELETE FROM outlet WHERE id = ?", (UUID(int=number).bytes,))


def rename(tx: Transaction, number: int, name: str) -> None:
    statement = "UPDATE outlet SET name = ?, lat_e7 = 460000000 WHERE id = ?"
    tx.conn.exec_driver_sql(statement, (name, UUID(int=number).bytes))


def write(db: Database, now: datetime, work: Callable[[Transaction], None]) -> None:
    def in_bulk(tx: Transaction) -> None:
        with tx.uncaptured(), indexed_in_bulk(tx):
            work(tx)

    db.write(in_bulk, actor=ACTOR, now=now).result()


def found(db: Database, word: str) -> list[str]:
    query = "SELECT name FROM outlet WHERE rid IN (SELECT rowid FROM outlet_search WHERE outlet_search MATCH ?)"
    with db.read() as r:
        return sorted(name for (name,) in r.conn.exec_driver_sql(query, (word,)))


def check(db: Database, now: datetime) -> None:
    """The indexes say what the table says, and the next outlet is indexed at once again."""

    def work(tx: Transaction) -> None:
        tx.conn.exec_driver_sql("INSERT INTO outlet_search (outlet_search, rank) VALUES ('integrity-check', 1)")
        placed = "SELECT rid FROM outlet WHERE lat_e7 IS NOT NULL EXCEPT SELECT rid FROM outlet_place"
        assert tx.conn.exec_driver_sql(placed).all() == []
        strays = "SELECT rid FROM outlet_place EXCEPT SELECT rid FROM outlet WHERE lat_e7 IS NOT NULL"
        assert tx.conn.exec_driver_sql(strays).all() == []
        assert tx.conn.exec_driver_sql("SELECT after_rid FROM outlet_bulk").scalar_one() is None

    db.write(work, actor=ACTOR, now=now).result()


def test_new_outlets_are_found_after_a_bulk(db: Database, now: datetime) -> None:
    write(db, now, lambda tx: [put(tx, at, f"Shop {at}") for at in range(1, 50)] and None)
    assert found(db, "shop")[:2] == ["Shop 1", "Shop 10"] and len(found(db, "lyon")) == 49
    check(db, now)


def test_outlets_that_change_or_go_in_a_bulk_are_followed(db: Database, now: datetime) -> None:
    write(db, now, lambda tx: [put(tx, at, f"Shop {at}") for at in range(1, 6)] and None)

    def work(tx: Transaction) -> None:
        rename(tx, 1, "Old renamed")
        put(tx, 10, "Fresh")
        rename(tx, 10, "Fresh renamed")
        put(tx, 11, "Gone again")
        remove(tx, 11)
        remove(tx, 2)
        put(tx, 12, "Nowhere", lat=None)

    write(db, now, work)
    assert found(db, "renamed") == ["Fresh renamed", "Old renamed"]
    assert found(db, "gone") == [] and found(db, "nowhere") == ["Nowhere"]
    check(db, now)


def test_a_row_number_that_is_used_again_within_a_bulk_is_indexed(db: Database, now: datetime) -> None:
    write(db, now, lambda tx: put(tx, 1, "First"))

    def work(tx: Transaction) -> None:
        remove(tx, 1)
        put(tx, 2, "Second")  # takes the row number of the first

    write(db, now, work)
    assert found(db, "second") == ["Second"] and found(db, "first") == []
    check(db, now)


def test_a_bulk_that_fails_leaves_nothing_half_indexed(db: Database, now: datetime) -> None:
    def work(tx: Transaction) -> Any:
        put(tx, 1, "Never")
        raise RuntimeError("cut")

    with pytest.raises(RuntimeError):
        write(db, now, work)
    assert found(db, "never") == []
    check(db, now)
    db.write(lambda tx: put(tx, 2, "By hand"), actor=ACTOR, now=now).result()
    assert found(db, "hand") == ["By hand"]
    check(db, now)
