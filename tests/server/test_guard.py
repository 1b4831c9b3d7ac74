"""No row with a revision is written past the counter, whoever forgets it: the database itself refuses."""

from __future__ import annotations

from typing import Any

import pytest
from sqlalchemy import Connection, insert, select, update
from sqlalchemy.exc import DBAPIError

from fieldcrm.domain.ids import new_id
from sync.server import guard
from sync.server.guard import REFUSED
from sync.server.store import RecordStore
from tests.server.conftest import NOW, Company
from tests.server.statements import Listening


def store_of(company: Company, connection: Connection) -> RecordStore:
    server = company.hq.sync
    return RecordStore(connection, server.catalogue, server.tables, company.org)


def sector_row(company: Company, rev: int) -> dict[str, Any]:
    return {"org_id": company.org, "id": new_id(NOW), "code": "x", "name": "X", "rev": rev, "frev": {}}


def last_rev(company: Company, connection: Connection) -> int:
    table = company.hq.sync.tables.org_rev
    return int(connection.execute(select(table.c.last_rev).where(table.c.org_id == company.org)).scalar_one())


def test_every_table_with_a_revision_for_cursors_is_guarded(company: Company) -> None:
    tables = company.hq.sync.tables
    guarded = {table.name for table in guard.guarded(tables)}
    assert guarded == {*tables.records, "bucket_row"}
    with company.hq.engine.begin() as connection:
        assert guard.create(connection, tables) == 0, "they are made with the database"


def test_a_new_record_under_an_old_revision_is_refused(company: Company) -> None:
    table = company.hq.sync.tables.records["sector"]
    with pytest.raises(DBAPIError, match=REFUSED), company.hq.engine.begin() as connection:
        connection.execute(insert(table).values(sector_row(company, last_rev(company, connection))))


def test_a_change_that_keeps_the_revision_is_refused(company: Company) -> None:
    table = company.hq.sync.tables.records["outlet"]
    mine = update(table).where(table.c.org_id == company.org)
    with pytest.raises(DBAPIError, match=REFUSED), company.hq.engine.begin() as connection:
        connection.execute(mine.values(name="Changed behind the cursors"))
    with company.hq.engine.connect() as connection:
        names = connection.execute(select(table.c.name).where(table.c.org_id == company.org)).scalars().all()
    assert "Changed behind the cursors" not in names


def test_a_place_told_without_a_revision_is_refused(company: Company) -> None:
    table = company.hq.sync.tables.bucket_row
    with pytest.raises(DBAPIError, match=REFUSED), company.hq.engine.begin() as connection:
        rev = last_rev(company, connection) + 1
        row = {"org_id": company.org, "bucket": "org", "collection": 2, "id": new_id(NOW), "rev": rev, "entry": 1}
        connection.execute(insert(table).values(row))


def test_the_revision_of_another_organisation_is_refused(
    company: Company, rival: Company, listening: Listening
) -> None:
    table = company.hq.sync.tables.records["sector"]
    with pytest.raises(DBAPIError, match=REFUSED), company.hq.engine.begin() as connection:
        rev = store_of(rival, connection).next_rev(0)
        connection.execute(insert(table).values(sector_row(company, rev)))
    listening.faults.clear()  # it names two organisations on purpose


def test_the_revision_of_the_transaction_before_is_refused(company: Company) -> None:
    table = company.hq.sync.tables.records["sector"]
    with company.hq.engine.begin() as connection:
        store = store_of(company, connection)
        rev = store.next_rev(0)
        connection.execute(insert(table).values(sector_row(company, rev)))
        store.close_rev()
    with pytest.raises(DBAPIError, match=REFUSED), company.hq.engine.begin() as connection:
        connection.execute(insert(table).values(sector_row(company, rev)))


def test_after_it_is_closed_the_revision_lets_nothing_pass(company: Company) -> None:
    table = company.hq.sync.tables.records["sector"]
    with pytest.raises(DBAPIError, match=REFUSED), company.hq.engine.begin() as connection:
        store = store_of(company, connection)
        rev = store.next_rev(0)
        store.close_rev()
        connection.execute(insert(table).values(sector_row(company, rev)))


def test_a_write_that_was_taken_back_leaves_no_door_open(company: Company) -> None:
    table = company.hq.sync.tables.records["sector"]
    with company.hq.engine.connect() as connection, connection.begin() as transaction:
        rev = store_of(company, connection).next_rev(0)
        transaction.rollback()
    with pytest.raises(DBAPIError, match=REFUSED), company.hq.engine.begin() as connection:
        connection.execute(insert(table).values(sector_row(company, rev)))
