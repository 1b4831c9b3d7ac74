"""Find a person met in an outlet."""

from __future__ import annotations

from fieldcrm.store.database import Reader
from fieldcrm.store.people import PersonFound, people_by_name

__all__ = ["PersonFound", "find"]


def find(r: Reader, typed: str, *, limit: int = 12) -> tuple[PersonFound, ...]:
    """Contacts one of whose names begins with what was typed, by name."""
    return people_by_name(r, typed, limit) if typed.strip() else ()
