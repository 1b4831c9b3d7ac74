"""The start window: brand at the left, one page at a time at the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QCloseEvent
from PySide6.QtWidgets import QHBoxLayout, QProgressBar, QStackedWidget, QVBoxLayout, QWidget

from fieldcrm import words
from fieldcrm.domain.errors import CodedError, DomainError
from fieldcrm.ui import theme
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.start.brand import Brand
from fieldcrm.ui.start.farewell import farewell_page
from fieldcrm.ui.start.forms import StartForm
from fieldcrm.ui.widgets import Button, Card, EmptyState, SegmentedControl, Text
from fieldcrm.words import tr

Failed = Callable[[BaseException], None]


class StartSteps(Protocol):
    """What the root does for this window; each answers on the UI thread."""

    def sign_in(self, server: str, organisation: str, login: str, password: str, code: str,
                then: Callable[[], None], failed: Failed) -> None:
        """Ask the server who this is; nothing is kept yet. ``code``: the second factor, once it was asked for."""

    def needs_passphrase(self) -> bool:
        """Whether this computer has no keyring, so that a passphrase has to protect the data."""

    def create(self, passphrase: str, then: Callable[[], None], failed: Failed) -> None:
        """Make the encrypted workspace of who signed in, and begin the first download."""

    def unlock(self, passphrase: str, then: Callable[[], None], failed: Failed) -> None:
        """Open an existing workspace with its passphrase."""

    def enter(self) -> None:
        """Show the program; this window goes."""

    @property
    def sample(self) -> Callable[[], None] | None:
        """Opens the sample workspace, where the root knows one."""


class StartWindow(QWidget):
    """``closed`` when the person gives up."""

    closed = Signal()

    def __init__(self, steps: StartSteps, preferences: Preferences) -> None:
        super().__init__()
        self._steps, self._preferences = steps, preferences
        self._page = "welcome"
        self._trouble: BaseException | None = None
        self._farewell_trouble: BaseException | None = None
        self._farewell_changes: int | None = None
        self._farewell_again: Callable[[], None] = lambda: None
        self.form: StartForm | None = None
        self.setWindowTitle("FieldCRM")
        self.setMinimumSize(720, 520)
        self.resize(1000, 680)
        self._row = QHBoxLayout(self)
        self._row.setContentsMargins(0, 0, 0, 0)
        self._row.setSpacing(0)
        self._build()

    # ---- building ----

    def _build(self) -> None:
        while (item := self._row.takeAt(0)) is not None:
            gone = item.widget()
            if gone is not None:
                gone.hide()
                gone.deleteLater()
        self._row.addWidget(Brand(), 4)
        right = QWidget()
        column = QVBoxLayout(right)
        column.setContentsMargins(theme.space(8), theme.space(5), theme.space(8), theme.space(6))
        top = QHBoxLayout()
        top.addStretch(1)
        languages = SegmentedControl(list(words.NAMES.items()), words.language(), tr("Language"))
        languages.chosen.connect(self._speak)
        top.addWidget(languages)
        column.addLayout(top)
        middle = QHBoxLayout()
        middle.addStretch(1)
        self._stack = QStackedWidget()
        self._stack.setMaximumWidth(theme.pixels(420))
        middle.addWidget(self._stack, 100)
        middle.addStretch(1)
        column.addLayout(middle, 1)
        self._row.addWidget(right, 6)
        self._show(self._page)

    def _speak(self, code: str) -> None:
        self._preferences.language = code
        words.set_language(code)
        QTimer.singleShot(0, self._build)

    def _show(self, page: str) -> None:
        makers: dict[str, Callable[[], QWidget]] = {
            "welcome": self._welcome,
            "sign_in": self._sign_in,
            "passphrase": self._passphrase,
            "download": self._download,
            "preparing": self._preparing,
            "unlock": self._unlock,
            "trouble": self._troubled,
            "farewell": lambda: farewell_page(self._farewell_changes, self._farewell_trouble, self._farewell_again,
                                              self._reset),
        }
        self._page = page
        self.form = None
        made = makers[page]()
        if isinstance(made, StartForm):
            self.form = made
        before = self._stack.currentWidget()
        self._stack.addWidget(made)
        self._stack.setCurrentWidget(made)
        if before is not None:
            self._stack.removeWidget(before)
            before.deleteLater()
        if self.form is not None:
            self.form.focus_first()

    def _reset(self) -> None:
        self._show("welcome")

    @property
    def page(self) -> str:
        return self._page

    def ask_unlock(self) -> None:
        self._show("unlock")

    def show_download(self) -> None:
        self._show("download")

    def show_farewell(self, again: Callable[[], None]) -> None:
        """This device was shut out: what was not sent is being handed over. ``again`` tries once more."""
        self._farewell_again, self._farewell_trouble, self._farewell_changes = again, None, None
        self._show("farewell")

    def farewell_waits(self, error: BaseException) -> None:
        """It could not be handed over now."""
        self._farewell_trouble = error
        self._show("farewell")

    def farewell_said(self, changes: int) -> None:
        """All is handed over, and deleted here."""
        self._farewell_changes = changes
        self._show("farewell")

    def farewell_taken_back(self) -> None:
        """Headquarters knows this device again: the next start opens it."""
        self._trouble = DomainError("device_taken_back")
        self._show("trouble")

    def show_preparing(self) -> None:
        """The sample data are being made."""
        self._show("preparing")

    def show_trouble(self, error: BaseException) -> None:
        """The workspace cannot be opened: say why, keep everything as it is."""
        self._trouble = error
        self._show("trouble")

    # ---- pages ----

    def _welcome(self) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space(3))
        column.addStretch(2)
        column.addWidget(Text(tr("Welcome"), "display"))
        column.addWidget(Text(tr("Two minutes, and the day can begin."), "lead", "muted", wrap=True))
        column.addSpacing(theme.space(4))
        column.addWidget(self._offer(
            tr("Sign in"), tr("With the address and the login your organisation gave you."),
            Button(tr("Sign in"), "primary", "log-in", lambda: self._show("sign_in")),
        ))
        if self._steps.sample is not None:
            column.addWidget(self._offer(
                tr("Try with sample data"), tr("A fictitious territory on this device alone. No server, no account."),
                Button(tr("Try"), "secondary", "sparkles", self._try_sample),
            ))
        column.addStretch(3)
        return page

    def _offer(self, title: str, note: str, button: Button) -> Card:
        card = Card(padding=5, spacing=1)
        row = QHBoxLayout()
        row.setSpacing(theme.space(4))
        said = QVBoxLayout()
        said.setSpacing(theme.space(1))
        said.addWidget(Text(title, "heading", wrap=True))
        said.addWidget(Text(note, "caption", "muted", wrap=True))
        row.addLayout(said, 1)
        row.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        card.add(row)
        return card

    def _try_sample(self) -> None:
        if self._steps.sample is not None:
            self._steps.sample()

    def _sign_in(self) -> StartForm:
        form = StartForm(tr("Sign in"), tr("This is needed once. After that the program works without network."))
        form.add_text("server", tr("Server address"), placeholder="https://crm.example.org")
        form.add_text("organisation", tr("Organisation"))
        form.add_text("login", tr("Login"))
        form.add_text("password", tr("Password"), secret=True)

        def go() -> None:
            form.set_busy(True)
            value = form.value
            code = value("code") if "code" in form.fields else ""
            self._steps.sign_in(value("server"), value("organisation"), value("login"), value("password"), code,
                                signed, refused)

        def refused(error: BaseException) -> None:
            if isinstance(error, CodedError) and error.code == "server_unreachable":
                # Nothing is recorded yet that could be kept; a slip in the address is likelier than a broken server.
                form.set_busy(False)
                form.fields["server"].set_error(
                    tr("No server answers at {url}. Check the address, and that this computer has a network.",
                       **error.params))
                form.fields["server"].editor.setFocus(Qt.FocusReason.OtherFocusReason)
                return
            if not isinstance(error, CodedError) or error.code != "second_factor_needed" or "code" in form.fields:
                form.refuse(error)
                return
            form.set_busy(False)
            hint = tr("This device is new here. See your authenticator app, or use a recovery code.")
            edit = form.add_text("code", tr("Six-digit code"), hint=hint)
            edit.setFocus(Qt.FocusReason.OtherFocusReason)

        def signed() -> None:
            if self._steps.needs_passphrase():
                self._show("passphrase")
            else:
                self._steps.create("", lambda: self._show("download"), form.refuse)

        form.add_action(tr("Sign in"), tr("Signing in…"), go)
        form.add_other(tr("Back"), lambda: self._show("welcome"))
        form.end_buttons()
        return form

    def _passphrase(self) -> StartForm:
        form = StartForm(
            tr("Protect the data on this device"),
            tr("This computer has no keyring. A passphrase encrypts what is kept here; it is asked at each start and "
               "nobody can recover it for you."),
        )
        hint = tr("8 characters or more; a short sentence is best.")
        form.add_text("passphrase", tr("Passphrase"), secret=True, hint=hint)
        form.add_text("again", tr("Once more"), secret=True)

        def go() -> None:
            if form.value("passphrase") != form.value("again"):
                form.fields["again"].set_error(tr("The two are not the same."))
                return
            form.set_busy(True)
            self._steps.create(form.value("passphrase"), lambda: self._show("download"), form.refuse)

        form.add_action(tr("Encrypt and go on"), tr("One moment…"), go)
        form.end_buttons()
        return form

    def _unlock(self) -> StartForm:
        form = StartForm(tr("Unlock"), tr("The data on this device are encrypted. What you saved waits for you."))
        form.add_text("passphrase", tr("Passphrase"), secret=True)

        def go() -> None:
            form.set_busy(True)
            self._steps.unlock(form.value("passphrase"), self._steps.enter, form.refuse)

        form.add_action(tr("Unlock"), tr("Unlocking…"), go)
        form.end_buttons()
        return form

    def _download(self) -> QWidget:
        return self._busy(
            tr("Bringing your territory"),
            tr("You can begin at once: the rest arrives while you work. If the network goes, it goes on later."),
            tr("Asking the server…"),
            Button(tr("Begin now"), "primary", "arrow-right", self._steps.enter),
        )

    def _preparing(self) -> QWidget:
        return self._busy(
            tr("Making the sample data"),
            tr("Real stores from OpenStreetMap, invented people and visits. This is done once and takes a minute."),
            tr("One moment…"),
        )

    def _busy(self, title: str, note: str, state: str, button: Button | None = None) -> QWidget:
        page = QWidget()
        column = QVBoxLayout(page)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space(3))
        column.addStretch(2)
        column.addWidget(Text(title, "title"))
        column.addWidget(Text(note, "body", "muted", wrap=True))
        column.addSpacing(theme.space(2))
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setRange(0, 0)
        self.progress.setAccessibleName(title)
        column.addWidget(self.progress)
        self.progress_words = Text(state, "caption", "muted", wrap=True)
        column.addWidget(self.progress_words)
        if button is not None:
            row = QHBoxLayout()
            row.addWidget(button)
            row.addStretch(1)
            column.addSpacing(theme.space(2))
            column.addLayout(row)
        column.addStretch(3)
        return page

    def show_progress(self, text: str, done: int = 0, total: int = 0) -> None:
        """How far the first download is; ``total`` 0 while it is not known."""
        if self._page == "download":
            self.progress.setRange(0, total)
            self.progress.setValue(min(done, total))
            self.progress_words.setText(text)

    def _troubled(self) -> QWidget:
        assert self._trouble is not None
        text = sentence(self._trouble)
        title = tr("This workspace cannot be opened")
        return EmptyState("lock", title, text, (tr("Close"), self.close), tone="warning")

    def closeEvent(self, event: QCloseEvent) -> None:
        self.closed.emit()
        super().closeEvent(event)
