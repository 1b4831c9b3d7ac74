"""What the points of the map may be coloured by, and the classes of each: words, colours and how many."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING

import numpy as np

from fieldcrm.ui import labels
from fieldcrm.ui.widgets.map_view_points import Shade, distinct_colours, ordered_colours
from fieldcrm.words import tr

if TYPE_CHECKING:
    import numpy.typing as npt

    from fieldcrm.usecases.outlets import Points

APART = 8  # classes that are told apart by colour; the rest is one


@dataclass(frozen=True, slots=True)
class Colouring:
    """One way to colour. ``steps``: classes from good to bad, the last "not known"; else the most frequent first."""

    key: str
    title: str
    steps: tuple[tuple[str, str], ...] = ()
    name: Callable[[str], str] = str


@dataclass(frozen=True, slots=True)
class Coloured:
    """The class of each point, and beside each class how many points it has."""

    codes: npt.NDArray[np.uint8]
    shades: tuple[Shade, ...]
    counts: tuple[int, ...]


def colourings(sectors: Mapping[str, str]) -> list[Colouring]:
    """In the order of the menu; ``sectors``: their names by id in hex."""
    ages = (
        ("0", tr("within 30 days")), ("1", tr("30 to 90 days")), ("2", tr("90 to 180 days")),
        ("3", tr("180 days to a year")), ("4", tr("over a year ago")), ("never", tr("never")),
    )  # fmt: skip
    due = (("later", tr("later")), ("soon", tr("within a week")), ("late", tr("overdue")), ("none", tr("no rhythm")))
    held = (
        ("all", tr("all of them")), ("most", tr("three quarters or more")), ("half", tr("half or more")),
        ("few", tr("less than half")), ("never", tr("never counted")),
    )  # fmt: skip
    return [
        Colouring("freshness", tr("Freshness (confirmed)"), ages),
        Colouring("last_visit", tr("Last visit"), ages),
        Colouring("due", tr("Next visit"), due),
        Colouring("segment", tr("Segment"), (*((s, labels.segment(s)) for s in "abc"), ("", tr("without")))),
        Colouring("held", tr("Our products held (last counts)"), held),
        Colouring("state", tr("State"), name=labels.outlet_state),
        Colouring("store_type", tr("Type"), name=lambda code: labels.store_type(code) if code else tr("without")),
        Colouring("banner", tr("Banner"), name=lambda code: code or tr("without")),
        Colouring("sector", tr("Sector"), name=lambda code: sectors.get(code, tr("another sector"))),
    ]


def coloured(points: Points, by: Colouring) -> Coloured:
    """The classes that occur, in their order, at most nine."""
    given = points.category if points.category is not None else np.zeros(len(points.rid), dtype=np.int16)
    counts = np.bincount(given, minlength=len(points.categories))
    if by.steps:
        shades = [Shade(words, colour) for (_, words), colour in zip(by.steps, _ramp(len(by.steps)), strict=True)]
        place = {key: at for at, (key, _) in enumerate(by.steps)}
        table = [place.get(category, len(shades) - 1) for category in points.categories]
    else:
        order = sorted(range(len(points.categories)), key=lambda at: (not points.categories[at], -counts[at]))
        named = order[:APART]
        shades = [
            Shade(by.name(points.categories[at]), colour)
            for at, colour in zip(named, distinct_colours(len(named)), strict=False)
        ]
        if len(order) > APART:
            shades.append(Shade(tr("all others"), distinct_colours(APART)[-1]))
        place_of = {at: turn for turn, at in enumerate(named)}
        table = [place_of.get(at, APART) for at in range(len(points.categories))]
    codes = np.array(table or [0], dtype=np.uint8)[given]
    each = np.bincount(codes, minlength=len(shades)) if len(codes) else np.zeros(len(shades), dtype=int)
    return Coloured(codes, tuple(shades), tuple(int(n) for n in each))


def _ramp(classes: int) -> list[str]:
    """Colours of ordered classes, the last for what is not known."""
    return ordered_colours(classes - 1)
