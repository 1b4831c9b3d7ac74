"""A small territory for tests: two sectors, a rep, a manager, five outlets, products, an assortment and prices.

Everything looks as if it came from the server (revision 1, nothing to send).
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date, datetime
from uuid import UUID, uuid5

from sqlalchemy import insert

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T

_SPACE = UUID("6f1d2f2e-0000-7000-8000-00000000f1e1")
ZONE = "Europe/Paris"
PRODUCTS = 36


def an_id(name: str) -> UUID:
    return uuid5(_SPACE, name)


@dataclass(frozen=True, slots=True)
class World:
    rep: Actor
    manager: Actor
    sector: UUID
    other_sector: UUID
    outlets: tuple[UUID, ...]  # four in ``sector``, the last in ``other_sector``; the fourth has no coordinates
    products: tuple[UUID, ...]


OUTLETS = (
    ("Épicerie des Halles", "Halles", "convenience", 488_610_000, 23_460_000, "12", "Rue Montorgueil", "75001"),
    ("Superette du Marché", "Proxi", "supermarket", 488_650_000, 23_500_000, "3", "Rue du Nil", "75002"),
    ("Hyper Ouest", "Hyper", "hypermarket", 488_760_000, 23_200_000, "40", "Avenue de Clichy", "75017"),
    ("Chez Amélie", None, "food_service", None, None, None, None, "75003"),
    ("Station du Pont", "Total", "petrol", 488_500_000, 23_700_000, "1", "Quai de la Rapée", "75012"),
)


def build_world() -> World:
    sector, other = an_id("sector-1"), an_id("sector-2")
    return World(
        rep=Actor(an_id("rep"), Role.REP, frozenset({sector}), device=1),
        manager=Actor(an_id("manager"), Role.MANAGER, frozenset({sector, other}), device=2),
        sector=sector,
        other_sector=other,
        outlets=tuple(an_id(f"outlet-{i}") for i in range(len(OUTLETS))),
        products=tuple(an_id(f"product-{i}") for i in range(PRODUCTS)),
    )


def fill(db: Database, now: datetime) -> World:
    world = build_world()

    def work(tx: Transaction) -> None:
        with tx.uncaptured():
            _organisation(tx, world)
            _outlets(tx, world, now)
            _products(tx, world)

    db.write(work, actor=world.manager, now=now).result()
    return world


def _organisation(tx: Transaction, world: World) -> None:
    tx.conn.execute(
        insert(T.sector),
        [
            {"id": world.sector, "code": "S1", "name": "Paris centre", "rev": 1},
            {"id": world.other_sector, "code": "S2", "name": "Paris est", "rev": 1},
        ],
    )
    tx.conn.execute(
        insert(T.person),
        [
            {"id": world.rep.user_id, "name": "Camille Roux", "role": "rep", "active": True, "rev": 1},
            {"id": world.manager.user_id, "name": "Dominique Vasseur", "role": "manager", "active": True, "rev": 1},
        ],
    )
    members = [(world.rep, world.sector), (world.manager, world.sector), (world.manager, world.other_sector)]
    for number, (actor, sector) in enumerate(members):
        row = {"id": an_id(f"member-{number}"), "person_id": actor.user_id, "sector_id": sector, "rev": 1}
        tx.conn.execute(insert(T.sector_member).values(**row, valid_from=date(2026, 1, 1)))


def _outlets(tx: Transaction, world: World, now: datetime) -> None:
    for number, (name, banner, kind, lat, lon, house, street, postcode) in enumerate(OUTLETS):
        sector = world.other_sector if number == len(OUTLETS) - 1 else world.sector
        tx.conn.execute(
            insert(T.outlet).values(
                id=world.outlets[number],
                name=name,
                banner=banner,
                store_type=kind,
                sector_id=sector,
                lat_e7=lat,
                lon_e7=lon,
                house_number=house,
                street=street,
                postcode=postcode,
                city="Paris",
                country="FR",
                zone=ZONE,
                state="active",
                opening_hours="Mo-Sa 08:30-12:30,14:00-19:30" if number < 3 else None,
                visit_interval_days=28,
                visit_minutes=30,
                segment="a" if number == 2 else "b",
                confirmed_at=now,
                rev=1,
            )
        )
    contact = {
        "outlet_id": world.outlets[0],
        "name": "Mme Lefort",
        "job": "Cheffe de rayon",
        "phone": "+33 1 40 00 00 01",
    }
    tx.conn.execute(insert(T.contact).values(id=an_id("contact-0"), preferred=True, rev=1, **contact))


def _products(tx: Transaction, world: World) -> None:
    for number, product in enumerate(world.products):
        own = number % 3 != 0
        tx.conn.execute(
            insert(T.product).values(
                id=product,
                ean=f"376000000{number:03d}0",
                name=f"Produit {number + 1:02d}",
                brand="Aubelle" if own else "Concurrente",
                category=("Biscuits", "Boissons", "Café", "Confiserie")[number % 4],
                own=own,
                position=number,
                active=True,
                rev=1,
            )
        )
        price = {"product_id": product, "amount_minor": 199 + 10 * number, "valid_from": date(2026, 1, 1)}
        tx.conn.execute(insert(T.price).values(id=an_id(f"price-{number}"), rev=1, **price))
        for store_type in ("convenience", "supermarket", "hypermarket"):
            tx.conn.execute(
                insert(T.assortment).values(
                    id=an_id(f"assortment-{store_type}-{number}"),
                    store_type=store_type,
                    product_id=product,
                    must_stock=own and number % 2 == 0,
                    target_facings=2,
                    valid_from=date(2026, 1, 1),
                    rev=1,
                )
            )
