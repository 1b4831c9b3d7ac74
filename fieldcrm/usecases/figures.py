"""The first page of figures, each with n of N, its interval and its age, and each open down to stores and reports."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.metrics import Excluded, Figure, PriceAlert, Provenance, Selection, TrendPoint, Universe
from fieldcrm.insights import kpi
from fieldcrm.insights.intervals import ClusterSums
from fieldcrm.store import aggregates, behind
from fieldcrm.store.behind import RepCounts as RepCounts
from fieldcrm.store.behind import SectorName as SectorName
from fieldcrm.store.behind import StoreBehind as StoreBehind
from fieldcrm.store.database import Reader
from fieldcrm.store.settings import read_setting
from fieldcrm.usecases.periods import TREND_WEEKS, local_day, select_period, trend_period

PRICE_TOLERANCE = 0.10
TRENDS = ("call_completion", "distribution_held", "out_of_stock")
WEEK = timedelta(days=7)


@dataclass(frozen=True, slots=True)
class ProductFigures:
    """One product: held and on the shelf (of the stores seen), out of stock (of the stores that list it)."""

    product_id: Id
    name: str
    brand: str
    category: str
    own: bool
    held: Figure
    present: Figure
    out_of_stock: Figure


@dataclass(frozen=True, slots=True)
class FiguresPage:
    selection: Selection
    tiles: tuple[Figure, ...]
    products: tuple[ProductFigures, ...]
    shelf: tuple[tuple[str, Figure], ...]  # share of shelf by category
    reps: tuple[RepCounts, ...]
    excluded: Excluded
    stores: int

    @property
    def empty(self) -> bool:
        """Nothing was planned, visited or counted in the period."""
        return all(figure.value is None for figure in self.tiles) or (
            not self.reps and not any(product.held.seen for product in self.products))


@dataclass(frozen=True, slots=True)
class Trend:
    code: str
    points: tuple[TrendPoint, ...]
    change: float | None


def page(r: Reader, selection: Selection, *, now: datetime) -> FiguresPage:
    """All figures of a selection. Counts come from SQL; nothing here reads a record one by one but the prices."""
    left_out = aggregates.excluded(r, selection)
    stores = aggregates.store_count(r, selection)
    sheets = aggregates.sheets(r, selection)
    base = kpi.Base(_age(sheets, now), left_out.returned)
    products = tuple(_product(counts, stores, left_out.returned, now)
                     for counts in aggregates.product_counts(r, selection))
    return FiguresPage(
        selection, _tiles(r, selection, sheets, stores, base, now), products, _shelf(sheets, stores, base),
        behind.rep_counts(r, selection, local_day(r, now)), left_out, stores,
    )


def _tiles(
    r: Reader, selection: Selection, sheets: Sequence[aggregates.Sheet], stores: int, base: kpi.Base, now: datetime
) -> tuple[Figure, ...]:
    done, planned = aggregates.completion_counts(r, selection, local_day(r, now))
    due = aggregates.must_stock(r, selection)
    return (
        kpi.call_completion(done, planned),
        kpi.coverage(aggregates.visited_stores(r, selection), stores),
        kpi.out_of_stock(_by_sheet(sheets, "own_oos", "own_listed"), stores, base),
        kpi.share_of_shelf(_by_sheet(sheets, "own_facings", "facings"), stores, base),
        kpi.must_stock_lines(_sums(due.lines), stores, base),
        kpi.must_stock_full(due.full, due.checked, stores, base),
        _price_alerts(r, selection, stores, base),
    )


def _sums(sums: aggregates.Sums) -> ClusterSums:
    return ClusterSums(sums.stores, sums.part, sums.whole, sums.part_squared, sums.part_whole, sums.whole_squared)


def price_tolerance(r: Reader, day: date) -> float:
    """The organisation's tolerance (setting ``price_tolerance``, 0.1 is 10 %), or the usual one."""
    own = read_setting(r, "price_tolerance", day)
    good = isinstance(own, (int, float)) and not isinstance(own, bool) and own >= 0
    return float(own) if good else PRICE_TOLERANCE


def _price_alerts(r: Reader, selection: Selection, stores: int, base: kpi.Base) -> Figure:
    seen = aggregates.prices_seen(r, selection)
    tolerance = price_tolerance(r, selection.period.last)
    far = {(alert.outlet_id, alert.product_id) for alert in kpi.price_alerts(seen, tolerance)}
    return kpi.price_alert_rate(ClusterSums.of(_by_store(seen, far)), stores, base)


def _by_store(seen: Iterable[PriceAlert], far: set[tuple[Id, Id]]) -> Iterable[tuple[float, float]]:
    counts: dict[Id, tuple[int, int]] = {}
    for price in seen:
        part, whole = counts.get(price.outlet_id, (0, 0))
        counts[price.outlet_id] = part + ((price.outlet_id, price.product_id) in far), whole + 1
    return counts.values()


def _product(counts: aggregates.ProductCounts, stores: int, returned: int, now: datetime) -> ProductFigures:
    """A product that no assortment names is measured against every store, and says so."""
    listed = counts.listing is not None
    population = counts.listing if counts.listing is not None else stores
    universe = Universe.LISTING_STORES if listed else Universe.SECTOR_STORES
    states = kpi.StateCounts(counts.present, counts.oos, counts.absent)
    base = kpi.Base(None if counts.typical_at is None else _days(counts.typical_at, now), returned)
    return ProductFigures(
        counts.product_id, counts.name, counts.brand, counts.category, counts.own,
        kpi.numeric_distribution(states, population, base, universe),
        kpi.presence(states, population, base, universe),
        kpi.product_out_of_stock(states, population, base),
    )


def _by_sheet(sheets: Iterable[aggregates.Sheet], part: str, whole: str) -> ClusterSums:
    """A part and a whole of the sheets, summed by store; stores where nothing was counted are not seen."""
    pairs: dict[Id, tuple[float, float]] = {}
    for sheet in sheets:
        done, total = pairs.get(sheet.outlet_id, (0.0, 0.0))
        pairs[sheet.outlet_id] = done + getattr(sheet, part), total + getattr(sheet, whole)
    return ClusterSums.of(pair for pair in pairs.values() if pair[1] > 0)


def _shelf(sheets: Sequence[aggregates.Sheet], stores: int, base: kpi.Base) -> tuple[tuple[str, Figure], ...]:
    categories = dict.fromkeys(sheet.category for sheet in sheets if sheet.facings and sheet.category)
    shelf = []
    for category in categories:
        sums = _by_sheet((sheet for sheet in sheets if sheet.category == category), "own_facings", "facings")
        shelf.append((category, kpi.share_of_shelf(sums, stores, base)))
    return tuple(shelf)


def _age(sheets: Iterable[aggregates.Sheet], now: datetime) -> float | None:
    """The median age in days of the last count of each store."""
    last: dict[Id, datetime] = {}
    for sheet in sheets:
        last[sheet.outlet_id] = max(sheet.last_at, last.get(sheet.outlet_id, sheet.last_at))
    return kpi.median(_days(moment, now) for moment in last.values())


def _days(moment: datetime, now: datetime) -> float:
    return max(0.0, (now - moment).total_seconds() / 86400)


def trend(r: Reader, selection: Selection, code: str, *, now: datetime, weeks: int = TREND_WEEKS) -> Trend:
    """The ``weeks`` weeks that end with the selection's, one of ``TRENDS``; a week without data has no value."""
    period = trend_period(min(selection.period.last, local_day(r, now)), weeks)
    wide = select_period(
        r, period, sectors=selection.sectors, form=selection.form, person_id=selection.person_id)
    counts = _stop_weeks(r, wide, local_day(r, now)) if code == "call_completion" else {
        count.week: (count.part, count.whole) for count in aggregates.week_counts(r, wide, code)
    }
    points = []
    for week in range(weeks):
        part, whole = counts.get(week, (0, 0))
        points.append(TrendPoint(period.first + WEEK * week, part / whole if whole else None, part, whole))
    return Trend(code, tuple(points), kpi.trend_change(points))


def _stop_weeks(r: Reader, selection: Selection, today: date) -> dict[int, tuple[int, int]]:
    counts: dict[int, tuple[int, int]] = {}
    for day, done, planned in aggregates.completion_days(r, selection, today):
        week = (day - selection.period.first).days // 7
        part, whole = counts.get(week, (0, 0))
        counts[week] = part + done, whole + planned
    return counts


def stores_behind(
    r: Reader, selection: Selection, code: str, *, now: datetime, product_id: Id | None = None,
    category: str | None = None,
) -> tuple[StoreBehind, ...]:
    """The stores a figure counts as of ``now``, what pulls it down first, those not seen last.

    Raises ``DomainError("figure_unknown")`` for a code that is none of the page's.
    """
    if product_id is not None:
        return behind.product_stores(r, selection, product_id)
    if code == "call_completion":
        return behind.stop_stores(r, selection, local_day(r, now))
    if code == "coverage":
        return behind.visited_rows(r, selection)
    if code == "price_alerts":
        return behind.price_stores(r, selection, price_tolerance(r, selection.period.last))
    if code in ("out_of_stock", "share_of_shelf", "must_stock_lines", "must_stock_full"):
        return behind.line_stores(r, selection, code.removesuffix("_lines").removesuffix("_full"), category)
    raise DomainError("figure_unknown", code=code)


def provenance(rows: Iterable[StoreBehind]) -> Provenance:
    """The records behind a figure as ids: stores seen, stores not seen, reports."""
    known = tuple(rows)
    return Provenance(
        tuple(row.outlet_id for row in known if row.state != behind.UNSEEN),
        tuple(row.outlet_id for row in known if row.state == behind.UNSEEN),
        tuple(dict.fromkeys(row.submission_id for row in known if row.submission_id is not None)),
    )


def sectors(r: Reader) -> tuple[SectorName, ...]:
    """The sectors on this device, for the picker."""
    return behind.sector_names(r)
