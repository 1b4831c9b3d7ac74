"""Sign-in, devices and tokens.

A device holds a short access token and a refresh token that changes at each use; the server keeps only their
hashes. A refresh token that comes back after its successor was used has been copied: its whole session ends.
When the successor was never used, the answer was lost on the way, and a new pair is given instead.

Each device also has a key that never changes and opens nothing by itself: it proves that a sign-in comes from a
device that was enrolled, so that no second factor is asked again, and it is the right of a revoked device to leave
its outbox behind.
"""

from __future__ import annotations

import base64
import hashlib
import secrets
import threading
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from argon2.low_level import ARGON2_VERSION
from sqlalchemy import Connection, Engine, RowMapping, delete, func, insert, select, update

from sync.server.accounts import DEVICE_NAME_LENGTH, account_by_login, folded
from sync.server.auth_tables import account, device_key, organisation, session, token
from sync.server.database import reading
from sync.server.ports import Caller
from sync.server.refusal import CallRefused
from sync.server.second_factor import SecondFactors
from sync.server.tables import ServerTables
from sync.server.throttle import Throttle

ACCESS_LIFE = timedelta(minutes=15)
REFRESH_LIFE = timedelta(days=90)
HASHES_AT_ONCE = 2  # each takes 64 MiB and a processor: guessing may not starve the rest
HASH_WAIT = 10.0  # seconds
_PASSWORD_LENGTH = 1024
_APP_LENGTH = 60
_KEYS_KEPT = 4  # of a device: it holds the newest whose answer arrived
_MOST_DEVICES = 2**31  # more than any column of numbers holds
_LONG_AGO = datetime(1970, 1, 1, tzinfo=UTC)


@dataclass(frozen=True, slots=True)
class Identity:
    """Who sent a request: established by the access token."""

    org: UUID
    account_id: UUID
    person_id: UUID
    role: str
    device_no: int
    session_id: UUID
    revoked: bool  # the device; it may still hear that, and leave what it has

    @property
    def caller(self) -> Caller:
        return Caller(self.org, self.person_id, self.role, self.device_no)


@dataclass(frozen=True, slots=True)
class Tokens:
    access: str
    refresh: str
    access_expires_at: datetime
    device_key: str = ""  # when it is a new one


@dataclass(frozen=True, slots=True)
class Known:
    """A device that showed its key, and nothing else: it may be long revoked."""

    org: UUID
    device_no: int
    person_id: UUID
    revoked: bool


class Auth:
    """Sessions, on one database. Every method is one transaction, and safe to call from any thread."""

    def __init__(
        self,
        engine: Engine,
        tables: ServerTables,
        *,
        new_id: Callable[[datetime], UUID],
        second_factors: SecondFactors,
        hasher: PasswordHasher | None = None,
        access_life: timedelta = ACCESS_LIFE,
        refresh_life: timedelta = REFRESH_LIFE,
    ) -> None:
        self._engine = engine
        self._org = tables.org
        self._device = tables.device
        self.new_id = new_id
        self._second_factors = second_factors
        self._hasher = hasher or PasswordHasher()
        self._throttle = Throttle(engine)
        self._access_life = access_life
        self._refresh_life = refresh_life
        self._nobody = _hash_of_nobody(self._hasher)
        self._hashing = threading.BoundedSemaphore(HASHES_AT_ONCE)

    # -- signing in

    def sign_in(
        self,
        code: str,
        login: str,
        password: str,
        *,
        device_name: str,
        device_no: int | None = None,
        device_key: str = "",
        second_factor: str = "",
        now: datetime,
    ) -> tuple[Identity, Tokens]:
        """A session on a new device, or on ``device_no`` if it is this account's own.

        A device that shows its ``device_key`` was enrolled before: no second factor is asked. Raises ``CallRefused``:
        "credentials_wrong", "too_many_attempts" (with ``retry_after`` in seconds), "device_revoked",
        "second_factor_needed", "wrong_second_factor", "second_factor_missing".
        """
        org = self._organisation(code)
        who = folded(login) if org is not None else f"{folded(code)}/{folded(login)}"
        self._throttle.attempt(org, who, now)
        row = self._verified(org, login, password)
        if row is None:
            raise CallRefused(401, "credentials_wrong")
        with self._engine.begin() as connection:
            number = self._own_device(connection, row, device_no)
            fresh_key = ""
            if number is None or not self._shows_key(connection, row["org_id"], number, device_key):
                self._second_factors.check(connection, row["org_id"], row["id"], second_factor, now)
                number = number or self._add_device(connection, row, device_name, now)
                fresh_key = self._give_key(connection, row["org_id"], number, now)
            made = self._new_session(connection, row, number, now, fresh_key)
        self._throttle.succeeded(row["org_id"], who)
        return made

    def new_device(
        self, identity: Identity, device_name: str, *, device_key: str = "", now: datetime
    ) -> tuple[Identity, Tokens]:
        """Another device number for a signed-in person: this device turned out to be a copy of another.

        ``device_key``: its own. An access token alone enrols no device of somebody who has a second factor: raises
        ``CallRefused("second_factor_needed")``, or "second_factor_missing" where the organisation requires one.
        """
        if identity.revoked:
            raise CallRefused(403, "device_revoked")
        with self._engine.begin() as connection:
            row = self._account(connection, identity.org, identity.account_id)
            if not self._shows_key(connection, identity.org, identity.device_no, device_key):
                self._second_factors.check(connection, identity.org, row["id"], "", now)
            number = self._add_device(connection, row, device_name, now, parent=identity.device_no)
            key = self._give_key(connection, row["org_id"], number, now)
            return self._new_session(connection, row, number, now, key)

    def refresh(self, refresh_token: str, *, now: datetime) -> tuple[Identity, Tokens]:
        """A new pair for the newest refresh token.

        Raises ``Refused``: "token_unknown", "token_expired", "token_reused" (the session is over), "device_revoked".
        """
        with self._engine.begin() as connection:
            found = self._find_token(connection, refresh_token, "refresh")
            if found is None:
                raise CallRefused(401, "token_unknown")
            if found["expires_at"] <= now:
                raise CallRefused(401, "token_expired")
            if found["device_revoked"] is not None:  # first: whoever left has to hear it, or the device is never wiped
                raise CallRefused(403, "device_revoked")
            row = self._account(connection, found["org_id"], found["account_id"])
            if found["session_revoked"] is not None or not row["active"]:
                raise CallRefused(401, "token_unknown")
            copied = found["generation"] != found["newest"] and (
                found["generation"] != found["newest"] - 1 or found["used"] == found["newest"]
            )
            if not copied:
                return self._identity(row, found), self._issue(connection, found, now)
            self._end_session(connection, found["org_id"], found["session_id"], now)
        raise CallRefused(401, "token_reused")

    def identify(self, access_token: str, *, app: str = "", now: datetime) -> Identity:
        """``app``: program and version, as the device says.

        Raises ``CallRefused``: "token_unknown", "token_expired".
        """
        with reading(self._engine) as connection:
            found = self._find_token(connection, access_token, "access")
            if found is None or found["session_revoked"] is not None:
                raise CallRefused(401, "token_unknown")
            if found["expires_at"] <= now:
                raise CallRefused(401, "token_expired")
            row = self._account(connection, found["org_id"], found["account_id"])
        if not row["active"] and found["device_revoked"] is None:  # a revoked device is told so, and of nothing else
            raise CallRefused(401, "token_unknown")
        app = "".join(c for c in app if c.isprintable())[:_APP_LENGTH] or found["app"]
        late = now - (found["last_seen"] or _LONG_AGO) > timedelta(minutes=1)
        if late or found["used"] < found["generation"] or app != found["app"]:
            self._note_use(found, app, now)
        return self._identity(row, found)

    def known_device(self, key: str) -> Known:
        """Whose key this is, even once revoked: the right to leave something behind, and to do nothing else.

        Raises ``CallRefused("token_unknown")``.
        """
        org, table, device = _org_of(key), device_key, self._device
        if org is not None:
            of_device = (device.c.org_id == table.c.org_id) & (device.c.device_no == table.c.device_no)
            query = (
                select(device.c.device_no, device.c.user_id, device.c.revoked_at)
                .join(table, of_device)
                .where(table.c.org_id == org, device.c.org_id == org, table.c.hash == _hash(key))
            )
            with reading(self._engine) as connection:
                found = connection.execute(query).first()
            if found is not None:
                return Known(org, found.device_no, found.user_id, found.revoked_at is not None)
        raise CallRefused(401, "token_unknown")

    def forget_expired(self, org: UUID, *, now: datetime) -> int:
        """Delete an organisation's tokens that nobody can use any more; gives their number."""
        expired = token.delete().where(token.c.org_id == org, token.c.expires_at <= now)
        with self._engine.begin() as connection:
            return connection.execute(expired).rowcount

    def forget_attempts(self, org: UUID | None, *, now: datetime) -> int:
        """Delete what is no longer needed of an organisation's wrong passwords, or of those for none."""
        return self._throttle.forget(org, now=now)

    # -- within a transaction

    def _organisation(self, code: str) -> UUID | None:
        query = select(organisation.c.org_id).where(organisation.c.code == folded(_clean(code)))
        with reading(self._engine) as connection:
            return connection.execute(query).scalar_one_or_none()

    def _verified(self, org: UUID | None, login: str, password: str) -> RowMapping | None:
        with reading(self._engine) as connection:
            row = None if org is None else account_by_login(connection, org, _clean(login))
        stored = self._nobody if row is None else row["password_hash"]
        if not self._hashing.acquire(timeout=HASH_WAIT):
            raise CallRefused(503, "server_busy", retry_after=10)
        try:
            self._hasher.verify(stored, password[:_PASSWORD_LENGTH])
        except (VerificationError, InvalidHashError):
            return None
        finally:
            self._hashing.release()
        return row if row is not None and row["active"] else None

    def _account(self, connection: Connection, org: UUID, id_: UUID) -> RowMapping:
        return connection.execute(select(account).where(account.c.org_id == org, account.c.id == id_)).mappings().one()

    def _own_device(self, connection: Connection, row: RowMapping, device_no: int | None) -> int | None:
        """``device_no``, when it is this account's own. Raises ``CallRefused("device_revoked")``."""
        if device_no is None or not 0 < device_no < _MOST_DEVICES:
            return None
        device = self._device
        this = (device.c.org_id == row["org_id"]) & (device.c.device_no == device_no)
        known = connection.execute(select(device.c.user_id, device.c.revoked_at).where(this)).first()
        if known is None or known.user_id != row["person_id"]:
            return None
        if known.revoked_at is not None:
            raise CallRefused(403, "device_revoked")
        return device_no

    def _shows_key(self, connection: Connection, org: UUID, number: int, key: str) -> bool:
        table = device_key
        this = (table.c.org_id == org) & (table.c.device_no == number) & (table.c.hash == _hash(key))
        return bool(key) and connection.execute(select(table.c.device_no).where(this)).first() is not None

    def _give_key(self, connection: Connection, org: UUID, number: int, now: datetime) -> str:
        table, key = device_key, _made(org)
        mine = (table.c.org_id == org) & (table.c.device_no == number)
        newest_first = select(table.c.hash).where(mine).order_by(table.c.created_at.desc())
        old = connection.scalars(newest_first).all()[_KEYS_KEPT - 1 :]
        if old:
            connection.execute(delete(table).where(mine, table.c.hash.in_(old)))
        connection.execute(insert(table).values(org_id=org, device_no=number, hash=_hash(key), created_at=now))
        return key

    def _add_device(
        self, connection: Connection, row: RowMapping, name: str, now: datetime, parent: int | None = None
    ) -> int:
        # Locks the organisation's row: two devices that register at once get different numbers.
        connection.execute(select(self._org.c.epoch).where(self._org.c.org_id == row["org_id"]).with_for_update())
        device = self._device
        highest = select(func.coalesce(func.max(device.c.device_no), 0)).where(device.c.org_id == row["org_id"])
        number = int(connection.execute(highest).scalar_one()) + 1
        values = {"org_id": row["org_id"], "device_no": number, "user_id": row["person_id"], "parent_no": parent}
        label = name.replace("\x00", "")[:DEVICE_NAME_LENGTH]  # PostgreSQL keeps no zero byte
        connection.execute(insert(device).values(values | {"label": label, "created_at": now, "last_seen": now}))
        return number

    def _new_session(
        self, connection: Connection, row: RowMapping, device_no: int, now: datetime, key: str = ""
    ) -> tuple[Identity, Tokens]:
        id_ = self.new_id(now)
        connection.execute(
            insert(session).values(
                org_id=row["org_id"], id=id_, account_id=row["id"], device_no=device_no, generation=0, used_generation=0
            )
        )
        found = {
            "org_id": row["org_id"],
            "session_id": id_,
            "device_no": device_no,
            "newest": 0,
            "device_revoked": None,
        }
        return self._identity(row, found), replace(self._issue(connection, found, now), device_key=key)

    def _issue(self, connection: Connection, found: Any, now: datetime) -> Tokens:
        org, generation = found["org_id"], found["newest"] + 1
        this = (session.c.org_id == org) & (session.c.id == found["session_id"])
        moved = connection.execute(
            update(session).where(this, session.c.generation == found["newest"]).values(generation=generation)
        )
        if moved.rowcount != 1:  # another request with the same token was faster
            raise CallRefused(409, "try_again")
        made = Tokens(_made(org), _made(org), now + self._access_life)
        common = {"org_id": org, "session_id": found["session_id"], "generation": generation}
        access = {"hash": _hash(made.access), "kind": "access", "expires_at": made.access_expires_at}
        refresh = {"hash": _hash(made.refresh), "kind": "refresh", "expires_at": now + self._refresh_life}
        connection.execute(insert(token), [common | access, common | refresh])
        return made

    def _find_token(self, connection: Connection, text: str, kind: str) -> RowMapping | None:
        org = _org_of(text)
        if org is None:
            return None
        device = self._device
        of_session = (session.c.org_id == token.c.org_id) & (session.c.id == token.c.session_id)
        of_device = (device.c.org_id == session.c.org_id) & (device.c.device_no == session.c.device_no)
        query = (
            select(
                token,
                session.c.account_id,
                session.c.device_no,
                session.c.generation.label("newest"),
                session.c.used_generation.label("used"),
                session.c.revoked_at.label("session_revoked"),
                device.c.revoked_at.label("device_revoked"),
                device.c.last_seen,
                device.c.app,
            )
            .join(session, of_session)
            .join(device, of_device)
            .where(token.c.org_id == org, token.c.hash == _hash(text), token.c.kind == kind)
        )
        return connection.execute(query).mappings().first()

    def _note_use(self, found: RowMapping, app: str, now: datetime) -> None:
        with self._engine.begin() as connection:
            this = (session.c.org_id == found["org_id"]) & (session.c.id == found["session_id"])
            newer = session.c.used_generation < found["generation"]
            connection.execute(update(session).where(this, newer).values(used_generation=found["generation"]))
            device = self._device
            mine = (device.c.org_id == found["org_id"]) & (device.c.device_no == found["device_no"])
            connection.execute(update(device).where(mine).values(last_seen=now, app=app))

    def _end_session(self, connection: Connection, org: UUID, session_id: UUID, now: datetime) -> None:
        this = (session.c.org_id == org) & (session.c.id == session_id)
        connection.execute(update(session).where(this).values(revoked_at=now))

    def _identity(self, row: RowMapping, found: Any) -> Identity:
        return Identity(
            row["org_id"],
            row["id"],
            row["person_id"],
            row["role"],
            found["device_no"],
            found["session_id"],
            found["device_revoked"] is not None,
        )


def _hash_of_nobody(hasher: PasswordHasher) -> str:
    """What no password fits. A wrong login is checked against it, and so costs as long as a wrong password: nobody can
    find out who exists. Random, because to make a true one takes as long again, at each start and each command.
    """
    costs = f"m={hasher.memory_cost},t={hasher.time_cost},p={hasher.parallelism}"
    salt, digest = (
        base64.b64encode(secrets.token_bytes(length)).rstrip(b"=").decode()
        for length in (hasher.salt_len, hasher.hash_len)
    )
    return f"$argon2{hasher.type.name.lower()}$v={ARGON2_VERSION}${costs}${salt}${digest}"


def _made(org: UUID) -> str:
    """256 random bits, after the organisation, so that every look-up names it."""
    return f"{org.hex}.{secrets.token_urlsafe(32)}"


def _org_of(text: str) -> UUID | None:
    try:
        return UUID(hex=text.partition(".")[0])
    except ValueError:
        return None


def _hash(text: str) -> bytes:
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).digest()


def _clean(text: str) -> str:
    return text.replace("\x00", "\ufffd")  # PostgreSQL takes no zero byte
