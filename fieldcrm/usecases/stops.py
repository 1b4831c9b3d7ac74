"""The plan of the day changed by hand: stops moved, skipped, added and pinned, each with its price in minutes."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.planning.day import Candidate, Day, Matrix, Schedule, cheapest, schedule
from fieldcrm.store import plans as _plans
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.plans import Plan, PlanOutlet, PlanStop
from fieldcrm.usecases.plans import assess_outlets, candidate_for, day_bounds, shift_of, stop_times, with_home

SKIP_REASONS = ("closed", "nobody", "contact_absent", "refused", "no_time", "road", "other")


@dataclass(frozen=True, slots=True)
class Price:
    """What a change of the day costs. ``minutes`` later at the end of the day (negative: earlier)."""

    minutes: int
    ends_at: int  # minutes after midnight
    late: bool  # beyond the end of the day
    closed: tuple[str, ...] = ()  # stores that will be closed when they are reached, and were not before


@dataclass(frozen=True, slots=True)
class _Remaining:
    """The stops still to do, as the scheduler wants them."""

    plan: Plan
    stops: tuple[PlanStop, ...]
    outlets: tuple[PlanOutlet, ...]
    candidates: tuple[Candidate, ...]
    travel: Matrix
    shift: Day


def price_of_move(r: Reader, stop_id: Id, position: int) -> Price:
    """What moving a stop to ``position`` (0: the next one) among those still to do would cost."""
    rest = _remaining(r, _plans.read_stop(r, stop_id).plan_id)
    return _price(rest, _moved(rest, stop_id, position))


def move_stop(tx: Transaction, stop_id: Id, position: int) -> Price:
    """Move a stop among those still to do; the times of all follow. Returns the price."""
    rest = _remaining(tx, _plans.read_stop(tx, stop_id).plan_id)
    order = _moved(rest, stop_id, position)
    price = _price(rest, order)
    _write_order(tx, rest, order)
    tx.label = tx.label or "stop.moved"
    return price


def skip_stop(tx: Transaction, stop_id: Id, reason: str) -> None:
    """Leave a stop out of the day, and say why. Raises ``skip_reason_missing`` and ``stop_not_open``."""
    if reason not in SKIP_REASONS:
        raise DomainError("skip_reason_missing", field="reason")
    stop = _open_stop(tx, stop_id)
    _plans.update_stop(tx, stop_id, {"state": "skipped", "skip_reason": reason})
    _retime(tx, stop.plan_id)
    tx.label = tx.label or "stop.skipped"


def unskip_stop(tx: Transaction, stop_id: Id) -> None:
    """Take a skipped stop back into the day, at its end."""
    stop = _plans.read_stop(tx, stop_id)
    if stop.state != "skipped":
        raise DomainError("stop_not_skipped", id=stop_id.hex)
    last = max((s.position for s in _plans.stops_of(tx, stop.plan_id)), default=0)
    _plans.update_stop(tx, stop_id, {"state": "planned", "skip_reason": None, "position": last + 1})
    _retime(tx, stop.plan_id)
    tx.label = tx.label or "stop.taken_back"


def pin_stop(tx: Transaction, stop_id: Id, pinned: bool) -> None:
    """A pinned stop stays in the day when it is planned anew."""
    _open_stop(tx, stop_id)
    _plans.update_stop(tx, stop_id, {"pinned": pinned})
    tx.label = tx.label or ("stop.pinned" if pinned else "stop.unpinned")


def remove_stop(tx: Transaction, stop_id: Id) -> None:
    """Take a stop off the day without a word; a skipped one stays, with its reason."""
    stop = _open_stop(tx, stop_id)
    _plans.delete_stops(tx, [stop_id])
    _retime(tx, stop.plan_id)
    tx.label = tx.label or "stop.removed"


def add_stop(tx: Transaction, day: date, outlet_id: Id) -> tuple[Id, Price]:
    """Take an outlet into the day where it costs least; an empty plan is begun when there is none."""
    actor = tx.actor
    outlet = _plans.outlets_by_id(tx, [outlet_id]).get(outlet_id)
    if outlet is None:
        raise DomainError("outlet_unknown", id=outlet_id.hex)
    plan = _plans.plan_of(tx, actor.user_id, day)
    plan_id = plan.id if plan else _empty_plan(tx, actor, outlet.sector_id, day)
    if any(s.outlet_id == outlet_id and s.state == "planned" for s in _plans.stops_of(tx, plan_id)):
        raise DomainError("stop_already_planned", outlet=outlet.name)
    rest = _remaining(tx, plan_id)
    due = assess_outlets(tx, Actor(actor.user_id, actor.role, frozenset({outlet.sector_id})), [outlet], day)[outlet_id]
    stop_id = new_id(tx.now)
    position = max((s.position for s in _plans.stops_of(tx, plan_id)), default=0) + 1
    _plans.insert_stops(tx, [{
        "id": stop_id, "plan_id": plan_id, "outlet_id": outlet_id, "position": position,
        "reasons": [reason.document() for reason in due.reasons], "state": "planned", "skip_reason": None,
        "pinned": True,
    }])
    grown = _remaining(tx, plan_id)
    at = next(i for i, stop in enumerate(grown.stops) if stop.id == stop_id)
    before = schedule([i for i in range(len(grown.stops)) if i != at], grown.candidates, grown.travel, grown.shift)
    best = cheapest(before, at, grown.candidates, grown.travel, grown.shift)
    order = list(best.order) if best else list(range(len(grown.stops)))
    _write_order(tx, grown, order)
    _forget_left_out(tx, plan_id, outlet_id)
    tx.label = tx.label or "stop.added"
    return stop_id, _compare(rest, _timed(rest, range(len(rest.stops))), grown, _timed(grown, order))


def _empty_plan(tx: Transaction, actor: Actor, sector_id: Id, day: date) -> Id:
    plan_id = new_id(tx.now)
    shift, home = shift_of(tx, day, 0), _plans.home_of(tx, actor.user_id)
    _plans.insert_plan(tx, plan_id, {
        "person_id": actor.user_id, "sector_id": sector_id, "day": day, "starts": shift.starts // 60,
        "ends": shift.ends // 60, "lunch_minutes": shift.lunch // 60, "home_lat_e7": home[0], "home_lon_e7": home[1],
        "travel": "straight", "left_out": [],
    })
    return plan_id


def _forget_left_out(tx: Transaction, plan_id: Id, outlet_id: Id) -> None:
    plan = _plans.read_plan(tx, plan_id)
    left = [dict(entry) for entry in plan.left_out if entry.get("outlet_id") != outlet_id.hex]
    if len(left) != len(plan.left_out):
        _plans.update_plan(tx, plan_id, {"left_out": left})


def _open_stop(tx: Transaction, stop_id: Id) -> PlanStop:
    stop = _plans.read_stop(tx, stop_id)
    if stop.state != "planned":
        raise DomainError("stop_not_open", state=stop.state)
    return stop


def _remaining(r: Reader, plan_id: Id) -> _Remaining:
    """The stops still to do, from where the last visit of the day ended."""
    plan = _plans.read_plan(r, plan_id)
    stops = tuple(stop for stop in _plans.stops_of(r, plan_id) if stop.state == "planned")
    known = _plans.outlets_by_id(r, [stop.outlet_id for stop in stops])
    stops = tuple(stop for stop in stops if stop.outlet_id in known)
    outlets = tuple(known[stop.outlet_id] for stop in stops)
    lunch = plan.lunch_minutes * 60
    shift = Day(plan.starts * 60, plan.ends * 60, lunch, most_stops=99)
    matrix, shift = with_home(outlets, plan.home, shift)
    shift, matrix = _from_last_visit(r, plan, outlets, matrix, shift)
    candidates = tuple(candidate_for(i, outlet, plan.day) for i, outlet in enumerate(outlets))
    return _Remaining(plan, stops, outlets, candidates, matrix, shift)


def _from_last_visit(
    r: Reader, plan: Plan, outlets: Sequence[PlanOutlet], matrix: Matrix, shift: Day
) -> tuple[Day, Matrix]:
    zone = ZoneInfo(outlets[0].zone) if outlets else ZoneInfo("UTC")
    begin, end = day_bounds(plan.day, zone)
    done = [visit for visit in _plans.visits_between(r, plan.person_id, begin, end) if visit.ended_at]
    last = done[-1] if done else None
    place = _plans.outlets_by_id(r, [last.outlet_id]).get(last.outlet_id) if last else None
    if last is None or last.ended_at is None or place is None:
        return shift, matrix
    clock = max(shift.starts, round((last.ended_at - begin).total_seconds()))
    lunch = 0 if clock > shift.lunch_window[1] else shift.lunch
    grown, base = with_home([*outlets, place], plan.home, shift)
    return Day(clock, shift.ends, lunch, shift.lunch_window, len(outlets), base.end, shift.most_stops), grown


def _moved(rest: _Remaining, stop_id: Id, position: int) -> list[int]:
    at = next((i for i, stop in enumerate(rest.stops) if stop.id == stop_id), None)
    if at is None:
        raise DomainError("stop_not_open", state="done")
    order = [i for i in range(len(rest.stops)) if i != at]
    order.insert(max(0, min(position, len(order))), at)
    return order


def _timed(rest: _Remaining, order: Sequence[int]) -> Schedule:
    return schedule(order, rest.candidates, rest.travel, rest.shift)


def _price(rest: _Remaining, order: Sequence[int]) -> Price:
    return _compare(rest, _timed(rest, range(len(rest.stops))), rest, _timed(rest, order))


def _compare(rest: _Remaining, before: Schedule, then: _Remaining, after: Schedule) -> Price:
    was = {rest.stops[stop.candidate].id for stop in before.stops if stop.closed}
    closed = [stop.candidate for stop in after.stops if stop.closed and then.stops[stop.candidate].id not in was]
    return Price(
        round((after.home_at - before.home_at) / 60), -(-after.home_at // 60), after.home_at > then.shift.ends,
        tuple(then.outlets[i].name for i in closed),
    )


def _retime(tx: Transaction, plan_id: Id) -> None:
    rest = _remaining(tx, plan_id)
    _write_order(tx, rest, range(len(rest.stops)))


def _write_order(tx: Transaction, rest: _Remaining, order: Sequence[int]) -> None:
    """Positions and times of the stops still to do; only what differs is written, so only that is sent."""
    free = sorted(stop.position for stop in rest.stops)
    for position, timed in zip(free, _timed(rest, order).stops, strict=True):
        stop = rest.stops[timed.candidate]
        values = {"position": position, **stop_times(timed.arrive, timed.leave, timed.travel)}
        changed = {name: value for name, value in values.items() if getattr(stop, name) != value}
        if changed:
            _plans.update_stop(tx, stop.id, changed)
