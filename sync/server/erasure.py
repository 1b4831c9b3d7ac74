"""Erasing a person: their key, their values in living records, and the order for every device to do the same.

What is only ever added to (change history, journals, bundles, backups) is not touched: without the key nothing opens
what it holds of the person, and every chain goes on verifying.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

import msgspec
from sqlalchemy import ColumnElement, Connection, or_, select

from sync.catalogue import Collection
from sync.columns import read_id, to_milliseconds
from sync.protocol import Op, Tx
from sync.sealing import blank, erasable, mark, personal_collections, subject_of
from sync.server.batch import Batch
from sync.server.people import PersonKeys
from sync.server.store import Key

Relatives = Callable[[Connection, UUID, UUID], Iterable[UUID]]


def _nobody(connection: Connection, org: UUID, subject: UUID) -> Iterable[UUID]:
    return ()


@dataclass(frozen=True)
class ErasureRules:
    """The product's part. ``order``: the collection that tells devices; its fields are ``mark`` and ``at``.

    ``leaves``: collections whose record goes when the person goes; elsewhere it stays, blanked. ``relatives``: other
    records that hold something of the person under a key of their own.
    """

    order: str
    leaves: frozenset[str] = frozenset()
    relatives: Relatives = _nobody


@dataclass(frozen=True, slots=True)
class Receipt:
    """What an erasure did. ``rev``: a device that has received it has deleted its copies of the keys."""

    subject: UUID
    mark: str
    rev: int
    records: int
    keys: int


def stage(batch: Batch, rules: ErasureRules, subject: UUID, *, now: datetime) -> tuple[list[UUID], int]:
    """Blank the person in every record of the batch's organisation, deleted ones included.

    Returns whose keys have to go, and how many records were changed.
    """
    store = batch.store
    everybody = [subject, *sorted(set(rules.relatives(store.connection, store.org, subject)) - {subject})]
    changed = 0
    for collection in personal_collections(store.catalogue):
        ids = _about(batch, collection, everybody)
        batch.load((collection.name, id) for id in ids)
        changed += sum(_blank(batch, rules, collection, id, subject) for id in ids)
    for one in everybody:
        id = UUID(hex=mark(store.org, one))
        if batch.get((rules.order, id)) is None:
            order = store.catalogue.by_name[rules.order]
            batch.create(order, id, {"mark": id.hex, "at": to_milliseconds(now)})
    return everybody, changed


def _about(batch: Batch, collection: Collection, everybody: Sequence[UUID]) -> list[UUID]:
    table = batch.store.tables.records[collection.name]
    theirs: ColumnElement[bool] = table.c.id.in_(everybody)
    if collection.subject:
        theirs = or_(theirs, table.c[collection.subject].in_(everybody))
    query = select(table.c.id).where(table.c.org_id == batch.store.org, theirs).order_by(table.c.id)
    return list(batch.store.connection.execute(query).scalars())


def _blank(batch: Batch, rules: ErasureRules, collection: Collection, id: UUID, subject: UUID) -> bool:
    record = batch.get((collection.name, id))
    if record is None:
        return False
    values = blank(collection, erasable(collection, whole=id == subject))
    changed = {name: value for name, value in values.items() if record.values.get(name) not in (None, value)}
    if changed:
        batch.change(record, changed)
    leaves = collection.name in rules.leaves and id == subject and not record.deleted
    if leaves:
        now = batch.get((collection.name, id))
        assert now is not None
        batch.delete(now)
    return bool(changed) or leaves


def without_erased(
    batch: Batch, keys: PersonKeys, transactions: Sequence[Tx], known: Iterable[str]
) -> tuple[Sequence[Tx], set[Key]]:
    """What devices send, blanked where it speaks of an erased person: a device may not have heard yet.

    Returns the transactions, the same list where nothing had to be blanked, and the records that would be made anew of
    somebody who is erased.
    """
    told = set(known)
    about = [_subjects(batch, op) if op.op not in told else set() for tx in transactions for op in tx.ops]
    everybody = set().union(*about) if about else set()
    gone = keys.erased_among(batch.store.connection, batch.store.org, everybody) if everybody else set()
    if not gone:
        return transactions, set()
    reborn: set[Key] = set()
    cleaned = [Tx(tx.t, [_cleaned(batch, op, gone, reborn) for op in tx.ops]) for tx in transactions]
    return cleaned, reborn


def _subjects(batch: Batch, op: Op) -> set[UUID]:
    collection, id = _named(batch, op)
    if collection is None or id is None or not collection.personal_fields:
        return set()
    record = batch.get((collection.name, id)) if collection.subject else None
    return {id, subject_of(collection, id, op.set, op.was, record.values if record else None)}


def _named(batch: Batch, op: Op) -> tuple[Collection | None, UUID | None]:
    collection = batch.store.catalogue.by_number.get(op.c)
    try:
        return collection, read_id(op.id)
    except ValueError:
        return collection, None


def _cleaned(batch: Batch, op: Op, gone: set[UUID], reborn: set[Key]) -> Op:
    collection, id = _named(batch, op)
    if collection is None or id is None or op.k == "cmd":
        return op
    record = batch.get((collection.name, id))
    row = record.values if record else None
    person = subject_of(collection, id, op.set, op.was, row)
    names = {name for name in erasable(collection, whole=False) if person in gone}
    if id in gone:
        names.update(erasable(collection, whole=True))
        if op.k == "new":
            reborn.add((collection.name, id))
    if not names:
        return op
    emptied = blank(collection, names)
    clean = {name: emptied.get(name, value) for name, value in op.set.items()}
    return msgspec.structs.replace(op, set=clean, was={n: v for n, v in op.was.items() if n not in names})
