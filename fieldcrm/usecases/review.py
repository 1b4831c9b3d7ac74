"""A manager's review: the queue with what deserves a look first, and the decisions.

A decision is a record that is added, never changed: taking one back adds another. A return makes a correction task
for the rep, which reaches the next visit near that store; until it is answered the figures leave the report out.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import lru_cache

from fieldcrm.domain.actor import Role
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.metrics import Excluded, Selection
from fieldcrm.domain.review import RETURN_REASONS, Decision, Remark, Review, latest_review
from fieldcrm.domain.submission import ReportState
from fieldcrm.forms import Form, load_form
from fieldcrm.forms.model import DataType
from fieldcrm.insights.quality import Evidence, FacingsSeen, Limits, PriceSeen, remarks
from fieldcrm.store import aggregates, reports, reviews
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.reports import ReportRow as ReportRow
from fieldcrm.store.settings import read_setting
from fieldcrm.usecases.periods import local_day
from fieldcrm.words import tr

QUEUE_LIMIT = 300  # a person does not read more in one go; the period narrows it
CORRECTION_DAYS = 7


@dataclass(frozen=True, slots=True)
class QueueItem:
    report: ReportRow
    state: ReportState
    remarks: tuple[Remark, ...]

    @property
    def weight(self) -> int:
        return sum(remark.weight for remark in self.remarks)


@dataclass(frozen=True, slots=True)
class Queue:
    """``waiting`` counts reports without a decision in the period; ``cut`` says that the list stops at its limit."""

    items: tuple[QueueItem, ...]
    waiting: int
    excluded: Excluded
    cut: bool = False


def queue(r: Reader, selection: Selection, *, decided: bool = False) -> Queue:
    """Reports to review, those with remarks first, then the oldest first; ``decided`` adds those already decided."""
    rows = reports.reports(r, selection, waiting_only=not decided, limit=QUEUE_LIMIT + 1)
    items = _items(r, rows[:QUEUE_LIMIT])
    ordered = sorted(items, key=lambda item: (
        not item.state.waits_for_review, -item.weight, item.report.submitted_at, item.report.submission_id.bytes))
    waiting = sum(item.state.waits_for_review for item in items)
    return Queue(tuple(ordered), waiting, aggregates.excluded(r, selection), len(rows) > QUEUE_LIMIT)


def item_of(r: Reader, submission_id: Id) -> QueueItem:
    """One report with its state and remarks. Raises ``DomainError("report_unknown")``."""
    row = reports.report(r, submission_id)
    if row is None:
        raise DomainError("report_unknown")
    return _items(r, (row,))[0]


def _items(r: Reader, rows: Sequence[ReportRow]) -> list[QueueItem]:
    limits = Limits.of(read_setting(r, "review_limits"))
    ids = [row.submission_id for row in rows]
    prices = _grouped(reports.prices_read(r, rows, limits.price_share))
    facings = _grouped(reports.facings_read(r, ids))
    reused = _grouped(reports.photos_reused(r, ids))
    asking = {kind: _asks_photo(r, *kind) for kind in {(row.form, row.form_version) for row in rows}}
    items = []
    for row in rows:
        evidence = Evidence(
            minutes=row.minutes, usual_minutes=row.usual_minutes, distance_m=row.distance_m,
            accuracy_m=row.accuracy_m, lines=row.lines, confirmed=row.confirmed, photos=row.photos,
            photo_reused_at=tuple(photo.outlet for photo in reused.get(row.submission_id, ())),
            prices=tuple(PriceSeen(p.product, p.seen_minor, p.reference_minor)
                         for p in prices.get(row.submission_id, ())),
            asks_photo=asking[row.form, row.form_version],
            facings=tuple(FacingsSeen(f.product, f.before, f.now) for f in facings.get(row.submission_id, ())),
        )
        items.append(QueueItem(row, state_of(row), remarks(evidence, limits)))
    return items


def _asks_photo(r: Reader, name: str, version: str) -> bool:
    form = read_form(reports.form_source(r, name, version))
    return form is None or any(question.type is DataType.PHOTO for question in form.questions())


@lru_cache(maxsize=16)
def read_form(source: str | None) -> Form | None:
    """The form of a report, or ``None`` when it is not here or cannot be read: answers then keep their own names."""
    if source is None:
        return None
    try:
        return load_form(source.encode())
    except DomainError:
        return None


def _grouped(rows: Iterable[reports.Found]) -> dict[Id, list[reports.Found]]:
    groups: dict[Id, list[reports.Found]] = {}
    for row in rows:
        groups.setdefault(row.submission_id, []).append(row)
    return groups


def state_of(row: ReportRow) -> ReportState:
    if row.superseded:
        return ReportState.SUPERSEDED
    if row.decision is not None:
        return ReportState(row.decision)
    return ReportState.CORRECTED if row.supersedes_id else ReportState.SUBMITTED


def return_reasons(r: Reader) -> tuple[str, ...]:
    """The codes a report may be returned for: the organisation's own (setting ``return_reasons``) or the usual ones."""
    own = read_setting(r, "return_reasons")
    if isinstance(own, list) and own and all(isinstance(code, str) for code in own):
        return tuple(own)
    return RETURN_REASONS


def decide(
    tx: Transaction,
    submission_id: Id,
    decision: Decision,
    *,
    now: datetime,
    reason: str | None = None,
    note: str | None = None,
    nodes: Iterable[str] = (),
    due: date | None = None,
) -> Id:
    """Approve, return or reopen a report; gives the id of the review record.

    Raises ``DomainError``: ``review_forbidden``, ``report_unknown``, ``report_superseded``,
    ``report_already_decided``, ``report_not_decided`` (to reopen), ``reason_missing``, ``reason_unknown``.
    """
    if tx.actor.role is not Role.MANAGER:
        raise DomainError("review_forbidden")
    row = reports.report(tx, submission_id)
    if row is None:
        raise DomainError("report_unknown")
    if row.superseded:
        raise DomainError("report_superseded")
    previous = latest_review(reviews.reviews_of(tx, [submission_id]).get(submission_id, ()))
    in_force = None if previous is None or previous.decision is Decision.REOPENED else previous.decision
    _check(tx, decision, in_force, reason)
    review = Review(
        new_id(now), submission_id, row.visit_id, row.outlet_id, decision, tx.actor.user_id,
        _after(now, previous), reason, (note or "").strip() or None, tuple(nodes),
    )
    reviews.add_review(tx, review)
    _follow(tx, row, review, due or local_day(tx, now) + timedelta(days=CORRECTION_DAYS))
    reviews.refresh_current(tx, [submission_id])
    return review.id


def take_back(tx: Transaction, submission_id: Id, *, now: datetime) -> Id:
    """Take the decision in force back: the report waits for review again. See ``decide`` for what it raises."""
    return decide(tx, submission_id, Decision.REOPENED, now=now)


def _check(r: Reader, decision: Decision, in_force: Decision | None, reason: str | None) -> None:
    if decision is Decision.REOPENED and in_force is None:
        raise DomainError("report_not_decided")
    if decision is in_force:
        raise DomainError("report_already_decided", decision=decision.value)
    if decision is Decision.RETURNED:
        if not reason:
            raise DomainError("reason_missing", field="reason")
        if reason not in return_reasons(r):
            raise DomainError("reason_unknown", field="reason", reason=reason)


def _after(now: datetime, previous: Review | None) -> datetime:
    """Later than the decision before it, whatever the clock of this device says: the newest one holds."""
    if previous is None or now > previous.decided_at:
        return now
    return previous.decided_at + timedelta(milliseconds=1)


def _follow(tx: Transaction, row: ReportRow, review: Review, due: date) -> None:
    """What a decision brings about: a task for the rep, or the end of one that is no longer called for."""
    if review.decision is not Decision.RETURNED:
        reviews.cancel_corrections(tx, row.submission_id)
        return
    title = review.note or reason_text(review.reason or "")
    reviews.add_correction(
        tx, new_id(tx.now), outlet_id=row.outlet_id, submission_id=row.submission_id, visit_id=row.visit_id,
        person_id=row.person_id, title=title.splitlines()[0][:200], due=due,
    )


def reason_text(code: str) -> str:
    """The sentence of a return reason; an organisation's own reason is its own text."""
    texts = {
        "photo_missing": tr("A photo is missing"),
        "photo_unclear": tr("A photo is not clear"),
        "price_to_check": tr("A price needs checking"),
        "facings_to_check": tr("A facing count needs checking"),
        "state_to_check": tr("A product's state needs checking"),
        "place_to_explain": tr("Please explain the place"),
        "too_few_lines": tr("Too few lines were checked"),
        "answer_missing": tr("An answer is missing"),
        "other": tr("Something else"),
    }
    return texts.get(code, code)
