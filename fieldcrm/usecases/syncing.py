"""Syncing by itself: one thread that follows the schedule, and what it tells the screens.

The network is used on this thread only; every write is a short piece of work on the database's writer thread.
Nothing here ever keeps a person from recording a visit.
"""

from __future__ import annotations

import logging
import random
import threading
import time
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, Protocol, TypeVar

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.changes import Changes
from fieldcrm.domain.ids import Id
from fieldcrm.store import outbox as _outbox
from fieldcrm.store import receipts as _receipts
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.outbox import Run
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.state import read_state, write_state
from fieldcrm.usecases import link as links
from fieldcrm.usecases import schedule as plan
from fieldcrm.usecases.arrivals import after_apply, in_bulk
from fieldcrm.usecases.link import Held, Link, PhotoRule
from fieldcrm.usecases.schedule import Schedule, Trouble
from fieldcrm.usecases.second_copy import CONFIRMED
from fieldcrm.usecases.sync_state import SyncState
from sync.client.ahead import on_a_thread
from sync.client.blobs import BlobSource
from sync.client.engine import SyncEngine, UpgradeNeeded
from sync.client.failures import Busy, NeedsSignIn, Offline, RemoteFailure, Revoked
from sync.client.local import Local, LocalTransaction
from sync.client.run import Progress
from sync.protocol import PastPage, Remote

log = logging.getLogger(__name__)

Result = TypeVar("Result")

SOURCES = (BlobSource("attachment"),)
ASK_ABOUT = timedelta(days=2)  # reports whose receipts are asked for after something was sent
MAX_RECEIPTS = 500
STOP_SECONDS = 10.0  # a request that hangs is left to die with the program: nothing depends on its answer
IDLE_WAIT = 3600.0  # seconds; any event wakes the thread earlier


class CloseableRemote(Remote, Protocol):
    def close(self) -> None: ...

    def history(self, collection: str, id: str, before: str = "") -> PastPage: ...


class Supervisor:
    """Runs syncs when the schedule says so.

    ``open_remote`` is called at the first run, and again after ``signed_in``. ``on_state`` and ``on_changes`` are
    called from this object's own threads, and so is ``on_synced``: with the server, and whether large files may go.
    Call ``start`` once, ``stop`` at the end; or only ``run_once`` where no thread is wanted.
    """

    def __init__(
        self,
        db: Database,
        photos: PhotoStore,
        actor: Actor,
        open_remote: Callable[[], CloseableRemote],
        *,
        clock: Callable[[], datetime],
        device_name: str = "",
        automatic: bool = True,
        paused_until: datetime | None = None,
        photo_rule: PhotoRule = PhotoRule.AUTO,
        on_state: Callable[[], None] = lambda: None,
        on_changes: Callable[[Changes], None] = lambda changes: None,
        on_synced: Callable[[Any, Callable[[], bool]], None] = lambda remote, may: None,
        chance: Callable[[], float] = random.random,
        elapsed: Callable[[], float] = time.monotonic,
    ) -> None:
        self._db = db
        self._photos = photos
        self._actor = actor
        self._open_remote = open_remote
        self._clock = clock
        self._device_name = device_name
        self._on_state = on_state
        self._on_changes = on_changes
        self._on_synced = on_synced
        self._chance = chance
        self._remote: CloseableRemote | None = None
        self._local = Local(CATALOGUE, after_apply, in_bulk)
        self._wake = threading.Condition()
        self._running = threading.Lock()
        self._connecting = threading.Lock()
        self._telling = threading.Lock()
        self._cancel = threading.Event()
        self._stopped = False
        self._thread: threading.Thread | None = None
        self._schedule = plan.started(clock(), automatic=automatic, paused_until=paused_until)
        self._state = SyncState(automatic=automatic)
        self._elapsed = elapsed
        self._link = Link()
        self._photo_rule = photo_rule
        self._photos_asked = False
        self._weighed: tuple[float, int] | None = None  # when the measurement began, and the bytes sent by then
        self._counting: ThreadPoolExecutor | None = None  # counts are read off the caller's thread
        self._count_due = False
        self._wanted = False
        self._reopen = False
        self.refresh()

    # Screens and roots call these, from any thread

    @property
    def state(self) -> SyncState:
        return self._state

    def start(self) -> None:
        self._counting = ThreadPoolExecutor(max_workers=1, thread_name_prefix="sync-counts")
        self._thread = threading.Thread(target=self._loop, name="sync", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the request under way; what was cut goes on at the next start."""
        with self._wake:
            self._stopped = True
            self._cancel.set()
            self._wake.notify_all()
        if self._thread is not None:
            self._thread.join(timeout=STOP_SECONDS)
        if self._counting is not None:
            self._counting.shutdown(wait=True, cancel_futures=True)
        self._hang_up()

    def _hang_up(self) -> None:
        remote, self._remote = self._remote, None
        if remote is not None:
            remote.close()

    def sync_now(self) -> None:
        self._wanted = True
        self._event(plan.asked)

    def wrote(self) -> None:
        """Something was recorded: send it in a moment."""
        self._event(plan.wrote)
        self.recount()

    def send_photos_now(self) -> None:
        """Send the photos too, whatever the network costs: for this once."""
        self._photos_asked = True
        self.sync_now()

    def set_photo_rule(self, rule: PhotoRule) -> None:
        self._photo_rule = rule
        self._tell()
        if self._held() is None:
            self._event(plan.network_news)

    def network(self, *, metered: bool) -> None:
        """The system said what kind of network there is."""
        before, self._link = self._link, links.told(self._link, metered=metered)
        if self._link != before:
            self._tell()
            self._event(plan.network_news)

    def cancel(self) -> None:
        """Cut the run under way at the next safe place. What is left goes with the next one."""
        self._cancel.set()

    def network_back(self) -> None:
        self._event(plan.network_back)

    def signed_in(self) -> None:
        """New tokens are kept: use them."""
        self._reopen = True
        self._event(plan.signed_in)

    def set_automatic(self, automatic: bool) -> None:
        """Pause until the person resumes, or go on. A run under way is cut at the next safe place."""
        if not automatic:
            self._cancel.set()
        self._event(lambda schedule, now: plan.set_automatic(schedule, now, automatic))

    def pause_until(self, until: datetime) -> None:
        """Pause; it goes on by itself at ``until``, an hour from now at most."""
        self._cancel.set()
        self._event(lambda schedule, now: plan.pause(schedule, now, until))

    def recount(self) -> None:
        """As ``refresh``, without a wait on the calling thread when this object has its own."""
        if self._counting is None or self._stopped:
            self.refresh()
        elif not self._count_due:
            self._count_due = True
            self._counting.submit(self._count_soon)

    def _count_soon(self) -> None:
        self._count_due = False
        self.refresh()

    def refresh(self) -> None:
        """Read the counts again and tell the screens."""
        with self._db.read() as reader:
            counts = _outbox.waiting(reader, self._actor.user_id)
            synced, verified = _outbox.last_times(reader)
        self._tell(waiting=counts, synced_at=synced, verified_at=verified)

    # The thread

    def _event(self, change: Callable[[Schedule, datetime], Schedule]) -> None:
        with self._wake:
            self._schedule = change(self._schedule, self._clock())
            self._wake.notify_all()
        self._tell()

    def _loop(self) -> None:
        while True:
            with self._wake:
                if self._stopped:
                    break
                before, self._schedule = self._schedule, plan.ticked(self._schedule, self._clock())
                due, moved = plan.due(self._schedule, self._clock()), self._schedule != before
                if not due and not moved:
                    self._wake.wait(self._seconds())
                    continue
            if not due:
                self._tell()
                continue
            try:
                self.run_once()
            except Exception:  # a bug: written down, shown, tried again later; never a silent end of syncing
                log.exception("a sync failed")
                self._fail(Trouble.SERVER, "sync_bug", {})
        self._hang_up()

    def _seconds(self) -> float:
        soon = self._schedule.next_try or self._schedule.paused_until
        if soon is None:
            return IDLE_WAIT
        left = (soon - self._clock()).total_seconds()
        return min(max(left, 0.05), 30.0)  # short, so that a clock that was set, or a sleep, is noticed

    def run_once(self) -> Progress | None:
        """One whole sync on the calling thread; None when it was cut. Raises nothing that a network can cause."""
        with self._running:
            self._cancel.clear()
            with self._wake:
                self._schedule = plan.begun(self._schedule)
            began = self._clock()
            self._weighed = None
            self._tell(progress=Progress())
            try:
                progress = self._engine().run(self._progressed, self._cancel.is_set, self._photos_go)
                self._ask_receipts(progress)
            except RemoteFailure as failure:
                self._failed(failure, began)
                return None
            self._ended(progress, began)
            if not progress.cancelled:
                self._on_synced(self._remote, self._photos_go)
            return progress

    def _engine(self) -> SyncEngine:
        remote = self._connected()
        return SyncEngine(
            self._local,
            _Writer(self._db, self._actor, self._clock, self._on_changes),
            remote,
            clock=self._clock,
            device_name=self._device_name,
            files=self._photos,
            sources=SOURCES,
            ahead=on_a_thread,
            waited_for=self._db.waited_for,
        )

    def _connected(self) -> CloseableRemote:
        with self._connecting:
            if self._reopen and self._remote is not None:
                self._remote.close()
                self._remote = None
            self._reopen = False
            if self._remote is None:
                self._remote = self._open_remote()
            return self._remote

    def history(self, collection: str, id: str, before: str = "") -> PastPage:
        """A question beside the sync, over the same line: two lines would renew the tokens against each other."""
        return self._connected().history(collection, id, before)

    def _held(self) -> Held | None:
        return None if self._photos_asked else links.held(self._photo_rule, self._link, self._clock())

    def _photos_go(self) -> bool:
        return self._held() is None

    def _weigh(self, sent: int) -> None:
        """How fast photos go; where it is too slow for them the rest waits."""
        now = self._elapsed()
        if self._weighed is None:
            self._weighed = now, sent
            return
        since, before = self._weighed
        known, self._link = self._link, links.measured(self._link, self._clock(), sent - before, now - since)
        if self._link != known or sent - before >= links.ENOUGH_BYTES:
            self._weighed = now, sent

    def _progressed(self, progress: Progress) -> None:
        if progress.phase == "photos":
            self._weigh(progress.bytes_sent)
        self._tell(progress=replace(progress, healed=list(progress.healed)))

    def _ask_receipts(self, progress: Progress) -> None:
        """Ask headquarters what it holds of the last reports; photos it lacks are offered again at once."""
        if progress.cancelled or not (progress.sent or progress.photos_sent or self._wanted) or self._remote is None:
            return
        since = self._clock() - ASK_ABOUT
        with self._db.read() as reader:
            mine = _receipts.reports(reader, self._actor.user_id, since)[:MAX_RECEIPTS]
        verified = [receipt.submission_id for receipt in mine if receipt.complete]
        if not verified:
            return
        answers = self._remote.receipts([id.hex for id in verified])
        lacking = [Id(hex=answer.id) for answer in answers if answer.have and answer.blobs_have < answer.blobs_expected]
        if lacking:
            self._write(lambda tx: _receipts.send_photos_again(tx, lacking))

    def _ended(self, progress: Progress, began: datetime) -> None:
        rows, photos = progress.sent + progress.received, progress.photos_sent + progress.photos_received
        if rows or photos or progress.removed or progress.healed or self._wanted:
            self._record("cancelled" if progress.cancelled else "ok", progress, began)
        self._wanted = False
        self._keep_confirmed(progress.confirmed)
        if not progress.cancelled:
            self._photos_asked = False
        self.refresh()
        left = self._state.waiting
        with self._wake:
            waiting = bool(left.photos or left.photos_missing)
            self._schedule = plan.finished(self._schedule, self._clock(), waiting=waiting)
        self._tell(progress=None, problem=None, params={})

    def _keep_confirmed(self, revision: int) -> None:
        """Up to there a verified backup holds everything: the journal may be trimmed so far."""
        with self._db.read() as reader:
            known = read_state(reader, CONFIRMED, 0)
        if revision > known:
            self._write(lambda tx: write_state(tx, CONFIRMED, revision))

    def _failed(self, failure: RemoteFailure, began: datetime) -> None:
        log.info("sync was cut: %s", failure)
        progress = self._state.progress or Progress()
        self._record(failure.code, progress, began)
        self._wanted = False
        wait = timedelta(seconds=failure.retry_after) if isinstance(failure, Busy) else timedelta()
        self.refresh()
        self._fail(_trouble(failure), failure.code, failure.params, wait)

    def _fail(self, trouble: Trouble, code: str, params: Mapping[str, Any], wait: timedelta = timedelta()) -> None:
        with self._wake:
            self._schedule = plan.failed(self._schedule, self._clock(), trouble, chance=self._chance(), wait=wait)
        self._tell(progress=None, problem=code, params=params)

    def _record(self, result: str, progress: Progress, began: datetime) -> None:
        params = {"refused": progress.refused, "conflicts": progress.conflicts, "healed": progress.healed,
                  "removed": progress.removed, "repaired": progress.repaired}
        run = Run(
            began, self._clock(), result, progress.sent, progress.received, progress.photos_sent,
            progress.photos_received, {name: value for name, value in params.items() if value},
        )
        self._write(lambda tx: _outbox.record_run(tx, run))

    def _write(self, work: Callable[[Transaction], Result]) -> Result:
        written = self._db.write(work, actor=self._actor, now=self._clock()).result()
        self._on_changes(written.changes)
        return written.value

    def _tell(self, **changes: Any) -> None:
        with self._telling:  # the counts come from another thread than the run
            schedule = self._schedule
            self._state = replace(
                self._state, phase=schedule.phase, next_try=schedule.next_try, automatic=schedule.automatic,
                paused_until=schedule.paused_until, held=self._held(), **changes,
            )
        self._on_state()


class _Writer:
    """``sync.client.engine.LocalDatabase`` over the device's writer thread."""

    def __init__(
        self, db: Database, actor: Actor, clock: Callable[[], datetime], on_changes: Callable[[Changes], None]
    ) -> None:
        self._db = db
        self._actor = actor
        self._clock = clock
        self._on_changes = on_changes

    def write(self, work: Callable[[LocalTransaction], Result]) -> Result:
        written = self._db.write(work, actor=self._actor, now=self._clock()).result()
        self._on_changes(written.changes)
        return written.value


def _trouble(failure: RemoteFailure) -> Trouble:
    if isinstance(failure, Offline):
        return Trouble.OFFLINE
    if isinstance(failure, NeedsSignIn):
        return Trouble.SIGN_IN
    if isinstance(failure, Revoked):
        return Trouble.REVOKED
    if isinstance(failure, UpgradeNeeded):
        return Trouble.BLOCKED
    # Not our server, or a certificate that proves nothing: often a hotel's sign-in page, so it is tried again.
    return Trouble.SERVER
