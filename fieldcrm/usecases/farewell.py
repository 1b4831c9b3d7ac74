"""The end of a device that its organisation shut out: what it had not sent is handed over once, then all is deleted.

From the moment it hears of it nothing can be read on it any more; without a network it waits like that, sealed.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, TypeVar

from fieldcrm.domain.changes import Changes, changed
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.store.journal_copy import copy_folder
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.state import read_state, write_state
from fieldcrm.store.wiping import wipe
from fieldcrm.usecases import second_copy, signin
from sync.client.blobs import BlobSource
from sync.client.failures import CallRefused, RemoteFailure

if TYPE_CHECKING:
    from sync.client.local import LocalTransaction

SOURCES = (BlobSource("attachment"),)
_KEY = "shut_out"
_NOT_SHUT_OUT = "device_not_revoked"

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Farewell:
    """``changes``: how many went to quarantine at headquarters. ``left``: files that could not be deleted."""

    changes: int
    left: tuple[str, ...] = ()


def is_shut_out(r: Reader) -> bool:
    return read_state(r, _KEY) is not None


def seal(tx: Transaction) -> Changes:
    """Remember that this device was shut out: it is not opened again, whatever the network says."""
    write_state(tx, _KEY, {"at": tx.now.isoformat()})
    return changed("sync", [])


def say_farewell(folder: Path, key: bytes, *, clock: Callable[[], datetime]) -> Farewell | None:
    """Hand over what was not sent, photos included, and delete everything once headquarters has confirmed it.

    Nobody else may have the profile open. ``None``: headquarters knows this device again, and nothing was deleted.
    Raises ``Unavailable`` or ``DomainError`` when it cannot be handed over now; nothing was deleted then.
    """
    from sync.client.deposit import hand_over

    db = Database.open(folder, key, now=clock())
    try:
        with db.read() as reader:
            signed = signin.signed_in(reader)
            place = second_copy.status(reader).place
        if signed is None:
            raise DomainError("not_signed_in", path=str(folder))
        writer = _Writer(db, signed, clock)
        writer.write(seal)
        remote = signin.open_remote(db, signed, clock=clock)
        try:
            done = hand_over(writer, remote, PhotoStore(folder / "photos", key), SOURCES, now=clock())
        except CallRefused as refusal:
            if refusal.code != _NOT_SHUT_OUT:
                raise signin.explained(refusal, signed.server_url) from refusal
            writer.write(_unseal)
            return None
        except RemoteFailure as failure:
            raise signin.explained(failure, signed.server_url) from failure
        finally:
            remote.close()
    finally:
        db.close()
    copies = [] if place is None else [copy_folder(place, key)]
    return Farewell(done, tuple(wipe(folder, [copy for copy in copies if copy.exists()])))


def is_waiting(error: BaseException) -> bool:
    """Whether trying again later may do."""
    return isinstance(error, Unavailable)


def _unseal(tx: LocalTransaction) -> None:
    assert isinstance(tx, Transaction)
    write_state(tx, _KEY, None)


class _Writer:
    """``sync.client.deposit.Database`` over the device's writer thread."""

    def __init__(self, db: Database, signed: signin.SignedIn, clock: Callable[[], datetime]) -> None:
        self._db = db
        self._signed = signed
        self._clock = clock

    def write(self, work: Callable[..., Result]) -> Result:
        return self._db.write(work, actor=self._signed.actor, now=self._clock()).result().value
