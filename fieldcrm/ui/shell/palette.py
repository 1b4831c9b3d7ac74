"""The command palette: one field for actions, outlets and people; also the search of the program."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from itertools import count

from PySide6.QtCore import QEvent, QObject, Qt, QTimer
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.actions import EVERYWHERE, Action, ActionTable, Found
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.shell.overlay import Overlay
from fieldcrm.ui.widgets import (
    Column,
    Divider,
    EmptyState,
    KeyCap,
    PageModel,
    RowList,
    StateStack,
    Text,
    TwoLine,
    TwoLineDelegate,
)
from fieldcrm.words import tr

SHOWN = 60
WAIT = 90  # ms after the last key before the database is asked
LETTERS = 2  # typed before outlets and people are looked for
GOOD_ENOUGH = 62.0


@dataclass(frozen=True)
class _Entry:
    id: int
    found: Found
    keys: str = ""


def rank(typed: str, actions: Iterable[Action]) -> list[tuple[float, Action]]:
    """Actions by how well they fit what was typed, best first; those that do not fit are left out."""
    from rapidfuzz import fuzz, utils

    wanted = utils.default_process(typed)
    scored = []
    for action in actions:
        name = utils.default_process(action.name)
        if any(word.startswith(wanted) for word in [name, *name.split()]):
            score = 100.0 if name.startswith(wanted) else 95.0
        else:
            score = fuzz.WRatio(wanted, name) if len(wanted) > 2 else 0.0
        if score >= GOOD_ENOUGH:
            scored.append((score, action))
    return sorted(scored, key=lambda pair: -pair[0])


class Palette(Overlay):
    """Enter does what is marked, arrows move, Esc closes and gives the focus back."""

    def __init__(self, parent: QWidget, session: AppSession, table: ActionTable) -> None:
        super().__init__(parent, 664, 500)
        self._session, self._table = session, table
        self._entries: dict[int, _Entry] = {}
        self._numbers = count()
        self._recent: list[str] = []
        self.body.addLayout(self._head())
        self.body.addWidget(Divider())
        self.body.addWidget(self._results(), 1)
        self.body.addWidget(Divider())
        self.body.addLayout(self._foot())
        self._wait = QTimer(self)
        self._wait.setSingleShot(True)
        self._wait.setInterval(WAIT)
        self._wait.timeout.connect(self._look)

    def _head(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(theme.space(4), theme.space(3), theme.space(4), theme.space(3))
        self.field = QLineEdit()
        self.field.setProperty("kind", "bare")
        self.field.setFont(theme.font("lead"))
        self.field.setPlaceholderText(tr("Search outlets, people, actions…"))
        self.field.setAccessibleName(tr("Search outlets, people, actions…"))
        self.field.textChanged.connect(self._typed)
        self.field.installEventFilter(self)
        row.addWidget(self.field)
        return row

    def _results(self) -> StateStack:
        columns: list[Column[_Entry]] = [Column("name", "", lambda entry: entry.found.title)]
        self.model: PageModel[_Entry] = PageModel(columns, self._rows, parent=self)
        self.view = RowList(self.model, TwoLineDelegate(_describe), tr("Results"))
        self.view.setFocusPolicy(Qt.FocusPolicy.NoFocus)
        self.view.setProperty("kind", "raised")
        self.view.clicked.connect(lambda _: self._choose())
        self._stack = StateStack(self.view)
        return self._stack

    def _foot(self) -> QHBoxLayout:
        row = QHBoxLayout()
        row.setContentsMargins(theme.space(4), theme.space(2), theme.space(4), theme.space(2))
        row.setSpacing(theme.space(1.5))
        for key, words in (("↑ ↓", tr("move")), ("↵", tr("choose")), ("Esc", tr("close"))):
            row.addWidget(KeyCap(key))
            row.addWidget(Text(words, "caption", "faint"))
            row.addSpacing(theme.space(2))
        row.addStretch(1)
        return row

    def ask(self) -> None:
        """Open, empty, ready to type."""
        self.field.clear()
        self._show(self._suggestions())
        self.appear(self.field)

    def entries(self) -> list[Found]:
        """What is shown, in order."""
        return [self._entries[id].found for id in self.model.ids()]

    def _suggestions(self) -> list[_Entry]:
        """What was asked for last, then what can be done on the screen in front, then the places, and quitting last."""
        offered = [action for action in self._table.actions() if action.palette and action.enabled()]
        order = {id: at for at, id in enumerate(self._recent)}
        general = {action.id for action in self._table.contexts().get(EVERYWHERE, [])}

        def place(action: Action) -> tuple[bool, int, bool]:
            ends = action.id == "file.quit"  # Enter on an empty palette must never end the program
            return ends, order.get(action.id, len(order)), action.id in general

        return [self._action(action) for action in sorted(offered, key=place)]

    def _action(self, action: Action) -> _Entry:
        def run() -> None:
            self._recent = [action.id, *(id for id in self._recent if id != action.id)][:6]
            self._table.trigger(action.id)

        found = Found(action.name, tr("Action"), action.icon or "corner-down-left", run)
        return _Entry(next(self._numbers), found, self._table.shown_keys(action))

    def _typed(self, text: str) -> None:
        typed = text.strip()
        if not typed:
            self._show(self._suggestions())
            return
        found = self._actions_for(typed)
        if found or len(typed) < LETTERS:
            self._show(found)
        self._wait.start()

    def _actions_for(self, typed: str) -> list[_Entry]:
        offered = [action for action in self._table.actions() if action.palette and action.enabled()]
        return [self._action(action) for _, action in rank(typed, offered)[:8]]

    def _look(self) -> None:
        typed = self.field.text().strip()
        if len(typed) < LETTERS or not self.isVisible():
            return
        finders = list(self._session.finders)
        self._session.ask_later(
            lambda r: [found for finder in finders for found in finder(r, typed)],
            lambda found: self._add(typed, found),
            key="palette",
        )

    def _add(self, typed: str, found: Sequence[Found]) -> None:
        if typed != self.field.text().strip():
            return
        best = sorted(found, key=lambda f: -f.score)
        self._show([*self._actions_for(typed)[:4], *(_Entry(next(self._numbers), f) for f in best[:SHOWN])])

    def _show(self, entries: Sequence[_Entry]) -> None:
        self._entries = {entry.id: entry for entry in entries}
        self.view.set_ids([entry.id for entry in entries])
        if entries:
            self.view.setCurrentIndex(self.model.index(0, 0))
            self._stack.show_content()
        else:
            text = tr("Try the name, the town or the banner of an outlet, a person, or what you want to do.")
            self._stack.show_empty(EmptyState("search", tr("Nothing found"), text, tone="neutral"))

    def _rows(self, ids: Sequence[int]) -> list[_Entry]:
        return [self._entries[id] for id in ids if id in self._entries]

    def _choose(self) -> None:
        entry = self._entries.get(self.view.current_id())
        if entry is not None:
            self.vanish()
            entry.found.run()

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        if watched is self.field and isinstance(event, QKeyEvent) and event.type() == QEvent.Type.KeyPress:
            key = event.key()
            if key in (Qt.Key.Key_Down, Qt.Key.Key_Up, Qt.Key.Key_PageDown, Qt.Key.Key_PageUp):
                self._move({Qt.Key.Key_Down: 1, Qt.Key.Key_Up: -1, Qt.Key.Key_PageDown: 6}.get(Qt.Key(key), -6))
                return True
            if key in (Qt.Key.Key_Return, Qt.Key.Key_Enter):
                self._choose()
                return True
        return super().eventFilter(watched, event)

    def _move(self, step: int) -> None:
        last = self.model.rowCount() - 1
        at = max(0, min(self.view.currentIndex().row() + step, last))
        self.view.setCurrentIndex(self.model.index(at, 0))


def _describe(entry: _Entry) -> TwoLine:
    return TwoLine(entry.found.title, entry.found.detail, icon=entry.found.icon, trailing=entry.keys)
