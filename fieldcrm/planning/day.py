"""The order of one day: which stores, when, by VROOM; checked again by a scheduler of our own.

Times are seconds after midnight, local. The same input gives the same plan: VROOM runs on one thread, without a clock.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, TypeAlias

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

Matrix: TypeAlias = "npt.NDArray[np.int64]"
Window = tuple[int, int]  # seconds after midnight, from and to

MUST = 100  # VROOM's highest priority; what may be left out gets 1 to OPTIONAL, so that no swap outweighs a must
OPTIONAL = 10
EXPLORATION = 5  # VROOM's deepest search: well under half a second for what fits in a day
_BREAK = 1


@dataclass(frozen=True, slots=True)
class Candidate:
    """A store that may be visited. ``at`` is its row in the matrix; ``windows`` are when a visit may start and end."""

    at: int
    windows: tuple[Window, ...]
    service: int  # seconds
    score: float = 0.0
    must: bool = False


@dataclass(frozen=True, slots=True)
class Day:
    """The working day. ``start`` and ``end`` are rows of the matrix, or None: the day begins at the first store."""

    starts: int
    ends: int
    lunch: int = 0  # seconds; 0: none
    lunch_window: Window = (12 * 3600, 14 * 3600)  # when lunch may begin
    start: int | None = None
    end: int | None = None
    most_stops: int = 25


@dataclass(frozen=True, slots=True)
class Stop:
    candidate: int  # index in the list of candidates
    travel: int  # seconds from the place before
    arrive: int  # when the visit begins (after waiting for the door to open)
    leave: int
    wait: int = 0
    closed: bool = False  # no opening hours left for it at this place in the order


@dataclass(frozen=True, slots=True)
class Schedule:
    """An order with its times. ``fits``: every store open, lunch in its hours, home before the end."""

    stops: tuple[Stop, ...]
    lunch_at: int | None
    travel: int
    home_at: int
    fits: bool

    @property
    def order(self) -> tuple[int, ...]:
        return tuple(stop.candidate for stop in self.stops)


def schedule(
    order: Sequence[int], candidates: Sequence[Candidate], travel: Matrix, day: Day,
    lunch_places: Sequence[int] | None = None,
) -> Schedule:
    """Put times to an order, lunch where it disturbs least: the check of any plan, and the price of any move.

    ``lunch_places`` limits where lunch is tried (before which stop), for quick comparisons.
    """
    every: Sequence[int | None] = range(len(order) + 1) if day.lunch and order else (None,)
    places = every if lunch_places is None or every == (None,) else lunch_places
    tried = [_with_lunch(order, candidates, travel, day, place) for place in places]
    return min(tried, key=_disturbance)


def _disturbance(made: Schedule) -> tuple[bool, int, int, int]:
    """What makes one place for lunch better than another: doors open, then home early, then stores early."""
    closed = sum(stop.closed for stop in made.stops)
    return not made.fits, closed, made.home_at, sum(stop.arrive for stop in made.stops)


def _with_lunch(
    order: Sequence[int], candidates: Sequence[Candidate], travel: Matrix, day: Day, lunch_before: int | None
) -> Schedule:
    """``lunch_before``: eat before driving to that stop; the number of stops means after the last one."""
    clock, place = day.starts, day.start
    stops: list[Stop] = []
    lunch_at: int | None = None
    lunch_fits = True
    driving = 0

    def eat() -> None:
        nonlocal clock, lunch_at, lunch_fits
        lunch_at = max(clock, day.lunch_window[0])
        lunch_fits = lunch_at <= day.lunch_window[1]
        clock = lunch_at + day.lunch

    for position, index in enumerate(order):
        candidate = candidates[index]
        if lunch_before == position:
            eat()
        drive = 0 if place is None else int(travel[place, candidate.at])
        arrive, closed = _door(candidate, clock + drive)
        stops.append(Stop(index, drive, arrive, arrive + candidate.service, arrive - clock - drive, closed))
        driving += drive
        clock, place = arrive + candidate.service, candidate.at
    if lunch_before == len(order):
        eat()
    if place is not None and day.end is not None:
        drive = int(travel[place, day.end])
        driving += drive
        clock += drive
    fits = lunch_fits and clock <= day.ends and not any(stop.closed for stop in stops)
    return Schedule(tuple(stops), lunch_at, driving, clock, fits)


def _door(candidate: Candidate, earliest: int) -> tuple[int, bool]:
    """When a visit can begin, and whether the store is closed to it from then on."""
    for opens, closes in candidate.windows:
        begin = max(earliest, opens)
        if begin + candidate.service <= closes:
            return begin, False
    return earliest, True


def solve(candidates: Sequence[Candidate], travel: Matrix, day: Day) -> Schedule:
    """The best day found: every must that can be reached, then as much score as fits, with little driving."""
    usable = [i for i, c in enumerate(candidates) if any(b - a >= c.service for a, b in c.windows)]
    if not usable or day.ends <= day.starts:
        return schedule((), candidates, travel, day)
    order = _vroom(usable, candidates, travel, day)
    checked = schedule(order, candidates, travel, day)
    while not checked.fits and order:
        # VROOM may put its break where our rules do not; the least needed stop gives way until the day holds.
        order.remove(min(order, key=lambda i: (candidates[i].must, candidates[i].score, i)))
        checked = schedule(order, candidates, travel, day)
    filled = fill(checked, [i for i in usable if i not in checked.order], candidates, travel, day)
    return shorten(filled, candidates, travel, day)


def warm_up() -> None:
    """Load the solver's library, which takes a second or two, before a person waits for it."""
    import vroom  # noqa: F401


def _vroom(usable: Sequence[int], candidates: Sequence[Candidate], travel: Matrix, day: Day) -> list[int]:
    import vroom

    matrix, start, end = _with_free_ends(travel, day)
    problem = vroom.Input()
    problem.set_durations_matrix("car", matrix.astype("uint32"))
    breaks = []
    if day.lunch:
        breaks = [vroom.Break(_BREAK, [vroom.TimeWindow(*day.lunch_window)], service=day.lunch)]
    problem.add_vehicle(vroom.Vehicle(
        1, start=start, end=end, profile="car", time_window=vroom.TimeWindow(day.starts, day.ends),
        breaks=breaks, max_tasks=day.most_stops,
    ))
    top = max((candidates[i].score for i in usable), default=0.0) or 1.0
    for index in usable:
        problem.add_job(_job(vroom, index, candidates[index], top))
    routes = problem.solve(exploration_level=EXPLORATION, nb_threads=1).routes
    visits = routes[routes["type"] == "job"] if len(routes) else routes
    return [int(id) - 1 for id in visits["id"]] if len(visits) else []


def _job(vroom: Any, index: int, candidate: Candidate, top: float) -> Any:
    # A window of VROOM is for the start of the service, ours is for all of it.
    windows = [vroom.TimeWindow(a, b - candidate.service) for a, b in candidate.windows if b - a >= candidate.service]
    priority = MUST if candidate.must else max(1, round(OPTIONAL * candidate.score / top))
    return vroom.Job(
        index + 1, location=candidate.at, default_service=candidate.service, priority=priority, time_windows=windows
    )


def _with_free_ends(travel: Matrix, day: Day) -> tuple[Matrix, int, int]:
    """The matrix with one more place that is next door to everywhere, for a day without a home."""
    if day.start is not None and day.end is not None:
        return travel, day.start, day.end
    import numpy as np

    size = len(travel)
    grown = np.zeros((size + 1, size + 1), dtype=travel.dtype)
    grown[:size, :size] = travel
    return grown, size if day.start is None else day.start, size if day.end is None else day.end


def fill(
    plan: Schedule, waiting: Sequence[int], candidates: Sequence[Candidate], travel: Matrix, day: Day
) -> Schedule:
    """Take in what still fits, musts and high scores first: VROOM leaves gaps where its break stands badly."""
    for index in sorted(waiting, key=lambda i: (not candidates[i].must, -candidates[i].score, i)):
        if len(plan.stops) >= day.most_stops:
            break
        if plan.home_at + candidates[index].service > day.ends:
            continue
        best = cheapest(plan, index, candidates, travel, day)
        if best is not None and best.fits:
            plan = best
    return plan


def shorten(plan: Schedule, candidates: Sequence[Candidate], travel: Matrix, day: Day) -> Schedule:
    """Move single stops as long as it brings the person home earlier: VROOM counts no waiting at doors."""
    if not plan.fits:
        return plan
    for _ in range(len(plan.stops)):
        eaten = _stops_before_lunch(plan)
        places = (max(0, eaten - 1), eaten, min(len(plan.stops), eaten + 1))
        tried = [schedule(order, candidates, travel, day, places) for order in _relocations(plan.order)]
        best = min((s for s in tried if s.fits), key=_length, default=plan)
        if _length(best) >= _length(plan):
            return plan
        plan = best
    return plan


def _length(plan: Schedule) -> int:
    return plan.home_at + plan.travel


def _stops_before_lunch(plan: Schedule) -> int:
    return 0 if plan.lunch_at is None else sum(stop.arrive < plan.lunch_at for stop in plan.stops)


def _relocations(order: tuple[int, ...]) -> Iterator[tuple[int, ...]]:
    """Every order that differs by one stop moved."""
    for at, index in enumerate(order):
        rest = order[:at] + order[at + 1 :]
        for to in range(len(order)):
            if to != at:
                yield (*rest[:to], index, *rest[to:])


def cheapest(
    plan: Schedule, index: int, candidates: Sequence[Candidate], travel: Matrix, day: Day
) -> Schedule | None:
    """The schedule with one more store at its best place: one that fits, if any does; None when it is never open."""
    order = plan.order
    eaten = _stops_before_lunch(plan)
    tried = [
        schedule((*order[:place], index, *order[place:]), candidates, travel, day, (eaten, eaten + 1))
        for place in range(len(order) + 1)
    ]
    open_ones = [s for s in tried if not any(stop.closed and stop.candidate == index for stop in s.stops)]
    if not open_ones:
        return None
    best = min(open_ones, key=lambda s: (not s.fits, sum(stop.closed for stop in s.stops), s.home_at, s.travel))
    return best if best.fits else schedule(best.order, candidates, travel, day)
