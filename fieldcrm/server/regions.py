"""Packs of map, streets and roads that headquarters keeps for its devices: one file each, named by its hash."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import select

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.domain.ids import Id, new_id
from sync.server.database import reading
from sync.server.engine import SyncServer
from sync.server.ports import Caller

Apply = Callable[[UUID, Iterable[tuple[str, Mapping[str, Any]]]], int]  # Headquarters.apply

_SHA256 = re.compile(r"[0-9a-f]{64}")


@dataclass(frozen=True, slots=True)
class Region:
    """``bounds``: west, south, east, north in degrees x 10^7."""

    id: Id
    name: str
    sha256: str
    size: int
    built_at: datetime | None
    active: bool


class Regions:
    """Files below ``folder``, one folder for each organisation; ``apply`` writes records as the server."""

    def __init__(self, server: SyncServer, folder: Path, apply: Apply) -> None:
        self._server = server
        self._apply = apply
        self._folder = folder
        self._table = server.tables.records["region"]

    def file_of(self, caller: Caller, sha256: str) -> Path | None:
        """The file, when a region of the caller's organisation that is in use names it."""
        if not _SHA256.fullmatch(sha256):
            return None
        table = self._table
        query = select(table.c.id).where(
            table.c.org_id == caller.org, table.c.sha256 == sha256, table.c.deleted_rev.is_(None), table.c.active
        )
        with reading(self._server.engine) as connection:
            named = connection.execute(query).first()
        path = self._path(caller.org, sha256)
        return path if named is not None and path.is_file() else None

    def all(self, org: Id) -> tuple[Region, ...]:
        table = self._table
        query = select(table).where(table.c.org_id == org, table.c.deleted_rev.is_(None)).order_by(table.c.name)
        with reading(self._server.engine) as connection:
            return tuple(
                Region(row.id, row.name, row.sha256, row.size, row.built_at, bool(row.active))
                for row in connection.execute(query)
            )

    def add(self, org: Id, source: Path, name: str, bounds: tuple[float, float, float, float], now: datetime) -> Region:
        """Give the pack at ``source`` to every device of the organisation; one of the same name is replaced by it.

        ``bounds``: west, south, east, north in degrees. Raises ``Unavailable("file_unreadable")``.
        """
        sha256, size = self._keep(org, source)
        before = next((one for one in self.all(org) if one.name == name), None)
        id_ = before.id if before else new_id(now)
        row = {
            "id": id_, "name": name, "sha256": sha256, "size": size, "bounds": [round(value * 1e7) for value in bounds],
            "built_at": now, "active": True,
        }  # fmt: skip
        self._apply(org, [("region", row)])
        self._clean(org)
        return Region(id_, name, sha256, size, now, True)

    def remove(self, org: Id, name: str) -> None:
        """Devices keep what they have and fetch it no more. Raises ``DomainError("region_unknown")``."""
        found = next((one for one in self.all(org) if one.name == name and one.active), None)
        if found is None:
            raise DomainError("region_unknown", name=name)
        self._apply(org, [("region", {"id": found.id, "active": False})])
        self._clean(org)

    def _keep(self, org: Id, source: Path) -> tuple[str, int]:
        """Copy the file to where it is kept; its hash and size."""
        folder = self._folder / org.hex
        partial = folder / f".{os.getpid()}.part"
        try:
            folder.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(source, partial)
            with partial.open("rb") as file:
                sha256 = hashlib.file_digest(file, "sha256").hexdigest()
                os.fsync(file.fileno())
            size = partial.stat().st_size
            os.replace(partial, self._path(org, sha256))
        except OSError as error:
            raise Unavailable("file_unreadable", path=source.name, reason=error.strerror or "") from error
        finally:
            partial.unlink(missing_ok=True)
        return sha256, size

    def _clean(self, org: Id) -> None:
        """Remove the files that no region names any more."""
        names = {f"{one.sha256}.mbtiles" for one in self.all(org) if one.active}
        folder = self._folder / org.hex
        for path in folder.glob("*.mbtiles") if folder.is_dir() else ():
            if path.name not in names:
                path.unlink(missing_ok=True)

    def _path(self, org: UUID, sha256: str) -> Path:
        return self._folder / org.hex / f"{sha256}.mbtiles"
