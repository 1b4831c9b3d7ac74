"""The outlet on the map of its region: made when it is first asked for, because the map is heavy."""

from __future__ import annotations

from PySide6.QtWidgets import QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.widgets import Card
from fieldcrm.usecases.card import Card as OutletCard

HEIGHT = 260


class PlaceOnMap(Card):
    def __init__(self, session: AppSession) -> None:
        super().__init__(padding=0, spacing=0)
        self._session = session
        self._map: QWidget | None = None
        self.setFixedHeight(theme.pixels(HEIGHT))

    def show_card(self, card: OutletCard) -> None:
        from fieldcrm.ui.widgets.map_view import MapView, pin

        position = card.outlet.position
        if position is None:
            return
        if self._map is None:
            self._map = MapView(self._session.folder)
            self.add(self._map, 1)
        assert isinstance(self._map, MapView)
        key = card.outlet.id.hex
        self._map.set_outlets([pin(key, card.outlet.name, position, "next")])
        self._map.select(key)
