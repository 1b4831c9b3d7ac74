"""A report that was sent, to read, with the way to correct it."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from fieldcrm.domain.changes import Changes
from fieldcrm.domain.ids import Id
from fieldcrm.domain.submission import ReportState
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.widgets import Button, StateStack, column, row
from fieldcrm.ui.widgets.photos import PhotoLoader
from fieldcrm.ui.widgets.report_view import ReportView
from fieldcrm.usecases import report as reports
from fieldcrm.words import language, tr


class ReportPage(QWidget):
    def __init__(self, session: AppSession, report: Id) -> None:
        super().__init__()
        self.session, self.report = session, report
        self.view = ReportView(PhotoLoader(session.photos, session.tasks))
        self.view.version_wanted.connect(lambda id: session.navigator.go("visit", report=id))
        self.view.outlet_wanted.connect(lambda id: session.navigator.go("outlet", id=id))
        self._stack = StateStack(self.view)
        self.correct = Button(tr("Correct this report"), "secondary", "pencil", self._correct)
        layout = column(0)
        bar = row(2)
        bar.setContentsMargins(24, 12, 24, 0)
        bar.addWidget(Button(tr("Back"), "ghost", "arrow-left", session.navigator.back))
        bar.addStretch(1)
        bar.addWidget(self.correct)
        layout.addLayout(bar)
        layout.addWidget(self._stack, 1)
        self.setLayout(layout)
        self.load()

    def load(self) -> None:
        spoken, report = language(), self.report
        self._stack.show_loading()
        self.session.ask_later(
            lambda r: reports.open_report(r, report, language=spoken), self._arrived, self._stack.show_error,
            key="visit-report")

    def refresh(self, changes: Changes) -> None:
        if changes.touches("submission", "review", "attachment", "sync"):
            self.load()

    def _arrived(self, found: reports.Report) -> None:
        self.view.show_report(found)
        mine = found.item.report.person_id == self.session.actor.user_id
        newest = found.item.state is not ReportState.SUPERSEDED
        approved = found.item.state is ReportState.APPROVED
        self.correct.setVisible(mine and newest and not approved)
        self._stack.show_content()

    def _correct(self) -> None:
        self.session.navigator.go("visit", correct=self.report)
