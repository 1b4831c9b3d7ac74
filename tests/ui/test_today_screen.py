"""Today as a rep uses it: plan, read why, move a stop, skip one, go in; by keyboard, and with or without the map."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from PySide6.QtCore import Qt
from PySide6.QtTest import QAbstractItemModelTester
from PySide6.QtWidgets import QFileDialog, QPushButton
from pytestqt.qtbot import QtBot
from sqlalchemy import insert

from fieldcrm import words
from fieldcrm.domain.changes import Changes
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.map.scheme import register_scheme
from fieldcrm.ui.messages import Message
from fieldcrm.ui.navigator import Place
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.today import TodayScreen
from fieldcrm.ui.today.model import LEFT_OUT, Heading
from fieldcrm.usecases.today import StopState, TodayRow
from tests.conftest import KEY, NOW
from tests.world import ZONE, World, an_id

register_scheme()
DAY = date(2026, 11, 20)


def more_stores(tx: Transaction, world: World) -> None:
    with tx.uncaptured():
        for i in range(5):
            tx.conn.execute(insert(T.outlet).values(
                id=an_id(f"more-{i}"), name=f"Magasin {i}", store_type="convenience", sector_id=world.sector,
                lat_e7=488_500_000 + i * 40_000, lon_e7=23_300_000 + i * 55_000, zone=ZONE, state="active",
                country="FR", opening_hours="Mo-Sa 08:00-20:00", visit_interval_days=28, visit_minutes=25,
                segment="c", rev=1,
            ))


@pytest.fixture
def session(qtbot: QtBot, db: Database, world: World, tmp_path: Path) -> Iterator[AppSession]:
    words.set_language("en")
    theme.apply("light")
    db.write(lambda tx: more_stores(tx, world), actor=world.manager, now=NOW).result()
    made = AppSession(
        db, world.rep, clock=lambda: NOW, photos=PhotoStore(tmp_path / "photos", KEY), preferences=Preferences(tmp_path)
    )
    made.preferences.set_json("today/map", False)
    yield made
    made.close()


@pytest.fixture
def screen(qtbot: QtBot, session: AppSession) -> Iterator[TodayScreen]:
    made = TodayScreen(session)
    session.changed.connect(made.refresh)
    qtbot.addWidget(made)
    made.resize(1024, 640)
    made.show()
    made.open()
    yield made
    made.close()
    made.map.close_map()


def planned(qtbot: QtBot, screen: TodayScreen) -> list[TodayRow]:
    screen.plan()
    qtbot.waitUntil(lambda: screen.model.open_count == 8, timeout=20_000)
    return stops(screen)


def stops(screen: TodayScreen) -> list[TodayRow]:
    rows = [screen.model.row(i) for i in range(screen.model.rowCount())]
    return [row for row in rows if isinstance(row, TodayRow)]


def said(session: AppSession) -> list[str]:
    texts: list[str] = []
    session.messages.posted.connect(lambda message: texts.append(message.text))
    return texts


def test_without_a_plan_one_button_makes_it(qtbot: QtBot, screen: TodayScreen, session: AppSession) -> None:
    texts = said(session)
    qtbot.waitUntil(lambda: screen.focusWidget() is not None, timeout=5_000)
    assert screen.focusWidget().text() == "Plan my day"  # Enter is enough
    button = next(b for b in screen.findChildren(QPushButton) if b.text() == "Plan my day")
    button.click()
    qtbot.waitUntil(lambda: screen.model.open_count == 8, timeout=20_000)
    assert screen.header.title.whole() == "Today, Fri 20 Nov"
    assert screen.header.sentence.whole().startswith("0 of 8 done")
    assert texts == ["8 stores planned."]
    QAbstractItemModelTester(screen.model, QAbstractItemModelTester.FailureReportingMode.Fatal)


def test_the_list_says_why_and_who_was_left_out(qtbot: QtBot, screen: TodayScreen) -> None:
    planned(qtbot, screen)
    first = screen.model.index(0, 0)
    spoken = str(first.data(Qt.ItemDataRole.AccessibleTextRole))
    assert "Next" in spoken and "Never visited" in spoken
    heading = screen.model.row(screen.model.rowCount() - 1)
    assert isinstance(heading, Heading) and heading.key == LEFT_OUT and heading.folded
    screen.list.setCurrentIndex(screen.model.index(screen.model.rowCount() - 1, 0))
    qtbot.keyClick(screen.list, Qt.Key.Key_Return)
    last = screen.model.index(screen.model.rowCount() - 1, 0)
    assert last.data(Qt.ItemDataRole.AccessibleTextRole) == "Chez Amélie, No place on the map yet"


def test_the_brief_of_the_chosen_store_is_beside_the_list(qtbot: QtBot, screen: TodayScreen, world: World) -> None:
    planned(qtbot, screen)
    screen.list.select_outlet(world.outlets[0])
    qtbot.waitUntil(lambda: screen.brief.outlet_id == world.outlets[0], timeout=5_000)
    assert screen.brief.isVisible()
    assert screen.brief.start_button is not None


def test_enter_starts_the_visit_and_goes_to_it(qtbot: QtBot, screen: TodayScreen, session: AppSession) -> None:
    from fieldcrm.usecases import visits

    first = planned(qtbot, screen)[0]
    begun: list[Any] = []
    original = visits.start_visit
    try:
        def start(tx: Transaction, outlet: Any, stop: Any) -> Any:
            begun.append((outlet, stop))
            return an_id("draft")

        visits.start_visit = start  # type: ignore[assignment]
        screen.list.setCurrentIndex(screen.model.index(0, 0))
        with qtbot.waitSignal(session.navigator.moved, timeout=5_000) as moved:
            qtbot.keyClick(screen.list, Qt.Key.Key_Return)
    finally:
        visits.start_visit = original
    assert begun == [(first.outlet_id, first.stop_id)]
    assert moved.args == [Place("visit", {"draft": an_id("draft")})]


def test_a_stop_is_moved_by_keyboard_with_its_price_said_and_undone(
    qtbot: QtBot, screen: TodayScreen, session: AppSession
) -> None:
    before = planned(qtbot, screen)
    messages: list[Any] = []
    session.messages.posted.connect(messages.append)
    screen.list.setCurrentIndex(screen.model.index(0, 0))
    later = next(action for action in screen.actions() if action.id == "today.later")
    assert later.enabled()
    later.run()
    qtbot.waitUntil(lambda: bool(messages), timeout=5_000)
    assert stops(screen)[1].stop_id == before[0].stop_id
    assert messages[0].text.startswith("Moved: ") and "home at" in messages[0].text
    messages[0].run()
    qtbot.waitUntil(lambda: stops(screen)[0].stop_id == before[0].stop_id, timeout=5_000)


def test_undo_of_a_message_takes_back_what_the_message_says_and_nothing_later(
    qtbot: QtBot, screen: TodayScreen, session: AppSession
) -> None:
    before = planned(qtbot, screen)
    messages: list[Any] = []
    session.messages.posted.connect(messages.append)
    screen.list.select_outlet(before[0].outlet_id)
    screen._nudge(1)
    qtbot.waitUntil(lambda: len(messages) == 1, timeout=5_000)
    last = before[-1]
    assert last.stop_id is not None
    screen._pin(last.stop_id, True)
    qtbot.waitUntil(lambda: any(row.pinned for row in stops(screen)), timeout=5_000)
    messages[0].run()
    qtbot.waitUntil(lambda: stops(screen)[0].stop_id == before[0].stop_id, timeout=5_000)
    assert [row.stop_id for row in stops(screen) if row.pinned] == [last.stop_id]


def test_the_brief_cannot_be_pressed_while_it_speaks_of_another_store(
    qtbot: QtBot, screen: TodayScreen
) -> None:
    rows = planned(qtbot, screen)
    screen.list.select_outlet(rows[0].outlet_id)
    qtbot.waitUntil(lambda: screen.brief.outlet_id == rows[0].outlet_id, timeout=5_000)
    assert screen.brief.isEnabled()
    screen.list.select_outlet(rows[1].outlet_id)
    assert not screen.brief.isEnabled()
    qtbot.waitUntil(lambda: screen.brief.outlet_id == rows[1].outlet_id, timeout=5_000)
    assert screen.brief.isEnabled()


def test_while_a_stop_is_dragged_the_price_stands_where_it_would_go(qtbot: QtBot, screen: TodayScreen) -> None:
    rows = planned(qtbot, screen)
    screen.list.select_outlet(rows[0].outlet_id)
    assert screen.list.position_for(rows[0], 3) == 2
    assert screen.list.position_for(rows[5], 3) == 3
    screen.list.hovering.emit(rows[0].stop_id, 7)
    assert "home at" in screen.list._price


def test_a_skipped_stop_sinks_and_says_its_reason_and_the_cursor_goes_on(qtbot: QtBot, screen: TodayScreen) -> None:
    first, second = planned(qtbot, screen)[:2]
    assert first.stop_id is not None
    screen.list.select_outlet(first.outlet_id)
    screen.skip(first.stop_id, "closed")
    qtbot.waitUntil(lambda: stops(screen)[-1].state is StopState.SKIPPED, timeout=5_000)
    assert "1 store skipped" in screen.header.sentence.whole()
    qtbot.waitUntil(lambda: screen.list.current_outlet() == second.outlet_id)


def test_a_pin_chosen_on_the_map_is_the_line_chosen_in_the_list(qtbot: QtBot, screen: TodayScreen) -> None:
    rows = planned(qtbot, screen)
    screen.map.outletSelected.emit(rows[4].outlet_id.hex)
    assert screen.list.current_outlet() == rows[4].outlet_id
    screen.list.select_outlet(rows[2].outlet_id)
    assert rows[2].outlet_id.hex in screen.map._state["select"]


def test_f8_opens_and_closes_the_map_and_is_remembered(screen: TodayScreen, session: AppSession) -> None:
    assert screen.map.isHidden()
    toggle = next(action for action in screen.actions() if action.id == "today.map")
    assert toggle.keys == ("F8",)
    toggle.run()
    assert not screen.map.isHidden() and session.preferences.json("today/map", False) is True
    toggle.run()
    assert screen.map.isHidden()


def test_what_changed_elsewhere_is_shown_at_once(qtbot: QtBot, screen: TodayScreen, db: Database, world: World) -> None:
    planned(qtbot, screen)
    written = db.write(
        lambda tx: tx.conn.execute(T.outlet.update().where(T.outlet.c.id == world.outlets[0]).values(name="Renamed")),
        actor=world.rep, now=NOW,
    ).result()
    screen.refresh(written.changes)
    assert "Renamed" in {row.name for row in stops(screen)}
    screen.refresh(Changes())


def test_every_focusable_part_has_a_name(qtbot: QtBot, screen: TodayScreen) -> None:
    planned(qtbot, screen)
    for widget in screen.findChildren(QPushButton):
        if widget.isVisible():
            assert widget.text() or widget.accessibleName()
    assert screen.list.accessibleName() and screen.map.accessibleName()


def test_the_screen_speaks_french(qtbot: QtBot, session: AppSession) -> None:
    words.set_language("fr")
    try:
        made = TodayScreen(session)
        qtbot.addWidget(made)
        made.open()
        assert made.header.title.whole() == "Aujourd’hui, ven. 20 nov."
        assert any(b.text() == "Planifier ma journée" for b in made.findChildren(QPushButton))
        made.map.close_map()
    finally:
        words.set_language("en")


def test_the_report_of_the_day_is_saved_where_it_is_asked_for(
    screen: TodayScreen, session: AppSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Message] = []
    session.messages.posted.connect(said.append)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "day"), ""))
    screen.save_report()
    assert (tmp_path / "day.pdf").read_bytes().startswith(b"%PDF")
    assert "day.pdf" in said[-1].text


def test_a_report_of_the_day_that_cannot_be_written_says_so(
    screen: TodayScreen, session: AppSession, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    said: list[Message] = []
    session.messages.posted.connect(said.append)
    monkeypatch.setattr(QFileDialog, "getSaveFileName", lambda *_: (str(tmp_path / "no" / "day.pdf"), ""))
    screen.save_report()
    assert "day.pdf" in said[-1].text
    assert said[-1].tone == "danger"
