"""The outlet base as its steward sees it: pages by name at the left, the chosen one at the right."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import cast

from PySide6.QtCore import QSize, Qt
from PySide6.QtGui import QResizeEvent
from PySide6.QtWidgets import QHBoxLayout, QListWidget, QListWidgetItem, QStackedWidget, QVBoxLayout, QWidget

from fieldcrm.domain.changes import Changes
from fieldcrm.ui import icons, theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.steward.page import StewardPage
from fieldcrm.ui.widgets import Text
from fieldcrm.words import tr

LAST_PAGE = "steward/page"
NARROW = 860  # pixels below which the pages stand as icons alone


@dataclass(frozen=True)
class Offered:
    """A page: its module is imported when it is first opened."""

    name: str
    text: str
    icon: str
    page: str  # "module:class", under fieldcrm.ui.steward


def offered() -> tuple[Offered, ...]:
    return (
        Offered("imports", tr("Imports"), "file-down", "imports:ImportsPage"),
        Offered("updates", tr("Updates"), "git-compare", "updates:UpdatesPage"),
        Offered("quality", tr("Quality"), "list-checks", "quality:QualityPage"),
        Offered("duplicates", tr("Duplicates"), "copy", "duplicates:DuplicatesPage"),
        Offered("placing", tr("To place"), "map-pin-off", "placing:PlacingPage"),
        Offered("fields", tr("Own fields"), "text-cursor-input", "fields:FieldsPage"),
    )


class StewardScreen(QWidget):
    """Places: ``page`` names one; anything else goes to that page."""

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        self._pages: dict[str, StewardPage] = {}
        self._offered = offered()
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
        self._head = Text(tr("The outlet base"), "heading")
        self._head.setContentsMargins(theme.space(2), 0, 0, 0)
        column.addWidget(self._head)
        self.list = QListWidget()
        self.list.setProperty("kind", "side")
        self.list.setAccessibleName(tr("The outlet base"))
        self.list.setIconSize(QSize(theme.pixels(18), theme.pixels(18)))
        self.list.setHorizontalScrollBarPolicy(Qt.ScrollBarPolicy.ScrollBarAlwaysOff)
        for one in self._offered:
            item = QListWidgetItem(icons.icon(one.icon, "muted"), one.text)
            item.setSizeHint(QSize(theme.pixels(40), theme.pixels(38)))
            item.setData(Qt.ItemDataRole.AccessibleTextRole, one.text)
            self.list.addItem(item)
        self.list.currentRowChanged.connect(self._chosen)
        column.addWidget(self.list, 1)
        return side

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        narrow = self.width() < theme.pixels(NARROW)
        self._side.setFixedWidth(theme.pixels(72 if narrow else 208))
        self._head.setVisible(not narrow)
        for at, one in enumerate(self._offered):
            self.list.item(at).setText("" if narrow else one.text)
            self.list.item(at).setToolTip(one.text if narrow else "")

    def page(self, name: str) -> StewardPage:
        """The page of that name, made at its first showing."""
        if name not in self._pages:
            found = next(one for one in self._offered if one.name == name)
            module, _, made = found.page.partition(":")
            kind = cast("type[StewardPage]", getattr(import_module(f"fieldcrm.ui.steward.{module}"), made))
            self._pages[name] = kind(self._session)
            self._stack.addWidget(self._pages[name])
        return self._pages[name]

    @property
    def shown(self) -> StewardPage | None:
        return cast("StewardPage | None", self._stack.currentWidget())

    def _chosen(self, row: int) -> None:
        if 0 <= row < len(self._offered) and self._place != self._offered[row].name:
            self._session.navigator.go("steward", page=self._offered[row].name)

    _place = ""

    def open(self, page: str = "", **params: object) -> None:
        names = [one.name for one in self._offered]
        wanted = page or str(self._session.preferences.json(LAST_PAGE, names[0]))
        self._place = wanted if wanted in names else names[0]
        self.list.setCurrentRow(names.index(self._place))
        self._session.preferences.set_json(LAST_PAGE, self._place)
        front = self.page(self._place)
        self._stack.setCurrentWidget(front)
        front.open(**params)

    def refresh(self, changes: Changes) -> None:
        for page in self._pages.values():
            page.refresh(changes)

    def actions(self) -> list[Action]:  # type: ignore[override]  # the shell asks for ours, Qt never for its own
        front = self.shown
        return front.page_actions() if front is not None else []

    def areas(self) -> list[QWidget]:
        front = self.shown
        return [self.list, *(front.areas() if front is not None else [])]
