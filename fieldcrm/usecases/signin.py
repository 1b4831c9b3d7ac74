"""Signing in to a server, and what this device remembers of it: kept in the encrypted database.

Capture never waits for any of this: a token that has expired only means that nothing is sent until the person
signs in again.
"""

from __future__ import annotations

import ipaddress
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from sqlalchemy import select, update

from fieldcrm import __version__
from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.changes import Changes, changed
from fieldcrm.domain.errors import CodedError, DomainError, Unavailable
from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.store.state import read_state, write_state
from fieldcrm.store.tables import T
from sync.client.failures import (
    BadAddress,
    BadCertificate,
    Busy,
    CallRefused,
    NeedsSignIn,
    Offline,
    RemoteFailure,
    Revoked,
)
from sync.client.tokens import TokenPair

if TYPE_CHECKING:
    from sync.client.http import HttpRemote

_KEY = "account"
_FIELDS = {"credentials_wrong": "password", "second_factor_needed": "code", "wrong_second_factor": "code"}


@dataclass(frozen=True, slots=True)
class SignedIn:
    """Who is signed in, where, and under which device number. ``epoch`` is the server's, of the moment of sign-in."""

    server_url: str
    organisation: str  # the code that people type
    organisation_id: Id
    login: str
    person_id: Id
    person_name: str
    role: Role
    sectors: frozenset[Id]
    device: int
    epoch: int
    tokens: TokenPair
    certificate: Path | None = None  # of an authority to trust instead of the system's

    @property
    def actor(self) -> Actor:
        return Actor(self.person_id, self.role, self.sectors, self.device)


def sign_in(
    server_url: str,
    organisation: str,
    login: str,
    password: str,
    device_name: str,
    *,
    device: int | None = None,
    device_key: str = "",
    code: str = "",
    certificate: Path | None = None,
) -> SignedIn:
    """Ask the server; nothing is kept yet (``remember`` does). Not on the UI thread.

    ``device`` and ``device_key``: its number and key of before; ``code``: the second factor, once the server asks.
    Raises ``DomainError``: "required", "server_address_invalid", "server_not_secure", "certificate_refused",
    "credentials_wrong" (field "password"), "second_factor_needed" and "wrong_second_factor" (field "code"),
    "second_factor_missing", "too_many_attempts", "device_revoked";
    ``Unavailable``: "server_unreachable", "server_busy", "server_error".
    """
    _require(organisation=organisation, login=login, password=password)
    address = server_address(server_url)
    remote = _remote(address, certificate)
    try:
        answer = remote.sign_in(
            organisation.strip(), login.strip(), password, device_name, device, code=code.strip(), device_key=device_key
        )
    except RemoteFailure as failure:
        raise explained(failure, address) from failure
    finally:
        remote.close()
    try:
        return SignedIn(
            server_url=address,
            organisation=organisation.strip(),
            organisation_id=Id(hex=answer.organisation),
            login=login.strip(),
            person_id=Id(hex=answer.person),
            person_name=answer.person_name,
            role=Role(answer.role),
            sectors=frozenset(Id(hex=sector) for sector in answer.sectors),
            device=answer.device,
            epoch=answer.epoch,
            tokens=TokenPair(answer.access, answer.refresh, answer.device_key or device_key),
            certificate=certificate,
        )
    except ValueError:
        raise Unavailable("server_error", status=200) from None


def remember(tx: Transaction, signed: SignedIn) -> Changes:
    """Keep who is signed in. A new database takes the device number and the epoch of the sign-in.

    Raises ``DomainError("another_person")`` when the database belongs to somebody else.
    """
    known = read_state(tx, _KEY)
    if known is not None and (known["person"], known["org"]) != (signed.person_id.hex, signed.organisation_id.hex):
        raise DomainError("another_person", field="login", login=known["login"])
    write_state(tx, _KEY, _record(signed))
    state = T.sync_state
    if tx.conn.execute(select(state.c.device)).scalar_one() == 0:
        tx.conn.execute(update(state).values(device=signed.device, epoch=signed.epoch))
    return changed("sync", [])


def signed_in(r: Reader) -> SignedIn | None:
    """Who this database belongs to, or None before the first sign-in."""
    record = read_state(r, _KEY)
    return None if record is None else _signed(record)


def owner(r: Reader) -> dict[str, Any] | None:
    """Who this database belongs to, as it is remembered, without any token: for a rescue."""
    record = read_state(r, _KEY)
    return None if record is None else {**record, "access": "", "refresh": ""}


def restore_owner(tx: Transaction, record: Mapping[str, Any]) -> SignedIn | None:
    """Give a rescued database to whom it belonged; they have to sign in again. ``None``: the record says too little."""
    try:
        signed = _signed({**record, "access": "", "refresh": ""})
    except (KeyError, ValueError, TypeError, AttributeError):
        return None
    write_state(tx, _KEY, _record(signed))
    return signed


def device_number(r: Reader) -> int | None:
    """The number under which this database syncs, to sign in again with it; None before the first sign-in."""
    return r.conn.execute(select(T.sync_state.c.device)).scalar_one() or None


def open_remote(db: Database, signed: SignedIn, *, clock: Callable[[], datetime]) -> HttpRemote:
    """The server for the sync engine; each new pair of tokens is on the disk before it is used.

    Not to be used on the database's writer thread.
    """

    def keep(tokens: TokenPair) -> None:
        def write(tx: Transaction) -> None:
            present = signed_in(tx) or signed
            write_state(tx, _KEY, _record(replace(present, tokens=tokens)))

        db.write(write, actor=signed.actor, now=clock()).result()

    return _remote(signed.server_url, signed.certificate, signed.tokens, keep)


def server_address(text: str) -> str:
    """The address as it is called: https unless said otherwise; plain http only to this machine or a private network.

    Raises ``DomainError``: "required", "server_address_invalid", "server_not_secure".
    """
    _require(server=text)
    address = text.strip()
    if "://" not in address:
        address = f"https://{address}"
    address = address.rstrip("/")
    try:
        parts = urlsplit(address)
        host, _ = parts.hostname, parts.port
    except ValueError:
        raise DomainError("server_address_invalid", field="server", url=text) from None
    if parts.scheme not in ("http", "https") or not host or any(c.isspace() for c in address):
        raise DomainError("server_address_invalid", field="server", url=text)
    if parts.scheme == "http" and not _is_near(host):
        raise DomainError("server_not_secure", field="server", url=text)
    return address


def explained(failure: RemoteFailure, url: str) -> CodedError:
    """The error that a person can act on."""
    match failure:
        case BadAddress():
            return DomainError("server_address_invalid", field="server", url=url)
        case BadCertificate():
            return DomainError("certificate_refused", field="server", url=url)
        case Offline():
            return Unavailable("server_unreachable", url=url)
        case Busy(code="too_many_attempts"):
            return DomainError("too_many_attempts", field="password", seconds=failure.retry_after)
        case Busy():
            return Unavailable("server_busy", seconds=failure.retry_after)
        case Revoked():
            return DomainError("device_revoked")
        case NeedsSignIn():
            return DomainError("sign_in_needed")
        case CallRefused():
            return DomainError(failure.code, field=_FIELDS.get(failure.code), **_ours(failure.params))
    return Unavailable("server_error", **_ours(failure.params))


def _ours(params: Mapping[str, Any]) -> dict[str, Any]:
    """What the server says beside the code; at which field it is shown is for us to say."""
    return {name: value for name, value in params.items() if name != "field"}


def _remote(
    url: str,
    certificate: Path | None,
    tokens: TokenPair | None = None,
    keep: Callable[[TokenPair], None] | None = None,
) -> HttpRemote:
    from sync.client.http import HttpRemote  # and requests with it: the first call needs it, the start does not

    try:
        trusted = str(certificate) if certificate else None
        return HttpRemote(url, tokens=tokens, on_tokens=keep, certificate=trusted, program=f"FieldCRM/{__version__}")
    except BadAddress as failure:
        raise explained(failure, url) from failure


def is_here(url: str) -> bool:
    """Whether that server runs on this computer, as the sample's does."""
    host = urlsplit(url).hostname or ""
    try:
        return host == "localhost" or ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_near(host: str) -> bool:
    if host == "localhost" or host.endswith((".localhost", ".local")):
        return True
    try:
        return ipaddress.ip_address(host).is_private
    except ValueError:
        return False


def _require(**texts: str) -> None:
    for field, text in texts.items():
        if not text.strip():
            raise DomainError("required", field=field)


def _record(signed: SignedIn) -> dict[str, Any]:
    return {
        "server": signed.server_url,
        "organisation": signed.organisation,
        "org": signed.organisation_id.hex,
        "login": signed.login,
        "person": signed.person_id.hex,
        "name": signed.person_name,
        "role": signed.role.value,
        "sectors": sorted(sector.hex for sector in signed.sectors),
        "device": signed.device,
        "epoch": signed.epoch,
        "access": signed.tokens.access,
        "refresh": signed.tokens.refresh,
        "device_key": signed.tokens.device_key,
        "certificate": str(signed.certificate) if signed.certificate else None,
    }


def _signed(record: dict[str, Any]) -> SignedIn:
    return SignedIn(
        server_url=record["server"],
        organisation=record["organisation"],
        organisation_id=Id(hex=record["org"]),
        login=record["login"],
        person_id=Id(hex=record["person"]),
        person_name=record["name"],
        role=Role(record["role"]),
        sectors=frozenset(Id(hex=sector) for sector in record["sectors"]),
        device=record["device"],
        epoch=record["epoch"],
        tokens=TokenPair(record["access"], record["refresh"], record.get("device_key", "")),
        certificate=Path(record["certificate"]) if record["certificate"] else None,
    )
