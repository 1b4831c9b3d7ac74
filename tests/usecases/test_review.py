"""The review of reports: what comes first, what a decision brings about, and how it is taken back."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest
from sqlalchemy import select

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.metrics import Selection
from fieldcrm.domain.review import Decision
from fieldcrm.domain.submission import ReportState
from fieldcrm.store.database import Database
from fieldcrm.store.reviews import refresh_current
from fieldcrm.store.tables import T
from fieldcrm.usecases import report as reading
from fieldcrm.usecases import review
from fieldcrm.usecases.periods import preset, select_period
from tests.reviewing import Sector

SHELF: dict[str, tuple[Any, ...]] = {"tea": ("present", 6, 300), "oil": ("present", 2, 310), "jam": ("absent",)}

PLAIN_FORM = """<h:html xmlns:h="http://www.w3.org/1999/xhtml" xmlns="http://www.w3.org/2002/xforms">
<h:head><h:title>Plain</h:title><model><instance><data id="plain" version="1"><note/></data></instance>
<bind nodeset="/data/note" type="string"/></model></h:head>
<h:body><input ref="/data/note"><label>Note</label></input></h:body></h:html>"""


@pytest.fixture
def sector(db: Database, now: datetime) -> Sector:
    return Sector(db, now)


def _selection(sector: Sector, code: str = "last_4_weeks") -> Selection:
    with sector.db.read() as r:
        return select_period(r, preset(code, sector.now.date()))


def _queue(sector: Sector, **more: Any) -> review.Queue:
    selection = _selection(sector)
    with sector.db.read() as r:
        return review.queue(r, selection, **more)


def _decide(sector: Sector, id: Id, decision: Decision, *, actor: Actor | None = None, **more: Any) -> Id:
    return sector.db.write(
        lambda tx: review.decide(tx, id, decision, now=sector.now, **more),
        actor=actor or sector.manager, now=sector.now,
    ).result().value


def _state(sector: Sector, id: Id) -> ReportState:
    with sector.db.read() as r:
        return review.item_of(r, id).state


def _current(sector: Sector, id: Id) -> set[bool]:
    with sector.db.read() as r:
        return {row[0] for row in r.conn.execute(
            select(T.observation.c.current).where(T.observation.c.submission_id == id))}


def _tasks(sector: Sector) -> list[Any]:
    with sector.db.read() as r:
        return list(r.conn.execute(select(T.task)))


def test_reports_with_remarks_come_first_and_the_weightiest_before_the_others(sector: Sector) -> None:
    plain = sector.report("corner", SHELF, days_ago=4)
    far = sector.report("market", SHELF, photos=("b",), distance_m=2400, accuracy_m=15, position_source="receiver")
    bare = sector.report("plaza", SHELF, photos=())
    queue = _queue(sector)
    assert [item.report.submission_id for item in queue.items] == [far, bare, plain]
    assert [[remark.code for remark in item.remarks] for item in queue.items] == [["far"], ["photo_missing"], []]
    assert queue.waiting == 3


def test_no_photo_is_missed_where_the_form_asks_for_none(sector: Sector) -> None:
    sector.report("corner", SHELF, photos=())
    assert [r.code for r in _queue(sector).items[0].remarks] == ["photo_missing"]
    sector.add("form", name="shelf_audit", version="1", xform=PLAIN_FORM, active=True)
    assert _queue(sector).items[0].remarks == ()


def test_a_visit_without_a_position_is_not_remarked(sector: Sector) -> None:
    sector.report("corner", SHELF, position_source="none")
    assert _queue(sector).items[0].remarks == ()


def test_a_photo_seen_at_another_store_names_that_store(sector: Sector) -> None:
    sector.report("corner", SHELF, days_ago=8, photos=("c",))
    again = sector.report("market", SHELF, photos=("c",))
    remarks = {item.report.submission_id: item.remarks for item in _queue(sector).items}
    assert [(r.code, r.params["place"]) for r in remarks.pop(again)] == [("photo_reused", "Corner")]
    assert list(remarks.values()) == [()], "whoever took the photo has nothing to explain"


def test_a_report_is_dated_and_measured_by_the_clock_of_its_store(sector: Sector) -> None:
    evening = datetime(2026, 11, 18, 23, 30, tzinfo=UTC)  # half past midnight on the 19th in Paris
    sector.add("price", product_id=sector.id("jam"), amount_minor=600, valid_from=date(2026, 11, 19))
    sector.report("corner", {"jam": ("present", 1, 600)}, days_ago=(sector.now - evening) / timedelta(days=1))
    [item] = _queue(sector).items
    assert (item.report.day, item.remarks) == (date(2026, 11, 19), ())
    with sector.db.read() as r:
        [line] = reading.open_report(r, item.report.submission_id).lines
    assert line.reference_minor == 600


def test_a_queue_that_is_too_long_keeps_those_that_have_waited_longest(
    sector: Sector, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(review, "QUEUE_LIMIT", 2)
    old, _, new = (sector.report(name, SHELF, days_ago=days, photos=(name[0],))
                   for name, days in (("corner", 9), ("market", 5), ("plaza", 1)))
    waiting, everything = _queue(sector), _queue(sector, decided=True)
    assert waiting.cut and everything.cut
    assert old in {item.report.submission_id for item in waiting.items}
    assert new in {item.report.submission_id for item in everything.items}


def test_a_price_far_off_and_a_jump_of_facings_say_their_figures(sector: Sector) -> None:
    sector.report("corner", {"tea": ("present", 3, 300)}, days_ago=9)
    odd = sector.report("corner", {"tea": ("present", 30, 990)}, photos=("d",))
    item = next(item for item in _queue(sector).items if item.report.submission_id == odd)
    assert {r.code: r.params for r in item.remarks} == {
        "price_far": {"product": "Tea", "seen_minor": 990, "reference_minor": 300, "count": 1},
        "facings_jump": {"product": "Tea", "before": 3, "now": 30, "count": 1},
    }


def test_an_organisation_may_widen_its_limits(sector: Sector) -> None:
    sector.report("corner", SHELF, distance_m=900, position_source="receiver")
    assert [r.code for r in _queue(sector).items[0].remarks] == ["far"]
    sector.add("setting", key="review_limits", value={"far_m": 5000})
    assert _queue(sector).items[0].remarks == ()


def test_only_the_sectors_asked_for_are_in_the_queue(sector: Sector) -> None:
    north, south = sector.report("corner", SHELF), sector.report("quay", SHELF, photos=("e",))
    with sector.db.read() as r:
        selection = select_period(r, preset("last_4_weeks", sector.now.date()), sectors=[sector.id("south")])
        found = [item.report.submission_id for item in review.queue(r, selection).items]
    assert found == [south] and north not in found


def test_approving_takes_a_report_out_of_the_queue(sector: Sector) -> None:
    id = sector.report("corner", SHELF)
    _decide(sector, id, Decision.APPROVED)
    assert _state(sector, id) is ReportState.APPROVED
    assert _queue(sector).items == ()
    assert [item.state for item in _queue(sector, decided=True).items] == [ReportState.APPROVED]


def test_a_return_makes_a_correction_for_the_rep_and_leaves_the_report_out_of_figures(sector: Sector) -> None:
    id = sector.report("corner", SHELF)
    _decide(sector, id, Decision.RETURNED, reason="price_to_check", note="Is 3.10 right?", nodes=["/next/note"])
    assert (_state(sector, id), _current(sector, id)) == (ReportState.RETURNED, {False})
    [task] = _tasks(sector)
    assert (task.kind, task.state, task.person_id, task.submission_id, task.title) == (
        "correction", "open", sector.id("asha"), id, "Is 3.10 right?")
    assert task.due == sector.now.date() + timedelta(days=7)
    assert _queue(sector).excluded.returned == 1


@pytest.mark.parametrize(
    ("reason", "code"), [(None, "reason_missing"), ("", "reason_missing"), ("nope", "reason_unknown")])
def test_a_return_needs_one_of_the_reasons(sector: Sector, reason: str | None, code: str) -> None:
    id = sector.report("corner", SHELF)
    with pytest.raises(DomainError) as error:
        _decide(sector, id, Decision.RETURNED, reason=reason)
    assert (error.value.code, error.value.field) == (code, "reason")
    assert _tasks(sector) == []


def test_a_rep_does_not_review(sector: Sector) -> None:
    id = sector.report("corner", SHELF)
    with pytest.raises(DomainError, match="review_forbidden"):
        _decide(sector, id, Decision.APPROVED, actor=sector.rep)


def test_a_return_taken_back_counts_again_and_ends_the_correction(sector: Sector) -> None:
    id = sector.report("corner", SHELF)
    _decide(sector, id, Decision.RETURNED, reason="other")
    sector.db.write(lambda tx: review.take_back(tx, id, now=sector.now), actor=sector.manager, now=sector.now).result()
    assert (_state(sector, id), _current(sector, id)) == (ReportState.SUBMITTED, {True})
    assert [task.state for task in _tasks(sector)] == ["cancelled"]
    assert _queue(sector).waiting == 1


def test_nothing_to_take_back_is_said(sector: Sector) -> None:
    id = sector.report("corner", SHELF)
    with pytest.raises(DomainError, match="report_not_decided"):
        _decide(sector, id, Decision.REOPENED)


def test_the_same_decision_twice_is_refused(sector: Sector) -> None:
    id = sector.report("corner", SHELF)
    _decide(sector, id, Decision.APPROVED)
    with pytest.raises(DomainError, match="report_already_decided"):
        _decide(sector, id, Decision.APPROVED)


def test_decisions_of_one_instant_hold_in_the_order_they_were_made(sector: Sector) -> None:
    id = sector.report("corner", SHELF)
    for decision in (Decision.APPROVED, Decision.REOPENED, Decision.APPROVED, Decision.REOPENED):
        _decide(sector, id, decision)
    assert _state(sector, id) is ReportState.SUBMITTED


def test_a_correction_replaces_the_version_it_corrects(sector: Sector) -> None:
    first = sector.report("corner", SHELF, answers={"next": {"note": "call back"}})
    _decide(sector, first, Decision.RETURNED, reason="facings_to_check")
    with sector.db.read() as r:
        visit = review.item_of(r, first).report.visit_id
    second = sector.report("corner", {**SHELF, "tea": ("present", 4, 300)}, supersedes=first, visit=visit, days_ago=0.5,
                           answers={"next": {"note": "called"}})
    sector.db.write(lambda tx: refresh_current(tx, [second]), actor=sector.rep, now=sector.now).result()
    assert (_state(sector, first), _state(sector, second)) == (ReportState.SUPERSEDED, ReportState.CORRECTED)
    assert (_current(sector, first), _current(sector, second)) == ({False}, {True})
    assert [item.report.submission_id for item in _queue(sector).items] == [second]
    with pytest.raises(DomainError, match="report_superseded"):
        _decide(sector, first, Decision.APPROVED)
    with sector.db.read() as r:
        opened = reading.open_report(r, second)
    assert [line.name for line in opened.changed_lines] == ["Tea"]
    assert [(a.label, a.value, a.earlier) for a in opened.answers] == [("Note", "called", "call back")]
    assert [version.submission_id for version in opened.versions] == [first, second]
    assert [(d.decision, d.person, d.reason) for d in opened.decisions] == [
        (Decision.RETURNED, "Maud Lenoir", "facings_to_check")]


def test_a_report_shows_each_line_beside_the_last_count_of_another_visit(sector: Sector) -> None:
    sector.report("corner", {"tea": ("oos",), "oil": ("present", 2, 305)}, days_ago=8)
    now = sector.report("corner", SHELF)
    with sector.db.read() as r:
        lines = {line.name: line for line in reading.open_report(r, now).lines}
    assert lines["Tea"].before is not None and lines["Tea"].before.state == "oos"
    assert lines["Oil"].before is not None and lines["Oil"].before.price_minor == 305
    assert lines["Jam"].before is None
    assert (lines["Tea"].must_stock, lines["Tea"].target_facings, lines["Tea"].reference_minor) == (True, 4, 300)


def test_photos_say_whether_headquarters_has_them(sector: Sector) -> None:
    id = sector.report("corner", SHELF, photos=("a", "b"))
    sector.db.write(lambda tx: tx.conn.execute(
        T.attachment.update().values(rev=5).where(T.attachment.c.sha256 == "a" * 64)).close(),
        actor=sector.manager, now=sector.now).result()
    with sector.db.read() as r:
        photos = reading.open_report(r, id).photos
    assert {photo.sha256[0]: photo.received for photo in photos} == {"a": True, "b": False}


def test_an_unknown_report_is_refused_in_words(sector: Sector) -> None:
    with sector.db.read() as r, pytest.raises(DomainError, match="report_unknown"):
        reading.open_report(r, sector.id("nowhere"))
