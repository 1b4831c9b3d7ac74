"""The care of the outlet base: judge what changed, show what is wrong, mend it one by one or all at once.

Judging runs in the background, off the UI thread, in slices of one short transaction each: a person's write waits for
one slice at most, and a pass that is stopped goes on where it was.
"""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import partial
from itertools import islice
from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.changes import Changes
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import checked, parse_position
from fieldcrm.domain.task import TaskDetails
from fieldcrm.insights.outlet_quality import KINDS, Facts, Finding, Kind, Rules, check, completeness, missing_fields
from fieldcrm.insights.outlet_surroundings import Surroundings, Written, surroundings
from fieldcrm.store import outlet_quality as _store
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import state as _state
from fieldcrm.store import tasks as _tasks
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.store.outlet_quality import FindingRow, Judged, SectorQuality, Since
from fieldcrm.usecases.confirming import alert_id, confirm_outlet, confirmation_alert
from fieldcrm.usecases.opening import check_opening_hours
from fieldcrm.usecases.undo import undo_change

__all__ = [
    "KINDS",
    "FindingRow",
    "Fixed",
    "Judge",
    "Kind",
    "Look",
    "Overview",
    "Rules",
    "SectorQuality",
    "confirm_outlet",
    "findings",
    "fix",
    "fix_all",
    "ignore_finding",
    "look_at",
    "make_task",
    "overview",
    "raise_alerts",
    "rows",
    "rules",
    "set_rules",
    "take_back_fixes",
    "take_back_ignored",
]  # fmt: skip

log = logging.getLogger(__name__)

SLICE = 1200  # outlets written in one transaction: some 30 ms
PARTS = 2000  # pieces of the surroundings written in one
FIXED_AT_ONCE = 50
FORGOTTEN_AT_ONCE = 20_000  # rows marked as due in one transaction
RULE = "quality"
JUDGED_WITH, LAST = "quality/judged_with", "quality/last"
CHECKS = 1  # raise it when the checks change: every outlet is then judged anew
ANEW_SHARE = 0.05  # of all outlets changed: what their surroundings say is made anew too
STYLE = frozenset(code for code, kind in KINDS.items() if kind.severity == 1)

Progress = Callable[[int, int], None]
Stopped = Callable[[], bool]


@dataclass(frozen=True, slots=True)
class Overview:
    """``counts``: kind -> findings, and how many of them may be mended at once. ``judged`` of ``outlets`` were looked
    at; the rest is being looked at."""

    counts: dict[str, tuple[int, int]]
    sectors: tuple[SectorQuality, ...]
    rules: Rules

    @property
    def outlets(self) -> int:
        return sum(sector.outlets for sector in self.sectors)

    @property
    def judged(self) -> int:
        return sum(sector.judged for sector in self.sectors)


@dataclass(frozen=True, slots=True)
class Look:
    """One outlet: completeness of 100, what would raise it most, and what is wrong."""

    completeness: int
    missing: tuple[str, ...]
    findings: tuple[Finding, ...]
    fresh: bool


@dataclass(frozen=True, slots=True)
class Fixed:
    """How many were mended, how many had changed meanwhile, and the transactions that take all of it back."""

    mended: int
    passed_over: int
    transactions: tuple[Id, ...]


# ---- rules ----------------------------------------


def rules(r: Reader) -> Rules:
    return Rules.of(_store.read_rule(r, RULE))


def set_rules(tx: Transaction, wanted: Rules) -> None:
    """Raises ``rules_not_yours`` for anybody but a manager."""
    if tx.actor.role is Role.REP:
        raise DomainError("rules_not_yours")
    _store.write_rule(tx, RULE, wanted.document())
    tx.touch("rule")


def _since(wanted: Rules, now: datetime) -> Since:
    return Since(now - timedelta(days=wanted.confirm_days), now - timedelta(days=wanted.visit_days),
                 wanted.incomplete_below)


# ---- reading ----------------------------------------


def overview(r: Reader, *, now: datetime, sector: Id | None = None) -> Overview:
    wanted = rules(r)
    since = _since(wanted, now)
    found = _store.counts(r, since, sector)
    ordered = {code: found[code] for code in KINDS if code in found}
    return Overview(ordered, tuple(_store.sector_figures(r, fresh_since=since.confirmed)), wanted)


def last_overview(r: Reader) -> Overview | None:
    """What the last pass found, at once; the page shows it until ``overview`` has counted anew."""
    kept = _state.read_state(r, LAST)
    if not isinstance(kept, dict) or kept.get("checks") != CHECKS:
        return None
    sectors = tuple(SectorQuality(Id(hex=one[0]), *one[1:]) for one in kept["sectors"])
    return Overview({code: (n, safe) for code, (n, safe) in kept["counts"].items() if code in KINDS}, sectors, rules(r))


def _keep_overview(tx: Transaction, seen: Overview) -> None:
    sectors = [[one.sector_id.hex, one.code, one.name, one.outlets, one.judged, one.completeness, one.fresh, one.flawed]
               for one in seen.sectors]
    _state.write_state(tx, LAST, {"checks": CHECKS, "counts": seen.counts, "sectors": sectors})


def findings(
    r: Reader, code: str, *, now: datetime, sector: Id | None = None, ignored: bool = False, safe: bool = False
) -> list[tuple[int, str]]:
    """The ids of the findings of one kind, for a list that reads its rows by pages."""
    return _store.finding_ids(r, code, _since(rules(r), now), sector, show_ignored=ignored, safe=safe)


def rows(r: Reader, code: str, ids: Sequence[tuple[int, str]]) -> list[FindingRow]:
    return _store.finding_rows(r, code, ids)


def missing_of(row: FindingRow, wanted: Rules) -> tuple[str, ...]:
    return missing_fields(row.missing, wanted)


def look_at(r: Reader, outlet_id: Id, around: Surroundings | None = None, *, now: datetime) -> Look:
    """One outlet as it is now, whether or not it was judged; without ``around`` what its place says is left out."""
    wanted = rules(r)
    outlet = _outlets.read_outlet(r, outlet_id)
    facts = Facts(*(getattr(outlet, name) for name in Facts._fields))
    score, missing = completeness(facts, wanted)
    fresh = outlet.confirmed_at is not None and outlet.confirmed_at >= _since(wanted, now).confirmed
    return Look(score, missing_fields(missing, wanted), tuple(check(facts, around or Surroundings(), wanted)), fresh)


# ---- judging ----------------------------------------


class Judge:
    """Brings the judgements up to date. Keeps what it knows of the surroundings between two passes."""

    def __init__(self, db: Database) -> None:
        self._db = db
        self._around: Surroundings | None = None

    def run(self, *, actor: Actor, now: datetime, progress: Progress, stopped: Stopped) -> int:
        """Judge what is due; how many outlets were. Not on the UI thread."""
        with self._db.read() as r:
            wanted = rules(r)
        self._forget_other_rules(wanted, actor, now)
        with self._db.read() as r:
            due, known = _store.due(r), _store.judged_count(r)
        self._look_around(wanted, len(due), known, actor, now, stopped)
        done = self._judge(due, wanted, actor, now, progress, stopped)
        self._db.write(_store.mark_ignored, actor=actor, now=now).result()
        if done:
            with self._db.read() as r:
                seen = overview(r, now=now)
            self._db.write(partial(_keep_overview, seen=seen), actor=actor, now=now).result()
        return done

    def _forget_other_rules(self, wanted: Rules, actor: Actor, now: datetime) -> None:
        """What was judged by other rules, or by other checks, is due again; its old findings are shown meanwhile."""
        with_now = {"checks": CHECKS, "rules": {**wanted.document(), "alerts": None}}
        with self._db.read() as r:
            if _state.read_state(r, JUDGED_WITH) == with_now:
                return
            last = _store.last_judged(r)
        for first in range(0, last + 1, FORGOTTEN_AT_ONCE):
            work = partial(_store.forget, first=first, last=first + FORGOTTEN_AT_ONCE - 1)
            self._db.write(work, actor=actor, now=now).result()
        self._db.write(lambda tx: _state.write_state(tx, JUDGED_WITH, with_now), actor=actor, now=now).result()

    @property
    def around(self) -> Surroundings | None:
        return self._around

    def _look_around(
        self, wanted: Rules, due: int, known: int, actor: Actor, now: datetime, stopped: Stopped
    ) -> None:
        many = due > max(200, ANEW_SHARE * known)
        if self._around is None and not many:
            with self._db.read() as r:
                kept = Surroundings.of(_store.surroundings_kept(r))
            self._around = kept if kept.towns or kept.postcodes or kept.banners or known < 200 else None
        if not (many or self._around is None) or stopped():
            self._around = self._around or Surroundings()
            return
        with self._db.read() as r:
            self._around = surroundings((Written(*row) for row in _store.written(r)), wanted.home)
        first = True
        for parts in _slices(self._around.parts(), PARTS):
            self._db.write(partial(_store.keep_surroundings, parts=parts, first=first), actor=actor, now=now).result()
            first = False

    def _judge(
        self, due: list[int], wanted: Rules, actor: Actor, now: datetime, progress: Progress, stopped: Stopped
    ) -> int:
        done = 0
        around = self._around or Surroundings()
        for at in range(0, len(due), SLICE):
            if stopped():
                break
            with self._db.read() as r:
                judged = [_judged(row, around, wanted) for row in _store.facts(r, due[at : at + SLICE])]
            self._db.write(partial(_store.put, judged=judged), actor=actor, now=now).result()
            done = min(len(due), at + SLICE)
            progress(done, len(due))
        return done


def _judged(row: tuple[Any, ...], around: Surroundings, wanted: Rules) -> Judged:
    rid, sector, state, confirmed = row[:4]
    facts = Facts(*row[4:])
    score, missing = completeness(facts, wanted)
    found = check(facts, around, wanted) if state != "closed" else []
    said = [(one.code, one.field, one.value, one.suggestion, one.safe) for one in found]
    return Judged(rid, bytes(sector), state, score, missing, confirmed, said)


def _slices(parts: Any, size: int) -> Iterator[list[Any]]:
    walk = iter(parts)
    while piece := list(islice(walk, size)):
        yield piece


# ---- mending ----------------------------------------


def fix(tx: Transaction, outlet_id: Id, code: str, field: str, value: str, suggestion: str) -> Id:
    """Write the suggestion in place of ``value``; gives the transaction that it was done in.

    Raises ``finding_overtaken`` when the value is another by now, and whatever an edit of the field raises. The outlet
    does not count as confirmed by that: nobody was there. A matter of style keeps the origin of the value.
    """
    outlet = _outlets.read_outlet(tx, outlet_id)
    judged = outlet.name if code == "banner_missing" and not outlet.banner else _present(outlet, field)
    if judged != value:
        raise DomainError("finding_overtaken", name=outlet.name)
    if field == "position":
        lat, lon = parse_position(suggestion)
        changes: dict[str, Any] = {"lat_e7": lat, "lon_e7": lon}
    else:
        changes = checked({field: suggestion or None}, country=outlet.country)
    if "opening_hours" in changes:
        changes["opening_hours"] = check_opening_hours(changes["opening_hours"])
    if code not in STYLE:
        entry = provenance.origin(provenance.PERSON, tx.now, by=tx.actor.user_id)
        changes["provenance"] = {**outlet.provenance, **provenance.stamped(changes, entry)}
    _outlets.update_outlet(tx, outlet.id, changes)
    rid = _store.rid_of(tx, outlet.id)
    tx.conn.exec_driver_sql("DELETE FROM outlet_finding WHERE rid = ? AND code = ? AND field = ?", (rid, code, field))
    tx.touch("outlet", outlet.id)
    tx.label = tx.label or "outlet.tidied"
    return tx.id


def _present(outlet: Any, field: str) -> str:
    if field == "position":
        if outlet.position is None:
            return ""
        lat, lon = outlet.position
        return f"{lat:.6f}, {lon:.6f}"
    value = getattr(outlet, field)
    if field == "house_number":
        return (value or "").strip()
    return "" if value is None else str(value)


def fix_all(
    db: Database, code: str, ids: Sequence[tuple[int, str]], *, actor: Actor, now: datetime,
    progress: Progress = lambda done, total: None, stopped: Stopped = lambda: False,
) -> Fixed:
    """Apply the safe suggestions of these findings, some in each transaction. Not on the UI thread."""
    mended = passed = 0
    transactions: list[Id] = []
    for at in range(0, len(ids), FIXED_AT_ONCE):
        if stopped():
            break
        piece = ids[at : at + FIXED_AT_ONCE]

        def work(tx: Transaction, piece: Sequence[tuple[int, str]] = piece) -> tuple[int, int]:
            return _fix_some(tx, code, piece)

        written = db.write(work, actor=actor, now=now, label="outlet.tidied").result()
        mended, passed = mended + written.value[0], passed + written.value[1]
        if written.value[0] and written.changes.transaction is not None:
            transactions.append(written.changes.transaction)
        progress(min(len(ids), at + FIXED_AT_ONCE), len(ids))
    return Fixed(mended, passed, tuple(transactions))


def _fix_some(tx: Transaction, code: str, ids: Sequence[tuple[int, str]]) -> tuple[int, int]:
    mended = passed = 0
    for row in _store.finding_rows(tx, code, ids):
        if not row.safe or row.suggestion is None or row.ignored:
            continue
        try:
            fix(tx, row.outlet_id, code, row.field, row.value, row.suggestion)
            mended += 1
        except DomainError as error:
            log.info("not mended: %s", error.code)
            passed += 1
    return mended, passed


def take_back_fixes(
    db: Database, transactions: Sequence[Id], *, actor: Actor, now: datetime,
    progress: Progress = lambda done, total: None,
) -> int:
    """Undo a mending of many; how many of its parts were left to undo. Not on the UI thread."""
    undone = 0
    for at, transaction in enumerate(reversed(transactions), 1):
        try:
            db.write(partial(undo_change, transaction=transaction), actor=actor, now=now).result()
            undone += 1
        except DomainError as error:
            if error.code not in ("undo_overtaken", "nothing_to_undo"):
                raise
        progress(at, len(transactions))
    return undone


def ignore_finding(tx: Transaction, row: FindingRow, reason: str) -> Id:
    """It is right as it is, and why; for everybody, until the value changes. Raises ``ignore_reason_missing``."""
    text = " ".join(reason.split())
    if not text:
        raise DomainError("ignore_reason_missing", field="reason")
    if len(text) > 200:
        raise DomainError("text_too_long", field="reason", limit=200)
    if tx.actor.role is Role.REP:
        raise DomainError("rules_not_yours")
    outlet = _outlets.read_outlet(tx, row.outlet_id)
    id_ = _store.ignore(tx, {
        "outlet": outlet.id.hex, "code": row.code, "field": row.field, "value": row.value, "reason": text,
        "by": tx.actor.user_id.hex, "at": int(tx.now.timestamp() * 1000),
    })
    _store.mark_ignored(tx)
    tx.touch("rule", id_)
    return id_


def take_back_ignored(tx: Transaction, id_: Id) -> None:
    _store.take_back_ignored(tx, id_)
    _store.mark_ignored(tx)
    tx.touch("rule", id_)


def mend_after_all(tx: Transaction, row: FindingRow) -> None:
    """Somebody ignored it, and it is to be mended after all: every rule that says so goes."""
    for id_, value in _store.ignored(tx):
        about = [value.get(name) for name in ("outlet", "code", "field", "value")] if isinstance(value, dict) else []
        if about == [row.outlet_id.hex, row.code, row.field, row.value]:
            take_back_ignored(tx, id_)


def take_back_fix(tx: Transaction, transaction: Id) -> None:
    """Undo one mending. Raises ``undo_overtaken`` when somebody has changed the value since."""
    undo_change(tx, transaction)


# ---- tasks ----------------------------------------


def make_task(tx: Transaction, row: FindingRow, title: str, due: date | None) -> Id:
    """A task for the rep of the outlet's sector. Raises ``sector_without_rep`` and ``task_there_already``."""
    outlet = _outlets.read_outlet(tx, row.outlet_id)
    person = _store.reps(tx, tx.now.date()).get(outlet.sector_id)
    if person is None:
        raise DomainError("sector_without_rep", name=outlet.name)
    if row.code == "not_confirmed":
        task_id = confirmation_alert(outlet.id, outlet.confirmed_at)
    else:
        task_id = alert_id(outlet.id, row.code, f"{row.field}|{row.value}")
    if _store.known_tasks(tx, [task_id]):
        raise DomainError("task_there_already", name=outlet.name)
    _tasks.insert_task(tx, task_id, outlet.id, TaskDetails("task", title, due).checked(), person_id=person)
    tx.touch("task", task_id)
    tx.touch("outlet", outlet.id)
    tx.label = tx.label or "task.new"
    return task_id


def raise_alerts(db: Database, title: str, *, actor: Actor, now: datetime) -> int:
    """Where the rule asks for it: a task to confirm, for outlets not confirmed whose next visit is near. How many were
    made. Each is made once for the confirmation that it is about; not on the UI thread."""
    with db.read() as r:
        wanted = rules(r)
        if not wanted.alerts or actor.role is Role.REP:
            return 0
        today = now.date()
        last = today + timedelta(days=wanted.alert_ahead_days)
        stale = _store.stale_before_visit(r, _since(wanted, now), today, last, wanted.alert_most)
        people = _store.reps(r, today)
    wanted_tasks = [(confirmation_alert(one.outlet_id, one.confirmed_at), one) for one in stale
                    if one.sector_id in people]
    made = 0
    for at in range(0, len(wanted_tasks), FIXED_AT_ONCE):
        piece = wanted_tasks[at : at + FIXED_AT_ONCE]

        def work(tx: Transaction, piece: Any = piece) -> int:
            known = _store.known_tasks(tx, [task for task, _ in piece])
            new = [(task, one) for task, one in piece if task not in known]
            for task, one in new:
                details = TaskDetails("task", title, one.due).checked()
                _tasks.insert_task(tx, task, one.outlet_id, details, person_id=people[one.sector_id])
            return len(new)

        made += db.write(work, actor=actor, now=now).result().value
    return made


def alerts_changed() -> Changes:
    """What screens hear after ``raise_alerts`` made some."""
    return Changes({"task": frozenset(), "outlet": frozenset()}, False, "", None)
