"""Which stores are due, and why: every point of the score belongs to a reason that is shown."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Any

DEFAULT_INTERVAL: Mapping[str, int] = {"a": 14, "b": 28, "c": 42}  # days, by segment, where a store has none of its own
OTHER_INTERVAL = 42
SEGMENT_WEIGHT: Mapping[str, float] = {"a": 1.3, "b": 1.1}
SERVICE_MINUTES: Mapping[str, int] = {
    "hypermarket": 45, "supermarket": 35, "convenience": 20, "petrol": 20, "kiosk": 15, "pharmacy": 20,
    "specialist": 20, "food_service": 20,
}
OTHER_SERVICE = 20

# A quarter of its rhythm before its time, a store may fill a gap in the day, for few points.
AGAIN = 2  # audits in a row out of stock: once may be a bad day
SOON_DAYS = 3  # a promise this near is worth a visit that is on the way


@dataclass(frozen=True, slots=True)
class Errand:
    """An open task of a store. ``kind``: promise, task or correction."""

    kind: str
    title: str
    due: date | None


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a store on the morning of the day."""

    segment: str = ""
    interval_days: int | None = None
    last_visit: date | None = None
    errands: tuple[Errand, ...] = ()
    out_of_stock: tuple[tuple[str, int], ...] = ()  # product and audits in a row, the longest run first
    missing: int = 0  # must-stock products that the last audit did not find


@dataclass(frozen=True, slots=True)
class Reason:
    """A code with parameters, and the points it brought."""

    code: str
    params: Mapping[str, Any] = field(default_factory=dict)
    points: float = 0.0

    def document(self) -> dict[str, Any]:
        return {"code": self.code, "params": dict(self.params)}


@dataclass(frozen=True, slots=True)
class Due:
    """``score`` is the sum of the reasons' points by the weight of the segment; ``must``: today, whatever it costs."""

    due: bool
    must: bool
    score: float
    reasons: tuple[Reason, ...]  # the weightiest first
    next_due: date  # when the rhythm asks for a visit, if nothing else does


def interval_days(facts: Facts) -> int:
    return facts.interval_days or DEFAULT_INTERVAL.get(facts.segment, OTHER_INTERVAL)


def assess(facts: Facts, day: date) -> Due:
    """Whether a store is due on ``day``. Same facts, same answer."""
    interval = interval_days(facts)
    next_due = facts.last_visit + timedelta(days=interval) if facts.last_visit else day
    seen_today = facts.last_visit is not None and facts.last_visit >= day
    errands = [reason for errand in facts.errands if (reason := _errand(errand, day)) is not None]
    shelf = [] if seen_today else _shelf(facts)
    rhythm = [] if seen_today else _rhythm(facts, day, interval)
    reasons = sorted([*errands, *rhythm, *shelf], key=lambda reason: (-reason.points, reason.code))
    score = sum(reason.points for reason in reasons) * SEGMENT_WEIGHT.get(facts.segment, 1.0)
    must = any(reason.code in ("returned_report", "promise_due") for reason in reasons)
    # Missing codes alone do not bring anyone back the day after: they wait for half the rhythm.
    rested = facts.last_visit is None or (day - facts.last_visit).days * 2 >= interval
    due = must or bool(rhythm) or any(r.code == "task_due" for r in errands) or (bool(shelf) and rested)
    return Due(due, must, round(score, 1), tuple(reasons), next_due)


def _errand(errand: Errand, day: date) -> Reason | None:
    late = (day - errand.due).days if errand.due else None
    due = errand.due.isoformat() if errand.due else None
    params = {"title": errand.title, "due": due, "late_days": max(0, late or 0)}
    if errand.kind == "correction":
        return Reason("returned_report", params, 100.0)
    if late is None or late < -SOON_DAYS:
        return None
    kind, now, soon = ("promise", 60.0 + min(late, 20), 12.0) if errand.kind == "promise" else (
        "task", 35.0 + min(late, 10), 8.0)
    return Reason(f"{kind}_due", params, now) if late >= 0 else Reason(f"{kind}_soon", params, soon)


def _rhythm(facts: Facts, day: date, interval: int) -> list[Reason]:
    if facts.last_visit is None:
        return [Reason("never_visited", {}, 30.0)]
    days = (day - facts.last_visit).days
    if days < interval:
        soon = interval - days
        return [Reason("due_soon", {"days": soon}, 3.0)] if soon <= max(SOON_DAYS, interval // 4) else []
    points = min(60.0, 20.0 + 30.0 * (days - interval) / interval)
    return [Reason("not_seen_days", {"days": days, "interval": interval}, points)]


def _shelf(facts: Facts) -> list[Reason]:
    found = []
    again = [(product, times) for product, times in facts.out_of_stock if times >= AGAIN]
    if again:
        product, times = again[0]
        params = {"product": product, "times": times, "others": len(again) - 1}
        found.append(Reason("out_of_stock_again", params, 20.0 + min(12.0, 4.0 * len(again))))
    if facts.missing:
        found.append(Reason("missing_codes", {"n": facts.missing}, min(24.0, 4.0 * facts.missing)))
    return found
