"""Opening a file by what it holds, not by how it is called; and the feed of it under a mapping."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.intake import Feed
from fieldcrm.exchange import delimited, encodings, guess, headers, sheets
from fieldcrm.exchange.feed import TableFeed
from fieldcrm.exchange.mapping import LAMBERT93, MERCATOR, SWAPPED, WGS84, ColumnMap
from fieldcrm.exchange.opened import CSV, ODS, SAMPLE_ROWS, XLS, XLSX, Notice, Opened, Options
from fieldcrm.exchange.rows import RowReader, TakeCustom, padded
from fieldcrm.exchange.values import taker

_NOTICES: Mapping[str, str] = {
    SWAPPED: "coordinates_swapped", LAMBERT93: "coordinates_lambert93", MERCATOR: "coordinates_mercator",
}  # fmt: skip


def open_file(path: Path, options: Options | None = None, *, custom: Mapping[str, str] | None = None) -> Opened:
    """Recognise the file and guess its columns. ``custom``: key -> title of the organisation's own fields.

    Raises ``DomainError`` with one clear code (``file_missing``, ``file_empty``, ``file_damaged``, ``file_bomb`` …),
    ``Unavailable("file_unreadable")`` when the disk does not give it.
    """
    asked = options or Options()
    size = _size(path)
    kind = _kind(path)
    if kind == CSV:
        return _open_text(path, size, asked, custom or {})
    return _open_book(path, kind, size, asked, custom or {})


def feed(
    opened: Opened, columns: ColumnMap, *, zone: str, country: str = "", custom: TakeCustom | None = None
) -> Feed:
    """What the file holds as outlets, by ``columns``. Raises ``DomainError`` when the mapping is not complete."""
    reader = RowReader(columns, zone=zone, country=country, custom=custom)
    header_row = opened.options.header_row or 0
    rows: delimited.TextRows | sheets.SheetRows
    if opened.kind == CSV:
        table = delimited.look(
            opened.path, opened.size, encoding=opened.options.encoding, delimiter=opened.options.delimiter
        )
        rows = delimited.TextRows(opened.path, table, header_row, opened.size)
    else:
        book = sheets.Book(opened.path)
        rows = sheets.SheetRows(book, book.sheet(opened.options.sheet), header_row)
    source = columns.source or opened.path.stem
    return TableFeed(rows, reader, source=source, licence=columns.licence, file=opened.file)


def _size(path: Path) -> int:
    try:
        if not path.is_file():
            raise DomainError("file_missing", file=path.name)
        size = path.stat().st_size
    except OSError as error:
        raise Unavailable("file_unreadable", path=path.name, reason=error.strerror or str(error)) from error
    if not size:
        raise DomainError("file_empty", file=path.name)
    return size


def _kind(path: Path) -> str:
    try:
        with path.open("rb") as file:
            head = file.read(4096)
    except OSError as error:
        raise Unavailable("file_unreadable", path=path.name, reason=error.strerror or str(error)) from error
    if head.startswith(b"PK\x03\x04"):
        return ODS if b"opendocument.spreadsheet" in head[:200] else XLSX
    if head.startswith(b"\xd0\xcf\x11\xe0"):
        return XLS
    if head.startswith((b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf")):
        raise DomainError("file_not_table", file=path.name)
    return CSV


def _open_text(path: Path, size: int, asked: Options, custom: Mapping[str, str]) -> Opened:
    table = delimited.look(path, size, encoding=asked.encoding, delimiter=asked.delimiter)
    if not any(any(map(str.strip, row)) for row in table.first):
        raise DomainError("file_empty", file=path.name)
    header_row = headers.find(table.first) if asked.header_row is None else asked.header_row
    known = None if table.lines is None else max(0, table.lines - header_row - table.skipped)
    notices = []
    if table.encoding not in (encodings.UTF8,) and asked.encoding is None:
        notices.append(Notice("encoding_recognised", {"encoding": table.encoding}, {"encoding": table.encoding}))
    chosen = replace(asked, encoding=table.encoding, delimiter=table.delimiter, header_row=header_row)
    opened = _opened(path, CSV, chosen, table.first, custom, size, notices)
    return replace(opened, rows=known, bom=table.mark > 0)


def _open_book(path: Path, kind: str, size: int, asked: Options, custom: Mapping[str, str]) -> Opened:
    book = sheets.Book(path)
    sheet = book.sheet(asked.sheet)
    if not sheet.height:
        raise DomainError("sheet_empty", file=path.name, sheet=sheet.name)
    first = sheets.top(sheet, 200)
    header_row = headers.find(first) if asked.header_row is None else asked.header_row
    chosen = replace(asked, sheet=sheet.name, header_row=header_row)
    opened = _opened(path, kind, chosen, first, custom, size, [])
    return replace(opened, sheets=book.sheets, rows=max(0, sheet.total_height - header_row))


def _opened(
    path: Path, kind: str, chosen: Options, first: tuple[tuple[str, ...], ...] | list[list[str]],
    custom: Mapping[str, str], size: int, notices: list[Notice],
) -> Opened:  # fmt: skip
    header_row = chosen.header_row or 0
    below = [row for row in first[header_row:] if any(cell.strip() for cell in row)]
    width = max((len(row) for row in below[:SAMPLE_ROWS]), default=0) if not header_row else 0
    header, twice = headers.named(first[header_row - 1] if header_row else (), width)
    if not header:
        raise DomainError("file_empty", file=path.name)
    if not below:
        raise DomainError("file_no_rows", file=path.name)
    sample = padded(below[:SAMPLE_ROWS], len(header))
    notices += twice
    if not header_row:
        notices.append(Notice("header_missing", {}, {"header_row": 0}))
    guessed = guess.guess(header, sample, custom)
    if guessed.coordinates != WGS84:
        notices.append(Notice(_NOTICES[guessed.coordinates], {}, {"coordinates": guessed.coordinates}))
    columns = ColumnMap(
        header, guessed.targets, source=path.stem, coordinates=guessed.coordinates, decimal=guessed.decimal
    )
    return Opened(
        path, kind, chosen, header, sample, columns, guessed.confidence, notices=tuple(notices), size=size
    )


def unknown_words(opened: Opened, columns: ColumnMap, field: str) -> tuple[str, ...]:
    """The words of the sample that ``field`` does not know, in the order they come."""
    found: dict[str, None] = {}
    take = taker(field, columns.words.get(field, {}), "")
    for place, target in enumerate(columns.targets):
        if target == field:
            for row in opened.sample:
                try:
                    take(row[place]) if row[place] else None
                except DomainError:
                    found[row[place].strip()] = None
    return tuple(found)
