"""What is known of a file once it was opened: before a person decides, and before anything is imported."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from fieldcrm.exchange.mapping import ColumnMap

SAMPLE_ROWS = 50
SHOWN = 80  # characters of a value that a report of refused lines shows

CSV, XLSX, ODS, XLS, GEOJSON, GPKG = "csv", "xlsx", "ods", "xls", "geojson", "gpkg"
OSM, SIRENE, BANCO, REGION = "osm", "sirene", "banco", "region"
KINDS = (CSV, XLSX, ODS, XLS, GEOJSON, GPKG, OSM, SIRENE, BANCO, REGION)

BROKEN_OFF = "\ue001broken off"  # the cell after the last of a row in which the file ends too early
Row = tuple[int, list[str]]  # its number as a person counts, and its cells; short rows stay short
# How much was read, from 0 to 1.
Progress = Callable[[float], None]


@dataclass(frozen=True, slots=True)
class Options:
    """What a person may say about a file; ``None`` is recognised. Those of an ``Opened`` say what holds.

    ``header_row``: the number of the line with the names of the columns; 0 when there is none.
    """

    sheet: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    header_row: int | None = None
    trades: Path | None = None  # OpenStreetMap: the person's own list of trades (outlets.toml)


@dataclass(frozen=True, slots=True)
class Notice:
    """Something recognised that a person should know of. ``code`` has a sentence as an error code has.

    ``change``: what would mend it: options (``encoding``, ``header_row`` …) or parts of the mapping (``coordinates``,
    ``decimal``). ``done``: the suggestion holds it already.
    """

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    change: Mapping[str, Any] = field(default_factory=dict)
    done: bool = True


@dataclass(frozen=True, slots=True)
class Opened:
    """A file that can be read. ``confidence``: of the suggestion, per column, from 0 (left to the person) to 1."""

    path: Path
    kind: str
    options: Options
    header: tuple[str, ...]
    sample: tuple[tuple[str, ...], ...]  # padded to the header
    suggestion: ColumnMap
    confidence: tuple[float, ...]
    sheets: tuple[str, ...] = ()
    notices: tuple[Notice, ...] = ()
    size: int = 0  # bytes
    rows: int | None = None  # without the header, when that is cheap to know; of a CSV: lines, so at most
    bom: bool = False
    needs_mapping: bool = True

    @property
    def file(self) -> str:
        return self.path.name


class Rows:
    """The rows of a file below its header, one after another in little memory; subclasses read one format.

    ``__iter__`` begins anew each time. ``position`` may be asked from another thread while it runs.
    """

    def __iter__(self) -> Iterator[Row]:
        raise NotImplementedError

    def position(self) -> float:
        raise NotImplementedError

    left_out: Mapping[str, int] = {}  # code -> how many the last reading passed over


def cut(value: str) -> str:
    """A value as a report shows it."""
    return value if len(value) <= SHOWN else value[: SHOWN - 1] + "…"
