"""Files that a person brings: opened, understood, and read as outlets. No database is asked or changed here.

    opened = feeds.open_file(path)                       # what it is, its columns, a sample, a suggested mapping
    feed = feeds.feed(opened, opened.suggestion, zone="Europe/Paris", country="FR")
    for line in feed.lines(): ...                        # Incoming (with what was dropped of it) or Refused

``Opened.kind`` is one of ``opened.KINDS``. ``needs_mapping`` is False for files whose columns are known for ever
(OpenStreetMap, SIRENE, BANCO, a region pack): then ``feed`` takes ``opened.suggestion`` as it is.
To read the same file otherwise (another sheet, encoding, delimiter, header line) call ``open_file`` with ``Options``;
to apply a ``Notice`` whose ``done`` is false, put its ``change`` into the options or into the mapping (``replace``).
A mapping is remembered under ``signature(opened.header)`` as ``columns.to_dict()``, and found again with
``ColumnMap.from_dict(…).fitted(opened.header)``. ``columns.problems()``: what still keeps it from being imported.

What a feed yields: ``Incoming.values`` always has ``zone``, and ``country`` when one is given for the file; it may have
``custom`` (key -> value) and ``sector`` (a sector's code, which is no field of the outlet). What was left out of a row
is in ``Incoming.dropped``; the policy is in ``exchange.rows``. Half of the errors come midway, from ``lines``.

The server's command line takes the same from ``fieldcrm.exchange.reading``.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path

from fieldcrm.domain.intake import Dropped, Feed, Incoming, Line, Refused
from fieldcrm.exchange import reading, refusals
from fieldcrm.exchange.encodings import ENCODINGS
from fieldcrm.exchange.mapping import (
    COORDINATES,
    CUSTOM,
    FIELDS,
    IGNORED,
    JOINED,
    SPECIAL,
    TRANSLATED,
    ColumnMap,
    folded,
    signature,
)
from fieldcrm.exchange.opened import KINDS, Notice, Opened, Options
from fieldcrm.exchange.refusals import Sentence
from fieldcrm.exchange.rows import TakeCustom

__all__ = [
    "COORDINATES",
    "CUSTOM",
    "ENCODINGS",
    "FIELDS",
    "IGNORED",
    "JOINED",
    "KINDS",
    "SPECIAL",
    "TRANSLATED",
    "ColumnMap",
    "Dropped",
    "Feed",
    "Incoming",
    "Line",
    "Notice",
    "Opened",
    "Options",
    "Refused",
    "Sentence",
    "TakeCustom",
    "feed",
    "folded",
    "open_file",
    "refused_file",
    "signature",
    "unknown_words",
]


def open_file(path: Path, options: Options | None = None, *, custom: Mapping[str, str] | None = None) -> Opened:
    """Recognise a file; seconds for a large one, so ask for it off the UI thread.

    ``custom``: key -> title of the organisation's own fields, so that columns called like them are found.
    Raises ``DomainError`` with one clear code, or ``Unavailable("file_unreadable")``.
    """
    return reading.open_file(path, options, custom=custom)


def feed(
    opened: Opened, columns: ColumnMap, *, zone: str, country: str = "", custom: TakeCustom | None = None
) -> Feed:
    """The outlets of the file. ``zone`` (IANA) and ``country`` (ISO 3166, or empty) hold where a row says none.

    ``custom``: key -> how the text of a cell becomes the value of an own field (raises ``DomainError``); text without.
    Raises the first of ``columns.problems()``, and ``zone_unknown``.
    """
    return reading.feed(opened, columns, zone=zone, country=country, custom=custom)


def unknown_words(opened: Opened, columns: ColumnMap, field: str) -> tuple[str, ...]:
    """Words of the sample that stand for no choice of ``store_type``, ``state`` or ``segment``: to be translated."""
    return reading.unknown_words(opened, columns, field)


def refused_file(
    path: Path, lines: Iterable[Line], header: Sequence[str], sentence: Sentence, *, separator: str
) -> int:
    """Save what was refused or left out, and why, as a CSV; returns how many lines it has. Whole or not at all.

    ``header``: seven texts: the titles of row, column, value, reason, consequence; then the two consequences: the row
    was refused; the value was left out. ``sentence``: code and parameters to a text.
    Raises ``Unavailable``: ``disk_full``, ``disk_denied``.
    """
    return refusals.write(path, lines, header, sentence, separator=separator)


