"""The outlet base as a manager sees it, in the real window."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from fieldcrm import words
from fieldcrm.demo import hands
from fieldcrm.store.database import Database
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession, Identity
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.shell import MainWindow
from fieldcrm.ui.steward import StewardScreen
from tests.world import World

FRENCH = """Code magasin;Raison sociale;Enseigne;Format;Adresse;CP;Ville;Téléphone;Lat;Long;Commentaire
M-1;Carrefour Market Gambetta;Carrefour;Supermarché;12 avenue Gambetta;75020;Paris;01 43 66 12 00;48,8651;2,3985;a
M-2;Monop’ République;Monoprix;Proxi;4 place de la République;75003;Paris;01 42 72 18 90;48,8674;2,3636;b
M-3;Épicerie Diallo & Fils;;Bazar central;88 rue de Belleville;75019;Paris;;48,8742;2,3873;c
M-4;;;Proxi;3 rue du Faubourg;75011;Paris;01 43 55 44 33;48,8571;2,3790;d
M-5;Intermarché Nation;Intermarché;Supermarché;20 cours de Vincennes;75012;Paris;01 43 47 10 11;48,8473;2,4021;e
"""


@pytest.fixture
def session(qapp: object, db: Database, world: World, now: datetime) -> Iterator[AppSession]:
    preferences = Preferences(db.folder)
    preferences.language, preferences.theme = "en", "light"
    words.set_language("en")
    theme.apply("light")
    made = AppSession(
        db, world.manager, clock=lambda: now, photos=PhotoStore(db.folder / "photos", bytes(32)),
        preferences=preferences, identity=Identity("Dominique Vasseur", "Maison Verne", login="dominique"),
    )  # fmt: skip
    yield made
    made.close()
    words.set_language("en")


@pytest.fixture
def window(session: AppSession) -> Iterator[MainWindow]:
    made = MainWindow(session)
    made.resize(1280, 800)
    made.show()
    hands.activate(made)
    yield made
    session.under_way = ""  # a test that ends in the middle of long work is not asked
    made.close()
    made.deleteLater()


@pytest.fixture
def page(window: MainWindow, session: AppSession) -> Callable[..., Any]:
    """Go to a page of the outlet base."""

    def go(name: str, **params: Any) -> Any:
        session.navigator.go("steward", page=name, **params)
        hands.settle()
        screen = window.screens["steward"]
        assert isinstance(screen, StewardScreen)
        return screen.page(name)

    return go


@pytest.fixture
def count(session: AppSession) -> Callable[[], int]:
    """How many outlets there are."""
    return lambda: session.ask(lambda r: r.conn.execute(select(func.count()).select_from(T.outlet)).scalar_one())


@pytest.fixture
def french(tmp_path: Path) -> Path:
    """What a French Excel saves: semicolons, decimal commas, its own encoding; the row M-4 has no name."""
    path = tmp_path / "magasins.csv"
    path.write_text(FRENCH, encoding="cp1252", newline="\r\n")
    return path
