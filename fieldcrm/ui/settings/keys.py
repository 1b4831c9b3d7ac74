"""Own shortcuts: one line for each action, keys that are taken are refused with the reason."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeySequence
from PySide6.QtWidgets import QHBoxLayout, QKeySequenceEdit, QLineEdit, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.actions import Action, ActionTable
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.widgets import Button, Card, Divider, InlineMessage, Text
from fieldcrm.words import tr


class ShortcutEditor(QWidget):
    """Writes the person's own keys into the preferences; the action table takes them up at once."""

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        self._editors: dict[str, QKeySequenceEdit] = {}
        column = QVBoxLayout(self)
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(theme.space(3))
        self.message = InlineMessage()
        column.addWidget(self.message)
        card = Card(padding=0, spacing=0)
        column.addWidget(card)
        table = session.action_table
        if table is not None:
            for at, action in enumerate(self._listed(table)):
                if at:
                    card.add(Divider())
                card.add(self._line(table, action))
        row = QHBoxLayout()
        row.addWidget(Button(tr("Back to the usual keys"), "secondary", "rotate-ccw", self._reset))
        row.addStretch(1)
        column.addLayout(row)

    def _listed(self, table: ActionTable) -> list[Action]:
        found: dict[str, Action] = {}
        for actions in table.contexts().values():
            found |= {action.id: action for action in actions}
        return list(found.values())

    def _line(self, table: ActionTable, action: Action) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(theme.space(5), theme.space(2), theme.space(4), theme.space(2))
        row.addWidget(Text(action.name), 1)
        keys = table.keys(action)
        editor = QKeySequenceEdit(QKeySequence(keys[0] if keys else ""))
        editor.setMaximumSequenceLength(1)
        editor.setAccessibleName(tr("Keys for {action}", action=action.name))
        for inner in editor.findChildren(QLineEdit):
            inner.setAccessibleName(editor.accessibleName())
        editor.setFixedWidth(theme.pixels(180))
        editor.editingFinished.connect(lambda: self._edited(table, action, editor))
        self._editors[action.id] = editor
        row.addWidget(editor, 0, Qt.AlignmentFlag.AlignRight)
        return holder

    def _edited(self, table: ActionTable, action: Action, editor: QKeySequenceEdit) -> None:
        wanted = editor.keySequence().toString(QKeySequence.SequenceFormat.PortableText)
        before = table.keys(action)[0] if table.keys(action) else ""
        if wanted == before:
            return
        own = {**self._session.preferences.own_keys, action.id: wanted}
        if wanted == (action.keys[0] if action.keys else ""):
            del own[action.id]
        table.set_overrides(own)
        clash = next((pair for pair in table.clashes() if action.id in pair[1:]), None)
        if clash is not None:
            other = clash[1] if clash[2] == action.id else clash[2]
            table.set_overrides(self._session.preferences.own_keys)
            editor.setKeySequence(QKeySequence(before))
            name = next(a.name for a in self._listed(table) if a.id == other)
            self.message.show_text(tr("{keys} is taken by “{action}”.", keys=clash[0], action=name), "warning")
            return
        self._session.preferences.own_keys = own

    def _reset(self) -> None:
        self._session.preferences.own_keys = {}
        table = self._session.action_table
        if table is None:
            return
        table.set_overrides({})
        for action in self._listed(table):
            if action.id in self._editors:
                self._editors[action.id].setKeySequence(QKeySequence(action.keys[0] if action.keys else ""))
        self.message.show_text(tr("The usual keys are back."), "success")
