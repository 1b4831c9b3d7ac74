"""People at an outlet: add, change, remove. Each can be undone."""

from __future__ import annotations

from fieldcrm.domain.contact import ContactDetails
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store import contacts as _contacts
from fieldcrm.store import outlets as _outlets
from fieldcrm.store.database import Transaction


def add_contact(tx: Transaction, outlet_id: Id, details: ContactDetails) -> Id:
    """Raises ``contact_name_missing``, ``phone_malformed``, ``email_malformed``, ``outlet_unknown``."""
    outlet = _outlets.read_outlet(tx, outlet_id)
    contact_id = new_id(tx.now)
    checked = details.checked()
    _contacts.insert_contact(tx, contact_id, outlet.id, checked)
    _prefer(tx, outlet.id, contact_id, checked)
    tx.touch("contact", contact_id)
    tx.touch("outlet", outlet.id)
    tx.label = tx.label or "contact.new"
    return contact_id


def edit_contact(tx: Transaction, contact_id: Id, details: ContactDetails) -> None:
    """Raises as ``add_contact`` does, and ``contact_unknown``."""
    before = _contacts.read_contact(tx, contact_id)
    checked = details.checked()
    _contacts.update_contact(tx, contact_id, checked)
    _prefer(tx, before.outlet_id, contact_id, checked)
    tx.touch("contact", contact_id)
    tx.touch("outlet", before.outlet_id)
    tx.label = tx.label or "contact.details"


def remove_contact(tx: Transaction, contact_id: Id) -> None:
    """Raises ``contact_unknown``."""
    before = _contacts.read_contact(tx, contact_id)
    _contacts.delete_contact(tx, contact_id)
    tx.touch("contact", contact_id)
    tx.touch("outlet", before.outlet_id)
    tx.label = tx.label or "contact.removed"


def _prefer(tx: Transaction, outlet_id: Id, contact_id: Id, details: ContactDetails) -> None:
    if details.preferred:
        tx.touch("contact", *_contacts.only_preferred(tx, outlet_id, contact_id))
