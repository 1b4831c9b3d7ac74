"""A session and a window on the small territory, in English and the light theme."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import pytest
from PySide6.QtCore import QCoreApplication, QEvent
from PySide6.QtWidgets import QApplication

from fieldcrm import words
from fieldcrm.store.database import Database
from fieldcrm.store.photos import PhotoStore
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession, Identity
from fieldcrm.ui.garbage import GarbageCollection
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.shell import MainWindow
from tests.world import World


@pytest.fixture(autouse=True, scope="session")
def _collects_here(qapp: QApplication) -> None:
    GarbageCollection(qapp)


@pytest.fixture(autouse=True)
def no_widget_outlives_its_test(qapp: QApplication) -> Iterator[None]:
    """A theme is put on every widget that lives: on those of all tests before, it took seconds in each test."""
    yield
    for widget in qapp.topLevelWidgets():
        widget.deleteLater()
    QCoreApplication.sendPostedEvents(None, QEvent.Type.DeferredDelete)


@pytest.fixture
def desk(qapp: object, db: Database, world: World, now: datetime) -> Iterator[AppSession]:
    """The rep's session, without a server."""
    preferences = Preferences(db.folder)
    preferences.language, preferences.theme = "en", "light"
    words.set_language("en")
    theme.apply("light")
    session = AppSession(
        db,
        world.rep,
        clock=lambda: now,
        photos=PhotoStore(db.folder / "photos", bytes(32)),
        preferences=preferences,
        identity=Identity("Asha Raman", "Maison Verne", login="asha"),
    )
    yield session
    session.close()
    words.set_language("en")


@pytest.fixture
def window(desk: AppSession) -> Iterator[MainWindow]:
    """The main window of ``desk``, on the settings: the one screen that needs no data."""
    made = MainWindow(desk)
    made.resize(1280, 800)
    made.show()
    desk.navigator.go("settings", page="look")
    yield made
    made.close()
    made.deleteLater()
