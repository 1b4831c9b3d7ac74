"""The tables of the change history and of the keys that its personal values are sealed under."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, SmallInteger, Table, Text

from sync.columns import IdType, TimeType


def change_log_table(metadata: MetaData) -> Table:
    return Table(
        "change_log",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("rev", BigInteger, primary_key=True, autoincrement=False),
        Column("idx", Integer, primary_key=True, autoincrement=False),
        Column("collection", SmallInteger, nullable=False),
        Column("id", IdType, nullable=False),
        Column("kind", Text, nullable=False),  # new, upd, del
        Column("user_id", IdType),  # null: the server itself
        Column("device_no", Integer, nullable=False),
        Column("op_id", Text),
        Column("at", TimeType, nullable=False),
        Column("made_at", TimeType),  # by the device's clock; shown, never used for order
        Column("change", Text),  # JSON: [set, was], personal values sealed; null: a record made for the first time
        Index("ix_change_log_record", "org_id", "collection", "id", "rev"),
        sqlite_with_rowid=False,  # SQLite: the table is its key, one tree less to write for each change
    )


def person_key_table(metadata: MetaData) -> Table:
    return Table(
        "person_key",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("subject", IdType, primary_key=True),
        Column("wrapped_by", Text, primary_key=True),  # a server that lost its key goes on with a new one
        Column("key", LargeBinary, nullable=False),
    )


def erased_person_table(metadata: MetaData) -> Table:
    return Table(
        "erased_person",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("subject", IdType, primary_key=True),
        Column("mark", Text, nullable=False),
        Column("rev", BigInteger, nullable=False),  # of the order that devices receive
        Column("at", TimeType, nullable=False),
        Index("ix_erased_person_rev", "org_id", "rev"),
    )


def bundle_key_table(metadata: MetaData) -> Table:
    return Table(
        "bundle_key",  # what bundles are encrypted to; deleting it erases every bundle that was, wherever it lies
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("id", IdType, primary_key=True),
        Column("key", LargeBinary, nullable=False),  # wrapped by the server's own key
        Column("created_at", TimeType, nullable=False),
    )
