"""A program that knows more than the last one fetches what that one passed over, and nothing else.

Fields are added, never renamed or taken away. What is still to be fetched is kept in the database, with the page that
comes next, so that it goes on after any cut; the outbox has no part in it.
"""

from __future__ import annotations

from typing import Any

from sync.client import known, members
from sync.client.failures import CallRefused
from sync.client.local import LocalTransaction
from sync.client.repair import Repair
from sync.client.run import Run
from sync.protocol import Pull, RowsRequest

ROUNDS = 10_000
_DONE = "~"  # in the place of a page: the whole bucket is here


class Backfill:
    """The catching up of one run."""

    def __init__(self, run: Run, repair: Repair) -> None:
        self._run = run
        self._repair = repair

    def run(self) -> None:
        """Fetch what the last program passed over; does nothing when there is nothing of the kind."""
        todo = self._run.write(lambda tx: known.waiting(tx.conn))
        if todo is None:
            return
        try:
            if todo["fields"] and not self._fields(todo):
                return
        except CallRefused as refusal:
            if refusal.status not in (404, 405, 422):
                raise
            self._run.write(lambda tx: members.fetch_anew(tx.conn))  # a server that cannot pick them out
        self._repair.check_rows()  # collections that are new here, and rows that the last program could not take
        self._run.write(lambda tx: known.keep(tx.conn, None))

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
            known.keep(tx.conn, todo)
            return received.rows

        self._run.progress.received += self._run.write(work)
        self._run.step("receiving")
