"""The plan of a person's day: made by the solver, kept as records that sync; ``stops`` changes it by hand.

Made in three steps so that the slow one runs away from the screen: ``prepare`` reads, ``solve_day`` computes,
``save_plan`` writes. ``make_plan`` does all three.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.geo.distance import Place, travel_seconds
from fieldcrm.planning import explain
from fieldcrm.planning.day import Candidate, Day, Matrix, Schedule, Window, solve, warm_up
from fieldcrm.planning.due import OTHER_SERVICE, SERVICE_MINUTES, Due, Errand, Facts, assess
from fieldcrm.planning.explain import LeftOut
from fieldcrm.store import plans as _plans
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.plans import PlanOutlet, PlanStop
from fieldcrm.store.settings import read_setting
from fieldcrm.usecases.opening import day_windows

__all__ = [
    "DayPlan", "DayProblem", "assess_outlets", "candidate_for", "day_bounds", "make_plan", "prepare", "save_plan",
    "service_minutes", "shift_of", "solve_day", "stop_times", "visit_windows", "warm_up", "with_home",
]

STARTS, ENDS, LUNCH = 8 * 60 + 30, 17 * 60 + 30, 45  # minutes, where the organisation has set nothing
MOST_STOPS = 14
SHORTLIST = 60  # candidates the solver is given: the best by score
EXPLAINED = 40  # stores left out whose reason is kept

# When a store receives reps, where its hours are not known: a custom of the trade per type.
USUAL_HOURS: Mapping[str, str] = {
    "hypermarket": "Mo-Sa 08:00-19:30", "supermarket": "Mo-Sa 08:00-19:30", "convenience": "Mo-Sa 08:00-20:00",
    "petrol": "Mo-Su 07:00-21:00", "kiosk": "Mo-Sa 07:00-19:00",
    "pharmacy": "Mo-Fr 09:00-12:30,14:00-19:00; Sa 09:00-12:30",
    "specialist": "Tu-Sa 09:30-12:30,14:00-19:00", "food_service": "Mo-Sa 09:30-11:45,14:30-18:00",
}
OTHER_HOURS = "Mo-Sa 09:00-18:00"


@dataclass(frozen=True, slots=True)
class DayProblem:
    """Everything the solver needs, as plain values; ``outlets[i]`` is ``candidates[i]``, row ``i`` of the matrix."""

    day: date
    person_id: Id
    sector_id: Id
    home: tuple[int | None, int | None]
    outlets: tuple[PlanOutlet, ...]
    dues: tuple[Due, ...]
    candidates: tuple[Candidate, ...]
    travel: Matrix
    shift: Day
    kept: tuple[PlanStop, ...]  # done and skipped stops of the day's earlier plan, which stay
    pinned: frozenset[Id]  # outlets of pinned stops still to do, which stay too
    left_out: tuple[tuple[Id, LeftOut], ...]  # known before the solver starts


@dataclass(frozen=True, slots=True)
class DayPlan:
    problem: DayProblem
    schedule: Schedule
    left_out: tuple[tuple[Id, LeftOut], ...]


# ---- making a plan


def make_plan(tx: Transaction, day: date) -> Id:
    """Plan the day of the person who writes; a plan that is there is made anew around what is done. Returns its id."""
    return save_plan(tx, solve_day(prepare(tx, tx.actor, day)))


def prepare(r: Reader, actor: Actor, day: date) -> DayProblem:
    """Who is due and when each store is open. Raises ``no_sector`` and ``no_outlets``."""
    if not actor.sectors:
        raise DomainError("no_sector")
    outlets = _plans.outlets_in(r, actor.sectors)
    if not outlets:
        raise DomainError("no_outlets")
    kept, waiting = _kept(r, actor, day)
    pinned = frozenset(stop.outlet_id for stop in waiting if stop.pinned)
    settled = {stop.outlet_id for stop in kept}
    dues = assess_outlets(r, actor, outlets, day)
    chosen: list[PlanOutlet] = []
    left: list[tuple[Id, LeftOut]] = []
    for outlet in sorted(outlets, key=lambda o: (o.id not in pinned, not dues[o.id].must, -dues[o.id].score, o.id)):
        due = dues[outlet.id]
        if outlet.id in settled:
            continue
        if outlet.place is None:
            if due.due:
                left.append((outlet.id, explain.no_position()))
        elif not due.due and outlet.id not in pinned:
            left.append((outlet.id, explain.not_due(due)))
        elif len(chosen) < SHORTLIST:
            chosen.append(outlet)
    shift = shift_of(r, day, len(kept))
    home = _plans.home_of(r, actor.user_id)
    sector = Counter(outlet.sector_id for outlet in chosen or outlets).most_common(1)[0][0]
    chosen_dues = tuple(dues[outlet.id] for outlet in chosen)
    candidates = tuple(
        candidate_for(i, outlet, day, score=due.score, must=due.must or outlet.id in pinned)
        for i, (outlet, due) in enumerate(zip(chosen, chosen_dues, strict=True))
    )
    matrix, shift = with_home(chosen, _degrees(home), shift)
    return DayProblem(
        day, actor.user_id, sector, home, tuple(chosen), chosen_dues, candidates, matrix, shift, kept, pinned,
        tuple(left),
    )


def solve_day(problem: DayProblem) -> DayPlan:
    """Order the day, and say of each candidate left out why. Pure: runs in any thread or process."""
    found = solve(problem.candidates, problem.travel, problem.shift)
    out = [i for i in range(len(problem.candidates)) if i not in found.order]
    reasons = [
        (problem.outlets[i].id, explain.why_not(i, found, problem.candidates, problem.travel, problem.shift))
        for i in out
    ]
    return DayPlan(problem, found, (*reasons, *problem.left_out))


def save_plan(tx: Transaction, made: DayPlan) -> Id:
    """Write the plan; stops that were still to do give way to the new ones."""
    problem = made.problem
    old = _plans.plan_of(tx, problem.person_id, problem.day)
    values = {
        "starts": problem.shift.starts // 60, "ends": problem.shift.ends // 60,
        "lunch_minutes": problem.shift.lunch // 60,
        "home_lat_e7": problem.home[0], "home_lon_e7": problem.home[1], "travel": "straight",
        "left_out": [_left_out(id, left) for id, left in made.left_out[:EXPLAINED]],
    }
    kept: tuple[PlanStop, ...] = ()
    if old is None:
        plan_id = new_id(tx.now)
        owner = {"person_id": problem.person_id, "sector_id": problem.sector_id, "day": problem.day}
        _plans.insert_plan(tx, plan_id, {**owner, **values})
    else:
        plan_id = old.id
        _plans.update_plan(tx, plan_id, values)
        kept = tuple(s for s in _plans.stops_of(tx, plan_id) if s.id in {k.id for k in problem.kept})
        _plans.delete_stops(tx, [s.id for s in _plans.stops_of(tx, plan_id) if s not in kept])
        for position, stop in enumerate(kept, start=1):
            _plans.update_stop(tx, stop.id, {"position": position})
    rows = [
        {
            "id": new_id(tx.now), "plan_id": plan_id, "outlet_id": problem.outlets[stop.candidate].id,
            "position": len(kept) + number, **stop_times(stop.arrive, stop.leave, stop.travel),
            "reasons": [reason.document() for reason in problem.dues[stop.candidate].reasons],
            "state": "planned", "skip_reason": None, "pinned": problem.outlets[stop.candidate].id in problem.pinned,
        }
        for number, stop in enumerate(made.schedule.stops, start=1)
    ]
    _plans.insert_stops(tx, rows)
    tx.label = tx.label or "plan.made"
    return plan_id


def _left_out(outlet_id: Id, left: LeftOut) -> dict[str, Any]:
    return {"outlet_id": outlet_id.hex, "reason": left.reason, "params": dict(left.params)}


def stop_times(arrive: int, leave: int, travel: int) -> dict[str, int]:
    """Seconds as the minutes that are kept: never earlier than they are."""
    return {"arrive": -(-arrive // 60), "leave": -(-leave // 60), "travel_minutes": -(-travel // 60)}


def _kept(r: Reader, actor: Actor, day: date) -> tuple[tuple[PlanStop, ...], tuple[PlanStop, ...]]:
    plan = _plans.plan_of(r, actor.user_id, day)
    stops = _plans.stops_of(r, plan.id) if plan else ()
    kept = tuple(stop for stop in stops if stop.state != "planned")
    return kept, tuple(stop for stop in stops if stop.state == "planned")


def assess_outlets(r: Reader, actor: Actor, outlets: Sequence[PlanOutlet], day: date) -> dict[Id, Due]:
    visits = _plans.last_visits(r, actor.sectors)
    errands = _plans.open_errands(r, actor.sectors)
    gaps = _plans.shelf_gaps(r, actor.sectors, day)
    dues = {}
    for outlet in outlets:
        last = visits.get(outlet.id)
        shelf = gaps.get(outlet.id, [])
        again = tuple((gap.product, gap.streak) for gap in shelf if gap.streak > 1)
        dues[outlet.id] = assess(Facts(
            segment=outlet.segment, interval_days=outlet.visit_interval_days,
            last_visit=last.astimezone(ZoneInfo(outlet.zone)).date() if last else None,
            errands=tuple(Errand(e.kind, e.title, e.due) for e in errands.get(outlet.id, ())),
            out_of_stock=again, missing=sum(gap.must_stock and gap.streak < 2 for gap in shelf),
        ), day)
    return dues


# ---- what the scheduler is given


def visit_windows(outlet: PlanOutlet, day: date) -> tuple[Window, ...]:
    """When a visit may take place: the store's hours, else those usual for its type; its preferred slots first."""
    spans = day_windows(outlet.opening_hours, outlet.country, day)
    if spans is None:
        spans = day_windows(USUAL_HOURS.get(outlet.store_type, OTHER_HOURS), outlet.country, day) or ()
    hours = [(span.start * 60, span.end * 60) for span in spans]
    wished = day_windows(outlet.preferred_slots, outlet.country, day) or ()
    both = [
        (max(a, span.start * 60), min(b, span.end * 60))
        for a, b in hours for span in wished if max(a, span.start * 60) < min(b, span.end * 60)
    ]
    return tuple(both or hours)


def service_minutes(outlet: PlanOutlet) -> int:
    return outlet.visit_minutes or SERVICE_MINUTES.get(outlet.store_type, OTHER_SERVICE)


def candidate_for(at: int, outlet: PlanOutlet, day: date, *, score: float = 0.0, must: bool = False) -> Candidate:
    return Candidate(at, visit_windows(outlet, day), service_minutes(outlet) * 60, score, must)


def shift_of(r: Reader, day: date, already: int) -> Day:
    setting = read_setting(r, "planning", day) or {}
    return Day(
        starts=int(setting.get("starts", STARTS)) * 60, ends=int(setting.get("ends", ENDS)) * 60,
        lunch=int(setting.get("lunch_minutes", LUNCH)) * 60,
        most_stops=max(0, int(setting.get("most_stops", MOST_STOPS)) - already),
    )


def _degrees(home: tuple[int | None, int | None]) -> Place | None:
    return None if home[0] is None or home[1] is None else (home[0] / 1e7, home[1] / 1e7)


def with_home(outlets: Sequence[PlanOutlet], home: Place | None, shift: Day) -> tuple[Matrix, Day]:
    """The matrix of driving times; home is its last row when there is one."""
    # An outlet without a position stands where the one before it does: it costs its visit, and no guess.
    places: list[Place] = []
    for outlet in outlets:
        places.append(outlet.place or (places[-1] if places else home or (0.0, 0.0)))
    if home is None:
        return travel_seconds(places), shift
    at = len(places)
    base = Day(shift.starts, shift.ends, shift.lunch, shift.lunch_window, at, at, shift.most_stops)
    return travel_seconds([*places, home]), base


def day_bounds(day: date, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """The first moments of a local day and of the next, aware."""
    return datetime.combine(day, time.min, zone), datetime.combine(day + timedelta(days=1), time.min, zone)
