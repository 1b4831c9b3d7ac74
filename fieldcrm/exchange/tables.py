"""Tables written a row at a time, in little memory: CSV and XLSX, with no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import math
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Protocol

import xlsxwriter

from fieldcrm.domain.errors import DomainError
from fieldcrm.exchange.sheets import SHEET_ROWS
from fieldcrm.exchange.writing import replacing, runs, safe_cell

Cell = str | int | float | None
XLSX_TEXT = 32_767  # characters a cell of Excel holds


class Out(Protocol):
    """A table that is being written."""

    def row(self, cells: Sequence[Cell]) -> None: ...


@contextmanager
def csv_table(path: Path, header: Sequence[str], *, separator: str) -> Iterator[Out]:
    """UTF-8 with a byte order mark. Numbers take the decimal comma where ``separator`` is ``";"``, as in French.

    The file appears when the block ends well. Raises ``Unavailable``: ``disk_full``, ``disk_denied``.
    """
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:
        out = _Csv(csv.writer(file, delimiter=separator, lineterminator="\r\n"), "," if separator == ";" else ".")
        out.row(header)
        yield out


class _Csv:
    def __init__(self, writer: Any, point: str) -> None:
        self._write, self._point = writer.writerow, point

    def row(self, cells: Sequence[Cell]) -> None:
        self._write([self._shown(cell) for cell in cells])

    def _shown(self, cell: Cell) -> str:
        if cell is None:
            return ""
        if isinstance(cell, str):
            return safe_cell(cell.replace("\x00", ""))
        if isinstance(cell, float):
            return str(int(cell)) if cell.is_integer() and abs(cell) < 1e15 else repr(cell).replace(".", self._point)
        return str(cell)


@contextmanager
def xlsx_table(path: Path, header: Sequence[str], *, title: str) -> Iterator[Out]:
    """One sheet. Text is never taken for a formula, a number or a link; it stays text when somebody edits the cell.

    The file appears when the block ends well. Raises ``export_too_many_rows`` past the rows that Excel has,
    ``Unavailable``: ``disk_full``, ``disk_denied``.
    """
    with replacing(path) as temporary:
        options = {
            "constant_memory": True, "strings_to_formulas": False, "strings_to_urls": False,
            "strings_to_numbers": False, "tmpdir": str(path.parent),
        }  # fmt: skip
        book = xlsxwriter.Workbook(str(temporary), options)
        sheet = book.add_worksheet("".join(c for c in title if c not in "[]:*?/\\'")[:31] or "1")
        out = _Xlsx(sheet, book.add_format({"bold": True}), book.add_format({"quote_prefix": True}))
        sheet.freeze_panes(1, 0)
        done = False
        try:
            out.header(header)
            yield out
            done = True
        finally:
            try:
                book.close()
            except xlsxwriter.exceptions.FileCreateError as error:
                if done:
                    raise _cause(error) from error


def _cause(error: BaseException) -> OSError:
    inner = error.args[0] if error.args else None
    return inner if isinstance(inner, OSError) else OSError(str(error))


class _Xlsx:
    def __init__(self, sheet: Any, bold: Any, quoted: Any) -> None:
        self._sheet, self._bold, self._quoted, self._at = sheet, bold, quoted, 0

    def header(self, titles: Sequence[str]) -> None:
        for place, title in enumerate(titles):
            self._sheet.set_column(place, place, max(10, min(40, len(title) + 4)))
            self._sheet.write_string(0, place, title[:XLSX_TEXT], self._bold)
        self._at = 1

    def row(self, cells: Sequence[Cell]) -> None:
        if self._at >= SHEET_ROWS:
            raise DomainError("export_too_many_rows", limit=SHEET_ROWS)
        write, at = self._sheet.write_string, self._at
        for place, cell in enumerate(cells):
            if cell is None or cell == "":
                continue
            if not isinstance(cell, str):
                if math.isfinite(cell):
                    self._sheet.write_number(at, place, cell)
            elif runs(cell):
                write(at, place, cell[:XLSX_TEXT], self._quoted)
            else:
                write(at, place, cell[:XLSX_TEXT])
        self._at += 1
