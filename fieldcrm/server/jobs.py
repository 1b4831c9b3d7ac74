"""What the server does by itself from time to time."""

from __future__ import annotations

import logging
import threading
from collections.abc import Callable
from datetime import timedelta

from sqlalchemy.exc import SQLAlchemyError

from fieldcrm.server.headquarters import Headquarters

EVERY = 600.0  # seconds
RETENTION = timedelta(days=180)  # of words that a record left; a device away for longer compares all it holds
_A_ROUND = timedelta(seconds=0.9 * EVERY)  # the next round may be any server's
_A_BUILD = timedelta(minutes=30)  # after which a server that was killed is no longer waited for
_LATER = 30.0  # seconds until another server is asked again whether it is done
PAUSE = 5.0  # between two rounds of building, however many ask

log = logging.getLogger(__name__)


def run_once(hq: Headquarters, retention: timedelta = RETENTION) -> bool:
    """Forget tokens and uploads that nobody will come back for, and departures older than ``retention``; write down
    the newest revisions.

    Of several servers on one database the first to come sweeps; False when it was another.
    """
    now = hq.clock()
    hq.mark_revisions()
    if not hq.leases.take("sweep", now=now, length=_A_ROUND):
        return False
    hq.auth.forget_attempts(None, now=now)
    for org, _ in hq.accounts.organisations():
        hq.auth.forget_expired(org, now=now)
        hq.auth.forget_attempts(org, now=now)
        hq.blobs.forget_stale(org, now=now)
        hq.sync.mark_day(org, now=now)
        hq.bundles.ensure_key(org, now=now)
        hq.sync.compact_before(org, now - retention)
    return True


def build_snapshots(hq: Headquarters, stopped: Callable[[], bool]) -> bool:
    """Make the files for first syncs that are missing or old; False when another server is at it."""
    if not hq.leases.take("snapshots", now=hq.clock(), length=_A_BUILD):
        return False
    try:
        for org, _ in hq.accounts.organisations():
            hq.snapshots.refresh(org, now=hq.clock(), stopped=stopped)
    finally:
        hq.leases.give_back("snapshots")
    return True


class Jobs:
    """Runs ``run_once`` every ten minutes on a thread of its own, until stopped, and builds snapshots on another."""

    def __init__(self, hq: Headquarters, every: float = EVERY, retention: timedelta = RETENTION) -> None:
        self._hq = hq
        self._retention = retention
        self._every = every
        self._stop = threading.Event()
        self._threads = [
            threading.Thread(target=self._run, name="server-jobs", daemon=True),
            threading.Thread(target=self._build, name="server-snapshots", daemon=True),
        ]

    def start(self) -> None:
        for thread in self._threads:
            thread.start()

    def stop(self) -> None:
        self._stop.set()
        self._hq.snapshots.wanted.set()  # wakes the builder
        for thread in self._threads:
            if thread.is_alive():
                thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                run_once(self._hq, self._retention)
            except (SQLAlchemyError, OSError) as error:  # the database or the disk; the next round may do
                log.error('{"job": "%s"}', type(error).__name__)

    def _build(self) -> None:
        """At the start, every ten minutes, and soon after somebody asked for a file that is not there."""
        while not self._stop.is_set():
            try:
                if not build_snapshots(self._hq, self._stop.is_set):
                    self._stop.wait(_LATER)
                    continue
            except (SQLAlchemyError, OSError) as error:
                log.error('{"job": "snapshots", "failure": "%s"}', type(error).__name__)
            self._stop.wait(PAUSE)
            self._hq.snapshots.wanted.wait(self._every)
            self._hq.snapshots.wanted.clear()
