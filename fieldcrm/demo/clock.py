"""The clock of the played day: starts at a chosen moment, runs with real time, and can be moved on."""

from __future__ import annotations

import time
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

MORNING = 8  # local hour at which the day is planned


class DayClock:
    def __init__(self, start: datetime) -> None:
        self._start = start
        self._began = time.monotonic()
        self._moved = timedelta()

    def __call__(self) -> datetime:
        """The present of the played day, aware UTC."""
        return self._start + self._moved + timedelta(seconds=time.monotonic() - self._began)

    def move_on(self, minutes: float) -> None:
        """Let time pass: the drive to the next store, the minutes in front of the shelf."""
        self._moved += timedelta(minutes=minutes)


def morning_of_a_working_day(now: datetime, zone: str) -> datetime:
    """Eight o'clock in ``zone`` on the day of ``now``, or on the Friday before when that is a weekend."""
    local = now.astimezone(ZoneInfo(zone))
    local -= timedelta(days=max(0, local.weekday() - 4))
    return local.replace(hour=MORNING, minute=0, second=0, microsecond=0).astimezone(UTC)
