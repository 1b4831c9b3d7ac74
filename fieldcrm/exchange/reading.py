"""Opening a file by what it holds, not by how it is called; and the feed of it under a mapping."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from itertools import islice
from pathlib import Path

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.exchange import databases, delimited, encodings, geojson, guess, headers, knownfiles, osmfile, sheets
from fieldcrm.exchange.feed import TableFeed
from fieldcrm.exchange.mapping import IGNORED, LAMBERT93, MERCATOR, SWAPPED, WGS84, ColumnMap
from fieldcrm.exchange.opened import (
    BANCO,
    CSV,
    GEOJSON,
    GPKG,
    ODS,
    OSM,
    REGION,
    SAMPLE_ROWS,
    SIRENE,
    XLS,
    XLSX,
    Notice,
    Opened,
    Options,
    Rows,
)
from fieldcrm.exchange.rows import RowReader, TakeCustom, padded
from fieldcrm.exchange.values import taker
from fieldcrm.geo.attribution import LICENCE as OSM_LICENCE
from fieldcrm.geo.osm import check_extract

_NOTICES: Mapping[str, str] = {
    SWAPPED: "coordinates_swapped", LAMBERT93: "coordinates_lambert93", MERCATOR: "coordinates_mercator",
}  # fmt: skip
_FOREIGN = (b"%PDF", b"\x89PNG", b"\xff\xd8\xff", b"GIF8", b"\x1f\x8b", b"Rar!", b"7z\xbc\xaf", b"PAR1", b"BZh")
_SAMPLED_UP_TO = 200 << 20  # bytes of an extract whose first outlets are shown: a larger one takes minutes
_SIRENE_LOOKED_AT = 200

Custom = Mapping[str, str]  # key of an own field -> its title


def open_file(path: Path, options: Options | None = None, *, custom: Custom | None = None) -> Opened:
    """Recognise the file and guess its columns. ``custom``: key -> title of the organisation's own fields.

    Raises ``DomainError`` with one clear code (``file_missing``, ``file_empty``, ``file_damaged``, ``file_bomb`` …),
    ``Unavailable("file_unreadable")`` when the disk does not give it.
    """
    asked, own = options or Options(), custom or {}
    size = _size(path)
    kind = _kind(path)
    if kind == CSV:
        return _open_text(path, size, asked, own)
    if kind in (XLSX, ODS, XLS):
        return _open_book(path, kind, size, asked, own)
    if kind == GEOJSON:
        return _open_geojson(path, size, asked, own)
    if kind == GPKG:
        return _open_layer(path, size, asked, own)
    if kind == REGION:
        return _open_region(path, size, asked)
    return _open_extract(path, size, asked)


def feed(
    opened: Opened, columns: ColumnMap, *, zone: str, country: str = "", custom: TakeCustom | None = None
) -> TableFeed:
    """What the file holds as outlets, by ``columns``. Raises ``DomainError`` when the mapping is not complete."""
    reader = RowReader(columns, zone=zone, country=country, custom=custom)
    return TableFeed(
        _rows(opened, columns), reader, source=columns.source or opened.path.stem, licence=columns.licence,
        file=opened.file,
    )  # fmt: skip


def unknown_words(opened: Opened, columns: ColumnMap, field: str) -> tuple[str, ...]:
    """The words of the sample that ``field`` does not know, in the order they come."""
    found: dict[str, None] = {}
    take = taker(field, columns.words.get(field, {}), "")
    for place, target in enumerate(columns.targets):
        if target == field:
            for row in opened.sample:
                try:
                    if row[place]:
                        take(row[place])
                except DomainError:
                    found[row[place].strip()] = None
    return tuple(found)


def _rows(opened: Opened, columns: ColumnMap) -> Rows:
    header_row = opened.options.header_row or 0
    if opened.kind in (CSV, SIRENE, BANCO):
        table = delimited.look(
            opened.path, opened.size, encoding=opened.options.encoding, delimiter=opened.options.delimiter
        )
        rows = delimited.TextRows(opened.path, table, header_row, opened.size)
        if opened.kind == CSV:
            return rows
        theirs = table.first[header_row - 1] if header_row else ()
        return knownfiles.KnownRows(rows, knownfiles.plan(opened.kind, theirs)[1])
    if opened.kind in (XLSX, ODS, XLS):
        book = sheets.Book(opened.path)
        return sheets.SheetRows(book, book.sheet(opened.options.sheet), header_row)
    if opened.kind == GEOJSON:
        return geojson.FeatureRows(opened.path, opened.size, opened.header)
    if opened.kind == GPKG:
        return databases.LayerRows(opened.path, opened.options.sheet or "")
    if opened.kind == REGION:
        return databases.RegionRows(opened.path)
    return osmfile.ExtractRows(opened.path, opened.size, opened.options.trades)


# ---- what it is ----------------------------------------


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
    if head.startswith(databases.MAGIC):
        return databases.kind(path)
    if b"OSMHeader" in head[:64] or path.name.endswith(".pbf"):
        return OSM
    if geojson.looks_like(head):
        return GEOJSON
    if head.startswith(_FOREIGN):
        raise DomainError("file_not_table", file=path.name)
    return CSV


# ---- each kind ----------------------------------------


def _open_text(path: Path, size: int, asked: Options, custom: Custom) -> Opened:
    table = delimited.look(path, size, encoding=asked.encoding, delimiter=asked.delimiter)
    if not any(any(map(str.strip, row)) for row in table.first):
        raise DomainError("file_empty", file=path.name)
    header_row = headers.find(table.first) if asked.header_row is None else asked.header_row
    known = None if table.lines is None else max(0, table.lines - header_row - table.skipped)
    notices = []
    if table.encoding != encodings.UTF8 and asked.encoding is None:
        notices.append(Notice("encoding_recognised", {"encoding": table.encoding}, {"encoding": table.encoding}))
    chosen = replace(asked, encoding=table.encoding, delimiter=table.delimiter, header_row=header_row)
    documented = knownfiles.recognised(table.first[header_row - 1]) if header_row else None
    if documented:
        return _open_documented(path, documented, size, chosen, table, known)
    opened = _opened(path, CSV, chosen, table.first, custom, size, notices)
    return replace(opened, rows=known, bom=table.mark > 0)


def _open_documented(
    path: Path, kind: str, size: int, chosen: Options, table: delimited.Table, known: int | None
) -> Opened:
    header_row = chosen.header_row or 1
    theirs = table.first[header_row - 1]
    columns, make = knownfiles.plan(kind, theirs)
    rows = knownfiles.KnownRows(delimited.TextRows(path, table, header_row, size), make)
    ours = [cells for _, cells in islice(rows, _SIRENE_LOOKED_AT)] if table.first[header_row:] else []
    notices: tuple[Notice, ...] = ()
    if kind == BANCO:  # published in degrees, and in Lambert-93
        guessed = guess.guess(columns.header, ours)
        columns = replace(columns, coordinates=guessed.coordinates)
        notices = _about(guessed.coordinates)
    return _ready(path, kind, chosen, columns, ours, size, rows=known, notices=notices, needs_mapping=False)


def _open_book(path: Path, kind: str, size: int, asked: Options, custom: Custom) -> Opened:
    book = sheets.Book(path)
    sheet = book.sheet(asked.sheet)
    if not sheet.height:
        raise DomainError("sheet_empty", file=path.name, sheet=sheet.name)
    first = sheets.top(sheet, 200)
    header_row = headers.find(first) if asked.header_row is None else asked.header_row
    chosen = replace(asked, sheet=sheet.name, header_row=header_row)
    opened = _opened(path, kind, chosen, first, custom, size, [])
    return replace(opened, sheets=book.sheets, rows=max(0, sheets.last_row(sheet) - header_row))


def _open_geojson(path: Path, size: int, asked: Options, custom: Custom) -> Opened:
    rows = geojson.FeatureRows(path, size)
    sample = [cells for _, cells in islice(rows, SAMPLE_ROWS)]
    if not sample:
        raise DomainError("file_no_rows", file=path.name)
    return _with_geometry(path, GEOJSON, size, asked, custom, rows.header, sample)


def _open_layer(path: Path, size: int, asked: Options, custom: Custom) -> Opened:
    names = databases.layers(path)
    layer = asked.sheet or names[0]
    rows = databases.LayerRows(path, layer)
    sample = [cells for _, cells in islice(rows, SAMPLE_ROWS)]
    if not sample:
        raise DomainError("sheet_empty", file=path.name, sheet=layer)
    opened = _with_geometry(path, GPKG, size, replace(asked, sheet=layer), custom, rows.header, sample)
    return replace(opened, sheets=names, rows=rows.count)


def _with_geometry(
    path: Path, kind: str, size: int, chosen: Options, custom: Custom, header: tuple[str, ...],
    sample: Sequence[Sequence[str]],
) -> Opened:  # fmt: skip
    """The last two columns are the middle of each geometry: where there is one, it is the position."""
    guessed = guess.guess(header, sample, custom)
    targets, confidence = list(guessed.targets), list(guessed.confidence)
    coordinates = guessed.coordinates
    if any(row[-1] for row in sample):
        targets = [IGNORED if target in ("lat", "lon", "position") else target for target in targets]
        targets[-2:], confidence[-2:] = ["lat", "lon"], [1.0, 1.0]
        coordinates = guess.coordinates_of([row[-2] for row in sample], [row[-1] for row in sample])
    columns = ColumnMap(header, tuple(targets), path.stem, coordinates=coordinates)
    opened = _ready(path, kind, chosen, columns, sample, size, notices=_about(coordinates))
    return replace(opened, confidence=tuple(confidence))


def _open_region(path: Path, size: int, asked: Options) -> Opened:
    rows = databases.RegionRows(path)
    columns = ColumnMap(rows.header, rows.header, OSM, OSM_LICENCE)
    sample = [cells for _, cells in islice(rows, SAMPLE_ROWS)]
    return _ready(path, REGION, asked, columns, sample, size, rows=rows.count, needs_mapping=False)


def _open_extract(path: Path, size: int, asked: Options) -> Opened:
    columns = ColumnMap(osmfile.COLUMNS, osmfile.COLUMNS, OSM, OSM_LICENCE)
    rows = osmfile.ExtractRows(path, size, asked.trades)
    if size <= _SAMPLED_UP_TO:
        sample = [cells for _, cells in islice(rows, SAMPLE_ROWS)]
    else:
        check_extract(path)
        sample = []
    return _ready(path, OSM, asked, columns, sample, size, needs_mapping=False)


def _ready(
    path: Path, kind: str, chosen: Options, columns: ColumnMap, sample: Sequence[Sequence[str]], size: int, *,
    rows: int | None = None, notices: tuple[Notice, ...] = (), needs_mapping: bool = True,
) -> Opened:  # fmt: skip
    shown = padded(sample[:SAMPLE_ROWS], len(columns.header))
    sure = (1.0,) * len(columns.header)
    return Opened(
        path, kind, chosen, columns.header, shown, columns, sure, notices=notices, size=size, rows=rows,
        needs_mapping=needs_mapping,
    )  # fmt: skip


def _about(coordinates: str) -> tuple[Notice, ...]:
    if coordinates == WGS84:
        return ()
    return (Notice(_NOTICES[coordinates], {}, {"coordinates": coordinates}),)


def _opened(
    path: Path, kind: str, chosen: Options, first: Sequence[Sequence[str]], custom: Custom, size: int,
    notices: list[Notice],
) -> Opened:  # fmt: skip
    header_row = chosen.header_row or 0
    below = [row for row in first[header_row:] if any(cell.strip() for cell in row)]
    width = max((len(row) for row in below[:SAMPLE_ROWS]), default=0) if not header_row else 0
    header, twice = headers.named(first[header_row - 1] if 0 < header_row <= len(first) else (), width)
    if not header:
        raise DomainError("file_empty", file=path.name)
    if not below:
        raise DomainError("file_no_rows", file=path.name)
    sample = padded(below[:SAMPLE_ROWS], len(header))
    guessed = guess.guess(header, sample, custom)
    found = [*notices, *twice, *_about(guessed.coordinates)]
    if not header_row:
        found.append(Notice("header_missing", {}, {"header_row": 0}))
    columns = ColumnMap(
        header, guessed.targets, source=path.stem, coordinates=guessed.coordinates, decimal=guessed.decimal
    )
    return Opened(
        path, kind, chosen, header, sample, columns, guessed.confidence, notices=tuple(found), size=size
    )
