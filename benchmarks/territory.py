"""The outlets of one rep, made up from a seed, with the visits of a first sync: for the figures of the start."""

from __future__ import annotations

import random
from datetime import UTC, datetime

from sqlalchemy import insert

from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Transaction
from fieldcrm.store.tables import T

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
BANNERS = "Carrefour Intermarché Leclerc Auchan Casino Monoprix Spar Vival Franprix Système-U".split()
PLACES = (
    "du Marché|de la Gare|des Halles|Saint-Étienne|du Port|de l'Église|Épicerie|Bio|Express|City|Contact|Nord"
).split("|")
CITIES = "Lyon Paris Besançon Orléans Évreux Nîmes Nantes Lille Dijon Angers Brest Saint-Malo".split()


def fill(tx: Transaction, outlets: int, seed: int) -> None:
    """Outlets with three visits each for one in ten, as a device has them after a first sync (not captured)."""
    pick = random.Random(seed)
    person, sectors = new_id(NOW), [new_id(NOW) for _ in range(8)]
    with tx.uncaptured():
        tx.conn.execute(
            insert(T.sector), [{"id": id_, "code": f"S{n}", "name": f"Secteur {n}"} for n, id_ in enumerate(sectors)]
        )
        for start in range(0, outlets, 5_000):
            rows = [_outlet(pick, sectors) for _ in range(min(5_000, outlets - start))]
            tx.conn.execute(insert(T.outlet), rows)
            visits = [
                {
                    "id": new_id(NOW),
                    "outlet_id": row["id"],
                    "person_id": person,
                    "zone": "Europe/Paris",
                    "position_source": "none",
                    "started_at": datetime(2026, pick.randint(1, 10), 3, tzinfo=UTC),
                }
                for row in rows[::10]
                for _ in range(3)
            ]
            tx.conn.execute(insert(T.visit), visits)


def _outlet(pick: random.Random, sectors: list[object]) -> dict[str, object]:
    banner = pick.choice(BANNERS)
    return {
        "id": new_id(NOW),
        "name": f"{banner} {pick.choice(PLACES)} {pick.choice(PLACES)}",
        "banner": banner,
        "street": f"rue {pick.choice(PLACES)}",
        "house_number": str(pick.randint(1, 99)),
        "city": pick.choice(CITIES),
        "postcode": f"{pick.randint(1000, 95999):05d}",
        "store_type": pick.choice(["supermarket", "convenience"]),
        "sector_id": pick.choice(sectors),
        "segment": pick.choice("abc"),
        "zone": "Europe/Paris",
        "state": pick.choice(["active"] * 9 + ["closed"]),
        "visit_interval_days": pick.choice([14, 28, 56]),
        "lat_e7": pick.randint(430_000_000, 500_000_000),
        "lon_e7": pick.randint(-20_000_000, 70_000_000),
        "rev": 1,
    }
