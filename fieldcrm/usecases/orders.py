"""Orders of a store: take one, change it, cancel it, say that it came, and take the last one again."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import date, datetime
from zoneinfo import ZoneInfo

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.order import (
    CANCELLED,
    DELIVERED,
    PLACED,
    PRICE_MOST,
    QUANTITY_MOST,
    Order,
    OrderDetails,
    OrderLine,
    to_document,
)
from fieldcrm.store import orders as _orders
from fieldcrm.store import outletcard as _card
from fieldcrm.store import outlets as _outlets
from fieldcrm.store.database import Reader, Transaction

__all__ = [
    "PRICE_MOST", "QUANTITY_MOST", "Choice", "Order", "OrderDetails", "OrderLine", "cancel", "change", "choices",
    "deliver", "may_change", "of_outlet", "place",
]


@dataclass(frozen=True, slots=True)
class Choice:
    """A product that can be ordered; ``price_minor`` by the price list of the day, ``last`` what was ordered last."""

    product_id: Id
    name: str
    brand: str | None
    listed: bool
    must_stock: bool
    price_minor: int | None
    last: int | None = None


def of_outlet(r: Reader, outlet_id: Id) -> tuple[Order, ...]:
    """The orders of the outlet and of those merged into it, the newest first."""
    return _orders.orders_of(r, _outlets.same_outlets(r, _outlets.resolve(r, outlet_id)))


def choices(r: Reader, outlet_id: Id, on: datetime, also: Iterable[Id] = ()) -> tuple[Choice, ...]:
    """What can be ordered on a day: our products, those of the store's assortment first; and ``also``, which an order
    already has. Where no product is marked as ours, every product."""
    outlet = _outlets.read_outlet(r, outlet_id)
    day = on.astimezone(ZoneInfo(outlet.zone)).date()
    found = _card.products_for(r, outlet.store_type, day)
    wanted = set(also)
    anyone = not any(product.own for product in found)
    last = last_of(of_outlet(r, outlet.id))
    quantities = {line.product_id: line.quantity for line in last.lines} if last else {}
    shown = [
        Choice(
            one.product_id, one.name, one.brand, one.listed, one.must_stock, one.price_minor,
            quantities.get(one.product_id),
        )
        for one in found
        if one.own or anyone or one.product_id in wanted
    ]  # fmt: skip
    gone = wanted - {one.product_id for one in shown}
    names = _orders.product_names(r, gone)
    shown += [Choice(id_, names.get(id_, "—"), None, False, False, None) for id_ in sorted(gone)]
    return tuple(sorted(shown, key=lambda one: (not one.listed, not one.must_stock)))


def last_of(orders: Iterable[Order]) -> Order | None:
    """The newest that was not cancelled."""
    return next((order for order in orders if order.state != CANCELLED), None)


def may_change(order: Order, actor: Actor) -> bool:
    """Who took it, and managers, as long as it has not come."""
    return order.state == PLACED and (order.person_id == actor.user_id or actor.role is Role.MANAGER)


def place(tx: Transaction, outlet_id: Id, details: OrderDetails, *, visit_id: Id | None = None) -> Id:
    """Take an order. Raises as ``OrderDetails.checked`` does, and ``outlet_unknown``."""
    outlet = _outlets.read_outlet(tx, outlet_id)
    checked = details.checked(_today(tx.now, outlet.zone))
    order_id = new_id(tx.now)
    values = {
        "outlet_id": outlet.id, "person_id": tx.actor.user_id, "visit_id": visit_id, "placed_at": tx.now,
        "lines": to_document(checked.lines), "wanted_on": checked.wanted_on, "state": PLACED, "note": checked.note,
    }  # fmt: skip
    _orders.insert_order(tx, order_id, values)
    _touched(tx, order_id, outlet.id, "order.new")
    return order_id


def change(tx: Transaction, order_id: Id, details: OrderDetails) -> None:
    """Other lines, another day, another note. Raises also ``order_closed`` and ``order_not_yours``.

    The day that was wished for may have gone by, if it stays as it was.
    """
    before = _changeable(tx, order_id)
    outlet = _outlets.read_outlet(tx, before.outlet_id)
    today = _today(tx.now, outlet.zone)
    kept = details.wanted_on is not None and details.wanted_on == before.wanted_on
    checked = details.checked(min(today, details.wanted_on) if kept and details.wanted_on else today)
    fresh = {"lines": to_document(checked.lines), "wanted_on": checked.wanted_on, "note": checked.note}
    present = {"lines": to_document(before.lines), "wanted_on": before.wanted_on, "note": before.note}
    changes = {name: value for name, value in fresh.items() if present[name] != value}
    if changes:
        _orders.update_order(tx, order_id, changes)
        _touched(tx, order_id, before.outlet_id, "order.details")


def cancel(tx: Transaction, order_id: Id) -> None:
    """It will not come. It stays in the list, and counts no more."""
    order = _changeable(tx, order_id)
    _orders.update_order(tx, order_id, {"state": CANCELLED})
    _touched(tx, order_id, order.outlet_id, "order.cancelled")


def deliver(tx: Transaction, order_id: Id) -> None:
    """It came."""
    order = _changeable(tx, order_id)
    _orders.update_order(tx, order_id, {"state": DELIVERED})
    _touched(tx, order_id, order.outlet_id, "order.delivered")


def _changeable(tx: Transaction, order_id: Id) -> Order:
    order = _orders.read_order(tx, order_id)
    if order.state != PLACED:
        raise DomainError("order_closed", id=order_id.hex)
    if not may_change(order, tx.actor):
        raise DomainError("order_not_yours", id=order_id.hex)
    return order


def _today(now: datetime, zone: str) -> date:
    return now.astimezone(ZoneInfo(zone)).date()


def _touched(tx: Transaction, order_id: Id, outlet_id: Id, label: str) -> None:
    tx.touch("sales_order", order_id)
    tx.touch("outlet", outlet_id)
    tx.label = tx.label or label
