"""The server's half of sync: devices push operations and pull their buckets; the server writes by the same path.

Stateless requests: an answer that is lost is asked for again, and the second time changes nothing.
``now`` is an aware UTC time; it is written down and never decides an order.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterable, Mapping, Sequence
from datetime import datetime, timedelta
from typing import TypeVar
from uuid import UUID

from sqlalchemy import Connection, Engine, delete, func, insert, literal, select, update
from sqlalchemy.exc import DBAPIError

from sync.catalogue import Catalogue
from sync.chunks import chunks
from sync.columns import to_milliseconds
from sync.merge import Entry
from sync.protocol import EPOCH_SHIFT, PROTOCOL_VERSION, Op, Pull, SyncRequest, SyncResponse, Tx
from sync.sealing import mark
from sync.server import pull as pulling
from sync.server.answers import (
    keep_answers,
    known_answers,
    needed_by,
    parents_of,
    read_rows,
    record_key,
    replace_answers,
    tell,
    users_of,
)
from sync.server.batch import Batch
from sync.server.changes import ChangeLog, Origin
from sync.server.database import reading, worth_another_try
from sync.server.erasure import ErasureRules, Receipt, stage, without_erased
from sync.server.hello import Control, Greeting, greet, note_ahead, org_state
from sync.server.people import PersonKeys, erasures_done
from sync.server.ports import Applied, Caller, Change, Hooks, Refused
from sync.server.push import MAX_OPS, BatchEditing, Decision, Push
from sync.server.scope import Everywhere, Scope, load_scope, rights_moved
from sync.server.set_aside import Aside
from sync.server.store import Key, RecordStore
from sync.server.tables import ServerTables, build

MAX_ID_LENGTH = 64
_TOO_LARGE = 1 << 63  # for any column

Result = TypeVar("Result")

log = logging.getLogger(__name__)


class _ErasedMeanwhile(Exception):
    """Somebody was erased after this transaction had looked who is: it has to look again."""


class SyncServer:
    """One per database; safe to call from several threads."""

    def __init__(
        self,
        engine: Engine,
        catalogue: Catalogue,
        hooks: Hooks,
        tables: ServerTables | None = None,
        *,
        wrapping: bytes | None = None,
        min_pull_schema: int = 0,
    ) -> None:
        """``wrapping``: the server's own key of 32 bytes, under which the keys of people lie in the database.

        A program whose catalogue is older than ``min_pull_schema`` is told to upgrade instead of being sent rows.
        """
        self.min_pull_schema = min_pull_schema
        self.engine = engine
        self.catalogue = catalogue
        self.hooks = hooks
        self.tables = tables or build(catalogue)
        self.people = PersonKeys(self.tables.person_key, self.tables.erased_person, wrapping)
        self.changes = ChangeLog(self.tables.change_log, catalogue, self.people)
        self.aside = Aside(self.tables, catalogue, self.people)
        self.on_commit: Callable[[UUID, int], None] = lambda org, rev: None  # after each new revision

    # Organisations

    def create_org(self, org: UUID, name: str, *, now: datetime) -> None:
        def work(connection: Connection) -> None:
            connection.execute(insert(self.tables.org).values(org_id=org, name=name, epoch=1, created_at=now))
            connection.execute(insert(self.tables.org_rev).values(org_id=org, last_rev=1 << EPOCH_SHIFT))

        self._write(work)

    def epoch(self, org: UUID) -> int:
        with reading(self.engine) as connection:
            return org_state(connection, self.tables, org).epoch

    def newest(self, org: UUID) -> int | None:
        """The newest revision of an organisation; ``None`` when it has none."""
        table = self.tables.org_rev
        with reading(self.engine) as connection:
            return connection.execute(select(table.c.last_rev).where(table.c.org_id == org)).scalar_one_or_none()

    def stopped(self, org: UUID) -> bool:
        """Whether nothing is taken from devices: two people's know of later revisions than this database has.

        A new epoch ends it.
        """
        with reading(self.engine) as connection:
            return org_state(connection, self.tables, org).lost

    def begin_epoch(self, org: UUID) -> int:
        """After a restore from a backup: every device resyncs, and offers again what the backup had not seen."""
        table = self.tables.org
        raised = update(table).where(table.c.org_id == org).values(epoch=table.c.epoch + 1).returning(table.c.epoch)
        return self._write(lambda connection: int(connection.execute(raised).scalar_one()))

    def confirm(self, org: UUID, rev: int, *, now: datetime) -> None:
        """A backup begun ``now`` and verified holds everything up to ``rev``: devices hear that they may rely on it."""
        table = self.tables.org_rev
        raised = update(table).where(table.c.org_id == org, table.c.confirmed_rev <= rev)
        raised = raised.values(confirmed_rev=rev, confirmed_at=now)
        self._write(lambda connection: connection.execute(raised))

    def check(self) -> None:
        """Raises what the database raises when it cannot be asked."""
        with reading(self.engine) as connection:
            connection.execute(select(literal(1)))

    # What devices ask

    def sync(self, caller: Caller, request: SyncRequest, *, now: datetime) -> SyncResponse:
        """Hello, push and the first page of the pull. Raises ``Refused`` when the request makes no sense."""
        if request.proto > PROTOCOL_VERSION:
            return self._control(self.epoch(caller.org), Control("upgrade"), now)
        _check_shape(request)
        if request.schema > self.catalogue.schema and _from_the_future(self.catalogue, request):
            return self._control(self.epoch(caller.org), Control("busy"), now)
        control, decisions = self._push(caller, request, now)
        if control is not None:
            return self._control(self.epoch(caller.org), control, now)
        if request.want == 0 and all(decision.told for decision in decisions):
            return self._answered(SyncResponse(request.epoch, server_time=to_milliseconds(now)), decisions)
        with reading(self.engine) as connection:
            response = self._answer(connection, caller, request, decisions, now)
        return self._told(caller, response)

    def pull(self, caller: Caller, text: str, *, now: datetime) -> SyncResponse:
        """The next page. Raises ``Refused("wrong_token")``."""
        token = pulling.Token.parse(text)
        with reading(self.engine) as connection:
            state = org_state(connection, self.tables, caller.org)
            if token.epoch != state.epoch:
                return self._control(state.epoch, Control("epoch"), now)
            scope = load_scope(connection, self.tables, self.hooks, caller, state.last_rev, keep=False)
            response = self._page(connection, caller, token, scope, state.last_rev, [], now)
        return self._told(caller, response)

    def op_status(self, caller: Caller, ops: Sequence[str]) -> list[str]:
        """Which of these operations the server knows."""
        table = self.tables.op_result
        known: list[str] = []
        asked = [op for op in ops if _could_be(op)]
        with reading(self.engine) as connection:
            for some in chunks(asked):
                query = select(table.c.op_id).where(table.c.org_id == caller.org, table.c.op_id.in_(some))
                known += connection.execute(query).scalars()
        return known

    # What the server itself writes

    def apply_as_server(self, org: UUID, changes: Sequence[Change], *, now: datetime) -> list[Applied]:
        """Write records as the server: imports, settings, commands, in one transaction under one revision.

        ``values`` are wire values; of a known record only those given are changed, and only if they differ.
        Raises ``Refused`` when a value is not what the catalogue allows; nothing is then written.
        """
        applied = self._write(lambda connection: self.apply_in(connection, org, changes, now=now))
        if applied:
            self.on_commit(org, applied[0].rev)
        return applied

    def apply_in(
        self, connection: Connection, org: UUID, changes: Sequence[Change], *, now: datetime
    ) -> list[Applied]:
        """As ``apply_as_server``, inside a transaction that the caller began on the same engine."""
        batch = Batch(RecordStore(connection, self.catalogue, self.tables, org), self.hooks, 0)
        batch.load((change.collection, change.id) for change in changes)
        editing = BatchEditing(batch, Caller(org, UUID(int=0), "server", 0), now)
        for change in changes:
            if change.values is None:
                editing.remove(change.collection, change.id)
            else:
                editing.put(change.collection, change.id, change.values)
        return self._flush(batch, Origin(now))[1]

    def erase_person(self, org: UUID, subject: UUID, rules: ErasureRules, *, now: datetime) -> Receipt:
        """Delete the person's key, blank what living records hold of them, and order every device to do the same.

        Asked for again it does again what is left to do: after a restore, nothing of them comes back.
        """

        def work(connection: Connection) -> Receipt:
            batch = Batch(RecordStore(connection, self.catalogue, self.tables, org), self.hooks, 0)
            everybody, records = stage(batch, rules, subject, now=now)
            for one in everybody:
                self.people.remember_erased(connection, org, one, 0, now)
            rev, _ = self._flush(batch, Origin(now))
            rev = rev or org_state(connection, self.tables, org).last_rev
            keys = self.people.erase(connection, org, everybody)  # under the counter's lock: nobody makes it again
            for one in everybody:
                self.people.remember_erased(connection, org, one, rev, now)
            return Receipt(subject, mark(org, subject), rev, records, keys)

        return self._write(work)

    def compact(self, org: UUID, before: int) -> int:
        """Forget what left a bucket, or was deleted, up to revision ``before``; returns how many such words.

        A device whose cursor is older compares everything it holds at its next sync, and keeps its own changes.
        """
        table, revs = self.tables.bucket_row, self.tables.org_rev

        def work(connection: Connection) -> int:
            floor = update(revs).where(revs.c.org_id == org, revs.c.compact_floor < before)
            connection.execute(floor.values(compact_floor=before))
            old = (table.c.org_id == org, table.c.entry != int(Entry.PUT), table.c.rev <= before)
            return connection.execute(delete(table).where(*old)).rowcount

        return self._write(work)

    def mark_day(self, org: UUID, *, now: datetime) -> None:
        """Remember, once a day, which revision was the newest: ``compact_before`` asks by the time."""
        table, state = self.tables.rev_mark, self.tables.org_rev

        def work(connection: Connection) -> None:
            newest = select(func.max(table.c.at)).where(table.c.org_id == org)
            last = connection.execute(newest).scalar_one()
            if last is None or now - last >= timedelta(days=1):
                rev = connection.execute(select(state.c.last_rev).where(state.c.org_id == org)).scalar_one()
                connection.execute(insert(table).values(org_id=org, at=now, rev=rev))

        self._write(work)

    def compact_before(self, org: UUID, moment: datetime) -> int:
        """``compact`` up to the newest revision known to be older than ``moment``."""
        table = self.tables.rev_mark
        with reading(self.engine) as connection:
            older = select(func.max(table.c.rev)).where(table.c.org_id == org, table.c.at <= moment)
            rev = connection.execute(older).scalar_one()
        if rev is None:
            return 0
        forgotten = self.compact(org, rev)
        gone = delete(table).where(table.c.org_id == org, table.c.rev < rev)
        self._write(lambda connection: connection.execute(gone))
        return forgotten

    # Inside

    def write(self, work: Callable[[Connection], Result]) -> Result:
        """One transaction, begun again when the database asks for it."""
        return self._write(work)

    def _write(self, work: Callable[[Connection], Result]) -> Result:
        attempt = 0
        while True:
            attempt += 1
            try:
                with self.engine.begin() as connection:
                    return work(connection)
            except _ErasedMeanwhile:
                continue
            except DBAPIError as error:
                if not worth_another_try(error, attempt):
                    raise

    def _told(self, caller: Caller, response: SyncResponse) -> SyncResponse:
        """Note that the device was sent departures: from then on it cannot claim to have edited before them."""
        pull = response.pull
        if pull is not None and (pull.drop or any(page.revoke for page in pull.pages)):
            table, upto = self.tables.device, pull.upto
            this = (table.c.org_id == caller.org) & (table.c.device_no == caller.device)
            note = update(table).where(this, table.c.told_rev < upto).values(told_rev=upto)
            self._write(lambda connection: connection.execute(note))
        return response

    def _control(self, epoch: int, control: Control, now: datetime) -> SyncResponse:
        return SyncResponse(epoch, control.code, control.expected, server_time=to_milliseconds(now))

    def _push(self, caller: Caller, request: SyncRequest, now: datetime) -> tuple[Control | None, list[Decision]]:
        """A control answer, when nothing may be applied, or the decisions. Without news it only reads."""
        ops = [op for tx in request.tx for op in tx.ops]
        with reading(self.engine) as connection:
            greeting = greet(connection, self.tables, caller, request, lock=False)
            if greeting.control is not None:
                self._note_ahead(caller, greeting)
                return greeting.control, []
            news = bool(ops) and ops[-1].n > greeting.last_seq  # looked at below, and not twice
            known = {} if news else self._known(connection, caller.org, request, ops, greeting)
            moved = news or rights_moved(connection, self.tables, self.hooks, caller)
            moved = moved or erasures_done(connection, self.tables, caller, request)
        if len(known) == len(ops) and not moved:
            return None, sorted(known.values(), key=lambda d: d.op.n)
        control, decisions = self._write(lambda connection: self._push_in(connection, caller, request, now))
        rev = max((decision.rev for decision in decisions), default=0)
        if rev:
            self.on_commit(caller.org, rev)
        return control, decisions

    def _note_ahead(self, caller: Caller, greeting: Greeting) -> None:
        if greeting.control is None or not greeting.control.ahead or greeting.state.ahead == caller.user:
            return
        if self._write(lambda connection: note_ahead(connection, self.tables, caller)):
            log.critical('{"organisation": "%s", "stopped": "devices know what this database lost"}', caller.org.hex)

    def _push_in(
        self, connection: Connection, caller: Caller, request: SyncRequest, now: datetime
    ) -> tuple[Control | None, list[Decision]]:
        greeting = greet(connection, self.tables, caller, request, lock=True)
        if greeting.control is not None:
            return greeting.control, []
        ops = [op for tx in request.tx for op in tx.ops]
        known = self._known(connection, caller.org, request, ops, greeting)
        scope = load_scope(connection, self.tables, self.hooks, caller, greeting.state.last_rev, keep=True)
        decisions, fresh = self._decide(connection, caller, request.tx, scope, known, now, request.brief)
        keep_answers(connection, self.catalogue, self.tables, caller, request, fresh, now)
        self.aside.keep_refused(connection, caller, request.tx, fresh, now)
        return None, decisions

    def _known(
        self, connection: Connection, org: UUID, request: SyncRequest, ops: Sequence[Op], greeting: Greeting
    ) -> dict[str, Decision]:
        up_to_date = request.device if ops and ops[-1].n >= greeting.last_seq else None
        return known_answers(connection, self.tables, org, ops, up_to_date)

    def apply_for(
        self, connection: Connection, caller: Caller, transactions: Sequence[Tx], *, now: datetime
    ) -> list[Decision]:
        """What a person decided to apply after all, in its author's name (``caller``), wherever the records lie now.

        Inside a transaction of this server's. Operations that were applied before keep their answers.
        """
        ops = [op for tx in transactions for op in tx.ops]
        known = known_answers(connection, self.tables, caller.org, ops)
        settled = {id: d for id, d in known.items() if d.status not in ("rejected", "dependent")}
        decisions, fresh = self._decide(connection, caller, transactions, Everywhere(), settled, now)
        replace_answers(connection, self.catalogue, self.tables, caller, fresh, now)
        return decisions

    def _decide(
        self,
        connection: Connection,
        caller: Caller,
        asked: Sequence[Tx],
        scope: Scope,
        known: Mapping[str, Decision],
        now: datetime,
        brief: bool = False,
    ) -> tuple[list[Decision], list[Decision]]:
        """All decisions, and those that were not ``known``; what they change is written."""
        ops = [op for tx in asked for op in tx.ops]
        batch = Batch(RecordStore(connection, self.catalogue, self.tables, caller.org), self.hooks, caller.device)
        self._preload(batch, ops)
        push = Push(batch, caller, self.hooks, scope, now)
        last_erasure = self.people.last_erasure(connection, caller.org)
        transactions, reborn = without_erased(batch, self.people, asked, known)
        push.run(transactions, known)
        _let_rest(batch, reborn)
        push.record_clashes(users_of(connection, self.tables, caller.org, push.losing_devices))
        rev, _ = self._flush(batch, _origin(self.catalogue, caller, ops, now), last_erasure)
        fresh = [decision for decision in push.decisions if decision.op.op not in known]
        blanked = transactions is not asked
        for decision in fresh:
            decision.rev = rev
            decision.plain = decision.plain and not blanked
        tell(self.catalogue, batch, scope, push.decisions, brief)
        return push.decisions, fresh

    def _flush(self, batch: Batch, origin: Origin, last_erasure: int | None = None) -> tuple[int, list[Applied]]:
        """The revision is taken here, after all reading and deciding: its lock is held to the commit.

        ``last_erasure``: the newest when this was decided; one that was committed since is seen under the lock.
        """
        if batch.empty:
            return 0, []
        connection, org = batch.store.connection, batch.store.org
        epoch = org_state(connection, self.tables, org).epoch
        rev = batch.store.next_rev(epoch << EPOCH_SHIFT)
        if last_erasure is not None and self.people.last_erasure(connection, org) != last_erasure:
            raise _ErasedMeanwhile
        applied = batch.flush(rev)
        self.changes.write(connection, org, applied, origin)
        self.hooks.on_applied(connection, org, applied)
        batch.store.close_rev()
        return rev, applied

    def _preload(self, batch: Batch, ops: Sequence[Op]) -> None:
        """What the operations speak of, what that hangs on, and what the product will look at: a few statements."""
        keys = {key for op in ops if (key := record_key(self.catalogue, op))}
        batch.load(keys.union(needed_by(self.catalogue, self.hooks, ops)))
        batch.load_above(parents_of(self.catalogue, ops))

    def _answer(
        self,
        connection: Connection,
        caller: Caller,
        request: SyncRequest,
        decisions: Sequence[Decision],
        now: datetime,
    ) -> SyncResponse:
        state = org_state(connection, self.tables, caller.org)
        scope = load_scope(connection, self.tables, self.hooks, caller, state.last_rev, keep=False)
        store = RecordStore(connection, self.catalogue, self.tables, caller.org)
        if request.schema < self.min_pull_schema:  # what it sends is taken for ever
            response = SyncResponse(state.epoch, server_time=to_milliseconds(now), upgrade=True)
        elif request.want == 0:
            response = SyncResponse(state.epoch, server_time=to_milliseconds(now))
        else:
            token = pulling.first_token(state.epoch, state.last_rev, scope.held, request.cursors, request.want)
            response = self._page(connection, caller, token, scope, state.last_rev, list(request.cursors), now)
        response.confirmed = state.confirmed
        read_rows(store, scope, decisions, request.brief)
        return self._answered(response, decisions)

    def _answered(self, response: SyncResponse, decisions: Sequence[Decision]) -> SyncResponse:
        """With the answers, and the names of the columns of their rows."""
        response.results = [decision.result() for decision in decisions]
        used = {str(d.op.c) for d, r in zip(decisions, response.results, strict=True) if r.row is not None}
        if used:
            response.pull = response.pull or Pull(0)
            response.pull.cols.update(pulling.columns(self.catalogue, used))
        return response

    def _page(
        self,
        connection: Connection,
        caller: Caller,
        token: pulling.Token,
        scope: Scope,
        last_rev: int,
        asked: Sequence[str],
        now: datetime,
    ) -> SyncResponse:
        store = RecordStore(connection, self.catalogue, self.tables, caller.org)
        pull = pulling.page(store, token, scope.held, asked)
        complete = not pull.more and token.upto == last_rev
        digest = pulling.digests(store, scope.held) if complete else {}
        return SyncResponse(token.epoch, pull=pull, digest=digest, server_time=to_milliseconds(now))


def _origin(catalogue: Catalogue, caller: Caller, ops: Sequence[Op], now: datetime) -> Origin:
    keyed = ((record_key(catalogue, op), op) for op in ops)
    said = {key: (op.op, op.at if 0 <= op.at < _TOO_LARGE else 0) for key, op in keyed if key}
    return Origin(now, caller.user, caller.device, said)


def _let_rest(batch: Batch, reborn: Iterable[Key]) -> None:
    """A person who was erased and whom a device, or a backup's gap, would make anew is not made."""
    for key in reborn:
        record = batch.get(key)
        if record is not None and not record.stored:
            batch.delete(record)


def _from_the_future(catalogue: Catalogue, request: SyncRequest) -> bool:
    """A program newer than this server sends what only it knows: that waits on the device until the server follows."""
    for op in (op for tx in request.tx for op in tx.ops):
        collection = catalogue.by_number.get(op.c)
        if collection is None or (op.k != "cmd" and not op.set.keys() <= collection.by_name.keys()):
            return True
    return False


def _could_be(id: str) -> bool:
    """Whether an operation may be named so: PostgreSQL keeps no zero byte."""
    return 0 < len(id) <= MAX_ID_LENGTH and "\x00" not in id


def _check_shape(request: SyncRequest) -> None:
    """What no honest device sends; an answer of 4xx, and nothing is applied."""
    ops = [op for tx in request.tx for op in tx.ops]
    numbers = [request.schema, request.epoch, request.next_seq, *request.cursors.values(), *(op.base for op in ops)]
    if not all(0 <= number < _TOO_LARGE for number in numbers):
        raise Refused("number_wrong")
    if len(ops) > MAX_OPS:
        raise Refused("too_many_operations", maximum=MAX_OPS)
    if request.next_seq < 1 or [op.n for op in ops] != list(range(request.next_seq, request.next_seq + len(ops))):
        raise Refused("numbers_not_contiguous")
    ids = {op.op for op in ops}
    if len(ids) != len(ops) or not all(map(_could_be, ids)):
        raise Refused("wrong_operation_id")
