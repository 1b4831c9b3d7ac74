"""A week of opening hours as a person fills it in, and the OpenStreetMap text that says the same.

Seven days of at most ``SPANS_MOST`` spans each, and what holds on public holidays. Whatever says more than that
(seasons, school holidays, comments, sunrise) stays as text: ``fieldcrm.usecases.opening.plan_of``.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from itertools import pairwise

from fieldcrm.domain.opening import MINUTES_A_DAY, Span

SPANS_MOST = 2  # a day with a midday closure
NIGHT_ENDS = 6 * 60  # a span past midnight ends at six in the morning at the latest
DAYS = ("Mo", "Tu", "We", "Th", "Fr", "Sa", "Su")
ALWAYS = "24/7"
_TIME = re.compile(r"(\d{1,2})\s*(?:[:hH.]\s*(\d{2})?)?|(\d{1,2})(\d{2})", re.ASCII)

_DAY = r"(?:Mo|Tu|We|Th|Fr|Sa|Su)"
_DAYS = rf"(?:PH|{_DAY}(?:-{_DAY})?)"
_CLOCKS = r"[0-9]{1,2}:[0-9]{2} ?- ?[0-9]{1,2}:[0-9]{2}"
_RULE = re.compile(rf"(?:({_DAYS}(?: ?, ?{_DAYS})*) )?({_CLOCKS}(?: ?, ?{_CLOCKS})*|off|closed)")
_RULE_ENDS = re.compile(rf" ?; ?|(?<=[0-9f]) ?, ?(?={_DAYS})")

Spans = tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class WeekPlan:
    """``days``: Monday first, without spans: closed. ``holidays``: ``None`` says nothing of them, ``()`` closed."""

    days: tuple[Spans, Spans, Spans, Spans, Spans, Spans, Spans]
    holidays: Spans | None = None

    @property
    def always(self) -> bool:
        """Day and night, every day."""
        return all(spans == (Span(0, MINUTES_A_DAY),) for spans in self.days)

    def osm(self) -> str:
        """The text; days with the same hours are named together, those without any are left out."""
        if self.always:
            rules = [ALWAYS]
        else:
            rules = [f"{_days(days)} {_spans(spans)}" for spans, days in self._groups() if spans]
            rules = rules or ["Mo-Su off"]
        if self.holidays is not None:
            rules.append(f"PH {_spans(self.holidays)}" if self.holidays else "PH off")
        return "; ".join(rules)

    def _groups(self) -> list[tuple[Spans, list[int]]]:
        groups: dict[Spans, list[int]] = {}
        for day, spans in enumerate(self.days):
            groups.setdefault(spans, []).append(day)
        return list(groups.items())


CLOSED_WEEK = WeekPlan(((), (), (), (), (), (), ()))


def read_time(text: str) -> int | None:
    """Minutes after midnight of ``8``, ``08:30``, ``8h30``, ``8 h``, ``830`` or ``24:00``; ``None`` when it is none."""
    match = _TIME.fullmatch(text.strip())
    if match is None:
        return None
    hours, minutes = int(match[1] or match[3]), int(match[2] or match[4] or 0)
    total = hours * 60 + minutes
    return total if minutes < 60 and total <= MINUTES_A_DAY else None


def span(start: int, end: int) -> Span | None:
    """From ``start`` to ``end``; an end that is not later is in the next morning. ``None`` when it cannot be."""
    if not 0 <= start < MINUTES_A_DAY:
        return None
    if end <= start:
        end += MINUTES_A_DAY
    return Span(start, end) if end <= MINUTES_A_DAY + NIGHT_ENDS else None


def read_plan(text: str) -> WeekPlan | None:
    """The week that a plain text names rule by rule, a later rule replacing the days of an earlier one.

    A candidate only: whether it says the same is for the reader of the whole syntax to decide.
    """
    if text.strip() == ALWAYS:
        return WeekPlan(((Span(0, MINUTES_A_DAY),),) * 7)
    days: list[Spans] = [()] * 7
    holidays: Spans | None = None
    for rule in _RULE_ENDS.split(text.strip().strip(";")):
        match = _RULE.fullmatch(rule.strip())
        spans = None if match is None else _read_spans(match[2])
        if match is None or spans is None:
            return None
        for part in (match[1] or "Mo-Su").replace(" ", "").split(","):
            if part == "PH":
                holidays = spans
                continue
            for day in _run(part):
                days[day] = spans
    a, b, c, d, e, f, g = days
    return WeekPlan((a, b, c, d, e, f, g), holidays)


def _run(part: str) -> list[int]:
    first, _, last = part.partition("-")
    start, end = DAYS.index(first), DAYS.index(last or first)
    return [(start + step) % 7 for step in range((end - start) % 7 + 1)]


def _read_spans(text: str) -> Spans | None:
    if text in ("off", "closed"):
        return ()
    found: list[Span] = []
    for part in text.replace(" ", "").split(","):
        times = [read_time(time) for time in part.split("-")]
        made = span(times[0], times[1]) if len(times) == 2 and times[0] is not None and times[1] is not None else None
        if made is None:
            return None
        found.append(made)
    return tuple(found) if len(found) <= SPANS_MOST and in_order(tuple(found)) else None


def in_order(spans: Spans) -> bool:
    """Whether each span begins after the one before it has ended, and only the last goes past midnight."""
    ordered = all(first.end < second.start for first, second in pairwise(spans))
    return ordered and all(one.end <= MINUTES_A_DAY for one in spans[:-1])


def clock(minutes: int) -> str:
    """``08:30``; the end of a day is ``24:00``."""
    hours, rest = divmod(minutes if minutes <= MINUTES_A_DAY else minutes - MINUTES_A_DAY, 60)
    return f"{hours:02d}:{rest:02d}"


def _spans(spans: Spans) -> str:
    return ",".join(f"{clock(one.start)}-{clock(one.end)}" for one in spans)


def _days(days: list[int]) -> str:
    """``Mo-Fr``, ``Tu,Th``, ``Mo-We,Sa``."""
    runs: list[list[int]] = []
    for day in days:
        if runs and runs[-1][-1] + 1 == day:
            runs[-1].append(day)
        else:
            runs.append([day])
    parts = []
    for run in runs:
        if len(run) > 2:
            parts.append(f"{DAYS[run[0]]}-{DAYS[run[-1]]}")
        else:
            parts += [DAYS[day] for day in run]
    return ",".join(parts)
