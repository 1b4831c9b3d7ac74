"""The organisation's own fields, and how many outlets hold a value of each."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from sqlalchemy import func, insert, select, text, update

from fieldcrm.domain.customfield import CHOICE_LIMIT, CHOICES_MOST, LABEL_LIMIT, CustomField
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T


def read_fields(r: Reader) -> tuple[CustomField, ...]:
    """All of them in their order, retired ones too."""
    table = T.custom_field
    query = select(table).order_by(func.coalesce(table.c.position, 1 << 30), table.c.key, table.c.id)
    return tuple(_field(dict(row._mapping)) for row in r.conn.execute(query))


def read_field(r: Reader, field_id: Id) -> CustomField:
    """Raises ``DomainError("field_unknown")``."""
    row = r.conn.execute(select(T.custom_field).where(T.custom_field.c.id == field_id)).one_or_none()
    if row is None:
        raise DomainError("field_unknown", id=field_id.hex)
    return _field(dict(row._mapping))


def _field(row: Mapping[str, Any]) -> CustomField:
    """A field as another device may have written it: what is not text in a document is left out."""
    label = {str(language): name[:LABEL_LIMIT] for language, name in _dict(row["label"]).items()
             if isinstance(name, str)}
    told = row["choices"] if isinstance(row["choices"], list) else ()
    choices = tuple(choice for choice in told if isinstance(choice, str) and len(choice) <= CHOICE_LIMIT)[:CHOICES_MOST]
    return CustomField(
        row["id"], row["key"], label, row["kind"], choices, row["position"] or 0, row["active"] is not False)


def _dict(value: Any) -> Mapping[str, Any]:
    return value if isinstance(value, Mapping) else {}


def insert_field(tx: Transaction, field: CustomField) -> None:
    tx.conn.execute(insert(T.custom_field).values(
        id=field.id, key=field.key, label=dict(field.label), kind=field.kind, choices=list(field.choices) or None,
        position=field.position, active=field.active,
    ))  # fmt: skip


def update_field(tx: Transaction, field_id: Id, values: Mapping[str, Any]) -> None:
    tx.conn.execute(update(T.custom_field).where(T.custom_field.c.id == field_id).values(**values))


def count_values(r: Reader) -> dict[str, int]:
    """Key -> outlets that hold a value under it. Reads every outlet that has any: for the pool, not the UI thread."""
    query = text(
        "SELECT j.key, count(*) FROM outlet AS o, json_each(o.custom) AS j "
        "WHERE o.custom IS NOT NULL AND o.custom <> '{}' AND j.value IS NOT NULL GROUP BY j.key"
    )
    return {str(row[0]): int(row[1]) for row in r.conn.execute(query)}
