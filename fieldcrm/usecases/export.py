"""Tables as CSV for spreadsheets: UTF-8 with a byte order mark, and no cell that a spreadsheet would run."""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from pathlib import Path

from fieldcrm.domain.errors import Unavailable
from fieldcrm.store.database import disk_errors

BYTE_ORDER_MARK = "\ufeff"
_NUMBER = re.compile(r"[-+]?[0-9]+(?:[.,][0-9]+)?")
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(text: str) -> str:
    """``text`` as a spreadsheet may show it: what could start a formula gets an apostrophe before it.

    Plain numbers stay numbers, minus sign included.
    """
    if text.lstrip(" \u00a0").startswith(_RUNS) and not _NUMBER.fullmatch(text.strip()):
        return "'" + text
    return text


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
