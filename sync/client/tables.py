"""The device's tables: one per collection, made from the catalogue, and those of the sync itself.

Every collection table has ``rid`` (local row number, for full-text and spatial indexes), ``id``, its fields, and
``rev``: the revision of the server's version that the row stands on, 0 when the server has never seen it.
A row always shows the server's version with this device's pending changes on top; ``shadow`` keeps the
server's version of rows that have pending changes.
"""

from __future__ import annotations

from collections.abc import Mapping

from sqlalchemy import CheckConstraint, Column, ForeignKey, Index, Integer, LargeBinary, MetaData, Table, Text, text

from sync.catalogue import Catalogue, Collection, Field, Kind
from sync.columns import COLUMN_TYPES, FlagType, IdType, JsonType, TimeType


def build_collection_tables(metadata: MetaData, catalogue: Catalogue) -> Mapping[str, Table]:
    """A STRICT table for each collection, with the catalogue's limits as CHECK constraints."""
    return {collection.name: _collection_table(metadata, collection) for collection in catalogue.collections}


def _collection_table(metadata: MetaData, collection: Collection) -> Table:
    columns = [Column(f.name, COLUMN_TYPES[f.kind], nullable=not f.required) for f in collection.fields]
    checks = [
        CheckConstraint(check, name=f"{collection.name}_{f.name}") for f in collection.fields if (check := _check(f))
    ]
    parent = collection.scope_parent
    indexes = [Index(f"ix_{collection.name}_{parent.field}", parent.field)] if parent else []
    return Table(
        collection.name,
        metadata,
        Column("rid", Integer, primary_key=True),
        Column("id", IdType, nullable=False, unique=True),
        *columns,
        Column("rev", Integer, nullable=False, server_default=text("0")),
        *checks,
        *indexes,
        sqlite_strict=True,
    )


def _check(field: Field) -> str:
    name = f'"{field.name}"'
    if field.kind is Kind.ID:
        return f"length({name}) = 16"
    if field.kind is Kind.FLAG:
        return f"{name} IN (0, 1)"
    if field.kind in (Kind.DOCUMENT, Kind.MAP, Kind.SET):
        return f"{name} IS NULL OR json_valid({name})"  # SQLite before 3.42: json_valid(NULL) is 0
    if field.choices:
        return f"{name} IN ({', '.join(_quoted(choice) for choice in field.choices)})"
    limits = []
    if field.minimum is not None:
        limits.append(f"{name} >= {field.minimum}")
    if field.maximum is not None:
        limits.append(f"{name} <= {field.maximum}")
    return " AND ".join(limits)


def _quoted(value: str) -> str:
    return "'" + value.replace("'", "''") + "'"


def build_sync_tables(metadata: MetaData) -> None:
    """The engine's own tables. One row only: ``sync_state`` and ``capture``."""
    Table(
        "sync_state",
        metadata,
        Column("one", Integer, CheckConstraint("one = 1"), primary_key=True),
        Column("epoch", Integer, nullable=False, server_default=text("0")),
        Column("device", Integer, nullable=False, server_default=text("0")),
        Column("next_n", Integer, nullable=False, server_default=text("1")),  # of the next captured operation
        Column("schema", Integer, nullable=False, server_default=text("0")),
        Column("known", JsonType),  # fields of each collection that the program knew which wrote the rows
        Column("backfill", JsonType),  # what is still to be fetched because an older program passed over it
        Column("pull_token", Text),  # where a pull of several pages was cut
        Column("synced_at", TimeType),  # end of the last complete sync
        Column("verified_at", TimeType),  # last time the digests agreed
        Column("checked_at", TimeType),  # last time each row was compared with the list
        sqlite_strict=True,
    )
    Table(
        "capture",
        metadata,
        Column("one", Integer, CheckConstraint("one = 1"), primary_key=True),
        Column("tx", IdType),  # transaction whose changes are captured; null: nothing is captured
        Column("at", TimeType),
        sqlite_strict=True,
    )
    Table(
        "bucket",
        metadata,
        Column("number", Integer, primary_key=True),  # on this device only; short, for it stands in each member
        Column("name", Text, nullable=False, unique=True),
        Column("cursor", Integer, nullable=False, server_default=text("0")),
        Column("round", Integer, nullable=False, server_default=text("0")),  # rises when all of it is fetched anew
        Column("rows", Integer, nullable=False, server_default=text("0")),
        Column("sum", Text, nullable=False, server_default="0000000000000000"),  # sync.digest, of the members
        sqlite_strict=True,
    )
    Table(
        "member",  # which buckets hold a record; a record in none leaves the device
        metadata,
        # A record first: whether any bucket holds it is asked often, what a bucket holds hardly ever.
        Column("collection", Integer, primary_key=True),
        Column("id", IdType, primary_key=True),
        Column("bucket", Integer, primary_key=True),
        Column("rev", Integer, nullable=False),
        Column("round", Integer, nullable=False),  # of the bucket, when the server last spoke of this record
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    Table(
        "snapshot",  # a prebuilt file under way, one for each bucket
        metadata,
        Column("bucket", Text, primary_key=True),
        Column("sha256", Text, nullable=False),
        Column("rev", Integer, nullable=False),
        Column("rows", Integer, nullable=False),
        Column("bytes", Integer, nullable=False),
        Column("copied", Integer, nullable=False, server_default=text("0")),  # rows of it that are in the tables
        sqlite_strict=True,
    )
    Table(
        "snapshot_part",  # as it came, packed; here and not in a file of its own because here it is encrypted
        metadata,
        Column("sha256", Text, primary_key=True),
        Column("offset", Integer, primary_key=True),
        Column("content", LargeBinary, nullable=False),
        sqlite_strict=True,
    )
    Table(
        "outbox",
        metadata,
        *_operation_columns(),
        Column("state", Text, CheckConstraint("state IN ('new', 'sent')"), nullable=False, server_default="new"),
        Index("ix_outbox_record", "collection", "id"),
        sqlite_strict=True,
    )
    Table(
        "acked_ops",  # what the server confirmed, to be offered again after a server restore
        metadata,
        *_operation_columns(),
        Column("status", Text, nullable=False),
        Column("rev", Integer, nullable=False),
        Index("ix_acked_ops_record", "collection", "id"),
        Index("ix_acked_ops_tx", "tx"),
        sqlite_strict=True,
    )
    Table(
        "outbox_tx",  # every transaction of this device, kept for the history and for undo
        metadata,
        Column("id", IdType, primary_key=True),
        Column("person_id", IdType, nullable=False),
        Column("at", TimeType, nullable=False),
        Column("label", Text, nullable=False, server_default=""),
        Column("undoes", IdType, ForeignKey("outbox_tx.id", deferrable=True, initially="DEFERRED")),
        Index("ix_outbox_tx_at", "at"),
        sqlite_strict=True,
    )
    Table(
        "dead_letter",  # refused by the server; waits for a person, never blocks the queue
        metadata,
        Column("rid", Integer, primary_key=True),
        *_operation_columns(keyed=False),  # a fork gives numbers anew; these keep theirs
        Column("code", Text, nullable=False),
        Column("params", JsonType, nullable=False),
        Column("refused_at", TimeType, nullable=False),
        Column("open", FlagType, nullable=False, server_default=text("1")),
        sqlite_strict=True,
    )
    Table(
        "shadow",  # the server's version of records that have pending operations; row null: the server has none
        metadata,
        Column("collection", Integer, primary_key=True),
        Column("id", IdType, primary_key=True),
        Column("rev", Integer, nullable=False),
        Column("row", JsonType),
        sqlite_strict=True,
        sqlite_with_rowid=False,
    )
    Table(
        "blob_queue",
        metadata,
        Column("sha256", Text, primary_key=True),
        Column("size", Integer, nullable=False),
        Column("mime", Text, nullable=False),
        Column("direction", Text, CheckConstraint("direction IN ('up', 'down')"), nullable=False),
        Column("state", Text, CheckConstraint("state IN ('waiting', 'verified')"), nullable=False),
        Column("offset", Integer, nullable=False, server_default=text("0")),
        Column("tries", Integer, nullable=False, server_default=text("0")),
        Column("problem", Text),
        Column("added_at", TimeType, nullable=False),
        Column("verified_at", TimeType),
        sqlite_strict=True,
    )
    Table(
        "sync_run",
        metadata,
        Column("id", Integer, primary_key=True),
        Column("started_at", TimeType, nullable=False),
        Column("ended_at", TimeType),
        Column("result", Text),
        Column("sent", Integer, nullable=False, server_default=text("0")),
        Column("received", Integer, nullable=False, server_default=text("0")),
        Column("photos_sent", Integer, nullable=False, server_default=text("0")),
        Column("photos_received", Integer, nullable=False, server_default=text("0")),
        Column("params", JsonType),
        sqlite_strict=True,
    )


def _operation_columns(*, keyed: bool = True) -> list[Column[object]]:
    return [
        Column("n", Integer, primary_key=keyed, nullable=False),
        Column("op", LargeBinary, nullable=False, unique=True),
        Column("tx", IdType, nullable=False),
        Column("kind", Text, CheckConstraint("kind IN ('new', 'upd', 'del', 'cmd')"), nullable=False),
        Column("collection", Integer, nullable=False),
        Column("id", IdType, nullable=False),
        Column("base", Integer, nullable=False),
        Column("set", Text, nullable=False),  # JSON of wire values
        Column("was", Text, nullable=False),
        Column("at", TimeType, nullable=False),
        Column("cmd", Text),
    ]
