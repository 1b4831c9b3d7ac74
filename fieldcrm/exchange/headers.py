"""Which line of a table names its columns, and names that are usable: none empty, none twice."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from fieldcrm.exchange.naming import called
from fieldcrm.exchange.opened import Notice
from fieldcrm.exchange.vocabulary import split_title

_LOOKED_AT = 20


def find(rows: Sequence[Sequence[str]]) -> int:
    """The number of the header's line, the first being 1; 0 when the first line holds values already.

    Above it may stand a title, a date, empty lines: they fill fewer cells than the table is wide.
    """
    looked = rows[:_LOOKED_AT]
    widths = [sum(1 for cell in row if cell.strip()) for row in rows[:200]]
    usual = Counter(width for width in widths if width > 1).most_common(1)
    wide = max(2, round(0.6 * usual[0][0])) if usual else 1
    for place, row in enumerate(looked):
        if widths[place] >= wide and (place == 0 or _names(row)):
            return place + 1 if _names(row) else 0
    filled = [place for place, width in enumerate(widths) if width]
    return filled[0] + 1 if filled else 1


def _names(row: Sequence[str]) -> bool:
    """Whether the cells are names of columns: known ones, or at least no numbers, addresses or e-mails."""
    cells = [cell.strip() for cell in row if cell.strip()]
    if not cells:
        return False
    known = sum(1 for cell in cells if any(mark >= 0.86 for mark in called(split_title(cell)).values()))
    if known >= max(1, len(cells) // 4):
        return True
    values = sum(1 for cell in cells if "@" in cell or sum(map(str.isdigit, cell)) > len(cell) // 2 or len(cell) > 60)
    return values == 0


def named(row: Sequence[str], width: int) -> tuple[tuple[str, ...], tuple[Notice, ...]]:
    """The names, made usable: an empty one becomes ``A``, ``B`` … by its place, a second one gets a number."""
    names: list[str] = []
    twice: list[str] = []
    seen: set[str] = set()
    for place in range(max(width, len(row))):
        name = " ".join((row[place] if place < len(row) else "").replace("\ufeff", "").split())
        name = "".join(c for c in name if c.isprintable())[:120] or letters(place + 1)
        if name in seen:
            twice.append(name)
            count = 2
            while f"{name} ({count})" in seen:
                count += 1
            name = f"{name} ({count})"
        seen.add(name)
        names.append(name)
    notices = (Notice("headers_twice", {"columns": ", ".join(dict.fromkeys(twice))}),) if twice else ()
    return tuple(names), notices


def letters(number: int) -> str:
    """1 is A, 27 is AA: how a spreadsheet calls a column."""
    found = ""
    while number:
        number, rest = divmod(number - 1, 26)
        found = chr(65 + rest) + found
    return found
