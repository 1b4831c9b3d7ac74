"""Questions of a form as fields, whatever the form: choices, numbers, dates, texts, notes, photos, groups, repeats."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date
from zoneinfo import ZoneInfo

from PySide6.QtCore import QDate, QEvent, QObject, Qt
from PySide6.QtWidgets import (
    QCalendarWidget,
    QComboBox,
    QLineEdit,
    QMenu,
    QPlainTextEdit,
    QSizePolicy,
    QWidget,
    QWidgetAction,
)

from fieldcrm.forms.model import Control, DataType, Question
from fieldcrm.ui import theme
from fieldcrm.ui.visit.photo_field import PhotoField
from fieldcrm.ui.visit.problem_words import problem_words
from fieldcrm.ui.visit.recording import Recording
from fieldcrm.ui.visit.typed import typed_date, typed_number
from fieldcrm.ui.widgets import Chip, Field, FlowLayout, IconButton, Text, row
from fieldcrm.words import date as day_words
from fieldcrm.words import tr

CHIPS = 9  # more choices than this go into a list


class Editor(QWidget):
    """The widget of one answer. ``show`` puts an answer in; ``given`` is called with the new answer."""

    given: Callable[[str], None]

    def show_answer(self, text: str) -> None:
        raise NotImplementedError

    def focus_here(self) -> None:
        self.setFocus(Qt.FocusReason.OtherFocusReason)


class ChoiceChips(Editor):
    """One or several of a few choices, as chips. With one, pressing it again takes the answer back."""

    def __init__(self, question: Question, recording: Recording, path: str) -> None:
        super().__init__()
        self._many = question.type is DataType.MANY
        policy = QSizePolicy(QSizePolicy.Policy.Preferred, QSizePolicy.Policy.Preferred)
        policy.setHeightForWidth(True)
        self.setSizePolicy(policy)
        flow = FlowLayout(self, 1.5)
        self.chips: dict[str, Chip] = {}
        for choice in recording.instance.choices(path):
            chip = Chip(choice.label(recording.instance.language))
            chip.clicked.connect(lambda _=False, name=choice.name: self._clicked(name))
            flow.addWidget(chip)
            self.chips[choice.name] = chip
        first = next(iter(self.chips.values()), None)
        if first is not None:
            self.setFocusProxy(first)

    def _clicked(self, name: str) -> None:
        if self._many:
            self.given(" ".join(n for n, chip in self.chips.items() if chip.isChecked()))
        else:
            self.given(name if self.chips[name].isChecked() else "")

    def show_answer(self, text: str) -> None:
        picked = text.split() if self._many else [text]
        for name, chip in self.chips.items():
            chip.setChecked(name in picked)


class ChoiceList(Editor):
    """One of many choices."""

    def __init__(self, question: Question, recording: Recording, path: str) -> None:
        super().__init__()
        self._box = QComboBox()
        self._box.addItem("", "")
        for choice in recording.instance.choices(path):
            self._box.addItem(choice.label(recording.instance.language), choice.name)
        self._box.activated.connect(lambda _: self.given(str(self._box.currentData())))
        line = row(0)
        line.addWidget(self._box)
        self.setLayout(line)
        self.setFocusProxy(self._box)

    def show_answer(self, text: str) -> None:
        self._box.setCurrentIndex(max(0, self._box.findData(text)))


class OneLine(Editor):
    """A text or a number on one line."""

    def __init__(self, question: Question, recording: Recording) -> None:
        super().__init__()
        self._numeric = question.type in (DataType.INTEGER, DataType.DECIMAL)
        self._french = recording.instance.language == "fr"
        self.line = QLineEdit()
        if self._numeric:
            self.line.setMaximumWidth(theme.pixels(160))
        self.line.textEdited.connect(lambda text: self.given(typed_number(text) if self._numeric else text))
        layout = row(0)
        layout.addWidget(self.line)
        if self._numeric:
            layout.addStretch(1)
        self.setLayout(layout)
        self.setFocusProxy(self.line)

    def show_answer(self, text: str) -> None:
        if not self.line.hasFocus() or not self.line.text():
            self.line.setText(text.replace(".", ",") if self._numeric and self._french else text)


class LongText(Editor):
    def __init__(self) -> None:
        super().__init__()
        self.text = QPlainTextEdit()
        self.text.setTabChangesFocus(True)
        self.text.setFixedHeight(theme.pixels(92))
        self.text.textChanged.connect(lambda: self.given(self.text.toPlainText()))
        layout = row(0)
        layout.addWidget(self.text)
        self.setLayout(layout)
        self.setFocusProxy(self.text)

    def show_answer(self, text: str) -> None:
        if self.text.toPlainText() != text:
            self.text.blockSignals(True)
            self.text.setPlainText(text)
            self.text.blockSignals(False)


class Day(Editor):
    """A day that may be empty: typed (``12/6``, ``+7``), picked in a calendar, or by a chip."""

    def __init__(self, today: date) -> None:
        super().__init__()
        self._today = today
        self.line = QLineEdit()
        self.line.setMaximumWidth(theme.pixels(150))
        self.line.setPlaceholderText(tr("dd/mm/yyyy"))
        self.line.editingFinished.connect(lambda: self._typed(self.line.text()))
        self._menu = QMenu(self)
        calendar = QCalendarWidget()
        calendar.setVerticalHeaderFormat(QCalendarWidget.VerticalHeaderFormat.NoVerticalHeader)
        calendar.clicked.connect(self._picked)
        action = QWidgetAction(self._menu)
        action.setDefaultWidget(calendar)
        self._menu.addAction(action)
        pick = IconButton("calendar", tr("Pick a day"))
        pick.clicked.connect(lambda: self._menu.exec(pick.mapToGlobal(pick.rect().bottomLeft())))
        layout = row(1.5)
        layout.addWidget(self.line)
        layout.addWidget(pick)
        for words, days in ((tr("Tomorrow"), 1), (tr("In a week"), 7), (tr("In a month"), 30)):
            chip = Chip(words)
            chip.setCheckable(False)
            chip.clicked.connect(lambda _=False, days=days: self._typed(f"+{days}"))
            layout.addWidget(chip)
        layout.addStretch(1)
        self.setLayout(layout)
        self.setFocusProxy(self.line)

    def _typed(self, text: str) -> None:
        answer = typed_date(text, self._today)
        self.given(answer)
        self.show_answer(answer)

    def _picked(self, day: QDate) -> None:
        self._menu.close()
        self._typed(day.toString(Qt.DateFormat.ISODate))

    def show_answer(self, text: str) -> None:
        try:
            self.line.setText(day_words(date.fromisoformat(text), "short"))
        except ValueError:
            self.line.setText(text)


class Photos(Editor):
    def __init__(self, recording: Recording, path: str, page: QWidget) -> None:
        super().__init__()
        self.field = PhotoField(recording, path, page)
        layout = row(0)
        layout.addWidget(self.field)
        self.setLayout(layout)
        self.setFocusProxy(self.field)

    def show_answer(self, text: str) -> None:
        """The field listens by itself."""


class QuestionField(QWidget):
    """One question with its label, hint, answer and problem; hidden while it is not relevant."""

    def __init__(self, recording: Recording, path: str, page: QWidget) -> None:
        super().__init__(page)  # a widget without a parent that is made visible is a window
        self.recording, self.path = recording, path
        self.question = recording.instance.question(path)
        self.strict = False  # show what is missing, not only what is wrong
        layout = row(0)
        self.setLayout(layout)
        self.note: Text | None = None
        self.editor: Editor | None = None
        if self.question.control is Control.NOTE:
            self.note = Text("", "body", "muted", wrap=True)
            layout.addWidget(self.note, 1)
        else:
            self.editor = _editor(recording, path, page)
            self.editor.given = self._given
            self.field = Field("", self.editor, recording.instance.hint(path))
            layout.addWidget(self.field, 1)
            target = self.editor.focusProxy() or self.editor
            target.installEventFilter(self)
        self.look_again()

    def _given(self, text: str) -> None:
        self.recording.set(self.path, text)

    def look_again(self) -> None:
        """Bring label, answer, relevance and problem up to date."""
        instance = self.recording.instance
        self.setVisible(instance.relevant(self.path))
        label = " ".join(instance.label(self.path).split())
        if self.note is not None:
            self.note.setText(label)
            return
        assert self.editor is not None
        shown = f"{label} *" if instance.required(self.path) else label
        self.field.label.setText(shown.replace("&", "&&"))
        target = self.editor.focusProxy() or self.editor
        target.setAccessibleName(label)
        self.editor.show_answer(instance.get(self.path))
        self._judge()

    def _judge(self) -> None:
        problem = self.recording.instance.problem(self.path)
        if problem is not None and problem.code == "required" and not self.strict:
            problem = None
        typing = isinstance(self.editor, OneLine) and self.editor.line.hasFocus() and not self.strict
        self.field.set_error(problem_words(problem) if problem is not None and not typing else "")

    def be_strict(self) -> None:
        self.strict = True
        if self.editor is not None:
            self._judge()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.FocusOut and self.editor is not None:
            self.recording.session.tasks.post(self._left)
        return False

    def _left(self) -> None:
        if self.editor is not None and self.recording.instance.has(self.path):
            self._judge()


def _editor(recording: Recording, path: str, page: QWidget) -> Editor:
    question = recording.instance.question(path)
    if question.type in (DataType.ONE, DataType.MANY):
        few = len(question.choices) <= CHIPS or question.type is DataType.MANY
        return ChoiceChips(question, recording, path) if few else ChoiceList(question, recording, path)
    if question.type is DataType.PHOTO:
        return Photos(recording, path, page)
    if question.type is DataType.DATE:
        zone = ZoneInfo(recording.opened.draft.zone)
        return Day(recording.session.clock().astimezone(zone).date())
    if question.type is DataType.TEXT and "multiline" in question.appearance:
        return LongText()
    return OneLine(question, recording)

