"""Slows down whoever guesses passwords, whichever of several servers is asked."""

from __future__ import annotations

import hashlib
from datetime import datetime, timedelta
from uuid import UUID

from sqlalchemy import ColumnElement, Engine, delete, update
from sqlalchemy.dialects import postgresql, sqlite

from sync.server.auth_tables import attempt
from sync.server.refusal import CallRefused

FREE_FAILURES = 5
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=1)
NOBODY = UUID(int=0)  # stands for an organisation that does not exist


class Throttle:
    """After ``FREE_FAILURES`` wrong passwords in a row each further one doubles the pause.

    Kept in the database, for all servers on it: a row for each login that was mistyped within the hour, named by its
    hash, because people type passwords where a login belongs.
    """

    def __init__(self, engine: Engine) -> None:
        self._engine = engine

    def attempt(self, org: UUID | None, login: str, now: datetime) -> None:
        """Raises ``CallRefused("too_many_attempts")`` while the pause lasts.

        Counts as a failure until ``succeeded`` says otherwise: guesses sent all at once are each counted
        before the first of them is answered.
        """
        this = _this(org, login)
        with self._engine.begin() as connection:
            made = (postgresql.insert if connection.dialect.name == "postgresql" else sqlite.insert)(attempt)
            values = {"org_id": org or NOBODY, "login_hash": _hash(login), "failures": 0, "at": now}
            # One statement makes the row or locks it: between two, a sign-in that succeeds could take it away.
            locked = made.values(values).on_conflict_do_update(
                index_elements=[attempt.c.org_id, attempt.c.login_hash], set_={"failures": attempt.c.failures}
            )
            count, last = connection.execute(locked.returning(attempt.c.failures, attempt.c.at)).one()
            now = max(now, last)  # one read its clock, then another was faster; or two servers' clocks differ
            left = _pause(count) - (now - last)
            if left > timedelta(0):
                seconds = int(left.total_seconds()) + 1
                raise CallRefused(429, "too_many_attempts", retry_after=seconds, seconds=seconds)
            if now - last > FORGET_AFTER:
                count = 0
            connection.execute(update(attempt).where(this).values(failures=count + 1, at=now))

    def succeeded(self, org: UUID, login: str) -> None:
        with self._engine.begin() as connection:
            connection.execute(delete(attempt).where(_this(org, login)))

    def forget(self, org: UUID | None, *, now: datetime) -> int:
        """Delete what was mistyped long ago; gives the number of logins."""
        old = delete(attempt).where(attempt.c.org_id == (org or NOBODY), attempt.c.at < now - FORGET_AFTER)
        with self._engine.begin() as connection:
            return connection.execute(old).rowcount


def _this(org: UUID | None, login: str) -> ColumnElement[bool]:
    return (attempt.c.org_id == (org or NOBODY)) & (attempt.c.login_hash == _hash(login))


def _hash(login: str) -> bytes:
    return hashlib.sha256(login.encode("utf-8", "surrogatepass")).digest()


def _pause(count: int) -> timedelta:
    if count < FREE_FAILURES:
        return timedelta(0)
    return min(FIRST_PAUSE * (1 << min(count - FREE_FAILURES, 10)), LONGEST_PAUSE)
