"""What the palette looks through: outlets by what they are called and where they are, people by name."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from fieldcrm.ui.actions import Found
from fieldcrm.ui.appsession import AppSession, Finder
from fieldcrm.words import tr

if TYPE_CHECKING:
    from fieldcrm.store.database import Reader

OUTLETS, PEOPLE = 40, 12


def outlet_finder(session: AppSession) -> Finder:
    """Outlets in the order of the search index."""

    def find(r: Reader, typed: str) -> Sequence[Found]:
        from fieldcrm.usecases import outlets

        rids = outlets.find(r, typed, outlets.Filters(midnight=session.clock()))[:OUTLETS]
        rows = outlets.rows(r, rids, midnight=session.clock())
        return [
            Found(
                row.name,
                " · ".join(part for part in (row.banner, row.address) if part and part != row.name) or tr("Outlet"),
                "store",
                lambda id=row.id: session.navigator.go("outlet", id=id),  # type: ignore[misc]
                80.0 - at * 0.5,
            )
            for at, row in enumerate(rows)
        ]

    return find


def people_finder(session: AppSession) -> Finder:
    """The people met in the outlets; choosing one opens the outlet."""

    def find(r: Reader, typed: str) -> Sequence[Found]:
        from fieldcrm.usecases import people

        return [
            Found(
                found.name,
                " · ".join(part for part in (found.job, found.outlet_name, found.city) if part),
                "user-round",
                lambda id=found.outlet_id: session.navigator.go("outlet", id=id),  # type: ignore[misc]
                70.0,
            )
            for found in people.find(r, typed, limit=PEOPLE)
        ]

    return find
