"""Calendar periods as people pick them, and the selection of records that follows from one."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fieldcrm.domain.ids import Id
from fieldcrm.domain.metrics import Period, Selection
from fieldcrm.store.aggregates import usual_zone
from fieldcrm.store.database import Reader

PRESETS = ("today", "this_week", "last_week", "last_4_weeks", "last_13_weeks", "this_month", "last_month")
TREND_WEEKS = 13


def preset(code: str, today: date) -> Period:
    """The period of a preset; weeks begin on Monday. Unknown codes give the last four weeks."""
    monday = today - timedelta(days=today.weekday())
    first_of_month = today.replace(day=1)
    last_month_end = first_of_month - timedelta(days=1)
    periods = {
        "today": Period(today, today),
        "this_week": Period(monday, monday + timedelta(days=6)),
        "last_week": Period(monday - timedelta(days=7), monday - timedelta(days=1)),
        "last_4_weeks": Period(today - timedelta(days=27), today),
        "last_13_weeks": Period(monday - timedelta(weeks=TREND_WEEKS - 1), today),
        "this_month": Period(first_of_month, today),
        "last_month": Period(last_month_end.replace(day=1), last_month_end),
    }
    return periods.get(code, periods["last_4_weeks"])


def trend_period(last: date, weeks: int = TREND_WEEKS) -> Period:
    """The ``weeks`` whole weeks that end with the one of ``last``."""
    monday = last - timedelta(days=last.weekday())
    return Period(monday - timedelta(weeks=weeks - 1), monday + timedelta(days=6))


def select_period(
    r: Reader, period: Period, *, sectors: Iterable[Id] = (), form: str | None = None, person_id: Id | None = None
) -> Selection:
    """The records of a period; a day begins at midnight where most of the outlets are."""
    zone = ZoneInfo(usual_zone(r))
    return Selection(
        period, _midnight(period.first, zone), _midnight(period.last + timedelta(days=1), zone),
        frozenset(sectors), form, person_id,
    )


def local_day(r: Reader, moment: datetime) -> date:
    """The calendar day of ``moment`` where most of the outlets are."""
    return moment.astimezone(ZoneInfo(usual_zone(r))).date()


def _midnight(day: date, zone: ZoneInfo) -> datetime:
    return datetime.combine(day, time(), zone).astimezone(UTC)
