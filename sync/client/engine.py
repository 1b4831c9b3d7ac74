"""One sync of one device: say hello, send, receive, then the photos. When to try again is not decided here.

The network is used on the calling thread; the database only inside the short pieces of work given to
``LocalDatabase.write``. Whatever is cut goes on from the same place the next time.
"""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import datetime
from functools import partial
from typing import Any, Protocol, TypeVar

from sync.client import ahead as asking
from sync.client import blobs
from sync.client.backfill import Backfill
from sync.client.blobs import BlobFiles, BlobSource, Waiting
from sync.client.bootstrap import Bootstrap
from sync.client.failures import STALLED, Busy, CallRefused, Offline, RemoteFailure, Revoked
from sync.client.local import Local, LocalTransaction, Outgoing, Received
from sync.client.repair import Repair
from sync.client.run import Progress
from sync.client.slices import Pace, slices, turn
from sync.protocol import PROTOCOL_VERSION, Pull, Remote, SyncRequest, SyncResponse

MAX_OPS = 1_000  # in one request
MAX_BYTES = 1 << 20  # of operations in one request, before compression
PAGE_ROWS = 4000  # in one answer
MAX_ROUNDS = 10_000
MAX_HEALS = 8  # epochs, gaps and forks in one run
MAX_UNVERIFIED = 3
MAX_STALLS = 3  # of a push in one run; each costs half a minute
BUSY_SECONDS = 30

Result = TypeVar("Result")


class LocalDatabase(Protocol):
    """Runs one short piece of work in one transaction on the device's writer thread, and waits for it."""

    def write(self, work: Callable[[LocalTransaction], Result]) -> Result: ...


class UpgradeNeeded(RemoteFailure):
    """The server no longer understands this version of the program."""

    code = "upgrade_needed"


class SyncEngine:
    """``clock`` gives the present as an aware UTC time. ``device_name`` names a device after a fork.

    ``stopwatch`` measures, in seconds, how long a piece of work takes; ``ahead`` asks for a page before it is wanted.
    ``waited_for`` says whether somebody else waits to write: until then more goes into one transaction.
    """

    def __init__(
        self,
        local: Local,
        database: LocalDatabase,
        remote: Remote,
        *,
        clock: Callable[[], datetime],
        device_name: str = "",
        files: BlobFiles | None = None,
        sources: tuple[BlobSource, ...] = (),
        stopwatch: Callable[[], float] = time.thread_time,
        ahead: Callable[[asking.Ask], asking.Ask] = asking.in_turn,
        waited_for: Callable[[], bool] = lambda: True,
    ) -> None:
        self.local = local
        self.database = database
        self.remote = remote
        self.clock = clock
        self.device_name = device_name
        self.files = files
        self.sources = sources
        self.stopwatch = stopwatch
        self.ahead = ahead
        self.waited_for = waited_for
        self.pace = Pace()

    def run(
        self,
        on_progress: Callable[[Progress], None] = lambda progress: None,
        cancelled: Callable[[], bool] = lambda: False,
        photos: Callable[[], bool] = lambda: True,
    ) -> Progress:
        """Sync until nothing is left to send or fetch. Raises ``RemoteFailure``; what was done stays done.

        ``photos`` is asked again and again while photos go: false holds them back until a later run.
        """
        run = _Run(self, on_progress, cancelled, photos)
        run.rows()
        if self.files is not None and not run.stopped():
            run.photos(self.files)
        run.step("done")
        return run.progress


class _Run:
    """The state of one run."""

    def __init__(
        self,
        engine: SyncEngine,
        on_progress: Callable[[Progress], None],
        cancelled: Callable[[], bool],
        photos: Callable[[], bool] = lambda: True,
    ) -> None:
        self.engine = engine
        self.progress = Progress()
        self.max_ops = MAX_OPS
        self._stalls = 0
        self.bootstrap = Bootstrap(self)
        self.repair = Repair(self)
        self.backfill = Backfill(self, self.repair)
        self._probed = False  # a new device first asks which buckets it may hold, for there may be prebuilt files
        self._unverified = 0
        self._on_progress = on_progress
        self._cancelled = cancelled
        self._photos_go = photos

    def step(self, phase: str | None = None) -> None:
        self.progress.phase = phase or self.progress.phase
        self._on_progress(self.progress)

    def stopped(self) -> bool:
        self.progress.cancelled = self.progress.cancelled or self._cancelled()
        return self.progress.cancelled

    def write(self, work: Callable[[LocalTransaction], Result]) -> Result:
        return self.engine.database.write(work)

    # Rows

    def rows(self) -> None:
        self.bootstrap.resume()
        for _ in range(MAX_ROUNDS):
            if self.stopped() or self._round():
                break
        if not self.stopped():
            self.backfill.run()

    def _round(self) -> bool:
        """One request and what follows from it; True when there is nothing left to do."""
        out = self.write(self._outgoing)
        self.step("sending" if out.transactions else "receiving")
        resume = out.token if not out.more else None
        probe = not (out.cursors or out.more or resume or self._probed)
        response = self._ask(out, 0 if out.more or resume else 1 if probe else PAGE_ROWS)
        if response is None:
            return False
        if response.control is not None:
            self._heal(response)
            return False
        self._settle(response)
        if out.more:
            return False
        if response.upgrade:
            raise UpgradeNeeded()
        if resume is not None:
            response = self.engine.remote.pull(resume)
            self._receive(response)
            return False  # what came since that pull began is asked for now
        self._probed = True
        if self._bootstrapped(out, response.pull) or probe:
            return False  # what came since those files were built is asked for now
        return self._receive(response) and not self._outbox_waits()

    def _bootstrapped(self, out: Outgoing, pull: Pull | None) -> bool:
        """Whether prebuilt files were taken of buckets of which nothing is here."""
        buckets = pull.buckets if pull is not None else []
        return self.bootstrap.take([bucket for bucket in buckets if bucket not in out.cursors])

    def _outgoing(self, tx: LocalTransaction) -> Outgoing:
        """What goes next. Its photos are queued in the same step: a record may be gone again when their turn comes."""
        engine = self.engine
        out = engine.local.outgoing(tx, self.max_ops, MAX_BYTES)
        if out.transactions and engine.files is not None:
            blobs.enqueue(tx, engine.sources, engine.files, engine.clock())
        return out

    def _ask(self, out: Outgoing, want: int) -> SyncResponse | None:
        request = SyncRequest(
            PROTOCOL_VERSION,
            self.engine.local.catalogue.schema,
            out.epoch,
            out.device,
            out.hello.next_seq,
            out.hello.prev_op,
            out.cursors,
            out.transactions,
            want,
            brief=True,
        )
        try:
            response = self.engine.remote.sync(request)
            self.progress.confirmed = max(self.progress.confirmed, response.confirmed)
            return response
        except CallRefused as refusal:
            if refusal.status != 413 or self.max_ops == 1:
                raise
            self._halve(out)
        except Offline as failure:
            hopeless = self.max_ops == 1 or not out.transactions or self._stalls == MAX_STALLS
            if failure.params.get("reason") != STALLED or hopeless:
                raise
            self._stalls += 1
            self._halve(out)
        return None

    def _halve(self, out: Outgoing) -> None:
        """Too much for the server, or for this line: send less at once."""
        sent = sum(len(tx.ops) for tx in out.transactions) or self.max_ops
        self.max_ops = max(1, min(self.max_ops, sent) // 2)

    def _settle(self, response: SyncResponse) -> None:
        if not response.results:
            return
        cols = response.pull.cols if response.pull else {}
        now = self.engine.clock()
        settled = self.write(lambda tx: self.engine.local.settle(tx, response.results, cols, now))
        self.progress.sent += settled.answered
        self.progress.refused += settled.refused
        self.progress.conflicts += settled.conflicts
        self.step()

    def _receive(self, response: SyncResponse) -> bool:
        """Apply this page and the ones after it; True when all was received and both sides agree."""
        while True:
            if response.control is not None:
                self._heal(response)
                return False
            pull = response.pull
            if pull is None or not pull.upto:
                return False
            token = pull.token if pull.more else None
            following = None if token is None else self.engine.ahead(partial(self.engine.remote.pull, token))
            self._apply(pull)
            if following is None:
                return self._verify(response)
            if self.stopped():
                return False
            response = following()

    def _apply(self, pull: Pull) -> None:
        self.step("receiving")
        parts = slices(pull, lambda: self.engine.pace.weight)
        more = True
        while more:
            received, more = self.write(partial(self._turn, parts=parts))
            self.progress.received += received.rows
            self.progress.removed += received.removed
            self.progress.unreadable += received.unreadable
            self.step()

    def _turn(self, tx: LocalTransaction, parts: Iterator[tuple[Pull, bool]]) -> tuple[Received, bool]:
        """Some parts of a page; whether more of it follows."""
        engine, total, more = self.engine, Received(), False

        def write(part: tuple[Pull, bool]) -> bool:
            nonlocal more
            pull, more = part
            total.add(engine.local.apply(tx, pull, partial=more))
            return more  # the last is a smaller one

        bulk = partial(engine.local.in_bulk, tx)
        turn(parts, write, engine.pace, engine.stopwatch, engine.waited_for, bulk)
        return total, more

    def _verify(self, response: SyncResponse) -> bool:
        if not response.digest:
            self._unverified += 1  # somebody wrote meanwhile: ask again, but not for ever on a busy day
            return self._unverified >= MAX_UNVERIFIED
        now = self.engine.clock()
        due = self.write(lambda tx: self.engine.local.begin_check(tx, now))
        wrong = self.write(lambda tx: self.engine.local.verify(tx, response.digest, now))
        self.progress.verified = not wrong
        if wrong:
            self._healed("digest")
            self.repair.mend(wrong)
        elif due and self.repair.check_rows():
            self._healed("digest")
        return not wrong

    def _outbox_waits(self) -> bool:
        query = "SELECT 1 FROM outbox LIMIT 1"
        return self.write(lambda tx: tx.conn.exec_driver_sql(query).one_or_none() is not None)

    # When the pasts differ

    def _healed(self, what: str) -> None:
        self.progress.healed.append(what)
        if len(self.progress.healed) > MAX_HEALS:
            raise Busy(BUSY_SECONDS, "pasts_differ", healed=list(self.progress.healed))

    def _heal(self, response: SyncResponse) -> None:
        local, code = self.engine.local, response.control
        if code == "revoked":
            raise Revoked()
        if code == "upgrade":
            raise UpgradeNeeded()
        if code == "busy" or code is None:
            raise Busy(BUSY_SECONDS)
        self._healed(code)
        if code in ("epoch", "compacted"):
            self.write(lambda tx: local.resync(tx, response.epoch))
            return
        if code == "gap":
            expected = response.expected or 1
            if self.write(lambda tx: local.rewind(tx, expected)):
                return
        device = self.engine.remote.new_device(self.engine.device_name).device
        self.write(lambda tx: local.fork(tx, device))

    # Photos

    def photos(self, files: BlobFiles) -> None:
        sources, now = self.engine.sources, self.engine.clock()
        self.write(lambda tx: blobs.enqueue(tx, sources, files, now))
        up = self.write(lambda tx: blobs.waiting(tx, "up"))
        down = self.write(lambda tx: blobs.waiting(tx, "down"))
        self.progress.photos_to_send, self.progress.photos_to_receive = len(up), len(down)
        self.progress.bytes_to_send = sum(blob.size - blob.offset for blob in up)
        if self._held():
            return
        self.step("photos")
        for blob, state in blobs.states(self.engine.remote, up):
            if self._held():
                return
            self._send(files, blob, state)
        for blob in down:
            if self._held():
                return
            self._fetch(files, blob)

    def _held(self) -> bool:
        return self.stopped() or not self._photos_go()

    def _send(self, files: BlobFiles, blob: Waiting, state: Any) -> None:
        if not state.have:
            try:
                content = files.get(blob.sha256)
            except Exception as error:
                code = str(getattr(error, "code", blobs.MISSING_HERE))
                self.write(lambda tx: blobs.troubled(tx, blob.sha256, code))
                return
            try:
                if not blobs.send(self.engine.remote, content, state, lambda at: self._sent(blob, at), self._held):
                    return
            except CallRefused as refusal:
                code = refusal.code
                self.write(lambda tx: blobs.troubled(tx, blob.sha256, code))
                return
        now = self.engine.clock()
        self.write(lambda tx: blobs.verified(tx, blob.sha256, now))
        self.progress.photos_sent += 1
        self.step()

    def _sent(self, blob: Waiting, offset: int) -> None:
        self.write(lambda tx: blobs.advanced(tx, blob.sha256, offset))
        self.progress.bytes_sent += min(blobs.PIECE, blob.size)
        self.step()

    def _fetch(self, files: BlobFiles, blob: Waiting) -> None:
        try:
            content = blobs.fetch(self.engine.remote, blob)
        except CallRefused as refusal:
            code = refusal.code
            self.write(lambda tx: blobs.troubled(tx, blob.sha256, code))
            return
        if content is None:
            self.write(lambda tx: blobs.troubled(tx, blob.sha256, blobs.NOT_THERE_YET))
            return
        files.put(content)
        now = self.engine.clock()
        self.write(lambda tx: blobs.verified(tx, blob.sha256, now))
        self.progress.photos_received += 1
        self.step()
