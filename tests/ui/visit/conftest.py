"""The visit screen on a bench."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import Any

import pytest
from PySide6.QtTest import QTest
from PySide6.QtWidgets import QApplication
from pytestqt.qtbot import QtBot

from fieldcrm import words
from fieldcrm.store.database import Database
from fieldcrm.store.photos import PhotoStore
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.navigator import Place
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.visit import VisitScreen
from fieldcrm.ui.visit.editor import DraftEditor
from fieldcrm.ui.visit.grid_page import GridPage
from fieldcrm.usecases import visits
from tests.conftest import KEY, NOW
from tests.usecases.photos import jpeg
from tests.world import World


class Bench:
    """The visit screen on a real database, with a clock that a test can turn."""

    def __init__(self, qtbot: QtBot, db: Database, world: World) -> None:
        self.qtbot, self.db, self.world = qtbot, db, world
        self.now = NOW
        self.places: list[Place] = []
        self.said: list[str] = []
        self.session = AppSession(
            db, world.rep, clock=lambda: self.now, photos=PhotoStore(db.folder / "photos", KEY),
            preferences=Preferences(db.folder))
        self.screen = VisitScreen(self.session)
        qtbot.addWidget(self.screen)
        self.session.navigator.moved.connect(self._moved)
        self.session.changed.connect(self.screen.refresh)
        self.session.messages.posted.connect(lambda message: self.said.append(message.text))
        self.screen.resize(900, 640)
        with qtbot.waitActive(self.screen):
            self.screen.show()
            self.screen.activateWindow()

    def _moved(self, place: Place) -> None:
        self.places.append(place)
        if place.route == "visit":
            self.screen.open(**place.params)

    @property
    def editor(self) -> DraftEditor:
        editor = self.screen.editor
        assert editor is not None
        return editor

    @property
    def grid(self) -> GridPage:
        page = self.editor.pages[0]
        assert isinstance(page, GridPage)
        return page

    def begin(self, outlet: int = 0) -> None:
        self.session.navigator.go("visit", outlet=self.world.outlets[outlet])
        self.until(lambda: self.screen.editor is not None)
        self.grid.view.setFocus()

    def until(self, condition: Callable[[], bool]) -> None:
        self.qtbot.waitUntil(condition, timeout=8000)

    def tap(self, *keys: Any) -> None:
        """Press keys one after another on what has the focus, as a person does."""
        for key in keys:
            QTest.keyClick(self.screen.focusWidget() or self.grid.view, key)
            QApplication.processEvents()

    def row(self, number: int) -> str:
        return f"/shelf/line[{self.world.products[number].hex}]"

    def answers(self, number: int) -> tuple[str, str, str, str]:
        get = self.editor.recording.get
        row = self.row(number)
        return get(row + "/state"), get(row + "/facings"), get(row + "/price"), get(row + "/basis")

    def saved(self) -> None:
        """Wait until the draft on the disk holds what the screen shows."""
        draft, live = self.editor.recording.draft_id, self.editor.recording.instance.document()

        def there() -> bool:
            with self.db.read() as r:
                return bool(visits.open_draft(r, draft).draft.answers == live)

        self.until(there)


@pytest.fixture
def bench(qtbot: QtBot, db: Database, world: World) -> Iterator[Bench]:
    theme.apply("light")
    words.set_language("en")
    made = Bench(qtbot, db, world)
    yield made
    made.screen.leaving()
    made.session.tasks.stop()
    words.set_language("en")


def add_photos(bench: Bench, many: int) -> None:
    path = "/photos/shelf_photos"
    for number in range(many):
        bench.editor.recording.add_photo(path, jpeg(number, (2400, 1800), place=(48.8611, 2.346)))
    bench.until(lambda: len(bench.editor.recording.photos(path)) == many)
