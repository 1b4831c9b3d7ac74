"""One change that headquarters refused: why, what was written, and the ways on."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QPlainTextEdit, QWidget

from fieldcrm import words
from fieldcrm.ui import labels, theme
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.sync_center.deeds import Deeds
from fieldcrm.ui.sync_center.head import headed
from fieldcrm.ui.sync_center.phrases import call_words, record_words, refusal_words
from fieldcrm.ui.sync_center.values import SHOWN_FIELDS, lines, named
from fieldcrm.ui.widgets import Button, Card, Field, FlowLayout, Text
from fieldcrm.usecases.refused import Fault, Refusal, fault
from fieldcrm.usecases.reopening import reopenable
from fieldcrm.words import tr, trn

LONG_TEXT = 120  # characters from which on there is more than one line to type in


class RefusalCard(Card):
    def __init__(self, refusal: Refusal, to_call: tuple[str, ...], deeds: Deeds) -> None:
        super().__init__(padding=5, spacing=3)
        self.refusal, self._deeds = refusal, deeds
        self.fault = fault(refusal)
        what, _ = record_words(refusal.collections, "")
        title = " · ".join(part for part in (refusal.outlet_name, what) if part)
        note = refusal_words(refusal.code, refusal.params)
        if help_ := call_words(refusal.code, to_call):
            note = f"{note} {help_}"
        self.add(headed(self, "circle-alert", title, note, refusal.outlet_id, deeds.open_outlet))
        if text := written(refusal):
            self.add(self._written(text))
        if self.fault is not None:
            self.editor, self.field = self._editor(self.fault)
            self.add(self.field)
        self.add(self._buttons())

    def _written(self, text: str) -> QWidget:
        box = Card(padding=3, spacing=1)
        count = len(self.refusal.letters)
        head = tr("What you wrote, {when}", when=words.day_time(self.refusal.made_at))
        if count > 1:
            head = f"{head} · {trn('{n} change, together', '{n} changes, together', count)}"
        box.add(Text(head, "caption-strong", "muted"))
        value = Text(text, "body-medium", wrap=True)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        box.add(value)
        return box

    def _editor(self, found: Fault) -> tuple[QWidget, Field]:
        value = "" if found.value is None else str(found.value)
        editor: QWidget
        if found.choices:
            box = QComboBox()
            for choice in found.choices:
                box.addItem(labels.field_value(found.field, choice), choice)
            box.setCurrentIndex(max(0, box.findData(value)))
            editor = box
        elif len(value) > LONG_TEXT or "\n" in value:
            area = QPlainTextEdit(value)
            area.setFixedHeight(theme.pixels(96))
            area.setTabChangesFocus(True)
            editor = area
        else:
            line = QLineEdit()
            line.setMaxLength(max(1000, len(value)))
            line.setText(value)
            line.returnPressed.connect(self.mend)
            editor = line
        field = Field(tr("Mend: {field}", field=labels.field_name(found.field)), editor)
        field.hide()
        return editor, field

    def _buttons(self) -> QWidget:
        holder = QWidget()
        flow = FlowLayout(holder, 2)
        self.send = Button(tr("Send it mended"), "primary", "send", self.mend)
        self.send.hide()
        flow.addWidget(self.send)
        self._ways: list[Button] = []
        if self.fault is not None:
            self.begin = Button(tr("Mend…"), "primary", "pencil", self.begin_mending)
            self._ways.append(self.begin)
        elif reopenable(self.refusal):
            text = tr("Open the report again…")
            self._ways.append(Button(text, "primary", "pencil", lambda: self._deeds.reopen(self.refusal)))
        if self.refusal.repeatable:
            kind = "secondary" if self._ways else "primary"
            self._ways.append(
                Button(tr("Try again"), kind, "refresh-cw", lambda: self._deeds.try_again(self.refusal)))
        self._ways += [
            Button(tr("Copy what I wrote"), "ghost", "copy", lambda: self._deeds.copy(self.refusal)),
            Button(tr("Export…"), "ghost", "download", lambda: self._deeds.export([self.refusal])),
            Button(tr("Let it go"), "ghost", "trash-2", lambda: self._deeds.discard([self.refusal])),
        ]
        for button in self._ways:
            flow.addWidget(button)
        return holder

    def first(self) -> Button:
        """Where the keyboard begins: the way on, and not the way to the outlet."""
        return self._ways[0]

    def begin_mending(self) -> None:
        """The value to blame, to be typed anew where it stands."""
        self.field.show()
        self.send.show()
        self.begin.hide()
        self.editor.setFocus(Qt.FocusReason.OtherFocusReason)
        if isinstance(self.editor, QLineEdit):
            self.editor.selectAll()

    def mend(self) -> None:
        self.field.set_error("")
        self._deeds.mend(self.refusal, self.typed(), lambda error: self.field.set_error(sentence(error)))

    def typed(self) -> str:
        if isinstance(self.editor, QComboBox):
            return str(self.editor.currentData())
        return self.editor.toPlainText() if isinstance(self.editor, QPlainTextEdit) else self.editor.text()  # type: ignore[attr-defined]


class LetGoCard(Card):
    """What a person let go: still here, to be taken back, exported or copied."""

    def __init__(self, refusal: Refusal, deeds: Deeds) -> None:
        super().__init__(padding=4, spacing=2)
        what, _ = record_words(refusal.collections, "")
        title = " · ".join(part for part in (refusal.outlet_name, what) if part)
        note = tr("What you wrote, {when}", when=words.day_time(refusal.made_at))
        self.add(headed(self, "trash-2", title, note, refusal.outlet_id, deeds.open_outlet, "neutral"))
        if text := written(refusal):
            self.add(Text(text, "body", "muted", wrap=True))
        holder = QWidget()
        flow = FlowLayout(holder, 2)
        flow.addWidget(Button(tr("Take it back"), "secondary", "undo-2", lambda: deeds.take_back([refusal])))
        flow.addWidget(Button(tr("Export…"), "ghost", "download", lambda: deeds.export([refusal])))
        flow.addWidget(Button(tr("Copy what I wrote"), "ghost", "copy", lambda: deeds.copy(refusal)))
        self.add(holder)


# What the program writes beside a report says nothing to a person; the report is told as a whole.
_OF_A_REPORT = frozenset({"visit", "submission", "attachment", "plan_stop"})


def _report_lines(refusal: Refusal) -> list[str]:
    """A report in a line: how many answers and photos; then the note of the visit."""
    report = next((one for one in refusal.letters if one.collection == "submission" and one.kind == "new"), None)
    if report is None:
        return []
    photos = sum(letter.collection == "attachment" for letter in refusal.letters)
    answers = _leaves(report.values.get("answers"))
    told = tr("Report: {answers}, {photos}", answers=trn("{n} answer", "{n} answers", answers),
              photos=trn("{n} photo", "{n} photos", photos))
    notes = [str(one.values["note"]) for one in refusal.letters if one.collection == "visit" and one.values.get("note")]
    return [told, *notes]


def _leaves(answers: object) -> int:
    if isinstance(answers, dict):
        return sum(_leaves(value) for value in answers.values())
    if isinstance(answers, list):
        return sum(_leaves(value) for value in answers)
    return int(answers not in (None, ""))


def written(refusal: Refusal) -> str:
    """What the person wrote, a field a line; the value to blame first."""
    blamed = str(refusal.params.get("field") or "")
    found = _report_lines(refusal)
    told = _OF_A_REPORT if found else frozenset()
    found += [line for letter in refusal.letters if letter.collection not in told for line in lines(letter.values)]
    first = [named(blamed, letter.values[blamed]) for letter in refusal.letters if letter.values.get(blamed)]
    if blamed.endswith(("_id", "_at")) or blamed in ("answers", "sha256"):
        first = []  # a number says nothing to a person
    if any(letter.kind == "del" for letter in refusal.letters):
        found.append(tr("Deleted"))
    return "\n".join(list(dict.fromkeys([*first[:1], *found]))[: 2 * SHOWN_FIELDS])


def copied(refusal: Refusal) -> str:
    """Everything the person wrote, as text for another place."""
    parts = [refusal.outlet_name] if refusal.outlet_name else []
    for letter in refusal.letters:
        parts += [
            named(name, value)
            for name, value in letter.values.items()
            if not name.endswith("_id") and name != "provenance"
        ]
    return "\n".join(parts)
