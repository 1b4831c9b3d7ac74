"""The organisation's rules about duplicates: each change says at once how many pairs there would be."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import Any

from PySide6.QtCore import QTimer
from PySide6.QtWidgets import QLineEdit, QWidget

from fieldcrm.ui import duplicate_words
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.widgets import (
    Button,
    Chip,
    Field,
    FlowLayout,
    InlineMessage,
    NumberField,
    ScrollPage,
    Switch,
    Text,
    column,
    row,
)
from fieldcrm.usecases import duplicates
from fieldcrm.usecases.duplicates import EVIDENCE, Rules
from fieldcrm.words import tr, trn

PAUSE = 200  # ms after the last change before the pairs are counted


class RulesPanel(ScrollPage):
    """``leave`` is called when it is saved or given up."""

    def __init__(self, session: AppSession, leave: Callable[[], None]) -> None:
        super().__init__(width=560, margin=6, spacing=4)
        self._session, self._leave = session, leave
        self._filling = False
        self.body.addWidget(Text(tr("Rules for duplicates"), "heading"))
        text = tr("They hold for everybody in the organisation, in this list and while a new outlet is typed.")
        self.body.addWidget(Text(text, "body", "muted", wrap=True))
        self._numbers()
        self._evidence()
        self._more()
        self.count = Text("", "body-strong", wrap=True)
        self.body.addWidget(self.count)
        self._message = InlineMessage()
        self.body.addWidget(self._message)
        foot = row(2)
        defaults = lambda: self.show_rules(Rules.from_value(None))  # noqa: E731
        above = row(2)
        above.addWidget(Button(tr("Back to the defaults"), "ghost", on_click=defaults))
        above.addStretch(1)
        self.body.addLayout(above)
        foot.addStretch(1)
        foot.addWidget(Button(tr("Cancel"), "secondary", on_click=leave))
        self.save_button = Button(tr("Save the rules"), "primary", "check", self.save)
        foot.addWidget(self.save_button)
        self.body.addLayout(foot)
        self.body.addStretch(1)
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(PAUSE)
        self._timer.timeout.connect(self._count)

    def _numbers(self) -> None:
        self.certain, self.look, self.metres = NumberField(51, 99), NumberField(5, 95), NumberField(10, 5000)
        for field, suffix in ((self.certain, " %"), (self.look, " %"), (self.metres, " m")):
            field.setSuffix(suffix)
            field.valueChanged.connect(self._changed)
        across = row(3)
        across.addWidget(Field(tr("&Certain from"), self.certain, tr("May be merged all at once.")), 1)
        across.addWidget(Field(tr("&Shown from"), self.look, tr("To be looked at.")), 1)
        self.body.addLayout(across)
        self.body.addWidget(Field(tr("At &most apart"), self.metres, tr("Unless the SIRET is the same.")))

    def _evidence(self) -> None:
        self.body.addWidget(Text(tr("What counts"), "body-medium"))
        holder = QWidget()
        flow = FlowLayout(holder, 2)
        self.chips = {name: Chip(duplicate_words.evidence_name(name)) for name in EVIDENCE}
        for chip in self.chips.values():
            chip.setCheckable(True)
            chip.toggled.connect(self._changed)
            flow.addWidget(chip)
        self.body.addWidget(holder)

    def _more(self) -> None:
        across = row(3)
        words = column(0.5)
        words.addWidget(Text(tr("Only within one banner"), "body-medium"))
        text = tr("Two outlets of different banners are never shown. A change of banner is missed then.")
        words.addWidget(Text(text, "caption", "muted", wrap=True))
        across.addLayout(words, 1)
        self.same_enseigne = Switch(tr("Only within one banner"))
        self.same_enseigne.toggled.connect(self._changed)
        across.addWidget(self.same_enseigne)
        self.body.addLayout(across)
        self.phones = QLineEdit()
        self.phones.textChanged.connect(self._changed)
        hint = tr("With the country: +33 1 …, parted by commas. A head office or a call centre says nothing.")
        self.phones_field = Field(tr("&Telephones that do not count"), self.phones, hint)
        self.body.addWidget(self.phones_field)

    def show_rules(self, rules: Rules) -> None:
        self._filling = True
        self.certain.setValue(round(100 * rules.certain))
        self.look.setValue(round(100 * rules.look))
        self.metres.setValue(rules.max_distance_m)
        for name, chip in self.chips.items():
            chip.setChecked(name in rules.evidence)
        self.same_enseigne.setChecked(rules.same_enseigne)
        self.phones.setText(", ".join(sorted(rules.ignored_phones)))
        self._filling = False
        self._count()

    def rules(self) -> Rules:
        """What is set now. The telephones are brought into one form."""
        phones = duplicates.written_phones(self.phones.text())
        look = self.look.value() / 100
        return replace(
            Rules(), certain=max(look, self.certain.value() / 100), look=look, max_distance_m=self.metres.value(),
            evidence=frozenset(name for name, chip in self.chips.items() if chip.isChecked()),
            same_enseigne=self.same_enseigne.isChecked(), ignored_phones=phones,
        )  # fmt: skip

    def _changed(self, *_: Any) -> None:
        if not self._filling:
            self._timer.start()

    def _count(self) -> None:
        rules = self.rules()
        self._session.ask_later(lambda r: duplicates.counted(r, rules), self._say, key="steward.duplicates.count")

    def _say(self, found: tuple[int, int]) -> None:
        pairs, certain = found
        text = trn("{n} pair to look at", "{n} pairs to look at", pairs)
        self.count.setText(f"{text} · {trn('{n} certain', '{n} certain', certain)}")

    def save(self) -> None:
        rules = self.rules()
        self._session.do(lambda tx: duplicates.set_rules(tx, rules), lambda _: self._saved(), self._refused)

    def _saved(self) -> None:
        self._session.messages.done(tr("The rules are saved for everybody."))
        self._leave()

    def _refused(self, error: BaseException) -> None:
        self._message.show_text(sentence(error), "danger")
