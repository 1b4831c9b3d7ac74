"""Synthetic customers, the same for every peer: 12 fields, about 350 bytes of JSON each, from a seed."""

from __future__ import annotations

import random
from typing import Any
from uuid import UUID

STREETS = (
    "rue de la République", "avenue Jean Jaurès", "boulevard Victor Hugo", "place du Marché", "chemin des Vignes",
)  # fmt: skip
CITIES = (("69003", "Lyon"), ("33000", "Bordeaux"), ("59000", "Lille"), ("13006", "Marseille"), ("35000", "Rennes"))
BANNERS = ("Carrefour City", "Monoprix", "Spar", "Vival", "Casino Shop", "Intermarché Express")
STARTED_MS = 1_790_000_000_000  # 2026-09


def rows(count: int, seed: int = 1) -> list[dict[str, Any]]:
    """Dictionaries of plain JSON values; ``id`` is a version 7 id as 32 hexadecimal digits."""
    random_ = random.Random(seed)
    return [_row(random_, number) for number in range(count)]


def _row(random_: random.Random, number: int) -> dict[str, Any]:
    postcode, city = random_.choice(CITIES)
    name = f"{random_.choice(BANNERS)} {city} {number:06d}"
    return {
        "id": _id7(random_, STARTED_MS + number),
        "name": name,
        "street": f"{random_.randint(1, 199)} {random_.choice(STREETS)}",
        "postcode": postcode,
        "city": city,
        "phone": f"+33 {random_.randint(1, 5)} {random_.randint(10_000_000, 99_999_999)}",
        "email": f"magasin.{number:06d}@example.org",
        "lat_e7": 450_000_000 + random_.randint(-20_000_000, 20_000_000),
        "lon_e7": 40_000_000 + random_.randint(-20_000_000, 20_000_000),
        "segment": random_.choice("abc"),
        "amount_minor": random_.randint(10_000, 9_999_999),
        "note": f"Livraison avant {random_.randint(6, 11)} h, demander la réserve {random_.randint(1, 40):02d}"[:60],
    }


def _id7(random_: random.Random, milliseconds: int) -> str:
    value = milliseconds << 80 | 7 << 76 | random_.getrandbits(12) << 64 | 2 << 62 | random_.getrandbits(62)
    return UUID(int=value).hex


def as_outlet(customer: dict[str, Any], sector: str) -> dict[str, Any]:
    """The wire values, without the id, of the outlet of FieldCRM that stands for this customer in ``sector``."""
    values = {name: value for name, value in customer.items() if name not in ("id", "amount_minor")}
    return values | {
        "surface_m2": customer["amount_minor"], "sector_id": sector, "zone": "Europe/Paris", "state": "active",
    }  # fmt: skip
