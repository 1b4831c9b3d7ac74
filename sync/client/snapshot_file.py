"""Reading a prebuilt file that came from a server: nothing in it is believed before it was looked at.

The file lies in memory only, never on the disk: what it holds is personal.
"""

from __future__ import annotations

import hashlib
import re
import sqlite3
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

import zstandard

from sync.catalogue import Catalogue, Collection, Kind
from sync.client.rows import stand_in

MAX_PACKED = 128 * 1024 * 1024  # bytes; a larger bucket comes by the usual pull
MAX_PLAIN = 512 * 1024 * 1024
MAX_ROWS = 5_000_000
FORMAT = 1
_WINDOW = 8 * 1024 * 1024
_PIECE = 64 * 1024
_TABLE = re.compile(r"c([1-9][0-9]{0,4})")
_NUMBERS = frozenset({Kind.INTEGER, Kind.COUNTER, Kind.TIME, Kind.FLAG})
_READS = frozenset({sqlite3.SQLITE_SELECT, sqlite3.SQLITE_READ, sqlite3.SQLITE_FUNCTION, sqlite3.SQLITE_PRAGMA})


class Unusable(Exception):
    """The file is not what was offered, or not what a server of ours makes."""


@dataclass(frozen=True, slots=True)
class Table:
    """One collection in the file; ``collection`` is None when this program does not know it."""

    number: int
    collection: Collection | None
    names: tuple[str, ...]  # of the fields that this program knows
    rows: int


def unpacked(parts: Iterable[bytes], sha256: str) -> bytes:
    """The plain file. Raises ``Unusable``: another hash, not zstd, or more than a device takes."""
    digest = hashlib.sha256()
    worker = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompressobj()
    plain = bytearray()
    try:
        for part in parts:
            digest.update(part)
            for at in range(0, len(part), _PIECE):
                if not worker.eof:
                    plain += worker.decompress(part[at : at + _PIECE])
                if len(plain) > MAX_PLAIN:
                    raise Unusable("too large")
    except zstandard.ZstdError as error:
        raise Unusable("not zstd") from error
    if digest.hexdigest() != sha256 or not worker.eof:
        raise Unusable("another file")
    return bytes(plain)


class SnapshotFile:
    """An open file. ``close`` it when done."""

    def __init__(self, plain: bytes, catalogue: Catalogue, *, bucket: str, rev: int, rows: int) -> None:
        if len(plain) < 512 or not plain.startswith(b"SQLite format 3\x00"):
            raise Unusable("not SQLite")
        self._connection = sqlite3.connect(":memory:", isolation_level=None, check_same_thread=False)
        self._connection.text_factory = _text
        try:
            self._connection.deserialize(plain)
            self._connection.execute("PRAGMA trusted_schema = OFF")
            self._connection.execute("PRAGMA cell_size_check = ON")
            self._connection.set_authorizer(_only_reading)
            self.tables = self._checked(catalogue, bucket, rev, rows)
        except (sqlite3.Error, ValueError, OverflowError, UnicodeError) as error:
            self.close()
            raise Unusable(type(error).__name__) from error
        except Unusable:
            self.close()
            raise

    def close(self) -> None:
        self._connection.close()

    def read(self, table: Table, skip: int) -> Iterator[tuple[Any, ...]]:
        """Rows [id, revision, then ``table.names``], NULLs as ``rows.stand_in`` says; raises ``Unusable``."""
        columns = ["id", "rev"]
        for name in table.names:
            assert table.collection is not None
            null = "''" if stand_in(table.collection.by_name[name].kind) == "" else "0"
            columns.append(f'coalesce("{name}", {null})')
        query = f"SELECT {', '.join(columns)} FROM c{table.number} ORDER BY rowid LIMIT -1 OFFSET ?"
        try:
            yield from self._connection.execute(query, (skip,))
        except (sqlite3.Error, UnicodeError) as error:
            raise Unusable(type(error).__name__) from error

    def _checked(self, catalogue: Catalogue, bucket: str, rev: int, rows: int) -> list[Table]:
        if self._all("PRAGMA quick_check(1)") != [("ok",)]:
            raise Unusable("damaged")
        numbers = []
        for kind, name, sql in self._all("SELECT type, name, sql FROM sqlite_master"):
            match = _TABLE.fullmatch(name)
            plain = kind == "table" and str(sql).startswith(f"CREATE TABLE {name} (")
            if not plain or not (match or name == "about"):
                raise Unusable("not a table of ours")
            numbers += [int(match[1])] if match else []
        if self._all("SELECT format, bucket, rev, rows FROM about") != [(FORMAT, bucket, rev, rows)]:
            raise Unusable("of another bucket")
        tables = [self._table(catalogue, number, rev) for number in sorted(numbers)]
        if sum(table.rows for table in tables) != rows or rows > MAX_ROWS:
            raise Unusable("another number of rows")
        return tables

    def _table(self, catalogue: Catalogue, number: int, rev: int) -> Table:
        columns = self._all(f"PRAGMA table_xinfo(c{number})")
        names = [column[1] for column in columns]
        if names[:2] != ["id", "rev"] or any(column[6] for column in columns):  # hidden, or made up as it is read
            raise Unusable("not the columns of ours")
        collection = catalogue.by_number.get(number)
        known = tuple(name for name in names[2:] if collection is not None and name in collection.by_name)
        wrong = ["typeof(id) <> 'blob' OR length(id) <> 16 OR typeof(rev) <> 'integer' OR rev <= 0 OR rev > ?"]
        for name in known:
            assert collection is not None
            wrong.append(f"typeof(\"{name}\") NOT IN ('null', '{_storage(collection.by_name[name].kind)}')")
        query = f"SELECT count(*), count(DISTINCT id), sum({' OR '.join(wrong)}) FROM c{number}"
        count, different, bad = self._all(query, (rev,))[0]
        if bad or different != count:
            raise Unusable("not the values of ours")
        return Table(number, collection, known, count)

    def _all(self, query: str, values: tuple[Any, ...] = ()) -> list[Any]:
        return self._connection.execute(query, values).fetchall()


def _storage(kind: Kind) -> str:
    if kind is Kind.ID:
        return "blob"
    return "integer" if kind in _NUMBERS else "text"


def _text(raw: bytes) -> str:
    return raw.decode("utf-8")


def _only_reading(action: int, *_: Any) -> int:
    return sqlite3.SQLITE_OK if action in _READS else sqlite3.SQLITE_DENY
