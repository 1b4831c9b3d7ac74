"""The pages of quality and of places on a real store: keys that mend, preview, one undo, proposals, the queue."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import date, datetime, timedelta
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QTest
from pytestqt.qtbot import QtBot
from sqlalchemy import select, update

from fieldcrm import resources, words
from fieldcrm.domain.placing import Address, Candidate
from fieldcrm.geo.geocode import Provider, public
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import placing as choices
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession, Identity
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.shell import MainWindow
from fieldcrm.ui.steward import StewardScreen
from fieldcrm.ui.steward.placing import PlacingPage
from fieldcrm.ui.steward.placing import page as placing_page
from fieldcrm.ui.steward.quality import QualityPage
from fieldcrm.ui.steward.quality import page as quality_page
from fieldcrm.ui.widgets import EmptyState, InlineMessage
from fieldcrm.usecases import outlet_quality as quality
from fieldcrm.usecases import placing, regions
from tests.world import World

PATIENCE = 20_000  # ms: the machine may be busy with other tests


@pytest.fixture
def session(qapp: object, db: Database, world: World, now: datetime) -> Iterator[AppSession]:
    """The manager's, without a server."""
    preferences = Preferences(db.folder)
    preferences.language, preferences.theme = "en", "light"
    words.set_language("en")
    theme.apply("light")
    made = AppSession(
        db, world.manager, clock=lambda: now, photos=PhotoStore(db.folder / "photos", bytes(32)),
        preferences=preferences, identity=Identity("Dominique Vasseur", "Maison Verne"),
    )
    yield made
    made.close()


Put = Callable[..., None]


@pytest.fixture
def put(db: Database, world: World, now: datetime) -> Put:
    """Values as an import might have brought them."""

    def spoil(at: int, **values: Any) -> None:
        def work(tx: Transaction) -> None:
            with tx.uncaptured():
                tx.conn.execute(update(T.outlet).where(T.outlet.c.id == world.outlets[at]).values(**values))

        db.write(work, actor=world.manager, now=now).result()

    return spoil


def shown(qtbot: QtBot, session: AppSession, page: str, **params: Any) -> tuple[MainWindow, Any]:
    window = MainWindow(session)
    window.resize(1280, 800)
    window.show()
    session.navigator.go("steward", page=page, **params)
    screen = next(iter(window.findChildren(StewardScreen)))
    return window, screen.page(page)


def quality_shown(qtbot: QtBot, session: AppSession, kind: str, count: int) -> tuple[MainWindow, QualityPage]:
    window, page = shown(qtbot, session, "quality", kind=kind)
    qtbot.waitUntil(lambda: len(page.view.model.ids()) == count and page.view.current() is not None, timeout=PATIENCE)
    return window, page


def phones(session: AppSession) -> list[str | None]:
    return session.ask(lambda r: list(r.conn.execute(select(T.outlet.c.phone).order_by(T.outlet.c.rid)).scalars()))


def test_the_page_opens_on_the_sectors_and_says_of_how_many_it_speaks(
    qtbot: QtBot, session: AppSession, put: Put
) -> None:
    put(0, phone="0145001212")
    window, page = shown(qtbot, session, "quality")
    qtbot.waitUntil(lambda: "5 outlets looked at" in page.line.text(), timeout=PATIENCE)
    assert "1 value to mend" in page.line.text()
    assert page.right.currentWidget() is page.sectors
    page.side.choose("phone_style")
    qtbot.waitUntil(lambda: page.view.current() is not None, timeout=PATIENCE)
    assert page.view.title.text() == "Phone oddly written"
    window.close()


def test_one_key_mends_the_finding_in_front_and_undo_brings_it_back(
    qtbot: QtBot, session: AppSession, put: Put
) -> None:
    put(0, phone="0145001212")
    put(1, phone="0145001213")
    window, page = quality_shown(qtbot, session, "phone_style", 2)
    said: list[Any] = []
    session.messages.posted.connect(said.append)
    QTest.keyClick(window, Qt.Key.Key_F)
    qtbot.waitUntil(lambda: phones(session)[0] == "+33 1 45 00 12 12", timeout=PATIENCE)
    qtbot.waitUntil(lambda: len(page.view.model.ids()) == 1, timeout=PATIENCE)
    assert page.view.current().value == "0145001213"
    said[-1].run()
    qtbot.waitUntil(lambda: phones(session)[0] == "0145001212", timeout=PATIENCE)
    qtbot.waitUntil(lambda: len(page.view.model.ids()) == 2, timeout=PATIENCE)
    window.close()


def test_all_safe_ones_are_mended_after_a_look_and_taken_back_at_once(
    qtbot: QtBot, session: AppSession, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    for at in range(4):
        put(at, phone=f"014500121{at}")
    window, page = quality_shown(qtbot, session, "phone_style", 4)
    looked: list[int] = []
    monkeypatch.setattr(quality_page.MendDialog, "ask", lambda parent, code, count, rows: looked.append(count) or True)
    said: list[Any] = []
    session.messages.posted.connect(said.append)
    qtbot.waitUntil(lambda: page._safe() == 4, timeout=PATIENCE)
    page.fix_all()
    qtbot.waitUntil(lambda: bool(said), timeout=PATIENCE)
    assert (looked, said[-1].text, phones(session)[3]) == ([4], "4 values mended.", "+33 1 45 00 12 13")
    qtbot.waitUntil(lambda: page.view.states.findChild(EmptyState) is not None, timeout=PATIENCE)
    said[-1].run()
    qtbot.waitUntil(lambda: phones(session)[:4] == [f"014500121{at}" for at in range(4)], timeout=PATIENCE)
    qtbot.waitUntil(lambda: len(page.view.model.ids()) == 4, timeout=PATIENCE)
    window.close()


def test_what_is_ignored_stands_apart_with_a_way_back_and_a_task_goes_to_the_rep(
    qtbot: QtBot, session: AppSession, put: Put, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(0, siret="123")
    window, page = quality_shown(qtbot, session, "siret_invalid", 1)
    monkeypatch.setattr(quality_page.TaskDialog, "ask", lambda parent, row, today: ("Ask for it", date(2026, 12, 1)))
    page.make_task()
    tasks = select(T.task.c.person_id, T.task.c.title)
    qtbot.waitUntil(lambda: len(session.ask(lambda r: r.conn.execute(tasks).all())) == 1, timeout=PATIENCE)
    assert session.ask(lambda r: tuple(r.conn.execute(tasks).one())) == (world.rep.user_id, "Ask for it")
    monkeypatch.setattr(quality_page.IgnoreDialog, "ask", lambda parent, row: "foreign company")
    page.ignore()
    qtbot.waitUntil(lambda: not page.view.model.ids(), timeout=PATIENCE)
    page.view.which.set_value("ignored")
    page._list()
    qtbot.waitUntil(lambda: page.view.current() is not None, timeout=PATIENCE)
    assert page.view.buttons["ignore"].text() == "Mend after all"
    page.ignore()
    qtbot.waitUntil(lambda: not page.view.model.ids(), timeout=PATIENCE)
    assert session.ask(lambda r: quality.overview(r, now=session.clock())).counts["siret_invalid"] == (1, 0)
    window.close()


def test_rules_are_the_managers_and_look_at_everything_anew(
    qtbot: QtBot, session: AppSession, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    put(0, phone="01 45 00 12 12")
    window, page = shown(qtbot, session, "quality")
    qtbot.waitUntil(lambda: "looked at" in page.line.text(), timeout=PATIENCE)
    asked = replace(quality.Rules(), phone_form="e164")
    monkeypatch.setattr(quality_page.RulesDialog, "ask", lambda parent, rules: asked)
    page.set_rules()
    qtbot.waitUntil(lambda: "phone_style" in page._seen.counts, timeout=PATIENCE)
    window.close()


def test_the_dialogs_give_what_was_chosen(qtbot: QtBot, session: AppSession, put: Put, now: datetime) -> None:
    put(0, phone="0145001212")
    window, page = quality_shown(qtbot, session, "phone_style", 1)
    row = page.view.current()
    rules = quality_page.RulesDialog(window, quality.Rules())
    rules.confirm.setValue(90)
    rules.alerts.setChecked(True)
    assert rules.rules() == replace(quality.Rules(), confirm_days=90, alerts=True)
    task = quality_page.TaskDialog(window, row, now.date())
    assert task.due.date().toPython() == now.date() + timedelta(days=14)
    assert "0145001212" in task.what.text()
    assert quality_page.IgnoreDialog(window, row).reason.currentText() == "Checked at the store"
    assert quality_page.MendDialog(window, "phone_style", 200, [row]).windowTitle() == "Mend 200 values"
    window.close()


# ---- places ----------------------------------------


class Told:
    provider = Provider("ban", "https://adresse.example", False, per_second=1000)

    def search(self, address: Address) -> tuple[Candidate, ...]:
        number = "" if "Nil" in address.street else address.house_number
        found = Address(number, address.street, address.postcode, address.city, "FR")
        precision = "street" if "Nil" in address.street else "number"
        return (Candidate(488_650_000, 23_500_000, precision, 0.95, address.line, found),)

    def close(self) -> None:
        pass


def places(qtbot: QtBot, session: AppSession, put: Put) -> tuple[MainWindow, PlacingPage]:
    put(0, lat_e7=None, lon_e7=None)
    put(1, lat_e7=None, lon_e7=None)
    choices.placer_of(session).queue._make = lambda provider: Told()
    session.preferences.set_json(choices.SERVICE, "own")
    session.preferences.set_json(choices.KIND, "ban")
    session.preferences.set_json(choices.URL, "https://adresse.example")
    window, page = shown(qtbot, session, "placing")
    qtbot.waitUntil(lambda: "2 of 5 outlets" in page.line.text(), timeout=PATIENCE)
    return window, page


def test_addresses_are_looked_for_and_what_is_in_doubt_waits_for_a_key(
    qtbot: QtBot, session: AppSession, put: Put, world: World
) -> None:
    window, page = places(qtbot, session, put)
    assert "2 waiting" in page.counts.text() and "no street: the town alone is known (1)" in page.counts.text()
    page.ask()
    qtbot.waitUntil(lambda: page.queue_line.text().startswith("Done"), timeout=PATIENCE)
    assert "1 placed" in page.queue_line.text() and "1 in doubt" in page.queue_line.text()
    qtbot.waitUntil(lambda: "3 of 5 outlets" in page.line.text(), timeout=PATIENCE)
    page.group.set_value("doubtful")
    page._list()
    assert page.compare.why.text() == "The street was found, not the number"
    assert not page.compare.buttons["accept"].isHidden()
    QTest.keyClick(window, Qt.Key.Key_A)
    qtbot.waitUntil(lambda: "4 of 5 outlets" in page.line.text(), timeout=PATIENCE)
    window.close()


def test_an_outlet_without_a_street_is_placed_by_hand(
    qtbot: QtBot, session: AppSession, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, page = places(qtbot, session, put)
    page.group.set_value("refused")
    page._list()
    assert page._current().name == "Chez Amélie"
    monkeypatch.setattr(placing_page.PlaceDialog, "ask", lambda parent, session, line: (488_630_000, 23_610_000))
    QTest.keyClick(window, Qt.Key.Key_H)
    qtbot.waitUntil(lambda: "3 of 5 outlets" in page.line.text(), timeout=PATIENCE)
    window.close()


def test_a_public_server_is_asked_only_after_a_word_and_never_against_the_organisations(
    qtbot: QtBot, session: AppSession, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    window, page = places(qtbot, session, put)
    started: list[str] = []
    monkeypatch.setattr(page._placer, "start", lambda provider, rids: started.append(provider.host))
    session.preferences.set_json(choices.SERVICE, "ban")
    answers = [False, True]
    asked: list[int] = []

    def agree(parent: Any, provider: Provider, count: int) -> bool:
        asked.append(count)
        return answers.pop(0)

    monkeypatch.setattr(placing_page.AgreeDialog, "ask", agree)
    page.ask()
    qtbot.waitUntil(lambda: asked == [2], timeout=PATIENCE)
    assert started == []
    page.ask()
    qtbot.waitUntil(lambda: started == [public("ban").host], timeout=PATIENCE)
    page.ask()
    qtbot.waitUntil(lambda: len(started) == 2, timeout=PATIENCE)
    assert asked == [2, 2]  # not asked a third time
    said: list[Any] = []
    session.messages.posted.connect(said.append)
    session.do(lambda tx: placing.set_policy(tx, placing.Policy(public_allowed=False)))
    qtbot.waitUntil(lambda: not session.ask(placing.read_policy).public_allowed, timeout=PATIENCE)
    page.ask()
    assert "does not allow" in said[-1].text and len(started) == 2
    window.close()


def test_the_settings_say_whom_a_question_would_go_to(qtbot: QtBot, session: AppSession, put: Put) -> None:
    window = MainWindow(session)
    window.show()
    session.navigator.go("settings", page="addresses")
    from fieldcrm.ui.settings.addresses import AddressLines

    lines = next(iter(window.findChildren(AddressLines)))
    assert lines.said.text().startswith("Nobody is asked")
    lines._keep(choices.SERVICE, service="region")
    assert "No region on this device has streets" in lines.said.text()
    lines._keep(choices.SERVICE, service="osm")
    assert "e-mail address" in lines.said.text() and lines._contact.error()
    lines._keep(choices.CONTACT, contact="someone@example.org")
    assert "nominatim.openstreetmap.org is asked" in lines.said.text() and not lines._contact.error()
    lines._keep(choices.SERVICE, service="own")
    lines._keep(choices.URL, url="http://adresse.example")
    assert "not encrypted" in lines.said.text()
    assert choices.read_choice(session).url == "http://adresse.example"
    assert isinstance(lines.said, InlineMessage)
    window.close()


def test_where_a_region_with_streets_is_installed_it_is_asked_by_itself_and_nobody_has_to_agree(
    session: AppSession
) -> None:
    assert choices.chosen_provider(session) is None
    regions.install(resources.path("demo/helsinki.mbtiles"), session.folder)
    provider = choices.chosen_provider(session)
    assert provider is not None and provider.offline and choices.agreed(session, provider)
    session.preferences.set_json(choices.SERVICE, "none")
    assert choices.chosen_provider(session) is None


def test_the_address_of_a_position_fills_in_what_is_empty(
    qtbot: QtBot, session: AppSession, put: Put, monkeypatch: pytest.MonkeyPatch
) -> None:
    from fieldcrm.ui.outlets.newoutlet import NewOutlet

    window, _ = places(qtbot, session, put)
    found = Address("5", "Rue du Nil", "75002", "Paris", "FR")

    class Here(Told):
        def reverse(self, lat: float, lon: float) -> tuple[Candidate, ...]:
            return (Candidate(round(lat * 1e7), round(lon * 1e7), "number", 1.0, found.line, found),)

    choices.placer_of(session).queue._make = lambda provider: Here()
    form = NewOutlet(session, lambda id: None)
    form.begin()
    form.find_address()
    assert "position first" in form._fields["position"]._below.text()
    form.editor("position").setText("48.8650, 2.3500")
    form.editor("street").setText("Rue de ce magasin")
    form.find_address()
    qtbot.waitUntil(lambda: form.editor("city").text() == "Paris", timeout=PATIENCE)
    assert (form.editor("house_number").text(), form.editor("street").text()) == ("5", "Rue de ce magasin")
    session.preferences.set_json(choices.SERVICE, "none")
    form.find_address()
    assert "Settings" in form._message.text()
    window.close()
    form.deleteLater()
