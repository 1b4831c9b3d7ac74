"""A sync by stick: what waits on this device goes into one encrypted file, and the answer comes back in another."""

from __future__ import annotations

import errno
import os
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any

import msgspec
from sqlalchemy import select, union

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.settings import read_setting
from fieldcrm.store.state import read_state, write_state
from fieldcrm.store.tables import T
from fieldcrm.usecases import signin
from fieldcrm.usecases.arrivals import after_apply
from fieldcrm.usecases.signin import SignedIn
from fieldcrm.usecases.syncing import SOURCES
from sync.bundle import Answer, BundleRefused, Contents, PublicKey, read_answer, shared_secret, write_bundle
from sync.client import blobs, members, outbox
from sync.client.local import Local
from sync.columns import to_milliseconds
from sync.protocol import PROTOCOL_VERSION, BlobOffer, SyncRequest, Tx

MAX_OPS = 500  # of one request in it
SUFFIX, ANSWER_SUFFIX = ".fieldcrm", ".answer.fieldcrm"
MAX_ANSWER_FILE = 128 * 1024 * 1024
KEY_SETTING = "bundle.key"  # by which headquarters tells its key
# A file is taken for an answer here: what is told of a bundle at headquarters would say the wrong thing.
_OF_ANSWERS = {"bundle_unknown": "answer_unknown", "bundle_foreign": "answer_foreign"}
_KEY = "bundle_key"  # a newer key, that an answer brought


@dataclass(frozen=True, slots=True)
class Exported:
    """The file that was written, and what is in it."""

    path: Path
    operations: int
    photos: int
    bytes: int


@dataclass(frozen=True, slots=True)
class Settled:
    """What an answer said. ``again``: carry another bundle; ``network``: only a sync can go on from here."""

    answered: int = 0
    refused: int = 0
    conflicts: int = 0
    photos: int = 0
    again: bool = False
    network: bool = False


def export(db: Database, photos: PhotoStore, folder: Path, *, now: datetime) -> Exported:
    """Write what waits to be sent into a new file in ``folder``. Not on the UI thread. Nothing leaves the outbox.

    Raises ``DomainError``: "bundle_not_ready" (this device has never synced with a server that takes bundles),
    "bundle_nothing"; ``Unavailable``: "disk_full", "disk_denied".
    """
    with db.read() as reader:
        signed, key = signin.signed_in(reader), _server_key(reader)
    if signed is None or key is None or not signed.tokens.device_key:
        raise DomainError("bundle_not_ready")
    contents = db.write(lambda tx: _contents(tx, photos), actor=signed.actor, now=now).result().value
    operations = sum(len(tx.ops) for request in contents.requests for tx in request.tx)
    if not operations and not contents.blobs:
        raise DomainError("bundle_nothing")
    id = new_id(now)
    path = folder / f"fieldcrm-{now:%Y%m%d-%H%M%S}-{id.hex[-6:]}{SUFFIX}"
    _write(path, contents, photos, key, signed, id.hex, now)
    return Exported(path, operations, len(contents.blobs), path.stat().st_size)


def _write(
    path: Path, contents: Contents, photos: PhotoStore, key: PublicKey, signed: SignedIn, id: str, now: datetime
) -> None:
    temporary = path.with_suffix(".new")
    secret, made = shared_secret(signed.tokens.device_key), to_milliseconds(now)
    try:
        with temporary.open("wb") as file:
            org, device = signed.organisation_id.hex, contents.requests[0].device
            write_bundle(file, contents, photos.get, key, secret, org=org, device=device, id=id, made=made)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        code = "disk_full" if error.errno in (errno.ENOSPC, errno.EDQUOT) else "disk_denied"
        raise Unavailable(code, path=str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)


def take_answer(db: Database, photos: PhotoStore, path: Path, *, now: datetime) -> Settled:
    """Take what headquarters answered to a bundle, as if it had come over the network. Not on the UI thread.

    Raises ``DomainError``: "answer_unknown", "answer_foreign", "bundle_damaged"; ``Unavailable("file_unreadable")``.
    """
    with db.read() as reader:
        signed = signin.signed_in(reader)
    if signed is None or not signed.tokens.device_key:
        raise DomainError("bundle_not_ready")
    try:
        if path.stat().st_size > MAX_ANSWER_FILE:
            raise DomainError("bundle_damaged", path=path.name)
        answer = read_answer(path.read_bytes(), shared_secret(signed.tokens.device_key))
    except OSError as error:
        raise Unavailable("file_unreadable", path=path.name, reason=error.strerror or "") from error
    except BundleRefused as refusal:
        raise DomainError(_OF_ANSWERS.get(refusal.code, refusal.code), path=path.name) from refusal
    return db.write(lambda tx: _settle(tx, photos, answer, now), actor=signed.actor, now=now).result().value


def _settle(tx: Transaction, photos: PhotoStore, answer: Answer, now: datetime) -> Settled:
    if answer.key is not None:
        replaced = read_setting(tx, KEY_SETTING)
        write_state(tx, _KEY, {"key": msgspec.to_builtins(answer.key), "instead_of": replaced})
    if answer.refused is not None:
        return Settled(again=True)
    local = Local(CATALOGUE, after_apply)
    answered = refused = conflicts = 0
    again = network = False
    for response in answer.responses:
        if response.control in ("epoch", "compacted"):
            local.resync(tx, response.epoch)
            again = True
        elif response.control == "gap":
            again = local.rewind(tx, response.expected or 1)
            network = not again
        elif response.control is not None:
            network = True
        if response.results:
            settled = local.settle(tx, response.results, response.pull.cols if response.pull else {}, now)
            answered += settled.answered
            refused += settled.refused
            conflicts += settled.conflicts
    blobs.enqueue(tx, SOURCES, photos, now)
    for name in answer.blobs:
        blobs.verified(tx, name, now)
    return Settled(answered, refused, conflicts, len(answer.blobs), again, network)


def _server_key(r: Reader) -> PublicKey | None:
    told = read_setting(r, KEY_SETTING)
    newer = read_state(r, _KEY)
    if newer is not None and newer.get("instead_of") == told:
        told = newer["key"]
    return PublicKey(told["id"], told["public"]) if _is_key(told) else None


def _is_key(value: Any) -> bool:
    return isinstance(value, Mapping) and all(isinstance(value.get(name), str) for name in ("id", "public"))


def _contents(tx: Transaction, photos: PhotoStore) -> Contents:
    connection = tx.conn
    greeting = outbox.hello(connection)
    epoch, device, schema = connection.exec_driver_sql("SELECT epoch, device, schema FROM sync_state").one()
    cursors = members.cursors(connection)
    requests: list[SyncRequest] = []
    next_seq, previous = greeting.next_seq, greeting.prev_op
    for part in _parts(outbox.everything(connection)) or [[]]:
        requests.append(SyncRequest(PROTOCOL_VERSION, schema, epoch, device, next_seq, previous, cursors, part, 0))
        if part:
            last = part[-1].ops[-1]
            next_seq, previous = last.n + 1, last.op
    connection.exec_driver_sql("UPDATE outbox SET state = 'sent'")  # from now on they can no longer be taken back
    return Contents(requests, _offers(tx, photos))


def _parts(transactions: list[Tx]) -> list[list[Tx]]:
    parts: list[list[Tx]] = []
    count = 0
    for transaction in transactions:
        if not parts or count + len(transaction.ops) > MAX_OPS:
            parts.append([])
            count = 0
        parts[-1].append(transaction)
        count += len(transaction.ops)
    return parts


def _offers(r: Reader, photos: PhotoStore) -> list[BlobOffer]:
    """Photos that headquarters has not verified and that are here."""
    a, q, o = T.attachment.c, T.blob_queue.c, T.outbox.c
    number = CATALOGUE.by_name["attachment"].number
    unsent = select(o.id).where(o.collection == number)
    query = union(
        select(a.sha256, a.size, a.mime).where(a.id.in_(unsent)),
        select(q.sha256, q.size, q.mime).where(q.direction == "up", q.state == "waiting"),
    )
    found = {row.sha256: BlobOffer(row.sha256, row.size, row.mime) for row in r.conn.execute(query)}
    sound = {}
    for name, offer in sorted(found.items()):
        if photos.has(name):
            try:
                offer.size = len(photos.get(name))
            except DomainError:
                continue  # damaged here: the network's way says so, where the person sees it
            sound[name] = offer
    return list(sound.values())
