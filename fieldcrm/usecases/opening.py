"""Opening hours in the OpenStreetMap syntax, read into a week that can be said in words."""

from __future__ import annotations

import re
from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, State
from opening_hours import ParserError as _ParserError  # type: ignore[attr-defined]  # missing in its stubs
from opening_hours import UnknownCountryError as _UnknownCountryError  # type: ignore[attr-defined]

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.opening import MINUTES_A_DAY, UNKNOWN, Openness, OpenState, Span, Week
from fieldcrm.domain.weekplan import CLOSED_WEEK, SPANS_MOST, WeekPlan, in_order, read_plan

_STATES = {State.OPEN: Openness.OPEN, State.CLOSED: Openness.CLOSED, State.UNKNOWN: Openness.UNKNOWN}
_SEASON = timedelta(weeks=26)
LAST_OF_EVENING = 6 * 60  # minutes after midnight that still belong to the evening before


def check_opening_hours(value: str | None, field: str = "opening_hours") -> str | None:
    """The text, trimmed, or ``None``. Raises ``DomainError("opening_hours_malformed")`` when it cannot be read."""
    text = (value or "").strip()
    if not text:
        return None
    try:
        OpeningHours(text)
    except _ParserError:
        raise DomainError("opening_hours_malformed", field=field, text=text[:80]) from None
    return text


def usual_week(value: str | None, zone: str, now: datetime) -> Week | None:
    """The hours of an ordinary week about ``now``, public holidays aside; ``None`` when unknown or unreadable."""
    hours = _parsed(value, None)
    if hours is None:
        return None
    monday = now.astimezone(ZoneInfo(zone)).date()
    monday -= timedelta(days=monday.weekday())
    days = _week_from(hours, datetime.combine(monday, time.min))
    other = _week_from(hours, datetime.combine(monday, time.min) + _SEASON)
    return Week(days, seasonal=days != other)


def open_state(value: str | None, zone: str, country: str | None, now: datetime) -> OpenState:
    """Whether the store is open at ``now``, and when that changes next (aware, in the zone of the store)."""
    hours = _parsed(value, country)
    if hours is None:
        return UNKNOWN
    there = ZoneInfo(zone)
    local = now.astimezone(there).replace(tzinfo=None)
    state, _comment = hours.state(local)
    # Not ``next_change``: of hours that never change again it looks through eight thousand years.
    spans = hours.intervals(local, local + _SEASON)
    change = next((start for start, _, other, _ in spans if other is not state and start > local), None)
    return OpenState(_STATES[state], change.replace(tzinfo=there) if change is not None else None)


def _parsed(value: str | None, country: str | None) -> OpeningHours | None:
    if not value:
        return None
    try:
        return OpeningHours(value, country=country or None)
    except _UnknownCountryError:
        return OpeningHours(value)
    except _ParserError:  # what an import brought is shown as it is, never an error on the screen
        return None


def _week_from(hours: OpeningHours, monday: datetime) -> tuple[tuple[Span, ...], ...]:
    """Read with a day before and after, so that a night between two weeks belongs to its evening."""
    days: dict[int, list[Span]] = {day: [] for day in range(-1, 8)}
    for start, end, state, _comment in hours.intervals(monday - timedelta(days=1), monday + timedelta(days=8)):
        if state is State.OPEN:
            _add(days, (start - monday) // timedelta(minutes=1), (end - monday) // timedelta(minutes=1))
    return tuple(tuple(days[day]) for day in range(7))


def _add(days: dict[int, list[Span]], start: int, end: int) -> None:
    """Put an interval on its days; one that ends before 06:00 stays with the evening before."""
    while start < end:
        day = start // MINUTES_A_DAY
        midnight = (day + 1) * MINUTES_A_DAY
        night = end - midnight <= LAST_OF_EVENING and start > day * MINUTES_A_DAY
        stop = end if night else min(end, midnight)
        span = Span(start - day * MINUTES_A_DAY, stop - day * MINUTES_A_DAY)
        if days[day] and days[day][-1].end == span.start:
            span = Span(days[day].pop().start, span.end)
        days[day].append(span)
        start = stop


def day_windows(value: str | None, country: str | None, day: date) -> tuple[Span, ...] | None:
    """When the store is open on ``day``, public holidays counted; empty when closed, ``None`` when unknown."""
    hours = _parsed(value, country)
    if hours is None:
        return None
    midnight = datetime.combine(day, time.min)
    spans = [
        Span(max(0, (start - midnight) // timedelta(minutes=1)), (end - midnight) // timedelta(minutes=1))
        for start, end, state, _comment in hours.intervals(midnight, midnight + timedelta(days=1))
        if state is State.OPEN
    ]
    return tuple(spans)


# ---- the week as a person fills it in ----------------------------------------

# Nothing but days, public holidays, times and what joins them: the rest says more than a week can show.
_PLAIN = re.compile(r"(?:24/7|Mo|Tu|We|Th|Fr|Sa|Su|PH|off|closed|[0-9]{1,2}:[0-9]{2}|[-,; ])+")
_COMPARED = timedelta(days=800)  # public holidays fall on other days of the week from year to year
_SOME_COUNTRY = "FR"  # to know a public holiday when the outlet's country is not known


def plan_of(value: str | None, country: str | None, now: datetime) -> WeekPlan | None:
    """The week that says exactly what ``value`` says, or ``None`` when a week cannot say it (or it cannot be read).

    The candidate is read off the intervals of an ordinary week and compared with ``value`` over two years: what
    differs on a single day is left as text.
    """
    text = (value or "").strip()
    if not text:
        return CLOSED_WEEK
    if not _PLAIN.fullmatch(text):
        return None
    where = country if country and _knows(country) else _SOME_COUNTRY
    hours = _parsed(text, where)
    bare = _parsed(text, None)
    if hours is None or bare is None:
        return None
    monday = _monday(now)
    named = read_plan(text)
    if named is not None and _same(hours, named.osm(), where, monday):
        return named
    days = tuple(tuple(spans) for spans in _week_from(bare, monday))
    if any(len(spans) > SPANS_MOST or not in_order(spans) for spans in days):
        return None
    holidays = _on_holidays(hours, where, monday) if "PH" in text else None
    a, b, c, d, e, f, g = days
    plan = WeekPlan((a, b, c, d, e, f, g), holidays)
    return plan if _same(hours, plan.osm(), where, monday) else None


def _knows(country: str) -> bool:
    try:
        OpeningHours("24/7", country=country)
    except _UnknownCountryError:
        return False
    return True


def _monday(now: datetime) -> datetime:
    day = now.date()
    return datetime.combine(day - timedelta(days=day.weekday()), time.min)


def _on_holidays(hours: OpeningHours, country: str, monday: datetime) -> tuple[Span, ...] | None:
    """What holds on the first public holiday of the two years, when that can be told."""
    probe = OpeningHours("PH 10:00-11:00", country=country)
    found = probe.intervals(monday, monday + _COMPARED)
    first = next((start for start, _, state, _ in found if state is State.OPEN), None)
    if first is None:
        return None
    midnight = datetime.combine(first.date(), time.min)
    return _week_from(hours, midnight)[0]


def _same(hours: OpeningHours, text: str, country: str, monday: datetime) -> bool:
    other = _parsed(text, country)
    if other is None:
        return False
    return _open_spans(hours, monday) == _open_spans(other, monday)


def _open_spans(hours: OpeningHours, monday: datetime) -> list[tuple[datetime, datetime]]:
    found: list[tuple[datetime, datetime]] = []
    for start, end, state, _comment in hours.intervals(monday, monday + _COMPARED):
        if state is not State.OPEN:
            continue
        if found and found[-1][1] == start:
            found[-1] = found[-1][0], end
        else:
            found.append((start, end))
    return found
