"""The organisation's products, assortments and shelf prices, from a sheet that a person keeps.

One row a product. A later import updates the product with the same EAN, or with the same name where there is none.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fieldcrm.domain.catalogue import STORE_TYPES
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.server.headquarters import Headquarters
from sync.server.database import reading

MOST_BYTES = 20_000_000
MOST_ROWS = 50_000

# Our name of a column, and what people write above it.
HEADERS: Mapping[str, tuple[str, ...]] = {
    "ean": ("ean", "ean13", "gtin", "gencod", "code ean"),
    "name": ("name", "product", "nom", "produit", "libellé", "libelle"),
    "brand": ("brand", "marque"),
    "category": ("category", "catégorie", "categorie", "rayon"),
    "own": ("own", "ours", "à nous", "notre", "propre"),
    "store_types": ("store types", "store_types", "types", "types de magasin"),
    "must_stock": ("must stock", "must_stock", "obligatoire", "assortiment obligatoire"),
    "facings": ("facings", "target facings", "target_facings", "facings cible"),
    "price": ("price", "prix", "tarif", "prix conseillé"),
}
_YES, _NO = ("1", "yes", "true", "oui", "x", "vrai"), ("", "0", "no", "false", "non", "faux")


@dataclass(frozen=True, slots=True)
class ProductLine:
    """One row of the sheet. ``price_minor`` in minor units; empty ``store_types``: every type."""

    ean: str
    name: str
    brand: str
    category: str
    own: bool
    store_types: tuple[str, ...]
    must_stock: bool
    facings: int | None
    price_minor: int | None


@dataclass(frozen=True, slots=True)
class ProductsImported:
    added: int
    changed: int
    unchanged: int


def read_products(path: Path) -> list[ProductLine]:
    """The products of a CSV file (``;``, ``,`` or tab; UTF-8 or Windows-1252), all of them or none.

    Raises ``DomainError``: "file_unreadable", "products_empty", "products_column_missing", and
    "products_cell_invalid" with the row and column.
    """
    rows = _rows(path)
    header = next(rows, None)
    if header is None:
        raise DomainError("products_empty", path=str(path))
    columns = _columns(header)
    lines = [_line(number, columns, row) for number, row in enumerate(rows, 2) if any(cell.strip() for cell in row)]
    if not lines:
        raise DomainError("products_empty", path=str(path))
    return lines


def _rows(path: Path) -> Iterator[Sequence[str]]:
    try:
        raw = path.read_bytes()
    except OSError as error:
        raise DomainError("file_unreadable", path=str(path), reason=error.strerror or "") from error
    if len(raw) > MOST_BYTES or b"\x00" in raw:
        raise DomainError("file_unreadable", path=str(path), reason="not a CSV file of at most 20 MB")
    try:
        text = raw.decode("utf-8-sig")
    except UnicodeDecodeError:
        text = raw.decode("cp1252", errors="replace")  # what French Excel writes
    first = text.split("\n", 1)[0]
    delimiter = max(";,\t", key=first.count)
    try:
        for number, row in enumerate(csv.reader(io.StringIO(text), delimiter=delimiter)):
            if number > MOST_ROWS:
                raise DomainError("file_unreadable", path=str(path), reason=f"more than {MOST_ROWS} rows")
            yield row
    except csv.Error as error:
        raise DomainError("file_unreadable", path=str(path), reason=str(error)) from error


def _columns(header: Sequence[str]) -> dict[str, int]:
    places = {title.strip().casefold(): at for at, title in enumerate(header)}
    found = {ours: places[title] for ours, titles in HEADERS.items() for title in reversed(titles) if title in places}
    if "name" not in found:
        raise DomainError("products_column_missing", column="name", found=", ".join(header)[:200])
    return found


def _line(number: int, columns: Mapping[str, int], row: Sequence[str]) -> ProductLine:
    def cell(name: str) -> str:
        at = columns.get(name, len(row))
        return row[at].strip() if at < len(row) else ""

    def refuse(column: str) -> DomainError:
        return DomainError("products_cell_invalid", row=number, column=column, value=cell(column)[:60])

    if not cell("name"):
        raise refuse("name")
    types = tuple(part.strip() for part in cell("store_types").replace("|", ",").split(",") if part.strip())
    if any(kind not in STORE_TYPES for kind in types):
        raise refuse("store_types")
    if cell("ean") and not _is_ean(cell("ean")):
        raise refuse("ean")
    for column in ("own", "must_stock"):
        if cell(column).casefold() not in _YES + _NO:
            raise refuse(column)
    if cell("facings") and not (cell("facings").isdecimal() and len(cell("facings")) <= 3):
        raise refuse("facings")
    price = _minor(cell("price"))
    if price is None and cell("price"):
        raise refuse("price")
    return ProductLine(
        ean=cell("ean"),
        name=cell("name"),
        brand=cell("brand"),
        category=cell("category"),
        own=cell("own").casefold() in _YES,
        store_types=types,
        must_stock=cell("must_stock").casefold() in _YES,
        facings=int(cell("facings")) if cell("facings") else None,
        price_minor=price,
    )


def _is_ean(text: str) -> bool:
    """EAN-8 or EAN-13 with its check digit (GS1 General Specifications, 7.9)."""
    if len(text) not in (8, 13) or not (text.isascii() and text.isdecimal()):
        return False
    weighted = sum(int(digit) * (3 if at % 2 else 1) for at, digit in enumerate(reversed(text)))
    return weighted % 10 == 0


def _minor(text: str) -> int | None:
    """``"2,59"`` or ``"2.59 €"`` as 259; ``None`` for what is no price."""
    whole, _, part = text.replace("€", "").replace("\u202f", "").replace(" ", "").replace(",", ".").partition(".")
    digits = whole + part
    if not (digits.isascii() and digits.isdecimal() and whole) or len(whole) > 7 or len(part) > 2:
        return None
    return int(whole) * 100 + int(part.ljust(2, "0"))


def import_products(hq: Headquarters, org: Id, lines: Sequence[ProductLine], *, now: datetime) -> ProductsImported:
    """Add or update the products, their assortment by store type and their price, valid from today."""
    today = now.date()
    known, ranges, prices = _known(hq, org), _valid(hq, org, "assortment"), _valid(hq, org, "price")
    rows: list[tuple[str, Mapping[str, Any]]] = []
    added = changed = unchanged = 0
    for position, line in enumerate(lines):
        earlier = known.get(line.ean or line.name)
        id_ = earlier["id"] if earlier else new_id(now)
        product = {
            "ean": line.ean or None,
            "name": line.name,
            "brand": line.brand or None,
            "category": line.category or None,
            "own": line.own,
            "position": position,
            "active": True,
        }
        if earlier is None:
            added += 1
        elif all(earlier[name] == value for name, value in product.items()):
            unchanged += 1
        else:
            changed += 1
        rows.append(("product", {"id": id_, **product}))
        rows += _range_rows(id_, line, ranges.get(id_, ()), prices.get(id_, ()), today, now)
    hq.apply(org, rows)
    return ProductsImported(added, changed, unchanged)


def _known(hq: Headquarters, org: Id) -> dict[str, Any]:
    table = hq.sync.tables.records["product"]
    query = select(table).where(table.c.org_id == org, table.c.deleted_rev.is_(None))
    with reading(hq.engine) as connection:
        return {row["ean"] or row["name"]: row for row in connection.execute(query).mappings()}


def _range_rows(
    product: UUID, line: ProductLine, ranges: Sequence[Any], prices: Sequence[Any], today: date, now: datetime
) -> Iterator[tuple[str, Mapping[str, Any]]]:
    """What changed of the product's assortment and price: the old rows end with yesterday, the new begin today."""
    yesterday = today - timedelta(days=1)
    wanted = dict.fromkeys(line.store_types or STORE_TYPES, (line.must_stock, line.facings))
    for row in ranges:
        if wanted.get(row["store_type"]) == (row["must_stock"], row["target_facings"]):
            del wanted[row["store_type"]]
        else:
            yield "assortment", {"id": row["id"], "valid_to": yesterday}
    for kind, (must, facings) in wanted.items():
        values = {"store_type": kind, "product_id": product, "must_stock": must, "target_facings": facings}
        yield "assortment", {"id": new_id(now), **values, "valid_from": today}
    if line.price_minor is None or line.price_minor in {row["amount_minor"] for row in prices}:
        return
    for row in prices:
        yield "price", {"id": row["id"], "valid_to": yesterday}
    yield "price", {"id": new_id(now), "product_id": product, "amount_minor": line.price_minor, "valid_from": today}


def _valid(hq: Headquarters, org: Id, collection: str) -> Mapping[UUID, Sequence[Any]]:
    """The rows of a dated collection that have no end, by product."""
    table = hq.sync.tables.records[collection]
    query = select(table).where(table.c.org_id == org, table.c.valid_to.is_(None), table.c.deleted_rev.is_(None))
    found: dict[UUID, list[Any]] = {}
    with reading(hq.engine) as connection:
        for row in connection.execute(query).mappings():
            found.setdefault(row["product_id"], []).append(row)
    return found
