"""The page of own fields: the list in its order at the left, the chosen field at the right."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from PySide6.QtWidgets import QWidget

from fieldcrm.domain.ids import Id
from fieldcrm.ui import theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.steward.fields.editor import FieldEditor
from fieldcrm.ui.steward.fields.listing import FieldList, FieldModel
from fieldcrm.ui.steward.page import PageHead, StewardPage
from fieldcrm.ui.widgets import Button, Card, Chip, EmptyState, StateStack, column, row
from fieldcrm.usecases import customfields
from fieldcrm.usecases.customfields import CustomField, FieldDetails
from fieldcrm.words import language, tr, trn


class FieldsPage(StewardPage):
    """Everything applies at once and can be undone; nothing that was entered is ever lost by it."""

    kinds = ("custom_field", "outlet")

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._wanted: Id | None = None
        self._adding = self._filling = False
        lines = column(4)
        lines.setContentsMargins(*(theme.space(6),) * 4)
        self.setLayout(lines)
        note = tr("What your organisation asks of every outlet besides its name and address. Drag to put in order.")
        self.head = PageHead(tr("Own fields"), note)
        self.retired = Chip(tr("Retired ones too"))
        self.retired.toggled.connect(lambda _: self._load())
        self.new_button = Button(tr("New field"), "primary", "plus", self.begin)
        self.head.add(self.retired)
        self.head.add(self.new_button)
        lines.addWidget(self.head)
        self.model = FieldModel(self)
        self.list = FieldList(self.model)
        self.list.current_changed.connect(self._chosen)
        self.list.moved.connect(self._move)
        self.list.retire_asked.connect(lambda _: self.retire())
        self.editor = FieldEditor()
        self.editor.saved.connect(self._save)
        self.editor.left.connect(self._leave_editor)
        self.editor.retired.connect(self.retire)
        both = QWidget()
        across = row(4)
        both.setLayout(across)
        holder = Card(padding=1.5, spacing=0)
        holder.add(self.list, 1)
        across.addWidget(holder, 4)
        across.addWidget(self.editor, 6)
        self.state = StateStack(both)
        lines.addWidget(self.state, 1)

    def page_actions(self) -> list[Action]:
        chosen = lambda: self._current() is not None  # noqa: E731
        return [
            Action("steward.field_new", tr("&New field"), self.begin, ("Ctrl+N",), "plus", "edit", 5),
            Action("steward.field_up", tr("Move the field &up"), lambda: self._step(-1), ("Alt+Up",), "arrow-up",
                   "edit", 5, enabled=chosen),
            Action("steward.field_down", tr("Move the field &down"), lambda: self._step(1), ("Alt+Down",), "arrow-down",
                   "edit", 5, enabled=chosen),
            Action("steward.field_retire", tr("&Retire the field, or use it again"), self.retire, (), "archive", "edit",
                   5, enabled=chosen),
        ]  # fmt: skip

    def areas(self) -> list[QWidget]:
        return [self.list, self.editor]

    # reading

    def _load(self) -> None:
        self._stale = False
        if not self.model.rowCount():
            self.state.show_loading()
        self.session.ask_later(
            lambda r: customfields.fields(r, retired=True), self._show_fields, self._failed, key="steward.fields")
        self.session.ask_later(customfields.used, self._show_held, self._failed, key="steward.held")

    def _failed(self, error: BaseException) -> None:
        self.state.show_error(error, self._load)

    def _show_fields(self, fields: tuple[CustomField, ...]) -> None:
        active = [field for field in fields if field.active]
        self.retired.setVisible(len(active) < len(fields))
        shown = list(fields) if self.retired.isChecked() else active
        self.model.set_fields(shown)
        self._filling = True  # the current row comes back by itself: nobody chose it
        self.list.set_ids([field.id for field in shown])
        self._filling = False
        if not shown and not self._adding:
            text = tr("A contract number, a level, a cold room: whatever your organisation wants to know.")
            self.state.show_empty(EmptyState(
                "text-cursor-input", tr("No field of your own yet"), text, (tr("New field"), self.begin)))
            return
        self.state.show_content()
        if self._wanted is not None and self.list.select_id(self._wanted):
            self._wanted = None
        if self._adding:
            return
        if self.list.current_id() is None and shown:
            self.list.select_id(shown[0].id)
        if not self.editor.touched or self.editor.field is None:
            self._show(self.list.current_id())

    def _show_held(self, held: dict[str, int]) -> None:
        self.model.held = held
        self.list.viewport().update()
        field = self._current()
        if field is not None and not self._adding and not self.editor.touched:
            self._show(field.id)

    def _current(self) -> CustomField | None:
        return self.model.field(self.list.current_id())

    def _chosen(self, id: Id) -> None:
        """The person goes to another field: what was typed about the one before is saved, or refused where it is."""
        before = self.editor.field
        if self._filling or (before is not None and before.id == id and not self._adding):
            return
        if before is None or not self.editor.touched:
            self._show(id)
            return
        details, back = self.editor.details(), FieldDetails(before.label, before.kind, before.choices)

        def changed(_: None) -> None:
            self._say(tr("Saved on this device"), lambda tx: customfields.change(tx, before.id, back))
            self._show(id)

        def refused(error: BaseException) -> None:
            self._filling = True
            self.list.select_id(before.id)
            self._filling = False
            self.editor.refuse(error)

        self.session.do(lambda tx: customfields.change(tx, before.id, details), changed, refused)

    def _show(self, id: Id | None) -> None:
        field = self.model.field(id)
        if field is None:
            return
        self._adding = False
        held = self.model.held.get(field.key, 0)
        state = trn("{n} outlet holds a value.", "{n} outlets hold a value.", held) if held else tr("No value yet.")
        if not field.active:
            state = tr("Retired: it is asked no more.") + " " + state
        self.editor.show_field(field, state)

    # writing

    def begin(self) -> None:
        """A new field beside the list."""
        self._adding = True
        self.state.show_content()
        self.list.clearSelection()
        if self.editor.field is not None or not self.editor.touched:
            self.editor.begin()
        else:
            self.editor.focus_name()

    def _leave_editor(self) -> None:
        self._adding = False
        field = self._current()
        if field is not None:
            self._show(field.id)
            self.list.setFocus()
        else:
            self._load()

    def _save(self, details: FieldDetails) -> None:
        field = self.editor.field

        def added(id: Id) -> None:
            self._adding, self._wanted = False, id
            self._load()
            self._say(tr("Added. Every card shows the field from now on."), lambda tx: customfields.retire(tx, id))

        def changed(_: None) -> None:
            assert field is not None  # a new one goes to ``added``
            back = FieldDetails(field.label, field.kind, field.choices)
            self._say(tr("Saved on this device"), lambda tx: customfields.change(tx, field.id, back))
            self.editor.show_field(field, "")
            self._load()

        if field is None:
            self.session.do(lambda tx: customfields.add(tx, details), added, self.editor.refuse)
        else:
            self.session.do(lambda tx: customfields.change(tx, field.id, details), changed, self.editor.refuse)

    def retire(self) -> None:
        """Retire the chosen field, or use it again when it is retired already."""
        field = self._current()
        if field is None or self._adding:
            return
        do, back, said = customfields.retire, customfields.restore, tr(
            "“{name}” is asked no more. What was entered stays.", name=field.name(language()))
        if not field.active:
            do, back, said = back, do, tr("“{name}” is on every card again.", name=field.name(language()))
        self.session.do(lambda tx: do(tx, field.id), lambda _: self._say(said, lambda tx: back(tx, field.id)),
                        self.editor.refuse)

    def _say(self, text: str, back: Callable[[Any], object]) -> None:
        self.session.messages.done(text, lambda: self.session.do(back))

    def _step(self, by: int) -> None:
        field = self._current()
        at = self.list.currentIndex().row() + by
        if field is not None and 0 <= at < self.model.rowCount():
            self._move(field.id, at)

    def _move(self, id: Id, place: int) -> None:
        before = self.model.ids()
        ids = [other for other in before if other != id]
        ids.insert(place, id)
        self._wanted = id
        self.session.do(lambda tx: customfields.reorder(tx, ids))
