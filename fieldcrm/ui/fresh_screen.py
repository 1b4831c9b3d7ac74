"""What most screens do when something changes: read it again, but only once somebody looks."""

from __future__ import annotations

from PySide6.QtGui import QShowEvent
from PySide6.QtWidgets import QWidget

from fieldcrm.domain.changes import Changes


class FreshScreen(QWidget):
    """Reads again what was touched: at once while it is in front, else when it is next shown.

    A screen names its ``kinds``, and reads in `_load`, which sets ``_stale`` to False.
    """

    kinds: tuple[str, ...] = ()  # of records that it shows

    def __init__(self) -> None:
        super().__init__()
        self._stale = False

    def refresh(self, changes: Changes) -> None:
        if changes.touches(*self.kinds):
            self._freshen()

    def showEvent(self, event: QShowEvent) -> None:
        super().showEvent(event)
        if self._stale:
            self._load()

    def _freshen(self) -> None:
        if self.isVisible():
            self._load()
        else:
            self._stale = True

    def _load(self) -> None:
        raise NotImplementedError
