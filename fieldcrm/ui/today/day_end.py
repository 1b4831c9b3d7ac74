"""The foot of the day: what was reported, here and verified at headquarters, and the one thing that is missing."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.receipt_words import missing_words, next_step, sum_words
from fieldcrm.ui.widgets import Button, Disc, ElidedText, column
from fieldcrm.usecases import receipts
from fieldcrm.usecases.receipts import GONE_HERE, Missing, Reconciliation, Stage
from fieldcrm.usecases.sync_state import Phases


class DayEnd(QWidget):
    """Hidden while nothing was reported. ``open_outlet`` is given what only a person can mend."""

    def __init__(self, session: AppSession, open_outlet: Callable[[Missing], None]) -> None:
        super().__init__()
        self._session, self._open = session, open_outlet
        self.day: Reconciliation | None = None
        across = QHBoxLayout(self)
        across.setContentsMargins(theme.space(6), theme.space(2), theme.space(6), theme.space(2))
        across.setSpacing(theme.space(3))
        self._mark = Disc(36)
        across.addWidget(self._mark, 0, Qt.AlignmentFlag.AlignVCenter)
        lines = column(0)
        self.sum = ElidedText("", "body-medium")
        self.missing = ElidedText("", "caption", "muted")
        lines.addWidget(self.sum)
        lines.addWidget(self.missing)
        across.addLayout(lines, 1)
        self.button = Button("", "secondary", "send", self._act)
        across.addWidget(self.button)
        self.hide()
        session.sync_changed.connect(self._on_sync)

    def read(self, *, shown: bool) -> None:
        """Count again, off the UI thread; ``shown``: whether the day on the screen is the present one."""
        if not shown:
            self.hide()
            return
        person, now = self._session.actor.user_id, self._session.clock()
        begins = now.astimezone().replace(hour=0, minute=0, second=0, microsecond=0)
        self._session.ask_later(lambda r: receipts.day_end(r, person, begins), self.show_day, key="day-end")

    def show_day(self, day: Reconciliation) -> None:
        self.day = day
        self.setVisible(day.reports_here > 0)
        first = day.missing[0] if day.missing else None
        tone = "success"
        if first is not None:
            tone = "danger" if first.receipt.stage is Stage.REFUSED or first.problem in GONE_HERE else "warning"
        self._mark.set({"success": "shield-check", "warning": "hard-drive"}.get(tone, "circle-alert"), tone)
        self.sum.set_whole(sum_words(day))
        self.missing.set_whole("" if first is None else missing_words(first, len(day.missing)))
        self.missing.setVisible(first is not None)
        self.button.setVisible(first is not None and self._possible(first))
        if first is not None:
            text, icon = next_step(first)
            self.button.setText(text)
            icons.set_icon(self.button, icon, "muted")
        self.setAccessibleName(f"{self.sum.whole()} {self.missing.whole()}".strip())

    def _possible(self, missing: Missing) -> bool:
        return self._session.sync is not None or missing.receipt.stage is Stage.REFUSED or missing.problem in GONE_HERE

    def _on_sync(self) -> None:
        sync = self._session.sync
        if self.isVisible() and sync is not None and sync.state.phase is not Phases.SYNCING:
            self.read(shown=True)

    def _act(self) -> None:
        if self.day is None or not self.day.missing:
            return
        first = self.day.missing[0]
        if first.receipt.stage is Stage.REFUSED:
            self._session.navigator.go("sync", tab="decisions")
        elif first.problem in GONE_HERE:
            self._open(first)
        else:
            report = first.receipt.submission_id
            self._session.do(lambda tx: receipts.resend(tx, [report]), lambda _: self._send())

    def _send(self) -> None:
        if self._session.sync is not None:
            self._session.sync.send_photos_now()
