"""Who may call the server: accounts, and the tokens of each of their devices."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    CheckConstraint,
    Column,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
    false,
)

from sync.columns import FlagType, IdType, TimeType
from sync.server.distribution import REFERENCE

metadata = MetaData()
_big = BigInteger().with_variant(Integer(), "sqlite")

organisation = Table(
    "auth_organisation",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("code", Text, nullable=False, unique=True),  # what a person types at sign-in
    Column("second_factor", FlagType, nullable=False, server_default=false()),  # whether every new device needs one
    info=REFERENCE,  # small, and asked before anybody knows the organisation: it stands on every machine
)

account = Table(
    "auth_account",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("id", IdType, primary_key=True),
    Column("login", Text, nullable=False),
    Column("password_hash", Text, nullable=False),  # argon2id, with its parameters and salt
    Column("person_id", IdType, nullable=False),
    Column("role", Text, nullable=False),
    Column("active", FlagType, nullable=False),
    Column("created_at", TimeType, nullable=False),
    UniqueConstraint("org_id", "login"),
)

second_factor = Table(  # what a person's authenticator app holds too
    "auth_second_factor",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("account_id", IdType, primary_key=True),
    Column("sealed", LargeBinary, nullable=False),  # the secret, under the server's own key
    Column("last_step", _big, nullable=False),  # of the newest code that was taken: none counts twice
    Column("created_at", TimeType, nullable=False),
)

recovery_code = Table(
    "auth_recovery_code",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("account_id", IdType, primary_key=True),
    Column("hash", LargeBinary(32), primary_key=True),
    Column("used_at", TimeType),
)

device_key = Table(  # what a device proves itself by: never again a second factor; and, once revoked, one deposit
    "auth_device_key",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("device_no", Integer, primary_key=True, autoincrement=False),
    Column("hash", LargeBinary(32), primary_key=True),  # the key itself is on the device only
    Column("created_at", TimeType, nullable=False),
)

session = Table(  # one sign-in on one device: a family of tokens that stands or falls together
    "auth_session",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("id", IdType, primary_key=True),
    Column("account_id", IdType, nullable=False),
    Column("device_no", Integer, nullable=False),
    Column("generation", Integer, nullable=False),  # of the newest tokens
    Column("used_generation", Integer, nullable=False),  # newest whose tokens came back, so the device has them
    Column("revoked_at", TimeType),
    Index("ix_auth_session_device", "org_id", "device_no"),
)

token = Table(
    "auth_token",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("hash", LargeBinary(32), primary_key=True),  # the token itself is on the device only
    Column("session_id", IdType, nullable=False),
    Column("kind", Text, CheckConstraint("kind IN ('access', 'refresh')"), nullable=False),
    Column("generation", Integer, nullable=False),
    Column("expires_at", TimeType, nullable=False),
    Index("ix_auth_token_session", "org_id", "session_id"),
    Index("ix_auth_token_org_expires", "org_id", "expires_at"),
)

attempt = Table(  # wrong passwords of the last hour; see sync.server.throttle
    "auth_attempt",
    metadata,
    Column("org_id", IdType, primary_key=True),
    Column("login_hash", LargeBinary(32), primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("at", TimeType, nullable=False),
    Index("ix_auth_attempt_at", "org_id", "at"),
)
