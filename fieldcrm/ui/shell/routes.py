"""Which screen a route shows. A screen's module is imported when it is first shown: the start stays quick."""

from __future__ import annotations

from dataclasses import dataclass
from importlib import import_module
from typing import Protocol, cast

from fieldcrm.domain.changes import Changes
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.words import tr


class Screen(Protocol):
    """What the shell asks of a screen, beyond being a QWidget made with the session.

    Optional: ``areas()`` for F6 (widgets that take the focus), ``leaving()`` when another screen comes to the front.
    """

    def open(self, **params: object) -> None: ...

    def refresh(self, changes: Changes) -> None: ...

    def actions(self) -> list[Action]: ...


@dataclass(frozen=True)
class Route:
    name: str
    module: str
    screen: str
    icon: str
    rail: str = ""  # the entry of the rail it belongs to; its own name when it has one


ROUTES = {
    route.name: route
    for route in (
        Route("today", "fieldcrm.ui.today", "TodayScreen", "calendar-check"),
        Route("outlets", "fieldcrm.ui.outlets", "OutletsScreen", "store"),
        Route("outlet", "fieldcrm.ui.outlet", "OutletScreen", "store", rail="outlets"),
        Route("visit", "fieldcrm.ui.visit", "VisitScreen", "clipboard-list", rail="today"),
        Route("steward", "fieldcrm.ui.steward", "StewardScreen", "database"),
        Route("review", "fieldcrm.ui.review", "ReviewScreen", "clipboard-check"),
        Route("sync", "fieldcrm.ui.sync_center", "SyncScreen", "refresh-cw"),
        Route("settings", "fieldcrm.ui.settings", "SettingsScreen", "settings"),
    )
}
REP_RAIL = ("today", "outlets", "sync", "settings")
MANAGER_RAIL = ("review", "outlets", "steward", "sync", "settings")


def rail_of(manager: bool) -> tuple[str, ...]:
    return MANAGER_RAIL if manager else REP_RAIL


def label(route: str) -> str:
    """A route's name for the person."""
    return {
        "today": tr("Today"),
        "outlets": tr("Outlets"),
        "outlet": tr("Outlet"),
        "visit": tr("Visit"),
        "steward": tr("Outlet base"),
        "review": tr("Review"),
        "sync": tr("Sync"),
        "settings": tr("Settings"),
    }[route]


def make(route: str, session: AppSession) -> Screen:
    """Import the screen of ``route`` and build it. Raises ``KeyError`` for a route there is not."""
    found = ROUTES[route]
    return cast(Screen, getattr(import_module(found.module), found.screen)(session))
