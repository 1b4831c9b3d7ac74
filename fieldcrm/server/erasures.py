"""Erasing a person for good: the order, the list of all erasures beside the database, and its proof.

``erasures.jsonl`` lies in the server's folder and is part of no backup: whatever backup is put back, every erasure that
was ever ordered is done again before anybody is served.
"""

from __future__ import annotations

import json
import logging
import os
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from uuid import UUID

from sqlalchemy import Connection, select

from fieldcrm.domain.errors import DomainError, Unavailable
from sync.columns import from_milliseconds, to_milliseconds
from sync.sealing import personal_collections
from sync.server.bundles import Bundles
from sync.server.changes import Entry
from sync.server.database import reading
from sync.server.engine import SyncServer
from sync.server.erasure import ErasureRules, Receipt
from sync.server.snapshots import Snapshots
from sync.server.tables import ServerTables

LIST_FILE = "erasures.jsonl"

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Progress:
    """One erasure: which devices have deleted their copies of the keys, and which have not called since."""

    subject: UUID
    at: datetime
    done: tuple[int, ...]
    missing: tuple[int, ...]


def rules(tables: ServerTables) -> ErasureRules:
    """A contact leaves with its erasure; a colleague's record stays, because visits refer to it, without the name."""

    def relatives(connection: Connection, org: UUID, subject: UUID) -> set[UUID]:
        return _promises(connection, tables, org, subject) | _plans_in_conflict(connection, tables, org, subject)

    return ErasureRules("erasure", frozenset({"contact"}), relatives)


def _promises(connection: Connection, tables: ServerTables, org: UUID, subject: UUID) -> set[UUID]:
    """Tasks of the same outlet that name the contact as the one who promised."""
    contact, task = tables.records["contact"], tables.records["task"]
    found = connection.execute(
        select(contact.c.outlet_id, contact.c.name).where(contact.c.org_id == org, contact.c.id == subject)
    ).one_or_none()
    if found is None or not found.name:
        return set()
    query = select(task.c.id, task.c.promised_by).where(
        task.c.org_id == org, task.c.outlet_id == found.outlet_id, task.c.promised_by.is_not(None)
    )
    name = found.name.strip().casefold()
    return {id for id, promised_by in connection.execute(query) if promised_by.strip().casefold() == name}


def _plans_in_conflict(connection: Connection, tables: ServerTables, org: UUID, subject: UUID) -> set[UUID]:
    """The person's plans of which a clash is kept: it may hold where they live, under the key of the plan."""
    plan, conflict = tables.records["plan"], tables.records["conflict"]
    met = select(conflict.c.record_id).where(conflict.c.org_id == org, conflict.c.collection == "plan")
    query = select(plan.c.id).where(plan.c.org_id == org, plan.c.person_id == subject, plan.c.id.in_(met))
    return set(connection.execute(query).scalars())


class Erasures:
    """What one server does about erasures. ``folder``: where the list lies."""

    def __init__(self, folder: Path, sync: SyncServer, snapshots: Snapshots, bundles: Bundles) -> None:
        self._bundles = bundles
        self._list = folder / LIST_FILE
        self._sync = sync
        self._snapshots = snapshots

    def erase_person(self, org: UUID, subject: UUID, *, now: datetime) -> Receipt:
        """Erase a contact, a colleague, or the words of one record. Raises ``DomainError("person_unknown")``.

        The order is on the list, and on the disk, before anything is done: a crash is made up for at the next start.
        """
        if not self._known(org, subject):
            raise DomainError("person_unknown", id=subject.hex)
        _remember(self._list, org, subject, now)
        return self._erase(org, subject, now)

    def reapply_erasures(self, *, everything: bool = False) -> int:
        """Do again each erasure on the list that the database does not know; ``everything``: whatever it says.

        To be called after every restore, before anybody is served; returns how many were done.
        """
        done = 0
        known: dict[UUID, set[UUID]] = {}
        for org, subject, at in read_list(self._list):
            if org not in known:
                known[org] = set() if everything else self._erased(org)
            if subject not in known[org] and self._sync.newest(org) is not None:
                self._erase(org, subject, at)
                known[org].add(subject)
                done += 1
        return done

    def progress(self, org: UUID) -> list[Progress]:
        """Every erasure with the devices that have done it; one that was shut out and never calls stays missing."""
        table = self._sync.tables.device
        with reading(self._sync.engine) as connection:
            erased = self._sync.people.erased(connection, org)
            query = select(table.c.device_no, table.c.cursor_rev).where(table.c.org_id == org)
            devices = connection.execute(query.order_by(table.c.device_no)).all()
        return [
            Progress(
                one.subject,
                one.at,
                tuple(number for number, cursor in devices if cursor >= one.rev),
                tuple(number for number, cursor in devices if cursor < one.rev),
            )
            for one in erased
        ]

    def history(self, org: UUID, collection: str, record: UUID) -> list[Entry]:
        """Who changed a record and when, the newest first; what an erased person's values were nobody knows any more.

        Raises ``DomainError("collection_unknown")``.
        """
        if collection not in self._sync.catalogue.by_name:
            raise DomainError("collection_unknown", collection=collection)
        with reading(self._sync.engine) as connection:
            return self._sync.changes.history(connection, org, collection, record)

    def _erase(self, org: UUID, subject: UUID, at: datetime) -> Receipt:
        receipt = self._sync.erase_person(org, subject, rules(self._sync.tables), now=at)
        self._snapshots.forget(org)  # files for first syncs hold rows as they were
        self._bundles.renew_key(org, now=at)  # a bundle on some stick may name them, and opens no more
        return receipt

    def _known(self, org: UUID, subject: UUID) -> bool:
        with reading(self._sync.engine) as connection:
            for collection in personal_collections(self._sync.catalogue):
                table = self._sync.tables.records[collection.name]
                query = select(table.c.id).where(table.c.org_id == org, table.c.id == subject)
                if connection.execute(query).one_or_none() is not None:
                    return True
        return subject in self._erased(org)

    def _erased(self, org: UUID) -> set[UUID]:
        with reading(self._sync.engine) as connection:
            return {one.subject for one in self._sync.people.erased(connection, org)}


def read_list(path: Path) -> Iterator[tuple[UUID, UUID, datetime]]:
    """Organisation, person, time. A line that a crash cut short, or that means nothing, is passed over and logged."""
    try:
        lines = path.read_text(encoding="utf-8", errors="replace").splitlines()
    except FileNotFoundError:
        return
    for number, line in enumerate(lines, start=1):
        try:
            entry = json.loads(line)
            yield UUID(hex=entry["org"]), UUID(hex=entry["subject"]), from_milliseconds(int(entry["at"]))
        except (ValueError, TypeError, KeyError, AttributeError, OverflowError, RecursionError):
            log.warning('{"erasures": "line %d means nothing"}', number)


def _remember(path: Path, org: UUID, subject: UUID, now: datetime) -> None:
    line = json.dumps({"org": org.hex, "subject": subject.hex, "at": to_milliseconds(now)})
    try:
        whole = not path.exists() or path.read_bytes().endswith(b"\n") or path.stat().st_size == 0
        with path.open("a", encoding="utf-8") as file:
            file.write(("" if whole else "\n") + line + "\n")
            file.flush()
            os.fsync(file.fileno())
    except OSError as error:
        raise Unavailable("folder_not_writable", path=str(path), reason=error.strerror or "") from error
