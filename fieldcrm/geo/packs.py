"""Region packs on a computer: what one holds, and how it is put in its place."""

from __future__ import annotations

import hashlib
import os
import re
import shutil
import sqlite3
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.geo.basemap import Pack, keep_short
from fieldcrm.geo.roads import TABLE as ROADS
from fieldcrm.geo.streets import TABLE as STREETS

SUFFIX = ".mbtiles"
MOST_BYTES = 8 << 30
_PIECE = 1 << 20
_UNSAFE = re.compile(r"[^\w.-]+")

Progress = Callable[[int, int], None]  # bytes done, bytes in all


@dataclass(frozen=True, slots=True)
class PackInfo:
    """What a pack holds. ``bounds``: degrees west, south, east, north; counts are 0 where a part is not in it."""

    path: Path
    name: str
    bytes: int
    bounds: tuple[float, float, float, float]
    attribution: str
    outlets: int
    streets: int
    has_roads: bool


def describe(path: Path) -> PackInfo:
    """Look into the pack at ``path``. DomainError ``map_pack_missing`` or ``map_pack_invalid``."""
    pack = Pack(path)
    shown = pack.tile_set
    pack.close()
    connection = sqlite3.connect(f"{path.resolve().as_uri()}?mode=ro&immutable=1", uri=True)
    try:
        keep_short(connection)
        tables = {row[0] for row in connection.execute("SELECT name FROM sqlite_master WHERE type = 'table'")}
        connection.execute("SELECT tile_data FROM tiles LIMIT 1").fetchone()
        counts = {name: _count(connection, name) if name in tables else 0 for name in ("outlets", STREETS)}
    except sqlite3.DatabaseError as error:
        raise DomainError("map_pack_invalid", file=path.name, detail=str(error)) from error
    finally:
        connection.close()
    west, south, east, north = shown.bounds
    if not (-180 <= west < east <= 180 and -90 <= south < north <= 90):
        raise DomainError("map_pack_invalid", file=path.name, detail="its frame is not on this world")
    return PackInfo(
        path, shown.name, path.stat().st_size, shown.bounds, shown.attribution, counts["outlets"], counts[STREETS],
        ROADS in tables,
    )


def _count(connection: sqlite3.Connection, table: str) -> int:
    return int(connection.execute(f'SELECT count(*) FROM "{table}"').fetchone()[0])


def install(
    source: Path, folder: Path, *, on_progress: Progress | None = None, stopped: Callable[[], bool] = lambda: False
) -> PackInfo:
    """Copy the pack into ``folder``, whole or not at all; one of the same name is replaced.

    DomainError as ``describe``, "map_pack_too_large", "stopped"; Unavailable "disk_full", "disk_denied".
    """
    info = describe(source)
    if info.bytes > MOST_BYTES:
        raise DomainError("map_pack_too_large", file=source.name, limit=MOST_BYTES >> 30)
    target = folder / (safe_name(info.name or source.stem) + SUFFIX)
    if target.exists() and target.resolve() == source.resolve():
        return info
    partial = target.with_name(target.name + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if shutil.disk_usage(folder).free < info.bytes + (64 << 20):
            raise Unavailable("disk_full", path=str(folder))
        _copy(source, partial, info.bytes, on_progress, stopped)
        os.replace(partial, target)
    except OSError as error:
        raise Unavailable("disk_denied", path=str(folder)) from error
    finally:
        partial.unlink(missing_ok=True)
    return describe(target)


def _copy(source: Path, target: Path, size: int, on_progress: Progress | None, stopped: Callable[[], bool]) -> None:
    done = 0
    with source.open("rb") as reading, target.open("wb") as writing:
        while piece := reading.read(_PIECE):
            if stopped():
                raise DomainError("stopped")
            writing.write(piece)
            done += len(piece)
            if on_progress is not None:
                on_progress(done, size)
        writing.flush()
        os.fsync(writing.fileno())


def safe_name(name: str) -> str:
    """A name of a file on every system, at most 60 characters."""
    plain = _UNSAFE.sub("-", name).strip("-.")[:60]
    return plain or "region"


def hash_of(path: Path) -> str:
    """SHA-256 of the file, in hexadecimal."""
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()


def installed(folder: Path) -> tuple[PackInfo, ...]:
    """The packs in ``folder`` that can be used, the newest first."""
    found = []
    for path in sorted(folder.glob("*" + SUFFIX), key=lambda one: one.stat().st_mtime, reverse=True):
        try:
            found.append(describe(path))
        except DomainError:
            continue  # a damaged one is no map; whoever opens it by name is told so
    return tuple(found)
