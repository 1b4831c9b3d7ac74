"""What changed for a device since its cursors, page by page, from one snapshot of the database."""

from __future__ import annotations

import base64
from collections import defaultdict
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import UUID

import msgspec

from sync.catalogue import Catalogue
from sync.chunks import chunks
from sync.merge import Entry
from sync.protocol import BucketPage, Digest, Pull
from sync.server.bulk import Row, fetch, id_of, mark, one_of
from sync.server.ports import Refused
from sync.server.store import RawId, RecordStore, hex_of

MAX_ROWS = 5000

_Entry = Row  # revision, collection number, id as the driver gives it, what the bucket says

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
            fits = fits and len({rest.bucket for rest in token.rest}) == len(token.rest)  # each is a question
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
            rest[0] = _Rest(current.bucket, current.cursor, (rev, collection, hex_of(id)))
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


def _entries(store: RecordStore, rest: _Rest, upto: int, limit: int) -> list[_Entry]:
    """By (revision, collection, id), which is unique: a boundary between equal revisions drops nothing."""
    sign = mark(store.connection)
    statement = (
        f"SELECT rev, collection, id, entry FROM bucket_row WHERE org_id = {sign} AND bucket = {sign} "
        f"AND rev > {sign} AND rev <= {sign}"
    )
    parameters = [id_of(store.connection, store.org), rest.bucket, rest.cursor, upto]
    if rest.cursor == 0:  # a device that holds nothing has nothing to forget
        statement += f" AND entry = {int(Entry.PUT)}"
    if rest.mark is not None:
        rev, collection, id = rest.mark
        statement += f" AND rev >= {sign} AND (rev, collection, id) > ({sign}, {sign}, {sign})"
        parameters += [rev, rev, collection, id_of(store.connection, UUID(hex=id))]
    statement += f" ORDER BY rev, collection, id LIMIT {sign}"
    return fetch(store.connection, statement, [*parameters, limit])


def _bucket_page(store: RecordStore, bucket: str, entries: Sequence[_Entry]) -> BucketPage:
    said: dict[int, dict[int, list[RawId]]] = {int(e): defaultdict(list) for e in Entry}
    for _, collection, raw, entry in entries:
        said[entry][collection].append(raw)
    put: dict[str, list[list[Any]]] = {}
    for number, ids in said[Entry.PUT].items():
        collection, found = store.catalogue.by_number[number], put.setdefault(str(number), [])
        for some in chunks(ids):
            rows = store.wire_rows(collection, some)
            found += [rows[raw] for raw in some if raw in rows]
    return BucketPage(bucket, put, _hex(said[Entry.REVOKE]), _hex(said[Entry.GONE]))


def _hex(ids: Mapping[int, Sequence[RawId]]) -> dict[str, list[str]]:
    return {str(number): [hex_of(raw) for raw in some] for number, some in ids.items()}


def digests(store: RecordStore, held: frozenset[str]) -> dict[str, Digest]:
    """The digest of every bucket held; one that never had a row has the digest of nothing."""
    found = dict.fromkeys(sorted(held), Digest(0, f"{0:016x}"))
    for some in chunks(sorted(held)):
        these, names = one_of(store.connection, "bucket", some)
        statement = (
            f'SELECT bucket, "rows", "sum" FROM bucket_digest WHERE org_id = {mark(store.connection)} AND {these}'
        )
        answer = fetch(store.connection, statement, [id_of(store.connection, store.org), *names])
        found.update((bucket, Digest(rows, text)) for bucket, rows, text in answer)
    return found
