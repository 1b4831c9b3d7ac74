"""Buttons: primary (one on a screen), secondary, ghost (quiet), danger; and buttons that are an icon alone."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import Qt
from PySide6.QtGui import QKeyEvent
from PySide6.QtWidgets import QPushButton, QToolButton

from fieldcrm.ui import icons
from fieldcrm.ui.widgets.text import plain

_TONES = {
    "primary": "on_accent",
    "danger": "on_danger",
    "ghost": "accent_text",
    "quiet": "accent_text",
    "secondary": "muted",
}


def presses(event: QKeyEvent) -> bool:
    """Whether a key is Enter alone, pressed anew: a button in focus does what it says, whatever Enter means around it.
    Qt leaves that to the platform, and Windows leaves it out."""
    plain_key = not event.modifiers() & ~Qt.KeyboardModifier.KeypadModifier
    return event.key() in (Qt.Key.Key_Return, Qt.Key.Key_Enter) and plain_key and not event.isAutoRepeat()


class Button(QPushButton):
    """A button with a verb on it. ``kind``: ``primary``, ``secondary``, ``ghost``, ``quiet`` (a small ghost),
    ``danger``."""

    def __init__(
        self, text: str, kind: str = "secondary", icon: str = "", on_click: Callable[[], object] | None = None
    ) -> None:
        super().__init__(text)
        self.setProperty("kind", kind)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setAutoDefault(False)
        if icon:
            icons.set_icon(self, icon, _TONES.get(kind, "text"))
        if on_click is not None:
            self.clicked.connect(lambda: on_click())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if presses(event):
            self.click()
        else:
            super().keyPressEvent(event)


class IconButton(QToolButton):
    """An icon alone; ``name`` is its tool tip and what a screen reader says."""

    def __init__(
        self, icon: str, name: str, on_click: Callable[[], object] | None = None, *, tone: str = "muted", size: int = 18
    ) -> None:
        super().__init__()
        icons.set_icon(self, icon, tone, size)
        self.setToolTip(plain(name))
        self.setAccessibleName(name)
        self.setCursor(Qt.CursorShape.PointingHandCursor)
        self.setFocusPolicy(Qt.FocusPolicy.StrongFocus)
        if on_click is not None:
            self.clicked.connect(lambda: on_click())

    def keyPressEvent(self, event: QKeyEvent) -> None:
        if presses(event):
            self.click()
        else:
            super().keyPressEvent(event)
