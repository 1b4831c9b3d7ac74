"""Thirteen weeks of visits, reports, reviews and promises, from a seed, ending the day before now."""

from __future__ import annotations

import math
import random
from collections.abc import Iterator
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

from fieldcrm.demo.records import Records, Row
from fieldcrm.demo.shelves import Reports, Shelves
from fieldcrm.demo.territory import WEEKS, Person, Territory
from fieldcrm.domain.ids import Id
from fieldcrm.domain.submission import Shelf, ShelfLine

STOPS_A_DAY = 4
UNREVIEWED_DAYS = 2  # what was sent on the last days still waits for the manager
RETURNED_SHARE = 0.04
METRES_PER_E7 = 0.011132  # of latitude


@dataclass(slots=True)
class Visited:
    """One visit of the history with its report, for what is arranged about some of them afterwards."""

    visit: Row
    submission: Row
    rep: Person
    outlet: Row
    day: date


@dataclass(slots=True)
class History:
    """Writes the past of a territory into ``records``."""

    records: Records
    territory: Territory
    shelves: Shelves
    reports: Reports
    form: tuple[str, str]  # name and version
    chance: random.Random
    visited: list[Visited] = field(default_factory=list)
    _last: dict[Id, date] = field(default_factory=dict)

    def write(self) -> None:
        today = self.records.now.astimezone(UTC).date()
        for day in working_days(today - timedelta(weeks=WEEKS), today):
            for rep in self.territory.reps:
                self._day(rep, day)
        for past in self.visited:
            if (today - past.day).days > UNREVIEWED_DAYS:
                self._review(past)

    # a day

    def customers(self, rep: Person, day: date) -> list[Row]:
        """The customers whom a rep had on a day: a store that changed sector counts where it was then."""
        sector_on = {
            row["outlet_id"]: row["sector_id"] for row in self.records.of("sector_assignment")
            if row["valid_from"] <= day and (row["valid_to"] is None or day <= row["valid_to"])
        }  # fmt: skip
        return [
            row for row in self.records.of("outlet")
            if row["state"] == "active" and sector_on.get(row["id"]) in rep.sectors
        ]  # fmt: skip

    def _day(self, rep: Person, day: date) -> None:
        def pressing(outlet: Row) -> float:
            last = self._last.get(outlet["id"], day - timedelta(days=self.chance.randint(10, 60)))
            interval: int = outlet["visit_interval_days"]
            return (day - last).days / interval + self.chance.random() * 0.3

        chosen = sorted(self.customers(rep, day), key=pressing, reverse=True)[:STOPS_A_DAY]
        route = sorted(chosen, key=lambda outlet: (outlet["lat_e7"], outlet["lon_e7"]))
        plan = self.records.id("plan", rep.login, day, at=_at(day, 7))
        self.records.add(
            "plan", plan, person_id=rep.id, sector_id=rep.sectors[0], day=day, starts=540, ends=1020, lunch_minutes=60,
            travel="straight", left_out=[],
        )  # fmt: skip
        minute = 9 * 60 + self.chance.randint(0, 15)
        for position, outlet in enumerate(route, 1):
            skipped = self.chance.random() < 0.06
            stop = self._stop(plan, position, outlet, minute, skipped)
            if not skipped:
                minute = self._visit(rep, day, outlet, stop, minute)
            minute += self.chance.randint(8, 20)

    def _stop(self, plan: Id, position: int, outlet: Row, minute: int, skipped: bool) -> Id:
        return self.records.add(
            "plan_stop", self.records.id("stop", plan, position), plan_id=plan, outlet_id=outlet["id"],
            position=position, arrive=minute, leave=minute + outlet["visit_minutes"],
            travel_minutes=self.chance.randint(6, 18), reasons=[], state="skipped" if skipped else "done",
            skip_reason="closed" if skipped else None, pinned=False,
        )  # fmt: skip

    def _visit(self, rep: Person, day: date, outlet: Row, stop: Id, minute: int) -> int:
        zone = ZoneInfo(outlet["zone"])
        started = datetime.combine(day, time(minute // 60, minute % 60), zone).astimezone(UTC)
        usual: int = outlet["visit_minutes"]
        length = max(8, round(usual * self.chance.uniform(0.75, 1.25)))
        ended = started + timedelta(minutes=length)
        visit = self.records.add(
            "visit", self.records.id("visit", rep.login, started, at=started), outlet_id=outlet["id"],
            person_id=rep.id, stop_id=stop, started_at=started, ended_at=ended, zone=outlet["zone"], note=None,
            **self._position(outlet),
        )  # fmt: skip
        lines = list(self.shelves.seen(outlet))
        self._promise(rep, day, outlet, visit, lines)
        self._report(rep, day, outlet, visit, lines, started, ended)
        self._last[outlet["id"]] = day
        return minute + length

    def _position(self, outlet: Row) -> Row:
        source = self.chance.choices(("receiver", "photo", "none"), (60, 25, 15))[0]
        if source == "none":
            return {"position_source": source, "lat_e7": None, "lon_e7": None, "accuracy_m": None, "distance_m": None}
        return {"position_source": source, **position_near(outlet, self.chance.uniform(4, 55), self.chance)}

    def _report(
        self, rep: Person, day: date, outlet: Row, visit: Id, lines: list[ShelfLine], started: datetime, ended: datetime
    ) -> None:
        name, version = self.form
        submission = self.records.add(
            "submission", self.records.id("submission", visit, at=ended), visit_id=visit, outlet_id=outlet["id"],
            person_id=rep.id, form=name, form_version=version, answers=self.reports.answers(lines),
            started_at=started, submitted_at=ended, supersedes_id=None,
        )  # fmt: skip
        row = self.records.of("submission")[-1]
        assert row["id"] == submission
        self.visited.append(Visited(self.records.of("visit")[-1], row, rep, outlet, day))

    # promises

    def _promise(self, rep: Person, day: date, outlet: Row, visit: Id, lines: list[ShelfLine]) -> None:
        """Now and then somebody at the store promises to put something right; most promises were kept."""
        wrong = [line for line in lines if line.state is not Shelf.PRESENT]
        if not wrong or self.chance.random() > 0.12:
            return
        article = next(a.article for a in self.shelves.lines(outlet) if a.article.id == wrong[0].product_id)
        due = day + timedelta(days=self.chance.randint(5, 14))
        today = self.records.now.astimezone(UTC).date()
        done = due < today - timedelta(days=3)
        add_task(
            self.records, outlet, rep, "promise", f"Remettre en rayon {article.name}", due,
            state="kept" if done else "open", visit=visit, done_at=_at(due, 10) if done else None,
        )  # fmt: skip

    # reviews

    def _review(self, past: Visited) -> None:
        decided = past.submission["submitted_at"] + timedelta(hours=self.chance.randint(14, 30))
        if self.chance.random() >= RETURNED_SHARE:
            self._decide(past.submission, "approved", decided)
            return
        self._decide(past.submission, "returned", decided, "facings_to_check", "Merci de recompter les facings.")
        corrected = self._correct(past, decided + timedelta(hours=20))
        self._decide(corrected, "approved", decided + timedelta(hours=30))

    def _decide(
        self, submission: Row, decision: str, at: datetime, reason: str | None = None, note: str | None = None
    ) -> None:
        self.records.add(
            "review", self.records.id("review", submission["id"], decision, at=at), submission_id=submission["id"],
            visit_id=submission["visit_id"], outlet_id=submission["outlet_id"], decision=decision, reason=reason,
            note=note, nodes=[], person_id=self.territory.manager.id, decided_at=at,
        )  # fmt: skip

    def _correct(self, past: Visited, at: datetime) -> Row:
        """A new version of the report in which one line was counted again, and the correction that asked for it."""
        lines = list(self.shelves.seen(past.outlet))
        first = next(line for line in lines if line.state is Shelf.PRESENT)
        lines[lines.index(first)] = replace(first, facings=(first.facings or 1) + 1)
        version = {
            **past.submission, "id": self.records.id("correction", past.submission["id"], at=at), "submitted_at": at,
            "supersedes_id": past.submission["id"], "answers": self.reports.answers(lines),
        }  # fmt: skip
        self.records.rows["submission"].append(version)
        add_task(
            self.records, past.outlet, past.rep, "correction", "Recompter les facings", at.date(), state="kept",
            visit=past.visit["id"], submission=past.submission["id"], done_at=at,
        )  # fmt: skip
        return version


def working_days(first: date, end: date) -> Iterator[date]:
    """Monday to Friday from ``first``, without ``end``."""
    day = first
    while day < end:
        if day.weekday() < 5:
            yield day
        day += timedelta(days=1)


def position_near(outlet: Row, metres: float, chance: random.Random) -> Row:
    """Columns of a visit whose position was ``metres`` away from the outlet."""
    angle = chance.uniform(0, 2 * math.pi)
    latitude = outlet["lat_e7"] / 1e7
    north = metres * math.cos(angle) / METRES_PER_E7
    east = metres * math.sin(angle) / METRES_PER_E7 / math.cos(math.radians(latitude))
    return {
        "lat_e7": outlet["lat_e7"] + round(north), "lon_e7": outlet["lon_e7"] + round(east),
        "accuracy_m": chance.randint(4, 20), "distance_m": round(metres),
    }  # fmt: skip


def add_task(
    records: Records, outlet: Row, rep: Person, kind: str, title: str, due: date, *, state: str,
    visit: Id | None = None, submission: Id | None = None, done_at: datetime | None = None, by: str | None = None,
) -> Id:  # fmt: skip
    return records.add(
        "task", records.id("task", outlet["name"], outlet["lat_e7"], kind, title, due), outlet_id=outlet["id"],
        kind=kind, title=title, due=due, state=state, person_id=rep.id, done_at=done_at, visit_id=visit,
        promised_by=by or _contact(records, outlet["id"]), submission_id=submission,
    )  # fmt: skip


def _contact(records: Records, outlet: Id) -> str | None:
    return next((row["name"] for row in records.of("contact") if row["outlet_id"] == outlet), None)


def _at(day: date, hour: int) -> datetime:
    return datetime.combine(day, time(hour), UTC)
