"""What waits in the outlet base, beside its name in the rail."""

from __future__ import annotations

from typing import TYPE_CHECKING

from PySide6.QtCore import QObject

from fieldcrm.domain.changes import Changes
from fieldcrm.ui.appsession import AppSession

if TYPE_CHECKING:
    from fieldcrm.store.database import Reader


class StewardCount(QObject):
    """Open updates and pairs that may be one outlet, counted in the pool when they may have changed, for a manager."""

    def __init__(self, session: AppSession, parent: QObject) -> None:
        super().__init__(parent)
        self._session = session
        if session.is_manager:
            session.changed.connect(self._changed)
            self._count()

    def _changed(self, changes: Changes) -> None:
        if changes.touches("proposal", "duplicate_pair", "outlet_alias", "distinct_pair", "rule"):
            self._count()

    def _count(self) -> None:
        def read(r: Reader) -> int:
            from fieldcrm.usecases import duplicates, updates

            return sum(updates.counts(r).values()) + duplicates.counted(r, duplicates.read_rules(r))[0]

        self._session.ask_later(read, self._tell, key="shell.updates")

    def _tell(self, count: int) -> None:
        self._session.set_count("steward", count)
