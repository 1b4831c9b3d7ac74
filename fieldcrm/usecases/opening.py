"""Opening hours in the OpenStreetMap syntax, read into a week that can be said in words."""

from __future__ import annotations

from datetime import date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from opening_hours import OpeningHours, State
from opening_hours import ParserError as _ParserError  # type: ignore[attr-defined]  # missing in its stubs
from opening_hours import UnknownCountryError as _UnknownCountryError  # type: ignore[attr-defined]

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.opening import MINUTES_A_DAY, UNKNOWN, Openness, OpenState, Span, Week

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
    change = hours.next_change(local)
    soon = change is not None and change - local < _SEASON
    return OpenState(_STATES[state], change.replace(tzinfo=there) if change is not None and soon else None)


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
