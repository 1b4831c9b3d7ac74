"""The foot of the day: here and there in one line, and one button for the one thing that is missing."""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import insert, select

pytest.importorskip("PySide6")

from PySide6.QtCore import Qt

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Transaction
from fieldcrm.store.tables import T
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.today.day_end import DayEnd
from fieldcrm.usecases.receipts import Missing
from fieldcrm.usecases.syncing import Supervisor
from tests.conftest import NOW
from tests.world import World

Report = Callable[..., UUID]


@pytest.fixture
def report(desk: AppSession) -> Report:
    """A report of today with its photos; ``there``: how many of them headquarters has verified."""

    def made(outlet: UUID, photos: int, there: int, problem: str | None = None) -> UUID:
        at, id, visit = NOW - timedelta(hours=1), new_id(NOW), new_id(NOW)

        def work(tx: Transaction) -> None:
            with tx.uncaptured():
                tx.conn.execute(insert(T.submission).values(
                    id=id, visit_id=visit, outlet_id=outlet, person_id=desk.actor.user_id, form="f", form_version="1",
                    answers={}, started_at=at, submitted_at=at, rev=1))
                number = CATALOGUE.by_name["submission"].number
                tx.conn.execute(insert(T.member).values(bucket=1, collection=number, id=id, rev=1, round=0))
                for n in range(photos):
                    sha = f"{id.hex[-20:]}{n:044x}"
                    tx.conn.execute(insert(T.attachment).values(
                        id=new_id(NOW), submission_id=id, visit_id=visit, outlet_id=outlet, node="/p", sha256=sha,
                        size=1000, mime="image/jpeg", rev=1))
                    tx.conn.execute(insert(T.blob_queue).values(
                        sha256=sha, size=1000, mime="image/jpeg", direction="up", added_at=at,
                        state="verified" if n < there else "waiting", tries=0, problem=None if n < there else problem))

        desk.db.write(work, actor=desk.actor, now=NOW).result()
        return id

    return made


@pytest.fixture
def opened() -> list[Missing]:
    return []


@pytest.fixture
def foot(desk: AppSession, opened: list[Missing], qtbot: Any) -> DayEnd:
    def nobody() -> Any:
        raise AssertionError("no test here calls a server")

    desk.sync = Supervisor(desk.db, desk.photos, desk.actor, nobody, clock=desk.clock)
    made = DayEnd(desk, opened.append)
    qtbot.addWidget(made)
    made.resize(900, 60)
    return made


def test_a_day_without_reports_has_no_foot(foot: DayEnd, qtbot: Any) -> None:
    foot.read(shown=True)
    qtbot.waitUntil(lambda: foot.day is not None)
    assert not foot.isVisible()


def test_all_that_is_here_is_there_and_no_button_is_left(
    foot: DayEnd, report: Report, world: World, qtbot: Any
) -> None:
    report(world.outlets[0], 4, 4)
    report(world.outlets[1], 3, 3)
    foot.read(shown=True)
    qtbot.waitUntil(lambda: foot.isVisible())
    assert foot.sum.whole() == "2 reports, 7 photos here; 2 and 7 verified at headquarters."
    assert not foot.button.isVisible() and not foot.missing.isVisible()


def test_the_one_thing_that_is_missing_is_named_and_sent_with_one_button(
    foot: DayEnd, desk: AppSession, report: Report, world: World, qtbot: Any
) -> None:
    report(world.outlets[0], 4, 4)
    report(world.outlets[1], 3, 1)
    foot.read(shown=True)
    qtbot.waitUntil(lambda: foot.isVisible())
    assert foot.sum.whole() == "2 reports, 7 photos here; 1 and 5 verified at headquarters."
    assert foot.missing.whole() == "2 photos of Superette du Marché have not arrived."
    assert desk.sync is not None and not desk.sync._photos_asked
    qtbot.mouseClick(foot.button, Qt.MouseButton.LeftButton)
    qtbot.waitUntil(lambda: desk.sync is not None and desk.sync._photos_asked)
    assert desk.sync.state.next_try == NOW


def test_what_only_a_person_can_mend_leads_to_its_outlet(
    foot: DayEnd, report: Report, world: World, qtbot: Any, opened: list[Missing]
) -> None:
    report(world.outlets[1], 3, 1, problem="photo_damaged")
    foot.read(shown=True)
    qtbot.waitUntil(lambda: foot.isVisible())
    assert foot.button.text() == "Open the outlet"
    qtbot.mouseClick(foot.button, Qt.MouseButton.LeftButton)
    assert [missing.receipt.outlet_id for missing in opened] == [world.outlets[1]]


def test_what_only_a_person_can_mend_is_named_first_and_by_its_own_report(
    foot: DayEnd, report: Report, world: World, qtbot: Any
) -> None:
    report(world.outlets[1], 2, 1, problem="photo_damaged")
    report(world.outlets[1], 3, 2)
    report(world.outlets[0], 1, 0)
    foot.read(shown=True)
    qtbot.waitUntil(lambda: foot.isVisible())
    assert foot.day is not None
    assert (foot.day.missing[0].photos, foot.day.missing[0].problem) == (1, "photo_damaged")
    assert [missing.problem for missing in foot.day.missing[1:]] == [None, None]
    assert foot.missing.whole() == (
        "1 photo of Superette du Marché has not arrived. The file on this device is damaged. And 2 others.")


def test_a_photo_that_two_versions_of_a_report_share_counts_once(
    foot: DayEnd, desk: AppSession, report: Report, world: World, qtbot: Any
) -> None:
    first, second = report(world.outlets[0], 3, 3), report(world.outlets[0], 0, 0)

    def share(tx: Transaction) -> None:
        with tx.uncaptured():
            for row in tx.conn.execute(select(T.attachment).where(T.attachment.c.submission_id == first)).all():
                values = {**row._mapping, "id": new_id(NOW), "submission_id": second}
                values.pop("rid", None)
                tx.conn.execute(insert(T.attachment).values(values))

    desk.db.write(share, actor=desk.actor, now=NOW).result()
    foot.read(shown=True)
    qtbot.waitUntil(lambda: foot.isVisible())
    assert foot.sum.whole() == "2 reports, 3 photos here; 2 and 3 verified at headquarters."


def test_another_day_shows_no_receipt_of_today(foot: DayEnd, report: Report, world: World, qtbot: Any) -> None:
    report(world.outlets[0], 1, 1)
    foot.read(shown=True)
    qtbot.waitUntil(lambda: foot.isVisible())
    foot.read(shown=False)
    assert not foot.isVisible()
