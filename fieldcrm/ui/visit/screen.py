"""The visit screen: begins a visit, goes on with a draft, corrects a report, or shows one that was sent."""

from __future__ import annotations

from functools import partial

from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QApplication, QStackedWidget, QVBoxLayout, QWidget

from fieldcrm.domain.changes import Changes
from fieldcrm.domain.ids import Id
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.visit.drafts_page import DraftsPage
from fieldcrm.ui.visit.editor import DraftEditor
from fieldcrm.ui.visit.receiver import ask_position
from fieldcrm.ui.visit.report_page import ReportPage
from fieldcrm.ui.widgets import Confirm, EmptyState
from fieldcrm.usecases import visits
from fieldcrm.words import tr, trn


class VisitScreen(QWidget):
    """``open(outlet=…, stop=…)`` begins or goes on with a visit; ``open(draft=…)`` goes on with a draft;
    ``open(correct=…)`` corrects a report; ``open(report=…)`` (or ``submission=…``) shows one; ``open()`` lists the
    drafts of this device.
    """

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self.session = session
        self.editor: DraftEditor | None = None
        self._stack = QStackedWidget()
        layout = QVBoxLayout(self)
        layout.setContentsMargins(0, 0, 0, 0)
        layout.addWidget(self._stack)
        self._wanted = 0
        app = QApplication.instance()
        if app is not None:
            app.aboutToQuit.connect(self.leaving)

    # the shell's side

    def open(self, **params: object) -> None:
        self.leaving()
        self._wanted += 1
        match params:
            case {"draft": Id() as draft}:
                self._open_draft(draft)
            case {"outlet": Id() as outlet, **more}:
                stop = more.get("stop")
                self._begin(outlet, stop if isinstance(stop, Id) else None)
            case {"correct": Id() as report}:
                self.session.do(lambda tx: visits.correct(tx, report), self._replace, self._cannot, tr("Correction"))
            case {"report": Id() as report} | {"submission": Id() as report}:
                self._put(ReportPage(self.session, report))
            case _:
                self._put(DraftsPage(self.session))

    def refresh(self, changes: Changes) -> None:
        page = self._stack.currentWidget()
        if isinstance(page, DraftsPage | ReportPage):
            page.refresh(changes)

    def leaving(self) -> None:
        """Another screen comes to the front, or the window closes: whatever was typed goes to the disk now."""
        if self.editor is not None:
            self.editor.keep()

    def hideEvent(self, event: QHideEvent) -> None:
        self.leaving()
        super().hideEvent(event)

    def areas(self) -> list[QWidget]:
        """For F6: the steps, then the page."""
        if self.editor is None:
            return [self]
        return [self.editor.stepper, self.editor.page_focus()]

    def actions(self) -> list[Action]:  # type: ignore[override]
        def here() -> bool:
            return self.editor is not None

        def act(name: str) -> None:
            if self.editor is not None:
                getattr(self.editor, name)()

        return [
            Action("visit.send", tr("Check and &send"), self._check_or_send, ("Ctrl+Return",), "send", "visit", 0,
                   here),
            Action("visit.save", tr("Save the &draft now"), self.leaving, ("Ctrl+S",), "save", "visit", 0, here),
            Action("visit.next_step", tr("&Next step"), partial(self._step, 1), ("Ctrl+PgDown",), "arrow-right",
                   "visit", 1, here),
            Action("visit.previous_step", tr("&Previous step"), partial(self._step, -1), ("Ctrl+PgUp",), "arrow-left",
                   "visit", 1, here),
            Action("visit.next_problem", tr("Next &problem"), partial(act, "show_next_problem"), ("F4",),
                   "circle-alert", "visit", 1, here),
            Action("visit.undo", tr("&Undo the last answer"), partial(act, "undo"), (), "undo-2", "edit", 0,
                   lambda: self.editor is not None and self.editor.recording.can_undo),
            Action("visit.discard", tr("&Throw the draft away…"), self.discard, (), "trash-2", "visit", 2, here),
        ]

    # drafts

    def _begin(self, outlet: Id, stop: Id | None) -> None:
        self.session.do(lambda tx: visits.start_visit(tx, outlet, stop), self._replace, self._cannot, "visit.begun")

    def _replace(self, draft: Id) -> None:
        """The draft is the place to come back to, not its beginning."""
        self.session.navigator.replace("visit", draft=draft)

    def _open_draft(self, draft: Id) -> None:
        if self.editor is not None and self.editor.recording.draft_id == draft:
            self.editor.focus_page()
            return
        turn = self._wanted

        def arrived(opened: visits.OpenDraft) -> None:
            if turn == self._wanted:
                self._edit(opened)

        self.session.ask_later(lambda r: visits.open_draft(r, draft), arrived, self._cannot)

    def _edit(self, opened: visits.OpenDraft) -> None:
        editor = DraftEditor(self.session, opened)
        editor.sent.connect(self._sent)
        editor.discard_wanted.connect(self.discard)
        self._put(editor)
        self.editor = editor
        editor.focus_page()
        draft = opened.draft
        if draft.position_source == "none" and draft.supersedes_id is None:
            ask_position(editor, lambda place: self._placed(editor, place))

    def _placed(self, editor: DraftEditor, place: visits.Position) -> None:
        draft = editor.recording.draft_id
        self.session.do(lambda tx: visits.set_position(tx, draft, place), lambda _: editor.look_at_position())

    def discard(self) -> None:
        """Throw the draft away, after a question: this cannot be undone."""
        editor = self.editor
        if editor is None:
            return
        name = editor.recording.opened.outlet.name
        text = tr("Everything recorded in this visit to {outlet} is lost, photos too.", outlet=name)
        if not Confirm.ask(self, tr("Throw this draft away?"), text, tr("Throw away")):
            editor.focus_page()
            return
        draft = editor.recording.draft_id
        editor.recording.close()
        self.session.do(lambda tx: visits.discard(tx, draft), self._discarded)

    def _discarded(self, photos: tuple[str, ...]) -> None:
        for name in photos:
            self.session.photos.delete(name)
        self._leave()

    def _sent(self, submitted: visits.Submitted) -> None:
        editor = self.editor
        name = editor.recording.opened.outlet.name if editor is not None else ""
        self._leave()
        lines = trn("{n} line", "{n} lines", submitted.lines)
        photos = trn("{n} photo", "{n} photos", submitted.photos)
        self.session.messages.done(
            tr("Report for {outlet} saved on this device: {lines}, {photos}.", outlet=name, lines=lines, photos=photos))

    def _leave(self) -> None:
        """Back to the day, where the next stop waits; the draft is no place to come back to."""
        draft = self.editor.recording.draft_id if self.editor is not None else None
        self._put(DraftsPage(self.session))
        if draft is not None:
            self.session.navigator.forget("visit", draft=draft)
        self.session.navigator.replace("today")

    # inside

    def _check_or_send(self) -> None:
        if self.editor is None:
            return
        if self.editor.step == len(self.editor.pages):
            self.editor.send()
        else:
            self.editor.go_check()

    def _step(self, by: int) -> None:
        if self.editor is not None:
            self.editor.go(self.editor.step + by)

    def _put(self, page: QWidget) -> None:
        before = self._stack.currentWidget()
        self.editor = None
        self._stack.addWidget(page)
        self._stack.setCurrentWidget(page)
        if before is not None:
            self._stack.removeWidget(before)
            before.deleteLater()

    def _cannot(self, error: BaseException) -> None:
        again = (tr("Go to Today"), lambda: self.session.navigator.go("today"))
        title = tr("This visit cannot be shown")
        self._put(EmptyState("triangle-alert", title, sentence(error), again, tone="warning"))
