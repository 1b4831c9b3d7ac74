"""Web Mercator on the unit square: x to the east and y to the south, 0 to 1. Tiles are that square cut 2^z times."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

MAX_LATITUDE = 85.051128779806  # where the square ends

Array = npt.NDArray[np.float64]


def project(lon_lat: Array) -> Array:
    """Degrees (rows of lon, lat) to the unit square; latitudes beyond the square's edge are held at it."""
    latitude = np.radians(np.clip(lon_lat[:, 1], -MAX_LATITUDE, MAX_LATITUDE))
    x = lon_lat[:, 0] / 360 + 0.5
    y = 0.5 - np.arcsinh(np.tan(latitude)) / (2 * np.pi)
    return np.column_stack((x, y))


def unproject(x: float, y: float) -> tuple[float, float]:
    """The unit square to degrees: (lon, lat)."""
    return (x - 0.5) * 360, float(np.degrees(np.arctan(np.sinh((0.5 - y) * 2 * np.pi))))
