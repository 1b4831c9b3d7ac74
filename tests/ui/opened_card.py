"""A card on the screen, for the tests of its parts: fixtures, and what is read off it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtWidgets import QLabel, QPushButton, QWidget

from fieldcrm import words
from fieldcrm.store.database import Database
from fieldcrm.store.photos import PhotoStore
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlet import OutletScreen
from fieldcrm.ui.preferences import Preferences
from fieldcrm.usecases import outlets
from tests.ui.full_card import complete
from tests.ui.territory import live
from tests.world import World


@pytest.fixture
def session(qtbot: Any, db: Database, world: World, now: datetime, tmp_path: Path) -> Iterator[AppSession]:
    live(db, world, now)
    complete(db, world, now)
    words.set_language("en")
    theme.apply("light")
    photos = PhotoStore(tmp_path / "photos", bytes(32))
    made = AppSession(db, world.rep, clock=lambda: now, photos=photos, preferences=Preferences(tmp_path))
    yield made
    made.tasks.stop()


@pytest.fixture
def screen(qtbot: Any, session: AppSession, world: World) -> OutletScreen:
    return opened(qtbot, session, world)


def opened(qtbot: Any, session: AppSession, world: World) -> OutletScreen:
    shown = OutletScreen(session)
    qtbot.addWidget(shown)
    session.changed.connect(shown.refresh)
    shown.resize(1240, 900)
    shown.show()
    shown.open(id=world.outlets[0])
    qtbot.waitUntil(lambda: shown.card is not None)
    return shown


def said(widget: QWidget) -> str:
    return "\n".join(label.text() for label in widget.findChildren(QLabel) if not label.isHidden())


def verbs(widget: QWidget) -> list[str]:
    return [button.text() for button in widget.findChildren(QPushButton) if not button.isHidden()]


def read(session: AppSession, world: World) -> Any:
    return session.ask(lambda r: outlets.read(r, world.outlets[0]))
