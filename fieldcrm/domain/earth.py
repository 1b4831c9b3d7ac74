"""The measure of the earth: one sphere for all rooms, so that no two of them disagree about a distance.

Its radius is the mean radius of the ellipsoid, 6,371,008.8 m (IUGG); distances on it are within 0.6 % of the
ellipsoid's.
"""

from __future__ import annotations

from math import cos, hypot, pi, radians

EARTH_M = 6_371_008.8
METRES_A_DEGREE = EARTH_M * pi / 180  # of latitude

_E7 = 10_000_000


def metres(lat_e7: int, lon_e7: int, other_lat_e7: int, other_lon_e7: int) -> float:
    """Between two points that are not far apart, in degrees x 10^7: on the plane that touches the sphere there."""
    north = (other_lat_e7 - lat_e7) / _E7
    east = ((other_lon_e7 - lon_e7) / _E7 + 180) % 360 - 180
    middle = radians((lat_e7 + other_lat_e7) / 2 / _E7)
    return hypot(north, east * cos(middle)) * METRES_A_DEGREE
