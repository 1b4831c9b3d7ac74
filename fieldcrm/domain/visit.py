"""A visit, and the state that follows from its records: nothing stores that state."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum

from fieldcrm.domain.ids import Id
from fieldcrm.domain.submission import ReportState


@dataclass(frozen=True, slots=True)
class Visit:
    """One call at an outlet. Times are aware UTC; ``zone`` is the IANA zone of the place."""

    id: Id
    outlet_id: Id
    person_id: Id
    stop_id: Id | None
    started_at: datetime
    ended_at: datetime | None
    zone: str
    position_source: str
    lat_e7: int | None = None
    lon_e7: int | None = None
    accuracy_m: int | None = None
    distance_m: int | None = None
    note: str | None = None

    @property
    def minutes(self) -> float | None:
        """Length in minutes; ``None`` while the visit is open."""
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds() / 60


class VisitState(StrEnum):
    OPEN = "open"  # begun, not ended
    DONE = "done"  # ended, without a report
    SUBMITTED = "submitted"
    RETURNED = "returned"
    CORRECTED = "corrected"
    APPROVED = "approved"


_MOST_PRESSING = (ReportState.RETURNED, ReportState.CORRECTED, ReportState.SUBMITTED, ReportState.APPROVED)


def visit_state(ended_at: datetime | None, reports: Iterable[ReportState]) -> VisitState:
    """The state of a visit from those of its reports: the one that asks most for attention wins."""
    present = set(reports)
    for state in _MOST_PRESSING:
        if state in present:
            return VisitState(state.value)
    return VisitState.OPEN if ended_at is None else VisitState.DONE
