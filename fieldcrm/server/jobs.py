"""What the server does by itself from time to time."""

from __future__ import annotations

import logging
import threading

from sqlalchemy.exc import SQLAlchemyError

from fieldcrm.server.headquarters import Headquarters

EVERY = 600.0  # seconds

log = logging.getLogger(__name__)


def run_once(hq: Headquarters) -> None:
    """Forget tokens and uploads that nobody will come back for, and write down the newest revisions."""
    now = hq.clock()
    hq.auth.forget_expired(now=now)
    hq.blobs.forget_stale(now=now)
    hq.mark_revisions()


class Jobs:
    """Runs ``run_once`` every ten minutes on a thread of its own, until stopped."""

    def __init__(self, hq: Headquarters, every: float = EVERY) -> None:
        self._hq = hq
        self._every = every
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._run, name="server-jobs", daemon=True)

    def start(self) -> None:
        self._thread.start()

    def stop(self) -> None:
        self._stop.set()
        if self._thread.is_alive():
            self._thread.join(timeout=5)

    def _run(self) -> None:
        while not self._stop.wait(self._every):
            try:
                run_once(self._hq)
            except (SQLAlchemyError, OSError) as error:  # the database or the disk; the next round may do
                log.error('{"job": "%s"}', type(error).__name__)
