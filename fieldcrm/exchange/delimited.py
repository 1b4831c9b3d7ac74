"""Text tables: CSV with any delimiter and encoding, as French and English spreadsheets and databases write them."""

from __future__ import annotations

import csv
import io
import re
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import chain
from pathlib import Path

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.exchange import encodings
from fieldcrm.exchange.opened import BROKEN_OFF, Row, Rows

DELIMITERS = (";", ",", "\t", "|")
COLUMNS = 1_000  # more is no list of outlets
LONGEST_CELL = 131_072  # what the csv module takes; the domain's longest text is far below
_HEAD = 256 << 10  # bytes by which a file is judged
_CONTROLS = re.compile("[\x00-\x08\x0e-\x1f]")
_END = "\ue000end\ue000"


@dataclass(frozen=True, slots=True)
class Table:
    """How a text table is to be read. ``first``: its first lines, as cells, the header among them."""

    encoding: str
    mark: int
    delimiter: str
    skipped: int  # lines before the first: "sep=;"
    first: tuple[tuple[str, ...], ...]
    lines: int | None


def look(path: Path, size: int, *, encoding: str | None = None, delimiter: str | None = None) -> Table:
    """Recognise what was not said. Raises ``file_encoding_unknown``, ``file_not_table``, ``file_cell_too_long``."""
    text = encodings.recognise(path, size)
    chosen = encoding or text.encoding
    mark = text.mark if chosen == text.encoding else 0
    head, complete = _head(path, chosen, mark, size)
    if len(_CONTROLS.findall(head)) > max(20, len(head) // 50):
        raise DomainError("file_not_table", file=path.name)
    skipped = 0
    if head[:4].lower() == "sep=" and head[4:5]:
        delimiter = delimiter or head[4]
        head = head.partition("\n")[2]
        skipped = 1
    lines = head.splitlines(keepends=True)
    if not complete and len(lines) > 1:
        lines.pop()  # cut anywhere
    separator = delimiter or _delimiter(lines)
    first = _parsed(lines[:200], separator, path)
    if any(len(row) > COLUMNS for row in first):
        raise DomainError("file_too_many_columns", file=path.name, limit=COLUMNS)
    known = None if text.counted < size else max(text.lines, 1)
    return Table(chosen, mark, separator, skipped, tuple(tuple(row) for row in first), known)


def _head(path: Path, encoding: str, mark: int, size: int) -> tuple[str, bool]:
    try:
        with path.open("rb") as file:
            file.seek(mark)
            raw = file.read(_HEAD)
        return _decoded(raw, encoding), size <= _HEAD
    except LookupError as error:
        raise DomainError("file_encoding_unknown", file=path.name, encoding=encoding) from error
    except OSError as error:
        raise Unavailable("file_unreadable", path=path.name, reason=error.strerror or str(error)) from error


def _decoded(raw: bytes, encoding: str) -> str:
    if encoding.startswith(("utf-16", "utf-32")):
        width = 2 if "16" in encoding else 4
        raw = raw[: len(raw) - len(raw) % width]
        return raw.decode(encoding, "replace")
    return raw.decode(encoding, "surrogateescape" if encoding == encodings.UTF8 else "replace")


def _parsed(lines: list[str], delimiter: str, path: Path) -> list[list[str]]:
    reader = csv.reader(lines, delimiter=delimiter)
    rows: list[list[str]] = []
    try:
        for row in reader:
            rows.append(row)
    except csv.Error as error:
        raise DomainError("file_cell_too_long", file=path.name, row=len(rows) + 1, limit=LONGEST_CELL) from error
    return rows


def _delimiter(lines: list[str]) -> str:
    """The one that cuts most lines into the same number of cells, more cells before fewer."""
    best, merit = ";", (0.0, 0)
    for delimiter in DELIMITERS:
        counts: Counter[int] = Counter()
        try:
            for row in csv.reader(lines[:200], delimiter=delimiter):
                if row:
                    counts[len(row)] += 1
        except csv.Error:
            continue
        counts.pop(1, None)
        if not counts:
            continue
        columns, agreed = max(counts.items(), key=lambda item: (item[1], item[0]))
        share = agreed / max(1, sum(1 for line in lines[:200] if line.strip()))
        # A comma cuts prose and French decimals too: what agrees on all lines wins, then what makes more columns.
        found = (round(min(share, 1.0), 1), columns)
        if found > merit:
            best, merit = delimiter, found
    return best


class TextRows(Rows):
    """The rows of a text table below ``header_row`` (0: there is none, all are rows)."""

    def __init__(self, path: Path, table: Table, header_row: int, size: int) -> None:
        self._path, self._table, self._size = path, table, max(size, 1)
        self._header_row = header_row
        self._raw: io.FileIO | None = None

    def __iter__(self) -> Iterator[Row]:
        table = self._table
        broken = "surrogateescape" if table.encoding == encodings.UTF8 else "strict"
        at = 0
        try:
            with io.FileIO(self._path) as raw:
                self._raw = raw
                raw.seek(table.mark)
                text = io.TextIOWrapper(
                    io.BufferedReader(raw, 1 << 18), encoding=table.encoding, errors=broken, newline=""
                )
                ended: list[bool] = []
                reader = csv.reader(chain(text, _sentinel(ended)), delimiter=table.delimiter)
                for _ in range(table.skipped + self._header_row):
                    next(reader, None)
                first = table.skipped + self._header_row + 1
                held: Row | None = None
                cut = self.cut_short()
                for at, cells in enumerate(reader, first):
                    if ended and self._end(at, cells):
                        break
                    if not cut:
                        yield at, cells
                        continue
                    if held is not None:
                        yield held
                    held = at, cells
                if held is not None:
                    yield self._last(*held)
        except csv.Error as error:
            row = at + 1 if at else table.skipped + self._header_row + 1
            raise DomainError("file_cell_too_long", file=self._path.name, row=row, limit=LONGEST_CELL) from error
        except UnicodeError as error:
            name = self._path.name
            raise DomainError("file_encoding_wrong", file=name, row=at + 1, encoding=table.encoding) from error
        except OSError as error:
            raise Unavailable("file_unreadable", path=self._path.name, reason=error.strerror or str(error)) from error

    def _end(self, row: int, cells: list[str]) -> bool:
        """Whether the file ended well: otherwise the last cell was never closed."""
        if cells == [_END]:
            return True
        if cells and cells[-1].endswith(_END):
            raise DomainError("file_quote_open", file=self._path.name, row=row, column=len(cells))
        return False

    def _last(self, row: int, cells: list[str]) -> Row:
        """The last row of a file without a last line end: when cells are missing, the file broke off in it."""
        width = len(self._table.first[self._header_row - 1]) if self._header_row else 0
        if not cells or len(cells) >= width:
            return row, cells
        return row, [*cells, *[""] * (width - len(cells)), BROKEN_OFF]

    def position(self) -> float:
        raw = self._raw
        if raw is None:
            return 0.0
        return 1.0 if raw.closed else min(1.0, raw.tell() / self._size)

    def cut_short(self) -> bool:
        """Whether the file's last line has no end, as when a download broke off."""
        with self._path.open("rb") as file:
            file.seek(0, io.SEEK_END)
            if not file.tell():
                return False
            file.seek(-1, io.SEEK_END)
            return file.read(1) not in b"\r\n\x00"


def _sentinel(ended: list[bool]) -> Iterator[str]:
    """A last line of our own: if a quote is still open, it ends up within a cell."""
    ended.append(True)
    yield _END
