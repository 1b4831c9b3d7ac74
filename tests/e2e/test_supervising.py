"""The supervisor with its own thread: nothing of a sync on the UI thread, photos held back, pause, stop; and merges."""

from __future__ import annotations

import sys
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from sqlalchemy import select, update

pytest.importorskip("PySide6")

from fieldcrm.store.tables import T
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.preferences import Preferences
from fieldcrm.ui.sync_center import SyncScreen
from fieldcrm.usecases import merges, signin, syncing
from fieldcrm.usecases.link import Held
from fieldcrm.usecases.schedule import Phase
from tests.e2e.test_syncing import Laptop, Site, company, laptop, real_now, site  # noqa: F401
from tests.server.conftest import Company

PHOTO = bytes(range(256)) * 4000


def test_photos_wait_on_a_metered_network_while_reports_go(
    company: Company, laptop: Callable[..., Laptop]  # noqa: F811
) -> None:
    rita = laptop(company, "rita")
    rita.supervisor.run_once()
    rita.supervisor.network(metered=True)
    rita.report(company.outlets["West shop"], PHOTO)
    assert rita.supervisor.run_once() is not None
    waiting = rita.supervisor.state.waiting
    assert (waiting.reports, waiting.visits, waiting.photos) == (0, 0, 1)
    assert waiting.photo_bytes == len(PHOTO) and rita.supervisor.state.held is Held.METERED
    rita.supervisor.send_photos_now()
    assert rita.supervisor.state.held is None
    rita.supervisor.run_once()
    assert rita.supervisor.state.waiting.photos == 0
    assert rita.supervisor.state.held is Held.METERED, "for this once"


def test_a_network_that_proves_slow_keeps_the_rest_of_the_photos_for_later(
    company: Company, laptop: Callable[..., Laptop]  # noqa: F811
) -> None:
    rita = laptop(company, "rita")
    rita.supervisor.run_once()
    seconds = iter(range(0, 1_000_000, 60))  # a minute for each piece of a quarter of a megabyte
    rita.supervisor._elapsed = lambda: float(next(seconds))
    for n in range(3):
        rita.report(company.outlets["West shop"], PHOTO + bytes([n]))
    rita.supervisor.run_once()
    state = rita.supervisor.state
    assert state.held is Held.SLOW and state.waiting.photos >= 2 and state.waiting.reports == 0
    assert state.problem is None, "it is no failure"


def test_two_people_who_change_different_things_are_told_in_one_sentence_and_mine_can_be_undone(
    company: Company, laptop: Callable[..., Laptop]  # noqa: F811
) -> None:
    rita, mona = laptop(company, "rita"), laptop(company, "mona")
    for one in (rita, mona):
        one.supervisor.run_once()
    outlet = company.outlets["West shop"]

    def change(**values: str) -> Callable[[Any], Any]:
        return lambda tx: tx.conn.execute(update(T.outlet).where(T.outlet.c.id == outlet).values(**values))

    mona.do(change(opening_hours="Mo-Sa 09:00-19:00"))
    rita.do(change(phone="01 42 00 00 01"))
    rita.do(change(city="Lyon"))
    for one in (mona, rita, mona, rita):
        one.supervisor.run_once()
    since = real_now().replace(year=2000)
    (merge,) = rita.read(merges.merges, rita.signed.person_id, since)
    assert set(merge.mine) == {"phone", "city"} and set(merge.theirs) == {"opening_hours"}
    assert merge.by_name == "Mona" and merge.outlet_name == "West shop" and merge.state is merges.State.KEPT
    assert rita.supervisor.state.waiting.decisions == 0
    assert mona.read(merges.merges, mona.signed.person_id, since) == ()
    rita.do(lambda tx: merges.undo_merge(tx, merge))
    for one in (rita, mona):
        one.supervisor.run_once()
    standing = select(T.outlet.c.opening_hours, T.outlet.c.city).where(T.outlet.c.id == outlet)
    hours, city = mona.read(lambda r: r.conn.execute(standing).one())
    assert hours == "Mo-Sa 09:00-19:00" and city != "Lyon"


@pytest.fixture
def watched() -> Iterator[list[str]]:
    """Every function of the engine, of HTTP or of a photo's encryption that the UI thread enters."""
    entered: list[str] = []
    rooms = ("sync.client.engine", "sync.client.local", "sync.client.http", "sync.client.blobs", "requests.sessions")

    def look(frame: FrameType, event: str, argument: object) -> None:
        if event == "call" and frame.f_globals.get("__name__") in rooms:
            entered.append(f"{frame.f_globals['__name__']}.{frame.f_code.co_name}")

    sys.setprofile(look)  # of this thread alone, which is the one that Qt runs on
    yield entered
    sys.setprofile(None)


def test_nothing_of_a_sync_runs_on_the_ui_thread(
    company: Company, laptop: Callable[..., Laptop], tmp_path: Path, qtbot: Any, watched: list[str]  # noqa: F811
) -> None:
    rita = laptop(company, "rita")
    folder = tmp_path / "ui"
    folder.mkdir()
    session = AppSession(rita.db, rita.signed.actor, clock=real_now, photos=rita.photos,
                         preferences=Preferences(folder))
    threads: set[str] = set()

    def open_remote() -> Any:
        threads.add(threading.current_thread().name)
        return signin.open_remote(rita.db, rita.signed, clock=real_now)

    supervisor = syncing.Supervisor(
        rita.db, rita.photos, rita.signed.actor, open_remote, clock=real_now,
        on_state=lambda: session.tasks.post(session.sync_changed.emit),
        on_changes=lambda changes: session.tasks.post(lambda: session.announce(changes)),
    )
    session.sync = supervisor
    screen = SyncScreen(session)
    qtbot.addWidget(screen)
    screen.show()
    screen.open()
    watched.clear()
    supervisor.start()
    try:
        supervisor.sync_now()
        qtbot.waitUntil(lambda: supervisor.state.synced_at is not None, timeout=20_000)
        session.do(lambda tx: rita_reports(tx))
        rita.report(company.outlets["West shop"], PHOTO)
        supervisor.wrote()
        screen.head.now.click()
        qtbot.waitUntil(
            lambda: supervisor.state.phase is Phase.IDLE and supervisor.state.everything_there, timeout=30_000)
    finally:
        supervisor.stop()
        session.tasks.stop()
    assert watched == []
    assert threads == {"sync"}


def rita_reports(tx: Any) -> None:
    tx.conn.execute(update(T.outlet).values(phone="01 42 00 00 09"))
