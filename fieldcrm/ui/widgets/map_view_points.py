"""A map of any number of outlets: points on one canvas, clustered, coloured by class, and chosen by drawing an area.

Numbers go to the page as bytes through the program's own scheme, never as text. A *point* is known by its ``rid``,
the row number that the list uses too.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import shiboken6
from PySide6.QtCore import Signal
from PySide6.QtWidgets import QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.widgets.map_view import MapView, Place
from fieldcrm.words import language, tr

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from fieldcrm.usecases.outlets import Points

TOOLS = ("lasso", "polygon", "rectangle")


@dataclass(frozen=True, slots=True)
class Shade:
    """One class of the colouring: its words and its colour on the screen (``#rrggbb``)."""

    name: str
    colour: str


@dataclass(frozen=True, slots=True)
class Sight:
    """Where a map looks: its middle in degrees and its zoom, to be found again."""

    lat: float
    lon: float
    zoom: float


class PointMap(MapView):
    """``set_points`` shows them; clicks and areas come back as signals, with row numbers.

    Everything may be set before the page is there, as on every map. ``namer`` is asked for the two lines of the small
    label when the pointer rests on a point.
    """

    clicked = Signal(int, bool)  # rid; whether it was to be added to, or taken from, what is selected (Ctrl)
    opened = Signal(int)  # double click or Enter
    missed = Signal()  # a click where nothing is
    area_drawn = Signal(list, str)  # ring of (lat, lon) in degrees; replace, add or subtract
    tool_left = Signal()
    escaped = Signal()
    all_wanted = Signal()  # Ctrl+A
    shown = Signal(int)  # how many points are now on the map
    moved = Signal(object)  # Sight
    failed = Signal(str)

    def __init__(self, profile_folder: Path | None = None, parent: QWidget | None = None) -> None:
        super().__init__(profile_folder, parent)
        self.namer: Callable[[int], tuple[str, str]] | None = None
        self._files = 0
        self._points: Points | None = None
        self._codes: bytes = b""

    def page_words(self) -> dict[str, str]:
        return {**super().page_words(), "fit": tr("Show all outlets")}

    # ---- what is shown

    def set_points(
        self,
        points: Points,
        codes: npt.NDArray[np.uint8],
        shades: Sequence[Shade],
        *,
        fit: bool = True,
        sight: Sight | None = None,
    ) -> None:
        """Show these in place of the last; ``codes`` index ``shades``. The selection is empty afterwards.

        ``fit`` moves the map to show all; ``sight`` moves it there instead.
        """
        body = b"".join(
            part.astype(kind, copy=False).tobytes()
            for part, kind in (
                (points.rid, "<i4"),
                (points.lat_e7, "<i4"),
                (points.lon_e7, "<i4"),
                (codes, "u1"),
            )
        )
        self._points = points
        self._handed.clear()
        self._state.pop("fieldPoints.choose", None)
        what: dict[str, Any] = {"url": self._hand_over(body), "fit": fit and sight is None, **self._look(shades)}
        if sight is not None:
            what["view"] = {"lat": sight.lat, "lon": sight.lon, "zoom": sight.zoom}
        self._tell("setPoints", what)

    def set_shown(self, mask: npt.NDArray[np.bool_] | None) -> None:
        """Which of the points are selected, in their order; None: none of them."""
        self._tell("fieldPoints.choose", None if mask is None else self._hand_over(mask.astype("u1").tobytes()))

    def set_current(self, rid: int | None, *, reveal: bool = False) -> None:
        """Ring one point; with ``reveal`` the map moves when it is out of sight."""
        self._tell("fieldPoints.setCurrent", rid, reveal)

    def set_tool(self, tool: str | None) -> None:
        """``lasso``, ``polygon`` or ``rectangle``; None is the hand that moves the map."""
        self._tell("fieldSelect.setTool", tool, _hints())

    def fit(self) -> None:
        if self.is_ready:
            self._run("fieldPoints.fit()")

    def _hand_over(self, body: bytes) -> str:
        self._files += 1
        name = f"{self._files}.bin"
        self._handed[name] = body
        for old in list(self._handed)[:-4]:  # the page has long fetched it
            del self._handed[old]
        return f"points/{name}"

    @staticmethod
    def _look(shades: Sequence[Shade]) -> dict[str, Any]:
        return {
            "colours": [shade.colour for shade in shades],
            "names": [shade.name for shade in shades],
            "words": {"stores": tr("{n} outlets"), "selected": tr("{n} selected")},
            "language": language(),
        }

    # ---- what the page says

    def heard(self, kind: str, what: dict[str, Any]) -> None:
        if not shiboken6.isValid(self):
            return
        if kind == "clicked":
            self.clicked.emit(int(what["rid"]), bool(what["toggle"]))
        elif kind == "activated":
            self.opened.emit(int(what["rid"]))
        elif kind == "hovered":
            self._name(int(what["rid"]))
        elif kind == "drawn":
            ring: list[Place] = [(float(lat), float(lon)) for lat, lon in what["area"]]
            self.area_drawn.emit(ring, what["mode"])
        elif kind == "moved":
            self.moved.emit(Sight(what["lat"], what["lon"], what["zoom"]))
        elif kind == "shown":
            self.shown.emit(int(what["n"]))
        elif kind == "failed":
            self.failed.emit(str(what["reason"]))
        else:
            said = {
                "missed": self.missed, "toolEnded": self.tool_left, "escaped": self.escaped, "all": self.all_wanted,
            }  # fmt: skip
            said[kind].emit()

    def _name(self, rid: int) -> None:
        if self.namer is not None:
            name, more = self.namer(rid)
            self._state.pop("fieldPoints.named", None)
            self._tell("fieldPoints.named", rid, name, more)


def _hints() -> dict[str, str]:
    return {
        "lasso": tr("Draw around outlets. Shift adds, Alt takes away, Esc ends."),
        "polygon": tr(
            "Click the corners; a double click or Enter closes the area. Shift adds, Alt takes away, Esc ends."
        ),
        "rectangle": tr("Pull a rectangle. Shift adds, Alt takes away, Esc ends."),
    }


# ---- colours ----------------------------------------

# Blue to vermilion (Okabe and Ito), told apart with any kind of sight, in both themes; the last is "nothing known".
_ORDERED = {
    False: ("#0072b2", "#56a8dc", "#e0b000", "#e08214", "#c2410c", "#8d8f88"),
    True: ("#3d9fe2", "#9bd2f5", "#f2cf46", "#f39c38", "#f0653a", "#7f8883"),
}
_APART = {
    False: ("#0072b2", "#e08a00", "#009e73", "#b5568f", "#56a8dc", "#b23b00", "#8a7a00", "#5b4fa8", "#8d8f88"),
    True: ("#3d9fe2", "#f2a93b", "#2fc79a", "#e08fc0", "#a3d8f7", "#f0653a", "#e6db55", "#a99df0", "#7f8883"),
}


def ordered_colours(count: int) -> list[str]:
    """``count`` (two to five) from good to bad, and one more for what is not known."""
    ramp = _ORDERED[theme.current().dark]
    picks = {2: (0, 4), 3: (0, 2, 4), 4: (0, 1, 2, 4), 5: (0, 1, 2, 3, 4)}[count]
    return [*(ramp[at] for at in picks), ramp[5]]


def distinct_colours(count: int) -> list[str]:
    """``count`` (eight at most) that differ, and one more for all the rest."""
    ramp = _APART[theme.current().dark]
    return [*ramp[:count], ramp[8]]
