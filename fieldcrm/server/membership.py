"""Who belongs to which sector on a given day, and what follows: the buckets that a person may hold."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date, datetime
from uuid import UUID

from sqlalchemy import Connection, or_, select

from fieldcrm.domain.catalogue import ORG_BUCKET, sector_bucket
from fieldcrm.server.permissions import user_bucket
from sync.server.parts import Profile
from sync.server.ports import Caller
from sync.server.tables import ServerTables


class Membership:
    """Reads the dated ``sector_member`` records; ``clock`` says which day it is (UTC)."""

    def __init__(self, tables: ServerTables, clock: Callable[[], datetime]) -> None:
        self._members = tables.records["sector_member"]
        self._people = tables.records["person"]
        self._clock = clock

    def sectors(self, connection: Connection, org: UUID, person: UUID, day: date) -> frozenset[UUID]:
        """The sectors of a person on ``day``; first and last day included."""
        table = self._members
        query = select(table.c.sector_id).where(
            table.c.org_id == org,
            table.c.person_id == person,
            table.c.deleted_rev.is_(None),
            or_(table.c.valid_from.is_(None), table.c.valid_from <= day),
            or_(table.c.valid_to.is_(None), table.c.valid_to >= day),
        )
        return frozenset(connection.scalars(query))

    def visible(self, connection: Connection, caller: Caller) -> frozenset[str]:
        """The buckets that the caller may hold today; none once the person is no longer active."""
        people = self._people
        query = select(people.c.active).where(
            people.c.org_id == caller.org, people.c.id == caller.user, people.c.deleted_rev.is_(None)
        )
        person = connection.execute(query).first()
        if person is None or person.active is False:
            return frozenset()
        sectors = self.sectors(connection, caller.org, caller.user, self._clock().date())
        return frozenset({ORG_BUCKET, user_bucket(caller.user), *map(sector_bucket, sectors)})

    def profile(self, connection: Connection, caller: Caller) -> Profile:
        people = self._people
        query = select(people.c.name).where(people.c.org_id == caller.org, people.c.id == caller.user)
        name = connection.execute(query).scalar_one_or_none()
        sectors = self.sectors(connection, caller.org, caller.user, self._clock().date())
        return Profile(name or "", tuple(sorted(sector.hex for sector in sectors)))
