from __future__ import annotations

import hashlib
import os
import time
from collections.abc import Iterator

import pytest
import requests

from fieldcrm.netproxy import FaultProxy
from sync.client.failures import Offline
from sync.protocol import BlobOffer
from tests.server.conftest import Live, found
from tests.server.wire import BareDevice


@pytest.fixture
def line(live: Live) -> Iterator[FaultProxy]:
    with FaultProxy("127.0.0.1", live.process.port) as proxy:
        yield proxy


@pytest.fixture
def rita(live: Live, line: FaultProxy) -> BareDevice:
    return BareDevice(line.url, found(live.hq), "rita")


def test_the_line_can_be_cut_and_comes_back_on_the_same_port(line: FaultProxy, rita: BareDevice) -> None:
    assert rita.sync().control is None
    port = line.port
    line.cut()
    assert not line.up
    with pytest.raises(Offline):
        rita.sync()
    line.restore()
    assert line.port == port
    assert rita.sync().control is None
    assert (line.cuts, line.connections >= 2) == (1, True)


def test_an_upload_that_is_cut_midway_goes_on_where_it_stopped(line: FaultProxy, rita: BareDevice) -> None:
    content = os.urandom(900_000)
    sha256 = hashlib.sha256(content).hexdigest()
    rita.remote.check_blobs([BlobOffer(sha256, len(content))])
    piece, sent = 100_000, 0
    line.cut_after(450_000)
    with pytest.raises(Offline):
        while True:
            sent = rita.remote.send_blob(sha256, sent, content[sent : sent + piece]).offset
    assert line.cuts == 1
    [state] = rita.remote.check_blobs([BlobOffer(sha256, len(content))])
    assert 300_000 <= state.offset < len(content)
    assert state.offset % piece == 0
    before = line.bytes_up
    while not state.have:
        state = rita.remote.send_blob(sha256, state.offset, content[state.offset : state.offset + piece])
    assert line.bytes_up - before < len(content) - 200_000


def test_a_push_whose_answer_is_lost_is_applied_once(live: Live, line: FaultProxy, rita: BareDevice) -> None:
    ops, ids = rita.visit(rita.company.outlets["West shop"])
    request = rita.request(ops)
    before = len(rita.everything().get("visit", {}))
    line.cut_after(1)  # the request breaks off in its first bytes
    with pytest.raises(Offline):
        rita.remote.sync(request)
    first = rita.remote.sync(request)
    again = rita.remote.sync(request)
    assert [r.rev for r in first.results] == [r.rev for r in again.results]
    assert len(rita.everything()["visit"]) == before + 1
    assert ids["visit"].hex in rita.everything()["visit"]


def test_a_slow_line_is_slow_and_still_works(live: Live, line: FaultProxy) -> None:
    line.slow_down(0.1)
    started = time.monotonic()
    assert requests.get(f"{line.url}/v1/health", timeout=30).ok
    assert time.monotonic() - started >= 0.2


def test_without_a_server_behind_it_the_line_is_dead() -> None:
    with FaultProxy("127.0.0.1", 9) as line, pytest.raises(requests.ConnectionError):
        requests.get(f"{line.url}/v1/health", timeout=5)


def test_every_byte_is_counted(live: Live, line: FaultProxy) -> None:
    requests.get(f"{line.url}/v1/health", timeout=30)
    assert line.bytes_up > 50
    assert line.bytes_down > 50
