"""The figures of the trade, from counts alone. Each says its base: see ``Universe`` and docs of the trade's terms.

Choices that the screens name: distribution "held" counts a product that is out of stock (it is listed and will
be back), "present" does not; out-of-stock and on-shelf availability share one base, the listed lines checked
(present + out of stock), so that they add up to 100 %; share of shelf is facings over facings.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from fieldcrm.domain.metrics import Figure, PriceAlert, Provenance, ScoreItem, TrendPoint, Universe
from fieldcrm.insights.intervals import ClusterSums, ratio_interval, wilson

NOTHING_BEHIND = Provenance()


@dataclass(frozen=True, slots=True)
class StateCounts:
    """Stores by the state of one product at their last count in the period."""

    present: int
    oos: int
    absent: int

    @property
    def held(self) -> int:
        return self.present + self.oos

    @property
    def seen(self) -> int:
        return self.held + self.absent


@dataclass(frozen=True, slots=True)
class Base:
    """What every figure is told besides its counts: how old, how many reports left out, from which records."""

    age_days: float | None = None
    excluded: int = 0
    provenance: Provenance = NOTHING_BEHIND


PLAIN = Base()


def numeric_distribution(
    counts: StateCounts, population: int, base: Base = PLAIN, universe: Universe = Universe.LISTING_STORES,
) -> Figure:
    """Stores that hold the product (present or out of stock), of the stores seen; universe: stores that list it."""
    return _stores("distribution_held", counts.held, counts.seen, population, universe, base)


def presence(
    counts: StateCounts, population: int, base: Base = PLAIN, universe: Universe = Universe.LISTING_STORES,
) -> Figure:
    """Stores where the product was on the shelf, of the stores seen; universe: stores that list it."""
    return _stores("distribution_present", counts.present, counts.seen, population, universe, base)


def product_out_of_stock(counts: StateCounts, population: int, base: Base = PLAIN) -> Figure:
    """Stores where the product is listed but missing, of the stores seen where it is listed."""
    return _stores("out_of_stock", counts.oos, counts.held, population, Universe.LISTING_STORES, base)


def out_of_stock(lines: ClusterSums, population: int, base: Base = PLAIN) -> Figure:
    """Listed lines that were out of stock, of the listed lines checked (part = out of stock, whole = listed)."""
    return _ratio("out_of_stock", lines, population, Universe.LISTED_LINES, base)


def on_shelf_availability(lines: ClusterSums, population: int, base: Base = PLAIN) -> Figure:
    """The complement of ``out_of_stock``, from the same sums: the two always add up to 1."""
    turned = ClusterSums(
        lines.stores, lines.whole - lines.part, lines.whole,
        lines.whole_squared - 2 * lines.part_whole + lines.part_squared,
        lines.whole_squared - lines.part_whole, lines.whole_squared,
    )
    return _ratio("on_shelf_availability", turned, population, Universe.LISTED_LINES, base)


def share_of_shelf(facings: ClusterSums, population: int, base: Base = PLAIN) -> Figure:
    """Own facings over the facings of the category, counted in the same stores."""
    return _ratio("share_of_shelf", facings, population, Universe.FACINGS, base)


def call_completion(done: int, planned: int, base: Base = PLAIN) -> Figure:
    """Planned visits that took place, of the planned visits. Everything is known: no interval."""
    return _known("call_completion", done, planned, Universe.PLANNED_STOPS, base)


def coverage(visited: int, assigned: int, base: Base = PLAIN) -> Figure:
    """Distinct assigned stores visited in the period, of the assigned stores."""
    return _known("coverage", min(visited, assigned), assigned, Universe.SECTOR_STORES, base)


def must_stock_full(complete: int, audited: int, population: int, base: Base = PLAIN) -> Figure:
    """Stores with every must-stock product present, of the stores audited."""
    return _stores("must_stock_full", complete, audited, population, Universe.SECTOR_STORES, base)


def must_stock_lines(lines: ClusterSums, population: int, base: Base = PLAIN) -> Figure:
    """Must-stock products present, of the must-stock products due and checked."""
    return _ratio("must_stock_lines", lines, population, Universe.LISTED_LINES, base)


def price_alert_rate(prices: ClusterSums, population: int, base: Base = PLAIN) -> Figure:
    """Prices further than the tolerance from their reference, of the prices read."""
    return _ratio("price_alerts", prices, population, Universe.PRICES, base)


def price_alerts(seen: Iterable[PriceAlert], tolerance: float) -> tuple[PriceAlert, ...]:
    """Those further than ``tolerance`` (0.1 is 10 %) from the reference, the furthest first."""
    far = [price for price in seen if price.reference_minor > 0 and abs(price.deviation) > tolerance]
    return tuple(sorted(far, key=lambda price: (-abs(price.deviation), price.outlet_id.bytes, price.product_id.bytes)))


def perfect_store(items: Iterable[ScoreItem]) -> float | None:
    """Weighted points over weighted maximum; an item that does not apply leaves both sums. ``None``: none applies."""
    obtained = possible = 0.0
    for item in items:
        if item.points is None:
            continue
        obtained += item.weight * min(max(item.points, 0.0), item.maximum)
        possible += item.weight * item.maximum
    return obtained / possible if possible > 0 else None


def perfect_store_mean(scores: Sequence[float], population: int, base: Base = PLAIN) -> Figure:
    """The mean score of the stores scored, each store counting once."""
    return _ratio(
        "perfect_store", ClusterSums.of((score, 1.0) for score in scores), population, Universe.SCORED_STORES, base,
    )


def trend_change(points: Sequence[TrendPoint]) -> float | None:
    """Difference between the last week with a value and the one before it, in shares; ``None`` with fewer than two."""
    values = [point.value for point in points if point.value is not None]
    return values[-1] - values[-2] if len(values) > 1 else None


def median(values: Iterable[float]) -> float | None:
    ordered = sorted(values)
    if not ordered:
        return None
    middle = len(ordered) // 2
    return ordered[middle] if len(ordered) % 2 else (ordered[middle - 1] + ordered[middle]) / 2


def _stores(code: str, part: int, seen: int, population: int, universe: Universe, base: Base) -> Figure:
    """A share of stores; a store seen outside the universe (it changed type) widens the universe, never hides."""
    population = max(population, seen)
    value = part / seen if seen else None
    interval = None if value is None else wilson(value, seen, seen=seen, population=population)
    return Figure(code, value, part, seen, seen, population, universe, interval,
                  base.age_days, base.excluded, base.provenance)


def _ratio(code: str, sums: ClusterSums, population: int, universe: Universe, base: Base) -> Figure:
    population = max(population, sums.stores)
    return Figure(code, sums.ratio, sums.part, sums.whole, sums.stores, population, universe,
                  ratio_interval(sums, population), base.age_days, base.excluded, base.provenance)


def _known(code: str, part: int, whole: int, universe: Universe, base: Base) -> Figure:
    value = part / whole if whole else None
    return Figure(code, value, part, whole, whole, whole, universe, None,
                  base.age_days, base.excluded, base.provenance)
