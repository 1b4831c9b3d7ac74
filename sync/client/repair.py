"""Mending single rows: what differs from the server is found part by part, and only that is fetched again.

Two causes, two looks. A bucket whose sum is not the server's is compared with the server, 256 parts at a time. A row
that is not the one that the device's own list names (damaged, or changed by another program) is found on the device
alone, once a week and whenever a sum differs. Work that waits to be sent stays on top of whatever is mended.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from uuid import UUID

from sync.chunks import chunks
from sync.client import incoming, members
from sync.client.failures import CallRefused, ServerError
from sync.client.run import Run
from sync.protocol import BucketPage, Pull, RowsRequest, VerifyAnswer, VerifyRequest

ROWS = 500  # asked for at once
ROUNDS = 300  # of comparing one bucket: a part at a time at the worst

Named = dict[tuple[int, bytes], int]  # collection and id -> revision


class Repair:
    """The mending of one run."""

    def __init__(self, run: Run) -> None:
        self._run = run
        self._tried: set[str] = set()

    def mend(self, buckets: Sequence[str]) -> None:
        """Bring these buckets to what the server has. One that was mended before in this run is fetched anew."""
        for name in buckets:
            if name in self._tried or not self._compared(name):
                self._run.write(partial(self._run.engine.local.refetch, names=[name]))
            self._tried.add(name)
        self.check_rows()

    def check_rows(self) -> int:
        """Compare each row with the device's own list; fetch those that are not as it says. Returns how many."""
        local, found = self._run.engine.local, 0
        for bucket, suspects in self._run.write(local.suspects).items():
            try:
                for some in chunks(suspects, ROWS):
                    found += self._fetch(bucket, some)
            except CallRefused as refusal:  # a server that does not know how, or another scope meanwhile
                if refusal.status not in (404, 405, 422):
                    raise
        self._run.write(local.forget_unheld)
        return found

    def _compared(self, name: str) -> bool:
        """False when the server cannot tell, or the two do not come together."""
        engine = self._run.engine
        for _ in range(ROUNDS):
            epoch, cursor, records = self._run.write(partial(engine.local.held, name=name))
            request = VerifyRequest(epoch, name, cursor, members.part_sums(records))
            try:
                answer = engine.remote.verify(request)
            except CallRefused as refusal:
                if refusal.status in (404, 405, 422):
                    return False
                raise
            if answer.control is not None or answer.upto != cursor:
                return True  # first the news; if it still differs then, it is asked again
            if not answer.parts:
                self._run.write(partial(engine.local.recount, name=name))
                return True
            if not self._mend_parts(name, records, answer):
                return False
        return False

    def _mend_parts(self, name: str, records: Iterable[members.Record], answer: VerifyAnswer) -> bool:
        there = _named(answer)
        parts = {int(part, 16) for part in answer.parts}
        here: Named = {(number, id): rev for number, id, rev in records if id[-1] in parts}
        extra = [key for key in here if key not in there]
        differ = [key for key, rev in there.items() if here.get(key) != rev]
        if not extra and not differ:
            return False  # the sums differ and the lists do not: nothing that can be mended row by row
        if extra:
            removed = self._run.write(partial(self._run.engine.local.let_go, name=name, keys=extra))
            self._run.progress.removed += removed
        for some in chunks(differ, ROWS):
            if not self._fetch(name, some):
                return False
            if self._run.stopped():
                break
        return True

    def _fetch(self, name: str, keys: Sequence[tuple[int, bytes]]) -> int:
        """Fetch these records of a bucket again; returns how many came."""
        engine, ids = self._run.engine, dict[str, list[str]]()
        for number, id in keys:
            ids.setdefault(str(number), []).append(id.hex())
        response = engine.remote.rows(RowsRequest(self._run.write(engine.local.epoch), name, ids))
        pull = response.pull
        if response.control is not None or pull is None:
            return 0
        if any(page.bucket != name for page in pull.pages):
            raise ServerError("answer_damaged")
        came = sum(len(rows) for page in pull.pages for rows in page.put.values())
        only_rows = Pull(0, [BucketPage(name, page.put) for page in pull.pages], pull.cols)
        received = self._run.write(partial(engine.local.mend, pull=only_rows))
        self._run.progress.repaired += came
        self._run.progress.unreadable += received.unreadable
        self._run.step("receiving")
        return came


def _named(answer: VerifyAnswer) -> Mapping[tuple[int, bytes], int]:
    """What the server has in the parts that differ. Raises ``ServerError("answer_damaged")``."""
    named: Named = {}
    for part, records in answer.parts.items():
        if len(part) != 2 or not set(part) <= set("0123456789abcdef"):
            raise ServerError("answer_damaged")
        for number, text, rev in records:
            id: UUID = incoming.record_id(text)
            if id.bytes[-1] != int(part, 16) or not 0 < number < 2**15 or not 0 < rev < 2**63:
                raise ServerError("answer_damaged")
            named[number, id.bytes] = rev
    return named
