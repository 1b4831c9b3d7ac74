"""The start of the program: first run, unlock, one instance, what cannot be opened, crashes. Real keys and data."""

from __future__ import annotations

import logging
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QApplication

from fieldcrm import app, words
from fieldcrm.demo.device import sign_in_here
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database
from fieldcrm.store.keys import KeyPlace, create_key, key_place, load_key
from fieldcrm.ui import theme
from fieldcrm.ui.crash import CrashDialog, CrashHandler
from fieldcrm.ui.diagnostics import LOG_NAME
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.single_instance import SingleInstance
from fieldcrm.ui.start import StartWindow
from fieldcrm.ui.start.forms import StartForm
from fieldcrm.ui.widgets import EmptyState, Text
from fieldcrm.usecases import signin
from fieldcrm.usecases.signin import SignedIn
from sync.client.http import TokenPair
from tests.conftest import NOW
from tests.world import build_world, fill

PASSPHRASE = "a short sentence"


def signed_in_as_rep() -> SignedIn:
    rep = build_world().rep
    return SignedIn(
        "http://127.0.0.1:9", "verne", new_id(NOW), "asha", rep.user_id, "Asha Raman", rep.role, rep.sectors, 1, 1,
        TokenPair("none", "none"),
    )


def make_profile(folder: Path, place: KeyPlace, passphrase: str = "") -> None:
    key = create_key(folder, place, passphrase=passphrase)
    db = Database.open(folder, key, now=NOW)
    fill(db, NOW)
    signed = signed_in_as_rep()
    db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=NOW).result()
    db.close()


@pytest.fixture
def program(qapp: object, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[app.Program]:
    """A run on an empty profile, on a computer without a keyring."""
    monkeypatch.setattr(app, "keyring_available", lambda: False)
    # The map has its own tests; here it would only start a browser for each of these.
    monkeypatch.setattr("fieldcrm.ui.widgets.map_view.webengine_installed", lambda: False)
    monkeypatch.setattr(words, "system_language", lambda: "en")
    made = app.Program(tmp_path / "profile", sample=app.Sample(lambda: None, lambda: 0))
    yield made
    if made.opened is not None:
        made.opened.window.close()
    if made.start is not None:
        made.start.close()
    made.end()
    theme.apply("light")


def start_of(program: app.Program) -> StartWindow:
    assert program.start is not None
    return program.start


def shown_text(window: StartWindow) -> str:
    return "\n".join(label.text() for label in window.findChildren(Text) if label.isVisible())


def test_the_first_run_offers_to_sign_in_or_to_try(program: app.Program) -> None:
    assert program.begin()
    assert start_of(program).page == "welcome"
    assert "Try with sample data" in shown_text(start_of(program))


def test_choosing_the_sample_makes_it_beside_a_window_and_ends_the_start(qtbot: Any, program: app.Program) -> None:
    program.begin()
    start_of(program)._try_sample()
    assert start_of(program).page == "preparing"
    qtbot.waitUntil(lambda: program.wants_sample)
    assert not start_of(program).isVisible()


def test_a_sample_that_cannot_be_made_says_why(qtbot: Any, program: app.Program) -> None:
    def full() -> None:
        raise Unavailable("disk_full", path="x")

    program._sample = app.Sample(full, lambda: 0)
    program.begin()
    start_of(program)._try_sample()
    qtbot.waitUntil(lambda: "The disk is full" in shown_text(start_of(program)))
    assert not program.wants_sample


def test_a_workspace_whose_first_download_was_cut_goes_on_with_it(qtbot: Any, program: app.Program) -> None:
    key = create_key(program._profile, KeyPlace.SAMPLE)
    db = Database.open(program._profile, key, now=NOW)
    signed = signed_in_as_rep()
    db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=NOW).result()
    db.close()
    program.begin()
    start = start_of(program)
    assert start.page == "download"
    qtbot.waitUntil(lambda: "network" in start.progress_words.text(), timeout=20_000)
    program.enter()
    assert program.opened is not None and program.opened.window.isVisible()


@pytest.mark.parametrize(("field", "value", "said"), [
    ("server", "http://crm.example.org", "is not encrypted"),
    ("server", "https://", "There is no FieldCRM server"),
    ("password", "", "Something is still missing"),
])
def test_a_wrong_value_is_said_at_its_field(
    qtbot: Any, program: app.Program, field: str, value: str, said: str
) -> None:
    program.begin()
    start = start_of(program)
    start._show("sign_in")
    form = start.form
    assert form is not None
    given = {"server": "http://127.0.0.1:9", "organisation": "verne", "login": "asha", "password": "secret"}
    form.fill(given | {field: value})
    form.act.click()  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: said in form.fields[field].error())
    assert form.act is not None and form.act.isEnabled()


def test_a_server_that_does_not_answer_is_said_at_its_address(qtbot: Any, program: app.Program) -> None:
    program.begin()
    start_of(program)._show("sign_in")
    form = start_of(program).form
    assert form is not None and form.act is not None
    form.fill({"server": "http://127.0.0.1:9", "organisation": "verne", "login": "asha", "password": "secret"})
    form.act.click()
    assert not form.act.isEnabled()
    qtbot.waitUntil(lambda: "Check the address" in form.fields["server"].error())


def test_without_a_keyring_a_passphrase_protects_the_data(
    qtbot: Any, program: app.Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    signed = signed_in_as_rep()
    monkeypatch.setattr(signin, "sign_in", lambda *a, **k: signed)
    program.begin()
    start = start_of(program)
    start._show("sign_in")
    start.form.act.click()  # type: ignore[union-attr]
    qtbot.waitUntil(lambda: start.page == "passphrase")
    form = start.form
    assert form is not None and form.act is not None
    form.fill({"passphrase": PASSPHRASE, "again": "something else"})
    form.act.click()
    assert form.fields["again"].error() == "The two are not the same."
    form.fill({"again": PASSPHRASE})
    form.act.click()
    qtbot.waitUntil(lambda: start.page == "download", timeout=20_000)
    assert key_place(program._profile) is KeyPlace.PASSPHRASE
    program.enter()
    assert program.opened is not None and program.opened.window.isVisible()
    assert program.opened.session.identity.name == "Asha Raman"


def test_a_wrong_passphrase_says_so_and_the_right_one_opens(qtbot: Any, program: app.Program) -> None:
    make_profile(program._profile, KeyPlace.PASSPHRASE, PASSPHRASE)
    program.begin()
    form = start_of(program).form
    assert start_of(program).page == "unlock" and form is not None and form.act is not None
    form.fill({"passphrase": "not the right one"})
    form.act.click()
    qtbot.waitUntil(lambda: "Nothing was lost" in form.fields["passphrase"].error(), timeout=20_000)
    form.fill({"passphrase": PASSPHRASE})
    form.act.click()
    qtbot.waitUntil(lambda: program.opened is not None and program.opened.window.isVisible(), timeout=20_000)


def test_a_database_of_a_newer_version_is_refused_and_left_as_it_is(program: app.Program) -> None:
    folder = program._profile
    make_profile(folder, KeyPlace.SAMPLE)
    from fieldcrm.store import database

    engine = database._engine(folder / database.DATABASE_NAME, load_key(folder), 1024, read_only=False)
    with engine.begin() as connection:
        connection.exec_driver_sql("PRAGMA user_version = 999")
    engine.dispose()
    before = (folder / database.DATABASE_NAME).read_bytes()
    program.begin()
    assert start_of(program).page == "trouble"
    assert "newer version" in shown_text(start_of(program))
    assert start_of(program).findChild(EmptyState) is not None
    assert (folder / database.DATABASE_NAME).read_bytes() == before


def test_a_folder_that_cannot_be_written_is_a_sentence(program: app.Program, monkeypatch: pytest.MonkeyPatch) -> None:
    make_profile(program._profile, KeyPlace.SAMPLE)

    def full(*args: object, **kwargs: object) -> Database:
        raise Unavailable("disk_full", path="x")

    monkeypatch.setattr(Database, "open", full)
    program.begin()
    assert "The disk is full" in shown_text(start_of(program))


def test_a_profile_opens_on_the_day_of_the_rep_and_grants_a_wish(qtbot: Any, program: app.Program) -> None:
    make_profile(program._profile, KeyPlace.SAMPLE)
    program._wish = f"outlet:{build_world().outlets[0].hex}"
    program.begin()
    assert program.opened is not None
    navigator = program.opened.session.navigator
    assert navigator.here is not None and navigator.here.route == "today"
    qtbot.waitUntil(lambda: navigator.here is not None and navigator.here.route == "outlet")


SECOND = """
import sys
from pathlib import Path
from PySide6.QtCore import QCoreApplication
from fieldcrm.ui.single_instance import SingleInstance
application = QCoreApplication([])
sys.exit(0 if SingleInstance(Path(sys.argv[1])).claim("outlet:1") else 7)
"""


def test_a_second_start_raises_the_first_and_passes_its_wish_on(qtbot: Any, tmp_path: Path) -> None:
    first = SingleInstance(tmp_path)
    assert first.claim()
    with qtbot.waitSignal(first.asked, timeout=30_000) as asked:
        second = subprocess.Popen([sys.executable, "-c", SECOND, str(tmp_path)])
    assert asked.args == ["outlet:1"] and second.wait(30) == 7
    first.release()
    third = SingleInstance(tmp_path)
    assert third.claim()
    third.release()


def test_a_start_while_the_one_before_is_on_its_way_out_gets_a_window_of_its_own(qapp: object, tmp_path: Path) -> None:
    first = SingleInstance(tmp_path)
    assert first.claim()
    second = subprocess.Popen([sys.executable, "-c", SECOND, str(tmp_path)])
    # Its window is closed and it waits for a server that hangs: it hears nobody any more, and then it is gone.
    time.sleep(2.5)
    first.release()
    assert second.wait(timeout=20) == 0, "it became the one run of this profile"


def test_two_profiles_are_two_programs(qapp: object, tmp_path: Path) -> None:
    one, two = SingleInstance(tmp_path / "one"), SingleInstance(tmp_path / "two")
    assert one.claim() and two.claim()
    one.release()
    two.release()


@pytest.fixture
def crash(qapp: object, tmp_path: Path) -> Iterator[CrashHandler]:
    handler = CrashHandler(tmp_path)
    root = logging.getLogger()
    root.addHandler(handler._file)
    yield handler
    handler.uninstall()


def test_a_mistake_is_logged_whole_and_told_once(
    crash: CrashHandler, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[str] = []
    monkeypatch.setattr(CrashDialog, "tell", classmethod(lambda cls, parent, details: told.append(details)))
    for _ in range(3):
        try:
            raise RuntimeError("the shelf fell")
        except RuntimeError as error:
            crash.caught(RuntimeError, error, error.__traceback__)
    assert len(told) == 1 and "the shelf fell" in told[0]
    assert (tmp_path / LOG_NAME).read_text("utf-8").count("RuntimeError: the shelf fell") == 3


def test_the_crash_dialog_copies_its_details(qtbot: Any) -> None:
    dialog = CrashDialog(None, "Traceback: the shelf fell")
    qtbot.addWidget(dialog)
    dialog.copy.click()
    assert QGuiApplication.clipboard().text() == "Traceback: the shelf fell"


def test_a_mistake_on_another_thread_is_told_on_the_thread_of_the_screens(
    qtbot: Any, crash: CrashHandler, monkeypatch: pytest.MonkeyPatch
) -> None:
    told: list[threading.Thread] = []
    monkeypatch.setattr(CrashDialog, "tell", classmethod(lambda cls, p, d: told.append(threading.current_thread())))
    monkeypatch.setattr(threading, "excepthook", crash._in_thread)
    from fieldcrm.ui.tasks import Tasks

    tasks = Tasks()
    crash.post = tasks.post
    thread = threading.Thread(target=lambda: 1 // 0)
    thread.start()
    thread.join()
    qtbot.waitUntil(lambda: bool(told))
    assert told == [threading.main_thread()]
    tasks.stop()


def test_the_start_speaks_the_language_of_the_computer_and_switches(qtbot: Any, program: app.Program) -> None:
    program.begin()
    start = start_of(program)
    start._speak("fr")
    qtbot.waitUntil(lambda: "Bienvenue" in shown_text(start))
    assert Preferences(program._profile).language == "fr" or program.preferences.language == "fr"
    QApplication.processEvents()


def test_a_profile_nobody_signed_in_to_begins_at_the_welcome(program: app.Program) -> None:
    Database.open(program._profile, create_key(program._profile, KeyPlace.SAMPLE), now=NOW).close()
    with pytest.raises(DomainError, match="not_signed_in"):
        app.open_profile(program._profile)
    program.begin()
    assert start_of(program).page == "welcome"


@pytest.mark.parametrize("planted", ["before the sign-in", "under a real server"])
def test_the_open_key_of_the_sample_is_never_used_for_the_data_of_a_server(
    qtbot: Any, program: app.Program, planted: str
) -> None:
    folder = program._profile
    if planted == "before the sign-in":
        create_key(folder, KeyPlace.SAMPLE)
        program._signed = replace(signed_in_as_rep(), server_url="https://fieldcrm.example.org")
        told: list[Exception] = []
        program.create("", lambda: None, told.append)
        qtbot.waitUntil(lambda: bool(told))
        assert "sample_only" in str(told[0])
        assert [path.name for path in folder.glob("*.db*")] == []
        return
    db = Database.open(folder, create_key(folder, KeyPlace.SAMPLE), now=NOW)
    signed = replace(signed_in_as_rep(), server_url="https://fieldcrm.example.org")
    db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=NOW).result()
    db.close()
    with pytest.raises(DomainError, match="sample_only"):
        app.open_profile(folder, start_sync=False)


@pytest.mark.parametrize("url", ["https://fieldcrm.example.org", "http://192.168.1.5:8470", "http://localhost.example.org"])
def test_a_sample_signs_in_to_no_server_but_one_on_this_computer(tmp_path: Path, url: str) -> None:
    with pytest.raises(DomainError, match="sample_only"):
        sign_in_here(tmp_path / "sample", url, ("org", "rita", "password"), "laptop", lambda: NOW)
    assert not (tmp_path / "sample").exists()


# -- the second factor, and a device that was shut out


def typed_in(program: app.Program) -> StartWindow:
    program.begin()
    start = start_of(program)
    start._show("sign_in")
    assert start.form is not None
    start.form.fill({"server": "http://127.0.0.1:9", "organisation": "verne", "login": "asha", "password": "secret"})
    return start


def test_the_code_is_asked_only_once_the_server_says_so(
    qtbot: Any, program: app.Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    given: list[str] = []

    def server(*_: Any, code: str = "", **__: Any) -> SignedIn:
        given.append(code)
        if code != "123456":
            raise DomainError("wrong_second_factor" if code else "second_factor_needed", field="code")
        return signed_in_as_rep()

    monkeypatch.setattr(signin, "sign_in", server)
    start = typed_in(program)
    form = start.form
    assert form is not None and form.act is not None and "code" not in form.fields
    form.act.click()
    qtbot.waitUntil(lambda: "code" in form.fields)
    assert form.act.isEnabled()
    form.fill({"code": "111111"})
    form.act.click()
    qtbot.waitUntil(lambda: "wrong" in shown_text(start))
    form.fill({"code": "123456"})
    form.act.click()
    qtbot.waitUntil(lambda: start.page == "passphrase")
    assert given == ["", "111111", "123456"]


def test_a_device_that_was_shut_out_shows_nothing_and_says_what_became_of_the_day(
    qtbot: Any, program: app.Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fieldcrm.usecases import farewell

    make_profile(program._profile, KeyPlace.SAMPLE)
    db = Database.open(program._profile, load_key(program._profile), now=NOW)
    db.write(farewell.seal, actor=signed_in_as_rep().actor, now=NOW).result()
    db.close()
    answers: list[Any] = [Unavailable("server_unreachable", url="x"), farewell.Farewell(3)]

    def server(*_: Any, **__: Any) -> farewell.Farewell:
        answer = answers.pop(0)
        if isinstance(answer, Exception):
            raise answer
        assert isinstance(answer, farewell.Farewell)
        return answer

    monkeypatch.setattr(farewell, "say_farewell", server)
    assert program.begin()
    start = start_of(program)
    assert (start.page, program.opened) == ("farewell", None)
    qtbot.waitUntil(lambda: "could not be handed over" in shown_text(start))
    start._farewell_again()
    qtbot.waitUntil(lambda: "3 changes that were not sent yet are with your manager" in shown_text(start))
    assert "Everything was deleted on this device" in shown_text(start)


def test_a_slip_in_the_address_is_told_at_the_address_and_enter_tries_again(
    qtbot: Any, program: app.Program, monkeypatch: pytest.MonkeyPatch
) -> None:
    trouble: list[Exception] = [Unavailable("server_unreachable", url="https://crm.exmaple.org"),
                                Unavailable("server_busy")]

    def refuse(*_: object, **__: object) -> SignedIn:
        raise trouble.pop(0)

    monkeypatch.setattr(signin, "sign_in", refuse)
    program.begin()
    start = start_of(program)
    start._show("sign_in")
    form = start.findChildren(StartForm)[-1]
    form.fill({"server": "crm.exmaple.org", "organisation": "verne", "login": "asha", "password": "x"})
    assert form.act is not None
    form.act.click()
    qtbot.waitUntil(lambda: "Check the address" in form.fields["server"].error())
    assert not form.message.isVisible() and start.focusWidget() is form.fields["server"].editor
    form.act.click()
    qtbot.waitUntil(form.message.isVisible)
    assert start.focusWidget() is form.act
