"""The day on the map: numbered pins in route order, the way between them, and the rest of the sector, quiet."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from fieldcrm.ui import reasons
from fieldcrm.ui.widgets.map_view import MapView, Place, pin
from fieldcrm.usecases.today import OtherOutlet, StopState, Today, TodayRow

_STATES = {StopState.STARTED: StopState.NEXT}


def show_day(view: MapView, today: Today, others: Sequence[OtherOutlet]) -> None:
    """Pins and route of ``today``; ids are hexadecimal outlet ids."""
    pins: list[dict[str, Any]] = []
    for row in today.rows:
        if row.place is None:
            continue
        note = " · ".join(part for part in (reasons.clock(row.arrive), reasons.reasons(row.reasons)) if part)
        state = _STATES.get(row.state, row.state).value
        pins.append(pin(row.outlet_id.hex, row.name, row.place, state, number=row.number, note=note))
    left = {row.outlet_id: reasons.left_out(row.reason, row.params) for row in today.left_out}
    pins += [pin(o.outlet_id.hex, o.name, o.place, "unplanned", note=left.get(o.outlet_id, "")) for o in others]
    view.set_outlets(pins)
    done = _line(row for row in sorted(today.rows, key=lambda r: r.arrive or 0) if row.state is StopState.DONE)
    ahead = _line(row for row in today.rows if row.open)
    home = [today.home] if today.home else []
    start = done[-1:] or home
    view.set_route([*start, *ahead, *(home if ahead else [])], done=[*home, *done] if done else [], homes=home)


def _line(rows: Any) -> list[Place]:
    found: list[TodayRow] = list(rows)
    return [row.place for row in found if row.place is not None]
