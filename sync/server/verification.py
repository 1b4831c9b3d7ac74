"""Finding the rows in which a device and the server differ, and sending just those again.

Sums of 256 parts of a bucket tell where to look; of a part that differs the server names every record it has there.
Nothing is said of a bucket that the caller may not hold.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterator, Mapping
from datetime import datetime
from uuid import UUID

from sqlalchemy import Connection, and_, func, or_, select

from sync.catalogue import Collection
from sync.columns import to_milliseconds
from sync.digest import PARTS, row_sum_of, to_hex
from sync.merge import Entry
from sync.protocol import BucketPage, Pull, RowsRequest, SyncResponse, VerifyAnswer, VerifyRequest
from sync.server import pull as pulling
from sync.server.database import reading
from sync.server.engine import SyncServer
from sync.server.hello import OrgState, org_state
from sync.server.ports import Caller, Refused
from sync.server.store import RecordStore

MAX_NAMED = 20_000  # records in one answer; the other parts are asked about again
MAX_ROWS = 2_000  # sent again in one answer
_SUM = re.compile(r"[0-9a-f]{16}")
_MARK = re.compile(r"([0-9]{1,5}):([0-9a-f]{32})")
_NO_ID = UUID(int=0)

Named = tuple[int, str, int]  # collection, id, revision


class Verification:
    """One per server; safe to call from several threads."""

    def __init__(self, server: SyncServer) -> None:
        self._server = server

    def verify(self, caller: Caller, request: VerifyRequest) -> VerifyAnswer:
        """The parts whose sums are not those of the server, with what is there.

        Raises ``Refused``: "sums_wrong", "out_of_scope".
        """
        if len(request.sums) != PARTS or not all(_SUM.fullmatch(text) for text in request.sums):
            raise Refused("sums_wrong", parts=PARTS)
        with reading(self._server.engine) as connection:
            state = self._allowed(connection, caller, request.bucket)
            if request.epoch != state.epoch:
                return VerifyAnswer(state.epoch, state.last_rev, "epoch")
            if self._newest(connection, caller.org, request.bucket) > request.cursor:
                return VerifyAnswer(state.epoch, state.last_rev)
            parts: list[list[Named]] = [[] for _ in range(PARTS)]
            sums = [0] * PARTS
            for collection, id, rev in self._held(connection, caller.org, request.bucket):
                part = id.bytes[-1]
                parts[part].append((collection, id.hex, rev))
                sums[part] += row_sum_of(collection, id.bytes, rev)
        differ = [part for part in range(PARTS) if to_hex(sums[part]) != request.sums[part]]
        return VerifyAnswer(state.epoch, request.cursor, parts=_named(parts, differ))

    def rows(self, caller: Caller, request: RowsRequest, *, now: datetime) -> SyncResponse:
        """Records of one bucket again; those that are not in it are passed over.

        Raises ``Refused``: "too_many_rows", "wrong_id", "unknown_collection", "out_of_scope", "wrong_token".
        """
        if request.fields:
            return self._having(caller, request, now)
        wanted = _wanted(request)
        server, catalogue = self._server, self._server.catalogue
        with reading(server.engine) as connection:
            state = self._allowed(connection, caller, request.bucket)
            if request.epoch != state.epoch:
                return SyncResponse(state.epoch, "epoch", server_time=to_milliseconds(now))
            store = RecordStore(connection, catalogue, server.tables, caller.org)
            put: dict[str, list[list[object]]] = {}
            for number, ids in wanted.items():
                collection = catalogue.by_number.get(number)
                if collection is None:
                    raise Refused("unknown_collection", collection=number)
                places = store.places((collection.name, id) for id in ids)
                here = [id for (_, id), buckets in places.items() if request.bucket in buckets]
                put[str(number)] = list(store.rows(collection, sorted(here)).values())
            cols = pulling.columns(catalogue, set(put))
        page = Pull(0, [BucketPage(request.bucket, put)], cols)
        return SyncResponse(state.epoch, pull=page, server_time=to_milliseconds(now))

    def _having(self, caller: Caller, request: RowsRequest, now: datetime) -> SyncResponse:
        """The next page of the records in which one of the named fields is set; unknown ones have no record."""
        number, after = _mark(request.after)
        server = self._server
        with reading(server.engine) as connection:
            state = self._allowed(connection, caller, request.bucket)
            if request.epoch != state.epoch:
                return SyncResponse(state.epoch, "epoch", server_time=to_milliseconds(now))
            store = RecordStore(connection, server.catalogue, server.tables, caller.org)
            put: dict[str, list[list[object]]] = {}
            left, token = MAX_ROWS, None
            for collection in server.catalogue.collections:
                asked = dict.fromkeys(request.fields.get(str(collection.number), ()))  # each name once
                names = [name for name in asked if name in collection.by_name]
                if collection.number < number or not names or left <= 0:
                    continue
                first = after if collection.number == number else _NO_ID
                ids = self._with(connection, caller.org, request.bucket, collection, names, first, left)
                if ids:
                    put[str(collection.number)] = list(store.rows(collection, ids).values())
                left -= len(ids)
                if left <= 0:
                    token = f"{collection.number}:{ids[-1].hex}"
            cols = pulling.columns(server.catalogue, set(put))
        page = Pull(0, [BucketPage(request.bucket, put)], cols, more=token is not None, token=token)
        return SyncResponse(state.epoch, pull=page, server_time=to_milliseconds(now))

    def _with(
        self,
        connection: Connection,
        org: UUID,
        bucket: str,
        collection: Collection,
        names: list[str],
        after: UUID,
        limit: int,
    ) -> list[UUID]:
        place, table = self._server.tables.bucket_row, self._server.tables.records[collection.name]
        query = (
            select(table.c.id)
            .select_from(place.join(table, and_(table.c.org_id == place.c.org_id, table.c.id == place.c.id)))
            .where(
                place.c.org_id == org,
                table.c.org_id == org,
                place.c.bucket == bucket,
                place.c.collection == collection.number,
                place.c.entry == int(Entry.PUT),
                place.c.id > after,
                or_(*(table.c[name].is_not(None) for name in names)),
            )
            .order_by(place.c.id)
            .limit(limit)
        )
        return list(connection.execute(query).scalars())

    def _allowed(self, connection: Connection, caller: Caller, bucket: str) -> OrgState:
        if bucket not in self._server.hooks.visible(connection, caller):
            raise Refused("out_of_scope")
        return org_state(connection, self._server.tables, caller.org)

    def _newest(self, connection: Connection, org: UUID, bucket: str) -> int:
        table = self._server.tables.bucket_row
        query = select(func.max(table.c.rev)).where(table.c.org_id == org, table.c.bucket == bucket)
        return int(connection.execute(query).scalar_one() or 0)

    def _held(self, connection: Connection, org: UUID, bucket: str) -> Iterator[tuple[int, UUID, int]]:
        table = self._server.tables.bucket_row
        query = select(table.c.collection, table.c.id, table.c.rev).where(
            table.c.org_id == org, table.c.bucket == bucket, table.c.entry == int(Entry.PUT)
        )
        for row in connection.execute(query):
            yield row[0], row[1], row[2]


def _mark(text: str) -> tuple[int, UUID]:
    """Raises ``Refused("wrong_token")``."""
    if not text:
        return 0, _NO_ID
    match = _MARK.fullmatch(text)
    if match is None:
        raise Refused("wrong_token")
    return int(match[1]), UUID(hex=match[2])


def _named(parts: list[list[Named]], differ: list[int]) -> dict[str, list[Named]]:
    named: dict[str, list[Named]] = {}
    count = 0
    for part in differ:
        if named and count + len(parts[part]) > MAX_NAMED:
            break
        named[f"{part:02x}"] = parts[part]
        count += len(parts[part])
    return named


def _wanted(request: RowsRequest) -> Mapping[int, set[UUID]]:
    if sum(len(ids) for ids in request.ids.values()) > MAX_ROWS:
        raise Refused("too_many_rows", maximum=MAX_ROWS)
    wanted: dict[int, set[UUID]] = defaultdict(set)
    for number, ids in request.ids.items():
        if not (number.isascii() and number.isdigit() and len(number) <= 5):
            raise Refused("unknown_collection", collection=number[:20])
        for id in ids:
            try:
                if len(id) != 32:
                    raise ValueError(id)
                wanted[int(number)].add(UUID(hex=id))
            except ValueError:
                raise Refused("wrong_id") from None
    return wanted
