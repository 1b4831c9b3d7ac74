"""The history of a record as a person may read it: of what the caller sees now, and of nothing else.

With a record come those that hang on it (``Collection.scope_parent``), the deleted ones too: that a contact was taken
away is part of the history of its outlet. Whoever asks for a record that is not theirs, that was deleted or that never
was gets one and the same answer.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from operator import itemgetter
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import Connection, Row, and_, func, or_, select, tuple_

from sync.catalogue import Collection
from sync.columns import to_milliseconds
from sync.protocol import PastEntry, PastPage
from sync.sealing import ERASED, sealed_subjects, unseal
from sync.server.database import reading
from sync.server.engine import SyncServer
from sync.server.hello import org_state
from sync.server.ports import Caller, Refused, Values
from sync.server.refusal import CallRefused
from sync.server.store import RecordStore

PAGE = 100  # changes in one answer
PAGE_BYTES = 2 * 1024 * 1024  # and what they hold, sealed; a single change may be larger
_MARK = re.compile(r"([0-9]{1,18})\.([0-9]{1,9})")
_ID = re.compile(r"[0-9a-f]{32}")

_At = tuple[int, int]  # revision, place within it


class Past:
    """``told``: the collections whose history may be read; those of them that hang on another come with it."""

    def __init__(self, server: SyncServer, told: Iterable[str]) -> None:
        self._server = server
        self._told = frozenset(told)

    def of(self, caller: Caller, collection: str, id: str, before: str = "") -> PastPage:
        """A page, the newest first. Raises ``CallRefused("not_found")``, ``Refused("wrong_token")``."""
        mark = _mark(before)
        definition = self._server.catalogue.by_name.get(collection)
        if definition is None or collection not in self._told or not _ID.fullmatch(id):
            raise CallRefused(404, "not_found")
        record = UUID(hex=id)
        with reading(self._server.engine) as connection:
            self._check_seen(connection, caller, definition, record)
            epoch = org_state(connection, self._server.tables, caller.org).epoch
            places, more = self._places(connection, caller.org, definition, record, mark)
            entries = self._entries(connection, caller.org, places)
        return PastPage(epoch, entries, more)

    def _check_seen(self, connection: Connection, caller: Caller, definition: Collection, record: UUID) -> None:
        server = self._server
        key = (definition.name, record)
        buckets = RecordStore(connection, server.catalogue, server.tables, caller.org).places([key]).get(key, {})
        if server.hooks.visible(connection, caller).isdisjoint(buckets):
            raise CallRefused(404, "not_found")

    def _places(
        self, connection: Connection, org: UUID, definition: Collection, record: UUID, before: _At | None
    ) -> tuple[list[_At], str]:
        """Where the page's changes stand in the log, and the mark of the next page."""
        found = list(self._of_record(connection, org, definition, record, before))
        for child in self._server.catalogue.children_of(definition.name):
            if child.name in self._told:
                found += self._of_children(connection, org, child, record, before)
        found.sort(reverse=True)
        places: list[_At] = []
        size = 0
        for rev, idx, length in found:
            size += length
            if len(places) == PAGE or (places and size > PAGE_BYTES):
                return places, "{}.{}".format(*places[-1])
            places.append((rev, idx))
        return places, ""

    def _of_record(
        self, connection: Connection, org: UUID, definition: Collection, record: UUID, before: _At | None
    ) -> Iterator[tuple[int, int, int]]:
        log = self._server.tables.change_log
        query = (
            select(log.c.rev, log.c.idx, func.coalesce(func.length(log.c.change), 0))
            .where(log.c.org_id == org, log.c.collection == definition.number, log.c.id == record, *self._older(before))
            .order_by(log.c.rev.desc(), log.c.idx.desc())
            .limit(PAGE + 1)
        )
        for row in connection.execute(query):
            yield row[0], row[1], row[2]

    def _of_children(
        self, connection: Connection, org: UUID, child: Collection, parent: UUID, before: _At | None
    ) -> Iterator[tuple[int, int, int]]:
        assert child.scope_parent is not None
        log, table = self._server.tables.change_log, self._server.tables.records[child.name]
        query = (
            select(log.c.rev, log.c.idx, func.coalesce(func.length(log.c.change), 0))
            .select_from(table.join(log, and_(log.c.org_id == table.c.org_id, log.c.id == table.c.id)))
            .where(
                table.c.org_id == org,
                table.c[child.scope_parent.field] == parent,
                log.c.org_id == org,
                log.c.collection == child.number,
                *self._older(before),
            )
            .order_by(log.c.rev.desc(), log.c.idx.desc())
            .limit(PAGE + 1)
        )
        for row in connection.execute(query):
            yield row[0], row[1], row[2]

    def _older(self, before: _At | None) -> list[Any]:
        log = self._server.tables.change_log
        if before is None:
            return []
        rev, idx = before
        return [log.c.rev <= rev, or_(log.c.rev < rev, log.c.idx < idx)]

    def _entries(self, connection: Connection, org: UUID, places: list[_At]) -> list[PastEntry]:
        if not places:
            return []
        log = self._server.tables.change_log
        query = select(log).where(log.c.org_id == org, tuple_(log.c.rev, log.c.idx).in_(places))
        rows = sorted(connection.execute(query), key=itemgetter(1, 2), reverse=True)
        parts = [msgspec.json.decode(row.change) if row.change else [{}, {}] for row in rows]
        people = self._server.people
        keys = people.get(connection, org, {s for pair in parts for values in pair for s in sealed_subjects(values)})
        labels = self._labels(connection, org, {row.device_no for row in rows})
        return [
            self._entry(row, (set_, was), keys, labels.get(row.device_no, ""))
            for row, (set_, was) in zip(rows, parts, strict=True)
        ]

    def _entry(
        self, row: Row[Any], change: tuple[Values, Values], keys: Mapping[UUID, bytes], label: str
    ) -> PastEntry:
        definition = self._server.catalogue.by_number[row.collection]
        opened = [unseal(definition, row.id, values, keys) for values in change]
        erased = sorted({name for values in opened for name, value in values.items() if value is ERASED})
        set_, was = ({name: value for name, value in values.items() if name not in erased} for values in opened)
        return PastEntry(
            row.rev, row.idx, row.collection, row.id.hex, row.kind, to_milliseconds(row.at),
            0 if row.made_at is None else to_milliseconds(row.made_at),
            None if row.user_id is None else row.user_id.hex, row.device_no, label, row.op_id or "", set_, was, erased,
        )  # fmt: skip

    def _labels(self, connection: Connection, org: UUID, devices: set[int]) -> dict[int, str]:
        """The names of devices; that of an erased person's often is theirs, and is not told."""
        device = self._server.tables.device
        query = select(device.c.device_no, device.c.label, device.c.user_id).where(
            device.c.org_id == org, device.c.device_no.in_(devices)
        )
        rows = connection.execute(query).all()
        gone = self._server.people.erased_among(connection, org, {row.user_id for row in rows})
        return {row.device_no: row.label for row in rows if row.user_id not in gone}


def _mark(text: str) -> _At | None:
    if not text:
        return None
    match = _MARK.fullmatch(text)
    if match is None:
        raise Refused("wrong_token")
    return int(match[1]), int(match[2])
