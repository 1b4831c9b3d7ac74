"""Long work of the outlet base: one at a time, in a worker thread, with progress; it outlives the page it began on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeVar

from PySide6.QtCore import QElapsedTimer, QObject, Signal

from fieldcrm.domain.changes import Changes
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.tasks import alive
from fieldcrm.usecases.longwork import OnProgress, Phase, Progress, Stopped
from fieldcrm.words import number, percent, tr, trn

R = TypeVar("R")
STEADY = 1500  # ms before a rate and a rest of time are said: the first slices are slower


@dataclass(slots=True)
class Running:
    """What is being done. ``said`` names it in a sentence: “Importing shops.csv.”"""

    name: str
    said: str
    stop: threading.Event
    clock: QElapsedTimer
    progress: Progress | None = None
    phase_at: int = 0  # ms after the beginning at which the phase began, and what stood there
    phase_fraction: float = 0.0
    phase_rows: int = 0

    @property
    def stopping(self) -> bool:
        return self.stop.is_set()

    def hear(self, progress: Progress) -> None:
        before = self.progress
        if before is None or before.phase is not progress.phase or progress.fraction < before.fraction:
            self.phase_at, self.phase_fraction, self.phase_rows = self.clock.elapsed(), progress.fraction, progress.rows
        self.progress = progress

    def rate(self) -> float | None:
        """Rows a second in this phase; ``None`` while it is too early to say."""
        spent = self.clock.elapsed() - self.phase_at
        if self.progress is None or spent < STEADY or self.progress.rows <= self.phase_rows:
            return None
        return (self.progress.rows - self.phase_rows) / spent * 1000

    def rest(self) -> float | None:
        """Seconds that this phase probably takes still; ``None`` while it is too early to say."""
        spent = self.clock.elapsed() - self.phase_at
        if self.progress is None or spent < STEADY or self.progress.fraction <= self.phase_fraction:
            return None
        done = self.progress.fraction - self.phase_fraction
        return spent / 1000 * (1 - self.progress.fraction) / done


class Work(QObject):
    """``changed`` when work begins, goes on, or ends; ``running`` is what is being done now, or ``None``."""

    changed = Signal()

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._session = session
        self.running: Running | None = None
        session.closing.connect(self.stop)

    def begin(
        self,
        name: str,
        said: str,
        work: Callable[[OnProgress, Stopped], R],
        then: Callable[[R], None],
        failed: Callable[[BaseException], None],
        *,
        writes: bool = True,
    ) -> bool:
        """Do ``work`` in a worker thread; ``then`` or ``failed`` hear of it on the UI thread, also when it was stopped.

        ``writes``: the screens, the copy and the sync hear that everything may have changed, and closing the program
        asks first. ``False`` when something else is being done: nothing was begun then.
        """
        if self.running is not None:
            return False
        stop, clock = threading.Event(), QElapsedTimer()
        clock.start()
        running = self.running = Running(name, said, stop, clock)
        tasks = self._session.tasks

        def heard(progress: Progress) -> None:
            if self.running is running:
                running.hear(progress)
                self.changed.emit()

        def told(progress: Progress) -> None:
            tasks.post(lambda: heard(progress))

        def ended() -> None:
            self.running = None
            self._session.set_under_way("")
            if writes:
                self._session.wrote(Changes({}, True, "", None))

        def done(result: R) -> None:
            ended()
            if alive(then):
                then(result)
            self.changed.emit()

        def broke(error: BaseException) -> None:
            ended()
            (failed if alive(failed) else self._session.messages.error)(error)
            self.changed.emit()

        if writes:
            self._session.set_under_way(said)
        tasks.run(lambda: work(told, stop.is_set), done, broke)
        self.changed.emit()
        return True

    def stop(self) -> None:
        """Ask what is being done to stop; it ends at the next safe place."""
        if self.running is not None:
            self.running.stop.set()
            self.changed.emit()


def work_of(session: AppSession) -> Work:
    """The session's long work: the same for every page, also after the screens were made anew."""
    found = session.findChild(Work)
    return found if isinstance(found, Work) else Work(session)


def phase_words(phase: Phase) -> str:
    return {
        Phase.COMPARING: tr("Comparing with the outlets that are here"),
        Phase.WRITING: tr("Writing the outlets"),
        Phase.TIDYING: tr("Preparing the search"),
        Phase.CLOSING: tr("Looking for outlets that are no longer in the file"),
        Phase.TAKING_OUT: tr("Taking outlets out"),
        Phase.RESTORING: tr("Putting back what was there before"),
        Phase.MATCHING: tr("Comparing the outlets with one another"),
        Phase.MERGING: tr("Merging"),
        Phase.DECIDING: tr("Deciding"),
    }[phase]


def progress_words(running: Running) -> str:
    """``12,400 rows · 5,200 a second · about 40 s to go``."""
    progress = running.progress
    if progress is None:
        return tr("Beginning…")
    parts = [percent(progress.fraction)]
    if progress.rows:
        parts.append(trn("{n} row", "{n} rows", progress.rows))
    rate, rest = running.rate(), running.rest()
    if rate is not None and rate >= 1:
        parts.append(tr("{n} a second", n=number(round(rate))))
    if rest is not None and rest >= 1:
        parts.append(_rest(rest))
    return " · ".join(parts)


def _rest(seconds: float) -> str:
    if seconds < 90:
        return tr("about {n} s to go", n=number(round(seconds)))
    return trn("about {n} min to go", "about {n} min to go", round(seconds / 60))
