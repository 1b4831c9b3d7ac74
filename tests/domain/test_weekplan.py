"""A week of hours as it is filled in, and the text that says the same: both ways, and for whatever is written."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fieldcrm.domain.opening import MINUTES_A_DAY, Span
from fieldcrm.domain.weekplan import CLOSED_WEEK, WeekPlan, in_order, read_time, span

TIMES = st.integers(0, 287).map(lambda step: step * 5)


@pytest.mark.parametrize(
    ("typed", "minutes"),
    [
        ("8", 480), ("08:30", 510), ("8h30", 510), ("8 h", 480), ("8 h 30", 510), ("830", 510), ("1930", 1170),
        ("24:00", 1440), ("0", 0), ("8.30", 510), (" 9 ", 540), ("25", None), ("8:70", None), ("2430", None),
        ("", None), ("demain", None), ("８", None), ("8:3", None),
    ],
)  # fmt: skip
def test_a_time_is_read_as_people_type_it(typed: str, minutes: int | None) -> None:
    assert read_time(typed) == minutes


def test_an_end_before_the_beginning_is_in_the_next_morning() -> None:
    assert span(22 * 60, 2 * 60) == Span(1320, 1560)
    assert span(22 * 60, 8 * 60) is None  # a morning of work, not the end of a night
    assert span(9 * 60, 9 * 60) is None and span(1440, 60) is None


def test_days_with_the_same_hours_are_named_together() -> None:
    usual, short = (Span(510, 750), Span(840, 1140)), (Span(540, 720),)
    assert WeekPlan((usual,) * 5 + (short, ()), ()).osm() == "Mo-Fr 08:30-12:30,14:00-19:00; Sa 09:00-12:00; PH off"
    assert WeekPlan(((), short, (), short, (), (), ())).osm() == "Tu,Th 09:00-12:00"
    assert WeekPlan(((Span(0, MINUTES_A_DAY),),) * 7).osm() == "24/7"
    assert CLOSED_WEEK.osm() == "Mo-Su off"


@settings(max_examples=100)
@given(st.text(max_size=12))
def test_any_text_is_a_time_or_none(text: str) -> None:
    found = read_time(text)
    assert found is None or 0 <= found <= MINUTES_A_DAY


@st.composite
def some_spans(draw: st.DrawFn) -> tuple[Span, ...]:
    """Of a day, without nights: those run into the next day, which may say otherwise."""
    times = sorted(draw(st.sets(TIMES, min_size=4, max_size=4)))
    spans = (Span(times[0], times[1]), Span(times[2], times[3]))
    return draw(st.sampled_from([(), spans[:1], spans, (Span(0, MINUTES_A_DAY),)]))


PLANS = st.builds(WeekPlan, st.tuples(*[some_spans()] * 7), st.none() | some_spans())


@settings(max_examples=40, deadline=None)
@given(PLANS)
@example(CLOSED_WEEK)
@example(WeekPlan(((Span(0, MINUTES_A_DAY),),) * 7, ()))
def test_what_is_filled_in_is_read_back_the_same(plan: WeekPlan) -> None:
    opening = pytest.importorskip("fieldcrm.usecases.opening")
    assert all(in_order(spans) for spans in plan.days)
    assert opening.plan_of(plan.osm(), "FR", datetime(2026, 11, 20, 9, tzinfo=UTC)) == plan
