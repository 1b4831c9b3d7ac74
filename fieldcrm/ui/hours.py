"""Opening hours in plain words, by weekday: “Monday to Friday, 08:30–12:30 and 14:00–19:30”."""

from __future__ import annotations

from datetime import date, datetime, timedelta

from fieldcrm.domain.opening import MINUTES_A_DAY, DayRange, Openness, OpenState, Span, Week
from fieldcrm.domain.weekplan import WeekPlan
from fieldcrm.words import date as day_words
from fieldcrm.words import language, listing, tr, trc

_MONDAY = date(2024, 1, 1)


def weekday(number: int) -> str:
    """``Monday`` for 0."""
    word = day_words(_MONDAY + timedelta(days=number), "weekday")
    return word[:1].upper() + word[1:]


def clock(minutes: int) -> str:
    """Minutes after midnight as ``08:30``; French writes ``8 h 30``."""
    hours, rest = divmod(minutes % MINUTES_A_DAY, 60)
    if minutes == MINUTES_A_DAY:
        hours = 24
    if language() == "fr":
        return f"{hours}\u00a0h" + (f"\u00a0{rest:02d}" if rest else "")
    return f"{hours:02d}:{rest:02d}"


def spans_words(spans: tuple[Span, ...]) -> str:
    if not spans:
        return trc("store", "Closed")
    if len(spans) == 1 and spans[0].all_day:
        return tr("Open all day")
    return listing([f"{clock(span.start)}–{clock(span.end)}" for span in spans])


def week_lines(week: Week) -> list[tuple[str, str]]:
    """Days and their hours, neighbouring days with equal hours in one line."""
    if week.always:
        return [(tr("Every day"), tr("Open all day"))]
    lines = []
    for group in week.grouped():
        if group.first == 0 and group.last == 6:
            days = tr("Every day")
        elif group.first == group.last:
            days = weekday(group.first)
        else:
            last = weekday(group.last)
            last = last if language() == "en" else last.lower()
            days = trc("days", "{first} to {last}", first=weekday(group.first), last=last)
        lines.append((days, spans_words(group.spans)))
    return lines


def week_text(week: Week) -> str:
    """The week as lines: “Monday to Friday: 08:30–12:30 and 14:00–19:30”."""
    return "\n".join(trc("days", "{days}: {hours}", days=days, hours=spans) for days, spans in week_lines(week))


def plan_sentence(plan: WeekPlan) -> str:
    """A whole week as one sentence: “Monday to Saturday 08:00–12:30 and 14:00–19:00; closed on Sunday”."""
    parts = []
    if plan.always:
        parts.append(tr("day and night, every day"))
    else:
        groups = Week(plan.days).grouped()
        parts += [
            trc("days", "{days} {hours}", days=_range_words(group), hours=spans_words(group.spans))
            for group in groups
            if group.spans
        ]
        closed = [_range_words(group) for group in groups if not group.spans]
        if len(closed) == 1 and groups[0].first == 0 and groups[0].last == 6:
            parts.append(tr("closed all week"))
        elif closed:
            parts.append(trc("days", "closed on {days}", days=listing(closed)))
    if plan.holidays:
        parts.append(tr("on public holidays {hours}", hours=spans_words(plan.holidays)))
    elif plan.holidays is not None:
        parts.append(tr("closed on public holidays"))
    text = "; ".join(parts) if language() == "en" else "\u00a0; ".join(parts)
    return text[:1].upper() + text[1:]


def _range_words(group: DayRange) -> str:
    """Days within a sentence: “Monday to Friday”, « du lundi au vendredi »."""
    first, last = weekday(group.first), weekday(group.last)
    if language() != "en":
        first, last = first.lower(), last.lower()
    if group.first == 0 and group.last == 6:
        return tr("every day")
    if group.first == group.last:
        return trc("within", "{day}", day=first)
    if group.last == group.first + 1:
        return listing([trc("within", "{day}", day=first), trc("within", "{day}", day=last)])
    return trc("within", "{first} to {last}", first=first, last=last)


def slots_words(week: Week) -> str:
    """A short line for the days that have hours: “Tuesday and Thursday, 09:00–11:00”."""
    grouped: dict[tuple[Span, ...], list[str]] = {}
    for number, spans in enumerate(week.days):
        if spans:
            grouped.setdefault(spans, []).append(weekday(number))
    return "; ".join(
        trc("days", "{days}, {hours}", days=_sentence(days), hours=spans_words(spans))
        for spans, days in grouped.items()
    )


def within_sentence(text: str) -> str:
    """Days in the middle of a sentence: English keeps their capital, French does not."""
    return text if language() == "en" else text[:1].lower() + text[1:]


def _sentence(days: list[str]) -> str:
    if len(days) == 7:
        return tr("Every day")
    return listing([days[0], *(day if language() == "en" else day.lower() for day in days[1:])])


def open_words(state: OpenState, now: datetime) -> tuple[str, str]:
    """“Open until 19:30” and its tone; nothing when the hours are not known."""
    if state.state is Openness.UNKNOWN:
        return "", "neutral"
    at = _when(state.until, now)
    if state.state is Openness.OPEN:
        return (tr("Open until {time}", time=at) if at else trc("store", "Open")), "success"
    return (tr("Closed until {time}", time=at) if at else trc("store", "Closed")), "warning"


def _when(until: datetime | None, now: datetime) -> str:
    if until is None:
        return ""
    local = now.astimezone(until.tzinfo)
    at = clock(until.hour * 60 + until.minute)
    days = (until.date() - local.date()).days
    if days == 0:
        return at
    if days == 1:
        return tr("tomorrow {time}", time=at)
    return trc("days", "{day} {time}", day=day_words(until.date(), "day"), time=at)
