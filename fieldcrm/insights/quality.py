"""What about a report deserves a look first. Remarks are questions with figures, not accusations.

A visit without a position is honest and never a remark by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, fields
from typing import Any

from fieldcrm.domain.review import Remark


@dataclass(frozen=True, slots=True)
class Limits:
    """From when on something is remarked; an organisation may set its own (setting ``review_limits``)."""

    short_minutes: float = 5.0
    short_share: float = 0.25  # of the usual length of a visit there
    far_m: float = 500
    confirmed_lines: float = 8
    price_share: float = 0.30
    facings_factor: float = 3.0
    facings_least: float = 6
    photos: float = 1

    @classmethod
    def of(cls, values: Mapping[str, Any] | None) -> Limits:
        """Known numbers of a settings document; anything else in it is left aside."""
        known = {f.name for f in fields(cls)}
        given = {
            key: value for key, value in (values or {}).items()
            if key in known and isinstance(value, (int, float)) and not isinstance(value, bool) and value >= 0
        }
        return cls(**given)


@dataclass(frozen=True, slots=True)
class PriceSeen:
    product: str
    seen_minor: int
    reference_minor: int


@dataclass(frozen=True, slots=True)
class FacingsSeen:
    product: str
    before: int
    now: int


@dataclass(frozen=True, slots=True)
class Evidence:
    """The facts of one report that remarks are made from."""

    minutes: float | None = None
    usual_minutes: int | None = None
    distance_m: int | None = None
    accuracy_m: int | None = None
    lines: int = 0
    confirmed: int = 0
    photos: int = 0
    photo_reused_at: tuple[str, ...] = ()  # names of other stores, or of this one on another day
    prices: tuple[PriceSeen, ...] = ()
    facings: tuple[FacingsSeen, ...] = field(default=())
    asks_photo: bool = True  # a form without a question for one leaves nothing to miss


def remarks(evidence: Evidence, limits: Limits) -> tuple[Remark, ...]:
    """All remarks about a report, the weightiest first; the same evidence always gives the same list."""
    found = [
        *_photo_reused(evidence), *_far(evidence, limits), *_short(evidence, limits), *_photos(evidence, limits),
        *_prices(evidence, limits), *_facings(evidence, limits), *_confirmed(evidence, limits),
    ]
    return tuple(sorted(found, key=lambda remark: (-remark.weight, remark.code)))


def _photo_reused(evidence: Evidence) -> Iterable[Remark]:
    if evidence.photo_reused_at:
        places = sorted(set(evidence.photo_reused_at))
        yield Remark("photo_reused", 90, {"place": places[0], "count": len(places)})


def _far(evidence: Evidence, limits: Limits) -> Iterable[Remark]:
    if evidence.distance_m is None:
        return
    if evidence.distance_m - (evidence.accuracy_m or 0) > limits.far_m:
        yield Remark("far", 80, {"distance_m": evidence.distance_m})


def _short(evidence: Evidence, limits: Limits) -> Iterable[Remark]:
    if evidence.minutes is None:
        return
    least = max(limits.short_minutes, limits.short_share * (evidence.usual_minutes or 0))
    if evidence.minutes < least:
        yield Remark("short", 70, {
            "minutes": max(1, round(evidence.minutes)), "usual": evidence.usual_minutes, "lines": evidence.lines,
        })


def _photos(evidence: Evidence, limits: Limits) -> Iterable[Remark]:
    due = limits.photos if evidence.lines and evidence.asks_photo else 0
    if evidence.photos < due:
        yield Remark("photo_missing", 60, {"got": evidence.photos, "due": int(due)})


def _prices(evidence: Evidence, limits: Limits) -> Iterable[Remark]:
    far = [p for p in evidence.prices if p.reference_minor > 0 and _deviation(p) > limits.price_share]
    if far:
        worst = max(far, key=lambda p: (_deviation(p), p.product))
        yield Remark("price_far", 50, {
            "product": worst.product, "seen_minor": worst.seen_minor, "reference_minor": worst.reference_minor,
            "count": len(far),
        })


def _deviation(price: PriceSeen) -> float:
    return abs(price.seen_minor - price.reference_minor) / price.reference_minor


def _facings(evidence: Evidence, limits: Limits) -> Iterable[Remark]:
    jumps = [
        f for f in evidence.facings
        if abs(f.now - f.before) >= limits.facings_least
        and max(f.now, f.before) >= limits.facings_factor * max(1, min(f.now, f.before))
    ]
    if jumps:
        worst = max(jumps, key=lambda f: (abs(f.now - f.before), f.product))
        yield Remark("facings_jump", 40, {
            "product": worst.product, "before": worst.before, "now": worst.now, "count": len(jumps),
        })


def _confirmed(evidence: Evidence, limits: Limits) -> Iterable[Remark]:
    if evidence.lines >= limits.confirmed_lines and evidence.confirmed == evidence.lines:
        yield Remark("all_confirmed", 30, {"lines": evidence.lines})
