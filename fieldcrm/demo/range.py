"""The invented range: sixty products, what each type of store should hold, and what it costs there."""

from __future__ import annotations

import csv
import io
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date

from fieldcrm import resources
from fieldcrm.demo.records import Records
from fieldcrm.domain.catalogue import STORE_TYPES
from fieldcrm.domain.ids import Id

# Prices climb with convenience, in hundredths of the price of a supermarket.
PRICE_LEVEL: Mapping[str, int] = {
    "hypermarket": 96, "supermarket": 100, "convenience": 112, "petrol": 128, "kiosk": 124, "pharmacy": 118,
    "specialist": 115, "food_service": 105, "other": 110,
}


@dataclass(frozen=True, slots=True)
class Listing:
    facings: int
    must_stock: bool


@dataclass(frozen=True, slots=True)
class Article:
    """A product as ``resources/demo/range.csv`` gives it; prices in minor units."""

    id: Id
    ean: str
    name: str
    brand: str
    category: str
    own: bool
    price_minor: int
    listings: Mapping[str, Listing] = field(default_factory=dict)  # store type -> what it should hold

    def price_at(self, store_type: str) -> int:
        """What a shelf of that type asks, ending in a nine as prices do."""
        return max(1, round(self.price_minor * PRICE_LEVEL[store_type] / 1000)) * 10 - 1


def ean13_valid(code: str) -> bool:
    """Whether the last of thirteen digits is the check digit of the others."""
    if len(code) != 13 or not code.isdigit():
        return False
    weighted = sum(int(digit) * (3 if place % 2 else 1) for place, digit in enumerate(code))
    return weighted % 10 == 0


def read_range(records: Records) -> tuple[Article, ...]:
    rows = csv.DictReader(io.StringIO(resources.text("demo/range.csv")))
    return tuple(_article(records, row) for row in rows)


def _article(records: Records, row: dict[str, str]) -> Article:
    listings = {
        kind: Listing(int(row[kind].rstrip("!")), row[kind].endswith("!")) for kind in STORE_TYPES if row.get(kind)
    }
    return Article(
        id=records.id("product", row["ean"]), ean=row["ean"], name=row["name"], brand=row["brand"],
        category=row["category"], own=row["own"] == "1", price_minor=int(row["price_minor"]), listings=listings,
    )  # fmt: skip


def add_range(records: Records, articles: tuple[Article, ...], since: date) -> None:
    """The products, the assortment per store type and the prices, all valid from ``since``."""
    for position, article in enumerate(articles):
        records.add(
            "product", article.id, ean=article.ean, name=article.name, brand=article.brand,
            category=article.category, own=article.own, position=position, active=True,
        )  # fmt: skip
    for article in articles:
        for kind, listing in article.listings.items():
            records.add(
                "assortment", records.id("assortment", article.ean, kind), store_type=kind, product_id=article.id,
                must_stock=listing.must_stock, target_facings=listing.facings, valid_from=since, valid_to=None,
            )  # fmt: skip
            records.add(
                "price", records.id("price", article.ean, kind), product_id=article.id, store_type=kind,
                amount_minor=article.price_at(kind), valid_from=since, valid_to=None,
            )  # fmt: skip


def listed_at(articles: tuple[Article, ...], store_type: str) -> tuple[Article, ...]:
    return tuple(article for article in articles if store_type in article.listings)
