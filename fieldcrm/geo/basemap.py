"""The map under the pins: one contract for tiles, and the pack file that holds those of a region.

A pack is an MBTiles file (SQLite) of gzipped Mapbox vector tiles, with the layers that ``region`` writes.
"""

from __future__ import annotations

import sqlite3
import threading
import zlib
from dataclasses import dataclass
from pathlib import Path
from typing import Protocol

from fieldcrm.domain.errors import DomainError
from fieldcrm.geo.attribution import ATTRIBUTION

FORMAT = "pbf"
_MOST_TILE = 32 << 20  # bytes, unpacked: a full one of ours has some hundred thousand
_STEPS = 2_000  # of 10,000 instructions each: about a second


@dataclass(frozen=True, slots=True)
class TileSet:
    """What a source covers: degrees west, south, east, north, and the zooms it has tiles for."""

    name: str
    bounds: tuple[float, float, float, float]
    min_zoom: int
    max_zoom: int
    attribution: str = ATTRIBUTION


class TileSource(Protocol):
    """Vector tiles by zoom, column and row (row 0 in the north). May be asked from any thread."""

    @property
    def tile_set(self) -> TileSet: ...

    def tile(self, z: int, x: int, y: int) -> bytes:
        """The tile, not compressed; empty where there is nothing."""

    def close(self) -> None: ...


def keep_short(connection: sqlite3.Connection) -> None:
    """No question to a file that others made goes on for ever, whatever views stand in it: it ends with an error."""
    connection.execute("PRAGMA trusted_schema = OFF")
    until = [0]

    def step() -> bool:
        until[0] += 1
        return until[0] > _STEPS

    def begun(_sql: str) -> None:
        until[0] = 0

    connection.set_trace_callback(begun)
    connection.set_progress_handler(step, 10_000)


def _unpacked(data: bytes) -> bytes:
    """A tile; nothing for one that is damaged or made to fill the memory."""
    unpacking = zlib.decompressobj(wbits=31)
    try:
        tile = unpacking.decompress(data, _MOST_TILE)
    except zlib.error:
        return b""
    return tile if unpacking.eof else b""


class Pack:
    """The tiles of one MBTiles file. DomainError ``map_pack_missing`` or ``map_pack_invalid`` on opening."""

    def __init__(self, path: Path) -> None:
        if not path.is_file():
            raise DomainError("map_pack_missing", file=path.name)
        self._lock = threading.Lock()
        address = f"{path.resolve().as_uri()}?mode=ro&immutable=1"
        self._connection = sqlite3.connect(address, uri=True, check_same_thread=False)
        keep_short(self._connection)
        try:
            self._tile_set = self._read_tile_set(path)
        except (sqlite3.DatabaseError, KeyError, ValueError, TypeError, AttributeError) as error:
            self._connection.close()
            raise DomainError("map_pack_invalid", file=path.name, detail=str(error)) from error

    def _read_tile_set(self, path: Path) -> TileSet:
        found = self._connection.execute("SELECT name, value FROM metadata LIMIT 1000")
        metadata = {str(name): str(value) for name, value in found}
        if metadata.get("format") != FORMAT:
            raise ValueError(f"format {metadata.get('format')!r} instead of {FORMAT!r}")
        west, south, east, north = (float(part) for part in metadata["bounds"].split(","))
        return TileSet(
            metadata.get("name", path.stem), (west, south, east, north),
            int(metadata["minzoom"]), int(metadata["maxzoom"]), metadata.get("attribution", ATTRIBUTION),
        )

    @property
    def tile_set(self) -> TileSet:
        return self._tile_set

    def tile(self, z: int, x: int, y: int) -> bytes:
        if not 0 <= z <= 30:
            return b""
        with self._lock:
            row = self._connection.execute(
                "SELECT tile_data FROM tiles WHERE zoom_level = ? AND tile_column = ? AND tile_row = ?",
                (z, x, (1 << z) - 1 - y),  # MBTiles counts rows from the south
            ).fetchone()
        if row is None:
            return b""
        data = row[0] if isinstance(row[0], bytes) else b""
        return _unpacked(data) if data[:2] == b"\x1f\x8b" else data

    def close(self) -> None:
        self._connection.close()
