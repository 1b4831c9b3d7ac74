"""Why a store is not in today's plan, and what it would cost to take it in."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import date
from typing import Any

from fieldcrm.planning.day import Candidate, Day, Matrix, Schedule, cheapest
from fieldcrm.planning.due import Due


@dataclass(frozen=True, slots=True)
class LeftOut:
    """``reason``: closed_today, closed_then, would_add, not_due, no_position, day_full; ``params`` for the sentence."""

    reason: str
    params: Mapping[str, Any] = field(default_factory=dict)


def not_due(due: Due) -> LeftOut:
    return LeftOut("not_due", {"until": due.next_due.isoformat()})


def no_position() -> LeftOut:
    return LeftOut("no_position")


def why_not(
    index: int, plan: Schedule, candidates: Sequence[Candidate], travel: Matrix, day: Day
) -> LeftOut:
    """Why candidate ``index`` is not among the stops of ``plan``; minutes are of the whole day's end."""
    candidate = candidates[index]
    if not candidate.windows:
        return LeftOut("closed_today")
    best = cheapest(plan, index, candidates, travel, day)
    if best is None:
        opens, closes = candidate.windows[0][0], candidate.windows[-1][1]
        return LeftOut("closed_then", {"opens": opens // 60, "closes": closes // 60})
    added = max(1, -(-(best.home_at - plan.home_at) // 60))
    params = {"minutes": added, "home_at": -(-best.home_at // 60)}
    over = -(-(best.home_at - day.ends) // 60)
    if over > 0:
        params["over"] = over
    pushed = [stop.candidate for stop in best.stops if stop.closed]
    if pushed:
        params["closes"] = len(pushed)
    return LeftOut("would_add" if not best.fits else "day_full", params)


def until(reason: Mapping[str, Any]) -> date | None:
    """The day of a ``not_due`` reason as it was kept."""
    value = reason.get("params", {}).get("until")
    return date.fromisoformat(value) if value else None
