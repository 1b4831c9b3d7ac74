"""``fieldcrm-server distribute``: the statements for Citus against a stand-in that makes its documented checks, and
native hash partitions on a real PostgreSQL."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import psycopg
import pytest
from sqlalchemy import Column, MetaData, Table, Text, UniqueConstraint, text
from sqlalchemy.exc import DBAPIError

from fieldcrm.serve import main
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import OWN_TABLES, Headquarters, open_headquarters
from sync.columns import IdType
from sync.server import schema
from sync.server.distribution import KEY, Layout, all_tables, citus_steps, create_missing, is_reference, layout_of
from tests import postgres
from tests.server.conftest import CHEAP, NOW, found

_STAND_IN = (Path(__file__).parent / "citus_stand_in.sql").read_text(encoding="utf-8")


@pytest.fixture(autouse=True)
def every_statement_names_its_organisation() -> None:
    """Not here: the command itself looks at whole tables, which are not spread yet."""


@pytest.fixture
def database(postgres_cluster: str) -> Iterator[str]:
    with postgres.fresh_database(postgres_cluster) as address:
        yield address


@pytest.fixture
def filled(database: str, tmp_path: Path) -> Iterator[tuple[str, Path, int]]:
    """A database in use: its address, the server's folder, and how many records one organisation has."""
    hq = open_headquarters(tmp_path, database, lambda: NOW, hasher=CHEAP)
    company = found(hq)
    found(hq)
    yield database, tmp_path, sum(accounts.counts(hq, company.org).values())
    hq.close()


def distribute(capsys: pytest.CaptureFixture[str], database: str, folder: Path, *options: str) -> Any:
    arguments = ["distribute", "--data", str(folder), "--database", database, "--json", *options]
    code = main(arguments)
    said = capsys.readouterr()
    return json.loads(said.err if code else said.out)


def with_stand_in(database: str) -> None:
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute(_STAND_IN)


def asked(database: str) -> list[str]:
    with psycopg.connect(database) as connection:
        return [row[0] for row in connection.execute("SELECT call FROM stand_in_calls ORDER BY at")]


def tables_of(hq: Headquarters) -> list[Table]:
    return all_tables([hq.sync.tables.metadata, *OWN_TABLES, schema.metadata])


# Keys


def test_every_key_and_index_of_a_spread_table_begins_with_the_organisation(headquarters: Headquarters) -> None:
    for table in tables_of(headquarters):
        if is_reference(table):
            continue
        assert next(iter(table.primary_key.columns)).name == KEY, table.name
        for index in table.indexes:
            assert next(iter(index.columns)).name == KEY, index.name
        for constraint in table.constraints:
            if isinstance(constraint, UniqueConstraint):
                assert next(iter(constraint.columns)).name == KEY, table.name
        assert all(KEY in constraint.column_keys for constraint in table.foreign_key_constraints), table.name


def test_only_what_belongs_to_no_organisation_stands_everywhere(headquarters: Headquarters) -> None:
    everywhere = {table.name for table in tables_of(headquarters) if is_reference(table)}
    assert everywhere == {"auth_organisation", "server_schema", "server_lease"}


# Citus, by its stand-in


def test_every_table_is_spread_beside_the_organisation_and_the_global_ones_stand_everywhere(
    filled: tuple[str, Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    database, folder, _ = filled
    with_stand_in(database)
    distribute(capsys, database, folder, "--shards", "64")
    calls = asked(database)
    assert calls[0] == "distributed org beside none"
    assert "emptied org" in calls
    assert "distributed outlet beside org" in calls
    assert "reference auth_organisation" in calls
    kinds = {"distributed", "reference"}
    assert {call.split()[1].strip('"') for call in calls if call.split()[0] in kinds} == {
        table.name for table in _tables()
    }


def _tables() -> list[Table]:
    from fieldcrm.domain.catalogue import CATALOGUE
    from sync.server.tables import build

    return all_tables([build(CATALOGUE).metadata, *OWN_TABLES, schema.metadata])


def test_a_second_run_finds_nothing_left_to_do(
    filled: tuple[str, Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    database, folder, _ = filled
    with_stand_in(database)
    distribute(capsys, database, folder)
    assert distribute(capsys, database, folder) == {"done": 0, "steps": []}


def test_a_run_that_was_cut_goes_on_where_it_stopped(
    filled: tuple[str, Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    database, folder, _ = filled
    with_stand_in(database)
    with psycopg.connect(database, autocommit=True) as connection:
        trigger = "CREATE TRIGGER in_the_way BEFORE UPDATE ON visit FOR EACH ROW"
        connection.execute(f"{trigger} EXECUTE FUNCTION suppress_redundant_updates_trigger()")
        connection.execute("SELECT create_distributed_table('org', 'org_id', colocate_with => 'none')")
    steps = distribute(capsys, database, folder)["steps"]
    assert not any("'org'," in step["sql"] for step in steps)
    assert any(step["sql"] == "DROP TRIGGER in_the_way ON visit;" for step in steps)


def test_a_dry_run_shows_the_statements_and_changes_nothing(
    filled: tuple[str, Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    database, folder, _ = filled
    with_stand_in(database)
    answer = distribute(capsys, database, folder, "--dry-run")
    assert answer["done"] == 0
    assert "SELECT create_distributed_table('outlet', 'org_id', colocate_with => 'org');" in {
        step["sql"] for step in answer["steps"]
    }
    assert asked(database) == []


def test_a_table_of_a_later_version_is_spread_as_it_is_made(filled: tuple[str, Path, int]) -> None:
    database, folder, _ = filled
    with_stand_in(database)
    later = Table("later", MetaData(), Column(KEY, IdType, primary_key=True), Column("name", Text))
    hq = open_headquarters(folder, database, lambda: NOW, hasher=CHEAP)
    try:
        with hq.engine.begin() as connection:
            for step in citus_steps(connection, tables_of(hq)):
                connection.exec_driver_sql(step.sql)
            create_missing(connection, [later.metadata])
            assert layout_of(connection) is Layout.CITUS
    finally:
        hq.close()
    assert asked(database)[-1] == "distributed later beside org"


def test_the_stand_in_refuses_a_key_without_the_organisation(database: str) -> None:
    with_stand_in(database)
    with psycopg.connect(database, autocommit=True) as connection:
        connection.execute("CREATE TABLE bad (org_id uuid PRIMARY KEY, code text UNIQUE)")
        with pytest.raises(psycopg.Error, match="cannot create constraint"):
            connection.execute("SELECT create_distributed_table('bad', 'org_id')")


def test_without_citus_it_says_so_and_names_the_other_way(
    filled: tuple[str, Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    database, folder, _ = filled
    assert distribute(capsys, database, folder)["error"] == "citus_missing"


def test_sqlite_cannot_be_spread(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["distribute", "--data", str(tmp_path), "--json"]) == 1
    assert json.loads(capsys.readouterr().err)["error"] == "postgresql_needed"


# Native partitions


def test_a_database_in_use_becomes_partitioned_with_all_its_rows(
    filled: tuple[str, Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    database, folder, records = filled
    assert distribute(capsys, database, folder, "--native-partitions", "8")["done"] > 0
    assert distribute(capsys, database, folder, "--native-partitions", "8")["done"] == 0
    hq = open_headquarters(folder, database, lambda: NOW, hasher=CHEAP)
    try:
        with hq.engine.connect() as connection:
            assert layout_of(connection) is Layout.PARTITIONS
            counted = text("SELECT count(*) FROM pg_inherits WHERE inhparent = 'outlet'::regclass")
            assert connection.execute(counted).scalar_one() == 8
        org, _ = hq.accounts.organisations()[0]
        assert sum(accounts.counts(hq, org).values()) == records
        company = found(hq)  # and it goes on working
        assert accounts.counts(hq, company.org)["outlet"] == 2
    finally:
        hq.close()


@pytest.mark.parametrize("count", ["1", "0", "-3", "100000"])
def test_a_number_of_partitions_that_makes_no_sense_is_refused(
    filled: tuple[str, Path, int], capsys: pytest.CaptureFixture[str], count: str
) -> None:
    database, folder, _ = filled
    assert distribute(capsys, database, folder, "--native-partitions", count)["error"] == "partitions_wrong"


def test_a_partitioned_database_is_not_spread_as_well(
    filled: tuple[str, Path, int], capsys: pytest.CaptureFixture[str]
) -> None:
    database, folder, _ = filled
    distribute(capsys, database, folder, "--native-partitions", "2")
    with_stand_in(database)
    assert distribute(capsys, database, folder)["error"] == "layout_decided"


def test_a_key_that_leaves_the_organisation_out_cannot_be_partitioned(database: str) -> None:
    """Why the suite runs on partitions too: PostgreSQL itself makes the demand that Citus makes."""
    hq_table = Table("bad", MetaData(), Column(KEY, IdType), Column("name", Text, primary_key=True))
    hq_table.dialect_options["postgresql"]["partition_by"] = f"HASH ({KEY})"
    from sqlalchemy import create_engine

    engine = create_engine(database.replace("postgresql://", "postgresql+psycopg://"))
    try:
        with pytest.raises(DBAPIError, match="partition"), engine.begin() as connection:
            hq_table.create(connection)
    finally:
        engine.dispose()
