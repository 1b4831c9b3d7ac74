"""Placing an outlet by hand: the map moves under a crosshair, and what stands there is the place."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtCore import Qt, QTimer, Signal
from PySide6.QtGui import QKeySequence, QShortcut
from PySide6.QtWidgets import QHBoxLayout, QLineEdit, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.widgets.buttons import IconButton
from fieldcrm.ui.widgets.fields import Field
from fieldcrm.ui.widgets.map_view import MapView, Place
from fieldcrm.ui.widgets.text import Text
from fieldcrm.words import tr

DEGREE = 10_000_000
Position = tuple[int, int]  # latitude and longitude, degrees x 10^7


class _PickMap(MapView):
    placed = Signal(float, float, float)

    def begin(self, place: Place | None, origin: Place | None, area: tuple[Place, Place] | None, zoom: float) -> None:
        self._tell("fieldPick.start", {"place": place, "origin": origin, "area": area, "zoom": zoom})

    def go(self, place: Place) -> None:
        if self.is_ready:
            self._run(f"fieldPick.go([{place[0]!r}, {place[1]!r}])")

    def page_words(self) -> dict[str, str]:
        return {**super().page_words(), "fit": tr("Show the whole area")}

    def heard(self, kind: str, what: dict[str, Any]) -> None:
        if kind == "placed":
            self.placed.emit(what["lat"], what["lon"], what["zoom"])


class PlacePicker(QWidget):
    """A map with a crosshair, the address it is for, the coordinates as they are, and a way back.

        picker = PlacePicker(session.folder)
        picker.changed.connect(…)           # (lat_e7, lon_e7), whenever the person moved it
        picker.begin("12 rue du Port, 29000 Quimper", position, near=(lat_e7, lon_e7))
        picker.position()                   # (lat_e7, lon_e7), or None while there is none

    ``begin`` without a position shows ``near`` (the town, the neighbours) and has no place until the person moves the
    map. Ctrl+Z steps back; coordinates may be typed or pasted, where WebEngine is missing too.
    ``describe`` (optional) turns a position into words, for "about 12 rue du Port": called 400 ms after the last move.
    """

    changed = Signal(int, int)

    def __init__(
        self,
        profile_folder: Path | None = None,
        *,
        describe: Callable[[Position], str] | None = None,
        parse: Callable[[str], Position | None] | None = None,
        parent: QWidget | None = None,
    ) -> None:
        super().__init__(parent)
        self._describe, self._parse = describe, parse or _parse
        self._origin: Position | None = None
        self._now: Position | None = None
        self._past: list[Position | None] = []
        self.address = Text("", "body-medium", wrap=True)
        self.about = Text("", "caption", "muted", wrap=True)
        self.edit = QLineEdit()
        self.edit.editingFinished.connect(self._typed)
        self.coordinates = Field(tr("Latitude, longitude"), self.edit)
        self.undo_button = IconButton("undo-2", tr("Back to the place before"), self.undo)
        self.map = _PickMap(profile_folder, self)
        self.map.placed.connect(self._moved)
        self._pause = QTimer(self)
        self._pause.setSingleShot(True)
        self._pause.setInterval(400)
        self._pause.timeout.connect(self._say_about)
        QShortcut(QKeySequence(QKeySequence.StandardKey.Undo), self, self.undo)
        self._lay_out()

    def _lay_out(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.space(2))
        whole.addWidget(self.address)
        whole.addWidget(self.map, 1)
        foot = QHBoxLayout()
        foot.setSpacing(theme.space(2))
        foot.addWidget(self.coordinates, 1)
        foot.addWidget(self.undo_button, 0, Qt.AlignmentFlag.AlignBottom)
        whole.addLayout(foot)
        whole.addWidget(self.about)

    def begin(self, address: str, position: Position | None = None, *, near: Position | None = None) -> None:
        """Start with an outlet: its address in words, where it stands, or about where to look."""
        self._origin = self._now = position
        self._past.clear()
        self.address.setText(address or tr("No address"))
        start = position or near
        self.map.begin(
            _degrees(start) if start else None, _degrees(position) if position else None, None,
            17 if position else 14,
        )
        self._say()

    def position(self) -> Position | None:
        return self._now

    @property
    def touched(self) -> bool:
        """Whether the place is another than it was."""
        return self._now != self._origin

    def undo(self) -> None:
        """Back to the place before the last move."""
        if self._past:
            self._now = self._past.pop()
            back = self._now or self._origin
            if back is not None:
                self.map.go(_degrees(back))
            self._say()
            if self._now is not None:
                self.changed.emit(*self._now)

    def close_map(self) -> None:
        """See ``MapView.close_map``."""
        self.map.close_map()

    def _moved(self, lat: float, lon: float, _zoom: float) -> None:
        self._take((round(lat * DEGREE), round(lon * DEGREE)))

    def _typed(self) -> None:
        text = self.edit.text().strip()
        if not text or (self._now is not None and text == _written(self._now)):
            return
        found = self._parse(text)
        if found is None:
            self.coordinates.set_error(tr("Two numbers are needed: latitude, longitude (48.8535, 2.3484)"))
            return
        self._take(found)
        self.map.go(_degrees(found))

    def _take(self, position: Position) -> None:
        if position == self._now:
            return
        self._past.append(self._now)
        self._now = position
        self._say()
        self.changed.emit(*position)

    def _say(self) -> None:
        self.edit.setText(_written(self._now) if self._now else "")
        self.coordinates.set_error("")
        self.undo_button.setEnabled(bool(self._past))
        self.about.setText("" if self._now else tr("Move the map until the crosshair is on the outlet."))
        self._pause.start()

    def _say_about(self) -> None:
        if self._describe is not None and self._now is not None:
            self.about.setText(self._describe(self._now))


def _degrees(position: Position) -> Place:
    return position[0] / DEGREE, position[1] / DEGREE


def _written(position: Position) -> str:
    lat, lon = _degrees(position)
    return f"{lat:.6f}, {lon:.6f}"


def _parse(text: str) -> Position | None:
    from fieldcrm.domain.errors import DomainError
    from fieldcrm.domain.outlet import parse_position

    try:
        lat, lon = parse_position(text)
    except DomainError:
        return None
    return None if lat is None or lon is None else (lat, lon)
