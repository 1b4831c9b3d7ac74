"""The tables of ``sync.server.quarantine``."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, Index, Integer, LargeBinary, MetaData, Table, Text

from sync.columns import FlagType, IdType, TimeType


def quarantine_table(metadata: MetaData) -> Table:
    return Table(
        "quarantine",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("id", IdType, primary_key=True),
        Column("kind", Text, nullable=False),  # deposit, refused
        Column("device_no", Integer, nullable=False),
        Column("user_id", IdType, nullable=False),  # in whose name it is applied
        Column("part", Integer, nullable=False),
        Column("mark", LargeBinary(32)),  # hash of what came: the same part may come again
        Column("closing", FlagType, nullable=False),  # the last part of a deposit
        Column("received_at", TimeType, nullable=False),
        Column("operations", Integer, nullable=False),
        Column("size", BigInteger().with_variant(Integer(), "sqlite"), nullable=False),
        Column("body", LargeBinary, nullable=False),  # zstd of JSON transactions, personal values sealed
        Column("state", Text, nullable=False),  # open, applied, dropped
        Column("decided_at", TimeType),
        Column("decided_by", IdType),  # null: an administrator, from the command line
        Index("ix_quarantine_device", "org_id", "device_no", "kind"),
    )


def quarantine_blob_table(metadata: MetaData) -> Table:
    """Photos that a deposit names, and that its device may therefore still send."""
    return Table(
        "quarantine_blob",
        metadata,
        Column("org_id", IdType, primary_key=True),
        Column("device_no", Integer, primary_key=True, autoincrement=False),
        Column("sha256", Text, primary_key=True),
    )
