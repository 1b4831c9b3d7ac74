"""A draft on the screen: head, steps, the page of the step, and the way on."""

from __future__ import annotations

from functools import partial

from PySide6.QtCore import QModelIndex, Signal
from PySide6.QtWidgets import QSizePolicy, QStackedWidget, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.forms.model import Control, Group, Item, Question
from fieldcrm.forms.problems import Problem
from fieldcrm.ui import icons
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import Message, sentence
from fieldcrm.ui.tasks import alive
from fieldcrm.ui.visit.check_page import CheckPage
from fieldcrm.ui.visit.grid_page import GridPage
from fieldcrm.ui.visit.group_page import GroupPage
from fieldcrm.ui.visit.head import Head
from fieldcrm.ui.visit.recording import Recording
from fieldcrm.ui.visit.stepper import Stepper, StepState
from fieldcrm.ui.widgets import Button, Card, InlineMessage, Text, column, row
from fieldcrm.usecases import visits
from fieldcrm.words import tr


class DraftEditor(QWidget):
    """``sent(Submitted)`` after a submission; ``discard_wanted`` when the person asks to throw the draft away."""

    sent = Signal(object)
    discard_wanted = Signal()

    def __init__(self, session: AppSession, opened: visits.OpenDraft) -> None:
        super().__init__()
        self.session = session
        self.recording = Recording(session, opened, self)
        self._sending = False
        self._send_after_photos = False
        self._paths = [path for path in map(self._path, self.recording.form.steps) if self._has_questions(path)]
        self.pages: list[GridPage | GroupPage] = [self._page(path) for path in self._paths]
        for page in self.pages:
            if isinstance(page, GridPage):
                page.view.undo_wanted.connect(self.undo)
        self.check = CheckPage(self.recording, self.show_answer, self.send)
        self.head = Head(self.recording, self.go_check, self.discard_wanted.emit)
        self.stepper = Stepper()
        self.message = InlineMessage()
        self._stack = QStackedWidget()
        for widget in (*self.pages, self.check):
            self._stack.addWidget(widget)
        self._build()
        self.recording.answered.connect(self._mark)
        self.recording.failed.connect(self._failed)
        self.recording.photos_changed.connect(self._photos_changed)
        self._mark()
        self.stepper.selectionModel().currentChanged.connect(self._step_chosen)
        self.go(min(self.recording.step, len(self.pages)))

    def _build(self) -> None:
        layout = column(2.5)
        layout.setContentsMargins(24, 14, 24, 12)
        layout.addWidget(self.head)
        layout.addWidget(self.stepper)
        review = self._review_note()
        if review is not None:
            layout.addWidget(review)
        layout.addWidget(self.message)
        layout.addWidget(self._stack, 1)
        foot = row(3)
        self.back = Button(tr("Back"), "secondary", "arrow-left", lambda: self.go(self.step - 1))
        self.onward = Button(tr("Next step"), "secondary", "arrow-right", lambda: self.go(self.step + 1))
        foot.addWidget(self.back)
        self._keys = QStackedWidget()
        self._keys.setSizePolicy(QSizePolicy.Policy.Ignored, QSizePolicy.Policy.Fixed)
        for page in self.pages:
            self._keys.addWidget(page.keys() if isinstance(page, GridPage) else QWidget())
        self._keys.addWidget(self.check.foot)
        foot.addWidget(self._keys, 1)
        foot.addWidget(self.onward)
        foot.addWidget(self.check.send)
        layout.addLayout(foot)
        self.setLayout(layout)

    def _review_note(self) -> Card | None:
        """What headquarters asks about a returned report."""
        opened = self.recording.opened
        if not opened.review_note and not opened.questioned:
            return None
        card = Card(padding=3.5, spacing=1.5, tone="warning")
        line = row(2)
        line.addWidget(Text(opened.review_note or tr("Some answers are in question."), "body-medium", wrap=True), 1)
        for path in opened.questioned[:4]:
            if self.recording.instance.has(path):
                line.addWidget(Button(self._short(path), "ghost", on_click=partial(self.show_answer, path)))
        card.add(line)
        return card

    def _short(self, path: str) -> str:
        line = self.recording.lines.get(path.rpartition("[")[2].partition("]")[0])
        return line.name if line is not None else " ".join(self.recording.instance.label(path).split())

    def _path(self, item: Item) -> str:
        return item.path.removeprefix(self.recording.form.root.path)

    def _has_questions(self, path: str) -> bool:
        """Steps of notes alone (a summary) are shown on the last page."""
        root = self.recording.form.root.path + path
        return any(
            (q.path == root or q.path.startswith(root + "/")) and q.control not in (Control.NOTE, Control.HIDDEN)
            for q in self.recording.form.questions()
        )

    def _page(self, path: str) -> GridPage | GroupPage:
        """A group that holds an audit and nothing else is the audit itself."""
        item = self.recording.instance.item(path)
        if isinstance(item, Group):
            children = self.recording.instance.children(path)
            for grid in self.recording.grids:
                if grid.path == path or children == [grid.path]:
                    return GridPage(self.recording, grid)
        return GroupPage(self.recording, path)

    # steps

    @property
    def step(self) -> int:
        return self._stack.currentIndex()

    def go(self, step: int) -> None:
        """Show a step; the one after the last question is the check."""
        step = max(0, min(step, len(self.pages)))
        if self.stepper.currentIndex().row() != step:
            self.stepper.go(step)
            return
        self._show(step)

    def go_check(self) -> None:
        self.go(len(self.pages))

    def _step_chosen(self, current: QModelIndex, _before: QModelIndex) -> None:
        if current.isValid():
            self._show(current.row())

    def _show(self, step: int) -> None:
        self._stack.setCurrentIndex(step)
        last = step == len(self.pages)
        self._keys.setCurrentIndex(step)
        self.back.setVisible(step > 0)
        self.onward.setVisible(not last)
        self.check.send.setVisible(last)
        self.onward.setText(tr("Check and send") if step == len(self.pages) - 1 else tr("Next step"))
        self.head.check.setVisible(not last)
        self.recording.go_to(step)
        if last:
            for page in self.pages:
                if isinstance(page, GroupPage):
                    page.be_strict()
            self._mark(strict=True)
        self.focus_page()

    def page_focus(self) -> QWidget:
        """What takes the focus on the page in front."""
        page = self._stack.currentWidget()
        return page.view if isinstance(page, GridPage) else self.head.check

    def focus_page(self) -> None:
        page = self._stack.currentWidget()
        if isinstance(page, GridPage):
            page.view.setFocus()
        elif isinstance(page, GroupPage | CheckPage):
            page.start()

    def show_answer(self, path: str) -> None:
        """Go to an answer, wherever it is."""
        for step, page in enumerate(self.pages):
            under = path == self._paths[step] or path.startswith(self._paths[step] + "/")
            if under:
                self.go(step)
                page.show_answer(path)
                return

    def show_next_problem(self) -> None:
        errors = self.recording.errors()
        if errors:
            self.show_answer(errors[0].path)

    def _mark(self, _paths: object = None, *, strict: bool = False) -> None:
        problems = self.recording.errors()
        self.stepper.set_steps([self._state(at, problems) for at in range(len(self.pages))] + [
            StepState(tr("Check and send"), "send")])

    def _state(self, at: int, problems: list[Problem]) -> StepState:
        path, page = self._paths[at], self.pages[at]
        item = self.recording.instance.item(path)
        named = item.bind.own.get("icon", "")
        icon = named if icons.known(named) else "clipboard-list"
        wrong = any(problem.path.startswith(path) for problem in problems)
        answered = self._answered(path, item)
        note = ""
        if isinstance(page, GridPage):
            done, many = self.recording.counts(page.grid)
            note, answered = f"{done}/{many}", 0 < many == done
        mark = "problem" if wrong and (self._visited(at) or answered) else ("done" if answered and not wrong else "")
        return StepState(self.recording.say_label(path), icon, note, mark)

    def _visited(self, at: int) -> bool:
        return self.recording.step > at

    def _answered(self, path: str, item: object) -> bool:
        if isinstance(item, Question):
            return bool(self.recording.get(path))
        return self.recording.instance.answered(path)

    def keep(self) -> None:
        """Everything typed so far, the cell that is still open too, is on its way to the disk."""
        for page in self.pages:
            if isinstance(page, GridPage):
                page.view.keep_typed()
        self.recording.flush()

    # sending

    def send(self) -> None:
        """Submit, unless something is missing; then say what."""
        if self._sending:
            return
        if self.recording.pending:
            self._send_after_photos = True
            self.check.send.setEnabled(False)
            return
        if self.recording.errors():
            self.go_check()
            return
        self._sending = True
        self.check.send.setEnabled(False)
        self.recording.flush()  # the writer does one thing after another: the submission reads what is saved here
        now, draft_id = self.session.clock(), self.recording.draft_id
        self.session.do(lambda tx: visits.submit_visit(tx, draft_id, now=now), self._sent, self._refused)

    def _photos_changed(self, path: str) -> None:
        self.look_at_position()
        if self._send_after_photos and not path:
            # One could not be kept: whether the report goes without it is for the person to say.
            self._send_after_photos = False
            self.go_check()
        if self._send_after_photos and not self.recording.pending:
            self._send_after_photos = False
            self.send()

    def look_at_position(self) -> None:
        """A photo or the receiver may have brought a position."""
        draft = self.recording.draft_id

        def arrived(found: visits.OpenDraft | None) -> None:
            if found is not None and alive(self.send):
                self.head.show_position(found)

        self.session.ask_later(lambda r: visits.find_draft(r, draft), arrived, key="visit-position")

    def _sent(self, submitted: visits.Submitted) -> None:
        self.recording.close()
        self.sent.emit(submitted)

    def _refused(self, error: BaseException) -> None:
        self._sending = False
        self.go_check()
        self.check.rebuild()
        self.check.refused.show_message(Message(sentence(error), "danger", seconds=0))

    def _failed(self, error: object) -> None:
        if isinstance(error, CodedError):
            self.message.show_message(Message(sentence(error), "danger", seconds=12))

    def undo(self) -> None:
        path = self.recording.undo()
        if path is not None:
            self.show_answer(path)
