"""Changing many outlets: what, to what, what that does, and the work itself with progress, stop and undo."""

from __future__ import annotations

import threading
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from PySide6.QtCore import QDate, QObject, QTimer, Signal
from PySide6.QtWidgets import QCheckBox, QComboBox, QLineEdit, QStackedWidget, QWidget

from fieldcrm.domain.catalogue import SEGMENTS, STORE_TYPES
from fieldcrm.domain.changes import Changes
from fieldcrm.domain.customfield import CustomField
from fieldcrm.domain.errors import DomainError
from fieldcrm.ui import labels, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.widgets import DateField, Dialog, Field, Text
from fieldcrm.usecases import bulk_edit, customfields
from fieldcrm.usecases.bulk_edit import Done, Preview, Setting
from fieldcrm.usecases.longwork import OnProgress, Progress, Stopped
from fieldcrm.words import language, number, tr, trn

SHOWN = 4  # values that the outlets have now


@dataclass(slots=True)
class Running:
    """What is being done, in words, how far, and the way to stop it."""

    said: str
    fraction: float = 0.0
    stop: threading.Event = field(default_factory=threading.Event)


class BulkWork(QObject):
    """One change of many at a time, beside the screens; ``changed`` when it begins, goes on or ends."""

    changed = Signal()

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._session = session
        self.running: Running | None = None
        session.closing.connect(self.stop)

    def change(self, rids: Sequence[int], change: Setting) -> None:
        db, actor, clock = self._session.db, self._session.actor, self._session.clock
        self._begin(
            tr("Changing outlets."),
            lambda told, stopped: bulk_edit.set_all(db, actor, clock, rids, change, told, stopped),
            lambda done: trn("{n} outlet changed", "{n} outlets changed", done.changed),
        )

    def tasks(self, rids: Sequence[int], title: str, due: date | None) -> None:
        db, actor, clock = self._session.db, self._session.actor, self._session.clock
        self._begin(
            tr("Making tasks."),
            lambda told, stopped: bulk_edit.make_tasks(db, actor, clock, rids, title, due, told, stopped),
            lambda done: trn("{n} task made", "{n} tasks made", done.changed),
        )

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop.set()
            self.changed.emit()

    def _begin(
        self, said: str, work: Callable[[OnProgress, Stopped], Done], words: Callable[[Done], str]
    ) -> None:  # fmt: skip
        def done(result: Done) -> None:
            self._ended(result.label)
            text = words(result)
            if result.stopped:
                text = tr("Stopped. {done}", done=text)
            self._session.messages.done(text, lambda: self._take_back(result.label) if result.changed else None)

        self._run(said, work, done)

    def _take_back(self, label: str) -> None:
        db, actor, clock = self._session.db, self._session.actor, self._session.clock

        def done(_: int) -> None:
            self._ended(label)
            self._session.messages.done(tr("Taken back: {what}", what=labels.what_was_done(label)))

        if self.running is None:
            self._run(
                tr("Taking it back."),
                lambda told, stopped: bulk_edit.take_back(db, actor, clock, label, told, stopped), done
            )  # fmt: skip

    def _run(
        self, said: str, work: Callable[[OnProgress, Stopped], Any], done: Callable[[Any], None]
    ) -> None:
        running = self.running = Running(said)
        tasks = self._session.tasks

        def heard(progress: Progress) -> None:
            running.fraction = progress.fraction
            if self.running is running:
                self.changed.emit()

        def failed(error: BaseException) -> None:
            self._ended("")
            self._session.messages.error(error)

        self._session.set_under_way(said)
        self.changed.emit()
        tasks.run(lambda: work(lambda p: tasks.post(lambda: heard(p)), running.stop.is_set), done, failed)

    def _ended(self, label: str) -> None:
        self.running = None
        self._session.set_under_way("")
        self._session.wrote(Changes({}, True, label, None))
        self.changed.emit()


class ChangeMany(Dialog):
    """Which field, which value, and how many outlets that changes; ``chosen`` is the change when ``exec`` answers 1."""

    def __init__(self, parent: QWidget, session: AppSession, rids: Sequence[int]) -> None:
        title = trn("Change {n} outlet", "Change {n} outlets", len(rids))
        super().__init__(parent, title, tr("One field gets the same value everywhere. It can be undone."), width=480)
        self._session, self._rids = session, list(rids)
        self.chosen: Setting | None = None
        self._customs = {f"custom.{f.key}": f for f in session.ask(customfields.fields)}
        self.what = QComboBox()
        for name in bulk_edit.fields_for(session.actor):
            self.what.addItem(labels.field_name(name), name)
        for key, custom in self._customs.items():
            self.what.addItem(custom.name(language()), key)
        self.choice, self.text = QComboBox(), QLineEdit()
        self._editors = QStackedWidget()
        self._editors.addWidget(self.choice)
        self._editors.addWidget(self.text)
        self._editors.setFixedHeight(max(self.choice.sizeHint().height(), self.text.sizeHint().height()))
        self.value = Field(tr("New value"), self._editors)
        self.now, self.effect = Text("", "caption", "muted", wrap=True), Text("", "body-medium", wrap=True)
        self.effect.setMinimumHeight(theme.metrics("body").height() * 2)
        self.body.addWidget(Field(tr("Field"), self.what))
        self.body.addWidget(self.value)
        self.body.addWidget(self.now)
        self.body.addWidget(self.effect)
        self.add_button(tr("Cancel"), "secondary", 0)
        self.act = self.add_button(tr("Change"), "primary", 1)
        self.act.setDefault(True)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(150)
        self._pause.timeout.connect(self._look)
        self.what.currentIndexChanged.connect(self._other_field)
        self.choice.currentIndexChanged.connect(lambda _: self._soon())
        self.text.textChanged.connect(lambda _: self._soon())
        self._other_field()

    def _field(self) -> tuple[str, CustomField | None]:
        name = str(self.what.currentData())
        custom = self._customs.get(name)
        return (custom.key if custom else name), custom

    def _other_field(self) -> None:
        name, custom = self._field()
        choices = _choices(name, custom)
        self.choice.blockSignals(True)
        self.choice.clear()
        for value, words in choices:
            self.choice.addItem(words, value)
        self.choice.blockSignals(False)
        self._editors.setCurrentWidget(self.choice if choices else self.text)
        editor = self.choice if choices else self.text
        editor.setAccessibleName(tr("New value"))
        self.text.clear()
        self.text.setPlaceholderText(_hint(name, custom))
        self._soon()

    def _typed(self) -> Any:
        return self.choice.currentData() if self._editors.currentWidget() is self.choice else self.text.text()

    def _soon(self) -> None:
        self.chosen = None
        self.act.setEnabled(False)
        self._pause.start()

    def _look(self) -> None:
        name, custom = self._field()
        try:
            change = bulk_edit.setting(self._session.actor, name, self._typed(), custom)
        except DomainError as error:
            self.value.set_error(sentence(error))
            self.effect.setText("")
            return
        self.value.set_error("")
        rids = self._rids
        self._session.ask_later(
            lambda r: bulk_edit.preview(r, rids, change), lambda seen: self._seen(change, seen), key="outlets.bulk"
        )

    def _seen(self, change: Setting, seen: Preview) -> None:
        if change.value is None:
            text = trn("{n} outlet is emptied of it", "{n} outlets are emptied of it", seen.changing)
        else:
            text = trn("{n} outlet changes", "{n} outlets change", seen.changing)
        if seen.same:
            text += " · " + trn("{n} has this already", "{n} have this already", seen.same)
        self.effect.setText(text)
        shown = [f"{self._words(value)} ({number(n)})" for value, n in seen.now[:SHOWN]]
        if len(seen.now) > SHOWN:
            shown.append("…")
        self.now.setText(tr("Now: {values}", values=", ".join(shown)))
        self.chosen = change if seen.changing else None
        self.act.setText(trn("Change {n} outlet", "Change {n} outlets", seen.changing))
        self.act.setEnabled(seen.changing > 0)

    def _words(self, value: Any) -> str:
        name, custom = self._field()
        if value is None or value == "":
            return tr("empty")
        for known, words in _choices(name, custom):
            if known == value or (custom is not None and custom.kind == "flag" and bool(known) is bool(value)):
                return words
        return str(value)


def _choices(name: str, custom: CustomField | None) -> list[tuple[Any, str]]:
    """The values to choose from, with their words; nothing for what is typed."""
    empty: tuple[Any, str] = (None, tr("(empty)"))
    if custom is not None:
        if custom.kind == "flag":
            return [(True, tr("Yes")), (False, tr("No")), empty]
        return [*((c, c) for c in custom.choices), empty] if custom.kind == "choice" else []
    if name == "segment":
        return [*((s, labels.segment(s)) for s in SEGMENTS if s), empty]
    if name == "state":
        return [(s, labels.outlet_state(s)) for s in ("active", "prospect", "closed")]
    if name == "store_type":
        return [*((t, labels.store_type(t)) for t in STORE_TYPES), empty]
    return []


def _hint(name: str, custom: CustomField | None) -> str:
    if custom is not None:
        return {"number": tr("A number; empty takes it away"), "date": tr("A day; empty takes it away")}.get(
            custom.kind, tr("Empty takes it away")
        )
    return {
        "visit_interval_days": tr("Days between two visits, 1 to 730"),
        "visit_minutes": tr("Minutes, 1 to 480"),
    }.get(name, tr("Empty takes it away"))


class TaskForMany(Dialog):
    """What is to be done at each of them, and by when."""

    def __init__(self, parent: QWidget, count: int, today: date) -> None:
        super().__init__(
            parent, trn("A task at {n} outlet", "A task at {n} outlets", count),
            tr("Whoever has the outlet’s sector sees it on their day. Closed outlets are left out."), width=460,
        )  # fmt: skip
        self.title = QLineEdit()
        self.title.setMaxLength(200)
        self.by = QCheckBox(tr("To be done by"))
        self.due = DateField()
        self.due.setDate(QDate(today.year, today.month, today.day))
        self.due.setAccessibleName(tr("To be done by"))
        self.due.setEnabled(False)
        self.by.toggled.connect(self.due.setEnabled)
        self.body.addWidget(Field(tr("What is to be done"), self.title))
        self.body.addWidget(self.by)
        self.body.addWidget(self.due)
        self.add_button(tr("Cancel"), "secondary", 0)
        self.act = self.add_button(trn("Make {n} task", "Make {n} tasks", count), "primary", 1)
        self.act.setDefault(True)
        self.act.setEnabled(False)
        self.title.textChanged.connect(lambda text: self.act.setEnabled(bool(text.strip())))

    def day(self) -> date | None:
        chosen: date = self.due.date().toPython()  # type: ignore[assignment]
        return chosen if self.by.isChecked() else None
