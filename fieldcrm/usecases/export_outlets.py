"""Any list of outlets as a file: CSV, XLSX, GeoJSON, GPX or vCard, in the order of the list, whole or not at all."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, TypeVar

from fieldcrm.domain.customfield import NUMBER_MOST
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.outlet import address
from fieldcrm.exchange.cards import vcard_file
from fieldcrm.exchange.places import geojson_file, gpx_file
from fieldcrm.exchange.tables import Cell, csv_table, xlsx_table
from fieldcrm.store.database import Reader
from fieldcrm.store.exported import FIELDS, ExportedOutlet, outlets_to_export, people_at
from fieldcrm.store.outletrows import OutletRow, rows
from fieldcrm.store.search import Near

R = TypeVar("R")
Ask = Callable[[Callable[[Reader], R]], R]  # reads, on the thread it is called on
OnProgress = Callable[[float], None]  # from 0 to 1, in the thread that exports
Stopped = Callable[[], bool]

PAGE = 500  # outlets read at once
# The columns of a file with every field: those of an outlet, and what a mapping calls special.
EVERY_FIELD = ("reference", *FIELDS, "sector", "lat", "lon")


class Format(StrEnum):
    """``SHOWN`` ones hold the columns of the list as they read there; the others every field, to be imported again."""

    XLSX_SHOWN = "xlsx_shown"
    CSV_SHOWN = "csv_shown"
    XLSX = "xlsx"
    CSV = "csv"
    GEOJSON = "geojson"
    GPX = "gpx"
    VCARD = "vcard"

    @property
    def suffix(self) -> str:
        return {"vcard": ".vcf"}.get(self.value, "." + self.value.partition("_")[0])


@dataclass(frozen=True, slots=True)
class Shown:
    """The columns of the list: their titles, and what a row says in them."""

    titles: Sequence[str]
    cells: Callable[[OutletRow], Sequence[Cell]]
    midnight: datetime
    near: Near | None = None


@dataclass(frozen=True, slots=True)
class Saved:
    """``without_position``: outlets that GPX had to leave out. ``cards``: of people, besides those of stores."""

    outlets: int
    without_position: int = 0
    cards: int = 0


class _Pages:
    """Goes through the list by pages, tells how far it is, and ends with ``stopped`` when it is asked to."""

    def __init__(self, ask: Ask[Any], rids: Sequence[int], on_progress: OnProgress | None, stopped: Stopped | None):
        self._ask, self._rids = ask, list(rids)
        self._tell, self._stopped = on_progress, stopped

    def each(self, read: Callable[[Reader, list[int]], Sequence[R]]) -> Iterator[Sequence[R]]:
        for start in range(0, len(self._rids), PAGE):
            if self._stopped is not None and self._stopped():
                raise DomainError("export_stopped")
            part = self._rids[start : start + PAGE]
            yield self._ask(lambda r: read(r, part))  # noqa: B023
            if self._tell is not None:
                self._tell(min(1.0, (start + PAGE) / len(self._rids)))


def export_outlets(
    ask: Ask[Any],
    rids: Sequence[int],
    path: Path,
    format: Format,
    *,
    separator: str,
    title: str,
    titles: Mapping[str, str],
    shown: Shown | None = None,
    on_progress: OnProgress | None = None,
    stopped: Stopped | None = None,
) -> Saved:
    """Write the outlets of ``rids`` to ``path``. Seconds to minutes for a long list: off the UI thread.

    ``titles``: for each of ``EVERY_FIELD`` (and ``custom:<key>`` for each own field) what its column is called.
    ``title`` names the sheet. ``shown`` is needed for the formats with the columns of the list.
    Raises ``export_stopped``, ``export_too_many_rows``; ``Unavailable``: ``disk_full``, ``disk_denied``.
    """
    pages = _Pages(ask, rids, on_progress, stopped)
    if format is Format.GEOJSON:
        return _geojson(pages, path)
    if format is Format.GPX:
        return _gpx(pages, path)
    if format is Format.VCARD:
        return _vcards(pages, path)
    if format in (Format.XLSX_SHOWN, Format.CSV_SHOWN):
        if shown is None:
            raise ValueError("the columns of the list are needed")
        header, lines = list(shown.titles), _as_shown(pages, shown)
    else:
        header, lines = list(titles.values()), _every_field(pages, list(titles))
    xlsx = format in (Format.XLSX, Format.XLSX_SHOWN)
    writing = xlsx_table(path, header, title=title) if xlsx else csv_table(path, header, separator=separator)
    count = 0
    with writing as out:
        for line in lines:
            out.row(line)
            count += 1
    return Saved(count)


def _as_shown(pages: _Pages, shown: Shown) -> Iterator[Sequence[Cell]]:
    for page in pages.each(lambda r, part: rows(r, part, midnight=shown.midnight, near=shown.near)):
        for row in page:
            yield shown.cells(row)


def _every_field(pages: _Pages, names: Sequence[str]) -> Iterator[Sequence[Cell]]:
    for page in pages.each(outlets_to_export):
        for one in page:
            yield [_cell(one, name) for name in names]


def _cell(one: ExportedOutlet, name: str) -> Cell:
    if name == "reference":
        return one.id.hex
    if name == "sector":
        return one.sector
    if name in ("lat", "lon"):
        return None if one.position is None else one.position[name == "lon"]
    value = one.custom.get(name[7:]) if name.startswith("custom:") else one.values.get(name)
    if isinstance(value, bool):
        return int(value)
    if isinstance(value, int | float):
        return value if abs(value) <= NUMBER_MOST else str(value)  # a sheet cannot hold it as a number
    return value if value is None or isinstance(value, str) else str(value)


def _geojson(pages: _Pages, path: Path) -> Saved:
    count = 0
    with geojson_file(path) as out:
        for page in pages.each(outlets_to_export):
            for one in page:
                own = {f"custom:{key}": value for key, value in one.custom.items()}
                sector = {"sector": one.sector} if one.sector else {}
                out.feature(one.id.hex, one.position, {**one.values, **sector, **own})
                count += 1
    return Saved(count)


def _gpx(pages: _Pages, path: Path) -> Saved:
    count = left_out = 0
    with gpx_file(path) as out:
        for page in pages.each(outlets_to_export):
            for one in page:
                if one.position is None:
                    left_out += 1
                    continue
                said = [_address(one.values), one.values.get("phone", ""), one.values.get("opening_hours", "")]
                out.waypoint(
                    one.position, one.values.get("name", ""), "\n".join(filter(None, said)),
                    one.values.get("banner", ""),
                )  # fmt: skip
                count += 1
    return Saved(count, without_position=left_out)


def _vcards(pages: _Pages, path: Path) -> Saved:
    count = cards = 0
    with vcard_file(path) as out:
        for page in pages.each(_with_people):
            for one, people in page:
                out.store({**one.values, "id": one.id.hex}, one.position)
                for contact in people:
                    out.person(contact, one.values)
                    cards += 1
                count += 1
    return Saved(count, cards=cards)


def _with_people(r: Reader, part: list[int]) -> list[tuple[ExportedOutlet, Sequence[Any]]]:
    found = outlets_to_export(r, part)
    people = people_at(r, [one.id for one in found])
    return [(one, people.get(one.id, ())) for one in found]


def _address(values: Mapping[str, Any]) -> str:
    return address(values.get("house_number"), values.get("street"), values.get("postcode"), values.get("city"))
