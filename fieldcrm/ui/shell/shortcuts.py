"""The shortcut help: every action that has keys, by menu, on one panel."""

from __future__ import annotations

from itertools import groupby

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QHBoxLayout, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.actions import MENUS, Action, ActionTable
from fieldcrm.ui.shell.overlay import Overlay
from fieldcrm.ui.widgets import IconButton, KeyCap, ScrollPage, Text
from fieldcrm.words import tr


def menu_name(menu: str) -> str:
    return {
        "file": tr("&File"),
        "edit": tr("&Edit"),
        "view": tr("&View"),
        "visit": tr("V&isit"),
        "tools": tr("&Tools"),
        "help": tr("&Help"),
        "": tr("On this screen"),
    }[menu]


class ShortcutHelp(Overlay):
    """F1: what the keyboard can do here."""

    def __init__(self, parent: QWidget, table: ActionTable) -> None:
        super().__init__(parent, 820, 620)
        self._table = table
        head = QHBoxLayout()
        head.setContentsMargins(theme.space(6), theme.space(4), theme.space(4), theme.space(2))
        head.addWidget(Text(tr("Keyboard shortcuts"), "title"))
        head.addStretch(1)
        self._close = IconButton("x", tr("Close"), self.vanish)
        head.addWidget(self._close)
        self.body.addLayout(head)
        self._page: ScrollPage | None = None

    def ask(self) -> None:
        if self._page is not None:
            self.body.removeWidget(self._page)
            self._page.deleteLater()
        self._page = self._filled()
        self.body.addWidget(self._page, 1)
        self.appear(self._close)

    def _filled(self) -> ScrollPage:
        page = ScrollPage(margin=5)
        columns = QHBoxLayout()
        columns.setSpacing(theme.space(10))
        halves = [QVBoxLayout(), QVBoxLayout()]
        for half in halves:
            half.setSpacing(theme.space(2))
            columns.addLayout(half, 1)
        keyed = [action for action in self._table.actions() if self._table.keys(action)]
        keyed.sort(key=lambda action: (*MENUS, "").index(action.menu))
        groups = [(menu, list(actions)) for menu, actions in groupby(keyed, key=lambda action: action.menu)]
        lines = [0, 0]
        for menu, actions in groups:
            at = 0 if lines[0] <= lines[1] else 1
            lines[at] += len(actions) + 2
            self._group(halves[at], menu, actions)
        for half in halves:
            half.addStretch(1)
        page.body.addLayout(columns)
        return page

    def _group(self, column: QVBoxLayout, menu: str, actions: list[Action]) -> None:
        column.addWidget(Text(menu_name(menu).replace("&", ""), "caption-strong", "faint"))
        for action in actions:
            row = QHBoxLayout()
            row.setSpacing(theme.space(2))
            row.addWidget(Text(action.name), 1)
            row.addWidget(KeyCap(self._table.shown_keys(action)), 0, Qt.AlignmentFlag.AlignRight)
            column.addLayout(row)
        column.addSpacing(theme.space(4))
