"""Organisations, the accounts of their people, and the devices that these have: what an administrator looks after."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import Connection, Engine, RowMapping, insert, select, update

from sync.server.auth_tables import account, organisation, session
from sync.server.database import reading
from sync.server.refusal import CallRefused
from sync.server.second_factor import Enrolment, SecondFactors
from sync.server.tables import ServerTables

MINIMUM_PASSWORD = 8
DEVICE_NAME_LENGTH = 100


@dataclass(frozen=True, slots=True)
class DeviceInfo:
    device_no: int
    login: str
    person_id: UUID
    name: str
    created_at: datetime
    last_seen_at: datetime | None
    revoked_at: datetime | None
    app: str  # program and version, as it last said


class Accounts:
    """Every method is one transaction, and safe to call from any thread."""

    def __init__(
        self,
        engine: Engine,
        tables: ServerTables,
        *,
        new_id: Callable[[datetime], UUID],
        second_factors: SecondFactors,
        hasher: PasswordHasher | None = None,
    ) -> None:
        self._engine = engine
        self._device = tables.device
        self._new_id = new_id
        self._second_factors = second_factors
        self._hasher = hasher or PasswordHasher()

    def add_organisation(self, org: UUID, code: str) -> None:
        """Raises ``CallRefused("organisation_exists")``."""
        with self._engine.begin() as connection:
            taken = connection.execute(select(organisation.c.org_id).where(organisation.c.code == folded(code))).first()
            if taken is not None:
                raise CallRefused(409, "organisation_exists", code=code)
            connection.execute(insert(organisation).values(org_id=org, code=folded(code)))

    def organisation(self, code: str) -> UUID:
        """The id of an organisation by its code; raises ``CallRefused("organisation_unknown")``."""
        with reading(self._engine) as connection:
            org = connection.execute(select(organisation.c.org_id).where(organisation.c.code == folded(code))).scalar()
        if org is None:
            raise CallRefused(404, "organisation_unknown", code=code)
        return UUID(bytes=org.bytes)

    def organisations(self) -> list[tuple[UUID, str]]:
        """Id and code of each."""
        with reading(self._engine) as connection:
            rows = connection.execute(select(organisation).order_by(organisation.c.code)).all()
        return [(row.org_id, row.code) for row in rows]

    def add_account(self, org: UUID, login: str, password: str, *, person_id: UUID, role: str, now: datetime) -> UUID:
        """Raises ``Refused``: "login_taken", "password_short"."""
        hashed = self._hashed(password)
        with self._engine.begin() as connection:
            if account_by_login(connection, org, login) is not None:
                raise CallRefused(409, "login_taken", login=login)
            id_ = self._new_id(now)
            connection.execute(
                insert(account).values(
                    org_id=org,
                    id=id_,
                    login=folded(login),
                    password_hash=hashed,
                    person_id=person_id,
                    role=role,
                    active=True,
                    created_at=now,
                )
            )
        return id_

    def set_active(self, org: UUID, login: str, active: bool, *, now: datetime) -> None:
        """An account that is not active cannot sign in, and its sessions end.

        Raises ``CallRefused("login_unknown")``.
        """
        with self._engine.begin() as connection:
            row = self._by_login(connection, org, login)
            mine = (account.c.org_id == org) & (account.c.id == row["id"])
            connection.execute(update(account).where(mine).values(active=active))
            if not active:
                _end_sessions(connection, org, row["id"], now)

    def close(self, org: UUID, login: str, *, now: datetime) -> list[int]:
        """Nobody signs in with it any more, and its devices are revoked; gives the numbers of those.

        Raises ``CallRefused("login_unknown")``.
        """
        device = self._device
        with self._engine.begin() as connection:
            row = self._by_login(connection, org, login)
            mine = (account.c.org_id == org) & (account.c.id == row["id"])
            connection.execute(update(account).where(mine).values(active=False))
            theirs = (device.c.org_id == org) & (device.c.user_id == row["person_id"]) & device.c.revoked_at.is_(None)
            numbers = list(connection.scalars(select(device.c.device_no).where(theirs).order_by(device.c.device_no)))
            connection.execute(update(device).where(theirs).values(revoked_at=now))
        return numbers  # their sessions stay: by them a device hears that it is revoked, and what it may still do

    def set_password(self, org: UUID, login: str, password: str, *, now: datetime) -> None:
        """Every device asks to sign in again. Raises ``CallRefused``: "password_short", "login_unknown"."""
        hashed = self._hashed(password)
        with self._engine.begin() as connection:
            row = self._by_login(connection, org, login)
            mine = (account.c.org_id == org) & (account.c.id == row["id"])
            connection.execute(update(account).where(mine).values(password_hash=hashed))
            _end_sessions(connection, org, row["id"], now)

    def person_of(self, org: UUID, login: str) -> UUID:
        """Raises ``CallRefused("login_unknown")``."""
        with reading(self._engine) as connection:
            person: UUID = self._by_login(connection, org, login)["person_id"]
        return person

    # -- second factor

    def enrol_second_factor(self, org: UUID, login: str, *, issuer: str, now: datetime) -> Enrolment:
        """A new secret and recovery codes, to be shown once. Raises ``CallRefused("login_unknown")``."""
        with self._engine.begin() as connection:
            row = self._by_login(connection, org, login)
            return self._second_factors.enrol(
                connection, org, row["id"], person=row["login"], issuer=issuer, now=now
            )

    def remove_second_factor(self, org: UUID, login: str) -> bool:
        """Whether there was one. Raises ``CallRefused("login_unknown")``."""
        with self._engine.begin() as connection:
            return self._second_factors.remove(connection, org, self._by_login(connection, org, login)["id"])

    def require_second_factor(self, org: UUID, required: bool) -> None:
        """Whether a device of this organisation is enrolled with a second factor only."""
        with self._engine.begin() as connection:
            connection.execute(
                update(organisation).where(organisation.c.org_id == org).values(second_factor=required)
            )

    def role_of(self, org: UUID, person: UUID) -> str | None:
        """The role of a person who has, or had, an account."""
        query = select(account.c.role).where(account.c.org_id == org, account.c.person_id == person)
        with reading(self._engine) as connection:
            return connection.execute(query.order_by(account.c.created_at.desc()).limit(1)).scalar_one_or_none()

    def _hashed(self, password: str) -> str:
        if len(password) < MINIMUM_PASSWORD:
            raise CallRefused(422, "password_short", minimum=MINIMUM_PASSWORD)
        return self._hasher.hash(password)

    def _by_login(self, connection: Connection, org: UUID, login: str) -> RowMapping:
        row = account_by_login(connection, org, login)
        if row is None:
            raise CallRefused(404, "login_unknown", login=login)
        return row

    # -- devices

    def devices(self, org: UUID) -> list[DeviceInfo]:
        device = self._device
        both = (account.c.org_id == device.c.org_id) & (account.c.person_id == device.c.user_id)
        query = (
            select(
                device.c.device_no,
                account.c.login,
                account.c.person_id,
                device.c.label,
                device.c.created_at,
                device.c.last_seen,
                device.c.revoked_at,
                device.c.app,
            )
            .join(account, both)
            .where(device.c.org_id == org)
            .order_by(device.c.device_no)
        )
        with reading(self._engine) as connection:
            return [DeviceInfo(*row) for row in connection.execute(query)]

    def revoke_device(self, org: UUID, device_no: int, *, now: datetime) -> None:
        """The device hears at its next call that it is revoked. Raises ``CallRefused("device_unknown")``."""
        device = self._device
        this = (device.c.org_id == org) & (device.c.device_no == device_no)
        with self._engine.begin() as connection:
            if connection.execute(select(device.c.device_no).where(this)).first() is None:
                raise CallRefused(404, "device_unknown", device=device_no)
            connection.execute(update(device).where(this, device.c.revoked_at.is_(None)).values(revoked_at=now))

    def rename_device(self, org: UUID, device_no: int, name: str) -> None:
        """Raises ``CallRefused("device_unknown")``."""
        device = self._device
        this = (device.c.org_id == org) & (device.c.device_no == device_no)
        with self._engine.begin() as connection:
            label = name.replace("\x00", "").strip()[:DEVICE_NAME_LENGTH]
            if connection.execute(update(device).where(this).values(label=label)).rowcount == 0:
                raise CallRefused(404, "device_unknown", device=device_no)


def account_by_login(connection: Connection, org: UUID, login: str) -> RowMapping | None:
    query = select(account).where(account.c.org_id == org, account.c.login == folded(login))
    return connection.execute(query).mappings().first()


def _end_sessions(connection: Connection, org: UUID, account_id: UUID, now: datetime) -> None:
    theirs = (session.c.org_id == org) & (session.c.account_id == account_id)
    connection.execute(update(session).where(theirs, session.c.revoked_at.is_(None)).values(revoked_at=now))


def folded(text: str) -> str:
    """Codes and logins do not distinguish capitals."""
    return text.strip().casefold()
