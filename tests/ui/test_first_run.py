"""From nothing to the first screen, against a real server over HTTP, on a computer without a keyring."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
from argon2 import PasswordHasher

from fieldcrm import app, words
from fieldcrm.domain.actor import Role
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import open_headquarters
from fieldcrm.server.process import ServerProcess
from fieldcrm.ui import theme
from fieldcrm.ui.settings.account import SignInAgain
from fieldcrm.usecases.sync_state import SyncState

PASSWORD, PASSPHRASE = "correct horse", "a short sentence"
LONG = 40_000  # ms; the machine may be busy


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def url(tmp_path_factory: pytest.TempPathFactory) -> Iterator[str]:
    folder = tmp_path_factory.mktemp("server")
    hq = open_headquarters(folder, None, now, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    org = accounts.add_organisation(hq, "verne", "Maison Verne", now=now())
    west = accounts.add_sector(hq, org, "west", "West", now=now())
    accounts.add_user(
        hq, org, "asha", PASSWORD, name="Asha Raman", role=Role.REP, sectors=[west], since=now().date(), now=now()
    )
    with ServerProcess(folder) as server:
        yield server.url
    hq.close()


@pytest.fixture
def program(qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[app.Program]:
    monkeypatch.setattr(app, "keyring_available", lambda: False)
    monkeypatch.setattr(words, "system_language", lambda: "en")
    monkeypatch.setattr("fieldcrm.ui.widgets.map_view.webengine_installed", lambda: False)
    made = app.Program(tmp_path / "profile")
    yield made
    if made.opened is not None:
        made.opened.window.close()
    made.end()
    theme.apply("light")


def form_of(program: app.Program) -> Any:
    assert program.start is not None and program.start.form is not None
    return program.start.form


def state_of(program: app.Program) -> SyncState:
    assert program.opened is not None and program.opened.session.sync is not None
    return program.opened.session.sync.state


def test_a_new_person_signs_in_encrypts_downloads_and_works(qtbot: Any, program: app.Program, url: str) -> None:
    program.begin()
    assert program.start is not None
    program.start._show("sign_in")
    form = form_of(program)
    form.fill({"server": url, "organisation": "verne", "login": "asha", "password": "wrong"})
    form.act.click()
    qtbot.waitUntil(lambda: "do not go together" in form.fields["password"].error(), timeout=LONG)
    form.fill({"password": PASSWORD})
    form.act.click()
    qtbot.waitUntil(lambda: program.start is not None and program.start.page == "passphrase", timeout=LONG)
    form_of(program).fill({"passphrase": PASSPHRASE, "again": PASSPHRASE})
    form_of(program).act.click()
    # The first download ends, and the program opens by itself.
    qtbot.waitUntil(lambda: program.opened is not None and program.opened.window.isVisible(), timeout=LONG)
    assert program.start is None and program.opened is not None
    session, window = program.opened.session, program.opened.window
    assert session.identity.organisation == "verne" and not session.identity.sample
    qtbot.waitUntil(lambda: state_of(program).synced_at is not None, timeout=LONG)
    assert "headquarters" in window.status.words.whole() or "this device" in window.status.words.whole()

    session.navigator.go("settings", page="account")
    again = window.screens["settings"].findChild(SignInAgain)
    assert again is not None
    again.password.setText("wrong")
    again.button.click()
    qtbot.waitUntil(lambda: "do not go together" in again.field.error(), timeout=LONG)
    again.password.setText(PASSWORD)
    again.button.click()
    qtbot.waitUntil(lambda: again.message.text() == "Signed in. What waited is being sent.", timeout=LONG)
