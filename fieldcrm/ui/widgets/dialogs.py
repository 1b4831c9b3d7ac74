"""Dialogs in our style: only what destroys is confirmed, and only conflicts are asked about."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QDialog, QHBoxLayout, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.widgets.buttons import Button
from fieldcrm.ui.widgets.text import Text
from fieldcrm.words import tr


class Dialog(QDialog):
    """A title, a sentence, ``body`` for more, and buttons at the right (the one that acts last)."""

    def __init__(self, parent: QWidget | None, title: str, text: str = "", *, width: int = 440) -> None:
        super().__init__(parent)
        self.setWindowTitle(title)
        self.setModal(True)
        self.setMinimumWidth(theme.pixels(width))
        column = QVBoxLayout(self)
        column.setContentsMargins(*(theme.space(6),) * 4)
        column.setSpacing(theme.space(3))
        column.addWidget(Text(title, "heading", wrap=True))
        if text:
            column.addWidget(Text(text, "body", "muted", wrap=True))
        self.body = QVBoxLayout()
        self.body.setSpacing(theme.space(3))
        column.addLayout(self.body)
        column.addSpacing(theme.space(2))
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(theme.space(2))
        self._buttons.addStretch(1)
        column.addLayout(self._buttons)

    def add_button(self, text: str, kind: str, answer: int) -> Button:
        """``answer`` is what ``exec`` returns; 0 is what Esc answers."""
        button = Button(text, kind, on_click=lambda: self.done(answer))
        self._buttons.addWidget(button)
        return button


class Confirm(Dialog):
    """Before something is destroyed. Tests replace ``ask``."""

    def __init__(self, parent: QWidget | None, title: str, text: str, verb: str, *, danger: bool = True) -> None:
        super().__init__(parent, title, text)
        cancel = self.add_button(tr("Cancel"), "secondary", 0)
        act = self.add_button(verb, "danger" if danger else "primary", 1)
        (cancel if danger else act).setFocus(Qt.FocusReason.OtherFocusReason)
        (cancel if danger else act).setDefault(True)

    @classmethod
    def ask(cls, parent: QWidget | None, title: str, text: str, verb: str, *, danger: bool = True) -> bool:
        """Whether the person confirmed; Esc and Cancel do not."""
        return bool(cls(parent, title, text, verb, danger=danger).exec())
