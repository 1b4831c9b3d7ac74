"""What Today says when the day has no stop."""

from __future__ import annotations

from collections.abc import Callable

from fieldcrm.ui.widgets import EmptyState
from fieldcrm.words import tr


def empty_day(
    *, planned: bool, stocked: bool, plan: Callable[[], object], add: Callable[[], object]
) -> EmptyState:
    """``planned``: the plan was made and nothing was due. ``stocked``: the sector has stores."""
    if not planned and not stocked:
        text = tr("Sync once, or import the outlets of a region; then your day can be planned here.")
        return EmptyState("store", tr("No stores yet"), text)
    if planned:
        title, text = tr("Nothing to do"), tr("No store is due and open on this day. You can still add one.")
    else:
        title = tr("Plan your day")
        text = tr("FieldCRM picks the stores that need you most and puts them in a good order, with opening "
                  "hours and lunch. You can change everything.")
    return EmptyState("route", title, text, (tr("Plan my day"), plan), second=(tr("Add a store"), add))
