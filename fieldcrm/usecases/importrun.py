"""One import under way: parts are read and sorted in the worker thread while the writer's writes the one before."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from datetime import datetime
from time import perf_counter

from fieldcrm.domain.extracts import CLOSED, OPENED, before_of, kind_of
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.imported import ids_in_order
from fieldcrm.domain.intake import Feed, Refused
from fieldcrm.store import imports as _imports
from fieldcrm.store import proposals as _proposals
from fieldcrm.store.database import Transaction, Written
from fieldcrm.store.imports import Head, Packed
from fieldcrm.store.imports import Part as Rows
from fieldcrm.usecases.importlines import News, Ready, Sorted, Sorter, parts
from fieldcrm.usecases.longwork import Pace, Phase, Slices, Stopped, Teller

LABEL = "outlet.import"
_AHEAD = 8  # parts read while one is written
_TOGETHER_BYTES = 600_000  # of commands in one transaction: one request carries it
_PROPOSALS_AT_ONCE = 100
_LOOKED_AT_ONCE = 1_000


@dataclass(frozen=True, slots=True)
class Told:
    """What was settled before the import."""

    propose: bool  # what is new, instead of adding it
    known_source: bool
    complete: bool
    sector_id: Id
    file: str


@dataclass(slots=True)
class _Part:
    """Ready to be written. ``keys``: by which its new outlets are known again."""

    packed: Packed | None
    keys: list[str]
    proposals: list[_proposals.New] = field(default_factory=list)
    overtaken: list[Id] = field(default_factory=list)


class Run:
    """An import from its first line to the last; ``through`` and then ``close``, or ``end`` to give up."""

    def __init__(
        self,
        slices: Slices,
        head: Head,
        sorter: Sorter,
        told: Told,
        tell: Teller,
        stopped: Stopped,
        on_refused: Callable[[Refused], None],
    ) -> None:
        self.rows = self.added = self.proposed = self.same = self.refused = 0
        self._slices, self._head, self._sorter, self._told = slices, head, sorter, told
        self._tell, self._stopped, self._on_refused = tell, stopped, on_refused
        self._ids = ids_in_order(head.begun_at)
        self._pace = Pace()
        self._waiting: deque[_Part] = deque()
        self._future: Future[Written[list[_Part]]] | None = None
        self._standing = _proposals.Standing()
        self._submitted: list[_Part] = []

    @property
    def nothing(self) -> bool:
        return not (self.added or self.proposed or self.same)

    def through(self, feed: Feed) -> bool:
        """Read and write all of the feed; ``False`` when it was stopped."""
        person, file = self._slices.actor.user_id, self._told.file
        self._slices.write(lambda tx: _imports.begin(tx, self._head, file, person))
        if self._told.known_source:
            with self._slices.db.read() as r:
                self._standing = _proposals.standing(r, self._head.source)
        for lines in parts(feed, lambda: self._pace.rows):
            if self._stopped():
                self.end()
                return False
            with self._slices.db.read() as r:
                sorted_ = self._sorter.sort(r, lines)
            self._take(sorted_)
            self._tell(Phase.WRITING, feed.position(), self.rows)
        self._drain()
        return self._close_missing() if self._told.complete else True

    def end(self) -> None:
        """Let what is being written end, and forget the rest."""
        self._waiting.clear()
        if self._future is not None:
            future, self._future = self._future, None
            future.exception()

    def close(self) -> None:
        """Write down what came of it."""
        counts = {"added": self.added, "changed": self.proposed, "refused": self.refused}

        def work(tx: Transaction) -> None:
            _imports.note(tx, self._head.id, counts, ended=True)
            tx.touch("outlet")
            tx.touch("proposal")

        self._slices.write(work)
        self._tell(Phase.WRITING, 1.0, self.rows)

    # ---- parts ----------------------------------------

    def _take(self, sorted_: Sorted) -> None:
        self.rows += sorted_.lines
        self.same += len(sorted_.same)
        self.refused += len(sorted_.refused)
        for refused in sorted_.refused:
            self._on_refused(refused)
        self._put(self._made(sorted_))

    def _made(self, sorted_: Sorted) -> _Part:
        rows = Rows()
        part = _Part(None, [])
        for news in sorted_.news:
            self._compare(rows, part, news)
        if self._told.propose:
            for ready in sorted_.new:
                self._propose_opened(part, ready)
        else:
            for ready in sorted_.new:
                rows.ids.append(next(self._ids))
                rows.references.append(ready.key)
                rows.values.append(ready.values)
            part.keys = rows.references
            self.added += len(sorted_.new)
        if rows.ids or rows.seen:
            part.packed = rows.packed()
        return part

    def _compare(self, rows: Rows, part: _Part, news: News) -> None:
        rows.seen.append((news.source_of, news.said))
        kinds = {one.kind for one in news.differences}
        proposed = self.proposed
        for made in proposed_of(news, self._head.begun_at):
            self._propose(part, made)
        # What the source no longer says otherwise is no longer to be decided.
        back = _kinds_of(news) - kinds
        part.overtaken += self._standing.overtaken(news.outlet_id, sorted(back))
        self.same += self.proposed == proposed

    def _propose_opened(self, part: _Part, ready: Ready) -> None:
        sector = Id(hex=ready.values["sector_id"]) if "sector_id" in ready.values else self._told.sector_id
        made = _proposals.New(new_id(self._head.begun_at), OPENED, sector, None, ready.key, {}, dict(ready.values))
        proposed = self.proposed
        self._propose(part, made)
        self.same += self.proposed == proposed

    def _propose(self, part: _Part, made: _proposals.New) -> None:
        worth, overtaken = self._standing.replaced(made)
        if overtaken is not None:
            part.overtaken.append(overtaken)
        if worth:
            part.proposals.append(made)
            self.proposed += 1

    # ---- writing ----------------------------------------

    def _put(self, part: _Part) -> None:
        if part.packed is None and not part.proposals and not part.overtaken:
            return
        self._waiting.append(part)
        if self._future is not None and (self._future.done() or len(self._waiting) >= _AHEAD):
            self._collect()
        if self._future is None:
            self._submit()

    def _drain(self) -> None:
        while self._future is not None or self._waiting:
            if self._future is None:
                self._submit()
            self._collect()

    def _submit(self) -> None:
        some: list[_Part] = []
        size = 0
        while self._waiting and (not some or size < _TOGETHER_BYTES):
            part = self._waiting.popleft()
            size += part.packed.size if part.packed else 0
            some.append(part)
        self._future = self._slices.submit(lambda tx: self._slices.turn(tx, some, self._write))
        self._submitted = some

    def _collect(self) -> None:
        """Wait for the write under way; what it left goes first again."""
        assert self._future is not None
        future, self._future = self._future, None
        left = future.result().value
        for part in self._submitted[: len(self._submitted) - len(left)]:
            self._sorter.forget_written(part.keys)
        self._waiting.extendleft(reversed(left))

    def _write(self, tx: Transaction, part: _Part) -> None:
        """In the writer's thread."""
        began = perf_counter()
        if part.packed is not None:
            _imports.write_part(tx, self._head, part.packed)
        _proposals.set_state(tx, part.overtaken, "stale", decided=False)
        _proposals.add(tx, self._head.id, self._head.source, self._head.begun_at, part.proposals)
        rows = (part.packed.count if part.packed else 0) + len(part.proposals)
        if rows >= self._pace.rows // 2:
            self._pace.took(perf_counter() - began, rows)

    # ---- what the extract lacks ----------------------------------------

    def _close_missing(self) -> bool:
        after = 0
        for outlets in self._missing():
            if self._stopped():
                self.end()
                return False
            with self._slices.db.read() as r:
                present = _imports.outlets(r, outlets)
            part = _Part(None, [])
            for id in outlets:
                if id in present:
                    said = {"state": "closed"}
                    made = _proposals.New(
                        new_id(self._head.begun_at), CLOSED, Id(hex=present[id]["sector_id"]), Id(bytes=id), "",
                        before_of(present[id], said), said,
                    )  # fmt: skip
                    self._propose(part, made)
            self._put(part)
            after += len(outlets)
            self._tell(Phase.CLOSING, 0.5, after)
        self._drain()
        return True

    def _missing(self) -> Iterator[Sequence[bytes]]:
        last = 0
        while True:
            with self._slices.db.read() as r:
                some = _imports.missing(r, self._head, self._told.sector_id, last, _LOOKED_AT_ONCE)
            if not some:
                return
            last = some[-1][0]
            gone = [outlet for rid, outlet in some if not self._sorter.has(rid)]
            for at in range(0, len(gone), _PROPOSALS_AT_ONCE):
                yield gone[at : at + _PROPOSALS_AT_ONCE]


def proposed_of(news: News, seen_at: datetime) -> Iterator[_proposals.New]:
    """What is to be proposed of an outlet, unless it was before."""
    for one in news.differences:
        before = {**one.before, _proposals.SAID: {name: news.last[name] for name in one.after if name in news.last}}
        sector = Id(hex=news.present["sector_id"])
        yield _proposals.New(new_id(seen_at), one.kind, sector, news.outlet_id, news.ready.key, before, one.after)


def _kinds_of(news: News) -> set[str]:
    """The kinds that what the source says now speaks of, whether or not it differs from what we have."""
    return {kind_of(name, value) for name, value in news.said.items()}
