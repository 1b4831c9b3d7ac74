"""Schemathesis over the server's own OpenAPI document, on a real server: no 5xx, no answer that is not in it.

Each route is called by a stranger, a rep and a manager, with what its schema allows and with what it forbids.
``FIELDCRM_CASES=200 pytest -m slow tests/server/test_schemathesis.py`` does it at length.
"""

from __future__ import annotations

import contextlib
import json
import os
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis.errors import Unsatisfiable
from schemathesis.checks import not_a_server_error
from schemathesis.core.failures import Failure, FailureGroup
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from fieldcrm.server.headquarters import open_headquarters
from fieldcrm.server.process import ServerProcess
from tests.server.conftest import CHEAP, found
from tests.server.wire import BareDevice

CHECKS = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
WHO = ("stranger", "rep", "manager")
LONG = int(os.environ.get("FIELDCRM_CASES", "60"))

schemathesis.serializer.alias("application/offset+octet-stream", "application/octet-stream")


class Site:
    """A server in a process of its own, a rep and a manager on it, and its document."""

    def __init__(self, folder: Path) -> None:
        hq = open_headquarters(folder, None, lambda: datetime.now(UTC), hasher=CHEAP)
        company = found(hq)
        hq.close()
        self.process = ServerProcess(folder).start()
        self.devices = {
            name: BareDevice(self.url, company, login) for name, login in (("rep", "rita"), ("manager", "mona"))
        }
        self.session = requests.Session()
        self.wrong: dict[str, str] = {}  # all that is wrong is told at once
        document = requests.get(f"{self.url}/v1/schema/openapi.json", timeout=10).json()
        self.schema = schemathesis.openapi.from_dict(document)

    @property
    def url(self) -> str:
        return self.process.url

    def close(self) -> None:
        self.session.close()
        for device in self.devices.values():
            device.remote.close()
        assert self.process.stop() == 0


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    made = Site(tmp_path_factory.mktemp("schemathesis"))
    yield made
    made.close()


def run(site: Site, cases: int, number: int) -> Counter[str]:
    """``cases`` calls of each route by each caller, and as many that its schema forbids; how often each status came."""
    seen: Counter[str] = Counter()
    for result in site.schema.get_all_operations():
        for mode in schemathesis.GenerationMode:
            for who in WHO:
                _call_often(site, result.ok().as_strategy(generation_mode=mode), who, cases, number, seen)
    return seen


def _call_often(site: Site, made: Any, who: str, cases: int, number: int, seen: Counter[str]) -> None:
    every = list(HealthCheck)

    @seed(number)
    @settings(max_examples=cases, database=None, deadline=None, phases=[Phase.generate], suppress_health_check=every)
    @given(case=made)
    def calls(case: schemathesis.Case) -> None:
        seen[ask(site, case, who)] += 1

    with contextlib.suppress(Unsatisfiable):  # a route whose schema forbids nothing
        calls()


def ask(site: Site, case: schemathesis.Case, who: str) -> str:
    headers = {}
    if who in site.devices:
        tokens = site.devices[who].remote._tokens
        assert tokens is not None
        headers["Authorization"] = f"Bearer {tokens.access}"
        _speak_as(site.devices[who], case)
    answer = case.call(base_url=site.url, session=site.session, headers=headers, timeout=20)
    try:
        case.validate_response(answer, checks=CHECKS)
    except (FailureGroup, Failure) as failure:
        every = failure.exceptions if isinstance(failure, FailureGroup) else [failure]
        for one in every:
            body = json.dumps(case.body, default=str)[:500]
            what = f"{case.operation.label} {answer.status_code}: {one}"
            site.wrong[what] = f"as {who}: {case.formatted_path} {body}"
    return f"{case.operation.label} {answer.status_code}"


def _speak_as(device: BareDevice, case: schemathesis.Case) -> None:
    """Let a body get past the first door: a random device, epoch or number is refused before the rest is read."""
    body: Any = case.body
    if not isinstance(body, dict):
        return
    if isinstance(body.get("device"), int):
        body["device"] = device.number
    if isinstance(body.get("epoch"), int):
        body["epoch"] = device.epoch
    if isinstance(body.get("tx"), list) and isinstance(body.get("next_seq"), int):
        body.update(next_seq=1, prev_op=None, cursors={}, proto=1)
        ops = [op for tx in body["tx"] if isinstance(tx, dict) and isinstance(tx.get("ops"), list) for op in tx["ops"]]
        for number, op in enumerate(ops, 1):
            if isinstance(op, dict):
                op["n"] = number


def test_no_call_of_any_route_fails_or_gets_an_answer_that_is_not_described(site: Site) -> None:
    seen = run(site, 4, 20261120)
    assert site.wrong == {}
    for device in site.devices.values():
        assert device.everything()["sector"]  # the server still serves
    statuses = {line.rsplit(" ", 1)[1] for line in seen}
    assert {"200", "400", "401", "422"} <= statuses
    assert seen["POST /v1/sync 200"] > 0


@pytest.mark.slow
@pytest.mark.timeout(3600)
def test_no_call_fails_over_many_more_cases(site: Site) -> None:
    for number in range(3):
        run(site, LONG, number)
    assert site.wrong == {}
