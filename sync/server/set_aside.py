"""Putting operations aside, and reading them again; personal values lie sealed meanwhile (``sync.sealing``).

So an erasure reaches what waits in quarantine as it reaches journals and history. Every call is inside the caller's
transaction.
"""

from __future__ import annotations

from collections.abc import Sequence
from datetime import datetime
from hashlib import blake2b
from typing import Literal
from uuid import UUID

import msgspec
import zstandard
from sqlalchemy import Connection, func, insert, select

from sync.catalogue import Catalogue
from sync.protocol import Op, Tx
from sync.sealing import ERASED, seal, sealed_subjects, subjects, unseal
from sync.server.answers import record_key
from sync.server.people import PersonKeys
from sync.server.ports import Caller
from sync.server.push import Decision
from sync.server.tables import ServerTables

MAX_REFUSED = 500  # waiting refusals of one device: more are with their author alone
_MAX_BODY = 64 * 1024 * 1024

Kind = Literal["deposit", "refused"]


class Aside:
    """What is set aside in one database."""

    def __init__(self, tables: ServerTables, catalogue: Catalogue, people: PersonKeys) -> None:
        self._table = tables.quarantine
        self._revs = tables.org_rev
        self._catalogue = catalogue
        self._people = people

    def keep_refused(
        self,
        connection: Connection,
        caller: Caller,
        transactions: Sequence[Tx],
        decisions: Sequence[Decision],
        now: datetime,
    ) -> None:
        """Keep the transactions that fell because a record lay outside the author's scope: a manager may decide."""
        outside = {decision.op.op for decision in decisions if decision.code == "out_of_scope"}
        if not outside:
            return
        fallen = [tx for tx in transactions if any(op.op in outside for op in tx.ops)]
        table = self._table
        mine = (table.c.org_id == caller.org) & (table.c.device_no == caller.device) & (table.c.kind == "refused")
        waiting = select(func.count()).select_from(table).where(mine, table.c.state == "open")
        room = max(0, MAX_REFUSED - int(connection.execute(waiting).scalar_one()))
        for tx in fallen[:room]:
            self.keep(connection, caller, _id(caller, tx), "refused", [tx], now)

    def keep(
        self,
        connection: Connection,
        caller: Caller,
        id: UUID,
        kind: Kind,
        transactions: Sequence[Tx],
        now: datetime,
        *,
        part: int = 0,
        mark: bytes | None = None,
        closing: bool = True,
    ) -> None:
        """``caller``: the author and the device. ``mark``: the hash of what came."""
        # Keys of people are made under the counter's lock alone: an erasure either finds them, or is seen.
        revs = self._revs
        connection.execute(select(revs.c.last_rev).where(revs.c.org_id == caller.org).with_for_update())
        sealed = [Tx(tx.t, [self._sealed(connection, caller.org, op) for op in tx.ops]) for tx in transactions]
        connection.execute(
            insert(self._table).values(
                org_id=caller.org,
                id=id,
                kind=kind,
                device_no=caller.device,
                user_id=caller.user,
                part=part,
                mark=mark,
                closing=closing,
                received_at=now,
                operations=sum(len(tx.ops) for tx in transactions),
                size=len(msgspec.json.encode(transactions)),
                body=zstandard.ZstdCompressor().compress(msgspec.json.encode(sealed)),
                state="open",
            )
        )

    def transactions(self, connection: Connection, org: UUID, body: bytes, *, erased: bool) -> list[Tx]:
        """What was kept. ``erased``: with ``ERASED`` where a value is gone, to be read; else without those values."""
        packed = zstandard.ZstdDecompressor().decompress(bytes(body), max_output_size=_MAX_BODY)
        transactions = msgspec.json.decode(packed, type=list[Tx])
        ops = [op for tx in transactions for op in tx.ops]
        wanted = {subject for op in ops for values in (op.set, op.was) for subject in sealed_subjects(values)}
        keys = self._people.get(connection, org, wanted) if wanted else {}
        for op in ops:
            key = record_key(self._catalogue, op)
            if key is not None:
                collection = self._catalogue.by_name[key[0]]
                op.set = unseal(collection, key[1], op.set, keys)
                op.was = unseal(collection, key[1], op.was, keys)
            if not erased:
                op.set = {name: value for name, value in op.set.items() if value is not ERASED}
                op.was = {name: value for name, value in op.was.items() if value is not ERASED}
        return transactions

    def _sealed(self, connection: Connection, org: UUID, op: Op) -> Op:
        key = record_key(self._catalogue, op)
        if key is None:
            return op
        collection = self._catalogue.by_name[key[0]]
        wanted = subjects(collection, key[1], op.set, op.was) | subjects(collection, key[1], op.was, op.set)
        keys = self._people.make(connection, org, wanted) if wanted else {}
        set_ = seal(collection, key[1], op.set, keys, op.was)
        return msgspec.structs.replace(op, set=set_, was=seal(collection, key[1], op.was, keys, op.set))


def _id(caller: Caller, tx: Tx) -> UUID:
    """The same again when the transaction comes again."""
    told = f"{caller.device}/{tx.ops[0].op}".encode("utf-8", "surrogatepass")
    return UUID(bytes=blake2b(told, key=caller.org.bytes, digest_size=16, person=b"aside").digest(), version=5)
