"""Photos and other blobs: named by their hash, sent and fetched piece by piece, from where it was cut.

A blob counts as verified only when the server has hashed the whole of it itself. The queue is made
from the records that refer to blobs, so that none can be forgotten.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Protocol

from sync.client.failures import CallRefused
from sync.client.local import LocalTransaction
from sync.columns import to_milliseconds
from sync.protocol import BlobOffer, BlobState, Remote

PIECE = 256 * 1024  # bytes
_OFFERS = 200
NOT_THERE_YET, MISSING_HERE, DAMAGED = "not_there_yet", "missing_here", "damaged"


class BlobFiles(Protocol):
    """The device's store of blobs. ``get`` may raise when the file is missing or damaged."""

    def has(self, name: str) -> bool: ...

    def get(self, name: str) -> bytes: ...

    def put(self, content: bytes) -> str: ...


@dataclass(frozen=True, slots=True)
class BlobSource:
    """A collection whose records refer to blobs, by the names of its fields."""

    collection: str
    sha256: str = "sha256"
    size: str = "size"
    mime: str = "mime"


@dataclass(frozen=True, slots=True)
class Waiting:
    sha256: str
    size: int
    mime: str
    direction: str  # "up" or "down"
    offset: int = 0  # bytes that the other side has already


def enqueue(tx: LocalTransaction, sources: tuple[BlobSource, ...], files: BlobFiles, now: datetime) -> None:
    """Put what records refer to into the queue: here already, so up; not here, so down."""
    statement = (
        "INSERT OR IGNORE INTO blob_queue (sha256, size, mime, direction, state, added_at) "
        "VALUES (?, ?, ?, ?, 'waiting', ?)"
    )
    for source in sources:
        query = (
            f'SELECT DISTINCT "{source.sha256}", "{source.size}", "{source.mime}" FROM "{source.collection}" s '
            f'WHERE NOT EXISTS (SELECT 1 FROM blob_queue q WHERE q.sha256 = s."{source.sha256}")'
        )
        found = tx.conn.exec_driver_sql(query).all()
        moment = to_milliseconds(now)
        rows = [(sha, size, mime, "up" if files.has(sha) else "down", moment) for sha, size, mime in found]
        if rows:
            tx.conn.exec_driver_sql(statement, rows)


def waiting(tx: LocalTransaction, direction: str) -> list[Waiting]:
    """The least tried first, so that one that cannot go never holds up the others."""
    query = (
        "SELECT sha256, size, mime, direction, \"offset\" FROM blob_queue WHERE state = 'waiting' AND direction = ? "
        "ORDER BY tries, added_at"
    )
    return [Waiting(*row) for row in tx.conn.exec_driver_sql(query, (direction,))]


def verified(tx: LocalTransaction, sha256: str, now: datetime) -> None:
    statement = "UPDATE blob_queue SET state = 'verified', problem = NULL, verified_at = ? WHERE sha256 = ?"
    tx.conn.exec_driver_sql(statement, (to_milliseconds(now), sha256))
    tx.touch("sync")


def troubled(tx: LocalTransaction, sha256: str, problem: str) -> None:
    statement = "UPDATE blob_queue SET tries = tries + 1, problem = ? WHERE sha256 = ?"
    tx.conn.exec_driver_sql(statement, (problem, sha256))
    tx.touch("sync")


def advanced(tx: LocalTransaction, sha256: str, offset: int) -> None:
    tx.conn.exec_driver_sql('UPDATE blob_queue SET "offset" = ? WHERE sha256 = ?', (offset, sha256))


def states(remote: Remote, blobs: list[Waiting]) -> Iterator[tuple[Waiting, BlobState]]:
    """What the server has of each."""
    for start in range(0, len(blobs), _OFFERS):
        some = blobs[start : start + _OFFERS]
        answer = remote.check_blobs([BlobOffer(b.sha256, b.size, b.mime) for b in some])
        by_name = {state.sha256: state for state in answer}
        yield from ((b, by_name.get(b.sha256, BlobState(b.sha256, False))) for b in some)


class TakesPieces(Protocol):
    def send_blob(self, sha256: str, offset: int, chunk: bytes) -> BlobState: ...


def send(
    remote: TakesPieces,
    content: bytes,
    state: BlobState,
    on_offset: Callable[[int], None],
    cancelled: Callable[[], bool],
) -> bool:
    """Send what the server lacks of ``content``. True once it has it all and has hashed it; False when cancelled."""
    restarts = 0
    while not state.have:
        if cancelled():
            return False
        offset = state.offset
        piece = content[offset : offset + PIECE]
        state = remote.send_blob(state.sha256, offset, piece)
        on_offset(state.offset)
        if not state.have and state.offset <= offset:
            restarts += 1
            if restarts > 3:  # the server keeps refusing what it hashed: not what the name says
                raise CallRefused(422, DAMAGED, sha256=state.sha256)
    return True


def fetch(remote: Remote, blob: Waiting) -> bytes | None:
    """The content, or ``None`` when the device that took it has not sent it yet. Damaged content is refused."""
    try:
        content = remote.fetch_blob(blob.sha256)
    except CallRefused as refusal:
        if refusal.status == 404:
            return None
        raise
    if hashlib.sha256(content).hexdigest() != blob.sha256:
        raise CallRefused(422, DAMAGED, sha256=blob.sha256)
    return content
