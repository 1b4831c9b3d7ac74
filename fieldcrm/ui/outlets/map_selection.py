"""What is selected on the map: a mask over its points, changed by areas and clicks, kept by row number."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

import numpy as np

from fieldcrm.usecases import areas

if TYPE_CHECKING:
    import numpy.typing as npt

    from fieldcrm.usecases.outlets import Points

Ring = Sequence[tuple[float, float]]  # latitude, longitude in degrees


class Selection:
    """``ring`` is the one area that made all of it, when there is one: a filter can then be that area."""

    def __init__(self) -> None:
        self._points: Points | None = None
        self.mask: npt.NDArray[np.bool_] = np.zeros(0, dtype=bool)
        self.ring: tuple[tuple[float, float], ...] | None = None

    @property
    def count(self) -> int:
        return int(np.count_nonzero(self.mask))

    @property
    def rids(self) -> list[int]:
        """Row numbers of the selected, in the order of the points."""
        return [] if self._points is None else [int(rid) for rid in self._points.rid[self.mask]]

    def take_points(self, points: Points) -> None:
        """Other points on the map: those of them that were selected stay so."""
        before = self._points.rid[self.mask] if self._points is not None else np.zeros(0, dtype=np.int32)
        self._points = points
        self.mask = np.isin(points.rid, before)

    def draw(self, ring: Ring, mode: str) -> None:
        """``mode``: replace, add or subtract."""
        if self._points is None:
            return
        found = areas.inside(self._points, ring)
        whole = mode == "replace" or (mode == "add" and not self.count)
        self.ring = tuple(ring) if whole else None
        self.mask = found if mode == "replace" else self.mask | found if mode == "add" else self.mask & ~found

    def toggle(self, rid: int) -> None:
        if self._points is not None:
            self.mask = self.mask ^ (self._points.rid == rid)
            self.ring = None

    def all(self) -> None:
        self.mask = np.ones(len(self.mask), dtype=bool)
        self.ring = None

    def clear(self) -> None:
        self.mask = np.zeros(len(self.mask), dtype=bool)
        self.ring = None
