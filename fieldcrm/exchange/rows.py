"""A mapping, made ready: rows of a table become outlets, or say why they cannot.

The policy. A row is refused when it has no usable name, when its position is wrong, when it has more cells than the
table has columns (its values stand in the wrong places), when it broke off, or when a cell is absurdly long. Any other
value that cannot be taken is left out and reported (``Dropped``): a wrong telephone does not cost a store.
An empty name is filled by the enseigne. A position of exactly 0, 0 is a store that was never placed.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from typing import Any

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.intake import Dropped, Incoming, Line, Refused
from fieldcrm.domain.outlet import DEGREE, check_zone
from fieldcrm.exchange import addresses, positions
from fieldcrm.exchange.compiled import Step, TakeRow, row_function
from fieldcrm.exchange.mapping import CUSTOM, JOINED, WGS84, ColumnMap, is_custom
from fieldcrm.exchange.opened import BROKEN_OFF, Row, cut
from fieldcrm.exchange.values import clean, is_nothing, postcode, taker

TakeCustom = Mapping[str, Callable[[str], Any]]  # key of an own field -> text of a cell to its value

_Fault = tuple[int, DomainError]  # place of the column, and what is wrong there


class RowReader:
    """Reads rows by one mapping. Raises ``DomainError`` at once when nothing can be imported with it."""

    def __init__(
        self, columns: ColumnMap, *, zone: str, country: str, custom: TakeCustom | None = None, whole: bool = True
    ) -> None:
        for problem in columns.problems():
            raise problem
        self._header, self._width = columns.header, len(columns.header)
        self._base: dict[str, Any] = {"zone": check_zone(zone)} | ({"country": country} if country else {})
        self._country, self._whole = country, whole
        self._own = custom or {}
        self._steps: list[Step] = []
        self._custom: list[Step] = []
        self._joined: dict[str, list[int]] = {}
        self._special: dict[str, int] = {}
        self._plan(columns)
        self._place = positions.placer(columns.coordinates)
        self._straight, self._decimal = columns.coordinates == WGS84, columns.decimal
        names = [place for place, target in enumerate(columns.targets) if target == "name"]
        self._name_column = columns.header[names[0]] if names else ""

    def _plan(self, columns: ColumnMap) -> None:
        used = columns.targets
        for place, target in enumerate(used):
            if not target:
                continue
            if target in JOINED and (used.count(target) > 1 or target == "address"):
                self._joined.setdefault(target, []).append(place)
            elif target in ("reference", "lat", "lon", "position", "sector", "postcode"):
                self._special[target] = place
            elif is_custom(target):
                key = target.removeprefix(CUSTOM)
                self._custom.append((place, key, self._own.get(key, _own_text)))
            else:
                self._steps.append((place, target, taker(target, columns.words.get(target, {}), self._country)))
        if "postcode" in self._special and "country" not in used:
            step = self._special.pop("postcode")
            self._steps.append((step, "postcode", taker("postcode", {}, self._country)))
        # Name first: it decides most often.
        self._steps.sort(key=lambda step: step[1] != "name")
        self._reference = self._special.get("reference", -1)
        self._placed = "lat" in self._special or "position" in self._special
        self._rare = bool(self._joined or self._custom or {"sector", "postcode"} & set(self._special))

    def lines(self, rows: Iterable[Row]) -> Iterator[Line]:
        """The outlets of ``rows``; those that are empty are passed over."""
        width, take = self._width, self._quickly()
        for number, cells in rows:
            if len(cells) != width:
                fitted = self._fitted(number, cells)
                if fitted is None:
                    continue
                if isinstance(fitted, Refused):
                    yield fitted
                    continue
                cells = fitted
            line = take(number, cells)
            if line is not None:
                yield line

    def _quickly(self) -> TakeRow:
        """The careful reading, or for a plain mapping the same written out."""
        special = self._special
        plain = not self._rare and "position" not in special and (self._straight or not self._placed)
        if not plain:
            return self._take
        return row_function(
            self._steps, self._base, reference=self._reference,
            position=(special["lat"], special["lon"]) if self._placed else None, decimal=self._decimal,
            key=_key, carefully=self._take,
        )  # fmt: skip

    def _fitted(self, number: int, cells: list[str]) -> list[str] | Refused | None:
        """A row of another width: short ones are filled, empty cells too many are cut off."""
        if len(cells) < self._width:
            return cells + [""] * (self._width - len(cells)) if any(map(str.strip, cells)) else None
        extra = [cell for cell in cells[self._width :] if cell.strip()]
        if not extra:
            return cells[: self._width]
        if extra[-1] == BROKEN_OFF:
            last = next((cell for cell in reversed(cells[: self._width]) if cell), "")
            return Refused(number, "", cut(last), "row_broken_off")
        params = {"cells": len(cells), "columns": self._width}
        return Refused(number, "", cut(extra[0]), "row_too_many_cells", params)

    def _take(self, number: int, cells: list[str]) -> Line | None:
        values = self._base.copy()
        faults: list[_Fault] = []
        for place, field, taken in self._steps:
            text = cells[place]
            if text:
                try:
                    value = taken(text)
                    if value is not None:
                        values[field] = value
                except DomainError as error:
                    if field == "name" or error.code == "cell_too_long":
                        return self._refused(number, place, text, error)
                    faults.append((place, error))
        if self._placed:
            refused = self._positioned(number, cells, values)
            if refused is not None:
                return refused
        if self._rare:
            faults += self._rest(cells, values)
        if "name" not in values:
            if "banner" not in values:
                return self._nameless(number, cells)
            values["name"] = values["banner"]
        reference = _key(cells[self._reference]) if self._reference >= 0 else ""
        if faults:
            return Incoming(number, reference, values, tuple(self._dropped(cells, *fault) for fault in faults))
        return Incoming(number, reference, values)

    # ---- positions ----

    def _positioned(self, number: int, cells: list[str], values: dict[str, Any]) -> Refused | None:
        """Put the position into ``values``; says why when it is wrong."""
        special = self._special
        both = special.get("position", -1)
        at, beside = (both, both) if both >= 0 else (special["lat"], special["lon"])
        first, second = cells[at], cells[beside]
        if not first and not second:
            return None
        try:
            lat, lon = (float(first), float(second)) if both < 0 else positions.pair(first)
        except ValueError:
            try:
                found = self._slowly(first, second, both >= 0)
            except DomainError as error:
                wrong = at if (first.strip() and not _is_number(first)) or both >= 0 else beside
                return self._refused(number, wrong, cells[wrong], error)
            if found is None:
                return None
            lat, lon = found
        if self._straight and -90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0:
            if lat or lon:
                values["lat_e7"], values["lon_e7"] = round(lat * DEGREE), round(lon * DEGREE)
            return None
        if lat == 0 and lon == 0:
            return None
        try:
            values["lat_e7"], values["lon_e7"] = positions.place(*self._place(lat, lon))
        except DomainError as error:
            return self._refused(number, at, first if both >= 0 else f"{first} {second}", error)
        return None

    def _slowly(self, first: str, second: str, together: bool) -> tuple[float, float] | None:
        """What ``float`` cannot read. Raises ``position_malformed`` or ``position_incomplete``."""
        try:
            first, second = clean(first), clean(second)
            if together:
                return None if not first or is_nothing(first) else positions.pair(first)
            empty = [not text or is_nothing(text) for text in (first, second)]
            if all(empty):
                return None
            if any(empty):
                raise DomainError("position_incomplete", field="position")
            return positions.number(first), positions.number(second)
        except ValueError:
            raise DomainError("position_malformed", field="position") from None

    # ---- what is rare ----

    def _rest(self, cells: list[str], values: dict[str, Any]) -> list[_Fault]:
        found: list[_Fault] = []
        special = self._special
        if "sector" in special:
            code = cells[special["sector"]].strip()
            if code and not is_nothing(code):
                values["sector"] = code[:100]
        place = special.get("postcode", -1)
        if place >= 0 and cells[place]:
            try:
                value = postcode(cells[place], values.get("country") or self._country)
                if value is not None:
                    values["postcode"] = value
            except DomainError as error:
                found.append((place, error))
        self._put_together(cells, values, found)
        own: dict[str, Any] = {}
        for place, key, taken in self._custom:
            text = cells[place]
            if text:
                try:
                    value = taken(text)
                    if value is not None:
                        own[key] = value
                except DomainError as error:
                    found.append((place, error))
        if own:
            values["custom"] = own
        return found

    def _put_together(self, cells: list[str], values: dict[str, Any], found: list[_Fault]) -> None:
        """Columns that make one text, and an address in one line."""
        for target, places in self._joined.items():
            text = JOINED[target].join(cell.strip() for place in places if (cell := cells[place]).strip())
            if not text:
                continue
            for field, part in (addresses.parts(text) if target == "address" else {target: text}).items():
                if field in values and field != "country":
                    continue  # a column of its own says it better
                try:
                    value = taker(field, {}, self._country)(part)
                    if value is not None:
                        values[field] = value
                except DomainError as error:
                    found.append((places[0], error))

    # ---- saying why ----

    def _nameless(self, number: int, cells: list[str]) -> Refused | None:
        if not any(map(str.strip, cells)):
            return None
        return Refused(number, self._name_column, "", "outlet_name_missing")

    def _refused(self, number: int, place: int, text: str, error: DomainError) -> Refused:
        return Refused(number, self._header[place], cut(text), error.code, error.params)

    def _dropped(self, cells: list[str], place: int, error: DomainError) -> Dropped:
        return Dropped(self._header[place], cut(cells[place]), error.code, error.params)


def _is_number(text: str) -> bool:
    try:
        positions.number(text)
    except ValueError:
        return False
    return True


def _key(text: str) -> str:
    if text.isalnum() and len(text) < 100:
        return text
    text = "".join(c for c in text if c.isprintable()).strip()
    return "" if is_nothing(text) else text[:200]


def _own_text(text: str) -> Any:
    text = clean(text)
    if len(text) > 1_000:
        raise DomainError("text_too_long", limit=1_000)
    return " ".join("".join(c if c.isprintable() else " " for c in text).split()) or None


def padded(rows: Sequence[Sequence[str]], width: int) -> tuple[tuple[str, ...], ...]:
    """Rows of a sample, each as wide as the header."""
    return tuple(tuple(row[:width]) + ("",) * (width - len(row)) for row in rows)
