"""A program that knows more than the last one fetches what that one passed over, and nothing else.

Fields are added, never renamed or taken away. What is still to be fetched is kept in the database, with the page that
comes next, so that it goes on after any cut; the outbox has no part in it.
"""

from __future__ import annotations

import json
from functools import partial
from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection

from sync.catalogue import Catalogue
from sync.client import members
from sync.client.failures import CallRefused
from sync.columns import canonical
from sync.protocol import Pull, RowsRequest

if TYPE_CHECKING:
    from sync.client.bootstrap import Run
    from sync.client.local import LocalTransaction

ROUNDS = 10_000
_DONE = "~"  # in the place of a page: the whole bucket is here


def follow(connection: Connection, catalogue: Catalogue) -> None:
    """Note what this program knows, and what is to be fetched because the last one did not."""
    query = "SELECT schema, known, backfill FROM sync_state"
    schema, known, waiting = connection.exec_driver_sql(query).one()
    now = {str(c.number): list(c.field_names) for c in catalogue.collections}
    if schema == catalogue.schema and known is not None:
        return
    if known is None and members.cursors(connection):
        members.fetch_anew(connection)  # rows of a program that did not say what it knew
    elif known is not None:
        before: dict[str, list[str]] = json.loads(known)
        fields = {number: sorted(set(names) - set(before[number])) for number, names in now.items() if number in before}
        earlier = json.loads(waiting)["fields"] if waiting else {}
        wanted = {number: sorted({*names, *earlier.get(number, ())}) for number, names in fields.items()}
        todo = {"fields": {n: names for n, names in wanted.items() if names}, "bucket": "", "after": ""}
        connection.exec_driver_sql("UPDATE sync_state SET backfill = ?", (canonical(todo),))
    statement = "UPDATE sync_state SET schema = ?, known = ?"
    connection.exec_driver_sql(statement, (catalogue.schema, canonical(now)))


def waiting(tx: LocalTransaction) -> dict[str, Any] | None:
    """What is to be fetched: ``fields`` by collection, the ``bucket`` that is next, and ``after`` which page."""
    text = tx.conn.exec_driver_sql("SELECT backfill FROM sync_state").scalar_one()
    return None if text is None else dict(json.loads(text))


class Backfill:
    """The catching up of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run

    def run(self) -> None:
        """Fetch what the last program passed over; does nothing when there is nothing of the kind."""
        todo = self._run.write(waiting)
        if todo is None:
            return
        try:
            if todo["fields"] and not self._fields(todo):
                return
        except CallRefused as refusal:
            if refusal.status not in (404, 405, 422):
                raise
            self._run.write(lambda tx: members.fetch_anew(tx.conn))  # a server that cannot pick them out
        self._run.repair.check_rows()  # collections that are new here, and rows that the last program could not take
        self._run.write(partial(_keep, todo=None))

    def _fields(self, todo: dict[str, Any]) -> bool:
        """False when it was cut; it goes on from there."""
        engine = self._run.engine
        buckets = sorted(self._run.write(lambda tx: members.cursors(tx.conn)))
        for bucket in buckets:
            if bucket < todo["bucket"] or (bucket == todo["bucket"] and todo["after"] == _DONE):
                continue
            after = todo["after"] if bucket == todo["bucket"] else ""
            for _ in range(ROUNDS):
                if self._run.stopped():
                    return False
                epoch = self._run.write(engine.local.epoch)
                answer = engine.remote.rows(RowsRequest(epoch, bucket, {}, todo["fields"], after))
                if answer.control is not None or answer.pull is None:
                    return False
                self._page(answer.pull, {**todo, "bucket": bucket, "after": answer.pull.token or _DONE})
                after = answer.pull.token or ""
                if not answer.pull.more or not after:
                    break
        return True

    def _page(self, pull: Pull, todo: dict[str, Any]) -> None:
        def work(tx: LocalTransaction) -> int:
            received = self._run.engine.local.mend(tx, pull)
            _keep(tx, todo)
            return received.rows

        self._run.progress.received += self._run.write(work)
        self._run.step("receiving")


def _keep(tx: LocalTransaction, todo: dict[str, Any] | None) -> None:
    text = None if todo is None else canonical(todo)
    tx.conn.exec_driver_sql("UPDATE sync_state SET backfill = ?", (text,))
