"""Review decisions, the correction tasks they make, and which observations count because of them."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date

from sqlalchemy import exists, func, insert, or_, select, update

from fieldcrm.domain.ids import Id
from fieldcrm.domain.review import Decision, Review
from fieldcrm.store.aggregates import latest_decision
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from sync.chunks import chunks


def add_review(tx: Transaction, review: Review) -> None:
    tx.conn.execute(insert(T.review).values(
        id=review.id, submission_id=review.submission_id, visit_id=review.visit_id, outlet_id=review.outlet_id,
        decision=review.decision.value, reason=review.reason, note=review.note, nodes=sorted(review.nodes),
        person_id=review.person_id, decided_at=review.decided_at,
    ))


def reviews_of(r: Reader, submissions: Iterable[Id]) -> dict[Id, tuple[Review, ...]]:
    """The decisions on each report, the oldest first; reports without one are left out."""
    review = T.review
    query = (
        select(review).where(review.c.submission_id.in_(list(submissions)))
        .order_by(review.c.decided_at, review.c.id)
    )
    found: dict[Id, tuple[Review, ...]] = {}
    for row in r.conn.execute(query):
        decision = Review(
            row.id, row.submission_id, row.visit_id, row.outlet_id, Decision(row.decision), row.person_id,
            row.decided_at, row.reason, row.note, tuple(row.nodes or ()),
        )
        found[row.submission_id] = (*found.get(row.submission_id, ()), decision)
    return found


def add_correction(
    tx: Transaction, task_id: Id, *, outlet_id: Id, submission_id: Id, visit_id: Id, person_id: Id, title: str,
    due: date,
) -> None:
    tx.conn.execute(insert(T.task).values(
        id=task_id, outlet_id=outlet_id, kind="correction", title=title, due=due, state="open", person_id=person_id,
        visit_id=visit_id, submission_id=submission_id,
    ))


def cancel_corrections(tx: Transaction, submission_id: Id) -> None:
    """Close the open correction tasks of a report whose return was taken back."""
    task = T.task
    tx.conn.execute(
        update(task).where(task.c.submission_id == submission_id, task.c.kind == "correction", task.c.state == "open")
        .values(state="cancelled", done_at=tx.now)
    )


def refresh_current(tx: Transaction, submissions: Iterable[Id]) -> None:
    """Set which observations count, from the records: not those of a returned or superseded report.

    To be called whenever a submission or a review of these reports was written, here or by a sync. Observations
    are projections and are never captured.
    """
    for ids in chunks(set(submissions)):
        concerned = [*ids, *_superseded_by(tx, ids)]
        left_out = _left_out(tx, concerned)
        _set_current(tx, [id for id in concerned if id not in left_out], True)
        _set_current(tx, left_out, False)


def _superseded_by(r: Reader, ids: list[Id]) -> Iterable[Id]:
    report = T.submission
    query = select(report.c.supersedes_id).where(report.c.id.in_(ids), report.c.supersedes_id.is_not(None))
    return r.conn.execute(query).scalars()


def _left_out(r: Reader, ids: list[Id]) -> set[Id]:
    """Asked once for a report, not once for each of its lines."""
    report, newer = T.submission, T.submission.alias("newer")
    reason = or_(
        func.coalesce(latest_decision(report.c.id), "") == Decision.RETURNED.value,
        exists().where(newer.c.supersedes_id == report.c.id),
    )
    return set(r.conn.execute(select(report.c.id).where(report.c.id.in_(ids), reason)).scalars())


def _set_current(tx: Transaction, submissions: Iterable[Id], current: bool) -> None:
    observation = T.observation
    mine = observation.c.submission_id.in_(list(submissions))
    tx.conn.execute(update(observation).where(mine, observation.c.current != current).values(current=current))
