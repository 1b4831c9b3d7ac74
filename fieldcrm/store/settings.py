"""The organisation's settings: dated documents by key, read only here; the server alone writes them."""

from __future__ import annotations

from datetime import date
from typing import Any

from sqlalchemy import or_, select

from fieldcrm.store.database import Reader
from fieldcrm.store.tables import T


def read_setting(r: Reader, key: str, day: date | None = None) -> Any:
    """The value of ``key`` in force on ``day`` (the newest one when no day is given), or ``None``."""
    setting = T.setting
    query = select(setting.c.value).where(setting.c.key == key)
    if day is not None:
        query = query.where(
            or_(setting.c.valid_from.is_(None), setting.c.valid_from <= day),
            or_(setting.c.valid_to.is_(None), setting.c.valid_to >= day),
        )
    return r.conn.execute(query.order_by(setting.c.valid_from.desc(), setting.c.id.desc()).limit(1)).scalar()
