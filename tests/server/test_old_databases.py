"""A database that an earlier server made is brought up to date as it is opened, whoever else opens it."""

from __future__ import annotations

import sqlite3
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import Column, Integer, MetaData, Table, Text, insert, inspect, select, text

from fieldcrm.domain.errors import DomainError
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import SCHEMA_VERSION, open_headquarters
from sync.server.database import open_database, reading
from sync.server.schema import SchemaNewer, bring_up_to_date
from tests import postgres
from tests.server.conftest import CHEAP, PASSWORD

OLD = Path(__file__).parents[1] / "old_databases"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(params=["sqlite", "postgresql"])
def old(request: pytest.FixtureRequest, tmp_path: Path) -> Iterator[tuple[Path, str | None]]:
    """The folder and the address of a server of schema 1."""
    folder = tmp_path / "server"
    folder.mkdir()
    script = (OLD / f"server-1.{request.param}.sql").read_text(encoding="utf-8")
    with ExitStack() as stack:
        address = None
        if request.param == "sqlite":
            with sqlite3.connect(folder / "server.sqlite") as made:
                made.executescript(script)
            made.close()
        else:
            import psycopg

            address = stack.enter_context(postgres.fresh_database(request.getfixturevalue("postgres_cluster")))
            with psycopg.connect(address, autocommit=True) as connection:
                connection.execute(script.encode())
        yield folder, address


def test_what_an_older_server_kept_is_there_after_the_upgrade_and_can_be_used(old: tuple[Path, str | None]) -> None:
    hq = open_headquarters(*old, now, hasher=CHEAP)
    try:
        org = accounts.organisation(hq, "verne")
        counts = accounts.counts(hq, org)
        assert (counts["outlet"], counts["visit"], counts["submission"], counts["attachment"]) == (2, 1, 1, 1)
        identity, _ = hq.auth.sign_in("verne", "rita", PASSWORD, device_name="again", device_no=1, now=now())
        assert identity.device_no == 1
        accounts.add_sector(hq, org, "north", "North", now=now())
        for table in hq.sync.tables.metadata.sorted_tables:  # each has the columns that this program asks for
            with reading(hq.engine) as connection:
                connection.execute(select(table).where(table.c.org_id == org).limit(1))
    finally:
        hq.close()


def test_servers_that_start_together_on_an_old_database_upgrade_it_once(old: tuple[Path, str | None]) -> None:
    with ThreadPoolExecutor(4) as pool:
        opened = list(pool.map(lambda _: open_headquarters(*old, now, hasher=CHEAP), range(4)))
    try:
        with reading(opened[0].engine) as connection:
            assert connection.execute(text("SELECT version FROM server_schema")).scalars().all() == [SCHEMA_VERSION]
    finally:
        for hq in opened:
            hq.close()


def test_a_database_of_a_later_server_is_refused_and_left_as_it_is(old: tuple[Path, str | None]) -> None:
    hq = open_headquarters(*old, now, hasher=CHEAP)
    with hq.engine.begin() as connection:
        connection.execute(text(f"UPDATE server_schema SET version = {SCHEMA_VERSION + 1}"))
    hq.close()
    with pytest.raises(DomainError) as caught:
        open_headquarters(*old, now, hasher=CHEAP)
    assert caught.value.code == "database_newer"


def _tables(*columns: Column[object]) -> MetaData:
    made = MetaData()
    Table("thing", made, Column("id", Integer, primary_key=True), *columns)
    return made


def test_a_new_column_comes_with_its_default_and_a_step_runs_once(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    first = _tables()
    assert bring_up_to_date(engine, [first], version=1) == 0
    with engine.begin() as connection:
        connection.execute(insert(first.tables["thing"]).values(id=7))
    ran: list[int] = []
    second = _tables(Column("colour", Text, nullable=False, server_default=text("'red'")), Column("note", Text))
    for _ in range(2):
        bring_up_to_date(engine, [second], version=2, steps={1: lambda _: ran.append(1)})
    with engine.begin() as connection:
        assert connection.execute(text("SELECT id, colour, note FROM thing")).one() == (7, "red", None)
        assert {column["name"] for column in inspect(connection).get_columns("thing")} == {"id", "colour", "note"}
    assert ran == [1]
    with pytest.raises(SchemaNewer):
        bring_up_to_date(engine, [first], version=1)
    engine.dispose()


def test_a_column_that_old_rows_could_not_have_is_refused(tmp_path: Path) -> None:
    engine = open_database(f"sqlite:///{tmp_path / 'x.sqlite'}")
    bring_up_to_date(engine, [_tables()], version=1)
    with pytest.raises(TypeError, match="additive"):
        bring_up_to_date(engine, [_tables(Column("must", Text, nullable=False))], version=2)
    engine.dispose()


def test_a_photo_from_before_anybody_was_its_holder_is_read_as_ever(old: tuple[Path, str | None]) -> None:
    hq = open_headquarters(*old, now, hasher=CHEAP)
    try:
        org = accounts.organisation(hq, "verne")
        photo = hq.sync.tables.records["attachment"]
        with reading(hq.engine) as connection:
            names = connection.scalars(select(photo.c.sha256).where(photo.c.org_id == org)).all()
        assert len(hq.blobs.holders(org, names)) == 2  # its author, and the server
        assert hq.blobs.vouch_for_older(org) == 0
    finally:
        hq.close()
