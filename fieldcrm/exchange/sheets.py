"""Workbooks: XLSX, XLS and ODS, read by python-calamine after their size was looked at.

calamine holds a sheet as a whole rectangle: a cell far out, or a cell repeated a million times, could take all memory
before it says a word. So what the archive really unpacks to, and the rectangle its cells span, are measured first.
"""

from __future__ import annotations

import re
import zipfile
import zlib
from collections.abc import Iterator
from datetime import date, datetime, time
from pathlib import Path
from typing import Any

from python_calamine import CalamineError, CalamineSheet, CalamineWorkbook, PasswordError

from fieldcrm.domain.errors import DomainError
from fieldcrm.exchange.opened import Row, Rows

SHEET_ROWS = 1_048_576  # what Excel and LibreOffice take
SHEET_CELLS = 30_000_000  # of the rectangle that the cells span: about 1 GB in memory
UNPACKED = 1_500_000_000  # bytes of all the parts of a workbook
RATIO = 400  # unpacked to packed: a sheet of repeated numbers reaches 60
_CHUNK = 1 << 20
# A place is one wherever an attribute says it, however it is written: whoever wants to hide a cell far out may put a
# ">" into another attribute, spaces around the sign, or the sheet into another folder of the archive.
_CELL = re.compile(rb'[\s"\']r\s*=\s*["\']([A-Za-z]{1,20})([0-9]+)["\']')
_ROW = re.compile(rb'[\s"\']r\s*=\s*["\']([0-9]+)["\']')
_CELL_ANY = re.compile(rb"<(?:[^\s<>/]+:)?c[\s>/]")
_ROW_ANY = re.compile(rb"<(?:[^\s<>/]+:)?row[\s>/]")
_SHEET = b"sheetData"  # without this element calamine finds no cell
_REPEATED_ROWS = re.compile(rb'number-rows-repeated\s*=\s*["\']([^"\']*)["\']')
_REPEATED_CELLS = re.compile(rb'number-columns-repeated\s*=\s*["\']([^"\']*)["\']')
_SAID = rb"""((?:[^<>"'/]|/(?!>)|"[^"]*"|'[^']*')*)"""  # the attributes of an element, whatever they hold
_ODS_ROW = re.compile(
    rb"<table:table-row\b" + _SAID + rb"(?:/>|>(.*?)</table:table-row\s*>)", re.DOTALL
)
_ODS_CELL = re.compile(
    rb"<table:(?:covered-)?table-cell\b" + _SAID + rb"(?:/>|>(.*?)</table:(?:covered-)?table-cell\s*>)", re.DOTALL
)
_EXPANDED = 1 << 40


class Book:
    """An opened workbook; ``sheets`` in their order, those that hold no cells left out."""

    def __init__(self, path: Path) -> None:
        self.path = path
        with path.open("rb") as file:
            packed = file.read(4) == b"PK\x03\x04"
        if packed:
            _measure(path)
        try:
            self._book = CalamineWorkbook.from_path(str(path))
        except PasswordError as error:
            raise DomainError("file_password", file=path.name) from error
        except (CalamineError, OSError, ValueError) as error:
            raise DomainError("file_damaged", file=path.name, detail=str(error)[:120]) from error
        self.sheets = tuple(self._book.sheet_names)
        if not self.sheets:
            raise DomainError("file_empty", file=path.name)

    def sheet(self, name: str | None) -> CalamineSheet:
        """The sheet, or without a name the first that holds something."""
        if name is not None and name not in self.sheets:
            raise DomainError("sheet_unknown", file=self.path.name, sheet=name)
        try:
            if name is not None:
                return self._book.get_sheet_by_name(name)
            for candidate in self.sheets:
                found = self._book.get_sheet_by_name(candidate)
                if found.height:
                    return found
        except (CalamineError, ValueError, OverflowError) as error:
            raise DomainError("file_damaged", file=self.path.name, detail=str(error)[:120]) from error
        raise DomainError("file_empty", file=self.path.name)


class SheetRows(Rows):
    """The rows of a sheet below its header row (0: none)."""

    def __init__(self, book: Book, sheet: CalamineSheet, header_row: int) -> None:
        self._book, self._sheet, self._header_row = book, sheet, header_row
        self._read = 0

    def __iter__(self) -> Iterator[Row]:
        self._read = 0
        # Rows above the first cell are not in the sheet; they still count for a person.
        start = (self._sheet.start or (0, 0))[0]
        for number, cells in enumerate(self._sheet.iter_rows(), start + 1):
            self._read = number
            if number > self._header_row:
                yield number, [cell if type(cell) is str else shown(cell) for cell in cells]

    def position(self) -> float:
        return min(1.0, self._read / max(1, last_row(self._sheet)))


def shown(cell: Any) -> str:
    """A cell as a person would type it: whole numbers without a point, dates as ISO 8601 writes them."""
    if cell is None:
        return ""
    if isinstance(cell, bool):
        return "1" if cell else "0"
    if isinstance(cell, float):
        return str(int(cell)) if cell.is_integer() and abs(cell) < 1e17 else repr(cell)
    if isinstance(cell, datetime):
        return cell.date().isoformat() if cell.time() == time.min else cell.isoformat(" ")
    if isinstance(cell, date | time):
        return cell.isoformat()
    return str(cell)


def last_row(sheet: CalamineSheet) -> int:
    """The number of the last row that holds something, as a person counts."""
    return int((sheet.start or (0, 0))[0] + sheet.height)


def top(sheet: CalamineSheet, rows: int) -> list[list[str]]:
    """The first rows of the sheet, as a person counts them: those above its first cell are empty."""
    start = (sheet.start or (0, 0))[0]
    above: list[list[str]] = [[] for _ in range(min(start, rows))]
    found = sheet.to_python(skip_empty_area=True, nrows=max(0, rows - len(above)))
    return above + [[shown(cell) for cell in row] for row in found]


# ---- measuring before reading ---------------------------------------------------------------------------------------


def _measure(path: Path) -> None:
    """Unpack every part once, counting: bytes against ``UNPACKED``, and the rectangle of each sheet."""
    try:
        with zipfile.ZipFile(path) as archive:
            names = archive.namelist()
            if not any(name in ("content.xml", "[Content_Types].xml") or name.startswith("xl/") for name in names):
                raise DomainError("file_zipped", file=path.name)
            if any(name.lower() == "xl/workbook.bin" for name in names):
                raise DomainError("file_not_table", file=path.name)  # XLSB: its size cannot be measured beforehand
            total = 0
            for part in archive.infolist():
                if part.flag_bits & 0x1:
                    raise DomainError("file_password", file=path.name)
                total = _measure_part(path, archive, part, total)
    except (zipfile.BadZipFile, zlib.error, EOFError, NotImplementedError, OSError, ValueError) as error:
        raise DomainError("file_damaged", file=path.name, detail=str(error)[:120]) from error


def _measure_part(path: Path, archive: zipfile.ZipFile, part: zipfile.ZipInfo, total: int) -> int:
    table = part.filename == "content.xml"
    extent = _Extent()
    grid = _Grid()
    packed = max(1, part.compress_size)
    part.file_size = 1 << 62  # what the directory claims is not to be believed: read to the end of the stream
    own = 0
    left = b""
    with archive.open(part) as stream:
        while chunk := _some(stream):
            own += len(chunk)
            total += len(chunk)
            if total > UNPACKED or (own > 20_000_000 and own > RATIO * packed):
                raise DomainError("file_bomb", file=path.name, part=part.filename)
            left = grid.feed(left + chunk) if table else extent.feed(left + chunk)
            rows, columns = (grid.rows, grid.columns) if table else extent.spanned
            if rows > SHEET_ROWS:
                raise DomainError("sheet_too_long", file=path.name, rows=rows, limit=SHEET_ROWS)
            if rows * columns > SHEET_CELLS:
                raise DomainError("sheet_too_large", file=path.name, rows=rows, columns=columns, limit=SHEET_CELLS)
    return total


def _some(stream: Any) -> bytes:
    try:
        return bytes(stream.read(_CHUNK))
    except zipfile.BadZipFile as error:
        # A wrong check sum at the very end of a part: calamine decides whether it matters.
        if "CRC" in str(error):
            return b""
        raise


class _Extent:
    """The rectangle that the cells of an XLSX sheet span; cells may name their place, or come one after another."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._unnamed_rows = 0
        self._is_sheet = False
        self._in_row = 0  # cells of the row that the text before had begun

    def feed(self, text: bytes) -> bytes:
        """Take in what is whole; returns the rest, for the next call."""
        end = text.rfind(b">") + 1
        whole = text[:end]
        self._is_sheet = self._is_sheet or _SHEET in text
        cells = _CELL.findall(whole)
        if cells:
            letters = {column for column, _ in cells}
            self.columns = max(self.columns, *(column_number(name.decode()) for name in letters))
            self.rows = max(self.rows, max(int(row) for _, row in cells))
        named = _ROW.findall(whole)
        if named:
            self.rows = max(self.rows, max(map(int, named)))
        self._unnamed_rows += len(_ROW_ANY.findall(whole))
        self.rows = max(self.rows, self._unnamed_rows)
        if len(_CELL_ANY.findall(whole)) > len(cells):  # without its place a cell is one further to the right
            first, *others = (len(_CELL_ANY.findall(row)) for row in _ROW_ANY.split(whole))
            self.columns = max(self.columns, self._in_row + first, *others)
            self._in_row = others[-1] if others else self._in_row + first
        return text[end:] if len(text) - end < _CHUNK else b""

    @property
    def spanned(self) -> tuple[int, int]:
        """Rows and columns; of a part that is no sheet, as a drawing or a theme, none."""
        return (self.rows, self.columns) if self._is_sheet else (0, 0)


class _Grid:
    """The rectangle of the tables of an ODS file. What is repeated counts as often as it is, up to the last row and
    cell that hold something: the empty rest of a sheet, which every file has, costs nothing."""

    def __init__(self) -> None:
        self.rows = self.columns = 0
        self._empty = 0  # rows since the last that holds something

    def feed(self, text: bytes) -> bytes:
        """Take in what is whole; returns the rest, for the next call."""
        end = 0
        for found in _ODS_ROW.finditer(text):
            end = found.end()
            times = _repeated(_REPEATED_ROWS, found.group(1) or b"")
            width = _width(found.group(2) or b"")
            if not width:
                self._empty += times
                continue
            self.rows += self._empty + times
            self._empty = 0
            self.columns = max(self.columns, width)
        rest = text[end:]
        if len(rest) > 64 * _CHUNK:
            self.rows, self.columns = SHEET_ROWS, SHEET_CELLS  # one row of 64 MB is no list of outlets
        return rest


def _width(content: bytes) -> int:
    """How many cells a row has up to the last that holds something."""
    width = filled = 0
    for attributes, inside in _ODS_CELL.findall(content):
        width += _repeated(_REPEATED_CELLS, attributes)
        if b"office:value" in attributes or b"calcext:value" in attributes or inside.strip():
            filled = width
    return filled


def _repeated(pattern: re.Pattern[bytes], attributes: bytes) -> int:
    """How often something stands there; what is no plain number may be one once it is read as XML: far too often."""
    found = pattern.search(attributes)
    if found is None:
        return 1
    text = found.group(1).strip().removeprefix(b"+")
    return int(text) if text.isdigit() and len(text) < 20 else _EXPANDED


def column_number(letters: str) -> int:
    """``A`` is 1, ``XFD`` is 16384."""
    number = 0
    for letter in letters.upper():
        number = number * 26 + ord(letter) - 64
    return number
