"""The server's read side: typed observations projected from submissions, as on the devices.

An observation is current unless its submission was superseded, or its newest review returned it.
A report whose form cannot be read is kept all the same, and projected again when the form arrives.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable, Sequence
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
    insert,
    select,
    update,
)

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.review import Decision
from fieldcrm.forms import Form, load_form, project
from sync.chunks import chunks
from sync.columns import FlagType, IdType, TimeType, from_milliseconds
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
        self._mark_current(connection, org, stale)

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
        rows = [
            {
                "org_id": org,
                "submission_id": report.id,
                "visit_id": report.visit_id,
                "outlet_id": report.outlet_id,
                "current": True,
                "line": found.line,
                "product_id": found.product_id,
                "observed_at": found.observed_at or report.seen_at,
                "state": found.state.value,
                "facings": found.facings,
                "price_minor": found.price_minor,
                "basis": found.basis.value,
            }
            for report in reports
            if (form := forms[report.form]) is not None
            for found in project(form, report.answers)
        ]
        if rows:
            connection.execute(insert(observation), rows)

    def _mark_current(self, connection: Connection, org: UUID, submissions: Iterable[UUID]) -> None:
        for some in chunks(submissions):
            left_out = self._superseded(connection, org, some) | self._returned(connection, org, some)
            for current, ids in ((True, set(some) - left_out), (False, left_out)):
                other = (observation.c.submission_id.in_(ids), observation.c.current != current)
                these = update(observation).where(observation.c.org_id == org, *other)
                connection.execute(these.values(current=current))

    def _superseded(self, connection: Connection, org: UUID, ids: Sequence[UUID]) -> set[UUID]:
        table = self._submissions
        query = select(table.c.supersedes_id).where(
            table.c.org_id == org, table.c.supersedes_id.in_(ids), table.c.deleted_rev.is_(None)
        )
        return set(connection.execute(query).scalars())

    def _returned(self, connection: Connection, org: UUID, ids: Sequence[UUID]) -> set[UUID]:
        """Those whose newest decision sends them back."""
        table = self._reviews
        query = (
            select(table.c.submission_id, table.c.decision)
            .where(table.c.org_id == org, table.c.submission_id.in_(ids), table.c.deleted_rev.is_(None))
            .order_by(table.c.decided_at, table.c.id)
        )
        newest = {row.submission_id: row.decision for row in connection.execute(query)}
        return {id_ for id_, decision in newest.items() if decision == Decision.RETURNED}

    def _form(self, connection: Connection, org: UUID, name: str, version: str) -> Form | None:
        table = self._forms
        query = select(table.c.xform).where(
            table.c.org_id == org, table.c.name == name, table.c.version == version, table.c.deleted_rev.is_(None)
        )
        text = connection.execute(query.limit(1)).scalar_one_or_none()
        return None if text is None else self._compile(text.encode())

    def _compile(self, xform: bytes) -> Form | None:
        key = hashlib.sha256(xform).digest()
        with self._lock:
            if key not in self._compiled:
                try:
                    self._compiled[key] = load_form(xform)
                except DomainError as error:
                    log.warning("a form cannot be read: %s", error.code)
                    self._compiled[key] = None
            return self._compiled[key]
