"""The reading of a row, written out for one mapping: no loop over columns, no call that a clean cell does not need.

Half a million rows go through here. Whatever is not plainly right (a fault, half a position, no name) is left to the
careful reading in ``rows``, which gives the same for rows that are right; a test holds both together.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.intake import Incoming, Line
from fieldcrm.exchange.values import Take

TakeRow = Callable[[int, list[str]], Line | None]
Step = tuple[int, str, Take]  # place of the column, field of the outlet, how its texts are taken


def row_function(
    steps: Sequence[Step], base: Mapping[str, Any], *, reference: int, position: tuple[int, int] | None,
    decimal: str, key: Callable[[str], str], carefully: TakeRow,
) -> TakeRow:  # fmt: skip
    """``base``: values that every row begins with. ``position``: the columns of latitude and longitude, in degrees,
    with ``decimal`` for a point."""
    known: dict[str, Any] = {
        "Incoming": Incoming, "DomainError": DomainError, "carefully": carefully, "key": key, "new": object.__new__,
        **{f"set_{name}": getattr(Incoming, name).__set__ for name in ("row", "reference", "values", "dropped")},
        **{f"take{place}": taken for place, _, taken in steps},
        **{f"base{number}": value for number, value in enumerate(base.values())},
    }  # fmt: skip
    start = ", ".join(f"{name!r}: base{number}" for number, name in enumerate(base))
    lines = ["def take(number, cells):", "  try:", f"    values = {{{start}}}"]
    for place, field, _ in steps:
        lines += _step(place, field)
    if position is not None:
        lines += _position(*position, comma=decimal == ",")
    lines += [
        "    if 'name' not in values:",
        "      return carefully(number, cells)",
        *_reference(reference),
        *_made(),
        "  except (DomainError, ValueError):",
        "    return carefully(number, cells)",
    ]
    exec("\n".join(lines), known)  # of our own words and numbers alone: no text of a file is in it
    taken: TakeRow = known["take"]
    return taken


def _made() -> list[str]:
    """What ``Incoming(number, reference, values)`` does, in half the time: a frozen class is slow to fill."""
    given = {"row": "number", "reference": "reference", "values": "values", "dropped": "()"}
    filled = [f"    set_{name}(line, {value})" for name, value in given.items()]
    return ["    line = new(Incoming)", *filled, "    return line"]


def _step(place: int, field: str) -> list[str]:
    lines = [f"    text = cells[{place}]", "    if text:"]
    clean = "text.isprintable() and text[0] > '/' and text[-1] != ' ' and 4 < len(text) <= 200"
    if field == "name":  # as values.taker takes it, without the call
        lines += [f"      if {clean}:", f"        values[{field!r}] = text", "      else:"]
        return [*lines, f"        value = take{place}(text)", *_put(field, 8)]
    return [*lines, f"      value = take{place}(text)", *_put(field, 6)]


def _put(field: str, indent: int) -> list[str]:
    return [" " * indent + "if value is not None:", " " * indent + f"  values[{field!r}] = value"]


def _position(lat: int, lon: int, *, comma: bool) -> list[str]:
    pointed = ".replace(',', '.')" if comma else ""
    return [
        f"    first = cells[{lat}]{pointed}",
        f"    second = cells[{lon}]{pointed}",
        "    if first or second:",
        "      lat = float(first)",
        "      lon = float(second)",
        "      if not (-90.0 <= lat <= 90.0 and -180.0 <= lon <= 180.0 and (lat or lon)):",
        "        return carefully(number, cells)",
        "      values['lat_e7'] = round(lat * 10000000)",
        "      values['lon_e7'] = round(lon * 10000000)",
    ]


def _reference(place: int) -> list[str]:
    if place < 0:
        return ["    reference = ''"]
    return [
        f"    reference = cells[{place}]",
        "    if not (reference.isalnum() and len(reference) < 100):",
        "      reference = key(reference)",
    ]
