"""The second copy of this device: chosen once, kept by a thread of its own, caught up when its place is there again.

Each round writes the latest drafts beside the journal, puts the journal on the disk, copies what the copy lacks, and
trims what a verified backup of the server holds. It never keeps a person from recording, and never waits for a place.
"""

from __future__ import annotations

import errno
import logging
import os
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from sqlalchemy import select

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.store import journal_copy as _copy
from fieldcrm.store import journal_state as _state
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.store.journal import FOLDER
from fieldcrm.store.state import read_state, write_state
from fieldcrm.store.tables import T
from fieldcrm.usecases import signin
from sync.columns import from_milliseconds, to_milliseconds

EVERY = 60.0  # seconds between two rounds; a write wakes it earlier
SETTLE = 10.0  # seconds after a write, and after the start: a person's next key comes first
KEPT = timedelta(days=90)  # of the journal, and of photos in the copy after they were verified
REPEATED = timedelta(minutes=10)  # how often the time of the last copy is written down
CONFIRMED = "confirmed_revision"  # the last revision that a verified backup of the server holds
_KEY = "second_copy"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class SecondCopy:
    """How the second copy stands. ``place`` None: nobody has chosen one.

    ``copied_at``: last time it was whole; ``missing_since``: since when its place is not there, or cannot be written;
    ``problem``: "second_copy_missing", "second_copy_full", "second_copy_denied", or None.
    ``same_disk``: it lies on the disk of the original, and dies with it.
    """

    place: Path | None = None
    copied_at: datetime | None = None
    missing_since: datetime | None = None
    problem: str | None = None
    same_disk: bool = False
    bytes_copied: int = 0  # in the last round that copied anything

    @property
    def whole(self) -> bool:
        return self.place is not None and self.problem is None and self.copied_at is not None


def status(r: Reader) -> SecondCopy:
    """As it was last written down; ``Copier.status`` is newer while the program runs."""
    kept = read_state(r, _KEY)
    if kept is None:
        return SecondCopy()
    return SecondCopy(
        Path(kept["place"]), _moment(kept.get("copied")), _moment(kept.get("missing")), kept.get("problem"),
        bool(kept.get("same_disk")),
    )


def choose(db: Database, place: Path, *, actor: Actor, now: datetime) -> str:
    """Keep the second copy in ``place`` from now on. Not on the UI thread: the code takes a moment to stretch.

    Returns the recovery code, which is shown once and kept nowhere: without it the copy opens for nobody.
    Raises ``DomainError``: "second_copy_inside"; ``Unavailable``: "second_copy_missing", "second_copy_denied".
    """
    if _copy.inside(place, db.folder):
        raise DomainError("second_copy_inside", path=str(place))
    if not place.is_dir():
        raise Unavailable("second_copy_missing", path=str(place))
    target = _copy.copy_folder(place, db.journal.key)
    code = _copy.new_recovery_code()
    try:
        target.mkdir(exist_ok=True)
        _copy.wrap_key(target, db.journal.key, code)
    except OSError as error:
        raise Unavailable(_problem(error), path=str(place)) from error
    chosen = SecondCopy(place, same_disk=_copy.same_disk(place, db.folder))
    db.write(lambda tx: _keep(tx, chosen), actor=actor, now=now).result()
    return code


def give_up(tx: Transaction) -> None:
    """Copy no more. What was copied stays where it is."""
    write_state(tx, _KEY, None)
    tx.touch("second_copy", tx.id)


class Copier:
    """Keeps the second copy on a thread of its own; ``run_once`` does one round on the calling thread.

    ``on_change`` is called from that thread when ``status`` has changed.
    """

    def __init__(
        self,
        db: Database,
        actor: Actor,
        *,
        clock: Callable[[], datetime],
        on_change: Callable[[], None] = lambda: None,
        every: float = EVERY,
    ) -> None:
        self._db = db
        self._actor = actor
        self._clock = clock
        self._on_change = on_change
        self._every = every
        self._state_name = ""
        self._wake = threading.Event()
        self._stopped = threading.Event()
        self._running = threading.Lock()
        self._thread: threading.Thread | None = None
        self._written_at: datetime | None = None
        with db.read() as reader:
            self._status = status(reader)

    @property
    def status(self) -> SecondCopy:
        return self._status

    def start(self) -> None:
        self._thread = threading.Thread(target=self._loop, name="second-copy", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the file under way, having put the journal on the disk."""
        self._stopped.set()
        self._wake.set()
        if self._thread is not None:
            self._thread.join(timeout=10.0)

    def wrote(self) -> None:
        """Something was recorded, or the place was chosen: copy it in a moment."""
        self._wake.set()

    def _loop(self) -> None:
        while not self._stopped.wait(SETTLE):
            try:
                self.run_once()
            except Exception:  # a bug: written down and tried again; never a silent end of copying
                log.exception("the second copy failed")
            self._wake.wait(self._every)
            self._wake.clear()

    def run_once(self) -> SecondCopy:
        """One round. Whatever is wrong with the place is in the status; raises nothing that a disk can cause."""
        with self._running:
            self._keep_state()
            self._db.journal.sync()
            self._trim()
            with self._db.read() as reader:
                kept = status(reader)
                wanted, unwanted = _photos(reader, self._clock() - KEPT)
            if kept.place is None:
                self._tell(SecondCopy())
            else:
                self._tell(self._copied(kept, wanted, unwanted))
            return self._status

    def _copied(self, kept: SecondCopy, wanted: set[str], unwanted: set[str]) -> SecondCopy:
        assert kept.place is not None
        now, before = self._clock(), self._status
        last = before.copied_at if before.place == kept.place else kept.copied_at
        try:
            if not kept.place.is_dir():
                raise FileNotFoundError(kept.place)
            target = _copy.copy_folder(kept.place, self._db.journal.key)
            done = _copy.bring_up_to_date(self._db.folder, target, wanted, unwanted & _copy.photo_names(target))
        except OSError as error:
            since = before.missing_since or kept.missing_since or now
            return replace(kept, copied_at=last, missing_since=since, problem=_problem(error))
        copied = done.bytes or before.bytes_copied
        return replace(kept, copied_at=now, missing_since=None, problem=None, bytes_copied=copied)

    def _keep_state(self) -> None:
        with self._db.read() as reader:
            state = _state.read_state_of(reader.conn, signin.owner(reader))
        folder = self._db.folder / FOLDER
        try:
            folder.mkdir(exist_ok=True)
            self._state_name = _state.write_state_file(folder, self._db.journal.key, state, self._state_name)
        except OSError as error:
            log.warning("the drafts were not written beside the journal: %s", error)

    def _trim(self) -> None:
        with self._db.read() as reader:
            confirmed = read_state(reader, CONFIRMED, 0)
        if confirmed:
            before = self._clock() - KEPT
            self._write(lambda tx: self._db.journal.trim(tx.conn, confirmed, before))

    def _tell(self, new: SecondCopy) -> None:
        old, self._status = self._status, new
        if new == old:
            return
        due = self._written_at is None or self._clock() - self._written_at >= REPEATED
        if new.place is not None and (due or (old.problem, old.place) != (new.problem, new.place)):
            self._written_at = self._clock()
            self._write(lambda tx: _keep(tx, new))
        self._on_change()

    def _write(self, work: Callable[[Transaction], Any]) -> None:
        self._db.write(work, actor=self._actor, now=self._clock()).result()


def _keep(tx: Transaction, copy: SecondCopy) -> None:
    known = read_state(tx, _KEY)
    if known is not None and copy.copied_at is not None and known["place"] != str(copy.place):
        return  # another place was chosen meanwhile
    record = {
        "place": str(copy.place),
        "copied": to_milliseconds(copy.copied_at) if copy.copied_at else None,
        "missing": to_milliseconds(copy.missing_since) if copy.missing_since else None,
        "problem": copy.problem,
        "same_disk": copy.same_disk,
    }
    write_state(tx, _KEY, record)
    tx.touch("second_copy", tx.id)


def _photos(r: Reader, since: datetime) -> tuple[set[str], set[str]]:
    """Photos to be on the copy, and photos that may go from it; one that is in neither is left as it is.

    On the copy: those of drafts, and those that headquarters has not verified, or not long ago.
    """
    q, a, o = T.blob_queue.c, T.attachment, T.outbox
    number = CATALOGUE.by_name["attachment"].number
    drafted = set(r.conn.execute(select(T.draft_photo.c.sha256)).scalars())
    unsent = select(a.c.sha256).where(a.c.id.in_(select(o.c.id).where(o.c.collection == number)))
    waiting = select(q.sha256).where(q.direction == "up", (q.state != "verified") | (q.verified_at >= since))
    wanted = drafted | set(r.conn.execute(unsent).scalars()) | set(r.conn.execute(waiting).scalars())
    old = select(q.sha256).where(q.direction == "up", q.state == "verified", q.verified_at < since)
    return wanted, set(r.conn.execute(old).scalars()) - wanted


def _problem(error: OSError) -> str:
    if error.errno in (errno.ENOSPC, errno.EDQUOT):
        return "second_copy_full"
    if error.errno in (errno.EACCES, errno.EPERM, errno.EROFS):
        return "second_copy_denied"
    return "second_copy_missing"


def _moment(value: int | None) -> datetime | None:
    return None if value is None else from_milliseconds(value)


def places() -> tuple[Path, ...]:
    """Disks and sticks that are there now and can be written, for the choice in the settings."""
    roots: list[Path] = []
    if os.name == "nt":
        roots = [Path(f"{letter}:\\") for letter in "DEFGHIJKLMNOPQRSTUVWXYZ"]
    else:
        home = Path.home().name
        for above in (Path("/media") / home, Path("/run/media") / home, Path("/Volumes"), Path("/mnt")):
            if above.is_dir():
                roots += sorted(above.iterdir())
    return tuple(root for root in roots if root.is_dir() and os.access(root, os.W_OK))
