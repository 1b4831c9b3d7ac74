"""One own field beside the list: its names, its kind, its choices, and how it looks."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt, Signal
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QGridLayout, QLineEdit, QPlainTextEdit, QWidget

from fieldcrm.domain.catalogue import CUSTOM_KINDS
from fieldcrm.domain.errors import CodedError
from fieldcrm.ui import theme
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.steward.fields.kinds import ICONS, kind_name
from fieldcrm.ui.steward.fields.preview import Preview
from fieldcrm.ui.widgets import Button, Card, Field, InlineMessage, ScrollPage, SegmentedControl, Text, row
from fieldcrm.ui.widgets.signs import Sign
from fieldcrm.usecases.customfields import CustomField, FieldDetails
from fieldcrm.words import NAMES, language, tr


class FieldEditor(Card):
    """``saved(details)`` when the person saves, ``left`` when they give a new field up."""

    saved = Signal(object)
    left = Signal()
    retired = Signal()  # or restored, when it is retired already

    def __init__(self) -> None:
        super().__init__(padding=0, spacing=0)
        self._field: CustomField | None = None
        self._sign: Sign | None = None
        self._page = page = ScrollPage(margin=5, spacing=4)
        self._title = Text("", "heading", wrap=True)
        self._state = Text("", "caption", "muted", wrap=True)
        page.body.addWidget(self._title)
        page.body.addWidget(self._state)
        page.body.addLayout(self._names())
        page.body.addLayout(self._kind())
        self.choices = QPlainTextEdit()
        self.choices.setTabChangesFocus(True)
        self.choices.setFixedHeight(theme.pixels(116))
        self.choices.textChanged.connect(self._typed)
        self._choices = Field(tr("Choi&ces"), self.choices, tr("One on each line, in the order they are offered."))
        page.body.addWidget(self._choices)
        self.preview = Preview()
        page.body.addWidget(self.preview)
        self.message = InlineMessage()
        page.body.addWidget(self.message)
        page.body.addStretch(1)
        self.add(page, 1)
        self.add(self._buttons())

    def _names(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setHorizontalSpacing(theme.space(4))
        self.names: dict[str, QLineEdit] = {}
        self._labels: dict[str, Field] = {}
        first = language()
        for at, code in enumerate(sorted(NAMES, key=lambda code: code != first)):
            self.names[code] = QLineEdit()
            self.names[code].setMaxLength(60)
            self.names[code].textEdited.connect(lambda _: self._typed())
            self.names[code].returnPressed.connect(self.save)
            label = tr("Name in &French") if code == "fr" else tr("Name in &English")
            hint = "" if at == 0 else tr("Empty: the other name is shown.")
            self._labels[code] = Field(label, self.names[code], hint)
            grid.addWidget(self._labels[code], 0, at)
            grid.setColumnStretch(at, 1)
        return grid

    def _kind(self) -> QGridLayout:
        grid = QGridLayout()
        grid.setVerticalSpacing(theme.space(1.5))
        label = Text(tr("Kind"), "body-medium")
        self.kinds = SegmentedControl([(kind, kind_name(kind)) for kind in CUSTOM_KINDS], name=tr("Kind"))
        self.kinds.chosen.connect(lambda _: self._typed())
        self._fixed = QWidget()
        self._fixed_line = row(2)
        self._fixed.setLayout(self._fixed_line)
        self._fixed_words = Text("", "body")
        self._fixed_line.addWidget(self._fixed_words, 1)
        grid.addWidget(label, 0, 0)
        grid.addWidget(self.kinds, 1, 0, Qt.AlignmentFlag.AlignLeft)
        grid.addWidget(self._fixed, 1, 0)
        return grid

    def _buttons(self) -> QWidget:
        foot = QWidget()
        line = row(2)
        line.setContentsMargins(theme.space(5), theme.space(3), theme.space(5), theme.space(4))
        foot.setLayout(line)
        self.retire_button = Button("", "ghost", on_click=self.retired.emit)
        line.addWidget(self.retire_button)
        line.addStretch(1)
        self.cancel_button = Button(tr("Cancel"), "secondary", on_click=self.left.emit)
        self.save_button = Button("", "primary", "check", self.save)
        line.addWidget(self.cancel_button)
        line.addWidget(self.save_button)
        return foot

    @property
    def field(self) -> CustomField | None:
        """The field that is shown; ``None`` for a new one."""
        return self._field

    def show_field(self, field: CustomField, state: str) -> None:
        """``state``: a sentence on how many outlets hold a value."""
        self._field = field
        self._fill(field.label.get, field.kind, field.choices)
        self._title.setText(field.name(language()))
        self._state.setText(state)
        self.retire_button.setText(tr("Retire") if field.active else tr("Use it again"))
        self.save_button.setText(tr("Save"))

    def begin(self) -> None:
        """A new field, with the focus on its name."""
        self._field = None
        self._fill(lambda code: "", "text", ())
        self._title.setText(tr("New field"))
        self._state.setText(tr("It is shown on the card of every outlet, and can be filled by an import."))
        self.save_button.setText(tr("Add the field"))
        self.focus_name()

    def focus_name(self) -> None:
        self.names[language()].setFocus(Qt.FocusReason.OtherFocusReason)

    def _fill(self, name: Callable[[str], str | None], kind: str, choices: tuple[str, ...]) -> None:
        new = self._field is None
        for field in (*self._labels.values(), self._choices):
            field.set_error("")
        self.message.hide()
        for code, editor in self.names.items():
            editor.setText(name(code) or "")
        self.kinds.set_value(kind)
        self.kinds.setVisible(new)
        self._fixed.setVisible(not new)
        if self._sign is not None:
            self._fixed_line.removeWidget(self._sign)
            self._sign.hide()
            self._sign.deleteLater()
        self._sign = Sign(ICONS.get(kind, "type"), "muted", 16)
        self._fixed_line.insertWidget(0, self._sign)
        self._fixed_words.setText(kind_name(kind))
        self.choices.setPlainText("\n".join(choices))
        self.retire_button.setVisible(not new)
        self.cancel_button.setVisible(new)
        self._typed()

    def details(self) -> FieldDetails:
        """What was typed."""
        kind = self._field.kind if self._field is not None else self.kinds.value()
        lines = tuple(self.choices.toPlainText().splitlines()) if kind == "choice" else ()
        return FieldDetails({code: editor.text() for code, editor in self.names.items()}, kind, lines)

    @property
    def touched(self) -> bool:
        """Whether something was typed that is not saved."""
        typed = self.details()
        label = {code: text.strip() for code, text in typed.label.items() if text.strip()}
        choices = tuple(line.strip() for line in typed.choices if line.strip())
        if self._field is None:
            return bool(label or choices)
        return label != dict(self._field.label) or choices != self._field.choices

    def _typed(self) -> None:
        typed = self.details()
        self._choices.setVisible(typed.kind == "choice")
        name = typed.label.get(language(), "").strip() or next((t.strip() for t in typed.label.values() if t), "")
        self.preview.show_field(name, typed.kind, tuple(line.strip() for line in typed.choices if line.strip()))
        self.save_button.setEnabled(self._field is None or self.touched)

    def save(self) -> None:
        if self.save_button.isEnabled():
            for field in (*self._labels.values(), self._choices):
                field.set_error("")
            self.saved.emit(self.details())

    def refuse(self, error: BaseException) -> None:
        """Say why at the field in question."""
        where = (error.field or "") if isinstance(error, CodedError) else ""
        field = self._choices if where == "choices" else self._labels.get(where.partition(".")[2])
        if where == "label":
            field = self._labels[language()]
        if field is None:
            self.message.show_text(sentence(error), "danger")
            return
        field.set_error(sentence(error))
        self._page.ensureWidgetVisible(field)
        field.editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if event.key() == Qt.Key.Key_Escape:
            self.left.emit()
            return
        super().keyPressEvent(event)
