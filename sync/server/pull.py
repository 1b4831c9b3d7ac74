"""What changed for a device since its cursors, page by page, from one snapshot of the database."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec
from sqlalchemy import and_, or_, select

from sync.catalogue import Catalogue
from sync.chunks import chunks
from sync.merge import Entry
from sync.protocol import BucketPage, Digest, Pull
from sync.server.ports import Refused
from sync.server.store import RecordStore

MAX_ROWS = 5000

Mark = tuple[int, int, str]  # revision, collection number, record id: the key of the last row sent


class _Rest(msgspec.Struct):
    """One bucket still to be sent: from ``cursor``, after ``mark``."""

    bucket: str
    cursor: int
    mark: Mark | None = None


class Token(msgspec.Struct):
    """Where a pull stands. It grants nothing: the buckets are checked against the caller at each page."""

    epoch: int
    upto: int
    buckets: list[str]  # of this pull; a right that comes meanwhile is served by the next
    rest: list[_Rest]
    want: int

    def text(self) -> str:
        return base64.urlsafe_b64encode(msgspec.json.encode(self)).decode("ascii")

    @classmethod
    def parse(cls, text: str) -> Token:
        """Raises ``Refused("wrong_token")``."""
        try:
            token = msgspec.json.decode(base64.urlsafe_b64decode(text.encode("ascii")), type=cls)
            marks = [rest.mark for rest in token.rest if rest.mark is not None]
            numbers = [token.upto, *(rest.cursor for rest in token.rest), *(n for mark in marks for n in mark[:2])]
            fits = 0 < token.want <= MAX_ROWS and all(0 <= number < 2**63 for number in numbers)
            for _, _, id in marks:
                UUID(hex=id)
        except (ValueError, RecursionError, msgspec.MsgspecError):
            raise Refused("wrong_token") from None
        if not fits:  # it came back through other hands: nothing that we did not write into it
            raise Refused("wrong_token")
        return token


def first_token(epoch: int, upto: int, held: frozenset[str], cursors: Mapping[str, int], want: int) -> Token:
    rest = [_Rest(bucket, cursors.get(bucket, 0)) for bucket in sorted(held) if cursors.get(bucket, 0) < upto]
    return Token(epoch, upto, sorted(held), rest, max(1, min(want, MAX_ROWS)))


def page(store: RecordStore, token: Token, held: frozenset[str], asked: Sequence[str]) -> Pull:
    """The next page after ``token``; ``asked``: buckets the device says it holds, to drop those no longer its own."""
    left = token.want
    pages: list[BucketPage] = []
    rest = [r for r in token.rest if r.bucket in held]
    while rest and left > 0:
        current = rest[0]
        entries = _entries(store, current, token.upto, left)
        if entries:
            pages.append(_bucket_page(store, current.bucket, entries))
        if len(entries) < left:
            rest.pop(0)
        else:
            rev, collection, id, _ = entries[-1]
            rest[0] = _Rest(current.bucket, current.cursor, (rev, collection, id.hex))
        left -= len(entries)
    more = bool(rest)
    used = {number for p in pages for number in p.put}
    return Pull(
        token.upto,
        pages,
        columns(store.catalogue, used),
        sorted(set(asked) - held),
        [bucket for bucket in token.buckets if bucket in held],
        more,
        Token(token.epoch, token.upto, token.buckets, rest, token.want).text() if more else None,
    )


def columns(catalogue: Catalogue, numbers: set[str]) -> dict[str, list[str]]:
    return {n: list(catalogue.by_number[int(n)].field_names) for n in sorted(numbers, key=int)}


def _entries(store: RecordStore, rest: _Rest, upto: int, limit: int) -> list[tuple[int, int, UUID, int]]:
    """By (revision, collection, id), which is unique: a boundary between equal revisions drops nothing."""
    table = store.tables.bucket_row
    where = [table.c.org_id == store.org, table.c.bucket == rest.bucket, table.c.rev > rest.cursor, table.c.rev <= upto]
    if rest.cursor == 0:
        where.append(table.c.entry == int(Entry.PUT))  # a device that holds nothing has nothing to forget
    if rest.mark is not None:
        rev, collection, id = rest.mark
        after_id = and_(table.c.collection == collection, table.c.id > UUID(hex=id))
        where.append(table.c.rev >= rev)
        where.append(or_(table.c.rev > rev, and_(table.c.rev == rev, or_(table.c.collection > collection, after_id))))
    query = (
        select(table.c.rev, table.c.collection, table.c.id, table.c.entry)
        .where(*where)
        .order_by(table.c.rev, table.c.collection, table.c.id)
        .limit(limit)
    )
    return [(rev, collection, id, entry) for rev, collection, id, entry in store.connection.execute(query)]


def _bucket_page(store: RecordStore, bucket: str, entries: Sequence[tuple[int, int, UUID, int]]) -> BucketPage:
    said: dict[int, dict[int, list[UUID]]] = {int(e): defaultdict(list) for e in Entry}
    for _, collection, id, entry in entries:
        said[entry][collection].append(id)
    put: dict[str, list[list[Any]]] = {}
    for number, ids in said[Entry.PUT].items():
        rows = store.rows(store.catalogue.by_number[number], ids)
        put[str(number)] = [rows[id] for id in ids if id in rows]
    return BucketPage(bucket, put, _hex(said[Entry.REVOKE]), _hex(said[Entry.GONE]))


def _hex(ids: Mapping[int, Sequence[UUID]]) -> dict[str, list[str]]:
    return {str(number): [id.hex for id in some] for number, some in ids.items()}


def digests(store: RecordStore, held: frozenset[str]) -> dict[str, Digest]:
    """The digest of every bucket held; one that never had a row has the digest of nothing."""
    table = store.tables.digest
    found = dict.fromkeys(held, Digest(0, f"{0:016x}"))
    names = sorted(held)
    for some in chunks(names):
        query = select(table.c.bucket, table.c.rows, table.c.sum).where(
            table.c.org_id == store.org, table.c.bucket.in_(some)
        )
        found.update((bucket, Digest(rows, text)) for bucket, rows, text in store.connection.execute(query))
    return found
