"""What waits to be sent, what was refused, and the runs of the sync."""

from __future__ import annotations

import json
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from typing import Any

from sqlalchemy import Select, Table, case, delete, func, insert, literal, select, update

from fieldcrm.domain.catalogue import CATALOGUE, MERGED
from fieldcrm.domain.ids import Id
from fieldcrm.domain.imported import IMPORT
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from fieldcrm.store.unimports import give_again
from sync.chunks import chunks
from sync.columns import from_wire

RUNS_KEPT = 200
MAX_OPERATIONS = 20_000  # looked at for one list


@dataclass(frozen=True, slots=True)
class Waiting:
    """What headquarters has not confirmed. ``changes``: transactions that are no visit."""

    visits: int = 0
    reports: int = 0
    changes: int = 0
    photos: int = 0
    photos_missing: int = 0  # taken by another device, not arrived yet
    decisions: int = 0
    photo_bytes: int = 0  # of ``photos``, what is left of each
    transactions: int = 0  # all of them: a visit travels with its report, and counts once

    @property
    def to_send(self) -> int:
        """As many as the Sync Centre lists."""
        return self.transactions + self.photos


@dataclass(frozen=True, slots=True)
class PendingChange:
    """One transaction that waits: what was done, to which outlet, and how many bytes it has."""

    tx: Id
    at: datetime
    label: str
    collections: tuple[str, ...]
    fields: tuple[str, ...]
    outlet_id: Id | None
    outlet_name: str
    size: int
    frozen: bool  # was sent at least once: it can no longer be taken back here
    count: int = 1  # transactions that stand in this line: an import is said once


@dataclass(frozen=True, slots=True)
class PendingPhoto:
    sha256: str
    size: int
    sent: int  # bytes that headquarters has already
    tries: int
    problem: str | None
    outlet_id: Id | None
    outlet_name: str
    person_name: str  # who took it
    down: bool = False  # on its way here, and not from here


@dataclass(frozen=True, slots=True)
class Letter:
    """A refused operation; ``tx`` groups those that stand or fall together."""

    rid: int
    tx: Id
    kind: str
    collection: str
    record_id: Id
    values: Mapping[str, Any]  # wire values
    was: Mapping[str, Any]
    code: str
    params: Mapping[str, Any]
    made_at: datetime
    refused_at: datetime
    outlet_id: Id | None
    outlet_name: str


@dataclass(frozen=True, slots=True)
class Run:
    """One sync, or several in a row that failed for the same reason (``params["times"]``)."""

    started_at: datetime
    ended_at: datetime | None
    result: str
    sent: int
    received: int
    photos_sent: int
    photos_received: int
    params: Mapping[str, Any]


def waiting(r: Reader, person: Id) -> Waiting:
    o, q = T.outbox, T.blob_queue
    by_collection: dict[int, int] = dict(
        r.conn.execute(select(o.c.collection, func.count(o.c.id.distinct())).group_by(o.c.collection)).all()
    )
    visit, report = CATALOGUE.by_name["visit"].number, CATALOGUE.by_name["submission"].number
    with_report = select(o.c.tx).where(o.c.collection.in_((visit, report)))
    line = _line_of()
    others = select(func.count(line.distinct())).select_from(_named()).where(o.c.tx.not_in(with_report))
    changes = r.conn.execute(others).scalar_one()
    left = func.coalesce(func.sum(q.c.size - q.c.offset), 0)
    query = select(q.c.direction, func.count(), left).where(q.c.state == "waiting").group_by(q.c.direction)
    queued: dict[str, tuple[int, int]] = {row[0]: (row[1], row[2]) for row in r.conn.execute(query)}
    unqueued, unqueued_bytes = _unqueued_photos(r)
    up, up_bytes = queued.get("up", (0, 0))
    return Waiting(
        by_collection.get(visit, 0),
        by_collection.get(report, 0),
        changes,
        up + unqueued,
        queued.get("down", (0, 0))[0],
        decisions(r, person),
        up_bytes + unqueued_bytes,
        r.conn.execute(select(func.count(line.distinct())).select_from(_named())).scalar_one(),
    )


def _named() -> Any:
    """Operations that wait, with the transactions they belong to."""
    return T.outbox.outerjoin(T.outbox_tx, T.outbox_tx.c.id == T.outbox.c.tx)


def _line_of() -> Any:
    """By what an operation is listed: its transaction; all that an import wrote is one line."""
    return case((T.outbox_tx.c.label == IMPORT, literal(b"")), else_=T.outbox.c.tx)


def _unqueued_photos(r: Reader) -> tuple[int, int]:
    """Photos of reports that are still in the outbox: the queue hears of them at the next sync."""
    photos = _new_photos().distinct().subquery()
    query = select(func.count(), func.coalesce(func.sum(photos.c.size), 0)).select_from(photos)
    count, size = r.conn.execute(query).one()
    return count, size


def _new_photos() -> Select[tuple[str, int]]:
    a, o, q = T.attachment, T.outbox, T.blob_queue
    number = CATALOGUE.by_name["attachment"].number
    new = a.c.id.in_(select(o.c.id).where(o.c.collection == number))
    return select(a.c.sha256, a.c.size).where(new, a.c.sha256.not_in(select(q.c.sha256)))


def new_photos(r: Reader, limit: int = 500) -> tuple[PendingPhoto, ...]:
    """Photos of reports that are still in the outbox, which the queue does not know yet."""
    a = T.attachment
    found: dict[str, Any] = {}
    for row in r.conn.execute(_new_photos().add_columns(a.c.outlet_id).order_by(a.c.taken_at, a.c.id).limit(limit)):
        found.setdefault(row.sha256, row)
    names = outlet_names(r, {row.outlet_id for row in found.values() if row.outlet_id})
    return tuple(
        PendingPhoto(row.sha256, row.size, 0, 0, None, row.outlet_id, names.get(row.outlet_id, ""), "")
        for row in found.values()
    )


def decisions(r: Reader, person: Id) -> int:
    letters = select(func.count(T.dead_letter.c.tx.distinct())).where(T.dead_letter.c.open)
    c = T.conflict.c
    clashes = select(func.count()).where(c.state == "open", c.person_id == person, c.field != MERGED)
    return int(r.conn.execute(letters).scalar_one()) + int(r.conn.execute(clashes).scalar_one())


def pending_changes(r: Reader, limit: int = 500) -> tuple[PendingChange, ...]:
    """Transactions in the order in which they will go."""
    o = T.outbox
    columns = (o.c.tx, o.c.collection, o.c.id, o.c.kind, o.c.set, o.c.was, o.c.state, o.c.at)
    imported = select(T.outbox_tx.c.id).where(T.outbox_tx.c.label == IMPORT)
    rows = r.conn.execute(select(*columns).where(o.c.tx.not_in(imported)).order_by(o.c.n).limit(MAX_OPERATIONS)).all()
    grouped: dict[Id, list[Any]] = {}
    for row in rows:
        grouped.setdefault(row.tx, []).append(row)
    shown = dict(islice(grouped.items(), limit))
    labels = dict[Id, str]()
    for some in chunks(shown):
        query = select(T.outbox_tx.c.id, T.outbox_tx.c.label).where(T.outbox_tx.c.id.in_(some))
        labels.update(tuple(row) for row in r.conn.execute(query))
    outlets = _outlets_of_transactions(r, shown)
    outlet_name = outlet_names(r, outlets.values())
    found = []
    for tx, ops in shown.items():
        names = tuple(dict.fromkeys(CATALOGUE.by_number[op.collection].name for op in ops))
        fields = tuple(dict.fromkeys(name for op in ops if op.kind == "upd" for name in json.loads(op.set)))
        outlet = outlets.get(tx)
        size = sum(len(op.set) + len(op.was) for op in ops)
        frozen = any(op.state == "sent" for op in ops)
        name = outlet_name.get(outlet, "") if outlet else ""
        found.append(PendingChange(tx, ops[0].at, labels.get(tx, ""), names, fields, outlet, name, size, frozen))
    return (*_imports(r), *found)


def _imports(r: Reader) -> tuple[PendingChange, ...]:
    """What imports wrote, in one line: no text of it is read."""
    query = """
        SELECT min(o.n), count(DISTINCT o.tx), sum(octet_length(o."set") + octet_length(o.was)), max(o.state = 'sent')
        FROM outbox o JOIN outbox_tx t ON t.id = o.tx WHERE t.label = ?"""
    first, count, size, sent = r.conn.exec_driver_sql(query, (IMPORT,)).one()
    if first is None:
        return ()
    o = T.outbox
    tx, at = r.conn.execute(select(o.c.tx, o.c.at).where(o.c.n == first)).one()
    return (PendingChange(tx, at, IMPORT, ("import_batch",), (), None, "", size, bool(sent), count),)


def _outlets_of_transactions(r: Reader, shown: Mapping[Id, Sequence[Any]]) -> dict[Id, Id]:
    """The outlet of the first change in each that has one."""
    said = [
        (CATALOGUE.by_number[op.collection].name, Id(bytes=op.id.bytes), {**json.loads(op.was), **json.loads(op.set)})
        for ops in shown.values()
        for op in ops
    ]
    each = zip((tx for tx, ops in shown.items() for _ in ops), _outlets(r, said), strict=True)
    found = dict[Id, Id]()
    for tx, outlet in each:
        if outlet is not None:
            found.setdefault(tx, outlet)
    return found


def _outlets(r: Reader, said: Sequence[tuple[str, Id, Mapping[str, Any]]]) -> list[Id | None]:
    """The outlet of each change, given as collection, record and wire values: the record itself, the one that the
    values name, or the one that the record has here.
    """
    unsaid: dict[str, set[Id]] = defaultdict(set)
    for collection, record, values in said:
        if "outlet_id" in CATALOGUE.by_name[collection].by_name and not values.get("outlet_id"):
            unsaid[collection].add(record)
    here = dict[tuple[str, Id], Id | None]()
    for collection, records in unsaid.items():
        table: Table = getattr(T, collection)
        for some in chunks(records):
            query = select(table.c.id, table.c.outlet_id).where(table.c.id.in_(some))
            here.update(((collection, id), outlet) for id, outlet in r.conn.execute(query))
    return [
        record if collection == "outlet"
        else Id(hex=values["outlet_id"]) if values.get("outlet_id")
        else here.get((collection, record))
        for collection, record, values in said
    ]  # fmt: skip


def outlet_names(r: Reader, ids: Iterable[Id]) -> dict[Id, str]:
    query = select(T.outlet.c.id, T.outlet.c.name).where(T.outlet.c.id.in_(list(ids)))
    return dict(r.conn.execute(query).all())


def pending_photos(r: Reader, direction: str, limit: int = 500) -> tuple[PendingPhoto, ...]:
    """Photos to send ("up") or still to come ("down"), the most troubled first."""
    q, a = T.blob_queue, T.attachment
    outlet = select(a.c.outlet_id).where(a.c.sha256 == q.c.sha256).limit(1).scalar_subquery()
    taker = (
        select(T.person.c.name)
        .join(T.submission, T.submission.c.person_id == T.person.c.id)
        .join(a, a.c.submission_id == T.submission.c.id)
        .where(a.c.sha256 == q.c.sha256)
        .limit(1)
        .scalar_subquery()
    )
    query = (
        select(q.c.sha256, q.c.size, q.c.offset, q.c.tries, q.c.problem, outlet.label("outlet_id"), taker)
        .where(q.c.state == "waiting", q.c.direction == direction)
        .order_by(q.c.tries.desc(), q.c.added_at)
        .limit(limit)
    )
    rows = r.conn.execute(query).all()
    names = outlet_names(r, {row.outlet_id for row in rows if row.outlet_id})
    return tuple(
        PendingPhoto(*row[:6], names.get(row.outlet_id, ""), row[6] or "", direction == "down") for row in rows
    )


# Refused changes


def letters(r: Reader, put_away: Iterable[Id] = ()) -> tuple[Letter, ...]:
    """Refused operations that wait for a person, the oldest first; or those of the transactions ``put_away``."""
    d = T.dead_letter
    closed = list(put_away)
    # The arguments of a command may be long, and are nothing to read: they are taken when it is given again.
    brief = case((d.c.kind == "cmd", literal("{}")), else_=d.c.set).label("set")
    columns = [brief if column.name == "set" else column for column in d.c]
    query = select(*columns).where(d.c.open if not closed else d.c.open.is_(False))
    query = query.where(d.c.tx.in_(closed)) if closed else query
    rows = r.conn.execute(query.order_by(d.c.rid)).all()
    said = [(CATALOGUE.by_number[row.collection].name, json.loads(row.set), json.loads(row.was)) for row in rows]
    outlets = _outlets(r, [(n, row.id, {**was, **values}) for row, (n, values, was) in zip(rows, said, strict=True)])
    names = outlet_names(r, {outlet for outlet in outlets if outlet})
    found = []
    for row, (name, values, was), outlet in zip(rows, said, outlets, strict=True):
        shown = names.get(outlet, "") if outlet else ""
        if name == "outlet" and not shown:
            shown = str(values.get("name") or was.get("name") or "")
        found.append(
            Letter(
                row.rid, row.tx, row.kind, name, row.id, values, was, row.code, row.params, row.at, row.refused_at,
                outlet, shown,
            )
        )
    return tuple(found)


def close_letters(tx: Transaction, transaction: Id, *, closed: bool = True) -> int:
    """Put the letters of a refused transaction away, or bring them back; returns how many."""
    letters = T.dead_letter
    mine = update(letters).where(letters.c.tx == transaction, letters.c.open == closed)
    return tx.conn.execute(mine.values(open=not closed)).rowcount


def exists(r: Reader, collection: str, record: Id) -> bool:
    table: Table = getattr(T, collection)
    return r.conn.execute(select(table.c.id).where(table.c.id == record)).one_or_none() is not None


def write_again(tx: Transaction, letter: Letter) -> bool:
    """Make a refused change once more, as a change of now; False when its record is no longer here."""
    if letter.kind == "cmd":
        query = select(T.dead_letter.c.cmd, T.dead_letter.c.set).where(T.dead_letter.c.rid == letter.rid)
        name, text = tx.conn.execute(query).one()
        return give_again(tx, letter.record_id, name, text)
    table: Table = getattr(T, letter.collection)
    fields = CATALOGUE.by_name[letter.collection].by_name
    values = {name: from_wire(fields[name].kind, value) for name, value in letter.values.items() if name in fields}
    here = exists(tx, letter.collection, letter.record_id)
    if letter.kind == "new" and not here:
        tx.conn.execute(insert(table).values(id=letter.record_id, **values))
        return True
    if not here:
        return False
    if letter.kind == "del":
        tx.conn.execute(delete(table).where(table.c.id == letter.record_id))
    elif values:
        tx.conn.execute(update(table).where(table.c.id == letter.record_id).values(**values))
    return True


# Runs


def last_times(r: Reader) -> tuple[datetime | None, datetime | None]:
    """The end of the last complete sync, and the last time both sides held the same rows."""
    row = r.conn.execute(select(T.sync_state.c.synced_at, T.sync_state.c.verified_at)).one()
    return row[0], row[1]


def runs(r: Reader, limit: int = 100) -> tuple[Run, ...]:
    s = T.sync_run
    rows = r.conn.execute(select(s).order_by(s.c.id.desc()).limit(limit))
    return tuple(
        Run(row.started_at, row.ended_at, row.result or "", row.sent, row.received, row.photos_sent,
            row.photos_received, row.params or {})
        for row in rows
    )


def record_run(tx: Transaction, run: Run) -> None:
    """Write a run down; one that fails like the last is counted with it, so that a night off line is one line."""
    s = T.sync_run
    last = tx.conn.execute(select(s).order_by(s.c.id.desc()).limit(1)).one_or_none()
    if last is not None and run.result != "ok" and last.result == run.result and not (run.sent or run.received):
        params = {**dict(run.params), "times": (last.params or {}).get("times", 1) + 1}
        tx.conn.execute(update(s).where(s.c.id == last.id).values(ended_at=run.ended_at, params=params))
    else:
        tx.conn.execute(
            insert(s).values(
                started_at=run.started_at, ended_at=run.ended_at, result=run.result, sent=run.sent,
                received=run.received, photos_sent=run.photos_sent, photos_received=run.photos_received,
                params=dict(run.params),
            )
        )
    oldest = select(func.max(s.c.id) - RUNS_KEPT).scalar_subquery()
    tx.conn.execute(delete(s).where(s.c.id <= oldest))
    tx.touch("sync")
