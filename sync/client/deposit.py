"""What a device that was shut out still does: it hands its outbox over, photos included, and then may forget.

Cut anywhere, it goes on from the same place: the outbox no longer changes, so the same parts come again and the
server knows them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from typing import Protocol, TypeVar

from sync.client import blobs, outbox
from sync.client.blobs import BlobFiles, BlobSource, Waiting
from sync.client.failures import CallRefused
from sync.client.local import LocalTransaction
from sync.columns import canonical
from sync.protocol import BlobOffer, BlobState, Deposit, DepositAnswer, Tx

PART_OPS = 1000
PART_BYTES = 2 * 1024 * 1024  # before compression
PART_BLOBS = 500

Result = TypeVar("Result")


class Database(Protocol):
    def write(self, work: Callable[[LocalTransaction], Result]) -> Result: ...


class Depository(Protocol):
    """The server, for a device that may do nothing else any more."""

    def deposit(self, request: Deposit) -> DepositAnswer: ...

    def deposit_blob(self, sha256: str, offset: int, chunk: bytes) -> BlobState: ...


def hand_over(
    database: Database, remote: Depository, files: BlobFiles, sources: tuple[BlobSource, ...], *, now: datetime
) -> int:
    """Everything that was not sent yet; gives the number of operations once the server has confirmed all of it.

    A photo that cannot be read here, or that the server refuses, is passed over. Raises ``RemoteFailure``, and then
    nothing may be forgotten.
    """
    database.write(lambda tx: blobs.enqueue(tx, sources, files, now))
    device, transactions, photos = database.write(_left)
    parts = list(_parts(transactions, photos))
    states: list[BlobState] = []
    for number, (some, offers) in enumerate(parts):
        states += remote.deposit(Deposit(device, some, number, True, offers)).blobs
    for state in states:
        if not state.have:
            _send(remote, files, state)
    if not remote.deposit(Deposit(device, [], len(parts), False)).closed:
        raise CallRefused(409, "deposit_open")
    return sum(len(tx.ops) for tx in transactions)


def _left(tx: LocalTransaction) -> tuple[int, list[Tx], list[Waiting]]:
    device = tx.conn.exec_driver_sql("SELECT device FROM sync_state").scalar_one()
    return device, outbox.everything(tx.conn), blobs.waiting(tx, "up")


def _parts(transactions: list[Tx], photos: list[Waiting]) -> Iterator[tuple[list[Tx], list[BlobOffer]]]:
    offers = [BlobOffer(photo.sha256, photo.size, photo.mime) for photo in sorted(photos, key=lambda p: p.sha256)]
    some: list[Tx] = []
    ops = size = 0
    for tx in transactions:
        weight = sum(len(canonical(op.set)) + len(canonical(op.was)) for op in tx.ops)
        if some and (ops + len(tx.ops) > PART_OPS or size + weight > PART_BYTES):
            yield some, []
            some, ops, size = [], 0, 0
        some.append(tx)
        ops, size = ops + len(tx.ops), size + weight
    if some:
        yield some, []
    for start in range(0, len(offers), PART_BLOBS):
        yield [], offers[start : start + PART_BLOBS]


def _send(remote: Depository, files: BlobFiles, state: BlobState) -> None:
    try:
        content = files.get(state.sha256)
    except Exception as error:  # whatever the store of photos says of one that is not there or damaged
        if getattr(error, "code", None) is None:
            raise
        return
    try:
        blobs.send(_Sending(remote), content, state, lambda offset: None, lambda: False)
    except CallRefused:
        return


class _Sending:
    """``sync.client.blobs.send`` by the deposit's route."""

    def __init__(self, remote: Depository) -> None:
        self._remote = remote

    def send_blob(self, sha256: str, offset: int, chunk: bytes) -> BlobState:
        return self._remote.deposit_blob(sha256, offset, chunk)
