"""Who works here and with which server; signing in again when the server asks for it."""

from __future__ import annotations

import platform

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLineEdit

from fieldcrm.domain.errors import DomainError
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.settings.layout import Page
from fieldcrm.ui.widgets import Button, Card, Field, InlineMessage, SegmentedControl, Switch, Text, row
from fieldcrm.usecases import signin
from fieldcrm.usecases.signin import SignedIn
from fieldcrm.words import tr

LONG_ADDRESS = 32  # characters from which on the address stands below its name


def account(session: AppSession) -> Page:
    identity = session.identity
    page = Page(tr("Account and server"))
    group = page.group()
    group.line(tr("Name"), "", Text(identity.name, "body", "muted"))
    group.line(tr("Organisation"), "", Text(identity.organisation or "–", "body", "muted"))
    group.line(tr("Login"), "", Text(identity.login or "–", "body", "muted"))
    if identity.server_url:
        server = Text(identity.server_url.replace(".", ".\u200b"), "body", "muted", wrap=True)  # long, it may break
        group.line(tr("Server"), "", server, below=len(identity.server_url) > LONG_ADDRESS)
    else:
        group.line(tr("Server"), "", Text(tr("None: this workspace stays on this device"), "body", "muted"))
    if session.sync is not None:
        sync = page.group(tr("Sync"))
        automatic = Switch(tr("Sync by itself"), session.preferences.auto_sync)
        automatic.toggled.connect(lambda on: setattr(session.preferences, "auto_sync", on))
        sync.line(
            tr("Sync by itself"),
            tr("Sends what you save as soon as the network answers. When off, only “Sync now” sends."),
            automatic,
        )
        photos = SegmentedControl(
            (("auto", tr("Automatically")), ("always", tr("Always")), ("asked", tr("When I say so"))),
            session.preferences.photo_rule, tr("Photos"),
        )
        photos.chosen.connect(lambda rule: setattr(session.preferences, "photo_rule", rule))
        sync.line(
            tr("Photos"),
            tr("Automatically: reports go at once, photos wait while the network is paid by volume or slow."),
            photos,
            below=True,
        )
        page.body.addSpacing(theme.space(2))
        page.body.addWidget(Text(tr("Sign in again"), "body-strong"))
        page.body.addWidget(SignInAgain(session))
    page.end()
    return page


class SignInAgain(Card):
    """The password alone; what waits here is sent right after."""

    def __init__(self, session: AppSession) -> None:
        super().__init__(padding=5, spacing=3)
        self._session = session
        self.add(Text(
            tr("Needed after a change of password, or when this device was away for long. You can work without it."),
            "body", "muted", wrap=True,
        ))
        self.password = QLineEdit()
        self.password.setEchoMode(QLineEdit.EchoMode.Password)
        self.password.returnPressed.connect(self._go)
        self.field = Field(tr("Password"), self.password)
        self.button = Button(tr("Sign in again"), "secondary", "log-in", self._go)
        line = row(3)
        line.addWidget(self.field, 1)
        self.code = QLineEdit()  # asked only where the key of this device was lost
        self.code.returnPressed.connect(self._go)
        self.code_field = Field(tr("Six-digit code"), self.code)
        self.code_field.hide()
        line.addWidget(self.code_field, 1)
        line.addWidget(self.button, 0, Qt.AlignmentFlag.AlignBottom)
        self.message = InlineMessage()
        self.add(line)
        self.add(self.message)

    def _go(self) -> None:
        session, password = self._session, self.password.text()
        kept = session.ask(signin.signed_in)
        number = session.ask(signin.device_number)
        if kept is None or not self.button.isEnabled():
            return
        self.field.set_error("")
        self.code_field.set_error("")
        self.button.setEnabled(False)
        session.tasks.run(
            lambda: signin.sign_in(kept.server_url, kept.organisation, kept.login, password, platform.node(),
                                   device=number, device_key=kept.tokens.device_key, code=self.code.text(),
                                   certificate=kept.certificate),
            self._signed,
            self._refused,
        )

    def _signed(self, signed: SignedIn) -> None:
        self._session.do(lambda tx: signin.remember(tx, signed), lambda _: self._done(), self._refused)

    def _done(self) -> None:
        self.button.setEnabled(True)
        self.password.clear()
        self.code.clear()
        self.code_field.hide()
        self.message.show_text(tr("Signed in. What waited is being sent."), "success")
        if self._session.sync is not None:
            self._session.sync.signed_in()

    def _refused(self, error: BaseException) -> None:
        self.button.setEnabled(True)
        if isinstance(error, DomainError) and error.field == "code":
            self.code_field.show()
            self.code_field.set_error(sentence(error))
            self.code.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.field.set_error(sentence(error))
