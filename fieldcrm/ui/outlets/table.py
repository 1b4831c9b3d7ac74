"""The table of outlets, whose columns a person chooses; the name takes the room that the others leave."""

from __future__ import annotations

from PySide6.QtCore import Qt
from PySide6.QtGui import QAction, QResizeEvent
from PySide6.QtWidgets import QMenu

from fieldcrm.ui import theme
from fieldcrm.ui.outlets.columns import ALWAYS, SHOWN_AT_FIRST
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.widgets import Column, PageModel, PageTable
from fieldcrm.usecases.outlets import OutletRow
from fieldcrm.words import tr

KEPT = "outlets/columns"
NAME_WIDTH = 190  # pixels, at least


class OutletTable(PageTable):
    def __init__(self, model: PageModel[OutletRow], preferences: Preferences) -> None:
        super().__init__(model, tr("Outlets"), preferences=preferences)
        self._kept = preferences
        self._outlets = model
        self.horizontalHeader().setSortIndicator(-1, Qt.SortOrder.AscendingOrder)
        self._show_chosen()

    def chosen(self) -> list[str]:
        """Keys of the columns to show, in the order of the menu; the name is always one."""
        kept = self._kept.json(KEPT, list(SHOWN_AT_FIRST))
        return [one.key for one in self._outlets.columns if one.key in kept or one.key == ALWAYS]

    def shown_columns(self) -> list[Column[OutletRow]]:
        """What is shown, from left to right."""
        order = sorted(range(len(self._outlets.columns)), key=self.horizontalHeader().visualIndex)
        return [self._outlets.columns[at] for at in order if not self.isColumnHidden(at)]

    def columns_menu(self) -> QMenu:
        menu = QMenu(self)
        chosen = self.chosen()
        for one in self._outlets.columns:
            action = QAction(one.title, menu)
            action.setCheckable(True)
            action.setChecked(one.key in chosen)
            action.setEnabled(one.key != ALWAYS)
            action.triggered.connect(lambda _=False, key=one.key: self._toggle(key))
            menu.addAction(action)
        return menu

    def _toggle(self, key: str) -> None:
        chosen = self.chosen()
        self._kept.set_json(KEPT, [one for one in chosen if one != key] if key in chosen else [*chosen, key])
        self._show_chosen()

    def _show_chosen(self) -> None:
        chosen = self.chosen()
        for at, one in enumerate(self._outlets.columns):
            self.setColumnHidden(at, one.key not in chosen)
        self._fit()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    def _fit(self) -> None:
        shown = [at for at in range(len(self._outlets.columns)) if not self.isColumnHidden(at)]
        last = max(shown, key=self.horizontalHeader().visualIndex)
        # The last column is drawn wider than it asks for when there is room: it counts with what it asks for.
        others = sum(self.columnWidth(at) for at in shown if at not in (0, last))
        others += theme.pixels(self._outlets.columns[last].width) if last else 0
        self.setColumnWidth(0, max(theme.pixels(NAME_WIDTH), self.viewport().width() - others))
