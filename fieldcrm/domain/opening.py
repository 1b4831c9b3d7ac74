"""Opening hours as a week of minutes: what is shown in words, apart from the syntax they are written in."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

MINUTES_A_DAY = 24 * 60


@dataclass(frozen=True, slots=True)
class Span:
    """Minutes after midnight; ``end`` above 1440 goes on past midnight."""

    start: int
    end: int

    @property
    def all_day(self) -> bool:
        return self.start == 0 and self.end >= MINUTES_A_DAY


@dataclass(frozen=True, slots=True)
class DayRange:
    """Days of the week (0 is Monday) from ``first`` to ``last`` with the same hours; no spans: closed."""

    first: int
    last: int
    spans: tuple[Span, ...]


@dataclass(frozen=True, slots=True)
class Week:
    """Seven tuples of spans, Monday first. ``seasonal``: other weeks of the year differ."""

    days: tuple[tuple[Span, ...], ...]
    seasonal: bool = False

    def grouped(self) -> tuple[DayRange, ...]:
        """Neighbouring days with equal hours as one range, Monday first."""
        ranges: list[DayRange] = []
        for day, spans in enumerate(self.days):
            if ranges and ranges[-1].spans == spans:
                ranges[-1] = DayRange(ranges[-1].first, day, spans)
            else:
                ranges.append(DayRange(day, day, spans))
        return tuple(ranges)

    @property
    def always(self) -> bool:
        return all(len(spans) == 1 and spans[0].all_day for spans in self.days)


class Openness(StrEnum):
    OPEN = "open"
    CLOSED = "closed"
    UNKNOWN = "unknown"


@dataclass(frozen=True, slots=True)
class OpenState:
    """Whether the store is open at a moment, and until when that holds (``None``: no change in sight)."""

    state: Openness
    until: datetime | None = None


UNKNOWN = OpenState(Openness.UNKNOWN)
