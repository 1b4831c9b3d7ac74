"""A report as it was sent: an immutable record, its lines, its photos, and the state that follows from its reviews."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from fieldcrm.domain.ids import Id
from fieldcrm.domain.review import Decision, Review, latest_review

ROW_KEY = "@key"  # in a row of a repeated group: what names it; no question can have this name


class ReportState(StrEnum):
    """What has become of one version of a report.

    ``CORRECTED`` is the new version that answers a returned one and waits for review; the old version
    is ``SUPERSEDED``. Figures count neither ``RETURNED`` nor ``SUPERSEDED``.
    """

    SUBMITTED = "submitted"
    RETURNED = "returned"
    CORRECTED = "corrected"
    APPROVED = "approved"
    SUPERSEDED = "superseded"

    @property
    def counts(self) -> bool:
        """Whether figures include a report in this state."""
        return self not in (ReportState.RETURNED, ReportState.SUPERSEDED)

    @property
    def waits_for_review(self) -> bool:
        return self in (ReportState.SUBMITTED, ReportState.CORRECTED)


@dataclass(frozen=True, slots=True)
class Submission:
    id: Id
    visit_id: Id
    outlet_id: Id
    person_id: Id
    form: str
    form_version: str
    answers: Mapping[str, Any]
    started_at: datetime
    submitted_at: datetime
    supersedes_id: Id | None = None


@dataclass(frozen=True, slots=True)
class Photo:
    """An attachment of a report; the bytes are named by their hash and may not be on this device yet."""

    id: Id
    submission_id: Id
    visit_id: Id
    node: str
    sha256: str
    size: int
    mime: str
    taken_at: datetime | None = None
    width: int | None = None
    height: int | None = None
    received: bool = False  # headquarters has confirmed the record


class Shelf(StrEnum):
    """The three states of a listed product on a shelf. Not checked is not a state: it stores nothing."""

    PRESENT = "present"
    OOS = "oos"  # listed, but out of stock at the time of the visit
    ABSENT = "absent"  # not sold here


class Basis(StrEnum):
    OBSERVED = "observed"
    CONFIRMED = "confirmed"  # "as last time", said line by line


@dataclass(frozen=True, slots=True)
class ShelfLine:
    """One line of an audit. Prices are minor units."""

    product_id: Id
    line: int
    state: Shelf
    facings: int | None = None
    price_minor: int | None = None
    basis: Basis = Basis.OBSERVED
    observed_at: datetime | None = None


def report_state(superseded: bool, supersedes: bool, reviews: Iterable[Review]) -> ReportState:
    """The state of one version: the newest decision holds, unless a newer version took its place."""
    if superseded:
        return ReportState.SUPERSEDED
    last = latest_review(reviews)
    if last is not None and last.decision is Decision.APPROVED:
        return ReportState.APPROVED
    if last is not None and last.decision is Decision.RETURNED:
        return ReportState.RETURNED
    return ReportState.CORRECTED if supersedes else ReportState.SUBMITTED


def flatten(answers: Mapping[str, Any], prefix: str = "") -> dict[str, Any]:
    """Answers by node path, in document order; a row of a repeated group gets its key (``[0198…]``) after its name.

    Keys stay when rows come and go, so that a path names the same answer in every version of a report.
    """
    flat: dict[str, Any] = {}
    for name, value in answers.items():
        if name == ROW_KEY:
            continue
        path = name if name.startswith("/") else f"{prefix}/{name}"
        if isinstance(value, Mapping):
            flat |= flatten(value, path)
        elif isinstance(value, list) and value and all(isinstance(item, Mapping) for item in value):
            for number, item in enumerate(value, 1):
                flat |= flatten(item, f"{path}[{item.get(ROW_KEY, number)}]")
        else:
            flat[path] = value
    return flat
