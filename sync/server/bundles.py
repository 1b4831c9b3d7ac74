"""Applying a sync that was carried by hand, by the ordinary path: what the network brings later is then known already.

A file is read twice: once to prove that it is whole, of a device of ours, and what it says it is; and only then to do
what it asks. So a file that was cut, changed, or is somebody else's changes nothing.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import IO
from uuid import UUID

from sqlalchemy import Connection, delete, insert, select

from sync.bundle import (
    Answer,
    BundleRefused,
    Contents,
    Header,
    PlainReader,
    PublicKey,
    is_of,
    new_private_key,
    plain_frames,
    public_of,
    read_header,
    write_answer,
)
from sync.protocol import SyncResponse
from sync.server.auth_tables import device_key
from sync.server.blobs import MAX_BLOB, BlobStore
from sync.server.database import reading
from sync.server.depth import too_deep
from sync.server.engine import SyncServer
from sync.server.ports import Caller, Change
from sync.server.refusal import CallRefused

MAX_BLOBS = 20_000  # of one bundle
MAX_REQUESTS = 10_000
_PIECE = 256 * 1024

Publish = Callable[[PublicKey], Change]


@dataclass(frozen=True, slots=True)
class Imported:
    """What a bundle brought. ``answer`` is for the device it came from, and for nobody else."""

    org: UUID
    device: int
    answer: bytes
    operations: int
    applied: int
    refused: int
    blobs: int
    control: str | None  # why the rest was not taken; the device knows what to do
    key_gone: bool = False


@dataclass(frozen=True, slots=True)
class _Sender:
    caller: Caller
    secret: bytes


class Bundles:
    """``role_of`` names the role of a person, ``publish`` the record by which devices learn an organisation's key."""

    def __init__(
        self, server: SyncServer, blobs: BlobStore, role_of: Callable[[UUID, UUID], str | None], publish: Publish
    ) -> None:
        self._server = server
        self._blobs = blobs
        self._role_of = role_of
        self._publish = publish
        self._table = server.tables.bundle_key

    # The organisation's key

    def ensure_key(self, org: UUID, *, now: datetime) -> PublicKey:
        """The key that bundles are encrypted to; made, and told to every device, where there is none."""
        with reading(self._server.engine) as connection:
            known = self._newest(connection, org)
        return known if known is not None else self._new_key(org, now)

    def renew_key(self, org: UUID, *, now: datetime) -> PublicKey | None:
        """Delete the key and make another: every bundle made so far opens no more, and has to be made again.

        ``None`` when the organisation never had one.
        """
        with reading(self._server.engine) as connection:
            known = self._newest(connection, org)
        return None if known is None else self._new_key(org, now)

    def _new_key(self, org: UUID, now: datetime) -> PublicKey:
        private = new_private_key()
        public = public_of(private)
        id = UUID(hex=public.id)

        def work(connection: Connection) -> None:
            self._server.apply_in(connection, org, [self._publish(public)], now=now)
            connection.execute(delete(self._table).where(self._table.c.org_id == org))
            row = {"org_id": org, "id": id, "key": self._server.people.wrap(org, id, private), "created_at": now}
            connection.execute(insert(self._table).values(row))

        self._server.write(work)
        return public

    def _newest(self, connection: Connection, org: UUID) -> PublicKey | None:
        table = self._table
        query = select(table.c.id, table.c.key).where(table.c.org_id == org).order_by(table.c.created_at.desc())
        for id, wrapped in connection.execute(query):
            private = self._server.people.unwrap(org, id, bytes(wrapped))
            if private is not None:
                return public_of(private)
        return None

    # A bundle

    def apply(self, path: Path, *, now: datetime) -> Imported:
        """Take what a device sends by hand. Raises ``BundleRefused``, ``OSError``; nothing is then changed.

        A bundle for a key that was deleted is not opened, but answered: with the key to make it again for.
        """
        with path.open("rb") as file:
            header, start, proof = read_header(file)
            sender = self._sender(header, start, proof)
            private = self._private(sender.caller.org, header.key)
            if private is None:
                return self._key_gone(header, sender, now)
            contents = _proved(file, header, start, sender.secret, private)
        responses = self._requests(sender.caller, contents, now)
        with path.open("rb") as file:
            read_header(file)
            reader = PlainReader(plain_frames(file, header, start, sender.secret, private))
            reader.contents()
            arrived = self._photos(sender.caller, contents, reader, now)
        return self._imported(header, sender, contents, responses, arrived)

    def _sender(self, header: Header, start: bytes, proof: bytes) -> _Sender:
        try:
            org = UUID(hex=header.org)
        except ValueError:
            raise BundleRefused("bundle_unknown") from None
        keys, device = device_key, self._server.tables.device
        if not 0 < header.device < 2**31:
            raise BundleRefused("bundle_foreign")
        with reading(self._server.engine) as connection:
            hashed = select(keys.c.hash).where(keys.c.org_id == org, keys.c.device_no == header.device)
            secrets = [bytes(one) for one in connection.scalars(hashed)]
            query = select(device.c.user_id, device.c.revoked_at).where(
                device.c.org_id == org, device.c.device_no == header.device
            )
            row = connection.execute(query).one_or_none()
        secret = next((one for one in secrets if is_of(start, proof, one)), None)
        if secret is None or row is None:
            raise BundleRefused("bundle_foreign")
        role = self._role_of(org, row.user_id)
        if row.revoked_at is not None or role is None:
            raise BundleRefused("device_revoked")
        return _Sender(Caller(org, row.user_id, role, header.device), secret)

    def _private(self, org: UUID, id: str) -> bytes | None:
        try:
            key = UUID(hex=id)
        except ValueError:
            return None
        table = self._table
        query = select(table.c.key).where(table.c.org_id == org, table.c.id == key)
        with reading(self._server.engine) as connection:
            wrapped = connection.execute(query).scalar_one_or_none()
        return None if wrapped is None else self._server.people.unwrap(org, key, bytes(wrapped))

    def _key_gone(self, header: Header, sender: _Sender, now: datetime) -> Imported:
        key = self.ensure_key(sender.caller.org, now=now)
        answer = write_answer(Answer(header.id, refused="bundle_key_gone", key=key), sender.secret)
        return Imported(sender.caller.org, header.device, answer, 0, 0, 0, 0, None, key_gone=True)

    def _requests(self, caller: Caller, contents: Contents, now: datetime) -> list[SyncResponse]:
        responses: list[SyncResponse] = []
        for request in contents.requests:
            response = self._server.sync(caller, request, now=now)
            responses.append(response)
            if response.control is not None:
                break
        return responses

    def _photos(self, caller: Caller, contents: Contents, reader: PlainReader, now: datetime) -> list[str]:
        arrived: list[str] = []
        org, user = caller.org, caller.user
        for offer in contents.blobs:
            content = reader.take(offer.size)
            try:
                (state,) = self._blobs.check(org, user, [offer], now=now)
                while not state.have:
                    piece = content[state.offset : state.offset + _PIECE]
                    if not piece:  # begun before, as if it were longer
                        raise CallRefused(422, "hash_wrong", sha256=offer.sha256)
                    state = self._blobs.append(org, user, offer.sha256, state.offset, piece, now=now)
            except CallRefused:
                continue  # of a kind that is taken over the network neither; the device is told nothing of it
            arrived.append(offer.sha256)
        return arrived

    def _imported(
        self, header: Header, sender: _Sender, contents: Contents, responses: list[SyncResponse], arrived: list[str]
    ) -> Imported:
        results = [result for response in responses for result in response.results]
        refused = sum(result.s in ("rejected", "dependent") for result in results)
        control = next((response.control for response in responses if response.control), None)
        with reading(self._server.engine) as connection:
            key = self._newest(connection, sender.caller.org)
        answer = write_answer(Answer(header.id, responses, arrived, key=key), sender.secret)
        operations = sum(len(tx.ops) for request in contents.requests for tx in request.tx)
        return Imported(
            sender.caller.org, header.device, answer, operations, len(results) - refused, refused, len(arrived), control
        )


def _proved(file: IO[bytes], header: Header, start: bytes, secret: bytes, private: bytes) -> Contents:
    """Read all of it, to its end, and believe nothing. Raises ``BundleRefused("bundle_damaged")``."""
    reader = PlainReader(plain_frames(file, header, start, secret, private))
    contents = reader.contents()
    if len(contents.blobs) > MAX_BLOBS or len(contents.requests) > MAX_REQUESTS:
        raise BundleRefused("bundle_damaged")
    if any(request.device != header.device for request in contents.requests):
        raise BundleRefused("bundle_damaged")
    ops = (op for request in contents.requests for tx in request.tx for op in tx.ops)
    if any(too_deep(op.set) or too_deep(op.was) for op in ops):
        raise BundleRefused("bundle_damaged")
    for request in contents.requests:
        request.want = 0
    for offer in contents.blobs:
        if not 0 < offer.size <= MAX_BLOB or hashlib.sha256(reader.take(offer.size)).hexdigest() != offer.sha256:
            raise BundleRefused("bundle_damaged")
    reader.finish()
    return contents
