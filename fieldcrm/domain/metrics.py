"""A figure that can be defended: its value, how many were seen of how many, how sure, how old, from which records."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import date, datetime
from enum import StrEnum

from fieldcrm.domain.ids import Id


class Universe(StrEnum):
    """What a figure is measured against; shown beside it."""

    SECTOR_STORES = "sector_stores"  # active outlets of the sectors chosen
    LISTING_STORES = "listing_stores"  # … of the store types whose assortment lists the product
    PLANNED_STOPS = "planned_stops"
    LISTED_LINES = "listed_lines"  # lines of listed products that were checked
    FACINGS = "facings"
    PRICES = "prices"
    SCORED_STORES = "scored_stores"


@dataclass(frozen=True, slots=True)
class Interval:
    """A 95 % confidence interval, both ends as shares between 0 and 1."""

    low: float
    high: float


@dataclass(frozen=True, slots=True)
class Provenance:
    """The records behind a figure: the outlets that count for it, those that do not, and the reports."""

    hits: tuple[Id, ...] = ()
    misses: tuple[Id, ...] = ()
    submissions: tuple[Id, ...] = ()


@dataclass(frozen=True, slots=True)
class Figure:
    """One figure with its honesty.

    ``value`` is a share between 0 and 1, or ``None`` when nothing was seen. ``part`` of ``whole`` is what
    the share is made of; ``seen`` of ``population`` is how much of the universe was looked at.
    ``excluded`` counts reports left out because they were returned; ``age_days`` is the median age of
    the observations.
    """

    code: str
    value: float | None
    part: float
    whole: float
    seen: int
    population: int
    universe: Universe
    interval: Interval | None = None
    age_days: float | None = None
    excluded: int = 0
    provenance: Provenance = field(default_factory=Provenance)

    @property
    def complete(self) -> bool:
        return self.population > 0 and self.seen >= self.population


@dataclass(frozen=True, slots=True)
class Period:
    """Calendar days, both included."""

    first: date
    last: date

    @property
    def days(self) -> int:
        return (self.last - self.first).days + 1


@dataclass(frozen=True, slots=True)
class Selection:
    """What a page of figures is about. Empty ``sectors`` means every sector on this device.

    ``since`` (included) and ``until`` (not included) are the UTC moments at which the period begins and ends.
    """

    period: Period
    since: datetime
    until: datetime
    sectors: frozenset[Id] = frozenset()
    form: str | None = None
    person_id: Id | None = None


@dataclass(frozen=True, slots=True)
class Excluded:
    """Reports of the period that figures leave out."""

    returned: int = 0
    superseded: int = 0


@dataclass(frozen=True, slots=True)
class TrendPoint:
    """One week of a trend; ``value`` is ``None`` for a week without observations."""

    week: date  # its Monday
    value: float | None
    part: float
    whole: float


@dataclass(frozen=True, slots=True)
class ScoreItem:
    """One line of a perfect-store score; ``points`` is ``None`` when the item does not apply."""

    code: str
    weight: float
    points: float | None
    maximum: float = 1.0


@dataclass(frozen=True, slots=True)
class PriceAlert:
    outlet_id: Id
    product_id: Id
    submission_id: Id
    seen_minor: int
    reference_minor: int
    product: str = ""
    read_at: datetime | None = None

    @property
    def deviation(self) -> float:
        """Signed share of the reference price: 0.25 is a quarter dearer."""
        return (self.seen_minor - self.reference_minor) / self.reference_minor

