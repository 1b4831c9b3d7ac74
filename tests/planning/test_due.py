"""What is due and why."""

from __future__ import annotations

from datetime import date, timedelta

from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.planning.due import Errand, Facts, assess

DAY = date(2026, 11, 20)


def codes(facts: Facts) -> list[str]:
    return [reason.code for reason in assess(facts, DAY).reasons]


def test_a_store_is_due_when_its_rhythm_is_over_and_says_since_when() -> None:
    due = assess(Facts("b", 28, DAY - timedelta(days=34)), DAY)
    assert due.due and not due.must
    assert due.reasons[0].document() == {"code": "not_seen_days", "params": {"days": 34, "interval": 28}}


def test_a_store_in_time_is_not_due_and_says_until_when() -> None:
    due = assess(Facts("b", 28, DAY - timedelta(days=6)), DAY)
    assert not due.due
    assert due.next_due == DAY + timedelta(days=22)


def test_a_promise_that_falls_today_and_a_returned_report_are_musts() -> None:
    recent = DAY - timedelta(days=2)
    promise = assess(Facts("c", 28, recent, (Errand("promise", "Display", DAY),)), DAY)
    returned = assess(Facts("c", 28, recent, (Errand("correction", "Price", None),)), DAY)
    assert promise.must and promise.due and promise.reasons[0].code == "promise_due"
    assert returned.must and returned.reasons[0].code == "returned_report"
    assert returned.score > promise.score


def test_a_promise_far_ahead_is_no_reason_and_a_near_one_is_a_small_one() -> None:
    recent = DAY - timedelta(days=3)
    assert codes(Facts(last_visit=recent, errands=(Errand("promise", "x", DAY + timedelta(days=20)),))) == []
    near = Facts(last_visit=recent, errands=(Errand("promise", "x", DAY + timedelta(days=2)),))
    assert codes(near) == ["promise_soon"]
    assert not assess(near, DAY).due


def test_never_visited_and_the_shelf_are_reasons() -> None:
    assert codes(Facts()) == ["never_visited"]
    facts = Facts("a", 28, DAY - timedelta(days=15), out_of_stock=(("Oat biscuits", 3), ("Tea", 1)), missing=2)
    assert codes(facts) == ["out_of_stock_again", "missing_codes"]
    assert assess(facts, DAY).reasons[0].params == {"product": "Oat biscuits", "times": 3, "others": 0}
    assert assess(facts, DAY).due


def test_missing_codes_wait_for_half_the_rhythm() -> None:
    assert not assess(Facts("b", 28, DAY - timedelta(days=5), missing=3), DAY).due
    assert assess(Facts("b", 28, DAY - timedelta(days=14), missing=3), DAY).due


def test_a_store_seen_today_is_due_again_only_for_an_errand() -> None:
    assert not assess(Facts("a", 14, DAY, out_of_stock=(("Tea", 4),), missing=5), DAY).due
    assert assess(Facts("a", 14, DAY, (Errand("promise", "x", DAY),)), DAY).due


@given(st.integers(1, 300), st.integers(0, 100))
def test_waiting_longer_never_lowers_the_score(interval: int, more: int) -> None:
    first = assess(Facts("b", interval, DAY - timedelta(days=interval)), DAY)
    later = assess(Facts("b", interval, DAY - timedelta(days=interval + more)), DAY)
    assert later.score >= first.score > 0


def test_a_store_whose_day_is_near_may_fill_a_gap_for_few_points() -> None:
    soon = assess(Facts("c", 28, DAY - timedelta(days=25)), DAY)
    assert soon.due and not soon.must
    assert soon.reasons[0].document() == {"code": "due_soon", "params": {"days": 3}}
    assert soon.score < assess(Facts("c", 28, DAY - timedelta(days=28)), DAY).score
