"""Reports as a reviewer reads them: the queue, what each is remarked for, and one report whole."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import date, datetime
from typing import Any, TypeVar
from zoneinfo import ZoneInfo

from sqlalchemy import and_, case, exists, func, select, true

from fieldcrm.domain.ids import Id
from fieldcrm.domain.metrics import Selection
from fieldcrm.domain.submission import Basis, Photo, Shelf, ShelfLine, Submission
from fieldcrm.store.aggregates import latest_decision, outlet_home, reference_price, valid_on
from fieldcrm.store.database import Reader
from fieldcrm.store.tables import T
from sync.client.blobs import NOT_THERE_YET


@dataclass(frozen=True, slots=True)
class ReportRow:
    """One report in the queue: the newest version of it, with the facts of its visit."""

    submission_id: Id
    visit_id: Id
    outlet_id: Id
    outlet: str
    city: str
    banner: str
    person_id: Id
    person: str
    form: str
    submitted_at: datetime
    started_at: datetime
    ended_at: datetime | None
    zone: str
    position_source: str
    distance_m: int | None
    accuracy_m: int | None
    usual_minutes: int | None
    store_type: str | None
    supersedes_id: Id | None
    superseded: bool
    decision: str | None
    received: bool  # headquarters has confirmed the record
    form_version: str = ""
    lines: int = 0
    confirmed: int = 0
    oos: int = 0
    photos: int = 0
    photos_away: int = 0  # of ``photos``: headquarters has not got them from the device that took them

    @property
    def minutes(self) -> float | None:
        return None if self.ended_at is None else (self.ended_at - self.started_at).total_seconds() / 60

    @property
    def day(self) -> date:
        """The day of the visit, by the clock of the store."""
        return self.started_at.astimezone(ZoneInfo(self.zone)).date()


@dataclass(frozen=True, slots=True)
class PriceRead:
    submission_id: Id
    product: str
    seen_minor: int
    reference_minor: int


@dataclass(frozen=True, slots=True)
class FacingsRead:
    submission_id: Id
    product: str
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class ReusedPhoto:
    submission_id: Id
    outlet: str


Found = TypeVar("Found", PriceRead, FacingsRead, ReusedPhoto)


@dataclass(frozen=True, slots=True)
class ProductLine:
    """One audit line with its product, what was there before, and the version it corrects."""

    product_id: Id
    name: str
    brand: str
    category: str
    own: bool
    must_stock: bool
    target_facings: int | None
    reference_minor: int | None
    now: ShelfLine
    before: ShelfLine | None  # the last count of another visit
    earlier: ShelfLine | None  # the same line in the version this one corrects


def reports(r: Reader, selection: Selection, *, waiting_only: bool, limit: int) -> tuple[ReportRow, ...]:
    """Newest versions of the reports of the period, the newest first.

    ``waiting_only`` leaves decided ones out; then those that have waited longest come first, so that none is forgotten.
    """
    query = _rows().where(
        T.submission.c.submitted_at >= selection.since, T.submission.c.submitted_at < selection.until,
        ~_superseded(),
    )
    if selection.sectors:
        query = query.where(T.outlet.c.sector_id.in_(selection.sectors))
    if selection.person_id:
        query = query.where(T.submission.c.person_id == selection.person_id)
    if selection.form:
        query = query.where(T.submission.c.form == selection.form)
    order = T.submission.c.submitted_at.desc()
    if waiting_only:
        query, order = query.where(latest_decision(T.submission.c.id).is_(None)), T.submission.c.submitted_at.asc()
    query = query.order_by(order, T.submission.c.id).limit(limit)
    return _counted(r, [_row(row) for row in r.conn.execute(query)])


def report(r: Reader, submission_id: Id) -> ReportRow | None:
    """One version of a report, whatever its state; ``None`` when it is not on this device."""
    row = r.conn.execute(_rows().where(T.submission.c.id == submission_id)).one_or_none()
    return None if row is None else _counted(r, [_row(row)])[0]


def _superseded() -> Any:
    newer = T.submission.alias("newer")
    return exists().where(newer.c.supersedes_id == T.submission.c.id)


def _rows() -> Any:
    submission, visit, outlet, person = T.submission, T.visit, T.outlet, T.person
    (alias, on), home = outlet_home(submission.c.outlet_id)
    return (
        select(
            submission.c.id, submission.c.visit_id, outlet.c.id, outlet.c.name, outlet.c.city, outlet.c.banner,
            submission.c.person_id, person.c.name, submission.c.form, submission.c.submitted_at,
            func.coalesce(visit.c.started_at, submission.c.started_at), visit.c.ended_at, visit.c.zone,
            visit.c.position_source, visit.c.distance_m, visit.c.accuracy_m, outlet.c.visit_minutes,
            outlet.c.store_type, submission.c.supersedes_id, _superseded(), latest_decision(submission.c.id),
            submission.c.rev, submission.c.form_version,
        )
        .select_from(
            submission.outerjoin(alias, on).join(outlet, outlet.c.id == home)
            .outerjoin(visit, visit.c.id == submission.c.visit_id)
            .outerjoin(person, person.c.id == submission.c.person_id)
        )
    )


def _row(row: Any) -> ReportRow:
    return ReportRow(
        row[0], row[1], row[2], row[3], row[4] or "", row[5] or "", row[6], row[7] or "", row[8], row[9], row[10],
        row[11], row[12] or "UTC", row[13] or "none", row[14], row[15], row[16], row[17], row[18], bool(row[19]),
        row[20], row[21] > 0, row[22],
    )


def _counted(r: Reader, rows: list[ReportRow]) -> tuple[ReportRow, ...]:
    ids = [row.submission_id for row in rows]
    observation, attachment = T.observation, T.attachment
    lines = {row[0]: row[1:] for row in r.conn.execute(
        select(
            observation.c.submission_id, func.count(),
            func.sum(case((observation.c.basis == "confirmed", 1), else_=0)),
            func.sum(case((observation.c.state == "oos", 1), else_=0)),
        ).where(observation.c.submission_id.in_(ids)).group_by(observation.c.submission_id)
    )}
    photos = {row[0]: row[1] for row in r.conn.execute(
        select(attachment.c.submission_id, func.count())
        .where(attachment.c.submission_id.in_(ids)).group_by(attachment.c.submission_id)
    )}
    queue = T.blob_queue
    away = {row[0]: row[1] for row in r.conn.execute(
        select(attachment.c.submission_id, func.count())
        .join(queue, and_(queue.c.sha256 == attachment.c.sha256, _not_there()))
        .where(attachment.c.submission_id.in_(ids)).group_by(attachment.c.submission_id)
    )}
    counted = []
    for row in rows:
        many, confirmed, oos = lines.get(row.submission_id, (0, 0, 0))
        counted.append(replace(
            row, lines=many, confirmed=confirmed, oos=oos, photos=photos.get(row.submission_id, 0),
            photos_away=away.get(row.submission_id, 0)))
    return tuple(counted)


def _not_there() -> Any:
    """Photos of another device that headquarters does not hold yet."""
    queue = T.blob_queue
    return and_(queue.c.direction == "down", queue.c.state != "verified", queue.c.problem == NOT_THERE_YET)


def prices_read(r: Reader, rows: Iterable[ReportRow], share: float) -> tuple[PriceRead, ...]:
    """Prices further than ``share`` from the reference of the day of the visit; own products only."""
    by_day: dict[date, list[Id]] = {}
    for row in rows:
        by_day.setdefault(row.day, []).append(row.submission_id)
    return tuple(price for day, ids in by_day.items() for price in _prices_read_on(r, day, ids, share))


def _prices_read_on(r: Reader, day: date, submissions: list[Id], share: float) -> Iterable[PriceRead]:
    observation, product, outlet = T.observation, T.product, T.outlet
    reference = reference_price(observation.c.product_id, outlet.c.store_type, day).label("reference")
    read = (
        select(observation.c.submission_id, product.c.name, observation.c.price_minor, reference)
        .select_from(
            observation.join(product, product.c.id == observation.c.product_id)
            .join(outlet, outlet.c.id == observation.c.outlet_id)
        )
        .where(observation.c.submission_id.in_(submissions), observation.c.price_minor.is_not(None))
        .where(product.c.own == true()).subquery()
    )
    gap = func.abs(read.c.price_minor - read.c.reference)
    query = select(read).where(read.c.reference > 0, gap > share * read.c.reference)
    return (PriceRead(*row) for row in r.conn.execute(query))


def facings_read(r: Reader, submissions: Iterable[Id]) -> tuple[FacingsRead, ...]:
    """Facings beside those of the last count of another visit, where both are known and differ."""
    now, product = T.observation, T.product
    before = _last_before(now, "facings")
    query = (
        select(now.c.submission_id, product.c.name, before.label("before"), now.c.facings)
        .select_from(now.join(product, product.c.id == now.c.product_id))
        .where(now.c.submission_id.in_(list(submissions)), now.c.facings.is_not(None)).subquery()
    )
    differs = select(query).where(query.c.before.is_not(None), query.c.before != query.c.facings)
    return tuple(FacingsRead(*row) for row in r.conn.execute(differs))


def _last_before(now: Any, column: str) -> Any:
    before = T.observation.alias()
    return (
        select(before.c[column])
        .where(before.c.outlet_id == now.c.outlet_id, before.c.product_id == now.c.product_id)
        .where(before.c.observed_at < now.c.observed_at, before.c.visit_id != now.c.visit_id)
        .where(before.c.current == true())
        .order_by(before.c.observed_at.desc()).limit(1).correlate_except(before).scalar_subquery()
    )


def photos_reused(r: Reader, submissions: Iterable[Id]) -> tuple[ReusedPhoto, ...]:
    """Photos of these reports whose very bytes an earlier visit had already, with the name of its store.

    The visit that took the photo first has nothing to explain.
    """
    mine, other = T.attachment, T.attachment.alias("other")
    report, first = T.submission, T.submission.alias("first")
    query = (
        select(mine.c.submission_id, T.outlet.c.name)
        .select_from(
            mine.join(other, and_(other.c.sha256 == mine.c.sha256, other.c.visit_id != mine.c.visit_id))
            .join(report, report.c.id == mine.c.submission_id)
            .join(first, and_(first.c.id == other.c.submission_id, first.c.started_at < report.c.started_at))
            .join(T.outlet, T.outlet.c.id == other.c.outlet_id)
        )
        .where(mine.c.submission_id.in_(list(submissions))).distinct()
    )
    return tuple(ReusedPhoto(*row) for row in r.conn.execute(query))


def submission(r: Reader, submission_id: Id) -> Submission | None:
    row = r.conn.execute(select(T.submission).where(T.submission.c.id == submission_id)).one_or_none()
    return None if row is None else submission_of(row)


def submission_of(row: Any) -> Submission:
    """A whole row of the table as the domain knows it."""
    return Submission(row.id, row.visit_id, row.outlet_id, row.person_id, row.form, row.form_version,
                      row.answers, row.started_at, row.submitted_at, row.supersedes_id)


def versions(r: Reader, submission_id: Id) -> tuple[Id, ...]:
    """Every version of the report this one belongs to, the first one first."""
    table = T.submission
    first, seen = submission_id, {submission_id}
    while (parent := r.conn.execute(select(table.c.supersedes_id).where(table.c.id == first)).scalar()) is not None:
        if parent in seen or r.conn.execute(select(table.c.id).where(table.c.id == parent)).scalar() is None:
            break
        first = parent
        seen.add(parent)
    chain, known = [first], {first}
    for version in chain:
        newer = select(table.c.id).where(table.c.supersedes_id == version).order_by(table.c.submitted_at, table.c.id)
        for row in r.conn.execute(newer):
            if row[0] not in known:
                known.add(row[0])
                chain.append(row[0])
    return tuple(chain)


def photos(r: Reader, submissions: Iterable[Id]) -> tuple[Photo, ...]:
    """Photos of the reports; received means record and bytes are confirmed by headquarters."""
    attachment, queue = T.attachment, T.blob_queue
    unsent = and_(queue.c.direction == "up", queue.c.state != "verified")
    waiting = and_(queue.c.sha256 == attachment.c.sha256, unsent | _not_there())
    query = (
        select(attachment, exists().where(waiting).label("waiting"))
        .where(attachment.c.submission_id.in_(list(submissions)))
        .order_by(attachment.c.node, attachment.c.taken_at, attachment.c.id)
    )
    return tuple(
        Photo(row.id, row.submission_id, row.visit_id, row.node, row.sha256, row.size, row.mime, row.taken_at,
              row.width, row.height, row.rev > 0 and not row.waiting)
        for row in r.conn.execute(query)
    )


def lines(r: Reader, row: ReportRow) -> tuple[ProductLine, ...]:
    """The audit lines of a report in the order of the assortment, with what was there before."""
    now, product = T.observation, T.product
    before = T.observation.alias("before")
    last = _last_before(now, "submission_id")
    earlier = T.observation.alias("earlier")
    due = _due(row.store_type, row.day)
    query = (
        select(
            product.c.id, product.c.name, product.c.brand, product.c.category, product.c.own,
            due.c.must_stock, due.c.target_facings,
            reference_price(product.c.id, row.store_type, row.day),
            *_line_columns(now), *_line_columns(before), *_line_columns(earlier),
        )
        .select_from(
            now.join(product, product.c.id == now.c.product_id)
            .outerjoin(due, due.c.product_id == product.c.id)
            .outerjoin(before, and_(before.c.submission_id == last, before.c.product_id == now.c.product_id))
            .outerjoin(earlier, and_(
                earlier.c.submission_id == row.supersedes_id, earlier.c.product_id == now.c.product_id))
        )
        .where(now.c.submission_id == row.submission_id)
        .order_by(product.c.position, product.c.name, now.c.line)
    )
    return tuple(_product_line(found) for found in r.conn.execute(query))


def _due(store_type: str | None, day: date) -> Any:
    table = T.assortment
    return (
        select(table.c.product_id, func.max(table.c.must_stock).label("must_stock"),
               func.max(table.c.target_facings).label("target_facings"))
        .where(table.c.store_type == store_type, valid_on(table, day))
        .group_by(table.c.product_id).subquery()
    )


def _line_columns(table: Any) -> tuple[Any, ...]:
    c = table.c
    return (c.line, c.state, c.facings, c.price_minor, c.basis, c.observed_at)


def _product_line(row: Any) -> ProductLine:
    product_id = row[0]

    def line(start: int) -> ShelfLine | None:
        number, state, facings, price, basis, at = row[start : start + 6]
        return None if state is None else ShelfLine(product_id, number, Shelf(state), facings, price, Basis(basis), at)

    now = line(8)
    assert now is not None
    return ProductLine(product_id, row[1], row[2] or "", row[3] or "", bool(row[4]), bool(row[5]), row[6], row[7],
                       now, line(14), line(20))


def form_source(r: Reader, name: str, version: str) -> str | None:
    """The compiled XForm of a report's form, or ``None`` when this device does not hold it."""
    form = T.form
    found = r.conn.execute(select(form.c.xform).where(form.c.name == name, form.c.version == version).limit(1)).scalar()
    return None if found is None else str(found)


def form_titles(r: Reader, name: str, version: str) -> Mapping[str, str]:
    """The titles of a form by language; empty when this device does not hold it."""
    form = T.form
    found = r.conn.execute(select(form.c.title).where(form.c.name == name, form.c.version == version).limit(1)).scalar()
    return found if isinstance(found, dict) else {}


def person_names(r: Reader, ids: Iterable[Id]) -> dict[Id, str]:
    query = select(T.person.c.id, T.person.c.name).where(T.person.c.id.in_(list(ids)))
    return {row[0]: row[1] for row in r.conn.execute(query)}
