"""Where the person is, and was: routes by name, with back and forward. Screens know this, never one another."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from PySide6.QtCore import QObject, Signal

DEPTH = 50  # places remembered


@dataclass(frozen=True)
class Place:
    """A route and its parameters, for example ``Place("outlet", {"id": …})``."""

    route: str
    params: dict[str, Any] = field(default_factory=dict)


class Navigator(QObject):
    """``moved`` tells the shell which place to show; it raises nothing for a route it does not know, the shell does."""

    moved = Signal(object)  # Place

    def __init__(self, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self._back: list[Place] = []
        self._forward: list[Place] = []
        self._here: Place | None = None

    @property
    def here(self) -> Place | None:
        return self._here

    @property
    def can_go_back(self) -> bool:
        return bool(self._back)

    @property
    def can_go_forward(self) -> bool:
        return bool(self._forward)

    def go(self, route: str, /, **params: Any) -> None:
        """Show ``route``. Going where one already is only shows it again."""
        place = Place(route, params)
        if self._here is not None and self._here != place:
            self._back = [*self._back, self._here][-DEPTH:]
            self._forward.clear()
        self._arrive(place)

    def replace(self, route: str, /, **params: Any) -> None:
        """Show ``route`` instead of the present place, which is not to be come back to (a form just sent)."""
        self._arrive(Place(route, params))

    def back(self) -> None:
        if self._back:
            if self._here is not None:
                self._forward.append(self._here)
            self._arrive(self._back.pop())

    def forward(self) -> None:
        if self._forward:
            if self._here is not None:
                self._back.append(self._here)
            self._arrive(self._forward.pop())

    def forget(self, route: str, /, **params: Any) -> None:
        """Drop a place from the history: what it showed is no more (a draft thrown away)."""
        gone = Place(route, params)
        self._back = [place for place in self._back if place != gone]
        self._forward = [place for place in self._forward if place != gone]

    def _arrive(self, place: Place) -> None:
        self._here = place
        self.moved.emit(place)
