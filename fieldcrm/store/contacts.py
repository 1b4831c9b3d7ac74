"""People at an outlet."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import delete, insert, select, update

from fieldcrm.domain.contact import Contact, ContactDetails
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T

_COLUMNS = tuple(T.contact.c[name] for name in Contact.__dataclass_fields__)


def contacts_of(r: Reader, outlets: Iterable[Id]) -> tuple[Contact, ...]:
    """The contacts of an outlet (and of those merged into it), the preferred one first, then by name."""
    query = (
        select(*_COLUMNS)
        .where(T.contact.c.outlet_id.in_(list(outlets)))
        .order_by(T.contact.c.preferred.desc().nulls_last(), T.contact.c.name)
    )
    return tuple(Contact(**{**row._mapping, "preferred": bool(row.preferred)}) for row in r.conn.execute(query))


def read_contact(r: Reader, contact_id: Id) -> Contact:
    """Raises ``DomainError("contact_unknown")``."""
    row = r.conn.execute(select(*_COLUMNS).where(T.contact.c.id == contact_id)).one_or_none()
    if row is None:
        raise DomainError("contact_unknown", id=contact_id.hex)
    return Contact(**{**row._mapping, "preferred": bool(row.preferred)})


def insert_contact(tx: Transaction, contact_id: Id, outlet_id: Id, details: ContactDetails) -> None:
    tx.conn.execute(insert(T.contact).values(id=contact_id, outlet_id=outlet_id, **_values(details)))


def update_contact(tx: Transaction, contact_id: Id, details: ContactDetails) -> None:
    tx.conn.execute(update(T.contact).where(T.contact.c.id == contact_id).values(**_values(details)))


def delete_contact(tx: Transaction, contact_id: Id) -> None:
    tx.conn.execute(delete(T.contact).where(T.contact.c.id == contact_id))


def only_preferred(tx: Transaction, outlet_id: Id, contact_id: Id) -> tuple[Id, ...]:
    """Take the preference from the other contacts of the outlet; returns those that had it."""
    contact = T.contact
    query = select(contact.c.id).where(
        contact.c.outlet_id == outlet_id, contact.c.id != contact_id, contact.c.preferred
    )
    others = tuple(tx.conn.execute(query).scalars())
    if others:
        tx.conn.execute(update(contact).where(contact.c.id.in_(others)).values(preferred=False))
    return others


def _values(details: ContactDetails) -> dict[str, object]:
    return {name: getattr(details, name) for name in ContactDetails.__dataclass_fields__}
