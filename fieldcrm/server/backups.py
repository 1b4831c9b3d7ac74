"""Backups that were opened and counted before anybody relies on them, and putting one back.

A backup is a folder: the database as one SQLite file (whatever the server runs on, so that it can be put back on
either), the photos, and a manifest. The server goes on meanwhile. The server's own key is not in it: who finds a backup
reads no sealed value. It is to be kept apart, and is asked for when the backup is put back.
"""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, contextmanager
from dataclasses import asdict, dataclass, replace
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Connection, Engine, NullPool, Table, create_engine, func, insert, select
from sqlalchemy.exc import SQLAlchemyError

from fieldcrm import __version__
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.server import checks
from fieldcrm.server.headquarters import OWN_TABLES, Headquarters, engine_of, open_headquarters
from fieldcrm.server.serverkey import KEY_FILE, KEY_VARIABLE, server_key
from sync.server import auth_tables, leases, schema, snapshots
from sync.server.blobs import blob
from sync.server.database import open_database, reading
from sync.server.distribution import all_tables, is_reference
from sync.server.tables import build

FORMAT = 1
DATABASE, PHOTOS, MANIFEST = "server.sqlite", "blobs", "manifest.json"
_PARTIAL = ".partial"
_PIECE = 2000  # rows at once
# What belongs to a server that runs, not to its data: files it has built, who does which job, who guessed wrongly.
_PASSING = frozenset(
    table.name
    for table in (*snapshots.metadata.sorted_tables, *leases.metadata.sorted_tables, auth_tables.attempt)
)


@dataclass(frozen=True, slots=True)
class Held:
    """What a backup holds of one organisation."""

    code: str
    epoch: int
    rev: int
    records: dict[str, int]
    photos: int


@dataclass(frozen=True, slots=True)
class Manifest:
    """``key``: which server key opens the sealed values. ``organisations`` by id."""

    format: int
    program: str
    made_at: str
    database: str  # what the server ran on
    database_sha256: str
    key: str
    organisations: dict[str, Held]


def back_up(hq: Headquarters, target: Path, *, now: datetime) -> Manifest:
    """Write a backup into ``target``, which must not exist yet, and verify it; then tell devices that they may rely on
    it. The server may go on working.

    Raises ``DomainError``: "backup_exists", "backup_damaged" (it did not verify, and is left for a look);
    ``Unavailable("folder_not_writable")``.
    """
    if target.exists() and any(target.iterdir()):
        raise DomainError("backup_exists", path=str(target))
    partial = target.with_name(target.name + _PARTIAL)
    with _writing(target):
        shutil.rmtree(partial, ignore_errors=True)
        partial.mkdir(parents=True)
        _copy_database(hq.engine, partial / DATABASE)
        held = _copied(partial, hq.folder / PHOTOS)
        key = _key_mark(hq.folder)
        made = Manifest(
            FORMAT, __version__, now.isoformat(), hq.engine.dialect.name, checks.hash_of(partial / DATABASE), key, held
        )
        (partial / MANIFEST).write_text(json.dumps(asdict(made), indent=1), encoding="utf-8")
        verify(partial)
        if target.exists():
            target.rmdir()
        os.replace(partial, target)
    for org, one in held.items():
        hq.sync.confirm(UUID(hex=org), one.rev, now=now)
    return made


def verify(folder: Path) -> Manifest:
    """Open a backup, count it, make its sums again and hash its photos.

    Raises ``DomainError``: "backup_unknown" (no backup), "backup_damaged" with what does not fit.
    """
    made = read_manifest(folder)
    if checks.hash_of(folder / DATABASE) != made.database_sha256:
        raise DomainError("backup_damaged", path=str(folder), what=DATABASE)
    engine = _reader(folder / DATABASE)
    tables = build(CATALOGUE)
    try:
        with reading(engine) as connection:
            problem = connection.exec_driver_sql("PRAGMA integrity_check").scalar_one()
        if problem != "ok":
            raise DomainError("backup_damaged", path=str(folder), what=str(problem))
        for org, one in made.organisations.items():
            found = checks.check(engine, CATALOGUE, tables, UUID(hex=org), folder / PHOTOS)
            if not found.sound or found.records != one.records or found.photos != one.photos:
                raise DomainError("backup_damaged", path=str(folder), what=one.code)
    except SQLAlchemyError as error:
        raise DomainError("backup_damaged", path=str(folder), what=type(error).__name__) from error
    finally:
        engine.dispose()
    return made


def read_manifest(folder: Path) -> Manifest:
    """Raises ``DomainError("backup_unknown")``."""
    try:
        read = json.loads((folder / MANIFEST).read_text(encoding="utf-8"))
        organisations = {org: Held(**one) for org, one in read.pop("organisations").items()}
        made = Manifest(**read, organisations=organisations)
        if made.format != FORMAT or not (folder / DATABASE).is_file():
            raise ValueError(made.format)
    except (OSError, ValueError, TypeError, KeyError, AttributeError) as error:
        raise DomainError("backup_unknown", path=str(folder)) from error
    return made


def restore(
    folder: Path, data: Path, database: str | None, clock: Callable[[], datetime], *, without_key: bool = False
) -> Manifest:
    """Put a backup back into an empty place, verified before and after, and begin a new epoch for every organisation:
    devices then offer again what they did after the backup, and erasures that this folder remembers are done again.

    Raises ``DomainError``: "backup_unknown", "backup_damaged", "restore_not_empty", "restore_key_missing" (the key that
    opens the sealed values is not in ``data``); ``Unavailable``.
    """
    made = verify(folder)
    with _writing(data):
        data.mkdir(parents=True, exist_ok=True)
        known = (data / KEY_FILE).exists() or KEY_VARIABLE in os.environ
        if not without_key and not (known and made.key == _key_mark(data)):
            raise DomainError("restore_key_missing", path=str(data))
        _put_back(folder, data, database)
        for source in sorted((folder / PHOTOS).rglob("*")):
            if source.is_file() and not source.is_symlink():
                _copy_file(source, data / PHOTOS / source.relative_to(folder / PHOTOS))
    hq = open_headquarters(data, database, clock, accept_restore=True)
    try:
        hq.accept_restore()
        for org, one in made.organisations.items():
            found = checks.check(hq.engine, CATALOGUE, hq.sync.tables, UUID(hex=org), data / PHOTOS)
            if not found.sound:
                raise DomainError("backup_damaged", path=str(data), what=one.code)
    finally:
        hq.close()
    return made


# -- inside


def _copy_database(engine: Engine, target: Path) -> None:
    if engine.dialect.name == "sqlite":
        with engine.connect() as connection, closing(sqlite3.connect(target)) as copy:
            raw = connection.connection.driver_connection
            assert isinstance(raw, sqlite3.Connection)
            raw.backup(copy, pages=2000, sleep=0.001)
            copy.execute("PRAGMA journal_mode = DELETE")
            for name in sorted(_PASSING):
                copy.execute(f'DELETE FROM "{name}"')
            copy.commit()
        return
    copy_engine = _empty(target)
    try:
        with reading(engine) as connection:
            orgs = list(connection.scalars(select(auth_tables.organisation.c.org_id)))
            for table in _kept():
                if is_reference(table):
                    _copy_rows(connection, copy_engine, table, None)
        for org in orgs:  # each in one snapshot of its own: no transaction sees two
            with reading(engine) as connection:
                for table in _kept():
                    if not is_reference(table):
                        _copy_rows(connection, copy_engine, table, org)
    finally:
        copy_engine.dispose()
    with closing(sqlite3.connect(target)) as copy:
        copy.execute("PRAGMA journal_mode = DELETE")


def _reader(path: Path) -> Engine:
    """A finished copy, of which not one byte is to change by being read."""
    address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
    return create_engine(
        "sqlite://", creator=lambda: sqlite3.connect(address, uri=True, check_same_thread=False), poolclass=NullPool
    )


def _empty(target: Path) -> Engine:
    engine = open_database(f"sqlite:///{target}")
    for part in _parts():
        part.create_all(engine)
    return engine


def _parts() -> list[Any]:
    return [build(CATALOGUE).metadata, *OWN_TABLES, schema.metadata]


def _kept() -> list[Table]:
    return [table for table in all_tables(_parts()) if table.name not in _PASSING]


def _copy_rows(source: Connection, target: Engine, table: Table, org: UUID | None) -> None:
    query = select(table) if org is None else select(table).where(table.c.org_id == org)
    result = source.execution_options(yield_per=_PIECE).execute(query)
    for rows in result.mappings().partitions(_PIECE):
        with target.begin() as connection:
            connection.execute(insert(table), [dict(row) for row in rows])


def _copied(folder: Path, photos: Path) -> dict[str, Held]:
    """Copy the photos that the copied database names; what it holds, by organisation."""
    engine = _reader(folder / DATABASE)
    tables = build(CATALOGUE)
    held: dict[str, Held] = {}
    try:
        with reading(engine) as connection:
            codes = connection.execute(select(auth_tables.organisation.c.org_id, auth_tables.organisation.c.code)).all()
        for org, code in codes:
            held[org.hex] = replace(_held(engine, tables, org, code), photos=_copy_photos(engine, org, photos, folder))
    finally:
        engine.dispose()
    return held


def _held(engine: Engine, tables: Any, org: UUID, code: str) -> Held:
    found = checks.check(engine, CATALOGUE, tables, org, None)
    with reading(engine) as connection:
        epoch = connection.execute(select(tables.org.c.epoch).where(tables.org.c.org_id == org)).scalar_one()
        rev = connection.execute(select(tables.org_rev.c.last_rev).where(tables.org_rev.c.org_id == org)).scalar_one()
    return Held(code, epoch, rev, found.records, 0)


def _copy_photos(engine: Engine, org: UUID, photos: Path, folder: Path) -> int:
    with reading(engine) as connection:
        names = list(connection.scalars(select(blob.c.sha256).where(blob.c.org_id == org)))
    for name in names:
        place = Path(org.hex, name[:2], name)
        if (photos / place).is_file():  # else the check of the backup says which one is lost
            _copy_file(photos / place, folder / PHOTOS / place)
    return len(names)


def _copy_file(source: Path, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    with source.open("rb") as read, target.open("wb") as write:
        shutil.copyfileobj(read, write, 1 << 20)
        write.flush()
        os.fsync(write.fileno())


def _put_back(folder: Path, data: Path, database: str | None) -> None:
    if database is None:
        if (data / DATABASE).exists():
            raise DomainError("restore_not_empty", place=str(data))
        _copy_file(folder / DATABASE, data / DATABASE)
        return
    engine, source = engine_of(data, database), _reader(folder / DATABASE)
    try:
        for part in _parts():
            part.create_all(engine)
        with reading(engine) as connection:
            if connection.execute(select(func.count()).select_from(auth_tables.organisation)).scalar_one():
                raise DomainError("restore_not_empty", place=database.rpartition("@")[2])
        _copy_all(source, engine)
    finally:
        engine.dispose()
        source.dispose()


def _copy_all(source: Engine, engine: Engine) -> None:
    with reading(source) as connection:
        orgs = list(connection.scalars(select(auth_tables.organisation.c.org_id)))
        for table in _kept():
            if is_reference(table):
                if table.name not in {t.name for t in schema.metadata.sorted_tables}:
                    _copy_rows(connection, engine, table, None)
            else:
                for org in orgs:
                    _copy_rows(connection, engine, table, org)


def _key_mark(folder: Path) -> str:
    """Says which key it is, and nothing of it."""
    return hashlib.sha256(b"which key" + server_key(folder)).hexdigest()[:16]


@contextmanager
def _writing(place: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise Unavailable("folder_not_writable", path=str(place), reason=error.strerror or "") from error
