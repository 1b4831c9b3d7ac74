"""The second factor: six digits from a person's authenticator app (TOTP, RFC 6238), asked when a device is enrolled.

Never afterwards: a device that was enrolled proves itself by its own key (``auth_tables.device_key``). Each code
counts once; recovery codes, kept as hashes, stand in for a lost telephone, each once as well.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import secrets
from dataclasses import dataclass
from datetime import datetime
from uuid import UUID

from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from sqlalchemy import Connection, delete, insert, select, update

from sync.server.auth_tables import organisation, recovery_code, second_factor
from sync.server.refusal import CallRefused
from sync.server.vault import Vault

DIGITS = 6
PERIOD = 30  # seconds
STEPS_EITHER_SIDE = 1  # a telephone's clock may be half a minute off
RECOVERY_CODES = 10
MAX_CODE = 64  # characters
_SECRET_BYTES = 20
_RECOVERY_BYTES = 10


@dataclass(frozen=True, slots=True)
class Enrolment:
    """Shown once: the address for the authenticator app, and the recovery codes."""

    uri: str  # otpauth://totp/…
    secret: str  # base32, to be typed where nothing can be scanned
    recovery_codes: tuple[str, ...]


class SecondFactors:
    """Every method works inside a transaction of the caller's."""

    def __init__(self, vault: Vault) -> None:
        self._vault = vault

    def enrol(
        self, connection: Connection, org: UUID, account_id: UUID, *, person: str, issuer: str, now: datetime
    ) -> Enrolment:
        """A new secret and new recovery codes for an account; what it had before is good for nothing."""
        self.remove(connection, org, account_id)
        secret = secrets.token_bytes(_SECRET_BYTES)
        sealed = self._vault.seal(secret, _about(org, account_id))
        values = {"org_id": org, "account_id": account_id, "sealed": sealed, "last_step": 0, "created_at": now}
        connection.execute(insert(second_factor).values(values))
        codes = tuple(_recovery_code() for _ in range(RECOVERY_CODES))
        rows = [{"org_id": org, "account_id": account_id, "hash": _hash(account_id, code)} for code in codes]
        connection.execute(insert(recovery_code), rows)
        uri = _totp(secret).get_provisioning_uri(person, issuer)
        return Enrolment(uri, base64.b32encode(secret).decode(), codes)

    def remove(self, connection: Connection, org: UUID, account_id: UUID) -> bool:
        """Whether there was one."""
        for table in (recovery_code, second_factor):
            mine = (table.c.org_id == org) & (table.c.account_id == account_id)
            removed = connection.execute(delete(table).where(mine)).rowcount
        return bool(removed)

    def check(self, connection: Connection, org: UUID, account_id: UUID, code: str, now: datetime) -> None:
        """Let a new device in. Raises ``CallRefused``:

        "second_factor_needed" (the account has one, and no code came), "wrong_second_factor" (or one that was taken
        before), "second_factor_missing" (the organisation asks for one, and the account has none).
        """
        mine = (second_factor.c.org_id == org) & (second_factor.c.account_id == account_id)
        sealed = connection.execute(select(second_factor.c.sealed).where(mine)).scalar_one_or_none()
        if sealed is None:
            if self.required(connection, org):
                raise CallRefused(403, "second_factor_missing")
            return
        said = "".join(code.split()).replace("-", "")
        if not said:
            raise CallRefused(401, "second_factor_needed")
        if len(said) > MAX_CODE or not (
            self._take_code(connection, org, account_id, sealed, said, now)
            or self._take_recovery_code(connection, org, account_id, said, now)
        ):
            raise CallRefused(401, "wrong_second_factor")

    def required(self, connection: Connection, org: UUID) -> bool:
        query = select(organisation.c.second_factor).where(organisation.c.org_id == org)
        return bool(connection.execute(query).scalar_one_or_none())

    def _take_code(
        self, connection: Connection, org: UUID, account_id: UUID, sealed: bytes, said: str, now: datetime
    ) -> bool:
        secret = self._vault.open(sealed, _about(org, account_id))
        if secret is None:  # another server's key: the recovery codes still do
            return False
        totp, step = _totp(secret), int(now.timestamp()) // PERIOD
        matched = 0
        for candidate in range(step - STEPS_EITHER_SIDE, step + STEPS_EITHER_SIDE + 1):
            if hmac.compare_digest(totp.generate(candidate * PERIOD), said.encode()):
                matched = candidate
        if not matched:
            return False
        mine = (second_factor.c.org_id == org) & (second_factor.c.account_id == account_id)
        newer = update(second_factor).where(mine, second_factor.c.last_step < matched).values(last_step=matched)
        return connection.execute(newer).rowcount == 1

    def _take_recovery_code(
        self, connection: Connection, org: UUID, account_id: UUID, said: str, now: datetime
    ) -> bool:
        table = recovery_code
        this = (table.c.org_id == org) & (table.c.account_id == account_id) & (table.c.hash == _hash(account_id, said))
        used = connection.execute(update(table).where(this, table.c.used_at.is_(None)).values(used_at=now))
        return used.rowcount == 1


def _totp(secret: bytes) -> TOTP:
    return TOTP(secret, DIGITS, SHA1(), PERIOD)  # what every authenticator app understands


def _about(org: UUID, account_id: UUID) -> bytes:
    return b"second factor" + org.bytes + account_id.bytes


def _recovery_code() -> str:
    """80 random bits, in four groups."""
    text = base64.b32encode(secrets.token_bytes(_RECOVERY_BYTES)).decode()
    return "-".join(text[at : at + 4] for at in range(0, len(text), 4))


def _hash(account_id: UUID, code: str) -> bytes:
    plain = code.replace("-", "").upper()
    return hashlib.sha256(account_id.bytes + plain.encode("utf-8", "surrogatepass")).digest()
