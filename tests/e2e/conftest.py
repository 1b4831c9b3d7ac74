"""A server process for the tests of whole devices."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.process import ServerProcess
from tests.e2e.laptops import real_now
from tests.server.conftest import CHEAP


@pytest.fixture
def office(tmp_path: Path) -> Iterator[tuple[str, Headquarters]]:
    """The address of a server, and its headquarters opened from here beside it."""
    hq = open_headquarters(tmp_path / "hq", None, real_now, hasher=CHEAP)
    with ServerProcess(tmp_path / "hq") as process:
        yield process.url, hq
    hq.close()
