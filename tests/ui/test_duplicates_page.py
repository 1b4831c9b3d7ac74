"""The page of duplicates by keyboard: compare, choose, merge, tell apart, put off, take apart, and settle the rules."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta
from typing import Any

import pytest

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QLabel
from sqlalchemy import insert, select

from fieldcrm import words
from fieldcrm.domain.ids import new_id
from fieldcrm.insights.duplicates import Reason, model, plain
from fieldcrm.store import plans
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession, Identity
from fieldcrm.ui.duplicate_words import reason_words
from fieldcrm.ui.outlet.lookalike import warn_of_lookalikes
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.shell import MainWindow
from fieldcrm.ui.steward.duplicates import DuplicatesPage
from fieldcrm.ui.widgets import Confirm, EmptyState
from fieldcrm.usecases import outlets
from tests.ui.territory import live
from tests.world import ZONE, World, an_id

COPIES = (
    # of which outlet, and what the second source says otherwise
    ("more-0", {"name": "CARREFOUR CITY BEAUGRENELE", "phone": "+33 1 45 00 00 12", "house_number": "3"}),
    ("more-6", {"name": "Phcie St Michel", "lat_e7": 488_400_000 + 6 * 90_000 + 2_000, "website": "pharma.example"}),
    ("more-9", {"name": "Vival Menilmontant", "phone": None, "house_number": None}),
)


def twice(db: Database, world: World, now: datetime) -> None:
    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            for at, (name, other) in enumerate(COPIES):
                row = dict(tx.conn.execute(select(T.outlet).where(T.outlet.c.id == an_id(name))).one()._mapping)
                del row["rid"]
                origin = {"*": {"source": "osm", "licence": "ODbL 1.0", "at": 1_760_000_000_000}}
                tx.conn.execute(insert(T.outlet).values(
                    **{**row, "id": an_id(f"copy-{at}"), "opening_hours": None, "provenance": origin, **other}))
            for at in range(2):
                begun = now - timedelta(days=5 + at)
                tx.conn.execute(insert(T.visit).values(
                    id=new_id(begun), outlet_id=an_id("copy-0"), person_id=world.rep.user_id, zone=ZONE,
                    position_source="none", started_at=begun, ended_at=begun, rev=1))

    db.write(work, actor=world.manager, now=now).result()


@pytest.fixture
def steward(qapp: object, db: Database, world: World, now: datetime) -> Iterator[AppSession]:
    """A manager's session on a territory with three outlets twice."""
    live(db, world, now)
    twice(db, world, now)
    preferences = Preferences(db.folder)
    preferences.language, preferences.theme = "en", "light"
    words.set_language("en")
    theme.apply("light")
    session = AppSession(
        db, world.manager, clock=lambda: now, photos=PhotoStore(db.folder / "photos", bytes(32)),
        preferences=preferences, identity=Identity("Mona Vasseur", "Maison Verne", login="mona"),
    )
    yield session
    session.close()


@pytest.fixture
def window(steward: AppSession, qtbot: Any) -> Iterator[MainWindow]:
    made = MainWindow(steward)
    made.resize(1280, 800)
    made.show()
    steward.navigator.go("steward", page="duplicates")
    yield made
    made.close()
    made.deleteLater()


def page_of(window: MainWindow) -> DuplicatesPage:
    page = window.findChild(DuplicatesPage)
    assert page is not None
    return page


@pytest.fixture
def page(window: MainWindow, qtbot: Any) -> DuplicatesPage:
    """Compared: three pairs wait, the first is in front."""
    page = page_of(window)
    qtbot.waitUntil(lambda: bool(page.findChildren(EmptyState)))
    assert "never compared" in said(page)
    page.search()
    qtbot.waitUntil(lambda: page._pairs.rowCount() == 3 and page.comparison.pair is not None)
    page.list.setFocus()
    return page


def said(widget: Any) -> str:
    return " ".join(label.text() for label in widget.findChildren(QLabel) if label.isVisible())


def press(qtbot: Any, page: DuplicatesPage, key: Qt.Key) -> None:
    page.window().activateWindow()
    qtbot.waitUntil(page.window().isActiveWindow)
    qtbot.keyClick(page.window(), key)


def homes(session: AppSession) -> dict[Any, Any]:
    return session.ask(plans.aliases)


def in_front(qtbot: Any, page: DuplicatesPage, key: Any) -> None:
    assert page.list.select_id(key)
    qtbot.waitUntil(lambda: page.comparison.pair is not None and page.comparison.pair.key == key)


def pair_with(page: DuplicatesPage, name: str) -> Any:
    wanted = an_id(name)
    return next(key for key, group in page._by_key.items() if wanted in group.outlets)


def test_a_pair_is_explained_and_merged_by_keyboard_and_taken_apart_again(
    steward: AppSession, page: DuplicatesPage, qtbot: Any
) -> None:
    in_front(qtbot, page, pair_with(page, "copy-0"))
    text = said(page.comparison)
    assert "same telephone" in text and "names alike" in text and "2 visits" in text
    sides = page.comparison.sides
    assert sides is not None
    copy = next(at for at, side in enumerate(sides) if side.outlet.id == an_id("copy-0"))
    assert page.comparison.survivor == copy  # people have worked at it
    press(qtbot, page, Qt.Key.Key_2 if copy == 0 else Qt.Key.Key_1)
    assert page.comparison.survivor == 1 - copy
    field = next(one for one in page.comparison.rows if one.field == "name")
    field.setFocus()
    press(qtbot, page, Qt.Key.Key_1 if copy == 0 else Qt.Key.Key_2)
    assert page.comparison.take() == {"name"}
    press(qtbot, page, Qt.Key.Key_M)
    qtbot.waitUntil(lambda: homes(steward) == {an_id("copy-0"): an_id("more-0")})
    qtbot.waitUntil(lambda: page._pairs.rowCount() == 2)
    name = select(T.outlet.c.name).where(T.outlet.c.id == an_id("more-0"))
    assert steward.ask(lambda r: r.conn.execute(name).scalar_one()) == "CARREFOUR CITY BEAUGRENELE"
    steward.navigator.go("steward", page="duplicates", show="merged")
    qtbot.waitUntil(lambda: page.detail.line is not None and "is found as" in said(page))
    page.merge_list.setFocus()
    press(qtbot, page, Qt.Key.Key_U)
    qtbot.waitUntil(lambda: homes(steward) == {})
    assert steward.ask(lambda r: r.conn.execute(name).scalar_one()) == "Carrefour City Beaugrenelle"


def test_two_that_are_two_leave_the_list_and_a_pair_put_off_goes_to_its_end(
    steward: AppSession, page: DuplicatesPage, qtbot: Any
) -> None:
    first = page._pairs.id_at(0)
    in_front(qtbot, page, first)
    press(qtbot, page, Qt.Key.Key_L)
    qtbot.waitUntil(lambda: page._pairs.id_at(2) == first)
    in_front(qtbot, page, pair_with(page, "copy-1"))
    press(qtbot, page, Qt.Key.Key_D)
    qtbot.waitUntil(lambda: page._pairs.rowCount() == 2)
    assert steward.ask(lambda r: r.conn.execute(select(T.distinct_pair.c.active)).scalars().all()) == [True]
    page.search()
    qtbot.waitUntil(lambda: not page.work.busy)
    qtbot.waitUntil(lambda: page._pairs.rowCount() == 2 and page._pairs.id_at(1) == first)


def test_all_certain_ones_are_merged_after_one_question(
    steward: AppSession, page: DuplicatesPage, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    certain = len(page._certain())
    assert certain >= 1
    asked: list[str] = []
    monkeypatch.setattr(Confirm, "ask", lambda *words, **_: bool(asked.append(words[1])) or True)
    page.merge_certain()
    qtbot.waitUntil(lambda: len(homes(steward)) == certain)
    assert str(certain) in asked[0]
    qtbot.waitUntil(lambda: page._pairs.rowCount() == 3 - certain and not page.all_button.isVisible())


def test_a_rule_says_at_once_what_it_does_and_holds_when_it_is_saved(
    steward: AppSession, page: DuplicatesPage, qtbot: Any
) -> None:
    page.show_rules()
    qtbot.waitUntil(lambda: "3 pairs" in page.rules.count.text())
    page.rules.chips["name"].setChecked(False)
    page.rules.metres.setValue(10)
    qtbot.waitUntil(lambda: "2 pairs" in page.rules.count.text())
    page.rules.phones.setText("01 45 00 00 12, nonsense")
    assert page.rules.rules().ignored_phones == {"+33145000012"}
    page.rules.save()
    qtbot.waitUntil(lambda: page._pairs.rowCount() == 2)
    value = steward.ask(lambda r: r.conn.execute(select(T.rule.c.value)).scalar_one())
    assert value["ignored_phones"] == ["+33145000012"] and "name" not in value["evidence"]


def test_an_outlet_that_is_changed_is_compared_again_when_the_page_is_seen(
    steward: AppSession, page: DuplicatesPage, qtbot: Any
) -> None:
    other = {"name": "Quincaillerie Bertrand", "banner": "Bertrand", "store_type": "other"}
    steward.do(lambda tx: outlets.edit_outlet(tx, an_id("copy-2"), other))
    qtbot.waitUntil(lambda: page._pairs.rowCount() == 2)
    assert steward.counts["steward"] == 2


def test_an_edit_that_makes_an_outlet_look_like_another_says_so_with_a_way_there(
    steward: AppSession, window: MainWindow, qtbot: Any
) -> None:
    heard: list[Any] = []
    steward.messages.posted.connect(heard.append)
    steward.do(lambda tx: outlets.edit_outlet(tx, an_id("copy-0"), {"name": "Épicerie neuve"}))
    warn_of_lookalikes(steward, an_id("copy-0"), {"street"})  # says nothing of who it is
    warn_of_lookalikes(steward, an_id("copy-1"), {"phone"})
    qtbot.waitUntil(lambda: any("looks like this outlet" in message.text for message in heard))
    (told,) = [message for message in heard if "looks like this outlet" in message.text]
    assert "Pharmacie Saint-Michel" in told.text and "same telephone" in told.text
    told.run()
    assert steward.navigator.here is not None and steward.navigator.here.params["id"] == an_id("more-6")


def test_whatever_speaks_for_or_against_is_said_in_words() -> None:
    codes = {f"{evidence}.{plain(level)}" for evidence, levels in model().weights.items() for level in levels}
    codes |= {f"standing.{level}" for level in model().standing}
    assert [code for code in sorted(codes) if not reason_words(Reason(code, 1.0, {"metres": 12}))] == []
