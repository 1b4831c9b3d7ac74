"""What a page of the outlet base is."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QWidget

from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.fresh_screen import FreshScreen
from fieldcrm.ui.widgets import Text, column, row


class PageHead(QWidget):
    """The title of a page and a sentence on what it is for; ``add`` puts a button at the right."""

    def __init__(self, title: str, note: str = "") -> None:
        super().__init__()
        self._row = row(2)
        self.setLayout(self._row)
        words = column(1)
        self.title = Text(title, "title")
        self.note = Text(note, "body", "muted", wrap=True)
        self.note.setVisible(bool(note))
        words.addWidget(self.title)
        words.addWidget(self.note)
        self._row.addLayout(words, 1)
        self._row.addSpacing(8)

    def add(self, widget: QWidget) -> None:
        self._row.addWidget(widget)

    def say(self, note: str) -> None:
        """Another sentence below the title."""
        self.note.setText(note)
        self.note.setVisible(bool(note))


class StewardPage(FreshScreen):
    """One page: made with the session, opened with the parameters of its place, refreshed like a screen."""

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self.session = session

    def open(self, **params: Any) -> None:
        """Come to the front."""
        self._load()

    def page_actions(self) -> list[Action]:
        """What can be done here; ids begin with ``steward.``"""
        return []

    def areas(self) -> list[QWidget]:
        """Where F6 goes."""
        return []
