"""What an administrator does: organisations, sectors, people with their accounts, devices."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from typing import Any, TypeVar

from sqlalchemy import Row, func, or_, select

from fieldcrm.domain.actor import Role
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.forms import builtin
from fieldcrm.server.headquarters import Headquarters
from sync.server.accounts import DeviceInfo
from sync.server.auth_tables import account, second_factor
from sync.server.database import reading
from sync.server.refusal import CallRefused
from sync.server.second_factor import Enrolment

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True)
class Sector:
    id: Id
    code: str
    name: str


@dataclass(frozen=True, slots=True)
class User:
    login: str
    person: Id  # what `person erase` takes
    name: str | None  # a dash once erased
    role: str
    second_factor: bool
    active: bool  # may sign in
    sectors: tuple[str, ...]  # codes, of today


def add_organisation(hq: Headquarters, code: str, name: str, *, now: datetime, id: Id | None = None) -> Id:
    """A new organisation; people type its ``code`` at sign-in.

    Raises ``DomainError``: "organisation_exists", "required".
    """
    org = id or new_id(now)
    _require(code=code, name=name)
    _done(lambda: hq.accounts.add_organisation(org, code))
    hq.sync.create_org(org, name.strip(), now=now)
    setting = {"id": new_id(now), "key": "organisation", "value": {"name": name.strip()}}
    hq.apply(org, [("setting", setting)])
    return org


def publish_built_in_form(hq: Headquarters, org: Id, *, now: datetime) -> Id:
    """Give the organisation the shelf audit that comes with the program: without a form the server reads no report."""
    id_ = new_id(now)
    form = {"name": builtin.SHELF_AUDIT, "version": builtin.builtin_form().version, "xform": builtin.builtin_xform()}
    hq.apply(org, [("form", {"id": id_, **form, "title": dict(builtin.TITLES), "active": True})])
    return id_


def organisation(hq: Headquarters, code: str) -> Id:
    """Raises ``DomainError("organisation_unknown")``."""
    try:
        return hq.accounts.organisation(code)
    except CallRefused as refusal:
        raise DomainError(refusal.code, field="organisation", **refusal.params) from refusal


def add_sector(hq: Headquarters, org: Id, code: str, name: str, *, now: datetime) -> Id:
    """Raises ``DomainError("sector_exists")``."""
    _require(code=code, name=name)
    if any(sector.code == code for sector in sectors(hq, org)):
        raise DomainError("sector_exists", field="code", code=code)
    id_ = new_id(now)
    hq.apply(org, [("sector", {"id": id_, "code": code, "name": name})])
    return id_


def sectors(hq: Headquarters, org: Id) -> list[Sector]:
    table = hq.sync.tables.records["sector"]
    query = select(table.c.id, table.c.code, table.c.name).where(table.c.org_id == org, table.c.deleted_rev.is_(None))
    with reading(hq.engine) as connection:
        return [Sector(*row) for row in connection.execute(query.order_by(table.c.code))]


def sectors_by_code(hq: Headquarters, org: Id, codes: Sequence[str]) -> list[Id]:
    """Raises ``DomainError("sector_unknown")``."""
    known = {sector.code: sector.id for sector in sectors(hq, org)}
    for code in codes:
        if code not in known:
            raise DomainError("sector_unknown", field="sector", code=code)
    return [known[code] for code in codes]


def add_user(
    hq: Headquarters,
    org: Id,
    login: str,
    password: str,
    *,
    name: str,
    role: Role,
    sectors: Sequence[Id] = (),
    since: date | None = None,
    now: datetime,
) -> Id:
    """A person with an account, in these sectors from ``since`` on; gives the person's id.

    Raises ``DomainError``: "login_taken", "password_short", "required".
    """
    _require(login=login, name=name)
    person = new_id(now)
    add_account(hq, org, login, password, person=person, role=role, now=now)
    rows = [("person", {"id": person, "name": name, "role": role.value, "active": True})]
    rows += [
        ("sector_member", {"id": new_id(now), "person_id": person, "sector_id": sector, "valid_from": since})
        for sector in sectors
    ]
    hq.apply(org, rows)
    return person


def users(hq: Headquarters, org: Id, *, today: date) -> list[User]:
    """Every account of the organisation, by login."""
    person, held = hq.sync.tables.records["person"], second_factor
    has = held.c.account_id.is_not(None)
    query = (
        select(account.c.login, account.c.person_id, person.c.name, account.c.role, has, account.c.active)
        .join_from(account, person, (person.c.org_id == account.c.org_id) & (person.c.id == account.c.person_id))
        .outerjoin(held, (held.c.org_id == account.c.org_id) & (held.c.account_id == account.c.id))
        .where(account.c.org_id == org, person.c.org_id == org)
        .order_by(account.c.login)
    )
    codes = {sector.id: sector.code for sector in sectors(hq, org)}
    belongs: dict[Id, set[str]] = {}
    for row in _memberships(hq, org, today):
        belongs.setdefault(row.person_id, set()).add(codes.get(row.sector_id, "?"))
    with reading(hq.engine) as connection:
        return [
            User(login, id_, name, role, bool(has), bool(active), tuple(sorted(belongs.get(id_, ()))))
            for login, id_, name, role, has, active in connection.execute(query)
        ]


def close_user(hq: Headquarters, org: Id, login: str, *, now: datetime) -> list[int]:
    """Shut out whoever leaves: no sign-in any more, and each device hands over what it had not sent and is wiped.

    Gives the numbers of those devices. The records stay: visits refer to the person. Raises
    ``DomainError("login_unknown")``.
    """
    shut_out = _done(lambda: hq.accounts.close(org, login, now=now))
    hq.apply(org, [("person", {"id": hq.accounts.person_of(org, login), "active": False})])
    return shut_out


def reopen_user(hq: Headquarters, org: Id, login: str, *, now: datetime) -> None:
    """The person may sign in again, on devices that are new to the server. Raises ``DomainError("login_unknown")``."""
    _done(lambda: hq.accounts.set_active(org, login, True, now=now))
    hq.apply(org, [("person", {"id": hq.accounts.person_of(org, login), "active": True})])


def set_password(hq: Headquarters, org: Id, login: str, password: str, *, now: datetime) -> None:
    """Devices ask to sign in again, and keep what they have.

    Raises ``DomainError``: "password_short", "login_unknown".
    """
    _done(lambda: hq.accounts.set_password(org, login, password, now=now))


def set_sectors(hq: Headquarters, org: Id, login: str, sectors: Sequence[Id], *, now: datetime) -> None:
    """From today on the person belongs to these sectors and to no other. Raises ``DomainError("login_unknown")``.

    What the person's devices hold follows at their next sync; work that waits there for a sector they leave is taken.
    """
    person, today = _done(lambda: hq.accounts.person_of(org, login)), now.date()
    held = [row for row in _memberships(hq, org, today) if row.person_id == person]
    missing = dict.fromkeys(sector for sector in sectors if sector not in {row.sector_id for row in held})
    rows: list[tuple[str, dict[str, Any]]] = []
    for row in held:
        if row.sector_id not in sectors:
            rows.append(("sector_member", {"id": row.id, "valid_to": today - timedelta(days=1)}))
    for sector in missing:
        values = {"person_id": person, "sector_id": sector, "valid_from": today}
        rows.append(("sector_member", {"id": new_id(now), **values}))
    hq.apply(org, rows)


def _memberships(hq: Headquarters, org: Id, today: date) -> list[Row[Any]]:
    """Who belongs where today."""
    table = hq.sync.tables.records["sector_member"]
    query = select(table.c.id, table.c.person_id, table.c.sector_id).where(
        table.c.org_id == org,
        table.c.deleted_rev.is_(None),
        or_(table.c.valid_from.is_(None), table.c.valid_from <= today),
        or_(table.c.valid_to.is_(None), table.c.valid_to >= today),
    )
    with reading(hq.engine) as connection:
        return list(connection.execute(query))


def add_account(hq: Headquarters, org: Id, login: str, password: str, *, person: Id, role: Role, now: datetime) -> None:
    """An account for a person whose record is there already, or comes with the same load."""
    _done(lambda: hq.accounts.add_account(org, login, password, person_id=person, role=role.value, now=now))


def devices(hq: Headquarters, org: Id) -> list[DeviceInfo]:
    return hq.accounts.devices(org)


def revoke_device(hq: Headquarters, org: Id, device: int, *, now: datetime) -> None:
    """The device hears at its next call that it is revoked. Raises ``DomainError("device_unknown")``."""
    _done(lambda: hq.accounts.revoke_device(org, device, now=now))


def rename_device(hq: Headquarters, org: Id, device: int, name: str) -> None:
    """Raises ``DomainError``: "device_unknown", "required"."""
    _require(name=name)
    _done(lambda: hq.accounts.rename_device(org, device, name))


def enrol_second_factor(hq: Headquarters, org: Id, login: str, *, issuer: str, now: datetime) -> Enrolment:
    """A new secret for the authenticator app, and recovery codes: both shown once.

    Raises ``DomainError("login_unknown")``.
    """
    return _done(lambda: hq.accounts.enrol_second_factor(org, login, issuer=issuer, now=now))


def remove_second_factor(hq: Headquarters, org: Id, login: str) -> bool:
    """Whether there was one. Raises ``DomainError("login_unknown")``."""
    return _done(lambda: hq.accounts.remove_second_factor(org, login))


def require_second_factor(hq: Headquarters, org: Id, required: bool) -> None:
    """Whether new devices of the organisation need a second factor."""
    hq.accounts.require_second_factor(org, required)


def counts(hq: Headquarters, org: Id) -> dict[str, int]:
    """How many living records of each collection the server holds."""
    found: dict[str, int] = {}
    with reading(hq.engine) as connection:
        for name, table in hq.sync.tables.records.items():
            query = select(func.count()).where(table.c.org_id == org, table.c.deleted_rev.is_(None))
            found[name] = connection.execute(query).scalar_one()
    return found


def _require(**texts: str) -> None:
    for field, text in texts.items():
        if not text.strip():
            raise DomainError("required", field=field)


_FIELDS = {
    "organisation_exists": "code",
    "login_taken": "login",
    "password_short": "password",
    "device_unknown": "device",
    "login_unknown": "login",
}


def _done(work: Callable[[], Result]) -> Result:
    try:
        return work()
    except CallRefused as refusal:
        raise DomainError(refusal.code, field=_FIELDS.get(refusal.code), **refusal.params) from refusal
