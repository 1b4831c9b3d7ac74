"""What is known of the outlet, each field with a pencil: edit in place, Enter saves, Esc leaves it as it was."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import QEvent, QObject, Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QComboBox, QGridLayout, QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from fieldcrm.domain.catalogue import OUTLET_STATES, STORE_TYPES
from fieldcrm.domain.errors import CodedError, DomainError
from fieldcrm.domain.outlet import Outlet, parse_position
from fieldcrm.ui import labels, theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.outlet.custom_words import custom_value
from fieldcrm.ui.outlet.lookalike import warn_of_lookalikes
from fieldcrm.ui.outlet.parts import Section
from fieldcrm.ui.outlet.trace_words import trace_words
from fieldcrm.ui.widgets import Button, Divider, IconButton, Text, clear_layout, plain
from fieldcrm.usecases import outlets, ownfields
from fieldcrm.usecases.card import Card as OutletCard
from fieldcrm.usecases.customfields import CustomField
from fieldcrm.usecases.timeline import custom_name
from fieldcrm.words import language, tr

LINE = 30  # pixels of a line with one line of text


@dataclass(frozen=True)
class Spec:
    """A line of the section: its fields, and how it is said. Several fields are edited together."""

    label: str
    fields: tuple[str, ...]
    say: Callable[[OutletCard], str]
    choices: tuple[tuple[str, str], ...] = ()
    editable: bool = True
    own: CustomField | None = None  # one of the organisation's own fields


def specs(manager: bool) -> list[Spec]:
    def plain(field: str) -> Spec:
        return Spec(labels.field_name(field), (field,), lambda card: _value(card.outlet, field))

    types = tuple((code, labels.store_type(code)) for code in STORE_TYPES)
    states = tuple((code, labels.outlet_state(code)) for code in OUTLET_STATES)
    segments = tuple((code, code.upper()) for code in ("a", "b", "c"))
    return [
        plain("name"),
        plain("banner"),
        plain("group_name"),
        plain("distributor"),
        Spec(labels.field_name("store_type"), ("store_type",), lambda c: labels.store_type(c.outlet.store_type), types),
        Spec(tr("Address"), ("house_number", "street", "postcode", "city"), lambda card: card.outlet.address),
        Spec(labels.field_name("position"), ("position",), lambda card: _position(card.outlet)),
        plain("phone"),
        plain("email"),
        plain("website"),
        Spec(labels.field_name("visit_minutes"), ("visit_minutes",), lambda card: _value(card.outlet, "visit_minutes")),
        Spec(
            labels.field_name("visit_interval_days"),
            ("visit_interval_days",),
            lambda card: _value(card.outlet, "visit_interval_days"),
            (),
            manager,
        ),
        Spec(labels.field_name("segment"), ("segment",), lambda c: (c.outlet.segment or "").upper(), segments, manager),
        plain("surface_m2"),
        plain("siret"),
        Spec(labels.field_name("state"), ("state",), lambda card: labels.outlet_state(card.outlet.state), states),
    ]


def _value(outlet: Outlet, field: str) -> str:
    value = getattr(outlet, field)
    return "" if value in (None, "") else labels.field_value(field, value)


def _position(outlet: Outlet) -> str:
    return "" if outlet.position is None else "{:.5f}, {:.5f}".format(*outlet.position)


def own_spec(field: CustomField) -> Spec:
    """The line of one of the organisation's own fields."""
    choices: tuple[tuple[str, str], ...] = ()
    if field.kind == "flag":
        choices = (("", tr("Not known")), ("yes", tr("yes")), ("no", tr("no")))
    elif field.kind == "choice":
        choices = (("", tr("Not known")), *((text, text) for text in field.choices))

    def say(card: OutletCard) -> str:
        value = card.outlet.custom.get(field.key)
        return "" if value is None else custom_value(value, field.kind)

    return Spec(field.name(language()), (custom_name(field.key),), say, choices, own=field)


def _editable(outlet: Outlet, spec: Spec, field: str) -> str:
    """The value as it is typed."""
    if spec.own is not None:
        value = outlet.custom.get(spec.own.key)
        if isinstance(value, bool):
            return "yes" if value else "no"
        return custom_value(value, spec.own.kind) if isinstance(value, int | float) else str(value or "")
    return _position(outlet) if field == "position" else str(getattr(outlet, field) or "")


class DetailLine(QWidget):
    """A label, its value, a pencil; or, while it is edited, the editors with what is wrong below."""

    def __init__(self, spec: Spec, save: Callable[[DetailLine, Mapping[str, Any]], None]) -> None:
        super().__init__()
        self.spec, self._save = spec, save
        self.editors: dict[str, QLineEdit | QComboBox] = {}
        self._card: OutletCard | None = None
        self._trace = ""
        across = QHBoxLayout(self)
        across.setContentsMargins(0, theme.space(0.5), 0, theme.space(0.5))
        across.setSpacing(theme.space(3))
        label = Text(spec.label, "body", "muted", wrap=True)
        label.setFixedWidth(theme.pixels(124))
        label.setMinimumHeight(theme.pixels(LINE))
        across.addWidget(label, 0, Qt.AlignmentFlag.AlignTop)
        self._place = QVBoxLayout()
        self._place.setSpacing(theme.space(1.5))
        across.addLayout(self._place, 1)
        self.pencil = IconButton("pencil", tr("Edit {field}", field=spec.label.lower()), self.edit, size=15)
        self.pencil.setFixedSize(theme.pixels(LINE), theme.pixels(LINE))
        across.addWidget(self.pencil, 0, Qt.AlignmentFlag.AlignTop)
        self.pencil.setVisible(spec.editable)
        self._wrong = Text("", "caption", "danger", wrap=True)

    @property
    def editing(self) -> bool:
        return bool(self.editors)

    def show_card(self, card: OutletCard, trace: str) -> None:
        """Show the value as it is; what is being typed stays."""
        self._card, self._trace = card, trace
        if not self.editing:
            self._show()

    def _show(self) -> None:
        clear_layout(self._place)
        assert self._card is not None
        said = self.spec.say(self._card)
        value = Text(said or tr("Not known"), "body", "" if said else "faint", wrap=True)
        value.setTextInteractionFlags(Qt.TextInteractionFlag.TextSelectableByMouse)
        value.setToolTip(plain(self._trace))
        value.setMinimumHeight(theme.pixels(LINE))
        self._place.addWidget(value, 0, Qt.AlignmentFlag.AlignTop)
        self.pencil.setVisible(self.spec.editable)

    def edit(self) -> None:
        """Put the editors in the place of the value, the first with the focus."""
        if self.editing or self._card is None or not self.spec.editable:
            return
        clear_layout(self._place)
        self.pencil.hide()
        grid = QGridLayout()
        grid.setSpacing(theme.space(1.5))
        for at, field in enumerate(self.spec.fields):
            editor = self._editor(field)
            self.editors[field] = editor
            name = self.spec.label if self.spec.own else labels.field_name(field)
            editor.setAccessibleName(name)
            editor.installEventFilter(self)
            if isinstance(editor, QLineEdit) and len(self.spec.fields) > 1:
                editor.setPlaceholderText(name)
            grid.addWidget(editor, at // 2, at % 2)
        if len(self.spec.fields) > 1:
            grid.setColumnStretch(1, 2)
            grid.setColumnStretch(0, 1)
        self._place.addLayout(grid)
        self._wrong = Text("", "caption", "danger", wrap=True)
        self._wrong.hide()
        self._place.addWidget(self._wrong)
        self._place.addLayout(self._buttons())
        first = next(iter(self.editors.values()))
        first.setFocus(Qt.FocusReason.OtherFocusReason)
        if isinstance(first, QLineEdit):
            first.selectAll()

    def _editor(self, field: str) -> QLineEdit | QComboBox:
        assert self._card is not None
        outlet = self._card.outlet
        if self.spec.choices:
            box = QComboBox()
            for code, words in self.spec.choices:
                box.addItem(words, code)
            known = _editable(outlet, self.spec, field)
            if known and box.findData(known) < 0:  # a choice that is offered no more stays until another is made
                box.addItem(known, known)
            box.setCurrentIndex(max(0, box.findData(known)))
            return box
        line = QLineEdit(_editable(outlet, self.spec, field))
        if self.spec.own is not None and self.spec.own.kind == "date":
            line.setPlaceholderText("2026-03-31")
        return line

    def _buttons(self) -> QHBoxLayout:
        across = QHBoxLayout()
        across.setSpacing(theme.space(2))
        across.addWidget(Button(tr("Save"), "primary", on_click=self.save))
        across.addWidget(Button(tr("Cancel"), "ghost", on_click=self.leave))
        across.addStretch(1)
        return across

    def values(self) -> dict[str, Any]:
        """What was typed. Raises ``DomainError`` at a position that is none."""
        found: dict[str, Any] = {}
        for field, editor in self.editors.items():
            typed = editor.currentData() if isinstance(editor, QComboBox) else editor.text()
            if field == "position":
                found["lat_e7"], found["lon_e7"] = parse_position(str(typed))
            else:
                found[field] = typed
        return found

    def save(self) -> None:
        try:
            self._save(self, self.values())
        except DomainError as error:
            self.refuse(error)

    def refuse(self, error: BaseException) -> None:
        """Say why at the field, which keeps what was typed and the focus."""
        self._wrong.set_tone("danger")
        self._wrong.setText(sentence(error))
        self._wrong.show()
        field = error.field if isinstance(error, CodedError) else None
        editor = self.editors.get(field or "") or next(iter(self.editors.values()), None)
        if editor is not None:
            editor.setAccessibleDescription(sentence(error))
            editor.setFocus(Qt.FocusReason.OtherFocusReason)

    def leave(self) -> None:
        """Back to the value, with the focus on its pencil."""
        self.editors.clear()
        self._show()
        self.pencil.setFocus(Qt.FocusReason.OtherFocusReason)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if event.type() == QEvent.Type.KeyPress and isinstance(event, QKeyEvent):
            if event.key() == Qt.Key.Key_Escape:
                self.leave()
                return True
            if event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self.save()
                return True
        return super().eventFilter(watched, event)


class Details(Section):
    def __init__(self, session: AppSession) -> None:
        super().__init__(tr("Details"))
        self._session = session
        self._card: OutletCard | None = None
        self._own: tuple[CustomField, ...] = ()
        self.lines: dict[str, DetailLine] = {}
        self.content.setSpacing(0)
        for spec in specs(session.is_manager):
            self._add_line(spec)
        self.own = QVBoxLayout()
        self.own.setSpacing(0)
        self.add(self.own)

    def _add_line(self, spec: Spec, into: QVBoxLayout | None = None) -> None:
        place = self.content if into is None else into
        if self.lines:
            place.addWidget(Divider())
        line = self.lines[spec.fields[0]] = DetailLine(spec, self._save)
        place.addWidget(line)

    def show_card(self, card: OutletCard, now: datetime) -> None:
        self._card = card
        self._offer_own(card)
        for line in self.lines.values():
            line.show_card(card, trace_words(card, line.spec.fields, now))

    def _offer_own(self, card: OutletCard) -> None:
        """The organisation's own fields, made anew when others were declared and none is being edited."""
        ours = [line for line in self.lines.values() if line.spec.own is not None]
        if card.custom_fields == self._own or any(line.editing for line in ours):
            return
        self._own = card.custom_fields
        for line in ours:
            del self.lines[line.spec.fields[0]]
        clear_layout(self.own)
        for field in card.custom_fields:
            self._add_line(own_spec(field), self.own)

    def edit(self, field: str) -> None:
        self.lines[field].edit()

    def _save(self, line: DetailLine, values: Mapping[str, Any]) -> None:
        assert self._card is not None
        outlet = self._card.outlet

        def landed(_: object) -> None:
            line.leave()
            self.say_saved(self._session)
            warn_of_lookalikes(self._session, outlet.id, values)

        if line.spec.own is not None:
            key, value = line.spec.own.key, next(iter(values.values()))
            self._session.do(lambda tx: ownfields.set_value(tx, outlet.id, key, value), landed, line.refuse)
            return
        if all(getattr(outlet, name) == (value or None) for name, value in values.items()):
            line.leave()
            return
        self._session.do(lambda tx: outlets.edit_outlet(tx, outlet.id, values), landed, line.refuse)
