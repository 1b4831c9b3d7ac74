"""Server and devices as real processes, killed in a loop behind a line that breaks: nothing lost, nothing twice.

A short form; ``python -m tests.processes --minutes 30`` is the long one.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import ExitStack
from pathlib import Path

import pytest

from tests import postgres
from tests.processes.loop import Loop

TURNS = 3


@pytest.fixture(params=["sqlite", "postgresql"])
def address(request: pytest.FixtureRequest) -> Iterator[str | None]:
    if request.param == "sqlite":
        yield None
        return
    if postgres.programs() is None:
        pytest.skip("PostgreSQL is not installed")
    with ExitStack() as stack:
        yield stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.cluster())))


@pytest.mark.timeout(240)
def test_nothing_is_lost_and_nothing_is_done_twice(address: str | None, tmp_path: Path) -> None:
    outcome = Loop(tmp_path, address, seed=1).run(TURNS)
    assert outcome.reports > 0 and outcome.kills_of_reps > 0 and outcome.kills_of_server > 0
    assert outcome.operations >= 2 * outcome.reports
