"""The settings screen: pages by name at the left, the chosen one at the right."""

from __future__ import annotations

from collections.abc import Callable

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from fieldcrm.domain.changes import Changes
from fieldcrm.ui import icons, theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.settings import pages
from fieldcrm.ui.settings.account import account
from fieldcrm.ui.settings.addresses import addresses
from fieldcrm.ui.settings.layout import Page
from fieldcrm.ui.widgets import Text
from fieldcrm.words import tr

LAST_PAGE = "settings/page"
NARROW = 700  # pixels below which the pages stand as icons alone, or large text would push the settings out of sight


class SettingsScreen(QWidget):
    """Everything applies at once; there is nothing to save."""

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        self._made: dict[str, Page] = {}
        self._offered: list[tuple[str, str, str, Callable[[AppSession], Page]]] = [
            ("look", tr("Appearance"), "palette", pages.appearance),
            ("account", tr("Account and server"), "circle-user", account),
            ("capture", tr("Photos and map"), "camera", pages.capture),
            ("addresses", tr("Addresses"), "map-pinned", addresses),
            ("data", tr("Data on this device"), "hard-drive", pages.data),
            ("keys", tr("Shortcuts"), "keyboard", pages.keys),
            ("about", tr("About and licences"), "info", pages.about),
        ]
        row = QHBoxLayout(self)
        row.setContentsMargins(0, 0, 0, 0)
        row.setSpacing(0)
        row.addWidget(self._list())
        self._stack = QStackedWidget()
        row.addWidget(self._stack, 1)

    def _list(self) -> QWidget:
        self._side = side = QWidget()
        column = QVBoxLayout(side)
        column.setContentsMargins(theme.space(4), theme.space(8), theme.space(2), theme.space(4))
        column.setSpacing(theme.space(3))
        self._head = Text(tr("Settings"), "heading")
        self._head.setContentsMargins(theme.space(2), 0, 0, 0)
        column.addWidget(self._head)
        self.list = QListWidget()
        self.list.setProperty("kind", "side")
        self.list.setAccessibleName(tr("Settings"))
        self.list.setIconSize(QSize(theme.pixels(18), theme.pixels(18)))
        for _, name, icon, _ in self._offered:
            item = QListWidgetItem(icons.icon(icon, "muted"), name)
            item.setSizeHint(QSize(theme.pixels(40), theme.pixels(38)))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, name)
            self.list.addItem(item)
        self.list.currentRowChanged.connect(self._chosen)
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        column.addWidget(self.list, 1)
        return side

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < theme.pixels(NARROW)
        self._side.setFixedWidth(theme.pixels(72 if narrow else 256))
        self._head.setVisible(not narrow)
        for at, (_, name, _, _) in enumerate(self._offered):
            self.list.item(at).setText("" if narrow else name)
            self.list.item(at).setToolTip(name if narrow else "")

    def _chosen(self, row: int) -> None:
        name, _, _, make = self._offered[row]
        if name not in self._made:
            self._made[name] = make(self._session)
            self._stack.addWidget(self._made[name])
        self._stack.setCurrentWidget(self._made[name])
        self._session.preferences.set_json(LAST_PAGE, name)

    def open(self, page: str = "", **params: object) -> None:
        wanted = page or str(self._session.preferences.json(LAST_PAGE, "look"))
        names = [name for name, *_ in self._offered]
        self.list.setCurrentRow(names.index(wanted) if wanted in names else 0)

    def refresh(self, changes: Changes) -> None:
        """Settings show nothing that a write could change."""

    def actions(self) -> list[Action]:  # type: ignore[override]
        return []

    def areas(self) -> list[QWidget]:
        return [self.list, self._stack]
