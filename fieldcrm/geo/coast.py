"""The sea of an extract, from its coastline.

OpenStreetMap draws the coast as lines with land on the left and water on the right; in a cut-out they do not
close. Together with the frame of the extract they divide it into faces, and each face is sea or land by the
side on which the coast's segments see it.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

import numpy as np
import shapely
import shapely.ops

_SHORT = 1e-12  # on the unit square: far below a millimetre; such a segment has no side to trust
_REACH = 0.08  # of the frame's longer side: how far a loose end may be from its edge and still be led to it
_BESIDE = 1e-8  # about 40 cm: how far beside the coast a face is looked for


def sea(coast: Sequence[shapely.LineString], frame: shapely.Polygon) -> list[shapely.Polygon]:
    """The polygons of sea inside ``frame``; coordinates are those of the unit square, so y grows to the south.

    Without a coast nothing is sea: an inland extract, and also one that lies wholly at sea.
    """
    lines = [part for line in coast for part in shapely.get_parts(shapely.intersection(line, frame)) if part.length]
    if not lines:
        return []
    noded = shapely.union_all([*lines, *_bridges(lines, frame), frame.exterior])
    faces = [face for face in shapely.get_parts(shapely.polygonize([noded])) if not face.is_empty]
    if not faces:
        return []
    votes = _votes(lines, faces)
    return [face for face, vote in zip(faces, votes, strict=True) if vote > 0]


def _bridges(lines: Sequence[shapely.LineString], frame: shapely.Polygon) -> list[shapely.LineString]:
    """From each loose end of the coast to the frame: an extract keeps what is inside, so lines stop short of it."""
    ends: Counter[tuple[float, float]] = Counter()
    for line in lines:
        ends.update([line.coords[0], line.coords[-1]])
    reach = _REACH * max(frame.bounds[2] - frame.bounds[0], frame.bounds[3] - frame.bounds[1])
    bridges = []
    for end, times in ends.items():
        point = shapely.Point(end)
        if times == 1 and 0 < frame.exterior.distance(point) <= reach:
            bridges.append(shapely.LineString(shapely.ops.nearest_points(point, frame.exterior)))
    return bridges


def _votes(lines: Sequence[shapely.LineString], faces: Sequence[shapely.Polygon]) -> np.ndarray:
    """Per face, the length of coast that sees it on its right, less the length that sees it on its left."""
    starts = np.concatenate([shapely.get_coordinates(line)[:-1] for line in lines])
    ends = np.concatenate([shapely.get_coordinates(line)[1:] for line in lines])
    along = ends - starts
    length = np.hypot(along[:, 0], along[:, 1])
    clear = length > _SHORT
    along, length, middle = along[clear], length[clear], ((starts + ends) / 2)[clear]
    # y grows to the south, so turning right (clockwise as seen) takes (dx, dy) to (-dy, dx).
    right = np.column_stack((-along[:, 1], along[:, 0])) / length[:, None]
    beside = np.minimum(length * 0.05, _BESIDE)[:, None]
    votes = np.zeros(len(faces))
    tree = shapely.STRtree(faces)
    for sign in (1, -1):
        points = shapely.points(middle + sign * beside * right)
        which, face = tree.query(points, predicate="within")
        np.add.at(votes, face, sign * length[which])
    return votes
