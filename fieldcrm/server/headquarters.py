"""The whole server behind its HTTP surface: opened on a folder (and a database), put together from its parts."""

from __future__ import annotations

import os
import secrets
import socket
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from argon2 import PasswordHasher
from sqlalchemy import Connection, Engine, select
from sqlalchemy.exc import OperationalError

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.ids import new_id
from fieldcrm.server import bundlekey, clashes, permissions, projections
from fieldcrm.server.commands import Commands
from fieldcrm.server.erasures import Erasures
from fieldcrm.server.highwater import HighWater
from fieldcrm.server.membership import Membership
from fieldcrm.server.merges import Ties
from fieldcrm.server.receipts import Receipts, authors_of
from fieldcrm.server.regions import Regions
from fieldcrm.server.serverkey import server_key
from sync.columns import record_to_wire
from sync.server import auth_tables, blobs, guard, leases, snapshots
from sync.server.accounts import Accounts
from sync.server.auth import Auth
from sync.server.blobs import BlobStore
from sync.server.bundles import Bundles
from sync.server.database import Limits, open_database, reading
from sync.server.engine import SyncServer
from sync.server.leases import Leases
from sync.server.parts import Parts, Profile
from sync.server.past import Past
from sync.server.ports import Caller, Change, Hooks, Proposal
from sync.server.quarantine import Quarantine
from sync.server.schema import SchemaNewer, bring_up_to_date
from sync.server.second_factor import SecondFactors
from sync.server.snapshots import Snapshots
from sync.server.tables import ServerTables, build
from sync.server.vault import Vault
from sync.server.verification import Verification

SCHEMA_VERSION = 2
# Whose history a device may ask for: what people edit by hand, and none of what is about colleagues.
PAST_TOLD = ("outlet", "contact", "task", "note", "sales_order", "outlet_alias")
_BATCH = 2_000  # records in one transaction of a bulk load

# What the server keeps beside the records: a new part is named here, and so made, spread and read by the tests.
OWN_TABLES = (auth_tables.metadata, blobs.metadata, leases.metadata, snapshots.metadata, projections.metadata)


@dataclass(frozen=True)
class Headquarters:
    """One server's parts. Close it when done."""

    folder: Path
    engine: Engine
    sync: SyncServer
    accounts: Accounts
    auth: Auth
    blobs: BlobStore
    snapshots: Snapshots
    quarantine: Quarantine
    receipts: Receipts
    membership: Membership
    projections: projections.Projections
    leases: Leases
    high_water: HighWater
    clock: Callable[[], datetime]

    def parts(self) -> Parts:
        """What the HTTP routes need."""
        return Parts(
            sync=self.sync,
            auth=self.auth,
            blobs=self.blobs,
            snapshots=self.snapshots,
            verification=Verification(self.sync),
            quarantine=self.quarantine,
            past=Past(self.sync, PAST_TOLD),
            clock=self.clock,
            profile=self._profile,
            receipts=self.receipts.of_submissions,
            may_read_blob=self.receipts.may_read,
            file_of=self.regions.file_of,
        )

    def apply(self, org: UUID, rows: Iterable[tuple[str, Mapping[str, Any]]]) -> int:
        """Write records as the server; each row is a collection and Python values with an ``id``.

        In slices, so that devices are not kept waiting behind a bulk load; gives the number of rows.
        """
        count = 0
        pending: list[Change] = []
        for collection, row in rows:
            values = record_to_wire(CATALOGUE.by_name[collection], row)
            pending.append(Change(collection, row["id"], {name: values[name] for name in values if name in row}))
            if len(pending) == _BATCH:
                count += self._flush(org, pending)
        return count + self._flush(org, pending)

    def missing_blobs(self, connection: Connection, org: UUID) -> set[str]:
        """Names of the photos that reports refer to and that have not arrived."""
        table = self.sync.tables.records["attachment"]
        wanted = connection.scalars(select(table.c.sha256).where(table.c.org_id == org, table.c.deleted_rev.is_(None)))
        names = set(wanted)
        return names - self.blobs.present(org, names)

    def mark_revisions(self) -> None:
        """Write the newest revisions beside the database: after a restore they show what is missing."""
        self.high_water.raise_to(_revisions(self))

    def accept_restore(self) -> int:
        """After a backup was put back: begin a new epoch everywhere, so that devices offer again what is missing."""
        orgs = [UUID(hex=org) for org in _revisions(self)]
        for org in orgs:
            self.sync.begin_epoch(org)
        self.high_water.reset(_revisions(self))
        return len(orgs)

    @property
    def erasures(self) -> Erasures:
        return Erasures(self.folder, self.sync, self.snapshots, self.bundles)

    @property
    def regions(self) -> Regions:
        return Regions(self.sync, self.folder / "regions", self.apply)

    @property
    def bundles(self) -> Bundles:
        """Syncs that are carried by hand."""
        return Bundles(self.sync, self.blobs, self.accounts.role_of, bundlekey.told)

    def close(self) -> None:
        self.mark_revisions()
        self.engine.dispose()

    def _profile(self, caller: Caller) -> Profile:
        with reading(self.engine) as connection:
            return self.membership.profile(connection, caller)

    def _flush(self, org: UUID, pending: list[Change]) -> int:
        count = len(pending)
        if pending:
            self.sync.apply_as_server(org, pending, now=self.clock())
        pending.clear()
        return count


def open_headquarters(
    folder: Path,
    database: str | None,
    clock: Callable[[], datetime],
    *,
    hasher: PasswordHasher | None = None,
    accept_restore: bool = False,
    limits: Limits | None = None,
) -> Headquarters:
    """Open the server's data in ``folder``; ``database`` is a PostgreSQL address, or None for SQLite in the folder.

    Raises ``Unavailable("database_unreachable")``; ``DomainError``: "database_newer", "database_restored" when the
    database is older than what the folder remembers, unless ``accept_restore``.
    """
    try:
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise Unavailable("folder_not_writable", path=str(folder), reason=error.strerror or "") from error
    engine = open_database(_address(folder, database), limits)
    tables = build(CATALOGUE)
    membership = Membership(tables, clock)
    projected = projections.Projections(tables)
    ties = Ties(tables, membership.visible)

    def authorize(connection: Connection, caller: Caller, proposal: Proposal) -> None:
        permissions.authorize(caller, proposal)
        ties.authorize(connection, caller, proposal)

    hooks = Hooks(
        buckets=permissions.place,
        visible=membership.visible,
        needs=permissions.needs,
        authorize=authorize,
        on_applied=projected.on_applied,
        conflict=clashes.record_of,
        merged=clashes.merge_of,
        commands=Commands(tables, membership).by_name(),
    )
    own_key = server_key(folder)
    server = SyncServer(engine, CATALOGUE, hooks, tables, wrapping=own_key)
    _prepare(engine, tables)
    factors = SecondFactors(Vault(own_key))
    accounts = Accounts(engine, tables, new_id=new_id, second_factors=factors, hasher=hasher)
    auth = Auth(engine, tables, new_id=new_id, second_factors=factors, hasher=hasher)
    store = BlobStore(engine, folder / "blobs", lambda *asked: authors_of(asked[0], tables, *asked[1:]))
    files = Snapshots(server, folder / "snapshots")
    receipts = Receipts(server, store)
    ours = Leases(engine, f"{socket.gethostname()}/{os.getpid()}/{secrets.token_hex(4)}")
    aside = Quarantine(server)
    marks = HighWater(folder)
    server.on_commit = marks.note
    parts = (accounts, auth, store, files, aside, receipts, membership, projected, ours, marks)
    opened = Headquarters(folder, engine, server, *parts, clock)
    _check_restored(opened, accept_restore)
    for org, _ in accounts.organisations():
        store.vouch_for_older(org)
    opened.erasures.reapply_erasures()  # whichever backup was put back, and by whom
    return opened


def engine_of(folder: Path, database: str | None) -> Engine:
    """The database of a server, before anything of it is looked at."""
    return open_database(_address(folder, database))


def _address(folder: Path, database: str | None) -> str:
    if database is None:
        return f"sqlite:///{folder / 'server.sqlite'}"
    # The driver is ours to choose: an address may be written as PostgreSQL's own tools take it.
    for prefix in ("postgresql://", "postgres://"):
        if database.startswith(prefix):
            return "postgresql+psycopg://" + database.removeprefix(prefix)
    if not database.startswith(("postgresql+psycopg://", "sqlite:///")):
        raise DomainError("database_address_invalid")
    return database


def _prepare(engine: Engine, tables: ServerTables) -> None:
    parts = [tables.metadata, *OWN_TABLES]
    try:
        bring_up_to_date(engine, parts, version=SCHEMA_VERSION, finish=lambda c: guard.create(c, tables))
    except SchemaNewer as newer:
        engine.dispose()
        raise DomainError("database_newer", version=newer.found, known=newer.known) from newer
    except OperationalError as error:
        engine.dispose()
        raise Unavailable("database_unreachable") from error


def _revisions(opened: Headquarters) -> dict[str, int]:
    """The newest revision of each organisation, one look at a time: no transaction sees two."""
    found = {}
    for org, _ in opened.accounts.organisations():
        revision = opened.sync.newest(org)
        if revision is not None:
            found[org.hex] = revision
    return found


def _check_restored(opened: Headquarters, accept: bool) -> None:
    newest = _revisions(opened)
    older = opened.high_water.behind(newest)
    if not older and not (accept and any(opened.sync.stopped(UUID(hex=org)) for org in newest)):
        return
    if not accept:
        opened.engine.dispose()
        raise DomainError("database_restored", organisations=len(older))
    opened.accept_restore()
