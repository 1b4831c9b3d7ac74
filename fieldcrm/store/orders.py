"""Orders as they are kept."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from sqlalchemy import exists, insert, or_, select, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.order import Order, from_document
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T


def _orders(r: Reader, *conditions: Any, limit: int) -> tuple[Order, ...]:
    o = T.sales_order
    here = or_(o.c.rev == 0, exists().where(T.outbox.c.id == o.c.id)).label("here")
    query = select(o, here).where(*conditions).order_by(o.c.placed_at.desc(), o.c.id.desc()).limit(limit)
    return tuple(
        Order(
            row.id, row.outlet_id, row.person_id, row.placed_at, from_document(row.lines), row.wanted_on, row.state,
            row.note, bool(row.here),
        )
        for row in r.conn.execute(query)
    )  # fmt: skip


def orders_of(r: Reader, outlets: Iterable[Id], limit: int = 100) -> tuple[Order, ...]:
    """The newest first."""
    return _orders(r, T.sales_order.c.outlet_id.in_(list(outlets)), limit=limit)


def read_order(r: Reader, order_id: Id) -> Order:
    """Raises ``DomainError("order_unknown")``."""
    found = _orders(r, T.sales_order.c.id == order_id, limit=1)
    if not found:
        raise DomainError("order_unknown", id=order_id.hex)
    return found[0]


def insert_order(tx: Transaction, order_id: Id, values: Mapping[str, Any]) -> None:
    tx.conn.execute(insert(T.sales_order).values(id=order_id, **values))


def update_order(tx: Transaction, order_id: Id, values: Mapping[str, Any]) -> None:
    tx.conn.execute(update(T.sales_order).where(T.sales_order.c.id == order_id).values(**values))


def product_names(r: Reader, products: Iterable[Id]) -> dict[Id, str]:
    """The names of those of these products that this device knows."""
    p = T.product.c
    return {row.id: row.name for row in r.conn.execute(select(p.id, p.name).where(p.id.in_(list(products))))}
