"""What the organisation has settled, by key (``duplicates``); made apart on two devices, the newest holds."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import insert, select, update

from fieldcrm.domain.ids import new_id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T


def value(r: Reader, key: str) -> Any:
    """The document of that key, or ``None``."""
    query = select(T.rule.c.value).where(T.rule.c.key == key).order_by(T.rule.c.id.desc()).limit(1)
    return r.conn.execute(query).scalar()


def settle(tx: Transaction, key: str, document: Mapping[str, Any]) -> None:
    query = select(T.rule.c.id).where(T.rule.c.key == key).order_by(T.rule.c.id.desc()).limit(1)
    known = tx.conn.execute(query).scalar()
    if known is None:
        tx.conn.execute(insert(T.rule).values(id=new_id(tx.now), key=key, value=dict(document)))
    else:
        tx.conn.execute(update(T.rule).where(T.rule.c.id == known).values(value=dict(document)))
