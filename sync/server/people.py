"""The keys of people, by organisation: one small table, outside everything that is only ever added to.

A key lies wrapped by the server's own key (a file, or the environment), so that a dump of the database alone opens no
sealed value. ``erased_person`` remembers whose key was deleted: nothing is sealed for them again.
"""

from __future__ import annotations

import os
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from hashlib import sha256
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import Connection, Table, delete, func, insert, select

from sync.chunks import chunks
from sync.protocol import SyncRequest
from sync.sealing import mark, new_key
from sync.server.bulk import id_of, insert_rows
from sync.server.ports import Caller
from sync.server.tables import ServerTables

PLAIN = ""  # ``wrapped_by`` where the server has no key of its own
_NONCE = 12


@dataclass(frozen=True, slots=True)
class ErasedPerson:
    """One erasure. A device whose cursor has reached ``rev`` has deleted its copy of the key."""

    subject: UUID
    mark: str
    rev: int
    at: datetime


class PersonKeys:
    """``wrapping``: the server's own key of 32 bytes, or ``None``. Every call is inside the caller's transaction."""

    def __init__(self, keys: Table, erased: Table, wrapping: bytes | None = None) -> None:
        self._keys = keys
        self._erased = erased
        self._cipher = None if wrapping is None else AESGCM(wrapping)
        self._wrapped_by = PLAIN if wrapping is None else sha256(b"fieldcrm person keys" + wrapping).hexdigest()[:16]

    def get(self, connection: Connection, org: UUID, subjects: Iterable[UUID]) -> dict[UUID, bytes]:
        """The keys that there are, and that this server's own key opens."""
        table, found = self._keys, dict[UUID, bytes]()
        for some in chunks(set(subjects)):
            query = select(table.c.subject, table.c.key).where(
                table.c.org_id == org, table.c.subject.in_(some), table.c.wrapped_by == self._wrapped_by
            )
            for subject, wrapped in connection.execute(query):
                key = self.unwrap(org, subject, bytes(wrapped))
                if key is not None:
                    found[subject] = key
        return found

    def make(self, connection: Connection, org: UUID, subjects: Iterable[UUID]) -> dict[UUID, bytes]:
        """The keys of ``subjects``, made where there is none; none for those who were erased.

        To be called under the lock of the organisation's counter, so that nobody else makes the same.
        """
        wanted = set(subjects)
        found = self.get(connection, org, wanted)
        missing = wanted - found.keys()
        if missing:
            missing -= self.erased_among(connection, org, missing)
        made = {subject: new_key() for subject in sorted(missing)}
        rows = [
            (id_of(connection, org), id_of(connection, subject), self._wrapped_by, self.wrap(org, subject, key))
            for subject, key in made.items()
        ]
        insert_rows(connection, self._keys, ("org_id", "subject", "wrapped_by", "key"), rows)
        return found | made

    def erased_among(self, connection: Connection, org: UUID, subjects: Iterable[UUID]) -> set[UUID]:
        table = self._erased
        mine = select(table.c.subject).where(table.c.org_id == org)
        if connection.execute(mine.limit(1)).one_or_none() is None:
            return set()  # as nearly always, and asked at every push
        found = set[UUID]()
        for some in chunks(set(subjects)):
            found.update(connection.execute(mine.where(table.c.subject.in_(some))).scalars())
        return found

    def last_erasure(self, connection: Connection, org: UUID) -> int:
        """The revision of the newest erasure, 0 when there was none."""
        newest = select(func.max(self._erased.c.rev)).where(self._erased.c.org_id == org)
        return int(connection.execute(newest).scalar_one() or 0)

    def erased(self, connection: Connection, org: UUID) -> list[ErasedPerson]:
        table = self._erased
        query = select(table.c.subject, table.c.mark, table.c.rev, table.c.at).where(table.c.org_id == org)
        return [ErasedPerson(*row) for row in connection.execute(query.order_by(table.c.at, table.c.subject))]

    def erase(self, connection: Connection, org: UUID, subjects: Sequence[UUID]) -> int:
        """Delete the keys; the number of those that were there."""
        table, count = self._keys, 0
        for some in chunks(subjects):
            gone = delete(table).where(table.c.org_id == org, table.c.subject.in_(some))
            count += connection.execute(gone).rowcount
        return count

    def remember_erased(self, connection: Connection, org: UUID, subject: UUID, rev: int, at: datetime) -> None:
        """Note the erasure, once; asked for again it keeps its first time and takes the later revision."""
        table = self._erased
        known = connection.execute(
            select(table.c.at).where(table.c.org_id == org, table.c.subject == subject)
        ).scalar_one_or_none()
        connection.execute(delete(table).where(table.c.org_id == org, table.c.subject == subject))
        row = {"org_id": org, "subject": subject, "mark": mark(org, subject), "rev": rev, "at": known or at}
        connection.execute(insert(table).values(row))

    def wrap(self, org: UUID, subject: UUID, key: bytes) -> bytes:
        """The key as it lies in the database."""
        if self._cipher is None:
            return key
        nonce = os.urandom(_NONCE)
        return nonce + self._cipher.encrypt(nonce, key, org.bytes + subject.bytes)

    def unwrap(self, org: UUID, subject: UUID, wrapped: bytes) -> bytes | None:
        """The key again, or ``None`` when another server's key wrapped it."""
        if self._cipher is None:
            return wrapped
        try:
            return self._cipher.decrypt(wrapped[:_NONCE], wrapped[_NONCE:], org.bytes + subject.bytes)
        except (InvalidTag, ValueError):
            return None


def erasures_done(connection: Connection, tables: ServerTables, caller: Caller, request: SyncRequest) -> bool:
    """Whether this request is the first to say that the device has received an erasure, which is worth a write."""
    cursor = max(request.cursors.values(), default=0)
    erased, device = tables.erased_person, tables.device
    newest = select(func.max(erased.c.rev)).where(erased.c.org_id == caller.org, erased.c.rev <= cursor)
    reached = connection.execute(newest).scalar_one()
    if reached is None:
        return False
    mine = select(device.c.cursor_rev).where(device.c.org_id == caller.org, device.c.device_no == caller.device)
    known = connection.execute(mine).scalar_one_or_none()
    return known is not None and known < reached
