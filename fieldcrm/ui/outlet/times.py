"""When the store is open, and when it likes to be visited: said in words, edited as a week."""

from __future__ import annotations

from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from fieldcrm.domain.errors import DomainError
from fieldcrm.ui import hours, labels, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.outlet.parts import Section
from fieldcrm.ui.outlet.trace_words import trace_words
from fieldcrm.ui.outlet.week_editor import WeekEditor
from fieldcrm.ui.widgets import Button, Divider, IconButton, Text, clear_layout, plain
from fieldcrm.usecases import outlets
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.words import tr

FIELDS = ("opening_hours", "preferred_slots")


class TimesLine(QWidget):
    """One of the two fields: its words and a pencil, or the week editor in their place."""

    def __init__(self, section: Times, field: str) -> None:
        super().__init__()
        self._section, self.field = section, field
        self._card: OutletCard | None = None
        self._now: datetime | None = None
        self.editor: WeekEditor | None = None
        self._wrong = Text("", "caption", "danger", wrap=True)
        lines = QVBoxLayout(self)
        lines.setContentsMargins(0, theme.space(0.5), 0, theme.space(0.5))
        lines.setSpacing(theme.space(1))
        top = QHBoxLayout()
        top.addWidget(Text(labels.field_name(field), "body-medium"), 1)
        self.pencil = IconButton(
            "pencil", tr("Edit {field}", field=labels.field_name(field).lower()), self.edit, size=15
        )
        top.addWidget(self.pencil)
        lines.addLayout(top)
        self._place = QVBoxLayout()
        self._place.setSpacing(theme.space(2))
        lines.addLayout(self._place)

    @property
    def editing(self) -> bool:
        return self.editor is not None

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._card, self._now = card, now
        if not self.editing:
            self._show()

    def _show(self) -> None:
        clear_layout(self._place)
        assert self._card is not None and self._now is not None
        said = self._said()
        value = Text(said or tr("Not known"), "body", "" if said else "faint", wrap=True)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setToolTip(plain(trace_words(self._card, (self.field,), self._now)))
        self._place.addWidget(value)
        self.pencil.show()

    def _said(self) -> str:
        assert self._card is not None
        card = self._card
        if self.field == "opening_hours":
            if card.week is None:
                return card.outlet.opening_hours or ""
            said = hours.week_text(card.week)
            return said + "\n" + tr("Other hours in another season") if card.week.seasonal else said
        return hours.slots_words(card.brief.slots) if card.brief.slots else card.outlet.preferred_slots or ""

    def edit(self) -> None:
        if self.editing or self._card is None or self._now is None:
            return
        clear_layout(self._place)
        self.pencil.hide()
        outlet = self._card.outlet
        text = getattr(outlet, self.field) or ""
        holidays = self.field == "opening_hours"
        self.editor = WeekEditor(text, outlet.zone, outlet.country, self._now, holidays=holidays)
        self.editor.saved.connect(self.save)
        self.editor.left.connect(self.leave)
        self._wrong = Text("", "caption", "danger", wrap=True)
        self._wrong.hide()
        self._place.addWidget(self.editor)
        self._place.addWidget(self._wrong)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.space(2))
        buttons.addWidget(Button(tr("Save"), "primary", on_click=self.save))
        buttons.addWidget(Button(tr("Cancel"), "ghost", on_click=self.leave))
        buttons.addStretch(1)
        self._place.addLayout(buttons)
        self.editor.first().setFocus(Qt.FocusReason.OtherFocusReason)

    def save(self) -> None:
        if self.editor is None:
            return
        try:
            self._section.save(self, self.editor.text())
        except DomainError as error:
            self.refuse(error)

    def refuse(self, error: BaseException) -> None:
        self._wrong.setText(sentence(error))
        self._wrong.show()
        if self.editor is not None:
            self.editor.raw.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> None:
        """Back to the words, with the focus on the pencil."""
        self.editor = None
        self._show()
        self.pencil.setFocus(Qt.FocusReason.OtherFocusReason)


class Times(Section):
    def __init__(self, session: AppSession) -> None:
        super().__init__(tr("Hours"))
        self._session = session
        self._card: OutletCard | None = None
        self.lines: dict[str, TimesLine] = {}
        for field in FIELDS:
            if self.lines:
                self.content.addWidget(Divider())
            self.lines[field] = TimesLine(self, field)
            self.content.addWidget(self.lines[field])

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._card = card
        for line in self.lines.values():
            line.show_card(card, now)

    def edit(self, field: str) -> None:
        self.lines[field].edit()

    def save(self, line: TimesLine, text: str) -> None:
        assert self._card is not None
        outlet, field = self._card.outlet, line.field
        if (getattr(outlet, field) or "") == text:
            line.leave()
            return

        def landed(_: object) -> None:
            line.leave()
            self.say_saved(self._session)

        self._session.do(lambda tx: outlets.edit_outlet(tx, outlet.id, {field: text}), landed, line.refuse)
