"""Both guides name every command with its keys, and every setting, as the program itself calls them."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import datetime
from types import SimpleNamespace
from typing import Any, cast

import pytest

from fieldcrm import words
from fieldcrm.domain.actor import Actor, Role
from fieldcrm.store.database import Database
from fieldcrm.store.photos import PhotoStore
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession, Identity
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.settings import SettingsScreen
from fieldcrm.ui.settings.layout import Group, Page
from fieldcrm.ui.shell import MainWindow, routes
from fieldcrm.ui.shell.base_actions import base_actions
from fieldcrm.ui.steward.screen import StewardScreen, offered
from fieldcrm.ui.widgets import Field
from tests.arch.rules import ROOT
from tests.world import World

LANGUAGES = ("en", "fr")


def guide(language: str) -> str:
    return (ROOT / "docs/guide" / f"{language}.md").read_text(encoding="utf-8")


def rows(text: str) -> set[tuple[str, str]]:
    """The first two cells of every row of every table."""
    cells = ([cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line[:1] == "|")
    return {(row[0], row[1]) for row in cells if len(row) > 1}


@contextmanager
def session(db: Database, actor: Actor, now: datetime) -> Iterator[AppSession]:
    made = AppSession(
        db, actor, clock=lambda: now, photos=PhotoStore(db.folder / "photos", bytes(32)),
        preferences=Preferences(db.folder), identity=Identity("Asha Raman", "Maison Verne", login="asha"),
    )
    try:
        yield made
    finally:
        made.sync = None
        made.close()


def commands(db: Database, actor: Actor, now: datetime) -> list[Action]:
    """Those of the frame, as they are with a server, and those of every screen that this role has."""
    with session(db, actor, now) as one:
        window = MainWindow(one)
        found = [action for route in routes.ROUTES for action in routes.make(route, one).actions()]
        if one.is_manager:
            steward = StewardScreen(one)
            found += [action for page in offered() for action in steward.page(page.name).page_actions()]
        one.sync = cast(Any, SimpleNamespace(sync_now=lambda: None))
        found += base_actions(window, one)
        window.close()
        window.deleteLater()
    return found


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("role", [Role.REP, Role.MANAGER])
def test_every_command_is_in_the_guide_with_its_keys(
    qapp: object, db: Database, world: World, now: datetime, language: str, role: Role
) -> None:
    words.set_language(language)
    try:
        actions = commands(db, replace(world.rep, role=role), now)
    finally:
        words.set_language("en")
    assert {"file.quit", "sync.now", "today.plan", "visit.send", "review.approve"} <= {one.id for one in actions}
    said = rows(guide(language))
    assert [(one.name, keys(one)) for one in actions if (one.name, keys(one)) not in said] == []


def keys(action: Action) -> str:
    return ", ".join(f"`{key}`" for key in action.keys) or "–"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_setting_is_in_the_guide(
    qapp: object, db: Database, world: World, now: datetime, language: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    named: list[str] = []
    line = Group.line

    def note(self: Group, name: str, *rest: Any, **how: Any) -> None:
        named.append(name)
        line(self, name, *rest, **how)

    monkeypatch.setattr(Group, "line", note)
    words.set_language(language)
    try:
        with session(db, world.rep, now) as one:
            one.sync = cast(Any, SimpleNamespace())
            screen = SettingsScreen(one)
            for at in range(screen.list.count()):
                named.append(screen.list.item(at).text())
                screen.list.setCurrentRow(at)
            fields = [field for page in screen.findChildren(Page) for field in page.findChildren(Field)]
            named += [field.label.text().replace("&", "") for field in fields]
            screen.deleteLater()
    finally:
        words.set_language("en")
    assert len(named) > 15
    assert [name for name in named if f"**{name}**" not in guide(language)] == []
