"""Erasing people on this device, as headquarters orders it: their keys, and what still waits or rests of them here."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import select

from fieldcrm.domain.ids import Id
from fieldcrm.store import journal_people as _people
from fieldcrm.store.database import Transaction
from fieldcrm.store.tables import T
from fieldcrm.usecases.signin import signed_in
from sync.columns import to_milliseconds


def follow_orders(tx: Transaction, orders: Iterable[Id] | None = None) -> set[Id]:
    """Erase whom the orders name, if this device holds anything of them; ``None``: every order here. Returns whom.

    Journal and second copy keep their records, and open nothing of these people any more.
    """
    signed = signed_in(tx)
    query = select(T.erasure.c.mark)
    if orders is not None:
        query = query.where(T.erasure.c.id.in_(list(orders)))
    marks = list(tx.conn.execute(query).scalars())
    if signed is None or not marks:
        return set()
    gone = _people.erase_marked(tx.conn, signed.organisation_id, marks, to_milliseconds(tx.now))
    if gone:
        tx.people_erased = True
    return gone
