"""The outlets of the list on a map: the same search and filters, coloured, selected by drawing, changed together."""

from __future__ import annotations

from typing import Any

from PySide6.QtCore import QPoint, Signal
from PySide6.QtGui import QAction, QActionGroup
from PySide6.QtWidgets import QHBoxLayout, QMenu, QVBoxLayout, QWidget

from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.outlets.map_colours import Coloured, coloured, colourings
from fieldcrm.ui.outlets.map_legend import Legend
from fieldcrm.ui.outlets.map_selection import Ring, Selection
from fieldcrm.ui.outlets.map_tools import ToolBar
from fieldcrm.ui.widgets import Button, Text
from fieldcrm.ui.widgets.map_view_points import PointMap, Sight
from fieldcrm.usecases import outlets
from fieldcrm.usecases.outlets import Filters, Points
from fieldcrm.words import number, tr, trn

KEPT = "outlets/map"


class OutletsMap(QWidget):
    """``show_results`` says what the list has now. Row numbers are those of the list."""

    current_changed = Signal(int)
    opened = Signal(int)
    selection_changed = Signal()
    unmapped_wanted = Signal()

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        self._query, self._filters, self._total = "", Filters(session.clock()), 0
        self._points: Points | None = None
        self._coloured: Coloured | None = None
        self._stale, self._framed = True, False
        self._sight: Sight | None = None
        self.selection = Selection()
        self.current: int | None = None
        kept = session.preferences.json(KEPT, {})
        self._colour = str(kept.get("colour") or "freshness")
        self._first_sight = _sight(kept)
        self.tools = ToolBar(self._pick_colour)
        self.tools.tool_chosen.connect(self.use_tool)
        self.tools.all_wanted.connect(self.select_all)
        self.map = PointMap(session.folder)
        self.map.namer = self._name
        self.legend = Legend()
        self.missing = Text("", "caption", "muted")
        self.missing_button = Button(tr("Show them"), "quiet", on_click=self.unmapped_wanted.emit)
        self.place_button = Button(tr("Place them"), "quiet", on_click=self._place_them)
        self._connect_map()
        self._lay_out()
        theme.signals().changed.connect(self._recolour)

    def _connect_map(self) -> None:
        self.map.clicked.connect(self._clicked)
        self.map.opened.connect(self.opened)
        self.map.area_drawn.connect(self._drawn)
        self.map.tool_left.connect(lambda: self.use_tool(None))
        self.map.escaped.connect(self.clear_selection)
        self.map.all_wanted.connect(self.select_all)
        self.map.moved.connect(self._moved)
        self.map.failed.connect(self._failed)

    def _lay_out(self) -> None:
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.space(2))
        whole.addWidget(self.tools)
        whole.addWidget(self.map, 1)
        foot = QHBoxLayout()
        foot.setSpacing(theme.space(2))
        foot.addWidget(self.legend, 1)
        for widget in (self.missing, self.missing_button, self.place_button):
            foot.addWidget(widget)
            widget.hide()
        whole.addLayout(foot)

    # ---- what is shown

    def show_results(self, query: str, filters: Filters, total: int) -> None:
        """What the list shows now, and how many lines it has; read at once while the map is in front."""
        other = (query, filters) != (self._query, self._filters)
        self._query, self._filters, self._total = query, filters, total
        self._framed = self._framed and not other
        self._stale = True
        if self.isVisible():
            self._load()

    def showEvent(self, event: Any) -> None:
        super().showEvent(event)
        if self._stale:
            self._load()

    def _load(self) -> None:
        self._stale = False
        query, filters, colour = self._query, self._filters, self._colour
        self._session.ask_later(
            lambda r: (outlets.points(r, filters, query, colour=colour), outlets.sectors(r)),
            self._found,
            self._session.messages.error,
            key="outlets.points",
        )

    def _found(self, found: tuple[Points, tuple[outlets.Sector, ...]]) -> None:
        self._points, sectors = found
        self._colourings = {one.key: one for one in colourings({s.id.hex: s.name for s in sectors})}
        self.selection.take_points(self._points)
        self._put()
        self._say_missing()
        self.selection_changed.emit()

    def _put(self) -> None:
        """Hand the points over, in the colours of the theme."""
        if self._points is None:
            return
        by = self._colourings[self._colour]
        self._coloured = coloured(self._points, by)
        sight, self._first_sight = self._first_sight, None
        fit = not self._framed and bool(len(self._points.rid))
        self._framed = self._framed or fit
        self.map.set_points(self._points, self._coloured.codes, self._coloured.shades, fit=fit, sight=sight)
        if self.current is not None:
            self.map.set_current(self.current)
        if self.selection.count:
            self.map.set_shown(self.selection.mask)
        self.legend.show_classes(self._coloured)
        self.tools.show_colour(by.title)

    def _recolour(self) -> None:
        if self._points is not None:
            self._put()

    def _say_missing(self) -> None:
        count = self._total - (0 if self._points is None else len(self._points.rid))
        self.missing.setText(
            trn("{missing} of {n} outlet is not on the map", "{missing} of {n} outlets are not on the map", self._total,
                missing=number(count))
        )  # fmt: skip
        for widget in (self.missing, self.missing_button):
            widget.setVisible(count > 0)
        self.place_button.setVisible(count > 0 and self._session.is_manager)

    def _place_them(self) -> None:
        self._session.navigator.go("steward", page="placing")

    def _name(self, rid: int) -> tuple[str, str]:
        midnight = self._filters.midnight
        found = self._session.ask(lambda r: outlets.rows(r, [rid], midnight=midnight))
        return (found[0].name, found[0].address) if found else ("", "")

    def _failed(self, reason: str) -> None:
        self.missing.setText(tr("The points could not be drawn: {reason}", reason=reason))
        self.missing.show()

    # ---- colours

    def _pick_colour(self) -> None:
        menu = QMenu(self)
        group = QActionGroup(menu)
        for one in getattr(self, "_colourings", {}).values():
            action = QAction(one.title, menu)
            action.setCheckable(True)
            action.setChecked(one.key == self._colour)
            action.triggered.connect(lambda _=False, key=one.key: self.colour_by(key))
            group.addAction(action)
            menu.addAction(action)
        button = self.tools.colour_button
        menu.popup(button.mapToGlobal(QPoint(0, button.height() + 4)))

    def colour_by(self, key: str) -> None:
        self._colour = key
        self._keep()
        self._load()

    # ---- where it looks

    def _moved(self, sight: Sight) -> None:
        self._sight = sight
        self._keep()

    def _keep(self) -> None:
        kept: dict[str, Any] = {"colour": self._colour}
        sight = self._sight or self._first_sight
        if sight is not None:
            kept |= {"lat": round(sight.lat, 5), "lon": round(sight.lon, 5), "zoom": sight.zoom}
        self._session.preferences.set_json(KEPT, kept)

    def fit(self) -> None:
        self.map.fit()

    # ---- one outlet

    def set_current(self, rid: int | None, *, reveal: bool = True) -> None:
        """Ring the line that is chosen in the list; says nothing back."""
        self.current = rid
        self.map.set_current(rid, reveal=reveal)

    def _clicked(self, rid: int, toggle: bool) -> None:
        if toggle:
            self.selection.toggle(rid)
            self._show_selection()
            return
        self.set_current(rid, reveal=False)
        self.current_changed.emit(rid)

    # ---- many outlets

    def use_tool(self, tool: str | None) -> None:
        """``lasso``, ``polygon``, ``rectangle``, or None for the hand."""
        self.tools.show_tool(tool)
        self.map.set_tool(tool)

    def _drawn(self, ring: Ring, mode: str) -> None:
        self.selection.draw(ring, mode)
        self._show_selection()

    def select_all(self) -> None:
        """Every outlet that the search and the filters let through and that is on the map."""
        self.selection.all()
        self._show_selection()

    def clear_selection(self) -> None:
        self.selection.clear()
        self._show_selection()

    def _show_selection(self) -> None:
        self.map.set_shown(self.selection.mask if self.selection.count else None)
        self.selection_changed.emit()

    def close_map(self) -> None:
        """See ``MapView.close_map``."""
        self.map.close_map()


def _sight(kept: dict[str, Any]) -> Sight | None:
    numbers = [kept.get(name) for name in ("lat", "lon", "zoom")]
    if not all(isinstance(value, int | float) for value in numbers):
        return None
    lat, lon, zoom = (float(value) for value in numbers if value is not None)
    return Sight(lat, lon, zoom) if abs(lat) <= 85 and abs(lon) <= 180 and 0 <= zoom <= 20 else None
