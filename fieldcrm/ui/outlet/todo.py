"""Promises, tasks and corrections of the outlet, and its notes."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime

from PySide6.QtCore import QDate, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QHBoxLayout, QLineEdit, QPlainTextEdit, QVBoxLayout, QWidget

from fieldcrm.domain.task import OPEN, Task, TaskDetails
from fieldcrm.ui import labels, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.outlet.parts import Section
from fieldcrm.ui.widgets import Badge, Button, DateField, Divider, Field, SegmentedControl, Text, column
from fieldcrm.usecases import tasks
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.words import date as day_words
from fieldcrm.words import number, since, tr, trc, trn

CLOSED_SHOWN = 4
NOTES_SHOWN = 5


class TaskForm(QWidget):
    def __init__(self, section: Tasks, today: date) -> None:
        super().__init__()
        self._section = section
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, theme.space(1), 0, theme.space(2))
        lines.setSpacing(theme.space(2))
        self.kind = SegmentedControl((("promise", tr("Promise")), ("task", tr("Task"))), "promise", tr("Kind"))
        lines.addWidget(self.kind)
        self.title = QLineEdit()
        self.title.returnPressed.connect(self.save)
        self._title = Field(tr("What"), self.title)
        lines.addWidget(self._title)
        self.by = QLineEdit()
        self._by = Field(tr("Promised by"), self.by)
        lines.addWidget(self._by)
        self.kind.chosen.connect(lambda kind: self._by.setVisible(kind == "promise"))
        due = QHBoxLayout()
        due.setSpacing(theme.space(2))
        self.has_due = QCheckBox(trc("task", "Due"))
        self.has_due.setChecked(True)
        self.due = DateField()
        self.due.setAccessibleName(trc("task", "Due"))
        self.due.setDate(QDate(today.year, today.month, today.day).addDays(28))
        self.has_due.toggled.connect(self.due.setEnabled)
        due.addWidget(self.has_due)
        due.addWidget(self.due)
        due.addStretch(1)
        due.addWidget(Button(tr("Cancel"), "ghost", on_click=section.leave))
        due.addWidget(Button(tr("Save"), "primary", on_click=self.save))
        lines.addLayout(due)

    def save(self) -> None:
        due = self.due.date().toPython() if self.has_due.isChecked() else None
        assert due is None or isinstance(due, date)
        kind = self.kind.value()
        self._section.save(TaskDetails(kind, self.title.text(), due, self.by.text() if kind == "promise" else None))

    def refuse(self, error: BaseException) -> None:
        self._title.set_error(sentence(error))
        self.title.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._section.leave()
            return
        super().keyPressEvent(event)


class Tasks(Section):
    """``correct`` opens the correction of a returned report."""

    def __init__(self, session: AppSession, correct: Callable[[Task], None]) -> None:
        super().__init__(tr("Promises and tasks"))
        self._session, self._correct = session, correct
        self._card: OutletCard | None = None
        self.form: TaskForm | None = None
        self.add_action(tr("Add"), "plus", self.begin_new)

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._card = card
        opened = sum(task.state == OPEN for task in card.tasks)
        self.title.set_count(number(opened) if opened else "")
        if self.form is None:
            self._show()

    def _show(self, adding: bool = False) -> None:
        self.empty()
        self.form = None
        assert self._card is not None
        today = self._session.clock().astimezone().date()
        if adding:
            self.form = TaskForm(self, today)
            self.content.addWidget(self.form)
            self.form.title.setFocus(Qt.FocusReason.OtherFocusReason)
        opened = [task for task in self._card.tasks if task.state == OPEN]
        closed = [task for task in self._card.tasks if task.state != OPEN][:CLOSED_SHOWN]
        for at, task in enumerate([*opened, *closed]):
            if at:
                self.content.addWidget(Divider())
            self.content.addWidget(self._line(task, today))
        if not self._card.tasks and not adding:
            self.say_nothing(tr("No promise and no task. What was agreed last time?"))

    def _line(self, task: Task, today: date) -> QWidget:
        line = QWidget()
        lines = QVBoxLayout(line)
        lines.setContentsMargins(0, theme.space(1), 0, theme.space(1))
        lines.setSpacing(theme.space(1))
        top = QHBoxLayout()
        top.setSpacing(theme.space(2))
        top.addWidget(Text(task.title, "body-medium", "" if task.state == OPEN else "muted", wrap=True), 1)
        words, tone = task_badge(task, today)
        top.addWidget(Badge(words, tone), 0, Qt.AlignmentFlag.AlignTop)
        lines.addLayout(top)
        what = [labels.task_kind(task.kind)]
        if task.promised_by:
            what.append(tr("by {person}", person=task.promised_by))
        if task.due is not None:
            what.append(tr("due {day}", day=day_words(task.due, "d")))
        lines.addWidget(Text(" · ".join(what), "caption", "muted", wrap=True))
        if task.state == OPEN:
            lines.addLayout(self._verbs(task))
        return line

    def _verbs(self, task: Task) -> QHBoxLayout:
        across = QHBoxLayout()
        across.setSpacing(theme.space(1))
        if task.kind == "correction":
            across.addWidget(Button(tr("Correct it"), "secondary", "undo-2", lambda: self._correct(task)))
        else:
            kept = trc("promise", "Kept") if task.kind == "promise" else trc("task", "Done")
            across.addWidget(Button(kept, "secondary", "check", lambda: self._close(task, tasks.keep_task)))
            if task.kind == "promise":
                across.addWidget(
                    Button(trc("promise", "Broken"), "ghost", "x", lambda: self._close(task, tasks.break_task))
                )
            across.addWidget(Button(tr("Cancel it"), "ghost", "", lambda: self._close(task, tasks.cancel_task)))
        across.addStretch(1)
        return across

    def _close(self, task: Task, verb: Callable[..., None]) -> None:
        self._session.do(lambda tx: verb(tx, task.id), self._landed, self.say_error)

    def begin_new(self) -> None:
        self._show(adding=True)

    def leave(self) -> None:
        self._show()

    def save(self, details: TaskDetails) -> None:
        assert self._card is not None and self.form is not None
        outlet = self._card.outlet.id
        self._session.do(lambda tx: tasks.add_task(tx, outlet, details), self._landed, self.form.refuse)

    def _landed(self, _: object = None) -> None:
        self.form = None
        self.say_saved(self._session)


def task_badge(task: Task, today: date) -> tuple[str, str]:
    late = task.overdue_days(today)
    if late:
        return trn("{n} day late", "{n} days late", late), "danger"
    tones = {"open": "accent", "kept": "success", "broken": "danger"}
    words = trc("task", "Done") if task.state == "kept" and task.kind != "promise" else labels.task_state(task.state)
    return words, tones.get(task.state, "neutral")


class Notes(Section):
    def __init__(self, session: AppSession) -> None:
        super().__init__(tr("Notes"))
        self._session = session
        self._card: OutletCard | None = None
        self.typed = QPlainTextEdit()
        self.typed.setPlaceholderText(tr("What should the next person know?"))
        self.typed.setAccessibleName(tr("New note"))
        self.typed.setTabChangesFocus(True)
        self.typed.setFixedHeight(theme.pixels(68))
        self.add_button = Button(tr("Add note"), "secondary", "plus", self.save)
        self.add_button.setEnabled(False)
        self.typed.textChanged.connect(lambda: self.add_button.setEnabled(bool(self.typed.toPlainText().strip())))
        self.body.insertWidget(2, self.typed)
        self.body.insertWidget(3, self.add_button, 0, Qt.AlignmentFlag.AlignLeft)

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._card = card
        self.empty()
        self.title.set_count(number(len(card.notes)) if card.notes else "")
        if card.outlet.note:
            self.content.addWidget(Text(card.outlet.note, "body", wrap=True))
        for note in card.notes[:NOTES_SHOWN]:
            self.content.addWidget(Divider())
            lines = column(0.5)
            lines.addWidget(Text(note.text, "body", wrap=True))
            who = ", ".join(part for part in (card.people.get(note.person_id, ""), since(note.written_at, now)) if part)
            lines.addWidget(Text(who, "caption", "faint"))
            self.content.addLayout(lines)

    def save(self) -> None:
        assert self._card is not None
        outlet, text = self._card.outlet.id, self.typed.toPlainText()
        self._session.do(lambda tx: tasks.add_note(tx, outlet, text), self._landed, self.say_error)

    def _landed(self, _: object = None) -> None:
        self.typed.clear()
        self.saved.show_text(tr("Saved on this device"), "success")
