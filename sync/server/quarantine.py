"""What could not be applied and may not be lost: kept apart until a person applies or drops it.

Two things come here: the outbox of a revoked device, once, and changes that were refused because the record lay
outside the author's scope by then. Nothing of it is visible to devices. Personal values are sealed like everywhere
(``sync.sealing``), so that an erasure reaches what waits here too.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal
from uuid import UUID

import msgspec
from sqlalchemy import Connection, and_, func, insert, or_, select, update

from sync.protocol import Deposit, Op
from sync.server.auth import Known
from sync.server.database import reading
from sync.server.engine import MAX_ID_LENGTH, SyncServer
from sync.server.ports import Caller
from sync.server.refusal import CallRefused
from sync.server.set_aside import Kind

MAX_DEPOSIT = 64 * 1024 * 1024  # bytes of one device's whole deposit, before compression
MAX_PARTS = 1000
MAX_BLOBS = 5000  # photos of one deposit

State = Literal["open", "applied", "dropped"]


@dataclass(frozen=True, slots=True)
class Item:
    """One thing that waits, or waited, for a decision."""

    id: UUID
    kind: Kind
    device_no: int
    user: UUID
    received_at: datetime
    operations: int
    state: State
    decided_at: datetime | None


@dataclass(frozen=True, slots=True)
class Line:
    """One change in it, as a person reads it; ``values`` are wire values or ``sync.sealing.ERASED``."""

    collection: str
    record: UUID
    kind: str
    values: dict[str, Any]
    made_at: int  # device clock, milliseconds


@dataclass(frozen=True, slots=True)
class Outcome:
    """How many operations ended in which way (``sync.protocol.Status``), and why the others did not."""

    counts: dict[str, int]
    reasons: list[str]


class Quarantine:
    """Every method is one transaction, unless it takes one."""

    def __init__(self, server: SyncServer) -> None:
        self._server = server
        self._table = server.tables.quarantine
        self._blobs = server.tables.quarantine_blob
        self._aside = server.aside

    # Keeping

    def deposit(self, known: Known, said: Deposit, id: UUID, *, now: datetime) -> bool:
        """Keep one part of a revoked device's outbox; whether that was the last.

        A part that comes again changes nothing. Raises ``CallRefused``: "device_not_revoked", "device_not_yours",
        "deposit_made" (all was here already, and this is something else), "deposit_too_large", "number_wrong",
        "wrong_operation_id".
        """
        if said.device != known.device_no:
            raise CallRefused(403, "device_not_yours")
        if not known.revoked:
            raise CallRefused(409, "device_not_revoked")
        if not 0 <= said.part < MAX_PARTS or len(said.blobs) > MAX_BLOBS:
            raise CallRefused(413, "deposit_too_large", limit=MAX_DEPOSIT)
        _check_shape([op for tx in said.tx for op in tx.ops])
        mark = hashlib.sha256(msgspec.json.encode([said.tx, said.more])).digest()

        def work(connection: Connection) -> bool:
            here = self._parts(connection, known)
            if said.part in here:
                if here[said.part] != mark:
                    raise CallRefused(409, "deposit_made")
                return not said.more
            if self._closed(connection, known):
                raise CallRefused(409, "deposit_made")
            self._check_room(connection, known, said)
            author = Caller(known.org, known.person_id, "", known.device_no)
            self._aside.keep(
                connection, author, id, "deposit", said.tx, now, part=said.part, mark=mark, closing=not said.more
            )
            names = sorted({offer.sha256 for offer in said.blobs} - self._names(connection, known))
            rows = [{"org_id": known.org, "device_no": known.device_no, "sha256": name} for name in names]
            if rows:
                connection.execute(insert(self._blobs), rows)
            return not said.more

        return self._server.write(work)

    def expects_blob(self, known: Known, sha256: str) -> bool:
        """Whether this device named that photo in a deposit that is still open."""
        with reading(self._server.engine) as connection:
            return known.revoked and not self._closed(connection, known) and sha256 in self._names(connection, known)

    # Deciding

    def items(self, org: UUID, *, decided: bool = False) -> list[Item]:
        """What waits, oldest first; with ``decided`` also what was applied or dropped."""
        table = self._table
        whole = or_(table.c.kind == "refused", table.c.operations > 0, table.c.closing)
        query = select(table).where(table.c.org_id == org, whole).order_by(table.c.received_at, table.c.id)
        if not decided:
            query = query.where(table.c.state == "open")
        with reading(self._server.engine) as connection:
            return [_item(row) for row in connection.execute(query) if decided or row.operations]

    def lines(self, org: UUID, id: UUID) -> list[Line]:
        """Raises ``CallRefused("quarantine_unknown")``."""
        catalogue = self._server.catalogue
        with reading(self._server.engine) as connection:
            row = self._row(connection, org, id)
            found: list[Line] = []
            for op in (op for tx in self._aside.transactions(connection, org, row.body, erased=True) for op in tx.ops):
                collection = catalogue.by_number.get(op.c)
                name = collection.name if collection else str(op.c)
                found.append(Line(name, _uuid(op.id), op.cmd or op.k, op.set, op.at))
        return found

    def apply(self, org: UUID, id: UUID, *, role: str, by: UUID | None, now: datetime) -> Outcome:
        """Carry it out in its author's name, wherever the records lie now. Asked for again it says the same.

        ``role``: the author's. Raises ``CallRefused``: "quarantine_unknown", "quarantine_decided".
        """

        def work(connection: Connection) -> Outcome:
            row = self._row(connection, org, id, lock=True)
            self._check_open(row)
            transactions = self._aside.transactions(connection, org, row.body, erased=False)
            author = Caller(org, row.user_id, role, row.device_no)
            decisions = self._server.apply_for(connection, author, transactions, now=now)
            counts: dict[str, int] = {}
            for decision in decisions:
                counts[decision.status] = counts.get(decision.status, 0) + 1
            reasons = sorted({d.code for d in decisions if d.code and d.status in ("rejected", "dependent")})
            self._decide(connection, org, id, "applied", by, now)
            return Outcome(counts, reasons)

        return self._server.write(work)

    def drop(self, org: UUID, id: UUID, *, by: UUID | None, now: datetime) -> None:
        """Put it aside for good. Raises ``CallRefused``: "quarantine_unknown", "quarantine_decided"."""

        def work(connection: Connection) -> None:
            self._check_open(self._row(connection, org, id, lock=True))
            self._decide(connection, org, id, "dropped", by, now)

        self._server.write(work)

    def author(self, org: UUID, id: UUID) -> UUID:
        """Raises ``CallRefused("quarantine_unknown")``."""
        with reading(self._server.engine) as connection:
            return UUID(bytes=self._row(connection, org, id).user_id.bytes)

    # Inside

    def _parts(self, connection: Connection, known: Known) -> dict[int, bytes]:
        table = self._table
        query = select(table.c.part, table.c.mark).where(*self._of(known))
        return {part: bytes(mark) for part, mark in connection.execute(query)}

    def _closed(self, connection: Connection, known: Known) -> bool:
        query = select(self._table.c.id).where(*self._of(known), self._table.c.closing)
        return connection.execute(query).first() is not None

    def _check_room(self, connection: Connection, known: Known, said: Deposit) -> None:
        used = connection.execute(
            select(func.coalesce(func.sum(self._table.c.size), 0)).where(*self._of(known))
        ).scalar_one()
        blobs = len(self._names(connection, known)) + len(said.blobs)
        if int(used) + len(msgspec.json.encode(said.tx)) > MAX_DEPOSIT or blobs > MAX_BLOBS:
            raise CallRefused(413, "deposit_too_large", limit=MAX_DEPOSIT)

    def _names(self, connection: Connection, known: Known) -> set[str]:
        table = self._blobs
        query = select(table.c.sha256).where(table.c.org_id == known.org, table.c.device_no == known.device_no)
        return set(connection.scalars(query))

    def _of(self, known: Known) -> tuple[Any, ...]:
        table = self._table
        return (
            and_(table.c.org_id == known.org, table.c.device_no == known.device_no),
            table.c.kind == "deposit",
        )

    def _row(self, connection: Connection, org: UUID, id: UUID, *, lock: bool = False) -> Any:
        table = self._table
        query = select(table).where(table.c.org_id == org, table.c.id == id)
        if lock and connection.dialect.name == "postgresql":
            query = query.with_for_update()
        row = connection.execute(query).one_or_none()
        if row is None:
            raise CallRefused(404, "quarantine_unknown", id=id.hex)
        return row

    def _check_open(self, row: Any) -> None:
        if row.state != "open":
            raise CallRefused(409, "quarantine_decided", id=row.id.hex, state=row.state)

    def _decide(
        self, connection: Connection, org: UUID, id: UUID, state: State, by: UUID | None, now: datetime
    ) -> None:
        table = self._table
        this = update(table).where(table.c.org_id == org, table.c.id == id)
        connection.execute(this.values(state=state, decided_at=now, decided_by=by))


def _check_shape(ops: list[Op]) -> None:
    """What could not be applied afterwards, whoever decides so."""
    if not all(0 <= number < 1 << 63 for op in ops for number in (op.n, op.base)):
        raise CallRefused(422, "number_wrong")
    ids = {op.op for op in ops}
    if len(ids) != len(ops) or not all(0 < len(id) <= MAX_ID_LENGTH and "\x00" not in id for id in ids):
        raise CallRefused(422, "wrong_operation_id")


def _item(row: Any) -> Item:
    return Item(
        row.id, row.kind, row.device_no, row.user_id, row.received_at, row.operations, row.state, row.decided_at
    )


def _uuid(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError:
        return UUID(int=0)
