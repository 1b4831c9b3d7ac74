"""Confidence intervals of shares: Wilson's score interval, with the correction for a finite population.

Lines of one store resemble each other, so a share over lines or facings is not worth as many observations
as it has lines. ``ClusterSums`` gives the linearised variance of a ratio of totals by store, from which
follows the number of independent observations it is worth.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from math import inf, sqrt

from fieldcrm.domain.metrics import Interval

Z_95 = 1.959963984540054


def wilson(share: float, size: float, *, seen: int | None = None, population: int | None = None) -> Interval | None:
    """The 95 % interval of ``share`` (0 to 1) observed on ``size`` independent observations.

    With ``seen`` of ``population`` given, the size grows by (N-1)/(N-n): having seen everything leaves no
    doubt. ``None`` when there is nothing to go by.
    """
    if size <= 0 or not 0 <= share <= 1:
        return None
    size = _corrected(size, seen, population)
    if size == inf:
        return Interval(share, share)
    square = Z_95 * Z_95
    middle = (share + square / (2 * size)) / (1 + square / size)
    half = Z_95 / (1 + square / size) * sqrt(share * (1 - share) / size + square / (4 * size * size))
    return Interval(max(0.0, min(share, middle - half)), min(1.0, max(share, middle + half)))


def _corrected(size: float, seen: int | None, population: int | None) -> float:
    if seen is None or population is None:
        return size
    if seen >= population:
        return inf
    return size * (population - 1) / (population - seen)


@dataclass(frozen=True, slots=True)
class ClusterSums:
    """Totals over stores of a part y and a whole x, and of their squares: all that a ratio y/x needs."""

    stores: int
    part: float
    whole: float
    part_squared: float
    part_whole: float
    whole_squared: float

    @classmethod
    def of(cls, pairs: Iterable[tuple[float, float]]) -> ClusterSums:
        stores, y, x, yy, yx, xx = 0, 0.0, 0.0, 0.0, 0.0, 0.0
        for part, whole in pairs:
            stores, y, x = stores + 1, y + part, x + whole
            yy, yx, xx = yy + part * part, yx + part * whole, xx + whole * whole
        return cls(stores, y, x, yy, yx, xx)

    @property
    def ratio(self) -> float | None:
        return self.part / self.whole if self.whole > 0 else None

    def effective_size(self) -> float:
        """How many independent observations the ratio is worth: between 1 and the whole."""
        ratio = self.ratio
        if ratio is None:
            return 0.0
        if self.stores < 2:
            return 1.0
        if ratio <= 0 or ratio >= 1:
            return float(self.stores)
        errors = self.part_squared - 2 * ratio * self.part_whole + ratio * ratio * self.whole_squared
        variance = max(0.0, errors) * self.stores / ((self.stores - 1) * self.whole * self.whole)
        most = max(self.whole, float(self.stores))
        return most if variance * most <= ratio * (1 - ratio) else max(1.0, ratio * (1 - ratio) / variance)


def ratio_interval(sums: ClusterSums, population: int) -> Interval | None:
    """The interval of a ratio over stores, of which ``sums.stores`` of ``population`` were seen."""
    if sums.ratio is None:
        return None
    return wilson(min(1.0, sums.ratio), sums.effective_size(), seen=sums.stores, population=population)
