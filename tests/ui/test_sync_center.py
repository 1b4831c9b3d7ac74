"""The Sync Centre on a real encrypted database, with a real supervisor that never calls a server."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select, update

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QApplication, QWidget

from fieldcrm import words
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.sync_center import SyncScreen
from fieldcrm.ui.sync_center import screen as screen_module
from fieldcrm.ui.sync_center.rows import of_change
from fieldcrm.ui.widgets import Button
from fieldcrm.usecases import schedule as plan
from fieldcrm.usecases.sync_overview import PendingChange
from fieldcrm.usecases.syncing import Phases, Supervisor
from tests.conftest import KEY, NOW
from tests.world import World, an_id


@pytest.fixture
def session(db: Database, world: World, tmp_path: Path, qtbot: Any) -> Iterator[AppSession]:
    words.set_language("en")
    theme.apply("light")
    photos = PhotoStore(tmp_path / "photos", KEY)
    made = AppSession(db, world.rep, clock=lambda: NOW, photos=photos, preferences=Preferences(tmp_path))

    def nobody() -> Any:
        raise AssertionError("no test here calls a server")

    made.sync = Supervisor(
        db, photos, world.rep, nobody, clock=lambda: NOW, on_state=lambda: made.tasks.post(made.sync_changed.emit)
    )
    yield made
    made.tasks.stop()


@pytest.fixture
def screen(session: AppSession, qtbot: Any) -> SyncScreen:
    made = SyncScreen(session)
    qtbot.addWidget(made)
    made.resize(1200, 800)
    made.show()
    made.open()
    return made


def write(session: AppSession, work: Any) -> None:
    session.db.write(work, actor=session.actor, now=NOW).result()


def change_phone(session: AppSession, outlet: UUID, phone: str) -> None:
    statement = update(T.outlet).where(T.outlet.c.id == outlet).values(phone=phone)
    write(session, lambda tx: tx.conn.execute(statement))


def add_clash(session: AppSession, outlet: UUID) -> None:
    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(insert(T.conflict).values(
                id=new_id(NOW), collection="outlet", record_id=outlet, field="phone", kept="theirs", lost="mine",
                person_id=session.actor.user_id, state="open", outlet_id=outlet, at=NOW, rev=1))

    write(session, work)


def refuse(session: AppSession) -> None:
    """What the outbox holds comes back refused."""

    def work(tx: Transaction) -> None:
        columns = 'n, op, tx, kind, collection, id, base, "set", was, at, cmd'
        tx.conn.exec_driver_sql(
            f"INSERT INTO dead_letter ({columns}, code, params, refused_at) "
            f"SELECT {columns}, 'too_long', '{{\"field\":\"phone\",\"maximum\":20}}', at FROM outbox"
        )
        tx.conn.exec_driver_sql("DELETE FROM outbox")

    write(session, work)


def titles(screen: SyncScreen) -> list[str]:
    return [screen.tabs.tabText(at) for at in range(screen.tabs.count())]


def button(root: QWidget, text: str) -> Button:
    return next(found for found in root.findChildren(Button) if found.text() == text)


def test_a_change_that_waits_is_listed_with_its_outlet_and_field(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    change_phone(session, world.outlets[0], "01")
    screen._load()
    qtbot.waitUntil(lambda: titles(screen)[0] == "To send  1")
    entry = screen.sending_model.row(0)
    assert entry is not None
    assert "Épicerie des Halles" in entry.line.title and entry.line.subtitle == "Phone"
    assert entry.line.badge == "On this device"


def test_an_empty_centre_says_what_it_is_for(screen: SyncScreen, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: screen.states[0].currentWidget() is not screen.sending)
    for at in range(4):
        screen.tabs.setCurrentIndex(at)
        assert screen.states[at].currentWidget() is not screen.states[at].content


def test_putting_mine_back_changes_the_outlet_and_closes_the_question(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    add_clash(session, world.outlets[0])
    screen.open(tab="decisions")
    qtbot.waitUntil(lambda: len(screen.decisions.cards) == 1)
    qtbot.mouseClick(button(screen.decisions, "Put mine back"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])
    phone = select(T.outlet.c.phone).where(T.outlet.c.id == world.outlets[0])
    assert session.ask(lambda r: r.conn.execute(phone).scalar_one()) == "mine"
    assert session.sync is not None and session.sync.state.waiting.decisions == 0


def test_a_refused_change_can_be_copied_and_let_go(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(screen_module.Confirm, "ask", classmethod(lambda *_, **__: True))
    change_phone(session, world.outlets[0], "9" * 30)
    refuse(session)
    screen.open(tab="decisions")
    qtbot.waitUntil(lambda: len(screen.decisions.cards) == 1)
    said = screen.decisions.cards[0].accessibleName()
    assert "Épicerie des Halles" in said and "Phone: At most 20 characters." in said
    qtbot.mouseClick(button(screen.decisions, "Copy what I wrote"), Qt.MouseButton.LeftButton)
    assert "9" * 30 in QApplication.clipboard().text()
    qtbot.mouseClick(button(screen.decisions, "Let it go"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: screen.decisions.cards == [])


def test_a_refused_change_that_is_tried_again_waits_to_be_sent(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    change_phone(session, world.outlets[0], "02")
    refuse(session)
    change_phone(session, world.outlets[0], "03")
    screen.open(tab="decisions")
    qtbot.waitUntil(lambda: len(screen.decisions.cards) == 1)
    qtbot.mouseClick(button(screen.decisions, "Try again"), Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: titles(screen)[0] == "To send  2")
    phone = select(T.outlet.c.phone).where(T.outlet.c.id == world.outlets[0])
    assert session.ask(lambda r: r.conn.execute(phone).scalar_one()) == "02"


@pytest.mark.parametrize(
    ("trouble", "code", "title"),
    [
        (plan.Trouble.OFFLINE, "offline", "Off line: saved on this device"),
        (plan.Trouble.SERVER, "server_error", "Headquarters cannot be reached now"),
        (plan.Trouble.SIGN_IN, "token_expired", "Sign in to go on sending"),
        (plan.Trouble.BLOCKED, "device_revoked", "Nothing can be sent from here"),
    ],
)
def test_each_trouble_has_its_sentence_and_none_shows_a_code(
    screen: SyncScreen, session: AppSession, qtbot: Any, trouble: plan.Trouble, code: str, title: str
) -> None:
    assert session.sync is not None
    session.sync._fail(trouble, code, {})
    qtbot.waitUntil(lambda: screen.head.title.text() == title)
    assert code not in screen.head.detail.text() and "_" not in screen.head.detail.text()
    assert screen.head.sign_in.isVisible() == (trouble is plan.Trouble.SIGN_IN)


def test_pausing_is_remembered_and_resuming_goes_on(screen: SyncScreen, session: AppSession, qtbot: Any) -> None:
    assert session.sync is not None
    qtbot.mouseClick(screen.head.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: session.sync.state.phase is Phases.PAUSED)  # type: ignore[union-attr]
    assert not session.preferences.auto_sync
    qtbot.waitUntil(lambda: screen.head.pause.text() == "Resume")
    qtbot.mouseClick(screen.head.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: screen.head.pause.text() == "Pause")
    assert session.sync.state.next_try is not None


def test_the_receipt_of_the_day_names_the_report_that_is_still_here(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    visit, report = new_id(NOW), new_id(NOW)
    me, outlet, at = session.actor.user_id, world.outlets[2], NOW - timedelta(minutes=5)

    def work(tx: Transaction) -> None:
        tx.conn.execute(insert(T.visit).values(
            id=visit, outlet_id=outlet, person_id=me, started_at=at, zone="Europe/Paris", position_source="none"))
        tx.conn.execute(insert(T.submission).values(
            id=report, visit_id=visit, outlet_id=outlet, person_id=me, form="f", form_version="1", answers={},
            started_at=at, submitted_at=at))

    write(session, work)
    screen._load()
    qtbot.waitUntil(lambda: screen.day.sum.text().startswith("1 report, 0 photos here; 0 and 0"))
    assert screen.day.missing.text() == "Still here: the report of Hyper Ouest."
    assert screen.day.again.isVisible() and screen.day.again.text() == "Send now"


def test_every_control_has_a_name_and_a_narrow_window_loses_no_receipt(screen: SyncScreen, qtbot: Any) -> None:
    for widget in screen.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            assert widget.accessibleName() or text, type(widget).__name__
    screen.resize(780, 560)
    qtbot.waitUntil(lambda: screen.head.note.isVisible() and screen.head.note.text() == "No report yet today.")
    assert not screen.day.isVisible()


def test_all_of_it_speaks_french(session: AppSession, qtbot: Any) -> None:
    words.set_language("fr")
    try:
        made = SyncScreen(session)
        qtbot.addWidget(made)
        made.show()
        made.open()
        qtbot.waitUntil(lambda: made.day.sum.text() == "Pas encore de relevé aujourd’hui.")
        assert titles(made) == ["À envoyer", "À décider", "Relevés", "Historique"]
        assert made.head.title.text() == "Pas encore synchronisé"
    finally:
        words.set_language("en")


def test_what_the_program_reckons_is_not_told_as_fields() -> None:
    """A move in the plan writes times and positions of every stop: a person moved one store."""
    words.set_language("fr")

    def entry(label: str, *collections: str, fields: tuple[str, ...]) -> tuple[str, str]:
        change = PendingChange(an_id("tx"), NOW, label, collections, fields, an_id("o"), "Spar", 388, False)
        line = of_change(change, False, NOW).line
        return line.title, line.subtitle

    try:
        moved = entry("stop.moved", "plan_stop", fields=("position", "arrive", "travel_minutes"))
        assert moved == ("Plan de la journée · Spar", "Déplacement d’un magasin")
        made = entry("plan.made", "plan", "plan_stop", fields=("state",))
        assert made == ("Plan de la journée", "Prêt à partir")
        assert entry("outlet.phone", "outlet", fields=("phone",))[1] == "Téléphone"
    finally:
        words.set_language("en")
