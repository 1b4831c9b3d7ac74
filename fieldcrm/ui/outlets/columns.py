"""The columns of the outlet list: what each says, and which ones a person sees at first."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from fieldcrm.ui import labels
from fieldcrm.ui.widgets import Column
from fieldcrm.usecases.outlets import OutletRow
from fieldcrm.words import distance, number, since, tr, trc

SHOWN_AT_FIRST = ("name", "city", "due", "segment", "last_visit", "promises")
ALWAYS = "name"


def columns(clock: Callable[[], datetime]) -> list[Column[OutletRow]]:
    """Every column there is, in the order of the menu. Keys that are sorts are named as ``usecases.outlets.Sort``."""
    return [
        Column("name", tr("Outlet"), lambda row: row.name, 250, strong=True),
        Column("city", tr("City"), lambda row: row.city or "", 124, tone=_muted),
        Column("due", tr("Next visit"), _due, 130, badge=_due_tone),
        Column("segment", tr("Segment"), lambda row: (row.segment or "").upper(), 86),
        Column("last_visit", tr("Last visit"), lambda row: _last(row, clock()), 128, tone=_last_tone),
        Column("promises", tr("To do"), _to_do, 84, badge=lambda row: "accent"),
        Column("store_type", tr("Type"), lambda row: labels.store_type(row.store_type), 150, tone=_muted),
        Column("banner", tr("Banner"), lambda row: row.banner or "", 140, tone=_muted),
        Column("postcode", tr("Postcode"), lambda row: row.postcode or "", 100, tone=_muted, figures=True),
        Column("address", tr("Address"), lambda row: row.address, 260, tone=_muted),
        Column("phone", tr("Phone"), lambda row: row.phone or "", 150, tone=_muted, figures=True),
        Column("state", tr("State"), lambda row: labels.outlet_state(row.state), 130, badge=_state_tone),
        Column("sector", tr("Sector"), lambda row: row.sector or "", 150, tone=_muted),
        Column("distributor", tr("Distributor"), lambda row: row.distributor or "", 150, tone=_muted),
        Column("freshness", tr("Confirmed"), lambda row: _confirmed(row, clock()), 140, tone=_confirmed_tone),
        Column("distance", tr("Distance"), _distance, 100, right=True, tone=_muted),
        Column("mapped", tr("On the map"), _mapped, 120, badge=_mapped_tone),
        Column("synced", trc("outlet", "Sent"), _synced, 150, badge=_synced_tone),
    ]


def _muted(row: OutletRow) -> str:
    return "muted"


def _due(row: OutletRow) -> str:
    return labels.lateness(row.due_days, never=row.last_visit_at is None)[0]


def _due_tone(row: OutletRow) -> str:
    return labels.lateness(row.due_days, never=row.last_visit_at is None)[1]


def _last(row: OutletRow, now: datetime) -> str:
    return tr("never") if row.last_visit_at is None else since(row.last_visit_at, now)


def _last_tone(row: OutletRow) -> str:
    return "faint" if row.last_visit_at is None else "muted"


def _confirmed(row: OutletRow, now: datetime) -> str:
    return tr("never") if row.confirmed_at is None else since(row.confirmed_at, now)


def _confirmed_tone(row: OutletRow) -> str:
    return "faint" if row.confirmed_at is None else "muted"


def _to_do(row: OutletRow) -> str:
    return number(row.open_tasks) if row.open_tasks else ""


def _state_tone(row: OutletRow) -> str:
    return {"active": "success", "prospect": "accent"}.get(row.state, "neutral")


def _distance(row: OutletRow) -> str:
    return "" if row.distance_m is None else distance(row.distance_m)


def _mapped(row: OutletRow) -> str:
    return "" if row.mapped else tr("Not mapped")


def _mapped_tone(row: OutletRow) -> str:
    return "warning"


def _synced(row: OutletRow) -> str:
    return trc("outlet", "Sent") if row.synced else tr("On this device")


def _synced_tone(row: OutletRow) -> str:
    return "neutral" if row.synced else "warning"
