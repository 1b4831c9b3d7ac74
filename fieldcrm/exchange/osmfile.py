"""An OpenStreetMap extract as rows of ours. What is an outlet is a list that a person can edit."""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

from fieldcrm.domain.errors import Unavailable
from fieldcrm.exchange.opened import Row, Rows
from fieldcrm.geo import osm

COLUMNS = (
    "reference", "name", "banner", "store_type", "lat", "lon", "house_number", "street", "postcode", "city", "country",
    "phone", "website", "email", "opening_hours",
)  # fmt: skip
_BYTES_AN_OBJECT = 1_500  # of a file per object with a trade's key: a first guess, only for the progress


class ExtractRows(Rows):
    """Raises as ``osm.read_outlets``; ``osm_trades_invalid`` for a list of trades that cannot be read."""

    def __init__(self, path: Path, size: int, trades: Path | None) -> None:
        self._path, self._size, self._objects, self._done = path, max(1, size), 0, False
        self._listed = own_trades(trades) if trades is not None else None
        self.left_out: Counter[str] = Counter()

    def __iter__(self) -> Iterator[Row]:
        self._objects, self._done = 0, False
        skipped: Counter[str] = Counter()
        self.left_out = skipped
        found = osm.read_outlets(self._path, on_progress=self._went_on, skipped=skipped, listed=self._listed)
        for number, one in enumerate(found, 1):
            yield number, [
                one.reference, one.name, one.brand, one.store_type, repr(one.lat_e7 / 1e7), repr(one.lon_e7 / 1e7),
                one.house_number, one.street, one.postcode, one.city, one.country, one.phone, one.website, one.email,
                one.opening_hours,
            ]  # fmt: skip
        self._done = True

    def _went_on(self, objects: int, _: int) -> None:
        self._objects = objects

    def position(self) -> float:
        """The format does not say how far one is: it nears 1 and gets there at the end."""
        if self._done:
            return 1.0
        return 1 - math.exp(-self._objects * _BYTES_AN_OBJECT / self._size)


def own_trades(path: Path) -> osm.Trades:
    """A person's own list of trades, in the form of ``resources/osm/outlets.toml``."""
    try:
        return osm.load_trades(path.read_text(encoding="utf-8-sig"))
    except OSError as error:
        raise Unavailable("file_unreadable", path=path.name, reason=error.strerror or str(error)) from error
