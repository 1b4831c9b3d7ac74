"""A person at an outlet: personal data, kept no longer than useful."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.outlet import check_email, check_phone


@dataclass(frozen=True, slots=True)
class Contact:
    id: Id
    outlet_id: Id
    name: str
    job: str | None = None
    phone: str | None = None
    email: str | None = None
    note: str | None = None
    preferred: bool = False
    last_contact_at: datetime | None = None


@dataclass(frozen=True, slots=True)
class ContactDetails:
    """What a person types about a contact; ``checked`` gives it back as it may be written."""

    name: str
    job: str | None = None
    phone: str | None = None
    email: str | None = None
    note: str | None = None
    preferred: bool = False

    def checked(self) -> ContactDetails:
        name = " ".join(self.name.split())
        if not name:
            raise DomainError("contact_name_missing", field="name")
        return ContactDetails(
            name,
            " ".join((self.job or "").split()) or None,
            check_phone(self.phone),
            check_email(self.email),
            (self.note or "").strip() or None,
            self.preferred,
        )


def whom_to_see(contacts: tuple[Contact, ...]) -> Contact | None:
    """The preferred contact, else the one met last, else the first by name."""

    def weight(contact: Contact) -> tuple[bool, float, str]:
        met = contact.last_contact_at.timestamp() if contact.last_contact_at else 0.0
        return (not contact.preferred, -met, contact.name.casefold())

    return min(contacts, key=weight, default=None)
