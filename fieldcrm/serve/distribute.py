"""Laying the database out over several machines, or in partitions: ``fieldcrm-server distribute``."""

from __future__ import annotations

import argparse
from typing import Any

from sqlalchemy import Connection, text

from fieldcrm.domain.errors import DomainError
from fieldcrm.serve.command import Arguments
from fieldcrm.server.headquarters import OWN_TABLES, Headquarters
from sync.server import guard, schema
from sync.server.distribution import (
    Layout,
    Step,
    all_tables,
    check_count,
    citus_steps,
    has_citus,
    layout_of,
    partition_steps,
)
from sync.server.refusal import CallRefused


def add_to(arguments: Arguments) -> None:
    made = arguments.add(
        "distribute",
        _distribute,
        "spread the tables by organisation over the machines of a Citus cluster, or over partitions of one PostgreSQL;"
        " stop every server first; may be run again, and then does only what is left to do",
    )
    made.add_argument("--dry-run", action="store_true", help="show the statements and change nothing")
    made.add_argument(
        "--shards", type=int, metavar="N", help="pieces that Citus may move between machines (its own: 32)"
    )
    made.add_argument(
        "--native-partitions", type=int, metavar="N", help="no Citus: N hash partitions on this one PostgreSQL"
    )


def _distribute(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    """Raises ``DomainError``: "postgresql_needed", "citus_missing", "citus_too_old", "partitions_wrong",
    "layout_decided"."""
    if hq.engine.dialect.name != "postgresql":
        raise DomainError("postgresql_needed")
    try:
        if options.native_partitions is not None:
            return partition(hq, check_count(options.native_partitions), options.dry_run)
        return spread(hq, options.shards, options.dry_run)
    except CallRefused as refusal:
        raise DomainError(refusal.code, **refusal.params) from refusal


def spread(hq: Headquarters, shards: int | None, dry_run: bool) -> dict[str, Any]:
    if shards is not None:
        check_count(shards)
    # Each table by itself: a table that is spread stays so when the next one fails, and the next run goes on there.
    with hq.engine.connect().execution_options(isolation_level="AUTOCOMMIT") as connection:
        if not has_citus(connection):
            raise DomainError("citus_missing")
        if layout_of(connection) is Layout.PARTITIONS:
            raise DomainError("layout_decided", layout=Layout.PARTITIONS.value)
        steps = list(citus_steps(connection, _tables(hq), shards))
        _carry_out(connection, steps, dry_run)
    return _answer(steps, dry_run)


def partition(hq: Headquarters, count: int, dry_run: bool) -> dict[str, Any]:
    # All or nothing: a server never meets half of it.
    with hq.engine.begin() as connection:
        if layout_of(connection) is Layout.CITUS:
            raise DomainError("layout_decided", layout=Layout.CITUS.value)
        connection.execute(text("SET LOCAL lock_timeout = '10s'"))
        steps = list(partition_steps(connection, _tables(hq), count))
        _carry_out(connection, steps, dry_run)
        if steps and not dry_run:
            guard.create(connection, hq.sync.tables)
    return _answer(steps, dry_run)


def _tables(hq: Headquarters) -> list[Any]:
    return all_tables([hq.sync.tables.metadata, *OWN_TABLES, schema.metadata])


def _carry_out(connection: Connection, steps: list[Step], dry_run: bool) -> None:
    for step in () if dry_run else steps:
        connection.exec_driver_sql(step.sql)


def _answer(steps: list[Step], dry_run: bool) -> dict[str, Any]:
    return {
        "done": 0 if dry_run else len(steps),
        "steps": [{"sql": f"{step.sql};", "for": step.purpose} for step in steps],
    }
