"""The server's read side: typed observations projected from submissions, as on the devices.

An observation is current unless its submission was superseded, or its newest review returned it.
A report whose form cannot be read is kept all the same, and projected again when the form arrives.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable, Sequence, Set
from dataclasses import dataclass
from datetime import datetime
from typing import Any
from uuid import UUID

from sqlalchemy import (
    Column,
    ColumnElement,
    Connection,
    Index,
    Integer,
    MetaData,
    Table,
    Text,
    delete,
    literal,
    select,
    union_all,
    update,
)

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.review import Decision
from fieldcrm.forms import Form, load_form, project
from sync.chunks import chunks
from sync.columns import FlagType, IdType, TimeType, from_milliseconds, to_milliseconds
from sync.server.bulk import id_of, insert_rows
from sync.server.ports import Applied, Values
from sync.server.tables import ServerTables

log = logging.getLogger(__name__)

metadata = MetaData()

observation = Table(
    "observation",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("submission_id", IdType, primary_key=True),
    Column("line", Integer, primary_key=True, autoincrement=False),
    Column("visit_id", IdType, nullable=False),
    Column("outlet_id", IdType, nullable=False),
    Column("product_id", IdType, nullable=False),
    Column("observed_at", TimeType, nullable=False),
    Column("state", Text, nullable=False),
    Column("facings", Integer),
    Column("price_minor", Integer),
    Column("basis", Text, nullable=False),
    Column("current", FlagType, nullable=False),
    Index("ix_observation_outlet", "org_id", "outlet_id", "product_id", "observed_at"),
    Index("ix_observation_time", "org_id", "observed_at", "product_id"),
)

_NAMES = tuple(column.name for column in observation.columns)
_SUPERSEDED = "superseded"  # among the decisions about a report
_MOST_FORMS = 500  # kept compiled, of all organisations


@dataclass(frozen=True, slots=True)
class _Report:
    id: UUID
    visit_id: UUID
    outlet_id: UUID
    form: tuple[str, str]  # name and version
    answers: Any
    seen_at: datetime  # when the shelf was seen, not when it was sent: a correction keeps its visit's moment
    supersedes: UUID | None


def _of_values(id_: UUID, values: Values) -> _Report:
    supersedes = values.get("supersedes_id")
    return _Report(
        id_,
        UUID(hex=values["visit_id"]),
        UUID(hex=values["outlet_id"]),
        (values["form"], values["form_version"]),
        values["answers"],
        from_milliseconds(values["started_at"]),
        UUID(hex=supersedes) if supersedes else None,
    )


def _of_row(row: Any) -> _Report:
    form = (row.form, row.form_version)
    return _Report(row.id, row.visit_id, row.outlet_id, form, row.answers, row.started_at, row.supersedes_id)


class Projections:
    """``on_applied`` runs inside the transaction that wrote the records, so that the two never disagree."""

    def __init__(self, tables: ServerTables) -> None:
        self._forms = tables.records["form"]
        self._submissions = tables.records["submission"]
        self._reviews = tables.records["review"]
        self._compiled: dict[bytes, Form | None] = {}
        self._read: dict[tuple[UUID, UUID, int], Form | None] = {}  # by organisation, record and revision
        self._lock = threading.Lock()

    def on_applied(self, connection: Connection, org: UUID, applied: Sequence[Applied]) -> None:
        made = [change for change in applied if change.before is None]
        reports = [_of_values(c.id, c.after) for c in made if c.collection == "submission" and c.after is not None]
        reviews = [c.after for c in made if c.collection == "review" and c.after is not None]
        stale = {report.id for report in reports} | {report.supersedes for report in reports if report.supersedes}
        stale |= {UUID(hex=review["submission_id"]) for review in reviews}
        self._project(connection, org, reports)
        for change in applied:
            if change.collection == "form" and change.after is not None:
                stale |= self._project_waiting(connection, org, change.after)
        self._mark_current(connection, org, stale, frozenset(report.id for report in reports))

    def rebuild(self, connection: Connection, org: UUID) -> int:
        """Make every observation again from the submissions; gives the number of submissions."""
        connection.execute(delete(observation).where(observation.c.org_id == org))
        return len(self._project_all(connection, org))

    def _project_waiting(self, connection: Connection, org: UUID, form: Values) -> set[UUID]:
        """Reports that came before their form did."""
        table = self._submissions
        done = select(observation.c.submission_id).where(observation.c.org_id == org)
        waiting = (table.c.form == form["name"], table.c.form_version == form["version"], table.c.id.not_in(done))
        return self._project_all(connection, org, *waiting)

    def _project_all(self, connection: Connection, org: UUID, *which: ColumnElement[bool]) -> set[UUID]:
        table = self._submissions
        query = select(table.c.id).where(table.c.org_id == org, table.c.deleted_rev.is_(None), *which)
        ids = set(connection.execute(query).scalars())
        for some in chunks(ids):  # answers are long: never those of all reports in memory
            rows = connection.execute(select(table).where(table.c.org_id == org, table.c.id.in_(some)))
            self._project(connection, org, [_of_row(row) for row in rows])
        self._mark_current(connection, org, ids)
        return ids

    def _project(self, connection: Connection, org: UUID, reports: Sequence[_Report]) -> None:
        forms = {name: self._form(connection, org, *name) for name in {report.form for report in reports}}
        lite = connection.dialect.name == "sqlite"
        mine, yes = id_of(connection, org), 1 if lite else True
        rows = []
        for report in reports:
            form = forms[report.form]
            if form is None:
                continue
            of_report = tuple(id_of(connection, id) for id in (report.id, report.visit_id, report.outlet_id))
            seen_at = to_milliseconds(report.seen_at)
            rows += [
                (
                    mine,
                    of_report[0],
                    found.line,
                    *of_report[1:],
                    id_of(connection, found.product_id),
                    seen_at if found.observed_at is None else to_milliseconds(found.observed_at),
                    found.state.value,
                    found.facings,
                    found.price_minor,
                    found.basis.value,
                    yes,
                )
                for found in project(form, report.answers)
            ]
        insert_rows(connection, observation, _NAMES, rows)

    def _mark_current(
        self, connection: Connection, org: UUID, submissions: Iterable[UUID], new: Set[UUID] = frozenset()
    ) -> None:
        """``new``: those whose lines were written as current a moment ago."""
        for some in chunks(submissions):
            left_out = self._left_out(connection, org, some)
            for current, ids in ((True, set(some) - left_out - new), (False, left_out)):
                if ids:
                    other = (observation.c.submission_id.in_(ids), observation.c.current != current)
                    these = update(observation).where(observation.c.org_id == org, *other)
                    connection.execute(these.values(current=current))

    def _left_out(self, connection: Connection, org: UUID, ids: Sequence[UUID]) -> set[UUID]:
        """Those that were superseded, and those whose newest decision sends them back."""
        later, reviews = self._submissions, self._reviews
        superseded = select(
            later.c.supersedes_id.label("report"),
            literal(_SUPERSEDED).label("said"),
            later.c.submitted_at.label("at"),
            later.c.id.label("by"),
        ).where(later.c.org_id == org, later.c.supersedes_id.in_(ids), later.c.deleted_rev.is_(None))
        decided = select(reviews.c.submission_id, reviews.c.decision, reviews.c.decided_at, reviews.c.id).where(
            reviews.c.org_id == org, reviews.c.submission_id.in_(ids), reviews.c.deleted_rev.is_(None)
        )
        said = connection.execute(union_all(superseded, decided)).all()
        decisions = sorted((row for row in said if row.said != _SUPERSEDED), key=lambda row: (row.at, row.by))
        newest = {row.report: row.said for row in decisions}
        returned = {id for id, decision in newest.items() if decision == Decision.RETURNED}
        return returned | {row.report for row in said if row.said == _SUPERSEDED}

    def _form(self, connection: Connection, org: UUID, name: str, version: str) -> Form | None:
        """Read once for each revision of its record: its text is long."""
        table = self._forms
        this = (table.c.org_id == org, table.c.name == name, table.c.version == version, table.c.deleted_rev.is_(None))
        newest = connection.execute(select(table.c.id, table.c.rev).where(*this).limit(1)).one_or_none()
        if newest is None:
            return None
        key = (org, *newest)
        with self._lock:
            if key in self._read:
                return self._read[key]
        whole = select(table.c.xform).where(table.c.org_id == org, table.c.id == newest[0])
        form = self._compile(connection.execute(whole).scalar_one().encode())
        with self._lock:
            if len(self._read) >= _MOST_FORMS:
                self._read.clear()
            self._read[key] = form
        return form

    def _compile(self, xform: bytes) -> Form | None:
        key = hashlib.sha256(xform).digest()
        with self._lock:
            if len(self._compiled) >= _MOST_FORMS:
                self._compiled.clear()
            if key not in self._compiled:
                try:
                    self._compiled[key] = load_form(xform)
                except DomainError as error:
                    log.warning("a form cannot be read: %s", error.code)
                    self._compiled[key] = None
            return self._compiled[key]
