"""The questions of the page: why a finding is none, when a task is due, what is mended at once, and the rules."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from datetime import date, timedelta

from PySide6.QtCore import QDate, Qt
from PySide6.QtWidgets import QComboBox, QLineEdit, QListWidget, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.steward.quality import finding_words
from fieldcrm.ui.widgets import DateField, Dialog, Field, NumberField, Switch, Text, row
from fieldcrm.usecases.outlet_quality import FindingRow, Rules
from fieldcrm.words import number, tr, trn

SAMPLE = 60  # lines of the preview


class IgnoreDialog(Dialog):
    """Why this is right as it is. Tests replace ``ask``."""

    def __init__(self, parent: QWidget | None, row: FindingRow) -> None:
        text = tr("“{value}” stays as it is, for everybody, until it changes.", value=row.value or tr("nothing"))
        super().__init__(parent, tr("Right as it is"), text)
        self.reason = QComboBox()
        self.reason.setEditable(True)
        self.reason.addItems([tr("Checked at the store"), tr("Checked on the telephone"), tr("Special case")])
        self.body.addWidget(Field(tr("Reason"), self.reason, tr("Kept with your name, for whoever asks later.")))
        self.add_button(tr("Cancel"), "secondary", 0)
        self.add_button(tr("Ignore"), "primary", 1).setDefault(True)

    @classmethod
    def ask(cls, parent: QWidget | None, row: FindingRow) -> str | None:
        made = cls(parent, row)
        return made.reason.currentText() if made.exec() else None


class TaskDialog(Dialog):
    """A task for the sector's rep. Tests replace ``ask``."""

    def __init__(self, parent: QWidget | None, row: FindingRow, today: date) -> None:
        super().__init__(parent, tr("A task for the sector’s rep"), row.name)
        self.what = QLineEdit(finding_words.task_title(row))
        self.due = DateField()
        due = today + timedelta(days=14)
        self.due.setDate(QDate(due.year, due.month, due.day))
        self.body.addWidget(Field(tr("What"), self.what))
        self.body.addWidget(Field(tr("Due"), self.due))
        self.add_button(tr("Cancel"), "secondary", 0)
        self.add_button(tr("Make the task"), "primary", 1).setDefault(True)

    @classmethod
    def ask(cls, parent: QWidget | None, row: FindingRow, today: date) -> tuple[str, date | None] | None:
        made = cls(parent, row, today)
        if not made.exec():
            return None
        chosen = made.due.date().toPython()
        return made.what.text(), chosen if isinstance(chosen, date) else None


class MendDialog(Dialog):
    """What mending all of a kind would change. Tests replace ``ask``."""

    def __init__(self, parent: QWidget | None, code: str, count: int, rows: Sequence[FindingRow]) -> None:
        title = trn("Mend {n} value", "Mend {n} values", count)
        text = tr("Only the writing changes, and one Undo takes all of it back. Nobody is said to have confirmed it.")
        super().__init__(parent, title, text, width=620)
        shown = QListWidget()
        shown.setAccessibleName(finding_words.kind_name(code))
        shown.setSelectionMode(QListWidget.SelectionMode.NoSelection)
        shown.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        for one in rows[:SAMPLE]:
            shown.addItem(f"{one.name}:  {one.value}  →  {one.suggestion}")
        shown.setSpacing(theme.space(0.5))
        shown.setFixedHeight(theme.pixels(min(300, 24 + 26 * max(2, len(rows)))))
        self.body.addWidget(shown)
        if count > min(len(rows), SAMPLE):
            more = count - min(len(rows), SAMPLE)
            self.body.addWidget(Text(trn("and {n} more", "and {n} more", more), "caption", "muted"))
        self.add_button(tr("Cancel"), "secondary", 0)
        self.add_button(tr("Mend all"), "primary", 1).setDefault(True)

    @classmethod
    def ask(cls, parent: QWidget | None, code: str, count: int, rows: Sequence[FindingRow]) -> bool:
        return bool(cls(parent, code, count, rows).exec())


class RulesDialog(Dialog):
    """The organisation's rules. Tests replace ``ask``."""

    def __init__(self, parent: QWidget | None, rules: Rules) -> None:
        super().__init__(parent, tr("Rules of quality"), tr("They hold for the whole organisation."), width=520)
        self._rules = rules
        self.confirm = NumberField(7, 3650, rules.confirm_days)
        self.visit = NumberField(30, 3650, rules.visit_days)
        self.complete = NumberField(1, 100, rules.incomplete_below)
        self.form = QComboBox()
        for value, name in (
            ("any", tr("As it is, if it is readable")), ("international", "+33 1 45 00 12 12"),
            ("e164", "+33145001212"), ("national", "01 45 00 12 12"),
        ):
            self.form.addItem(name, value)
        self.form.setCurrentIndex(max(0, self.form.findData(rules.phone_form)))
        days = row(4)
        days.addWidget(Field(tr("Not confirmed after (days)"), self.confirm))
        days.addWidget(Field(tr("Not visited after (days)"), self.visit))
        self.body.addLayout(days)
        more = row(4)
        more.addWidget(Field(tr("Incomplete below (of 100)"), self.complete))
        more.addWidget(Field(tr("Phone numbers are written"), self.form))
        self.body.addLayout(more)
        self.alerts = Switch(tr("Ask the rep to confirm"), rules.alerts)
        line = row(3)
        words = tr("Before a visit that is due within {n} days, an outlet not confirmed becomes a task for the "
                   "sector’s rep: once, at most {most} at a time in a sector. Confirming it closes the task.",
                   n=number(rules.alert_ahead_days), most=number(rules.alert_most))
        line.addWidget(Text(tr("Ask the rep to confirm"), "body-medium"), 1)
        line.addWidget(self.alerts)
        self.body.addLayout(line)
        self.body.addWidget(Text(words, "caption", "muted", wrap=True))
        self.add_button(tr("Cancel"), "secondary", 0)
        self.add_button(tr("Save the rules"), "primary", 1).setDefault(True)

    def rules(self) -> Rules:
        return replace(
            self._rules, confirm_days=self.confirm.value(), visit_days=self.visit.value(),
            incomplete_below=self.complete.value(), phone_form=str(self.form.currentData()),
            alerts=self.alerts.isChecked(),
        )

    @classmethod
    def ask(cls, parent: QWidget | None, rules: Rules) -> Rules | None:
        made = cls(parent, rules)
        return made.rules() if made.exec() else None
