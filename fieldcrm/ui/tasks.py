"""Work off the UI thread: executors, and one queued signal of a long-lived object that brings results home.

Functions given here take and return plain data; no QObject and no database session crosses a thread.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from concurrent.futures import CancelledError, Future, ThreadPoolExecutor
from contextlib import suppress
from typing import Any, TypeVar

from PySide6.QtCore import QObject, Qt, Signal, Slot
from shiboken6 import isValid

log = logging.getLogger(__name__)

R = TypeVar("R")
Then = Callable[[Any], None]
Failed = Callable[[BaseException], None]


def alive(callback: Callable[..., Any]) -> bool:
    """Whether the objects that a method or a local function works on still exist on the Qt side."""
    return all(isValid(owner) for owner in _owners(callback) if isinstance(owner, QObject))


def _owners(callback: Callable[..., Any]) -> Iterator[object]:
    """What a method is bound to, and what a local function has taken from around it."""
    yield getattr(callback, "__self__", None)
    for cell in getattr(callback, "__closure__", None) or ():
        with suppress(ValueError):  # a name that was never given anything
            yield cell.cell_contents


class Tasks(QObject):
    """Runs functions in a small pool; ``then`` and ``failed`` are called on the UI thread, in the order of landing."""

    _landed = Signal(object)

    def __init__(self, parent: QObject | None = None, *, workers: int = 3) -> None:
        super().__init__(parent)
        self._pool = ThreadPoolExecutor(max_workers=workers, thread_name_prefix="task")
        self._stopped = False
        self.unexpected: Failed = _log_unexpected
        self._landed.connect(self._deliver, Qt.ConnectionType.QueuedConnection)

    def run(
        self, fn: Callable[[], R], then: Callable[[R], None] | None = None, failed: Failed | None = None
    ) -> Future[R]:
        """Run ``fn`` in the pool. Without ``failed``, an error goes to ``unexpected``."""
        if self._stopped:  # a window that is closing may still ask: it gets no answer
            dropped: Future[R] = Future()
            dropped.cancel()
            return dropped
        future = self._pool.submit(fn)
        self.watch(future, then, failed)
        return future

    def watch(self, future: Future[R], then: Callable[[R], None] | None = None, failed: Failed | None = None) -> None:
        """Bring the result of a future made elsewhere (the database's writer) to the UI thread."""
        future.add_done_callback(lambda done: self._land((done, then, failed)))

    def post(self, fn: Callable[[], None]) -> None:
        """Call ``fn`` on the UI thread soon; may be called from any thread."""
        self._land(fn)

    def stop(self) -> None:
        """Take no more work, drop what has not begun, wait for what has."""
        self._stopped = True
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _land(self, what: object) -> None:
        if not self._stopped:
            self._landed.emit(what)

    @Slot(object)
    def _deliver(self, what: Any) -> None:
        if self._stopped:
            return
        if callable(what):
            if alive(what):
                what()
            return
        future, then, failed = what
        try:
            result = future.result()
        except CancelledError:
            return
        except BaseException as error:
            handler = failed if failed is not None and alive(failed) else self.unexpected
            handler(error)
            return
        if then is not None and alive(then):
            then(result)


def _log_unexpected(error: BaseException) -> None:
    log.error("a task failed", exc_info=error)
