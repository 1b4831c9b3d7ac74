"""What the server writes down about its work, and what it never does."""

from __future__ import annotations

import json
import logging
import re
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest
import requests

from fieldcrm.server.headquarters import open_headquarters
from fieldcrm.server.process import ServerProcess
from sync.server.logs import JsonLines
from tests.server.conftest import CHEAP, PASSWORD, Company, found
from tests.server.wire import BareDevice, bearer, upload

MARK = "Xq7Zz"  # in every name, word and number that somebody might write
PERSONAL = re.compile(rf"{MARK}|rita|omar|mona|correct horse|West shop|Bearer|\+33", re.IGNORECASE)


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[ServerProcess, Company, Path]]:
    folder = tmp_path_factory.mktemp("logged")
    hq = open_headquarters(folder, None, lambda: datetime.now(UTC), hasher=CHEAP)
    company = found(hq)
    with ServerProcess(folder, options=["--log-level", "debug"]) as process:
        yield process, company, folder / "server.log"
    hq.close()


def ask_everything(url: str, company: Company) -> BareDevice:
    """Every route with marked words in every place that takes words, allowed and refused."""
    device = BareDevice(url, company, "rita")
    outlet = company.outlets["West shop"]
    ops, ids = device.visit(outlet)
    ops += [
        device.new("contact", outlet_id=outlet, name=f"{MARK} Ines", phone="+33 1 23", email=f"{MARK}@example.com"),
        device.op("upd", "outlet", outlet, base=1 << 41, name=f"{MARK} shop", street=f"{MARK} street"),
        device.new("note", outlet_id=outlet, person_id=device.person, text=MARK),
    ]
    device.push(*ops)
    device.push(device.op("upd", "outlet", outlet, base=1 << 41, zone=f"{MARK}/zone"))  # refused, with the value
    device.push(device.op("cmd", "outlet", outlet, text=MARK))
    device.everything()
    upload(device, MARK.encode() * 10)
    device.remote.receipts([ids["submission"].hex])
    device.remote.op_status([MARK])
    headers = bearer(device)
    for method, path, body in (
        ("GET", f"/v1/sync/pull?token={MARK}", None), ("GET", f"/{MARK}?name={MARK}", None),
        ("GET", f"/v1/blobs/{MARK}", None), ("PATCH", f"/v1/blobs/{MARK}", MARK), ("POST", "/v1/sync", f'{{"{MARK}":'),
        ("POST", "/v1/sync", json.dumps({"proto": MARK})), ("POST", "/v1/receipts", json.dumps([MARK])),
        ("POST", "/v1/sync/verify", json.dumps({"epoch": 1, "bucket": MARK, "cursor": 0, "sums": [MARK]})),
        ("POST", "/v1/sync/rows", json.dumps({"epoch": 1, "bucket": MARK, "ids": {MARK: [MARK]}})),
        ("POST", "/v1/sync/snapshots", json.dumps({"buckets": [MARK]})), ("POST", "/v1/devices", json.dumps(MARK)),
        ("POST", "/v1/deposit", json.dumps({"device": device.number, "tx": [{"t": MARK, "ops": []}]})),
        ("POST", "/v1/sign-in", json.dumps(dict.fromkeys(("organisation", "login", "password", "device_name"), MARK))),
        ("POST", "/v1/token", json.dumps({"refresh": MARK})), (MARK, f"/{MARK}", None),
    ):  # fmt: skip
        more = {"User-Agent": MARK, "X-Request-Id": MARK, "X-Forwarded-For": MARK, "Referer": f"http://{MARK}/"}
        answer = requests.request(method, url + path, data=body, headers=headers | more, timeout=10)
        assert answer.status_code < 500, (path, answer.text)
        bad = requests.request(method, url + path, data=body, headers={"Authorization": f"Bearer {MARK}"}, timeout=10)
        assert bad.status_code < 500, (path, bad.text)
    return device


def test_the_log_is_json_and_holds_nothing_that_anybody_wrote(site: tuple[ServerProcess, Company, Path]) -> None:
    process, company, log = site
    device = ask_everything(process.url, company)
    lines = log.read_text(encoding="utf-8").splitlines()
    parsed: list[dict[str, Any]] = [json.loads(line) for line in lines]
    assert len(parsed) > 40
    told = [line for line in lines if PERSONAL.search(line)]
    assert told == []
    tokens = device.remote._tokens
    assert tokens is not None
    assert not any(secret in line for line in lines for secret in (tokens.access, tokens.refresh, PASSWORD))
    asked = [line for line in parsed if line["event"] == "request"]
    mine = [line for line in asked if line["org"] == company.org.hex]
    assert {line["device"] for line in mine} == {device.number}
    assert all(re.fullmatch(r"[0-9a-f]{12}", line["request"]) and line["ms"] >= 0 for line in asked)
    assert {"at", "level", "logger", "event"} <= set(parsed[0])


def lines_with(name: str, log: Path) -> list[dict[str, Any]]:
    """The line is written once the answer is on its way, so whoever reads at once may come before it."""
    deadline = time.monotonic() + 10
    while True:
        whole = log.read_text(encoding="utf-8").rpartition("\n")[0].splitlines()
        found = [json.loads(text) for text in whole if name in text]
        if found or time.monotonic() > deadline:
            return found
        time.sleep(0.02)


def test_an_answer_names_its_line_in_the_log(site: tuple[ServerProcess, Company, Path]) -> None:
    process, _, log = site
    answer = requests.get(f"{process.url}/v1/health", timeout=10)
    name = answer.headers["X-Request-Id"]
    [line] = lines_with(name, log)
    assert (line["route"], line["status"], line["method"]) == ("/v1/health", 200, "GET")


def test_a_library_and_an_exception_say_where_and_not_what() -> None:
    made = JsonLines()
    try:
        raise ValueError(MARK)
    except ValueError as error:
        info = (ValueError, error, error.__traceback__)
    record = logging.LogRecord("urllib3.pool", logging.WARNING, "pool.py", 7, "host %s", (MARK,), info)
    line = json.loads(made.format(record))
    assert MARK not in json.dumps(line)
    assert (line["event"], line["failure"]) == ("pool.py:7", "ValueError")
    ours = logging.LogRecord("sync.server", logging.INFO, "gate.py", 7, "request", (), None)
    assert json.loads(made.format(ours))["event"] == "request"


def value(text: str, name: str) -> float:
    [line] = [line for line in text.splitlines() if line.startswith(name + " ")]
    return float(line.rpartition(" ")[2])


def test_the_metrics_count_what_was_done(site: tuple[ServerProcess, Company, Path]) -> None:
    process, company, _ = site

    def scrape() -> str:
        answer = requests.get(f"{process.url}/v1/metrics", timeout=10)
        assert answer.headers["Content-Type"].startswith("text/plain; version=0.0.4")
        return answer.text

    requests.post(
        f"{process.url}/v1/sign-in",
        json={"organisation": company.code, "login": "rita", "password": "x", "device_name": "x"},
        timeout=10,
    )
    device = BareDevice(process.url, company, "rita")
    ops, _ = device.visit(company.outlets["West shop"])
    device.push(*ops)
    upload(device, b"x" * 500)
    text = scrape()
    assert value(text, 'sync_operations_total{status="applied"}') >= 2
    assert value(text, 'sync_sign_ins_total{result="credentials_wrong"}') >= 1
    assert value(text, 'sync_sign_ins_total{result="ok"}') >= 1
    assert value(text, "sync_rows_sent_total") > 0
    assert value(text, 'sync_blob_bytes_total{direction="in"}') >= 500
    assert value(text, 'sync_requests_total{method="POST",route="/v1/sync",status="200"}') >= 1
    assert value(text, 'sync_request_seconds_count{route="/v1/sync"}') >= 1
    assert value(text, "sync_database_pool_used") >= 0
    assert value(text, "sync_organisations") == 1
    assert value(text, "sync_quarantine_bytes") == 0
    assert not PERSONAL.search(text) and company.org.hex not in text and company.code not in text


def test_health_is_told_apart_from_readiness(site: tuple[ServerProcess, Company, Path]) -> None:
    process, _, _ = site
    for path in ("/v1/health", "/v1/health/live", "/v1/health/ready"):
        answer = requests.get(process.url + path, timeout=10)
        assert (answer.status_code, answer.json()) == (200, {"status": "ok", "protocol": 1}), path
