"""Visits and reports as they are written, the lines an audit starts from, and the projection of reports."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from sqlalchemy import and_, exists, func, insert, or_, select, true, update
from sqlalchemy.dialects.sqlite import insert as insert_or

from fieldcrm.domain.ids import Id
from fieldcrm.domain.submission import Basis, Photo, Shelf, ShelfLine, Submission
from fieldcrm.domain.visit import Visit
from fieldcrm.store import reports
from fieldcrm.store.aggregates import reference_price, valid_on
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.drafts import DraftPhoto
from fieldcrm.store.tables import T
from sync.chunks import chunks
from sync.columns import to_milliseconds


@dataclass(frozen=True, slots=True)
class AuditLine:
    """A product that an outlet should sell, with what was last seen there. Prices are minor units."""

    product_id: Id
    name: str
    brand: str
    category: str
    ean: str
    own: bool
    must_stock: bool
    target_facings: int | None
    reference_minor: int | None
    last: ShelfLine | None


def audit_lines(
    r: Reader, outlets: tuple[Id, ...], store_type: str | None, day: date, *, also: Iterable[Id] = ()
) -> tuple[AuditLine, ...]:
    """The assortment of a store type on ``day`` (every active product, where none is set), in the order of lists.

    ``outlets`` are the ids under which the outlet's observations are filed; ``also`` are products to be among the lines
    whatever the assortment says.
    """
    product = T.product
    query = select(
        product.c.id, product.c.name, product.c.brand, product.c.category, product.c.ean, product.c.own,
        reference_price(product.c.id, store_type, day),
    )
    due = _assortment(r, store_type, day)
    listed = func.coalesce(product.c.active, 1) == 1
    if due:
        listed = and_(listed, product.c.id.in_(list(due)))
    query = query.where(or_(listed, product.c.id.in_(list(also))))
    last = _last_seen(r, outlets)
    query = query.order_by(product.c.position, product.c.name, product.c.id)
    lines = []
    for row in r.conn.execute(query):
        must_stock, target = due.get(row[0], (False, None))
        lines.append(AuditLine(
            row[0], row[1], row[2] or "", row[3] or "", row[4] or "", bool(row[5]), must_stock, target, row[6],
            last.get(row[0]),
        ))
    return tuple(lines)


def _assortment(r: Reader, store_type: str | None, day: date) -> dict[Id, tuple[bool, int | None]]:
    table = T.assortment
    query = select(table.c.product_id, table.c.must_stock, table.c.target_facings)
    query = query.where(table.c.store_type == store_type, valid_on(table, day))
    found: dict[Id, tuple[bool, int | None]] = {}
    for product, must, target in r.conn.execute(query):
        before = found.get(product, (False, None))
        targets = [t for t in (before[1], target) if t is not None]
        found[product] = (before[0] or bool(must), max(targets, default=None))
    return found


def _last_seen(r: Reader, outlets: tuple[Id, ...]) -> dict[Id, ShelfLine]:
    """The newest observation that counts, per product."""
    o = T.observation
    query = select(o.c.product_id, o.c.line, o.c.state, o.c.facings, o.c.price_minor, o.c.basis, o.c.observed_at)
    query = query.where(o.c.outlet_id.in_(outlets), o.c.current == true())
    query = query.order_by(o.c.observed_at, o.c.submission_id, o.c.line)
    return {
        row[0]: ShelfLine(row[0], row[1], Shelf(row[2]), row[3], row[4], Basis(row[5]), row[6])
        for row in r.conn.execute(query)
    }


def newest_form(r: Reader, name: str) -> tuple[str, str] | None:
    """Version and XForm of the active form of that name, or None."""
    form = T.form
    query = select(form.c.version, form.c.xform).where(form.c.name == name, func.coalesce(form.c.active, 1) == 1)
    row = r.conn.execute(query.order_by(form.c.id.desc()).limit(1)).one_or_none()
    return None if row is None else (row[0], row[1])


# ---- writing ----------------------------------------


def insert_visit(tx: Transaction, visit: Visit) -> None:
    names = Visit.__dataclass_fields__
    tx.conn.execute(insert(T.visit).values({name: getattr(visit, name) for name in names}))


def insert_submission(tx: Transaction, submission: Submission) -> None:
    names = Submission.__dataclass_fields__
    tx.conn.execute(insert(T.submission).values({name: getattr(submission, name) for name in names}))


def superseded(r: Reader, submission_id: Id) -> bool:
    return bool(r.conn.execute(select(exists().where(T.submission.c.supersedes_id == submission_id))).scalar_one())


def insert_attachment(tx: Transaction, attachment_id: Id, submission: Submission, photo: DraftPhoto) -> None:
    """The record of a photo, and its bytes put in the queue to headquarters (unless they are there already)."""
    kept = {name: getattr(photo, name) for name in (
        "node", "sha256", "size", "mime", "width", "height", "taken_at", "lat_e7", "lon_e7")}
    tx.conn.execute(insert(T.attachment).values(
        id=attachment_id, submission_id=submission.id, visit_id=submission.visit_id, outlet_id=submission.outlet_id,
        **kept,
    ))
    queued = insert_or(T.blob_queue).values(
        sha256=photo.sha256, size=photo.size, mime=photo.mime, direction="up", state="waiting", added_at=tx.now)
    tx.conn.execute(queued.on_conflict_do_nothing())


def finish_stop(tx: Transaction, stop_id: Id) -> None:
    tx.conn.execute(update(T.plan_stop).where(T.plan_stop.c.id == stop_id).values(state="done", skip_reason=None))


def close_corrections(tx: Transaction, submission_id: Id) -> None:
    """The tasks that asked for a correction of this report are done."""
    task = T.task
    asked = (task.c.submission_id == submission_id, task.c.kind == "correction", task.c.state == "open")
    tx.conn.execute(update(task).where(*asked).values(state="kept", done_at=tx.now))


# ---- projection -------------------------------------


def write_observations(tx: Transaction, projected: Iterable[tuple[Submission, Iterable[ShelfLine]]]) -> None:
    """Keep the projections of reports that have no observations yet."""
    rows = [row for submission, lines in projected for row in _observation_rows(submission, lines)]
    if rows:
        tx.conn.exec_driver_sql(_INSERT_OBSERVATION, rows)


# Below SQLAlchemy's types: a first sync makes tens of thousands of them, and half the time went into conversion.
_INSERT_OBSERVATION = (
    "INSERT INTO observation (submission_id, visit_id, outlet_id, product_id, line, state, facings, price_minor, "
    "basis, observed_at) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)"
)


def _observation_rows(submission: Submission, lines: Iterable[ShelfLine]) -> Iterator[tuple[Any, ...]]:
    of_report = submission.id.bytes, submission.visit_id.bytes, submission.outlet_id.bytes
    # When the shelf was seen, not when it was sent: a correction keeps the moment of its visit.
    seen = to_milliseconds(submission.started_at)
    for line in lines:
        moment = seen if line.observed_at is None else to_milliseconds(line.observed_at)
        yield (
            *of_report, line.product_id.bytes, line.line, line.state.value, line.facings, line.price_minor,
            line.basis.value, moment,
        )


def without_observations(r: Reader, ids: Iterable[Id] | None = None) -> Iterator[Sequence[Submission]]:
    """Reports (of ``ids``, or all) that have no observations yet, some hundreds at a time."""
    o, s = T.observation, T.submission
    bare = ~exists().where(o.c.submission_id == s.c.id)
    if ids is None:
        ids = r.conn.execute(select(s.c.id).where(bare)).scalars().all()
    for some in chunks(ids):
        rows = r.conn.execute(select(s).where(s.c.id.in_(some), bare))
        yield [reports.submission_of(row) for row in rows]


def photos_for(r: Reader, submission_id: Id) -> tuple[Photo, ...]:
    a = T.attachment
    query = select(a).where(a.c.submission_id == submission_id).order_by(a.c.node, a.c.id)
    return tuple(
        Photo(row.id, row.submission_id, row.visit_id, row.node, row.sha256, row.size, row.mime, row.taken_at,
              row.width, row.height)
        for row in r.conn.execute(query)
    )


def open_stop(r: Reader, stop_id: Id, outlets: tuple[Id, ...]) -> bool:
    """Whether the stop is one of these outlets' and not done yet."""
    stop = T.plan_stop
    query = select(exists().where(
        stop.c.id == stop_id, stop.c.outlet_id.in_(outlets), or_(stop.c.state != "done", stop.c.state.is_(None))))
    return bool(r.conn.execute(query).scalar_one())
