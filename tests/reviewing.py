"""A small sector with a week of visits, written record by record, for tests of reviews and figures."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T

ZONE = "Europe/Paris"


class Sector:
    """Two reps, a manager, four stores of one type, three own products and a competitor's, and their records."""

    def __init__(self, db: Database, now: datetime) -> None:
        self.db, self.now = db, now
        self.ids: dict[str, Id] = {}
        self.manager = Actor(self.id("manager"), Role.MANAGER)
        self.rep = Actor(self.id("asha"), Role.REP)
        db.write(self._master, actor=self.manager, now=now).result()

    def id(self, name: str) -> Id:
        return self.ids.setdefault(name, new_id(self.now))

    def add(self, collection: str, **values: Any) -> Id:
        """One record of a collection, written now."""
        id = new_id(self.now)
        table = getattr(T, collection)
        self.db.write(
            lambda tx: tx.conn.execute(insert(table).values(id=id, **values)).close(),
            actor=self.manager, now=self.now,
        ).result()
        return id

    def _master(self, tx: Transaction) -> None:
        def put(collection: str, known_as: str, **values: Any) -> None:
            tx.conn.execute(insert(getattr(T, collection)).values(id=self.id(known_as), **values))

        put("sector", "north", code="N1", name="North")
        put("sector", "south", code="S1", name="South")
        for name, shown, role in (("manager", "Maud Lenoir", "manager"), ("asha", "Asha Roche", "rep"),
                                  ("bruno", "Bruno Petit", "rep")):
            put("person", name, name=shown, role=role, active=True)
        for number, name in enumerate(("tea", "oil", "jam")):
            put("product", name, name=name.title(), brand="Ours", category="Grocery", own=True, position=number,
                active=True)
            put("assortment", f"due {name}", store_type="supermarket", product_id=self.id(name),
                must_stock=name != "jam", target_facings=4)
            put("price", f"price {name}", product_id=self.id(name), amount_minor=300)
        put("product", "rival", name="Rival", brand="Theirs", category="Grocery", own=False, position=9, active=True)
        for name in ("corner", "market", "plaza", "quay"):
            put("outlet", name, name=name.title(), city="Lyon", store_type="supermarket",
                sector_id=self.id("south" if name == "quay" else "north"), zone=ZONE, state="active", visit_minutes=30)

    def visit(self, outlet: str, *, days_ago: float = 1, minutes: float = 25, who: str = "asha", **values: Any) -> Id:
        begun = self.now - timedelta(days=days_ago)
        values = {"position_source": "none", **values}
        return self.add("visit", outlet_id=self.id(outlet), person_id=self.id(who), started_at=begun,
                        ended_at=begun + timedelta(minutes=minutes), zone=ZONE, **values)

    def report(
        self, outlet: str, lines: dict[str, tuple[Any, ...]], *, days_ago: float = 1, photos: tuple[str, ...] = ("a",),
        supersedes: Id | None = None, visit: Id | None = None, who: str = "asha", minutes: float = 25,
        answers: dict[str, Any] | None = None, basis: str = "observed", **place: Any,
    ) -> Id:
        """A report with its observations; a line is (state, facings, price in minor units), the last two optional."""
        visit = visit or self.visit(outlet, days_ago=days_ago, minutes=minutes, who=who, **place)
        at = self.now - timedelta(days=days_ago) + timedelta(minutes=minutes)
        submission = self.add(
            "submission", visit_id=visit, outlet_id=self.id(outlet), person_id=self.id(who), form="shelf_audit",
            form_version="1", answers=answers or {"next": {"note": "ok"}}, started_at=at, submitted_at=at,
            supersedes_id=supersedes,
        )
        rows = [self._observation(number, product, line, at) for number, (product, line) in enumerate(lines.items(), 1)]
        whole = {"submission_id": submission, "visit_id": visit, "outlet_id": self.id(outlet), "basis": basis}
        if rows:
            self.db.write(
                lambda tx: tx.conn.execute(insert(T.observation), [row | whole for row in rows]).close(),
                actor=self.rep, now=self.now,
            ).result()
        for number, content in enumerate(photos):
            self.add("attachment", submission_id=submission, visit_id=visit, outlet_id=self.id(outlet),
                     node="/photos/shelf", sha256=(content * 64)[:64], size=1000 + number, mime="image/jpeg")
        return submission

    def _observation(self, number: int, product: str, line: tuple[Any, ...], at: datetime) -> dict[str, Any]:
        state, facings, price = (*line, None, None)[:3]
        return {"line": number, "product_id": self.id(product), "observed_at": at, "state": state,
                "facings": facings, "price_minor": price, "current": True}

    def plan(self, outlets: dict[str, str], day: date, who: str = "asha") -> None:
        """A plan of the day: outlet to the state of its stop."""
        plan = self.add("plan", person_id=self.id(who), sector_id=self.id("north"), day=day)
        for position, (outlet, state) in enumerate(outlets.items()):
            self.add("plan_stop", plan_id=plan, outlet_id=self.id(outlet), position=position, state=state,
                     skip_reason="closed" if state == "skipped" else None,
                     reasons=[{"code": "overdue", "params": {"days": 9}}])
