"""The last step: what will be sent, what is still missing, each with a way to it; then Send."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from functools import partial

from PySide6.QtCore import Qt, QTimer
from PySide6.QtWidgets import QVBoxLayout, QWidget

from fieldcrm.forms.grid import Grid
from fieldcrm.forms.model import Control, DataType, Group, Item, Question
from fieldcrm.forms.problems import Problem, Severity
from fieldcrm.ui import theme
from fieldcrm.ui.visit.photo_field import draft_photo
from fieldcrm.ui.visit.problem_words import problem_words
from fieldcrm.ui.visit.recording import Recording
from fieldcrm.ui.widgets import (
    Badge,
    Button,
    Card,
    Divider,
    FlowLayout,
    InlineMessage,
    ScrollPage,
    SectionTitle,
    Text,
    column,
    row,
)
from fieldcrm.ui.widgets.photos import PhotoLoader, PhotoThumb
from fieldcrm.ui.widgets.signs import Sign
from fieldcrm.usecases import visits
from fieldcrm.words import date as day_words
from fieldcrm.words import number, tr, trn

SHOWN_PROBLEMS = 8
Jump = Callable[[str], None]


class CheckPage(ScrollPage):
    """``jump(path)`` goes to an answer; ``send()`` submits."""

    def __init__(self, recording: Recording, jump: Jump, send: Callable[[], None]) -> None:
        super().__init__(width=720, margin=0, spacing=4)
        self.recording, self._jump = recording, jump
        self._loader = PhotoLoader(recording.session.photos, recording.session.tasks)
        self._content: QWidget | None = None
        self.refused = InlineMessage()
        self.body.addWidget(self.refused)
        self._holder = column(0)
        self.body.addLayout(self._holder)
        words = tr("Send the correction") if recording.opened.draft.supersedes_id else tr("Send the report")
        self.send = Button(words, "primary", "send", send)
        self.send.setMinimumWidth(theme.pixels(180))
        self.foot = Text("", "caption", "muted", wrap=True)  # stands beside the button, which never scrolls away
        self.body.addStretch(1)
        self._later = QTimer(self)
        self._later.setSingleShot(True)
        self._later.setInterval(0)
        self._later.timeout.connect(self.rebuild)
        recording.answered.connect(self._answered)

    def _answered(self, _paths: object) -> None:
        if self.isVisible():
            self._later.start()

    def rebuild(self) -> None:
        """Read the report again."""
        problems = self.recording.problems()
        errors = [problem for problem in problems if problem.severity is Severity.ERROR]
        if self._content is not None:
            self._holder.removeWidget(self._content)
            self._content.hide()
            self._content.deleteLater()
        self._content = QWidget()
        page = column(4)
        self._content.setLayout(page)
        for part in (self._correction(), self._verdict(errors), self._warnings(problems)):
            if part is not None:
                page.addWidget(part)
        for item in self.recording.form.steps:
            card = self._step(item)
            if card is not None:
                page.addWidget(card)
        self._holder.addWidget(self._content)
        self.send.setEnabled(not errors)
        self.foot.setText(
            tr("It is saved on this device at once, and goes to headquarters with the next sync.") if not errors
            else tr("Nothing is lost: the draft is kept until you send it."))

    # parts

    def _verdict(self, errors: list[Problem]) -> QWidget:
        card = Card(padding=4, spacing=2, tone="warning" if errors else "success")
        head = row(2.5)
        head.addWidget(Sign("circle-alert" if errors else "circle-check", "warning" if errors else "success", 20))
        said = (trn("{n} answer to complete before sending", "{n} answers to complete before sending", len(errors))
                if errors else tr("Ready to send"))
        head.addWidget(Text(said, "body-strong"), 1)
        card.add(head)
        for problem in errors[:SHOWN_PROBLEMS]:
            card.add(self._problem(problem))
        self._say_more(card, len(errors))
        return card

    def _warnings(self, problems: list[Problem]) -> QWidget | None:
        warnings = [problem for problem in problems if problem.severity is Severity.WARNING]
        if not warnings:
            return None
        card = Card(padding=4, spacing=2)
        head = row(2.5)
        head.addWidget(Sign("triangle-alert", "warning", 18))
        title = trn("{n} value to look at once more", "{n} values to look at once more", len(warnings))
        head.addWidget(Text(title, "body-strong"), 1)
        card.add(head)
        for problem in warnings[:SHOWN_PROBLEMS]:
            card.add(self._problem(problem))
        self._say_more(card, len(warnings))
        return card

    @staticmethod
    def _say_more(card: Card, many: int) -> None:
        more = many - SHOWN_PROBLEMS
        if more > 0:
            card.add(Text(trn("and {n} more", "and {n} more", more), "caption", "muted"))

    def _problem(self, problem: Problem) -> QWidget:
        holder = QWidget()
        line = row(2)
        line.setContentsMargins(theme.space(7), 0, 0, 0)
        words = Text(f"{self._where(problem.path)} — {problem_words(problem)}", "body", "muted", wrap=True)
        line.addWidget(words, 1)
        line.addWidget(self._link(tr("Change"), problem.path), 0, Qt.AlignmentFlag.AlignVCenter)
        holder.setLayout(line)
        return holder

    def _where(self, path: str) -> str:
        label = " ".join(self.recording.instance.label(path).split())
        step = "/" + path.split("/")[1]
        if "[" not in path and step != path:
            return f"{self.recording.say_label(step)} · {label}"
        line = self.recording.lines.get(path.rpartition("[")[2].partition("]")[0]) if "[" in path else None
        return f"{line.name}, {label}" if line is not None else label

    def _correction(self) -> QWidget | None:
        opened = self.recording.opened
        if opened.earlier is None:
            return None
        now = self.recording.instance.document(final=True)
        changed = visits.changed_paths(self.recording.form, opened.earlier, now)
        card = Card(padding=4, spacing=2)
        title = trn("{n} answer changed", "{n} answers changed", len(changed)) if changed else tr("Nothing changed yet")
        card.add(Text(title, "body-strong"))
        for path in changed[:SHOWN_PROBLEMS]:
            if self.recording.instance.has(path):
                line = row(2)
                line.addWidget(Text(self._where(path), "body", "muted", wrap=True), 1)
                line.addWidget(self._link(tr("Change"), path))
                card.add(line)
        return card

    def _step(self, item: Item) -> Card | None:
        instance = self.recording.instance
        path = item.path.removeprefix(self.recording.form.root.path)
        if not instance.has(path) or not instance.relevant(path):
            return None
        card = Card(padding=5, spacing=2.5)
        title = SectionTitle(self.recording.say_label(path))
        start = self._first_answer(item, path)
        if start:
            title.add(self._link(tr("Change"), start))
        card.add(title)
        filled = self._fill(card.body, path)
        return card if filled else None

    def _first_answer(self, item: Item, path: str) -> str:
        if isinstance(item, Question):
            return path
        for grid in self.recording.grids:
            if grid.path.startswith(path + "/"):
                rows = self.recording.instance.rows(grid.path)
                return f"{rows[0]}/{grid.state}" if rows else ""
        asked = (c for c in self.recording.instance.children(path) if self._is_asked(c))
        return next(asked, "")

    def _is_asked(self, path: str) -> bool:
        item = self.recording.instance.item(path)
        return isinstance(item, Question) and item.control is not Control.NOTE

    def _fill(self, layout: QVBoxLayout, path: str) -> int:
        instance = self.recording.instance
        item = instance.item(path)
        if isinstance(item, Question):
            return self._answer(layout, path, item)
        filled = 0
        for child in instance.children(path):
            inner = instance.item(child)
            grid = next((grid for grid in self.recording.grids if grid.path == child), None)
            if grid is not None:
                filled += self._audit(layout, grid)
            elif isinstance(inner, Group) and not instance.has(child):
                for repeated in instance.rows(child):
                    filled += self._fill(layout, repeated)
            else:
                filled += self._fill(layout, child)
        return filled

    def _audit(self, layout: QVBoxLayout, grid: Grid) -> int:
        recording = self.recording
        done, many = recording.counts(grid)
        states = [recording.get(f"{r}/{grid.state}") for r in recording.instance.rows(grid.path)]
        confirmed = sum(recording.get(f"{r}/{grid.basis}") == "confirmed" for r in recording.instance.rows(grid.path))
        line = row(2)
        question = recording.form.question(f"{recording.form.root.path}{grid.path}/{grid.state}")
        tones = {"present": "success", "oos": "danger", "absent": "neutral"}
        for choice in question.choices:
            label = choice.label(recording.instance.language)
            words = f"{label} · {number(states.count(choice.name))}"
            line.addWidget(Badge(words, tones.get(choice.name, "accent")))
        line.addStretch(1)
        layout.addLayout(line)
        said = [tr("{done} of {many} products checked", done=number(done), many=number(many))]
        if confirmed:
            said.append(trn("{n} as last time", "{n} as last time", confirmed))
        if done < many:
            said.append(tr("lines not checked are left out of the figures"))
        layout.addWidget(Text(" · ".join(said), "body", "muted", wrap=True))
        return 1

    def _answer(self, layout: QVBoxLayout, path: str, question: Question) -> int:
        instance = self.recording.instance
        if not instance.relevant(path):
            return 0
        if question.control is Control.NOTE:
            layout.addWidget(Text(" ".join(instance.label(path).split()), "body", "muted", wrap=True))
            return 1
        text = instance.get(path)
        if not text:
            return 0
        if layout.count() > 1:
            layout.addWidget(Divider())
        line = row(4)
        label = Text(" ".join(instance.label(path).split()), "body", "muted", wrap=True)
        label.setFixedWidth(theme.pixels(210))
        line.addWidget(label, 0, Qt.AlignmentFlag.AlignVCenter)
        if question.type is DataType.PHOTO:
            line.addWidget(self._photos(path, text.split()), 1)
        else:
            line.addWidget(Text(self._value(question, text), "body-medium", wrap=True), 1)
        line.addWidget(self._link(tr("Change"), path), 0, Qt.AlignmentFlag.AlignVCenter)
        layout.addLayout(line)
        return 1

    def _value(self, question: Question, text: str) -> str:
        if question.choices:
            labels = {c.name: c.label(self.recording.instance.language) for c in question.choices}
            return ", ".join(labels.get(name, name) for name in text.split())
        if question.type is DataType.DATE:
            try:
                return day_words(date.fromisoformat(text), "full")
            except ValueError:
                return text
        return text

    def _photos(self, path: str, names: list[str]) -> QWidget:
        holder = QWidget()
        flow = FlowLayout(holder, 1.5)
        for at, name in enumerate(names, 1):
            thumb = PhotoThumb(draft_photo(self.recording, path, name), self._loader, tr("Photo {n}", n=at))
            thumb.setFixedSize(theme.pixels(84), theme.pixels(64))
            thumb.clicked.connect(lambda _=False: self._jump(path))
            flow.addWidget(thumb)
        policy = holder.sizePolicy()
        policy.setHeightForWidth(True)
        holder.setSizePolicy(policy)
        return holder

    def _link(self, words: str, path: str) -> Button:
        link = Button(words, "ghost", on_click=partial(self._jump, path))
        link.setAccessibleName(f"{words}: {self._where(path)}")
        return link

    def start(self) -> None:
        self.rebuild()
        (self.send if self.send.isEnabled() else self).setFocus()
