"""Hours of real stores, and hours made up, as a week: it says the same at every moment, or the text stays."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import given, settings
from hypothesis import strategies as st
from opening_hours import OpeningHours, ParserError, State  # type: ignore[attr-defined]  # missing in its stubs

from fieldcrm import resources
from fieldcrm.domain.opening import Openness, OpenState
from fieldcrm.domain.weekplan import DAYS
from fieldcrm.geo.osm import collect_outlets
from fieldcrm.usecases.opening import open_state, plan_of

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
MOMENTS = [NOW + timedelta(hours=h, minutes=7) for h in (1, 26, 51, 76, 101, 126, 151, 30, 45, 63, 87, 110, 135, 160)]
CHRISTMAS = datetime(2026, 12, 25, 10, 30, tzinfo=UTC)


def states(text: str) -> list[State]:
    hours = OpeningHours(text, country="FR")
    return [hours.state(moment.replace(tzinfo=None))[0] for moment in (*MOMENTS, CHRISTMAS)]


def is_readable(text: str) -> bool:
    try:
        OpeningHours(text)
    except ParserError:
        return False
    return True


def test_most_hours_of_a_real_town_are_a_week_that_says_the_same() -> None:
    found, _ = collect_outlets(resources.path("demo/helsinki.osm.pbf"))
    texts = {one.opening_hours for one in found if one.opening_hours}
    readable = {text for text in texts if is_readable(text)}
    weeks = {text: plan_of(text, "FR", NOW) for text in readable}
    said = {text: plan for text, plan in weeks.items() if plan is not None}
    assert len(readable) > 200 and len(said) / len(readable) > 0.9
    for text, plan in said.items():
        assert states(plan.osm()) == states(text), text


def test_hours_that_never_change_are_answered_at_once() -> None:
    """With ``next_change`` of the parser this took eleven seconds."""
    text = "Fr-Mo 03:00-17:30; Sa-Su off; Fr-Mo off"
    assert open_state(text, "Europe/Paris", "FR", NOW) == OpenState(Openness.CLOSED, None)
    noon = NOW.replace(hour=11)
    state = open_state("Mo-Fr 09:00-12:30", "Europe/Paris", "FR", noon)
    assert state.until is not None and (state.state, state.until.hour, state.until.minute) == (Openness.OPEN, 12, 30)


CLOCK = st.tuples(st.integers(0, 23), st.sampled_from((0, 15, 30, 45))).map(lambda pair: f"{pair[0]:02d}:{pair[1]:02d}")
SPAN = st.tuples(CLOCK, CLOCK).map("-".join)
DAY = st.sampled_from((*DAYS, "Mo-Fr", "Sa-Su", "PH", "Mo-Th,Su", "Fr-Mo"))
RULE = st.tuples(DAY, st.lists(SPAN, min_size=1, max_size=3).map(",".join) | st.sampled_from(("off", "closed")))
TEXT = st.lists(RULE.map(" ".join), min_size=1, max_size=4).map("; ".join) | st.just("24/7; PH off")


@settings(max_examples=40, deadline=None)
@given(TEXT)
def test_whatever_is_written_the_week_says_the_same_or_there_is_none(text: str) -> None:
    plan = plan_of(text, "FR", NOW)
    if plan is not None:
        assert states(plan.osm()) == states(text)
        assert plan_of(plan.osm(), "FR", NOW) is not None


@settings(max_examples=100, deadline=None)
@given(st.text(max_size=80))
def test_any_text_at_all_is_a_week_or_none(text: str) -> None:
    plan = plan_of(text, None, NOW)
    assert plan is None or plan.osm()
