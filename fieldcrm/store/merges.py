"""Merges of outlets as they are kept: aliases, pairs said to be two, and what hangs on an outlet."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from sqlalchemy import and_, func, insert, or_, select, text, true, update

from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T

MERGED = "merged"  # why a stop was left out: the same store is on the round twice


@dataclass(frozen=True, slots=True)
class Alias:
    """One merge. ``taken``: field -> {"was", "now", …} with wire values; see ``usecases.merging``."""

    id: Id
    outlet_id: Id
    alias_id: Id
    active: bool
    reason: str | None
    taken: Mapping[str, Any]
    person_id: Id | None
    at: datetime | None


@dataclass(frozen=True, slots=True)
class MergeLine:
    alias: Alias
    kept: str  # names
    merged: str
    person: str
    city: str


@dataclass(frozen=True, slots=True)
class Belongings:
    """How many records hang on an outlet, those of outlets merged into it included."""

    visits: int
    contacts: int
    tasks: int
    notes: int
    orders: int
    photos: int
    last_visit_at: datetime | None

    @property
    def total(self) -> int:
        return self.visits + self.contacts + self.tasks + self.notes + self.orders + self.photos


def add_alias(tx: Transaction, keep: Id, lose: Id, *, reason: str, taken: Mapping[str, Any]) -> Id:
    alias_id = new_id(tx.now)
    tx.conn.execute(insert(T.outlet_alias).values(
        id=alias_id, outlet_id=keep, alias_id=lose, active=True, reason=reason or None, taken=dict(taken),
        person_id=tx.actor.user_id, at=tx.now,
    ))  # fmt: skip
    return alias_id


def read_alias(r: Reader, alias_id: Id) -> Alias | None:
    a = T.outlet_alias
    row = r.conn.execute(select(*_ALIAS).where(a.c.id == alias_id)).one_or_none()
    return None if row is None else _alias(row)


def switch_alias(tx: Transaction, alias_id: Id, active: bool) -> None:
    tx.conn.execute(update(T.outlet_alias).where(T.outlet_alias.c.id == alias_id).values(active=active))


_ALIAS = tuple(T.outlet_alias.c[name] for name in Alias.__dataclass_fields__)


def _alias(row: Any) -> Alias:
    id_, outlet_id, alias_id, active, reason, taken, person_id, at = row
    told = taken if isinstance(taken, dict) else {}  # another program may have written something else
    return Alias(id_, outlet_id, alias_id, bool(active), reason, told, person_id, at)


def merges(r: Reader, limit: int = 500) -> list[MergeLine]:
    """The merges in force, the newest first."""
    a, stays, gone, person = T.outlet_alias, T.outlet.alias("stays"), T.outlet.alias("gone"), T.person
    query = (
        select(*_ALIAS, stays.c.name, gone.c.name, person.c.name, stays.c.city)
        .select_from(
            a.join(stays, stays.c.id == a.c.outlet_id).join(gone, gone.c.id == a.c.alias_id)
            .outerjoin(person, person.c.id == a.c.person_id)
        )
        .where(a.c.active == true()).order_by(a.c.at.desc(), a.c.id.desc()).limit(limit)
    )
    width = len(_ALIAS)
    return [
        MergeLine(_alias(row[:width]), row[width], row[width + 1], row[width + 2] or "", row[width + 3] or "")
        for row in r.conn.execute(query)
    ]


def belongings(r: Reader, outlet_id: Id) -> Belongings:
    ids = select(T.outlet_home.c.alias_id).where(T.outlet_home.c.outlet_id == outlet_id)

    def count(name: str) -> int:
        table = T.__dict__[name]
        of = or_(table.c.outlet_id == outlet_id, table.c.outlet_id.in_(ids))
        return int(r.conn.execute(select(func.count()).select_from(table).where(of)).scalar_one())

    visit = T.visit
    newest = select(func.max(visit.c.started_at)).where(or_(visit.c.outlet_id == outlet_id, visit.c.outlet_id.in_(ids)))
    return Belongings(
        count("visit"), count("contact"), count("task"), count("note"), count("sales_order"), count("attachment"),
        r.conn.execute(newest).scalar(),
    )  # fmt: skip


# ---- two that are two --------------------------------------------------------------------------------------------


def distinct_pair(r: Reader, one: Id, other: Id) -> tuple[Id, bool] | None:
    """The record that says the two are two, and whether it holds."""
    d = T.distinct_pair
    either = or_(
        and_(d.c.outlet_id == one, d.c.other_id == other), and_(d.c.outlet_id == other, d.c.other_id == one)
    )
    row = r.conn.execute(select(d.c.id, d.c.active).where(either).order_by(d.c.active.desc()).limit(1)).one_or_none()
    return None if row is None else (row[0], bool(row[1]))


def add_distinct(tx: Transaction, one: Id, other: Id) -> Id:
    pair_id = new_id(tx.now)
    tx.conn.execute(insert(T.distinct_pair).values(
        id=pair_id, outlet_id=one, other_id=other, person_id=tx.actor.user_id, at=tx.now, active=True
    ))  # fmt: skip
    return pair_id


def switch_distinct(tx: Transaction, pair_id: Id, active: bool) -> None:
    tx.conn.execute(update(T.distinct_pair).where(T.distinct_pair.c.id == pair_id).values(active=active))


# ---- plans -------------------------------------------------------------------------------------------------------


def leave_out_second_stops(tx: Transaction, keep: Id, lose: Id, today: date) -> tuple[Id, ...]:
    """Of the rounds to come that have both, the stop at ``lose`` is left out; which stops those were."""
    query = text(
        "SELECT s.id FROM plan_stop s JOIN plan p ON p.id = s.plan_id "
        "WHERE s.outlet_id = :lose AND s.state = 'planned' AND p.day >= :today AND EXISTS (SELECT 1 FROM plan_stop k "
        "WHERE k.plan_id = s.plan_id AND k.state = 'planned' AND k.outlet_id = :keep)"
    )
    found = tx.conn.execute(query, {"lose": lose.bytes, "keep": keep.bytes, "today": today.isoformat()}).scalars()
    stops = tuple(Id(bytes=id_) for id_ in found)
    for stop in stops:
        _put_stop(tx, stop, "skipped", MERGED)
    return stops


def bring_back_stops(tx: Transaction, stops: tuple[Id, ...]) -> None:
    """Those that are still left out for this reason."""
    for stop in stops:
        s = T.plan_stop
        still = select(s.c.id).where(s.c.id == stop, s.c.state == "skipped", s.c.skip_reason == MERGED)
        if tx.conn.execute(still).first() is not None:
            _put_stop(tx, stop, "planned", None)


def _put_stop(tx: Transaction, stop: Id, state: str, reason: str | None) -> None:
    tx.conn.execute(update(T.plan_stop).where(T.plan_stop.c.id == stop).values(state=state, skip_reason=reason))
    tx.touch("plan_stop", stop)
