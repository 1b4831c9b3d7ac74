"""An outlet of which everything is known: group, references, a merge, own fields, orders, and a told history."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import insert, update

from fieldcrm.domain.order import OrderLine, to_document
from fieldcrm.store import past
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from sync.columns import to_milliseconds
from sync.protocol import PastEntry
from tests.world import World, an_id

OSM = {"source": "osm", "licence": "ODbL 1.0"}


def complete(db: Database, world: World, now: datetime) -> None:
    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            _identity(tx, world, now)
            _orders(tx, world, now)
            _fields(tx, world)
            keep_history(tx, world, now)

    db.write(work, actor=world.manager, now=now).result()


def _identity(tx: Transaction, world: World, now: datetime) -> None:
    shop = world.outlets[0]
    known = {
        "group_name": "Groupe des Halles", "banner": "Halles", "distributor": "Pomona Paris Nord",
        "siret": "73282932000074", "opening_hours": "Mo-Sa 08:30-12:30,14:00-19:30; Su 09:00-12:30; PH off",
        "surface_m2": 240, "custom": {"contract": True, "aisle": "Frais"}, "confirmed_at": now - timedelta(days=12),
    }  # fmt: skip
    tx.conn.execute(update(T.outlet).where(T.outlet.c.id == shop).values(**known))
    same = {"group_name": "Groupe des Halles", "banner": "Halles"}
    tx.conn.execute(update(T.outlet).where(T.outlet.c.id.in_([an_id("more-3"), an_id("more-9")])).values(**same))
    tx.conn.execute(update(T.outlet).where(T.outlet.c.id == an_id("more-5")).values(group_name="Groupe des Halles"))
    source = {"outlet_id": shop, "rev": 1, "imported_at": now - timedelta(days=200)}
    for name, reference, licence in (("osm", "node/287451", "ODbL 1.0"), ("sirene", "73282932000074", "LO 2.0")):
        row = {"id": an_id(name), "source": name, "reference": reference, "licence": licence}
        tx.conn.execute(insert(T.outlet_source).values(**row, **source))
    tx.conn.execute(
        insert(T.outlet_alias).values(
            id=an_id("merge"), outlet_id=shop, alias_id=an_id("more-4"), active=True, rev=1,
            person_id=world.manager.user_id, at=now - timedelta(days=30),
        )
    )  # fmt: skip


def _orders(tx: Transaction, world: World, now: datetime) -> None:
    past_orders = (
        (6, "placed", world.rep), (34, "delivered", world.rep), (61, "cancelled", world.manager),
        (90, "delivered", world.rep),
    )  # fmt: skip
    for number, (days, state, person) in enumerate(past_orders):
        lines = [OrderLine(world.products[3 * at + 1], 6 * (at + 1), 209 + 30 * at) for at in range(4)]
        tx.conn.execute(
            insert(T.sales_order).values(
                id=an_id(f"order-{number}"), outlet_id=world.outlets[0], person_id=person.user_id, rev=1,
                placed_at=now - timedelta(days=days), lines=to_document(lines), state=state,
                wanted_on=(now + timedelta(days=4)).date() if state == "placed" else None,
                note="Livrer par la cour" if state == "placed" else None,
            )
        )  # fmt: skip


def _fields(tx: Transaction, world: World) -> None:
    for at, (key, fr, en, kind, choices) in enumerate(
        (
            ("contract", "Contrat signé", "Contract signed", "flag", None),
            ("aisle", "Rayon principal", "Main aisle", "choice", ["Frais", "Épicerie", "Vrac"]),
            ("fridges", "Nombre de frigos", "Number of fridges", "number", None),
            ("since", "Client depuis", "Customer since", "date", None),
        )
    ):
        row = {"key": key, "label": {"fr": fr, "en": en}, "kind": kind, "choices": choices, "position": at}
        tx.conn.execute(insert(T.custom_field).values(id=an_id(f"field-{key}"), active=True, rev=1, **row))


def keep_history(tx: Transaction, world: World, now: datetime) -> None:
    """As headquarters tells it."""
    shop = world.outlets[0]
    told = [past.sound(entry, shop) for entry in entries(world, now)]
    changes = [one for one in told if one is not None]
    past.keep(tx, shop, changes, past.Told(now - timedelta(minutes=4), 1, ""))


def entries(world: World, now: datetime) -> list[PastEntry]:
    shop, contact = world.outlets[0], an_id("gone-contact")
    mine = {"user": world.manager.user_id.hex, "device": 2, "label": "PC-DOMINIQUE"}

    def one(
        rev: int, c: int, id: Any, k: Any, days: float, set_: Any = None, was: Any = None, **more: Any
    ) -> PastEntry:
        at = to_milliseconds(now - timedelta(days=days))
        return PastEntry(rev, 0, c, id.hex, k, at, at, **{**mine, **more}, set=set_ or {}, was=was or {})

    return [
        one(90, 8, shop, "upd", 1, {"phone": "01 40 26 00 17"}, {"phone": "01 40 26 00 00"}),
        one(80, 12, contact, "del", 9, None, {"outlet_id": shop.hex, "name": "Paul Vial", "phone": "06 00"}),
        one(70, 12, an_id("erased"), "upd", 20, erased=["phone"]),
        one(60, 8, shop, "upd", 44, {"segment": "b", "visit_interval_days": 28},
            {"segment": "c", "visit_interval_days": 56}, user=world.rep.user_id.hex, device=1, label="PC-CAMILLE"),
        one(50, 8, shop, "upd", 60, {"lat_e7": 488_610_000, "lon_e7": 23_460_000}, {"lat_e7": None, "lon_e7": None}),
        one(40, 12, contact, "new", 120),
        one(30, 8, shop, "new", 200, user=None, device=0, label=""),
    ]


