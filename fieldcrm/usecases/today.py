"""What the Today screen shows: the stops in order with their reasons, how far the day has come, who was left out."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Any
from zoneinfo import ZoneInfo

from fieldcrm.domain.actor import Actor
from fieldcrm.domain.ids import Id
from fieldcrm.geo.distance import Place, great_circle_m
from fieldcrm.store import plans as _plans
from fieldcrm.store.database import Reader
from fieldcrm.store.plans import Plan, PlanOutlet, PlanStop, VisitOfDay
from fieldcrm.usecases.plans import day_bounds


class StopState(StrEnum):
    """``started``: a visit is being recorded on this device. ``next``: the first one to do."""

    NEXT = "next"
    STARTED = "started"
    PLANNED = "planned"
    DONE = "done"
    SKIPPED = "skipped"


@dataclass(frozen=True, slots=True)
class TodayRow:
    """One store of the day. Minutes are after local midnight; ``stop_id`` is None for an unplanned visit."""

    stop_id: Id | None
    outlet_id: Id
    number: int  # place in the plan, 1 first; 0 for an unplanned visit
    name: str
    banner: str
    address: str
    store_type: str
    segment: str
    place: Place | None
    state: StopState
    arrive: int | None
    leave: int | None
    travel_minutes: int | None
    distance_m: int | None  # from the stop before, as the crow flies
    reasons: tuple[Mapping[str, Any], ...]  # [{code, params}], most weighty first
    skip_reason: str | None
    pinned: bool
    visit_id: Id | None
    draft_id: Id | None

    @property
    def open(self) -> bool:
        return self.state in (StopState.NEXT, StopState.STARTED, StopState.PLANNED)


@dataclass(frozen=True, slots=True)
class LeftOutRow:
    """A store that could have been in the plan; ``reason`` and ``params`` are those of ``planning.explain``."""

    outlet_id: Id
    name: str
    address: str
    place: Place | None
    reason: str
    params: Mapping[str, Any]


@dataclass(frozen=True, slots=True)
class Today:
    """``rows``: still to do in route order, then done and skipped. ``home_at``: minutes after midnight."""

    day: date
    zone: str
    plan_id: Id | None
    rows: tuple[TodayRow, ...]
    left_out: tuple[LeftOutRow, ...]
    home: Place | None
    starts: int | None
    ends: int | None
    lunch_minutes: int

    @property
    def stops(self) -> tuple[TodayRow, ...]:
        return tuple(row for row in self.rows if row.stop_id is not None)

    @property
    def total(self) -> int:
        return len(self.stops)

    @property
    def done(self) -> int:
        return sum(row.state is StopState.DONE for row in self.stops)

    @property
    def skipped(self) -> int:
        return sum(row.state is StopState.SKIPPED for row in self.stops)

    @property
    def unplanned(self) -> int:
        return len(self.rows) - len(self.stops)

    @property
    def next(self) -> TodayRow | None:
        return next((row for row in self.rows if row.open), None)

    @property
    def drive_minutes(self) -> int:
        """Driving still to do between the stores."""
        return sum(row.travel_minutes or 0 for row in self.rows if row.open)

    @property
    def last_leave(self) -> int | None:
        """When the last store still to do is left."""
        times = [row.leave for row in self.rows if row.open and row.leave is not None]
        return max(times, default=None)


@dataclass(frozen=True, slots=True)
class OtherOutlet:
    """A store that is not in today's plan, for the map."""

    outlet_id: Id
    name: str
    place: Place


def today(r: Reader, actor: Actor, day: date) -> Today:
    """The day of ``actor``; without a plan the rows are the unplanned visits alone."""
    plan = _plans.plan_of(r, actor.user_id, day)
    stops = _plans.stops_of(r, plan.id) if plan else ()
    merged = _plans.aliases(r)
    zone = _zone(r, actor, stops)
    start, end = day_bounds(day, ZoneInfo(zone))
    visits = _plans.visits_between(r, actor.user_id, start, end)
    drafts = {merged.get(outlet, outlet): draft for outlet, draft in _plans.drafts_by_outlet(r, end).items()}
    left = plan.left_out if plan else ()
    wanted = {merged.get(id, id) for id in (*(s.outlet_id for s in stops), *(v.outlet_id for v in visits))}
    wanted |= set(drafts)
    wanted |= {Id(entry["outlet_id"]) for entry in left}
    outlets = _plans.outlets_by_id(r, wanted)
    rows = _stop_rows(stops, outlets, visits, drafts, merged, plan)
    extra = _unplanned(rows, visits, outlets, merged, ZoneInfo(zone))
    extra += _begun([*rows, *extra], drafts, outlets)
    ordered = sorted([*rows, *extra], key=lambda row: (not row.open, row.number or 999, row.arrive or 0))
    taken = {row.outlet_id for row in ordered}
    return Today(
        day, zone, plan.id if plan else None, _with_next(ordered), _left_out(left, outlets, taken),
        plan.home if plan else None, plan.starts if plan else None, plan.ends if plan else None,
        plan.lunch_minutes if plan else 0,
    )


def other_outlets(r: Reader, actor: Actor, shown: Sequence[Id]) -> tuple[OtherOutlet, ...]:
    """The rest of the sector with a position: pins to pick an unplanned visit from."""
    known = set(shown)
    return tuple(
        OtherOutlet(found.outlet_id, found.name, (found.lat_e7 / 1e7, found.lon_e7 / 1e7))
        for found in _plans.places_in(r, actor.sectors)
        if found.outlet_id not in known
    )


def has_outlets(r: Reader, actor: Actor) -> bool:
    """Whether there is a store in the person's sectors at all."""
    return _plans.any_outlet(r, actor.sectors)


def local_day(r: Reader, actor: Actor, now: datetime) -> date:
    """Which day it is where the person works."""
    return now.astimezone(ZoneInfo(_zone(r, actor, ()))).date()


def _zone(r: Reader, actor: Actor, stops: Sequence[PlanStop]) -> str:
    """The zone of the day: that of its stores, or of any store of the sector."""
    ids = [stop.outlet_id for stop in stops[:1]]
    known = _plans.outlets_by_id(r, ids) if ids else {}
    if known:
        return next(iter(known.values())).zone
    return _plans.zone_of(r, actor.sectors) or "UTC"


def _stop_rows(
    stops: Sequence[PlanStop], outlets: Mapping[Id, PlanOutlet], visits: Sequence[VisitOfDay],
    drafts: Mapping[Id, Id], merged: Mapping[Id, Id], plan: Plan | None,
) -> list[TodayRow]:
    by_outlet = {merged.get(visit.outlet_id, visit.outlet_id): visit for visit in visits}
    rows: list[TodayRow] = []
    before = plan.home if plan else None
    for number, stop in enumerate(stops, start=1):
        home = merged.get(stop.outlet_id, stop.outlet_id)
        outlet = outlets.get(home)
        if outlet is None:
            continue  # moved to a sector that this device does not hold
        visit = next((v for v in visits if v.stop_id == stop.id), by_outlet.get(home))
        state = _state(stop, visit, home in drafts)
        far = great_circle_m(before, outlet.place) if before and outlet.place else None
        if state is not StopState.SKIPPED:
            before = outlet.place or before
        rows.append(TodayRow(
            stop.id, home, number, outlet.name, outlet.banner, outlet.address, outlet.store_type, outlet.segment,
            outlet.place, state, stop.arrive, stop.leave, stop.travel_minutes, None if far is None else round(far),
            stop.reasons, stop.skip_reason, stop.pinned, visit.id if visit else None, drafts.get(home),
        ))
    return rows


def _state(stop: PlanStop, visit: VisitOfDay | None, drafted: bool) -> StopState:
    if stop.state == "done" or visit is not None:
        return StopState.DONE
    if drafted:
        return StopState.STARTED
    return StopState.SKIPPED if stop.state == "skipped" else StopState.PLANNED


def _with_next(rows: Sequence[TodayRow]) -> tuple[TodayRow, ...]:
    first = next((row for row in rows if row.open), None)
    mark = first is not None and first.state is StopState.PLANNED
    return tuple(replace(row, state=StopState.NEXT) if mark and row is first else row for row in rows)


def _unplanned(
    rows: Sequence[TodayRow], visits: Sequence[VisitOfDay], outlets: Mapping[Id, PlanOutlet],
    merged: Mapping[Id, Id], zone: ZoneInfo,
) -> list[TodayRow]:
    planned = {row.outlet_id for row in rows}
    found = []
    for visit in visits:
        home = merged.get(visit.outlet_id, visit.outlet_id)
        outlet = outlets.get(home)
        if home in planned or outlet is None:
            continue
        begun = visit.started_at.astimezone(zone)
        ended = visit.ended_at.astimezone(zone) if visit.ended_at else begun
        found.append(TodayRow(
            None, home, 0, outlet.name, outlet.banner, outlet.address, outlet.store_type, outlet.segment, outlet.place,
            StopState.DONE, begun.hour * 60 + begun.minute, ended.hour * 60 + ended.minute, None, None, (), None, False,
            visit.id, None,
        ))
    return found


def _begun(
    rows: Sequence[TodayRow], drafts: Mapping[Id, Id], outlets: Mapping[Id, PlanOutlet]
) -> list[TodayRow]:
    """Visits outside the plan that were begun and not sent yet: out of sight they would be forgotten."""
    known = {row.outlet_id for row in rows}
    return [
        TodayRow(
            None, home, 0, outlet.name, outlet.banner, outlet.address, outlet.store_type, outlet.segment, outlet.place,
            StopState.STARTED, None, None, None, None, (), None, False, None, draft,
        )
        for home, draft in drafts.items()
        if home not in known and (outlet := outlets.get(home)) is not None
    ]


def _left_out(
    entries: Sequence[Mapping[str, Any]], outlets: Mapping[Id, PlanOutlet], taken: set[Id]
) -> tuple[LeftOutRow, ...]:
    found = []
    for entry in entries:
        outlet = outlets.get(Id(entry["outlet_id"]))
        if outlet is None or outlet.id in taken:
            continue
        params = entry.get("params") or {}
        found.append(LeftOutRow(outlet.id, outlet.name, outlet.address, outlet.place, entry["reason"], params))
    return tuple(found)
