"""Deciding what becomes of edits that could not be applied: an administrator over all, a manager over their sectors."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import TypeVar

from fieldcrm.domain.actor import Role
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.server.headquarters import Headquarters
from sync.server.quarantine import Item, Line, Outcome
from sync.server.refusal import CallRefused

Result = TypeVar("Result")


def items(hq: Headquarters, org: Id, *, decided: bool = False) -> list[Item]:
    """What waits for a decision, oldest first; with ``decided`` what was decided too."""
    return hq.quarantine.items(org, decided=decided)


def lines(hq: Headquarters, org: Id, id: Id) -> list[Line]:
    """The changes in it. Raises ``DomainError("quarantine_unknown")``."""
    return _done(lambda: hq.quarantine.lines(org, id))


def apply(hq: Headquarters, org: Id, id: Id, *, by: Id | None = None, now: datetime) -> Outcome:
    """Carry it out in its author's name. ``by``: the person who decides, None for an administrator.

    Raises ``DomainError``: "quarantine_unknown", "quarantine_decided".
    """
    author = _done(lambda: hq.quarantine.author(org, id))
    role = hq.accounts.role_of(org, author) or Role.REP.value
    return _done(lambda: hq.quarantine.apply(org, id, role=role, by=by, now=now))


def drop(hq: Headquarters, org: Id, id: Id, *, by: Id | None = None, now: datetime) -> None:
    """Put it aside for good. Raises ``DomainError``: "quarantine_unknown", "quarantine_decided"."""
    _done(lambda: hq.quarantine.drop(org, id, by=by, now=now))


def _done(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except CallRefused as refusal:
        raise DomainError(refusal.code, **refusal.params) from refusal
