"""How far, and how long by car, as long as there are no roads: the great circle, stretched and timed by experience.

The detour of 1.42 is the median of road over straight line in two countries; 5 % to 95 % lie between 1.15 and 2.35,
so single trips may be off by half, the sum of a day much less. The speeds grow with the length of the trip.
"""

from __future__ import annotations

from collections.abc import Sequence
from math import asin, cos, inf, radians, sin, sqrt
from typing import TYPE_CHECKING, TypeAlias

from fieldcrm.domain.earth import EARTH_M

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

DETOUR = 1.42
PARKING_S = 90  # to leave one place and stop at another; none between doors of one address
SAME_PLACE_M = 40.0
WALK_M_S = 1.25  # next door one walks
# Metres of road that are driven at km/h, from the start of the trip; the rest at the last speed.
BANDS = ((1_000.0, 20.0), (4_000.0, 30.0), (15_000.0, 48.0), (inf, 78.0))

Place = tuple[float, float]  # latitude, longitude in degrees
Seconds: TypeAlias = "npt.NDArray[np.int64]"


def great_circle_m(a: Place, b: Place) -> float:
    """Metres as the crow flies, on the sphere (haversine; within 0.6 % of the ellipsoid): enough for lists."""
    north, south = radians(a[0]), radians(b[0])
    half = sin((south - north) / 2) ** 2 + cos(north) * cos(south) * sin(radians(b[1] - a[1]) / 2) ** 2
    return 2 * EARTH_M * asin(min(1.0, sqrt(half)))


def distance_m(a: Place, b: Place) -> float:
    """Metres as the crow flies, on the ellipsoid: for what is recorded as evidence."""
    from geopy.distance import geodesic  # here, as numpy below: the start does not wait for them

    return float(geodesic(a, b).meters)


def straight_line_m(places: Sequence[Place]) -> npt.NDArray[np.float64]:
    """Metres between all pairs, on the sphere (within 0.6 % of the ellipsoid, and a thousand times quicker)."""
    import numpy as np

    if not places:
        return np.zeros((0, 0))
    points = np.radians(np.asarray(places, dtype=float))
    latitude, longitude = points[:, 0], points[:, 1]
    half = np.sin((latitude[:, None] - latitude) / 2) ** 2
    half += np.cos(latitude)[:, None] * np.cos(latitude) * np.sin((longitude[:, None] - longitude) / 2) ** 2
    metres: npt.NDArray[np.float64] = 2 * EARTH_M * np.arcsin(np.sqrt(np.clip(half, 0, 1)))
    return metres


def drive_seconds(straight_m: npt.NDArray[np.float64]) -> Seconds:
    """Time over a straight line, as whole seconds: by car, or on foot where that is quicker; 0 at the same address."""
    import numpy as np

    road = straight_m * DETOUR
    seconds = np.zeros_like(road)
    driven = 0.0
    for length, speed in BANDS:
        seconds += np.clip(road - driven, 0, length) / (speed / 3.6)
        driven += length
    seconds = np.minimum(seconds + PARKING_S, road / WALK_M_S)
    return np.where(straight_m < SAME_PLACE_M, 0, np.rint(seconds)).astype(np.int64)


def travel_seconds(places: Sequence[Place]) -> Seconds:
    """The matrix of driving times between all pairs, in seconds."""
    return drive_seconds(straight_line_m(places))
