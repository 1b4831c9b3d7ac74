"""How a field looks on the card of an outlet: while it is read, and while it is edited."""

from __future__ import annotations

from datetime import date

from PySide6.QtCore import QDate
from PySide6.QtWidgets import QComboBox, QHBoxLayout, QLineEdit, QWidget

from fieldcrm.ui.widgets import Card, DateField, Field, SectionTitle, Switch, Text, clear_layout, column, row
from fieldcrm.words import date as day
from fieldcrm.words import number, tr

SAMPLE_NUMBER, SAMPLE_DAY = 24, date(2026, 6, 3)


def sample(kind: str, choices: tuple[str, ...]) -> str:
    """A value of this kind as the card says it."""
    return {
        "text": tr("Behind the bakery"), "number": number(SAMPLE_NUMBER), "date": day(SAMPLE_DAY),
        "choice": choices[0] if choices else "–", "flag": tr("Yes"),
    }.get(kind, "")  # fmt: skip


class Preview(Card):
    """``show_field`` with what was typed so far."""

    def __init__(self) -> None:
        super().__init__(padding=4, spacing=3)
        self.add(SectionTitle(tr("How it looks"), style="body-strong"))
        self._holder = QHBoxLayout()
        self._holder.setSpacing(24)
        self.add(self._holder)

    def show_field(self, name: str, kind: str, choices: tuple[str, ...]) -> None:
        clear_layout(self._holder)
        name = name or tr("Name of the field")
        reading = QWidget()
        lines = column(1)
        reading.setLayout(lines)
        lines.addWidget(Text(tr("On the card"), "caption", "faint"))
        across = row(3)
        across.addWidget(Text(name, "body", "muted", wrap=True), 1)
        across.addWidget(Text(sample(kind, choices), "body-medium", wrap=True), 1)
        lines.addLayout(across)
        lines.addStretch(1)
        editing = QWidget()
        lines = column(1)
        editing.setLayout(lines)
        lines.addWidget(Text(tr("While it is edited"), "caption", "faint"))
        lines.addWidget(self._editor(name, kind, choices))
        lines.addStretch(1)
        self._holder.addWidget(reading, 1)
        self._holder.addWidget(editing, 1)

    def _editor(self, name: str, kind: str, choices: tuple[str, ...]) -> QWidget:
        if kind == "flag":
            holder = QWidget()
            across = row(3)
            holder.setLayout(across)
            across.addWidget(Text(name, "body-medium", wrap=True), 1)
            across.addWidget(Switch(name, True))
            return holder
        editor: QWidget
        if kind == "choice":
            combo = QComboBox()
            combo.addItems(["", *choices])
            combo.setCurrentIndex(1 if choices else 0)
            editor = combo
        elif kind == "date":
            dated = DateField()
            dated.setDate(QDate(SAMPLE_DAY.year, SAMPLE_DAY.month, SAMPLE_DAY.day))
            editor = dated
        else:
            editor = QLineEdit(sample(kind, choices))
        return Field(name, editor)
