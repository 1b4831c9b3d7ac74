"""Mapbox Vector Tiles 2.1: just enough of an encoder for the basemap, without a protobuf library.

Geometries come in tile coordinates: integers 0 to ``EXTENT``, y to the south, some beyond as a margin.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np
import shapely

EXTENT = 4096

Value = str | int | bool

_MOVE, _LINE, _CLOSE = 1, 2, 7
_POINT, _LINES, _POLYGON = 1, 2, 3


def _varint(value: int) -> bytes:
    out = bytearray()
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)
    return bytes(out)


def _packed(values: Iterable[int]) -> bytes:
    return b"".join(map(_varint, values))


def _bytes_field(number: int, content: bytes) -> bytes:
    return _varint(number << 3 | 2) + _varint(len(content)) + content


def _int_field(number: int, value: int) -> bytes:
    return _varint(number << 3) + _varint(value)


def _zigzag(value: int) -> int:
    return value << 1 ^ value >> 63


@dataclass
class Layer:
    """One named layer of a tile, filled feature by feature."""

    name: str
    _features: list[bytes] = field(default_factory=list)
    _keys: dict[str, int] = field(default_factory=dict)
    _values: dict[tuple[type, Value], int] = field(default_factory=dict)

    def add(self, geometry: shapely.Geometry, properties: Mapping[str, Value]) -> None:
        """Add one feature; what vanishes at the tile's resolution is left out without a word."""
        kind, commands = _geometry(geometry)
        if not commands:
            return
        tags: list[int] = []
        for key, value in properties.items():
            tags.append(self._keys.setdefault(key, len(self._keys)))
            tags.append(self._values.setdefault((type(value), value), len(self._values)))
        self._features.append(
            _bytes_field(2, _packed(tags)) + _int_field(3, kind) + _bytes_field(4, _packed(commands))
        )

    def encode(self) -> bytes:
        """The layer as the tile holds it, or nothing when it has no feature."""
        if not self._features:
            return b""
        parts = [_bytes_field(1, self.name.encode())]
        parts += [_bytes_field(2, feature) for feature in self._features]
        parts += [_bytes_field(3, key.encode()) for key in self._keys]
        parts += [_bytes_field(4, _value(value)) for _, value in self._values]
        parts += [_int_field(5, EXTENT), _int_field(15, 2)]
        return _bytes_field(3, b"".join(parts))


def _value(value: Value) -> bytes:
    if isinstance(value, bool):
        return _int_field(7, int(value))
    if isinstance(value, int):
        return _int_field(6, _zigzag(value))
    return _bytes_field(1, value.encode())


def _geometry(geometry: shapely.Geometry) -> tuple[int, list[int]]:
    pen = _Pen()
    dimension = shapely.get_dimensions(geometry)
    for part in shapely.get_parts(geometry):
        if shapely.get_dimensions(part) != dimension:
            continue  # a clip may leave a point or a line beside a polygon
        if dimension == 0:
            pen.path(shapely.get_coordinates(part), 1)
        elif dimension == 1:
            pen.path(shapely.get_coordinates(part), 2)
        else:
            outer = shapely.get_coordinates(part.exterior)
            if pen.ring(outer, clockwise=False):
                for hole in part.interiors:
                    pen.ring(shapely.get_coordinates(hole), clockwise=True)
    return {0: _POINT, 1: _LINES}.get(dimension, _POLYGON), pen.commands


class _Pen:
    """Writes the command integers; keeps the cursor, since every step is relative to the one before."""

    def __init__(self) -> None:
        self.commands: list[int] = []
        self._at = (0, 0)

    def path(self, coordinates: np.ndarray, at_least: int) -> None:
        points = _distinct(coordinates)
        if len(points) >= at_least:
            self._draw(points)

    def ring(self, coordinates: np.ndarray, *, clockwise: bool) -> bool:
        points = _distinct(coordinates)
        if len(points) > 1 and points[0] == points[-1]:
            points.pop()
        doubled = _doubled_area(points)
        if len(points) < 3 or doubled == 0:
            return False
        # The standard wants outer rings positive by the surveyor's formula with y to the south, holes negative.
        if (doubled < 0) != clockwise:
            points.reverse()
        self._draw(points)
        self.commands.append(_CLOSE | 1 << 3)
        return True

    def _draw(self, points: Sequence[tuple[int, int]]) -> None:
        self.commands.append(_MOVE | 1 << 3)
        self._step(points[0])
        if len(points) > 1:
            self.commands.append(_LINE | (len(points) - 1) << 3)
            for point in points[1:]:
                self._step(point)

    def _step(self, point: tuple[int, int]) -> None:
        self.commands += (_zigzag(point[0] - self._at[0]), _zigzag(point[1] - self._at[1]))
        self._at = point


def _distinct(coordinates: np.ndarray) -> list[tuple[int, int]]:
    points: list[tuple[int, int]] = []
    for x, y in np.rint(coordinates).astype(int).tolist():
        if not points or points[-1] != (x, y):
            points.append((x, y))
    return points


def _doubled_area(points: Sequence[tuple[int, int]]) -> int:
    following = [*points[1:], *points[:1]]
    return sum(x0 * y1 - x1 * y0 for (x0, y0), (x1, y1) in zip(points, following, strict=True))
