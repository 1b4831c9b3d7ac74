"""The second copy: where it is kept, how it stands, and the recovery code, which is shown once."""

from __future__ import annotations

from pathlib import Path

from PySide6.QtCore import Qt
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from fieldcrm import words
from fieldcrm.domain.errors import CodedError
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.settings.layout import Group
from fieldcrm.ui.widgets import Button, Card, Dialog, InlineMessage, Text, row
from fieldcrm.usecases import second_copy
from fieldcrm.usecases.second_copy import SecondCopy
from fieldcrm.words import tr


class CodeDialog(Dialog):
    """The recovery code. Closing it is the person's word that it was written down; tests replace ``show_code``."""

    def __init__(self, parent: QWidget | None, code: str) -> None:
        text = tr("Without it nobody can open the copy, and it is kept nowhere. Write it down, apart from this "
                  "computer.")
        super().__init__(parent, tr("Your recovery code"), text, width=520)
        box = Card(padding=4, spacing=2, tone="accent")
        shown = Text(code, "title", wrap=True)
        shown.setAlignment(Qt.AlignmentFlag.AlignHCenter)
        shown.setTextInteractionFlags(
            Qt.TextInteractionFlag.TextSelectableByMouse | Qt.TextInteractionFlag.TextSelectableByKeyboard
        )
        shown.setAccessibleName(" ".join(code))
        box.add(shown)
        self.body.addWidget(box)
        line = row(2)
        line.addWidget(Button(tr("Copy the code"), "ghost", "copy", lambda: QGuiApplication.clipboard().setText(code)))
        line.addStretch(1)
        self.body.addLayout(line)
        self.add_button(tr("I have written it down"), "primary", 1).setFocus()

    @classmethod
    def show_code(cls, parent: QWidget | None, code: str) -> None:
        cls(parent, code).exec()


class SecondCopyLines(QWidget):
    """The buttons of the line; what they change is said below it, in the same group."""

    def __init__(self, session: AppSession, group: Group) -> None:
        super().__init__()
        self._session = session
        line = row(2)
        self.choose = Button(tr("Choose a folder…"), "secondary", "folder-open", self._ask)
        self.stop = Button(tr("Copy no more"), "ghost", "x", self._give_up)
        line.addWidget(self.choose)
        line.addWidget(self.stop)
        self.setLayout(line)
        note = tr("Kept by itself on another disk, a USB stick or a network folder, encrypted: a broken computer then "
                  "costs no visit.")
        group.line(tr("Second copy"), note, self, below=True)
        self.status = InlineMessage(closable=False)  # how it stands is no news to be put away
        group.whole(self.status)
        session.sync_changed.connect(self.refresh)
        self.refresh()

    def _now(self) -> SecondCopy:
        kept, copier = self._session.ask(second_copy.status), self._session.copier
        # The copier looks again in a few seconds: what was chosen or given up just now is not to look undone meanwhile.
        return kept if copier is None or copier.status.place != kept.place else copier.status

    def refresh(self) -> None:
        copy = self._now()
        text, tone = standing(copy)
        self.status.show_text(text, tone)
        self.stop.setVisible(copy.place is not None)
        self.choose.setText(tr("Choose another folder…") if copy.place is not None else tr("Choose a folder…"))

    def _ask(self) -> None:
        chosen = QFileDialog.getExistingDirectory(self.window(), tr("Folder for the second copy"))
        if not chosen:
            return
        self.choose.setEnabled(False)
        session = self._session
        session.tasks.run(
            lambda: second_copy.choose(session.db, Path(chosen), actor=session.actor, now=session.clock()),
            self._chosen,
            self._refused,
        )

    def _chosen(self, code: str) -> None:
        self.choose.setEnabled(True)
        CodeDialog.show_code(self.window(), code)
        self._copy_soon()

    def _copy_soon(self) -> None:
        if self._session.copier is not None:
            self._session.copier.wrote()
        self.refresh()

    def _refused(self, error: BaseException) -> None:
        self.choose.setEnabled(True)
        self.status.show_text(sentence(error), "danger")

    def _give_up(self) -> None:
        self._session.do(second_copy.give_up, lambda _: self._copy_soon())


def standing(copy: SecondCopy) -> tuple[str, str]:
    """How the second copy stands, and its tone."""
    if copy.place is None:
        return tr("There is no second copy: what was not sent yet is on this computer alone."), "warning"
    place = breakable(copy.place)
    if copy.problem is not None:
        since = tr(" Since {when}.", when=words.day_time(copy.missing_since)) if copy.missing_since else ""
        return sentence(CodedError(copy.problem, path=place)) + tr(" Place: {place}.", place=place) + since, "danger"
    if copy.copied_at is None:
        return tr("The first copy to {place} is being made.", place=place), "neutral"
    if copy.same_disk:
        return tr("Whole {when}, in {place}: but on the same disk, which breaks as one. Choose another.",
                  when=words.day_time(copy.copied_at), place=place), "warning"
    return tr("Whole {when}, in {place}.", when=words.day_time(copy.copied_at), place=place), "success"


def breakable(path: Path) -> str:
    """A path that may break into lines at its separators."""
    return str(path).replace("/", "/\u200b")
