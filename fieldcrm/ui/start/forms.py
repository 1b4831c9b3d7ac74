"""The forms of the start: each field says what is wrong with it, below it."""

from __future__ import annotations

from collections.abc import Callable, Mapping

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.ui import theme
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.widgets import Button, Field, InlineMessage, Text


class StartForm(QWidget):
    """A title, a sentence, fields, and one button that does it; errors land at their field or above the button."""

    def __init__(self, title: str, note: str) -> None:
        super().__init__()
        self.fields: dict[str, Field] = {}
        self._busy_words = ""
        self._words = ""
        self.column = QVBoxLayout(self)
        self.column.setContentsMargins(0, 0, 0, 0)
        self.column.setSpacing(theme.space(3))
        self.column.addStretch(2)
        self.column.addWidget(Text(title, "title", wrap=True))
        self.column.addWidget(Text(note, "body", "muted", wrap=True))
        self.column.addSpacing(theme.space(2))
        self._fields = QVBoxLayout()
        self._fields.setSpacing(theme.space(3))
        self.column.addLayout(self._fields)
        self.message = InlineMessage(closable=False)
        self.column.addWidget(self.message)
        self._buttons = QHBoxLayout()
        self._buttons.setSpacing(theme.space(2))
        self.column.addSpacing(theme.space(1))
        self.column.addLayout(self._buttons)
        self.column.addStretch(3)
        self.act: Button | None = None

    def add_text(
        self, name: str, label: str, *, hint: str = "", placeholder: str = "", secret: bool = False
    ) -> QLineEdit:
        edit = QLineEdit()
        edit.setPlaceholderText(placeholder)
        if secret:
            edit.setEchoMode(QLineEdit.EchoMode.Password)
        edit.returnPressed.connect(self._enter)
        field = Field(label, edit, hint)
        edit.textEdited.connect(lambda: field.set_error(""))
        self.fields[name] = field
        self._fields.addWidget(field)
        return edit

    def add_action(self, words: str, busy: str, run: Callable[[], None]) -> None:
        """The one button that does it; ``busy`` is what it says meanwhile."""
        self._words, self._busy_words = words, busy
        self.act = Button(words, "primary", on_click=run)
        self.act.setDefault(True)
        self._buttons.addWidget(self.act)

    def add_other(self, words: str, run: Callable[[], None]) -> None:
        self._buttons.addWidget(Button(words, "ghost", on_click=run))

    def end_buttons(self) -> None:
        self._buttons.addStretch(1)

    def value(self, name: str) -> str:
        editor = self.fields[name].editor
        assert isinstance(editor, QLineEdit)
        return editor.text()

    def values(self) -> Mapping[str, str]:
        return {name: self.value(name) for name in self.fields}

    def fill(self, values: Mapping[str, str]) -> None:
        for name, value in values.items():
            editor = self.fields[name].editor if name in self.fields else None
            if isinstance(editor, QLineEdit):
                editor.setText(value)

    def set_busy(self, busy: bool) -> None:
        if self.act is not None:
            self.act.setText(self._busy_words if busy else self._words)
            self.act.setEnabled(not busy)
        for field in self.fields.values():
            field.editor.setEnabled(not busy)
        if busy:
            self.message.hide()
            for field in self.fields.values():
                field.set_error("")

    def refuse(self, error: BaseException) -> None:
        """Show why it did not work, at the field that can mend it."""
        self.set_busy(False)
        name = error.field if isinstance(error, CodedError) else None
        if name in self.fields:
            self.fields[name].set_error(sentence(error))
            self.fields[name].editor.setFocus(Qt.FocusReason.OtherFocusReason)
        else:
            self.message.show_text(sentence(error), "danger")
            if self.act is not None:  # the fields were out of reach meanwhile: Enter is to try again, not to go back
                self.act.setFocus(Qt.FocusReason.OtherFocusReason)

    def focus_first(self) -> None:
        """Into the first empty field."""
        for field in self.fields.values():
            if isinstance(field.editor, QLineEdit) and not field.editor.text():
                field.editor.setFocus(Qt.FocusReason.OtherFocusReason)
                return

    def _enter(self) -> None:
        if self.act is not None and self.act.isEnabled():
            self.act.click()
