"""The Sync Centre on a real encrypted database, with a real supervisor that never calls a server."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import insert, select

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt
from PySide6.QtWidgets import QAbstractButton, QWidget

from fieldcrm import words
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Transaction
from fieldcrm.store.outbox import Waiting
from fieldcrm.store.tables import T
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import Message
from fieldcrm.ui.shell.status import line, to_send, tone
from fieldcrm.ui.sync_center import SyncScreen, doing
from fieldcrm.ui.sync_center.phrases import progress_share, standing
from fieldcrm.ui.sync_center.rows import of_change
from fieldcrm.usecases import schedule as plan
from fieldcrm.usecases.sync_overview import PendingChange
from fieldcrm.usecases.sync_state import Phases, SyncState
from sync.client.run import Progress
from tests.conftest import NOW
from tests.ui.sync_center.conftest import change, write
from tests.world import World, an_id


def titles(screen: SyncScreen) -> list[str]:
    return [screen.tabs.tabText(at) for at in range(screen.tabs.count())]


def test_a_change_that_waits_is_listed_with_its_outlet_and_field(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    change(session, world.outlets[0], phone="01")
    screen._load()
    qtbot.waitUntil(lambda: titles(screen)[0] == "To send  1")
    entry = screen.sending_model.row(0)
    assert entry is not None
    assert "Épicerie des Halles" in entry.line.title and entry.line.subtitle == "Phone · Goes in a few seconds"
    assert entry.line.badge == "On this device"


def test_an_empty_centre_says_what_it_is_for(screen: SyncScreen, qtbot: Any) -> None:
    qtbot.waitUntil(lambda: screen.states[0].currentWidget() is not screen.sending)
    for at in range(5):
        screen.tabs.setCurrentIndex(at)
        assert screen.states[at].currentWidget() is not screen.states[at].content


@pytest.mark.parametrize(
    ("trouble", "code", "title"),
    [
        (plan.Trouble.OFFLINE, "offline", "Off line: saved on this device"),
        (plan.Trouble.SERVER, "server_error", "Headquarters cannot be reached now"),
        (plan.Trouble.SIGN_IN, "token_expired", "Sign in to go on sending"),
        (plan.Trouble.BLOCKED, "upgrade_needed", "Nothing can be sent from here"),
        (plan.Trouble.REVOKED, "device_revoked", "This device is shut out"),
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
    menu = screen.head.pause_menu()
    assert [action.text() for action in menu.actions()] == ["For an hour", "Until I resume"]
    menu.actions()[1].trigger()
    qtbot.waitUntil(lambda: session.sync.state.phase is Phases.PAUSED)  # type: ignore[union-attr]
    assert not session.preferences.auto_sync
    qtbot.waitUntil(lambda: screen.head.pause.text() == "Resume")
    qtbot.mouseClick(screen.head.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: screen.head.pause.text() == "Pause")
    assert session.sync.state.next_try is not None


def test_the_receipt_of_the_day_names_the_report_that_is_still_here(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    a_report(session, world)
    screen._load()
    qtbot.waitUntil(lambda: screen.day.sum.text().startswith("1 report, 0 photos here; 0 and 0"))
    assert screen.day.missing.text() == "Still here: the report of Hyper Ouest."
    assert screen.day.again.isVisible() and screen.day.again.text() == "Send now"


def a_report(session: AppSession, world: World) -> None:
    """Recorded five minutes ago, not sent."""
    visit, report = new_id(NOW), new_id(NOW)
    me, outlet, at = session.actor.user_id, world.outlets[2], NOW - timedelta(minutes=5)

    def work(tx: Transaction) -> None:
        tx.conn.execute(insert(T.visit).values(
            id=visit, outlet_id=outlet, person_id=me, started_at=at, zone="Europe/Paris", position_source="none"))
        tx.conn.execute(insert(T.submission).values(
            id=report, visit_id=visit, outlet_id=outlet, person_id=me, form="f", form_version="1", answers={},
            started_at=at, submitted_at=at))

    write(session, work)


def test_every_control_has_a_name_and_a_narrow_window_loses_no_receipt(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    for widget in screen.findChildren(QWidget):
        if widget.focusPolicy() & Qt.FocusPolicy.TabFocus and widget.isVisible():
            text = widget.text() if isinstance(widget, QAbstractButton) else ""
            assert widget.accessibleName() or text, type(widget).__name__
    screen.resize(780, 560)
    qtbot.waitUntil(lambda: screen.head.note.text() == "No report yet today.")
    assert not screen.day.isVisible() and not screen.head.note.isVisible(), "nothing to say, no line for it"
    a_report(session, world)
    screen._load()
    qtbot.waitUntil(lambda: screen.head.note.isVisible() and screen.head.note.text().startswith("1 report, "))


def test_all_of_it_speaks_french(session: AppSession, qtbot: Any) -> None:
    words.set_language("fr")
    try:
        made = SyncScreen(session)
        qtbot.addWidget(made)
        made.show()
        made.open()
        qtbot.waitUntil(lambda: made.day.sum.text() == "Pas encore de relevé aujourd’hui.")
        assert titles(made) == ["À envoyer", "À décider", "Fusionné pour vous", "Relevés", "Historique"]
        assert made.head.title.text() == "Pas encore synchronisé"
    finally:
        words.set_language("en")


def test_what_the_program_reckons_is_not_told_as_fields() -> None:
    """A move in the plan writes times and positions of every stop: a person moved one store."""
    words.set_language("fr")

    def entry(label: str, *collections: str, fields: tuple[str, ...]) -> tuple[str, str]:
        pending = PendingChange(an_id("tx"), NOW, label, collections, fields, an_id("o"), "Spar", 388, False)
        line = of_change(pending, None, NOW).line
        return line.title, line.subtitle

    try:
        moved = entry("stop.moved", "plan_stop", fields=("position", "arrive", "travel_minutes"))
        assert moved == ("Plan de la journée · Spar", "Déplacement d’un magasin")
        made = entry("plan.made", "plan", "plan_stop", fields=("state",))
        assert made == ("Plan de la journée", "Prêt à partir")
        assert entry("outlet.phone", "outlet", fields=("phone",))[1] == "Téléphone"
    finally:
        words.set_language("en")


def test_photos_that_wait_for_a_better_network_are_counted_and_can_go_now(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    assert session.sync is not None

    def work(tx: Transaction) -> None:
        for n in range(14):
            tx.conn.execute(insert(T.blob_queue).values(
                sha256=f"{n:064x}", size=657_143, mime="image/jpeg", direction="up", state="waiting", offset=0, tries=0,
                added_at=NOW))

    write(session, work)
    session.sync.network(metered=True)
    session.sync.refresh()
    qtbot.waitUntil(lambda: screen.head.held.text() == "14 photos, 9.2\u00a0MB wait for Wi-Fi.")
    assert screen.head.photos.isVisible() and not session.sync._photos_go()
    qtbot.mouseClick(screen.head.photos, Qt.MouseButton.LeftButton)
    assert session.sync._photos_go() and session.sync.state.next_try == NOW


def test_a_pause_of_an_hour_says_when_it_ends_and_is_kept_for_the_next_start(
    screen: SyncScreen, session: AppSession, qtbot: Any
) -> None:
    screen.head.pause_menu().actions()[0].trigger()
    qtbot.waitUntil(lambda: screen.head.title.text().startswith("Paused until "))
    assert session.preferences.paused_until == NOW + timedelta(hours=1) and session.preferences.auto_sync
    qtbot.mouseClick(screen.head.pause, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: screen.head.pause.text() == "Pause")
    assert session.preferences.paused_until is None


def test_a_sync_under_way_shows_rows_photos_and_bytes_and_can_be_stopped(
    screen: SyncScreen, session: AppSession, qtbot: Any
) -> None:
    sync = session.sync
    assert sync is not None
    sync._schedule = plan.begun(sync._schedule)
    sync._tell(progress=Progress(phase="photos", sent=3, photos_to_send=8, photos_sent=2, bytes_to_send=4_000_000,
                                 bytes_sent=1_000_000))
    qtbot.waitUntil(lambda: screen.head.title.text() == "Photos: 2 of 8")
    assert screen.head.detail.text() == "3 changes sent, 1.0\u00a0MB of 4.0\u00a0MB of photos"
    assert screen.head.stop.isVisible() and not screen.head.now.isVisible()
    qtbot.mouseClick(screen.head.stop, Qt.MouseButton.LeftButton)
    assert sync._cancel.is_set()
    # The request under way may take its time; that the click was heard is seen at once, and stays.
    screen._show_state()
    assert screen.head.detail.text() == "Stopping at the next safe place…" and not screen.head.stop.isEnabled()
    sync._schedule = plan.finished(sync._schedule, NOW, waiting=True)
    sync._tell()
    qtbot.waitUntil(lambda: not screen.head.stop.isVisible())
    sync._schedule = plan.begun(sync._schedule)
    sync._tell()
    qtbot.waitUntil(lambda: screen.head.stop.isVisible() and screen.head.stop.isEnabled())


def test_the_time_to_the_next_try_is_told_in_steps_and_never_backwards(session: AppSession) -> None:
    assert session.sync is not None
    session.sync._fail(plan.Trouble.OFFLINE, "offline", {})
    state = replace(session.sync.state, next_try=NOW + timedelta(seconds=300))
    said = [standing(state, NOW + timedelta(seconds=s)).detail for s in range(301)]
    assert len(dict.fromkeys(said)) == 13 and said[0] == "Next try in 5 minutes."
    assert said[220] == "Next try in 80 seconds." and said[295] == "Next try in a few seconds."


def test_a_manager_reads_whose_device_still_holds_photos(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    visit, report, other = new_id(NOW), new_id(NOW), world.manager.user_id
    outlet, at = world.outlets[0], NOW - timedelta(hours=1)

    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            tx.conn.execute(insert(T.submission).values(
                id=report, visit_id=visit, outlet_id=outlet, person_id=other, form="f", form_version="1", answers={},
                started_at=at, submitted_at=at, rev=1))
            for n in range(3):
                sha = f"{n:064x}"
                tx.conn.execute(insert(T.attachment).values(
                    id=new_id(NOW), submission_id=report, visit_id=visit, outlet_id=outlet, node="/p", sha256=sha,
                    size=1000, mime="image/jpeg", rev=1))
                tx.conn.execute(insert(T.blob_queue).values(
                    sha256=sha, size=1000, mime="image/jpeg", direction="down", state="waiting", tries=1,
                    problem="not_there_yet", added_at=at))

    write(session, work)
    screen._load()
    qtbot.waitUntil(lambda: screen.sending_model.rowCount() == 1)
    entry = screen.sending_model.row(0)
    assert entry is not None
    assert entry.line.title == "3 photos are still on the device of Dominique Vasseur"
    assert entry.line.subtitle == "Épicerie des Halles"


def test_the_rail_the_tab_and_the_list_count_the_same_before_and_after_photos_are_queued(
    screen: SyncScreen, session: AppSession, world: World, qtbot: Any
) -> None:
    assert session.sync is not None
    a_report(session, world)
    change(session, world.outlets[0], phone="01")

    def photo(tx: Transaction, n: int) -> None:
        report = tx.conn.execute(select(T.submission).order_by(T.submission.c.submitted_at.desc())).first()
        assert report is not None
        tx.conn.execute(insert(T.attachment).values(
            id=new_id(NOW), submission_id=report.id, visit_id=report.visit_id, outlet_id=report.outlet_id, node="/p",
            sha256=f"{n:064x}", size=1000, mime="image/jpeg"))

    def queued(tx: Transaction) -> None:
        for n, direction in ((1, "up"), (2, "up"), (9, "down")):
            tx.conn.execute(insert(T.blob_queue).values(
                sha256=f"{n:064x}", size=1000, mime="image/jpeg", direction=direction, state="waiting", offset=0,
                tries=0, added_at=NOW))

    write(session, lambda tx: [photo(tx, n) for n in (1, 2)])
    for work, coming in (((lambda tx: None), 0), (queued, 1)):
        write(session, work)
        session.sync.refresh()
        screen._load()
        expected = 5  # the visit with its report, the phone, the photos' records, and two photos
        qtbot.waitUntil(lambda coming=coming: screen.sending_model.rowCount() == 5 + coming)  # type: ignore[misc]
        assert to_send(session.sync.state) == expected and titles(screen)[0] == "To send  5"
    last = screen.sending_model.row(5)
    assert last is not None and last.line.badge == "To come" and last.line.subtitle == "Comes with the next sync"


def test_what_cannot_be_carried_by_stick_yet_says_why(
    screen: SyncScreen, session: AppSession, qtbot: Any, monkeypatch: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    said: list[Message] = []
    session.messages.posted.connect(said.append)
    monkeypatch.setattr(doing.QFileDialog, "getExistingDirectory", staticmethod(lambda *_: str(tmp_path)))
    next(action for action in screen.actions() if action.id == "sync.carry").run()
    qtbot.waitUntil(lambda: len(said) == 1)
    assert said[0].tone == "danger" and "bundle_" not in said[0].text
    assert not list(tmp_path.glob("*.fieldcrm"))


@pytest.mark.parametrize(
    ("progress", "title", "share"),
    [
        (Progress(phase="sending"), "Sending…", None),
        (Progress(phase="receiving"), "Receiving…", None),
        (Progress(phase="receiving", received=41), "Receiving: 41 items so far", None),
        (Progress(phase="receiving", bytes_to_receive=8_000_000, bytes_received=2_000_000, rows_to_receive=100_000),
         "Fetching your sector…", 0.25),
        (Progress(phase="receiving", bytes_to_receive=8, bytes_received=8, rows_to_receive=100_000, received=40_000),
         "Putting your sector in place: 40,000 of 100,000", 0.4),
        (Progress(phase="receiving", received=41, healed=["digest"], repaired=7), "Comparing with headquarters…", None),
        (Progress(phase="photos", photos_to_send=4, photos_sent=1), "Photos: 1 of 4", 0.25),
        (Progress(phase="done", sent=3), "Checking…", None),
    ],
)
def test_each_part_of_a_sync_has_its_words_and_its_bar(progress: Progress, title: str, share: float | None) -> None:
    words.set_language("en")
    state = SyncState(phase=Phases.SYNCING, progress=progress)
    assert standing(state, NOW).title == title and progress_share(progress) == share


def test_a_sector_on_its_way_says_how_much_of_it_has_come() -> None:
    words.set_language("en")
    progress = Progress(phase="receiving", bytes_to_receive=8_000_000, bytes_received=2_000_000)
    detail = standing(SyncState(phase=Phases.SYNCING, progress=progress), NOW).detail
    assert detail == "2.0\u00a0MB of 8.0\u00a0MB; a cut costs nothing, it goes on from there"


@pytest.mark.parametrize(
    ("state", "said"),
    [
        (SyncState(phase=Phases.NEEDS_SIGN_IN, problem="token_expired"), "Sign in again to send what you recorded."),
        (SyncState(phase=Phases.REVOKED, problem="device_revoked"), "has shut this device out"),
        (SyncState(verified_at=NOW, waiting=Waiting(decisions=1)), "1 change needs your decision · last verified"),
    ],
)
def test_the_line_at_the_bottom_shows_no_code_and_calls_nothing_verified_that_was_refused(
    state: SyncState, said: str
) -> None:
    words.set_language("en")
    shown = line(state, NOW)
    assert said in shown and "_" not in shown and tone(state) == "danger" and "Everything" not in shown
