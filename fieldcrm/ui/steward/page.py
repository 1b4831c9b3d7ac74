"""What a page of the outlet base is."""

from __future__ import annotations

from typing import Any

from PySide6.QtWidgets import QWidget

from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.fresh_screen import FreshScreen


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
