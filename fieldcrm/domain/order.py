"""An order that was taken at a store: products, quantities, and the prices of the day it was placed."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id

PLACED, DELIVERED, CANCELLED = "placed", "delivered", "cancelled"
QUANTITY_MOST = 100_000
PRICE_MOST = 100_000_000  # minor units
LINES_MOST = 500
NOTE_LIMIT = 2_000


@dataclass(frozen=True, slots=True)
class OrderLine:
    """``price_minor``: of one, in minor units; ``None`` where the price list says nothing."""

    product_id: Id
    quantity: int
    price_minor: int | None = None

    @property
    def amount_minor(self) -> int:
        return self.quantity * (self.price_minor or 0)


@dataclass(frozen=True, slots=True)
class Order:
    """``here``: not at headquarters yet."""

    id: Id
    outlet_id: Id
    person_id: Id
    placed_at: datetime
    lines: tuple[OrderLine, ...]
    wanted_on: date | None
    state: str
    note: str | None
    here: bool = False

    @property
    def amount_minor(self) -> int:
        return sum(line.amount_minor for line in self.lines)

    @property
    def units(self) -> int:
        return sum(line.quantity for line in self.lines)

    @property
    def priced(self) -> bool:
        """Whether every line has a price: else the amount is of those that have one."""
        return all(line.price_minor is not None for line in self.lines)


@dataclass(frozen=True, slots=True)
class OrderDetails:
    """What a person fills in."""

    lines: Sequence[OrderLine]
    wanted_on: date | None = None
    note: str | None = None

    def checked(self, today: date) -> OrderDetails:
        """Raises ``order_empty``, ``order_lines_many``, ``number_out_of_range`` with the product's id as field,
        ``order_wanted_past``, ``text_too_long``."""
        lines = tuple(line for line in self.lines if line.quantity != 0)
        if not lines:
            raise DomainError("order_empty", field="lines")
        if len(lines) > LINES_MOST:
            raise DomainError("order_lines_many", field="lines", limit=LINES_MOST)
        for line in lines:
            if not 1 <= line.quantity <= QUANTITY_MOST:
                raise DomainError("number_out_of_range", field=line.product_id.hex, low=1, high=QUANTITY_MOST)
        if self.wanted_on is not None and self.wanted_on < today:
            raise DomainError("order_wanted_past", field="wanted_on")
        note = "".join(c for c in self.note or "" if c == "\n" or c.isprintable()).strip()
        if len(note) > NOTE_LIMIT:
            raise DomainError("text_too_long", field="note", limit=NOTE_LIMIT)
        return OrderDetails(lines, self.wanted_on, note or None)


def to_document(lines: Iterable[OrderLine]) -> list[dict[str, Any]]:
    """The lines as they are kept."""
    return [
        {"product_id": line.product_id.hex, "quantity": line.quantity, "price_minor": line.price_minor}
        for line in lines
    ]


def from_document(document: object) -> tuple[OrderLine, ...]:
    """The lines of a document; what is none is passed over."""
    found = (_line(one) for one in document) if isinstance(document, list) else ()
    return tuple(line for line in found if line is not None)


def _line(document: object) -> OrderLine | None:
    if not isinstance(document, Mapping):
        return None
    quantity, price = document.get("quantity"), document.get("price_minor")
    if not is_quantity(quantity) or not is_price(price):
        return None
    try:
        return OrderLine(Id(hex=document["product_id"]), int(quantity or 0), price)
    except (KeyError, ValueError, TypeError, AttributeError):
        return None


def is_quantity(value: object) -> bool:
    return isinstance(value, int) and not isinstance(value, bool) and 1 <= value <= QUANTITY_MOST


def is_price(value: object) -> bool:
    whole = isinstance(value, int) and not isinstance(value, bool)
    return value is None or (whole and 0 <= value <= PRICE_MOST)  # type: ignore[operator]
