"""The file of what an import refused: a person mends it, and imports again."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

from fieldcrm.domain.intake import Incoming, Line, Refused
from fieldcrm.exchange.writing import replacing, safe_cell

Sentence = Callable[[str, Mapping[str, Any]], str]  # code and parameters -> what to tell a person


def write(path: Path, lines: Iterable[Line], header: Sequence[str], sentence: Sentence, *, separator: str) -> int:
    """Write one line per fault, whole or not at all; returns how many.

    ``header``: five titles: row, column, value, what is wrong, and what became of the row: ``header[5]`` says that
    the row was refused, ``header[6]`` that the value was left out. Raises ``Unavailable`` as ``writing.replacing``.
    """
    count = 0
    with replacing(path) as temporary, temporary.open("w", encoding="utf-8-sig", newline="", errors="replace") as file:
        writer = csv.writer(file, delimiter=separator, lineterminator="\r\n")
        writer.writerow([safe_cell(title) for title in header[:5]])
        for line in lines:
            for row in _rows(line, header, sentence):
                writer.writerow([safe_cell(cell) for cell in row])
                count += 1
    return count


def _rows(line: Line, header: Sequence[str], sentence: Sentence) -> Iterable[tuple[str, ...]]:
    if isinstance(line, Refused):
        yield str(line.row), line.column, line.value, sentence(line.code, line.params), header[5]
        return
    assert isinstance(line, Incoming)
    for one in line.dropped:
        yield str(line.row), one.column, one.value, sentence(one.code, one.params), header[6]
