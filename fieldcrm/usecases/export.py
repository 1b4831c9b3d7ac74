"""Tables for spreadsheets, as CSV (UTF-8 with a byte order mark) or XLSX, with no cell that would run there."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path

from fieldcrm.domain.errors import Unavailable
from fieldcrm.exchange.tables import Cell, csv_table, xlsx_table
from fieldcrm.exchange.writing import safe_cell
from fieldcrm.store.database import disk_errors

__all__ = ["Cell", "csv_text", "safe_cell", "save_csv", "save_table", "save_text"]

BYTE_ORDER_MARK = "\ufeff"


def csv_text(header: Sequence[str], rows: Iterable[Sequence[str]], *, separator: str) -> str:
    """A CSV document. ``separator`` is ``";"`` where the comma is the decimal sign, as in French."""
    buffer = io.StringIO(newline="")
    writer = csv.writer(buffer, delimiter=separator, lineterminator="\r\n")
    writer.writerow([safe_cell(cell) for cell in header])
    for row in rows:
        writer.writerow([safe_cell(cell.replace("\x00", "")) for cell in row])
    return BYTE_ORDER_MARK + buffer.getvalue()


def save_csv(path: Path, header: Sequence[str], rows: Iterable[Sequence[str]], *, separator: str) -> int:
    """Write the table to ``path``, whole or not at all; returns its size in bytes.

    Raises ``Unavailable``: ``disk_full``, ``disk_denied``.
    """
    return save_text(path, csv_text(header, rows, separator=separator))


def save_table(path: Path, header: Sequence[str], rows: Iterable[Sequence[Cell]], *, separator: str, title: str) -> int:
    """Write the table to ``path`` as XLSX when it is named so, else as CSV; whole or not at all. Returns its size.

    ``title`` names the sheet. Raises ``Unavailable``: ``disk_full``, ``disk_denied``.
    """
    xlsx = path.suffix.lower() == ".xlsx"
    writing = xlsx_table(path, header, title=title) if xlsx else csv_table(path, header, separator=separator)
    with writing as out:
        for row in rows:
            out.row(row)
    return path.stat().st_size


def save_text(path: Path, text: str) -> int:
    """Write ``text`` to ``path`` as UTF-8, whole or not at all; returns its size in bytes.

    Raises ``Unavailable``: ``disk_full``, ``disk_denied``.
    """
    content = text.encode("utf-8", "replace")
    temporary = path.with_name(path.name + ".part")
    with disk_errors(path):
        try:
            temporary.write_bytes(content)
            temporary.replace(path)
        except FileNotFoundError as error:
            raise Unavailable("disk_denied", path=str(path)) from error
        finally:
            temporary.unlink(missing_ok=True)
    return len(content)
