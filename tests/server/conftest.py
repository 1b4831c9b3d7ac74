"""A headquarters on SQLite and on PostgreSQL, with two organisations that must never see each other."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from argon2 import PasswordHasher

from fieldcrm.domain.actor import Role
from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import new_id
from fieldcrm.serve.distribute import partition
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import OWN_TABLES, Headquarters, open_headquarters
from fieldcrm.server.process import ServerProcess
from sync.server import schema
from sync.server.distribution import all_tables, is_reference
from sync.server.tables import build
from tests import postgres
from tests.server.statements import Listening, Reader

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse"
PARTITIONS = 8
CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)

_codes = itertools.count(1)


@dataclass
class Clock:
    """A clock that the test moves."""

    now: datetime = NOW

    def __call__(self) -> datetime:
        return self.now

    def pass_by(self, **time: float) -> None:
        self.now += timedelta(**time)


@dataclass
class Company:
    """One organisation: a rep in each of two sectors, a manager of both, one outlet in each sector."""

    hq: Headquarters
    code: str
    org: UUID
    sectors: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)
    outlets: dict[str, UUID] = field(default_factory=dict)

    def add(self, collection: str, **values: Any) -> UUID:
        id_ = new_id(NOW)
        self.hq.apply(self.org, [(collection, {"id": id_, **values})])
        return id_

    def add_outlet(self, sector: str, name: str) -> UUID:
        self.add_outlets({name: sector})
        return self.outlets[name]

    def add_outlets(self, names: dict[str, str]) -> None:
        """Each name with the name of its sector."""
        rows = [
            {"id": new_id(NOW), "name": name, "sector_id": self.sectors[sector], "zone": "Europe/Paris",
             "state": "active", "store_type": "kiosk"}
            for name, sector in names.items()
        ]  # fmt: skip
        self.hq.apply(self.org, [("outlet", row) for row in rows])
        self.outlets.update((str(row["name"]), UUID(str(row["id"]))) for row in rows)


def found(hq: Headquarters) -> Company:
    code = f"company{next(_codes)}-{new_id(NOW).hex[-6:]}"
    company = Company(hq, code, accounts.add_organisation(hq, code, code.title(), now=NOW))
    for name in ("west", "east"):
        company.sectors[name] = accounts.add_sector(hq, company.org, name, name.title(), now=NOW)
    for login, role, names in (
        ("rita", Role.REP, ["west"]),
        ("omar", Role.REP, ["east"]),
        ("mona", Role.MANAGER, ["west", "east"]),
    ):
        company.people[login] = accounts.add_user(
            hq,
            company.org,
            login,
            PASSWORD,
            name=login.title(),
            role=role,
            sectors=[company.sectors[name] for name in names],
            since=date(2026, 1, 1),
            now=NOW,
        )
    company.add_outlets({"West shop": "west", "East shop": "east"})
    return company


def reader() -> Reader:
    """Knows every table of the server."""
    tables = all_tables([build(CATALOGUE).metadata, *OWN_TABLES, schema.metadata])
    everywhere = frozenset(table.name for table in tables if is_reference(table))
    return Reader(frozenset(table.name for table in tables) - everywhere, everywhere)


@pytest.fixture(scope="session")
def listening() -> Iterator[Listening]:
    with Listening(reader()) as listens:
        yield listens


@pytest.fixture(autouse=True)
def every_statement_names_its_organisation(listening: Listening) -> Iterator[None]:
    """What a test makes the server say to PostgreSQL would work on a database spread by organisation."""
    listening.faults.clear()
    yield
    assert not listening.faults, "\n".join(listening.faults)


@pytest.fixture(scope="session")
def postgres_cluster() -> Iterator[str]:
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with postgres.cluster() as address:
        yield address


_clock = Clock()


@pytest.fixture
def clock() -> Clock:
    """The clock of the ``hq`` fixture, at the same moment at the beginning of each test."""
    _clock.now = NOW
    return _clock


# Two fixtures, not one with a parameter: pytest throws that one away whenever the parameter changes, in every file.
@pytest.fixture(scope="session")
def _on_sqlite(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headquarters]:
    opened = open_headquarters(tmp_path_factory.mktemp("hq"), None, _clock, hasher=CHEAP)
    yield opened
    opened.close()


@pytest.fixture(scope="session")
def _on_postgresql(postgres_cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Headquarters]:
    with postgres.fresh_database(postgres_cluster) as address:
        opened = open_headquarters(tmp_path_factory.mktemp("hq"), address, _clock, hasher=CHEAP)
        # In hash partitions, which demand of keys what Citus does; ``live`` has plain tables.
        partition(opened, PARTITIONS, dry_run=False)
        yield opened
        opened.close()


@pytest.fixture(scope="session", params=["sqlite", "postgresql"])
def headquarters(request: pytest.FixtureRequest) -> Headquarters:
    opened: Headquarters = request.getfixturevalue(f"_on_{request.param}")
    return opened


@pytest.fixture
def hq(headquarters: Headquarters, clock: Clock) -> Headquarters:
    """One for all tests: each founds organisations of its own, which must not see each other anyway."""
    return headquarters


@pytest.fixture
def company(hq: Headquarters) -> Company:
    return found(hq)


@pytest.fixture
def rival(hq: Headquarters) -> Company:
    """Another organisation on the same server."""
    return found(hq)


@dataclass
class Live:
    """A server in a process of its own, and its headquarters opened from here beside it."""

    process: ServerProcess
    hq: Headquarters

    @property
    def url(self) -> str:
        return self.process.url


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def live(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Live]:
    folder = tmp_path_factory.mktemp("live")
    with ExitStack() as stack:
        address = None
        if request.param == "postgresql":
            cluster: str = request.getfixturevalue("postgres_cluster")
            address = stack.enter_context(postgres.fresh_database(cluster))
        hq = open_headquarters(folder, address, lambda: datetime.now(UTC), hasher=CHEAP)
        stack.callback(hq.close)
        yield Live(stack.enter_context(ServerProcess(folder, database=address)), hq)
