"""Regions on this device: the packs that are installed, and those that headquarters has for it."""

from __future__ import annotations

import hashlib
import logging
import os
import threading
from collections.abc import Callable
from contextlib import AbstractContextManager
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from sqlalchemy import select

from fieldcrm.domain.errors import DomainError
from fieldcrm.geo import packs
from fieldcrm.geo.packs import PackInfo
from fieldcrm.store.database import Reader
from fieldcrm.store.tables import T
from sync.client.failures import CallRefused, RemoteFailure

__all__ = ["FOLDER", "Fetching", "PackInfo", "RegionFetcher", "files", "install", "installed", "remove", "wanted"]

FOLDER = "maps"  # of a profile
_MARK = 12  # digits of the hash in the name of a file that came from headquarters

log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True)
class Wanted:
    """A pack that headquarters has and this device has not."""

    name: str
    sha256: str
    size: int


@dataclass(frozen=True, slots=True)
class Fetching:
    """A pack on its way: bytes that are here, of all."""

    name: str
    done: int
    size: int


class Remote(Protocol):
    def fetch_file(self, sha256: str, offset: int) -> bytes: ...


def installed(profile: Path) -> tuple[PackInfo, ...]:
    """The packs of a profile, the newest first."""
    return packs.installed(profile / FOLDER)


def files(profile: Path) -> tuple[Path, ...]:
    """The files of the packs, without a look into them."""
    return tuple(sorted((profile / FOLDER).glob("*" + packs.SUFFIX)))


def install(
    source: Path,
    profile: Path,
    *,
    on_progress: packs.Progress | None = None,
    stopped: Callable[[], bool] = lambda: False,
) -> PackInfo:
    """Put the pack in its place; see ``geo.packs.install`` for the errors."""
    return packs.install(source, profile / FOLDER, on_progress=on_progress, stopped=stopped)


def remove(pack: PackInfo) -> None:
    """Take a pack off this device."""
    pack.path.unlink(missing_ok=True)


def wanted(r: Reader, profile: Path) -> tuple[Wanted, ...]:
    """What headquarters has for its devices and this one lacks."""
    region = T.region
    query = select(region.c.name, region.c.sha256, region.c.size).where(region.c.active).order_by(region.c.size)
    rows = (Wanted(*row) for row in r.conn.execute(query))
    return tuple(one for one in rows if not _place(profile, one).exists())


def _place(profile: Path, pack: Wanted) -> Path:
    return profile / FOLDER / f"{packs.safe_name(pack.name)}-{pack.sha256[:_MARK]}{packs.SUFFIX}"


class RegionFetcher:
    """Fetches the packs that headquarters has, one after another, on a thread of its own: a sync never waits for it.

    What has come stays beside its place under another name and goes on from there, also after a restart.
    ``on_change`` is called from that thread.
    """

    def __init__(
        self,
        profile: Path,
        read: Callable[[], AbstractContextManager[Reader]],
        *,
        on_change: Callable[[], None] = lambda: None,
    ) -> None:
        self._profile = profile
        self._read = read
        self._on_change = on_change
        self._thread: threading.Thread | None = None
        self._stopped = threading.Event()
        self._spoilt: set[str] = set()  # what came was not what its name says: not asked for again by this run
        self.fetching: Fetching | None = None

    def synced(self, remote: Remote, may: Callable[[], bool]) -> None:
        """A sync has ended well: fetch what is missing, while ``may`` says that the network is good for it."""
        if self._stopped.is_set() or (self._thread is not None and self._thread.is_alive()) or not may():
            return
        self._thread = threading.Thread(target=self._fetch_all, args=(remote, may), name="regions", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End after the piece under way."""
        self._stopped.set()

    def wait(self, seconds: float) -> None:
        """Until what is under way has ended."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _fetch_all(self, remote: Remote, may: Callable[[], bool]) -> None:
        try:
            with self._read() as reader:
                missing = [one for one in wanted(reader, self._profile) if one.sha256 not in self._spoilt]
            for pack in missing:
                if not self._fetch(pack, remote, may):
                    break
        except (RemoteFailure, OSError) as error:
            log.info("a region waits for the next sync: %s", error)
        finally:
            self.fetching = None
            self._on_change()

    def _fetch(self, pack: Wanted, remote: Remote, may: Callable[[], bool]) -> bool:
        """Whether to go on with the next one."""
        target = _place(self._profile, pack)
        partial = target.with_name(target.name + ".part")
        target.parent.mkdir(parents=True, exist_ok=True)
        with partial.open("ab") as file:
            while (done := file.tell()) < pack.size:
                if self._stopped.is_set() or not may():
                    return False
                try:
                    piece = remote.fetch_file(pack.sha256, done)
                except CallRefused as refusal:
                    log.info("headquarters has the region %s no more: %s", pack.name, refusal)
                    self._spoilt.add(pack.sha256)
                    return True
                if not piece or done + len(piece) > pack.size:
                    break
                file.write(piece)
                self.fetching = Fetching(pack.name, done + len(piece), pack.size)
                self._on_change()
            file.flush()
            os.fsync(file.fileno())
        self._put(pack, partial, target)
        return True

    def _put(self, pack: Wanted, partial: Path, target: Path) -> None:
        with partial.open("rb") as file:
            right = hashlib.file_digest(file, "sha256").hexdigest() == pack.sha256
        try:
            if not right:
                raise DomainError("map_pack_invalid", file=target.name, detail="its hash")
            packs.describe(partial)
        except DomainError as error:
            log.warning("the region %s is not what headquarters says: %s", pack.name, error)
            self._spoilt.add(pack.sha256)
            partial.unlink(missing_ok=True)
            return
        os.replace(partial, target)
        for older in target.parent.glob(f"{packs.safe_name(pack.name)}-{'?' * _MARK}{packs.SUFFIX}"):
            if older != target:
                older.unlink(missing_ok=True)
