"""SIGTERM under load: what was begun is answered, what comes after is sent away, and nothing is half done."""

from __future__ import annotations

import os
import signal
import socket
import sqlite3
import threading
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from urllib.parse import urlsplit

import msgspec
import pytest
import requests

from fieldcrm.server.headquarters import open_headquarters
from fieldcrm.server.process import ServerProcess
from sync.client.failures import Busy, Offline
from sync.protocol import Op, OpResult
from tests.server.conftest import CHEAP, Company, found
from tests.server.wire import BareDevice, bearer

pytestmark = pytest.mark.skipif(os.name != "posix", reason="signals as POSIX has them")


@pytest.fixture
def site(tmp_path: Path) -> Iterator[tuple[ServerProcess, Company]]:
    hq = open_headquarters(tmp_path / "data", None, lambda: datetime.now(UTC), hasher=CHEAP)
    company = found(hq)
    with ServerProcess(tmp_path / "data") as process:
        yield process, company
    hq.close()


def half_sent(device: BareDevice, url: str, *ops: Op) -> tuple[socket.socket, bytes]:
    """A push whose body has come half, and the other half."""
    body = msgspec.json.encode(device.request(list(ops)))
    where = urlsplit(url)
    connection = socket.create_connection((where.hostname or "", where.port or 0), timeout=15)
    head = "".join(f"{name}: {value}\r\n" for name, value in bearer(device).items())
    connection.sendall(f"POST /v1/sync HTTP/1.1\r\nHost: x\r\nContent-Length: {len(body)}\r\n{head}\r\n".encode())
    connection.sendall(body[: len(body) // 2])
    return connection, body[len(body) // 2 :]


def wait_until_sent_away(url: str) -> requests.Response:
    for _ in range(200):
        answer = requests.get(f"{url}/v1/health", timeout=10)
        if answer.status_code != 200:
            return answer
        time.sleep(0.02)
    raise AssertionError("the server goes on as if nothing had been said")


def test_a_request_under_way_is_answered_and_a_new_one_is_told_when_to_come_back(
    site: tuple[ServerProcess, Company],
) -> None:
    process, company = site
    device = BareDevice(process.url, company, "rita")
    ops, _ = device.visit(company.outlets["West shop"])
    connection, rest = half_sent(device, process.url, *ops)
    time.sleep(0.2)  # the first half is there before the signal
    os.kill(process.pid, signal.SIGTERM)
    away = wait_until_sent_away(process.url)
    assert (away.status_code, away.json()["code"]) == (503, "server_stopping")
    assert 5 <= int(away.headers["Retry-After"]) <= 20
    with pytest.raises(Busy, match="server_stopping"):
        device.remote.sync(device.request())
    with connection:
        connection.sendall(rest)
        answer = b""
        while piece := connection.recv(65536):
            answer += piece
            if answer.rstrip().endswith(b"}"):
                break
    assert answer.startswith(b"HTTP/1.1 200") and answer.count(b'"applied"') == len(ops)
    assert process.stop() == 0
    process.start()
    assert sorted(device.remote.op_status([op.op for op in ops])) == sorted(op.op for op in ops)


def test_a_sender_that_stalls_does_not_hold_the_stop_up_for_ever(site: tuple[ServerProcess, Company]) -> None:
    process, company = site
    device = BareDevice(process.url, company, "rita")
    ops, _ = device.visit(company.outlets["West shop"])
    connection, _ = half_sent(device, process.url, *ops)
    with connection:
        time.sleep(0.1)
        assert process.stop() == 0
    process.start()
    assert device.remote.op_status([op.op for op in ops]) == []  # no half of it
    assert [result.s for result in device.push(*ops)] == ["applied"] * len(ops)


class Writer(threading.Thread):
    """Pushes visit after visit; keeps what it was told, and what it was not."""

    def __init__(self, url: str, company: Company) -> None:
        super().__init__(daemon=True)
        self.device = BareDevice(url, company, "rita")
        self.outlet = company.outlets["West shop"]
        self.told: list[tuple[list[Op], list[OpResult]]] = []
        self.open: list[Op] = []
        self.failures: list[str] = []
        self.halt = threading.Event()

    def run(self) -> None:
        while not self.halt.is_set():
            self.open, _ = self.device.visit(self.outlet)
            try:
                self.told.append((self.open, self.device.push(*self.open)))
                self.open = []
            except (Busy, Offline) as failure:
                self.failures.append(failure.code)
                return


def test_a_stop_under_load_leaves_nothing_half_done(site: tuple[ServerProcess, Company], tmp_path: Path) -> None:
    process, company = site
    writers = [Writer(process.url, company) for _ in range(4)]
    for writer in writers:
        writer.start()
    while sum(len(writer.told) for writer in writers) < 12:
        time.sleep(0.01)
    assert process.stop() == 0
    for writer in writers:
        writer.halt.set()
        writer.join(20)
        assert set(writer.failures) <= {"server_stopping", "offline"}  # offline: a connection made too late
    with sqlite3.connect(tmp_path / "data" / "server.sqlite") as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)
    database.close()
    process.start()
    for writer in writers:
        for ops, results in writer.told:
            assert [result.s for result in results] == ["applied"] * len(ops)
            assert len(writer.device.remote.op_status([op.op for op in ops])) == len(ops)
        if writer.open:  # nobody was told: all of it is there or nothing, and asking again settles it
            known = len(writer.device.remote.op_status([op.op for op in writer.open]))
            assert known in (0, len(writer.open))
            assert [result.s for result in writer.device.push(*writer.open)] == ["applied"] * len(writer.open)
