"""Feeds for tests: a file of which each line is known."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from typing import Any

from fieldcrm.domain.intake import Incoming, Line, Refused
from tests.conftest import NOW


@dataclass
class Lines:
    """A feed of given lines; ``at`` is called before each with its number."""

    given: Sequence[Line]
    source: str = "distri"
    licence: str = "Licence Ouverte"
    file: str = "magasins.csv"
    at: Callable[[int], None] = lambda number: None
    done: int = field(default=0)

    def lines(self) -> Iterator[Line]:
        self.done = 0
        for line in self.given:
            self.at(self.done)
            self.done += 1
            yield line

    def position(self) -> float:
        return self.done / max(1, len(self.given))


def store(number: int, **values: Any) -> Incoming:
    """An outlet of the source, each on its own hectare."""
    usual = {
        "name": f"Épicerie {number}", "store_type": "convenience", "street": f"{number} rue du Marché",
        "postcode": f"{75000 + number % 100}", "city": "Paris",
        "phone": f"01 40 00 {number // 100:02d} {number % 100:02d}",
        "lat_e7": 480_000_000 + number // 300 * 20_000, "lon_e7": 20_000_000 + number % 300 * 20_000,
    }  # fmt: skip
    return Incoming(number + 2, f"S{number:06d}", {**usual, **values})


def refused(row: int) -> Refused:
    return Refused(row, "Nom", "", "outlet_name_missing", {"field": "name"})


class Clock:
    """A second later each time."""

    def __init__(self, start: datetime = NOW) -> None:
        self.now = start.astimezone(UTC)

    def __call__(self) -> datetime:
        self.now += timedelta(seconds=1)
        return self.now
