"""The check of the outlets in the background: one for a session, whichever page is shown; it outlives its page."""

from __future__ import annotations

import threading

from PySide6.QtCore import QObject, Signal

from fieldcrm.domain.errors import CodedError
from fieldcrm.ui.appsession import AppSession
from fieldcrm.usecases import outlet_quality as quality
from fieldcrm.words import tr


class Checking(QObject):
    """``moved`` as it goes on, ``ended(n)`` when ``n`` outlets were looked at anew."""

    moved = Signal()
    ended = Signal(int)

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._session = session
        self._judge = quality.Judge(session.db)
        self._stop = threading.Event()
        self._again = False
        self.busy = False
        self.done = self.total = 0
        self.error: CodedError | None = None
        session.closing.connect(self._stop.set)

    def start(self) -> None:
        """Look at what is due; asked again meanwhile, once more at the end."""
        if self.busy:
            self._again = True
            return
        self.busy, self._again, self.error = True, False, None
        self.done = self.total = 0
        self._stop.clear()
        session, now = self._session, self._session.clock()
        title = tr("Confirm the outlet’s data")

        def work() -> int:
            done = self._judge.run(actor=session.actor, now=now, progress=self._tell, stopped=self._stop.is_set)
            if not self._stop.is_set() and quality.raise_alerts(session.db, title, actor=session.actor, now=now):
                session.tasks.post(lambda: session.wrote(quality.alerts_changed()))
            return done

        session.tasks.run(work, self._ended, self._failed)
        self.moved.emit()

    def stop(self) -> None:
        self._again = False
        self._stop.set()

    def _tell(self, done: int, total: int) -> None:
        self._session.tasks.post(lambda: self._heard(done, total))

    def _heard(self, done: int, total: int) -> None:
        self.done, self.total = done, total
        self.moved.emit()

    def _ended(self, count: int) -> None:
        self.busy = False
        self.moved.emit()
        self.ended.emit(count)
        if self._again:
            self.start()

    def _failed(self, error: BaseException) -> None:
        self.busy = False
        self.moved.emit()
        if not isinstance(error, CodedError):
            raise error
        self.error = error
        self.ended.emit(0)


def checking_of(session: AppSession) -> Checking:
    found = session.findChild(Checking)
    return found if isinstance(found, Checking) else Checking(session)
