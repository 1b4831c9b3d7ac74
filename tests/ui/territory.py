"""A territory with a past, for the screens of outlets: visits, audits, promises, a returned report, an edit."""

from __future__ import annotations

from datetime import date, datetime, timedelta
from typing import Any

from sqlalchemy import insert, update

from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from sync.columns import to_milliseconds
from tests.world import ZONE, World, an_id

NAMES = (
    ("Carrefour City Beaugrenelle", "Carrefour", "convenience", "Paris", "75015", "a"),
    ("Intermarché Convention", "Intermarché", "supermarket", "Paris", "75015", "a"),
    ("Monoprix Commerce", "Monoprix", "supermarket", "Paris", "75015", "b"),
    ("Franprix Vaugirard", "Franprix", "convenience", "Paris", "75006", "c"),
    ("Épicerie du Château d’Eau et des Faubourgs réunis", None, "specialist", "Issy-les-Moulineaux", "92130", "c"),
    ("Total Access Porte d’Italie", "Total", "petrol", "Paris", "75013", "b"),
    ("Pharmacie Saint-Michel", None, "pharmacy", "Paris", "75005", ""),
    ("Auchan Piéton Glacière", "Auchan", "convenience", "Paris", "75013", "b"),
    ("Leclerc Levallois", "Leclerc", "hypermarket", "Levallois-Perret", "92300", "a"),
    ("Vival Ménilmontant", "Vival", "convenience", "Paris", "75020", "c"),
    ("Spar Lamarck", "Spar", "convenience", "Paris", "75018", "b"),
    ("U Express Bercy", "Système U", "supermarket", "Paris", "75012", "a"),
)


def live(db: Database, world: World, now: datetime) -> None:
    """Thirteen weeks of visits and audits at the first outlet, and a dozen more outlets."""

    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            _outlets(tx, world, now)
            for week in range(7):
                _audit(tx, world, now - timedelta(days=3 + 28 * week, hours=2 + week % 3), week)
            _past(tx, world, now)

    db.write(work, actor=world.manager, now=now).result()


def _outlets(tx: Transaction, world: World, now: datetime) -> None:
    for at, (name, banner, kind, city, postcode, segment) in enumerate(NAMES):
        outlet = an_id(f"more-{at}")
        tx.conn.execute(
            insert(T.outlet).values(
                id=outlet,
                name=name,
                banner=banner,
                store_type=kind,
                city=city,
                postcode=postcode,
                segment=segment or None,
                street="Rue de Vaugirard",
                house_number=str(3 + at),
                country="FR",
                zone=ZONE,
                state="active",
                sector_id=world.sector,
                visit_interval_days=28,
                lat_e7=488_400_000 + at * 90_000,
                lon_e7=22_900_000 + at * 110_000,
                phone=f"01 45 00 {at:02d} 12",
                rev=1,
                opening_hours="Mo-Sa 08:30-20:30; Su 09:00-13:00",
            )
        )
        if at % 4:
            tx.conn.execute(
                insert(T.visit).values(
                    id=new_id(now),
                    outlet_id=outlet,
                    person_id=world.rep.user_id,
                    zone=ZONE,
                    position_source="none",
                    started_at=now - timedelta(days=9 * at),
                    ended_at=now - timedelta(days=9 * at, minutes=-25),
                    rev=1,
                )
            )
    stamp = {"source": "person", "by": world.manager.user_id.hex, "at": to_milliseconds(now - timedelta(days=1))}
    osm = {"source": "osm", "licence": "ODbL 1.0", "at": to_milliseconds(now - timedelta(days=200))}
    tx.conn.execute(
        update(T.outlet)
        .where(T.outlet.c.id == world.outlets[0])
        .values(
            phone="01 40 26 00 17",
            preferred_slots="Tu,Th 09:00-11:00",
            website="halles.example",
            provenance={"phone": stamp, "name": osm, "opening_hours": osm},
        )
    )


def _audit(tx: Transaction, world: World, at: datetime, week: int) -> None:
    visit, report = new_id(at), new_id(at)
    outlet, person = world.outlets[0], world.rep.user_id
    tx.conn.execute(
        insert(T.visit).values(
            id=visit,
            outlet_id=outlet,
            person_id=person,
            zone=ZONE,
            position_source="receiver",
            started_at=at,
            ended_at=at + timedelta(minutes=31),
            rev=1,
            note="Rayon réimplanté." if week == 2 else None,
        )
    )
    tx.conn.execute(
        insert(T.submission).values(
            id=report,
            visit_id=visit,
            outlet_id=outlet,
            person_id=person,
            form="shelf_audit",
            form_version="1",
            answers={},
            started_at=at,
            submitted_at=at + timedelta(minutes=30),
            rev=1,
        )
    )
    rows: list[dict[str, Any]] = []
    for line, product in enumerate(world.products[:30]):
        state = "oos" if line == 1 and week < 3 else "absent" if (line + week) % 11 == 0 else "present"
        facings = (2 + (line + 5 * week) % 4 if line % 3 else 3) if state == "present" else None
        rows.append(
            {
                "submission_id": report,
                "line": line,
                "visit_id": visit,
                "outlet_id": outlet,
                "product_id": product,
                "observed_at": at,
                "state": state,
                "facings": facings,
                "price_minor": 199 + 10 * line if state == "present" else None,
                "basis": "confirmed" if line % 5 == 0 else "observed",
                "current": True,
            }
        )
    tx.conn.execute(insert(T.observation), rows)
    decision = {1: "returned"}.get(week, "approved" if week else None)
    if decision:
        tx.conn.execute(
            insert(T.review).values(
                id=new_id(at),
                submission_id=report,
                visit_id=visit,
                outlet_id=outlet,
                decision=decision,
                rev=1,
                reason="price_to_check" if decision == "returned" else None,
                person_id=world.manager.user_id,
                decided_at=at + timedelta(days=1),
            )
        )


def _past(tx: Transaction, world: World, now: datetime) -> None:
    outlet = world.outlets[0]
    common = {"outlet_id": outlet, "person_id": world.rep.user_id, "rev": 1}
    tx.conn.execute(
        insert(T.task).values(
            id=an_id("promise"),
            kind="promise",
            title="Tête de gondole Aubelle jusqu’à Noël",
            state="open",
            due=date(2026, 11, 14),
            promised_by="Mme Lefort",
            **common,
        )
    )
    tx.conn.execute(
        insert(T.task).values(
            id=an_id("task"),
            kind="task",
            title="Apporter le présentoir de comptoir",
            state="open",
            due=date(2026, 12, 3),
            **common,
        )
    )
    tx.conn.execute(
        insert(T.task).values(
            id=an_id("kept"),
            kind="promise",
            title="Deux facings de plus au rayon café",
            state="kept",
            due=date(2026, 10, 2),
            done_at=now - timedelta(days=45),
            promised_by="M. Diallo",
            **common,
        )
    )
    tx.conn.execute(
        insert(T.contact).values(
            id=an_id("second"),
            outlet_id=outlet,
            name="Ibrahima Diallo",
            job="Directeur",
            phone="01 40 26 00 18",
            email="i.diallo@halles.example",
            preferred=False,
            rev=1,
        )
    )
    tx.conn.execute(
        insert(T.note).values(
            id=an_id("note"),
            outlet_id=outlet,
            person_id=world.manager.user_id,
            rev=1,
            text="Le magasin passe sous franchise en janvier. Voir M. Diallo avant toute négociation.",
            written_at=now - timedelta(days=1),
        )
    )
