"""The people at the outlet: who they are, how to reach them, and changing that in place."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QCheckBox, QGridLayout, QHBoxLayout, QLineEdit, QWidget

from fieldcrm.domain.contact import Contact, ContactDetails
from fieldcrm.domain.errors import CodedError
from fieldcrm.domain.ids import Id
from fieldcrm.ui import labels, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.outlet.header import addressed, dialled
from fieldcrm.ui.outlet.parts import Section
from fieldcrm.ui.widgets import Avatar, Badge, Button, Divider, Field, FlowLayout, IconButton, Text, column
from fieldcrm.usecases import contacts
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.words import number, tr


class ContactForm(QWidget):
    """The fields of one contact; Enter saves, Esc leaves."""

    def __init__(self, section: People, contact: Contact | None) -> None:
        super().__init__()
        self._section, self._contact = section, contact
        grid = QGridLayout(self)
        grid.setContentsMargins(0, theme.space(1), 0, theme.space(2))
        grid.setSpacing(theme.space(2))
        self.fields: dict[str, Field] = {}
        places = (
            ("name", tr("Name"), 0, 0),
            ("job", tr("Job"), 0, 1),
            ("phone", tr("Phone"), 1, 0),
            ("email", tr("E-mail"), 1, 1),
        )
        for name, label, at, across in places:
            editor = QLineEdit(str(getattr(contact, name) or "") if contact else "")
            editor.returnPressed.connect(self.save)
            self.fields[name] = Field(label, editor)
            grid.addWidget(self.fields[name], at, across)
        self.preferred = QCheckBox(tr("Person to see first"))
        self.preferred.setChecked(contact.preferred if contact else False)
        grid.addWidget(self.preferred, 2, 0, 1, 2)
        buttons = QHBoxLayout()
        buttons.setSpacing(theme.space(2))
        buttons.addWidget(Button(tr("Save"), "primary", on_click=self.save))
        buttons.addWidget(Button(tr("Cancel"), "ghost", on_click=section.leave))
        buttons.addStretch(1)
        grid.addLayout(buttons, 3, 0, 1, 2)

    def editor(self, name: str) -> QLineEdit:
        found = self.fields[name].editor
        assert isinstance(found, QLineEdit)
        return found

    def save(self) -> None:
        texts = {name: self.editor(name).text() for name in self.fields}
        note = self._contact.note if self._contact else None
        details = ContactDetails(
            texts["name"], texts["job"], texts["phone"], texts["email"], note, self.preferred.isChecked()
        )
        self._section.save(self._contact, details, self.refuse)

    def refuse(self, error: BaseException) -> None:
        for field in self.fields.values():
            field.set_error("")
        name = error.field if isinstance(error, CodedError) else None
        field = self.fields.get(name or "name") or self.fields["name"]
        field.set_error(sentence(error))
        field.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self._section.leave()
            return
        super().keyPressEvent(event)


class People(Section):
    """``outside(address, text)`` hands an address to the computer, and keeps ``text`` on the clipboard."""

    def __init__(self, session: AppSession, outside: Callable[[str, str], None]) -> None:
        super().__init__(tr("People"))
        self._session = session
        self._card: OutletCard | None = None
        self._editing: Id | None = None
        self._adding = False
        self.form: ContactForm | None = None
        self._outside = outside
        self.add_action(tr("Add"), "user-plus", self.begin_new)

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._card = card
        self.title.set_count(number(len(card.contacts)) if card.contacts else "")
        if self.form is None:
            self._show()

    def _show(self) -> None:
        self.empty()
        self.form = None
        assert self._card is not None
        if self._adding:
            self._put_form(None)
        for contact in self._card.contacts:
            if contact.id == self._editing:
                self._put_form(contact)
            else:
                self.content.addWidget(self._line(contact))
            if contact is not self._card.contacts[-1]:
                self.content.addWidget(Divider())
        if not self._card.contacts and not self._adding:
            self.say_nothing(tr("Nobody is known here yet. Who decides about the shelf?"))

    def _put_form(self, contact: Contact | None) -> None:
        self.form = ContactForm(self, contact)
        self.content.addWidget(self.form)
        self.form.editor("name").setFocus(Qt.FocusReason.OtherFocusReason)

    def _line(self, contact: Contact) -> QWidget:
        line = QWidget()
        across = QHBoxLayout(line)
        across.setContentsMargins(0, theme.space(1), 0, theme.space(1))
        across.setSpacing(theme.space(3))
        across.addWidget(Avatar(contact.name, 34), 0, Qt.AlignmentFlag.AlignTop)
        lines = column(0)
        lines.addWidget(Text(contact.name, "body-medium", wrap=True))
        if contact.job:
            lines.addWidget(Text(contact.job, "caption", "muted", wrap=True))
        if contact.phone or contact.email:
            lines.addWidget(self._reach(contact))
        if contact.note:
            lines.addWidget(Text(contact.note, "caption", "faint", wrap=True))
        across.addLayout(lines, 1)
        if contact.preferred:
            across.addWidget(Badge(tr("See first"), "accent"), 0, Qt.AlignmentFlag.AlignTop)
        edit = IconButton("pencil", tr("Edit {name}", name=contact.name), lambda: self.begin_edit(contact.id), size=15)
        remove = IconButton("trash-2", tr("Remove {name}", name=contact.name), lambda: self.remove(contact.id), size=15)
        across.addWidget(edit, 0, Qt.AlignmentFlag.AlignTop)
        across.addWidget(remove, 0, Qt.AlignmentFlag.AlignTop)
        return line

    def _reach(self, contact: Contact) -> QWidget:
        """Call and write with one click."""
        holder = QWidget()
        flow = FlowLayout(holder, 0.5)
        phone, email = contact.phone, contact.email
        if phone:
            call = Button(labels.unbroken(phone), "quiet", "phone", lambda: self._outside(dialled(phone), phone))
            call.setAccessibleName(tr("Call {phone}", phone=f"{contact.name}, {phone}"))
            flow.addWidget(call)
        if email:
            write = Button(email, "quiet", "mail", lambda: self._outside(addressed(email), email))
            write.setAccessibleName(tr("Write to {name}", name=contact.name))
            flow.addWidget(write)
        return holder

    def begin_new(self) -> None:
        self._adding, self._editing = True, None
        self._show()

    def begin_edit(self, contact: Id) -> None:
        self._adding, self._editing = False, contact
        self._show()

    def leave(self) -> None:
        self._adding, self._editing = False, None
        self._show()

    def save(self, contact: Contact | None, details: ContactDetails, refuse: object) -> None:
        assert self._card is not None and callable(refuse)
        outlet = self._card.outlet.id
        if contact is None:
            self._session.do(lambda tx: contacts.add_contact(tx, outlet, details), self._landed, refuse)
        else:
            self._session.do(lambda tx: contacts.edit_contact(tx, contact.id, details), self._landed, refuse)

    def remove(self, contact: Id) -> None:
        """At once, with Undo beside it: nothing is asked."""
        self._session.do(lambda tx: contacts.remove_contact(tx, contact), self._landed, self.say_error)

    def _landed(self, _: object = None) -> None:
        self._adding, self._editing, self.form = False, None, None
        self.say_saved(self._session)
