"""One table of actions: menus, shortcuts, the palette and the shortcut help are all made from it."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field

from PySide6.QtCore import QEvent, QObject, Qt, Signal
from PySide6.QtGui import QAction, QKeySequence
from PySide6.QtWidgets import QWidget

from fieldcrm.ui.icons import icon

EVERYWHERE = ""
MENUS = ("file", "edit", "view", "visit", "tools", "help")


def _always() -> bool:
    return True


@dataclass(frozen=True)
class Action:
    """Something a person can ask for.

    ``id`` is stable (``"sync.now"``); ``text`` is already in the person's language, ``&`` marks the mnemonic.
    ``menu`` is one of MENUS, or empty for the palette and shortcuts only. ``keys`` are portable key names
    (``"Ctrl+R"``), the first is the one that is shown. ``checked`` makes it a tick.
    """

    id: str
    text: str
    run: Callable[[], None]
    keys: tuple[str, ...] = ()
    icon: str = ""
    menu: str = ""
    group: int = 0  # a divider goes between groups of a menu
    enabled: Callable[[], bool] = field(default=_always)
    checked: Callable[[], bool] | None = None
    palette: bool = True

    @property
    def name(self) -> str:
        return self.text.replace("&", "").rstrip("…")


@dataclass(frozen=True)
class Found:
    """Something the palette found: what it is called, more about it, and what choosing it does."""

    title: str
    detail: str
    icon: str
    run: Callable[[], None]
    score: float = 0.0  # 0 to 100; what an exact name gets


class ActionTable(QObject):
    """The actions in force: those that hold everywhere, and those of the screen in front."""

    changed = Signal()

    def __init__(self, window: QWidget, overrides: Mapping[str, str] | None = None) -> None:
        super().__init__(window)
        self._window = window
        self._overrides = dict(overrides or {})
        self._by_context: dict[str, list[Action]] = {}
        self._front = EVERYWHERE
        self._made: dict[str, QAction] = {}
        window.installEventFilter(self)

    def eventFilter(self, watched: QObject, event: QEvent) -> bool:
        # Sent before keys are looked up: the keys of an action that is not enabled are dead, and what an action is
        # about (a draft, a line) may have come since it was last asked.
        if event.type() == QEvent.Type.ShortcutOverride:
            self.refresh()
        return super().eventFilter(watched, event)

    def register(self, actions: Iterable[Action], context: str = EVERYWHERE) -> None:
        """Put the actions of a context in force, in place of those it had."""
        self._by_context[context] = list(actions)
        self._remake()

    def bring_to_front(self, context: str) -> None:
        """Only the actions that hold everywhere and those of ``context`` answer from now on."""
        self._front = context
        self._remake()

    def forget(self) -> None:
        """Drop all contexts: the language has changed."""
        self._by_context.clear()
        self._remake()

    def actions(self) -> list[Action]:
        held = list(self._by_context.get(EVERYWHERE, []))
        if self._front != EVERYWHERE:
            held += self._by_context.get(self._front, [])
        return held

    def contexts(self) -> Mapping[str, list[Action]]:
        return self._by_context

    def keys(self, action: Action) -> tuple[str, ...]:
        """The keys of an action, the person's own first."""
        own = self._overrides.get(action.id)
        return action.keys if own is None else ((own,) if own else ())

    def shown_keys(self, action: Action) -> str:
        keys = self.keys(action)
        return QKeySequence(keys[0]).toString(QKeySequence.SequenceFormat.NativeText) if keys else ""

    def set_overrides(self, overrides: Mapping[str, str]) -> None:
        self._overrides = dict(overrides)
        self._remake()

    def clashes(self) -> list[tuple[str, str, str]]:
        """``(keys, id, id)`` of actions that answer to the same keys in one context."""
        found = []
        everywhere = self._by_context.get(EVERYWHERE, [])
        for context, own in self._by_context.items():
            seen: dict[str, str] = {}
            for action in everywhere if context == EVERYWHERE else [*everywhere, *own]:
                for keys in self.keys(action):
                    if keys in seen and seen[keys] != action.id:
                        found.append((keys, seen[keys], action.id))
                    seen[keys] = action.id
        return found

    def qt(self, id: str) -> QAction | None:
        """The QAction of an action in force, for buttons and menus."""
        return self._made.get(id)

    def trigger(self, id: str) -> bool:
        """Do the action, if it is in force and enabled."""
        for action in self.actions():
            if action.id == id and action.enabled():
                action.run()
                return True
        return False

    def refresh(self) -> None:
        """Ask every action again whether it is enabled and ticked."""
        for action in self.actions():
            made = self._made.get(action.id)
            if made is not None:
                _sync_state(action, made)

    def _remake(self) -> None:
        for made in self._made.values():
            self._window.removeAction(made)
            made.deleteLater()
        self._made = {action.id: self._make(action) for action in self.actions()}
        self.changed.emit()

    def _make(self, action: Action) -> QAction:
        made = QAction(action.text, self)
        if action.icon:
            made.setIcon(icon(action.icon, "muted"))
        made.setShortcuts([QKeySequence(keys) for keys in self.keys(action)])
        made.setShortcutContext(Qt.ShortcutContext.WindowShortcut)
        made.setCheckable(action.checked is not None)
        _sync_state(action, made)
        made.triggered.connect(lambda: action.run() if action.enabled() else None)
        self._window.addAction(made)
        return made


def _sync_state(action: Action, made: QAction) -> None:
    made.setEnabled(action.enabled())
    if action.checked is not None:
        made.setChecked(action.checked())
