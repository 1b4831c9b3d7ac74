"""The server's read side: typed observations projected from submissions, as on the devices.

An observation is current unless its submission was superseded, or its newest review returned it.
A report whose form cannot be read is kept all the same, and projected again when the form arrives.
"""

from __future__ import annotations

import hashlib
import logging
import threading
from collections.abc import Iterable, Sequence
from typing import Any
from uuid import UUID

from sqlalchemy import Column, Connection, Index, Integer, MetaData, Table, Text, delete, insert, select, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.review import Decision
from fieldcrm.forms import Form, load_form, project
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


class Projections:
    """``on_applied`` runs inside the transaction that wrote the records, so that the two never disagree."""

    def __init__(self, tables: ServerTables) -> None:
        self._forms = tables.records["form"]
        self._submissions = tables.records["submission"]
        self._reviews = tables.records["review"]
        self._compiled: dict[bytes, Form | None] = {}
        self._lock = threading.Lock()

    def on_applied(self, connection: Connection, org: UUID, applied: Sequence[Applied]) -> None:
        stale: set[UUID] = set()
        for change in applied:
            if change.after is None:
                continue
            if change.collection == "submission" and change.before is None:
                self._project(connection, org, change.id, change.after)
                stale.add(change.id)
                if change.after.get("supersedes_id"):
                    stale.add(UUID(hex=change.after["supersedes_id"]))
            elif change.collection == "review" and change.before is None:
                stale.add(UUID(hex=change.after["submission_id"]))
            elif change.collection == "form":
                stale |= self._project_waiting(connection, org, change.after)
        self._mark_current(connection, org, stale)

    def rebuild(self, connection: Connection, org: UUID) -> int:
        """Make every observation again from the submissions; gives the number of submissions."""
        connection.execute(delete(observation).where(observation.c.org_id == org))
        table = self._submissions
        rows = connection.execute(select(table).where(table.c.org_id == org, table.c.deleted_rev.is_(None))).mappings()
        ids = [self._project_row(connection, org, row) for row in rows.all()]
        self._mark_current(connection, org, ids)
        return len(ids)

    def _project_waiting(self, connection: Connection, org: UUID, form: Values) -> set[UUID]:
        """Reports that came before their form did."""
        table = self._submissions
        done = select(observation.c.submission_id).where(observation.c.org_id == org)
        query = select(table).where(
            table.c.org_id == org,
            table.c.form == form["name"],
            table.c.form_version == form["version"],
            table.c.deleted_rev.is_(None),
            table.c.id.not_in(done),
        )
        return {self._project_row(connection, org, row) for row in connection.execute(query).mappings().all()}

    def _project_row(self, connection: Connection, org: UUID, row: Any) -> UUID:
        links = {name: row[name].hex for name in ("visit_id", "outlet_id")}
        moment = {"started_at": int(row["started_at"].timestamp() * 1000)}
        kept = {name: row[name] for name in ("form", "form_version", "answers")}
        self._project(connection, org, row["id"], links | moment | kept)
        return UUID(bytes=row["id"].bytes)

    def _project(self, connection: Connection, org: UUID, id_: UUID, submission: Values) -> None:
        form = self._form(connection, org, submission["form"], submission["form_version"])
        if form is None:
            return
        common = {
            "org_id": org,
            "submission_id": id_,
            "visit_id": UUID(hex=submission["visit_id"]),
            "outlet_id": UUID(hex=submission["outlet_id"]),
            "current": True,
        }
        # When the shelf was seen, not when it was sent: a correction comes days later and keeps its visit's moment.
        moment = from_milliseconds(submission["started_at"])
        rows = [
            common
            | {
                "line": found.line,
                "product_id": found.product_id,
                "observed_at": found.observed_at or moment,
                "state": found.state.value,
                "facings": found.facings,
                "price_minor": found.price_minor,
                "basis": found.basis.value,
            }
            for found in project(form, submission["answers"])
        ]
        if rows:
            connection.execute(insert(observation), rows)

    def _mark_current(self, connection: Connection, org: UUID, submissions: Iterable[UUID]) -> None:
        for id_ in submissions:
            current = not self._superseded(connection, org, id_) and not self._returned(connection, org, id_)
            mine = (observation.c.org_id == org) & (observation.c.submission_id == id_)
            connection.execute(update(observation).where(mine).values(current=current))

    def _superseded(self, connection: Connection, org: UUID, id_: UUID) -> bool:
        table = self._submissions
        query = select(table.c.id).where(
            table.c.org_id == org, table.c.supersedes_id == id_, table.c.deleted_rev.is_(None)
        )
        return connection.execute(query.limit(1)).first() is not None

    def _returned(self, connection: Connection, org: UUID, id_: UUID) -> bool:
        table = self._reviews
        query = (
            select(table.c.decision)
            .where(table.c.org_id == org, table.c.submission_id == id_, table.c.deleted_rev.is_(None))
            .order_by(table.c.decided_at.desc(), table.c.id.desc())
            .limit(1)
        )
        return connection.execute(query).scalar_one_or_none() == Decision.RETURNED

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
