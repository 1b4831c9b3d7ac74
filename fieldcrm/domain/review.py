"""A manager's decision on a report: an append-only record. Taking a decision back is one more record."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime
from enum import StrEnum
from typing import Any

from fieldcrm.domain.ids import Id


class Decision(StrEnum):
    APPROVED = "approved"
    RETURNED = "returned"
    REOPENED = "reopened"  # takes the decision before it back


RETURN_REASONS = (
    "photo_missing", "photo_unclear", "price_to_check", "facings_to_check", "state_to_check",
    "place_to_explain", "too_few_lines", "answer_missing", "other",
)


@dataclass(frozen=True, slots=True)
class Review:
    id: Id
    submission_id: Id
    visit_id: Id
    outlet_id: Id
    decision: Decision
    person_id: Id
    decided_at: datetime
    reason: str | None = None
    note: str | None = None
    nodes: tuple[str, ...] = ()


def latest_review(reviews: Iterable[Review]) -> Review | None:
    """The decision in force: the newest by time, then by id so that every device agrees."""
    return max(reviews, key=lambda review: (review.decided_at, review.id.bytes), default=None)


@dataclass(frozen=True, slots=True)
class Remark:
    """Something about a report that deserves a look first: a code with parameters, never an accusation.

    ``weight`` orders the queue; a higher one comes first.
    """

    code: str
    weight: int
    params: dict[str, Any] = field(default_factory=dict)
