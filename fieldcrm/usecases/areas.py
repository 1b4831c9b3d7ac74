"""Points inside an area that somebody drew on the map."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fieldcrm.domain.outlet import DEGREE

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from fieldcrm.store.search import Points

Ring = Sequence[tuple[float, float]]  # latitude, longitude in degrees; closed by itself


def inside(points: Points, ring: Ring) -> npt.NDArray[np.bool_]:
    """Which of the points the ring holds, its edge included; both loops of one that crosses itself.

    A ring that is less than a triangle holds what lies on it. Hundredths of a second for 100,000 points: the box of
    the ring is asked first.
    """
    import numpy as np
    import shapely

    lats = [round(lat * DEGREE) for lat, _ in ring]
    lons = [round(lon * DEGREE) for _, lon in ring]
    found = (
        (points.lat_e7 >= min(lats)) & (points.lat_e7 <= max(lats))
        & (points.lon_e7 >= min(lons)) & (points.lon_e7 <= max(lons))
    )  # fmt: skip
    at = np.flatnonzero(found)
    if len(at) and len(ring) >= 3:
        area = shapely.Polygon(list(zip(lons, lats, strict=True)))  # as it is: see ``store.searchquery.inside``
        shapely.prepare(area)
        found[at] = shapely.intersects_xy(area, points.lon_e7[at].astype(float), points.lat_e7[at].astype(float))
    return found
