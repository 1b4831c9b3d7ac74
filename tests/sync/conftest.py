from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path
from uuid import UUID

import pytest

from tests.sync.small import Device, Server, make_client_file

ANA, BEN = UUID(int=0x101), UUID(int=0x102)


@pytest.fixture(scope="session")
def client_file(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path: Path = tmp_path_factory.mktemp("client") / "template.db"
    make_client_file(path)
    return path


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Server]:
    made = Server(tmp_path)
    made.sectors = {ANA: {"A"}, BEN: {"A"}}
    yield made
    made.engine.dispose()


@pytest.fixture
def device(server: Server, tmp_path: Path, client_file: Path) -> Iterator[Callable[[UUID], Device]]:
    made: list[Device] = []

    def make(user: UUID) -> Device:
        made.append(Device(server, user, tmp_path / f"device-{len(made)}.db", template=client_file))
        return made[-1]

    yield make
    for one in made:
        one.engine.dispose()
