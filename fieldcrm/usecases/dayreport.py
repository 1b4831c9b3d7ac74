"""The report of one rep's day: what was planned and done, found, promised, left out, and what headquarters holds."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime

from fieldcrm.domain.ids import Id
from fieldcrm.domain.metrics import Period
from fieldcrm.store import aggregates, dayrows, reports
from fieldcrm.store.database import Reader
from fieldcrm.store.dayrows import DayOutOfStock as DayOutOfStock
from fieldcrm.store.dayrows import DayPromise as DayPromise
from fieldcrm.store.dayrows import DaySkipped as DaySkipped
from fieldcrm.store.dayrows import DayVisit as DayVisit
from fieldcrm.usecases.periods import select_period


@dataclass(frozen=True, slots=True)
class DayReport:
    """Times are aware UTC; each visit has the zone of its place."""

    person: str
    day: date
    made_at: datetime
    planned: int
    done: int
    visits: tuple[DayVisit, ...]
    out_of_stocks: tuple[DayOutOfStock, ...]
    promises: tuple[DayPromise, ...]
    skipped: tuple[DaySkipped, ...]

    @property
    def unplanned(self) -> int:
        return sum(not visit.planned for visit in self.visits)

    @property
    def reports(self) -> tuple[int, int]:
        """Received by headquarters, of all."""
        return sum(v.reports_received for v in self.visits), sum(v.reports for v in self.visits)

    @property
    def photos(self) -> tuple[int, int]:
        """Received by headquarters, of all."""
        return sum(v.photos_received for v in self.visits), sum(v.photos for v in self.visits)

    @property
    def lines(self) -> int:
        return sum(visit.lines for visit in self.visits)

    @property
    def minutes_in_store(self) -> float:
        ended = [(v.ended_at - v.started_at).total_seconds() for v in self.visits if v.ended_at is not None]
        return sum(ended) / 60

    @property
    def complete(self) -> bool:
        """Everything of the day is at headquarters."""
        return self.reports[0] == self.reports[1] and self.photos[0] == self.photos[1]


def day_report(r: Reader, person_id: Id, day: date, *, now: datetime) -> DayReport:
    """The day of one person, from the records of this device."""
    selection = select_period(r, Period(day, day), person_id=person_id)
    done, planned = aggregates.completion_counts(r, selection, day)
    return DayReport(
        reports.person_names(r, [person_id]).get(person_id, ""), day, now, planned, done,
        dayrows.visits(r, selection), dayrows.out_of_stocks(r, selection), dayrows.promises(r, selection),
        dayrows.skipped(r, selection),
    )
