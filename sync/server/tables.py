"""The server's tables, made from the catalogue. The organisation comes first in every key.

So the tables can be spread by organisation over several machines, and no statement can reach
another organisation's rows by forgetting a condition at the end of a key.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from sqlalchemy import BigInteger, Column, Index, Integer, MetaData, SmallInteger, Table, Text, text

from sync.catalogue import Catalogue, Collection
from sync.columns import COLUMN_TYPES, IdType, JsonType, TimeType
from sync.server.logtables import bundle_key_table, change_log_table, erased_person_table, person_key_table
from sync.server.quarantine_tables import quarantine_blob_table, quarantine_table


@dataclass(frozen=True, slots=True)
class ServerTables:
    """``records`` by collection name; the others are the engine's own."""

    metadata: MetaData
    records: Mapping[str, Table]
    org: Table
    org_rev: Table
    device: Table
    op_result: Table
    bucket_row: Table
    digest: Table
    awaited: Table
    grant: Table
    change_log: Table
    person_key: Table
    erased_person: Table
    bundle_key: Table
    rev_mark: Table
    quarantine: Table
    quarantine_blob: Table


def build(catalogue: Catalogue, metadata: MetaData | None = None) -> ServerTables:
    """Describe every table in ``metadata``; ``ServerTables.metadata.create_all(engine)`` makes them."""
    metadata = metadata if metadata is not None else MetaData()
    records = {c.name: _record_table(metadata, c) for c in catalogue.collections}
    return ServerTables(
        metadata,
        records,
        org=_org(metadata),
        org_rev=_org_rev(metadata),
        device=_device(metadata),
        op_result=_op_result(metadata),
        bucket_row=_bucket_row(metadata),
        digest=_digest(metadata),
        awaited=_awaited(metadata),
        grant=_grant(metadata),
        change_log=change_log_table(metadata),
        person_key=person_key_table(metadata),
        erased_person=erased_person_table(metadata),
        bundle_key=bundle_key_table(metadata),
        rev_mark=_rev_mark(metadata),
        quarantine=quarantine_table(metadata),
        quarantine_blob=quarantine_blob_table(metadata),
    )


def _record_table(metadata: MetaData, collection: Collection) -> Table:
    parent = collection.scope_parent
    indexes = [Index(f"ix_{collection.name}_{parent.field}", "org_id", parent.field)] if parent else []
    return Table(
        collection.name,
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("id", IdType, primary_key=True),
        *(Column(f.name, COLUMN_TYPES[f.kind]) for f in collection.fields),
        Column("rev", BigInteger, nullable=False),
        Column("frev", JsonType, nullable=False),  # field -> [revision, device]; "*" for the rest
        Column("deleted_rev", BigInteger),  # null: the record lives
        *indexes,
    )


def _org(metadata: MetaData) -> Table:
    return Table(
        "org",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("name", Text, nullable=False),
        Column("epoch", Integer, nullable=False, server_default=text("1")),
        Column("created_at", TimeType, nullable=False),
    )


def _org_rev(metadata: MetaData) -> Table:
    return Table(
        "org_rev",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("last_rev", BigInteger, nullable=False),
        Column("compact_floor", BigInteger, nullable=False, server_default=text("0")),
        Column("confirmed_rev", BigInteger, nullable=False, server_default=text("0")),  # a verified backup holds it
        Column("confirmed_at", TimeType),  # when that backup was begun
        # Who says to know of later revisions than there are, and in which epoch; two people: then data were lost.
        Column("ahead_user", IdType),
        Column("ahead_epoch", Integer),
        Column("lost_epoch", Integer),
        Column("open_rev", BigInteger),  # SQLite: the revision that is being written, see ``sync.server.guard``
    )


def _rev_mark(metadata: MetaData) -> Table:
    """The newest revision on each day: how old a revision is."""
    return Table(
        "rev_mark",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("at", TimeType, primary_key=True),
        Column("rev", BigInteger, nullable=False),
    )


def _device(metadata: MetaData) -> Table:
    return Table(
        "device",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("device_no", Integer, primary_key=True, autoincrement=False),
        Column("user_id", IdType, nullable=False),
        Column("label", Text, nullable=False, server_default=text("''")),
        Column("parent_no", Integer),  # the device it was forked from, when a copy of its database appeared
        Column("last_seq", BigInteger, nullable=False, server_default=text("0")),
        Column("schema_version", Integer, nullable=False, server_default=text("0")),
        Column("cursor_rev", BigInteger, nullable=False, server_default=text("0")),
        Column("created_at", TimeType, nullable=False),
        Column("last_seen", TimeType),
        Column("revoked_at", TimeType),
        Column("told_rev", BigInteger, nullable=False, server_default=text("0")),  # departures sent to it, up to here
        Column("app", Text, nullable=False, server_default=text("''")),  # program and version, as it last said
        Index("ix_device_user", "org_id", "user_id"),
    )


def _op_result(metadata: MetaData) -> Table:
    return Table(
        "op_result",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("op_id", Text, primary_key=True),
        Column("device_no", Integer, nullable=False),
        Column("op_seq", BigInteger, nullable=False),
        Column("collection", SmallInteger, nullable=False),
        Column("id", IdType, nullable=False),
        Column("status", Text, nullable=False),
        Column("rev", BigInteger, nullable=False),
        Column("detail", JsonType),  # {lost, code, params}, or null
        Column("at", TimeType, nullable=False),
        # Not unique: after a restore two devices may have sent different operations under one number.
        Index("ix_op_result_seq", "org_id", "device_no", "op_seq"),
        sqlite_with_rowid=False,  # SQLite: the table is its key, one tree less to write for each operation
    )


def _bucket_row(metadata: MetaData) -> Table:
    """Which bucket holds which record; of each pair only the latest word is kept."""
    return Table(
        "bucket_row",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("bucket", Text, primary_key=True),
        Column("collection", SmallInteger, primary_key=True, autoincrement=False),
        Column("id", IdType, primary_key=True),
        Column("rev", BigInteger, nullable=False),
        Column("entry", SmallInteger, nullable=False),  # sync.merge.Entry
        Index("ix_bucket_row_rev", "org_id", "bucket", "rev", "collection", "id"),
        Index("ix_bucket_row_record", "org_id", "collection", "id"),
        sqlite_with_rowid=False,
    )


def _digest(metadata: MetaData) -> Table:
    return Table(
        "bucket_digest",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("bucket", Text, primary_key=True),
        Column("rows", BigInteger, nullable=False),
        Column("sum", Text, nullable=False),  # 16 hexadecimal digits
    )


def _awaited(metadata: MetaData) -> Table:
    """Records that do not exist yet, and by which others are already waiting to be placed."""
    return Table(
        "awaited",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("collection", SmallInteger, primary_key=True, autoincrement=False),
        Column("id", IdType, primary_key=True),
        Column("rev", BigInteger, nullable=False),  # since when
    )


def _grant(metadata: MetaData) -> Table:
    """Which buckets a user may hold, as the server last saw it, and when a right ended."""
    return Table(
        "bucket_grant",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("user_id", IdType, primary_key=True),
        Column("bucket", Text, primary_key=True),
        Column("granted_rev", BigInteger, nullable=False),
        Column("revoked_rev", BigInteger),
    )
