"""What a rep with the wire in hand tries, and a stranger without a token."""

from __future__ import annotations

import base64
import http.client
import json
import os
import stat
import threading
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pytest
import requests

from fieldcrm import serve
from sync.server.pull import MAX_ROWS
from sync.server.refusal import CallRefused
from sync.server.throttle import FREE_FAILURES
from tests.server.conftest import NOW, PASSWORD, Company, Live, found
from tests.server.wire import BareDevice


@pytest.fixture(scope="module")
def mona(live: Live) -> BareDevice:
    return BareDevice(live.url, found(live.hq), "mona")


def test_guesses_sent_all_at_once_are_counted_before_the_first_is_answered(company: Company) -> None:
    answers: Counter[str] = Counter()
    together = threading.Barrier(16)

    def guess() -> None:
        together.wait()
        try:
            company.hq.auth.sign_in(company.code, "rita", "wrong", device_name="x", now=NOW)
        except CallRefused as refusal:
            answers[refusal.code] += 1

    threads = [threading.Thread(target=guess) for _ in range(16)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert answers == {"credentials_wrong": FREE_FAILURES, "too_many_attempts": 16 - FREE_FAILURES}


@pytest.mark.parametrize("device", [2**70, -1, 0, 2**31])
def test_a_device_number_that_cannot_be_gets_a_new_one(company: Company, device: int) -> None:
    identity, _ = company.hq.auth.sign_in(
        company.code, "rita", PASSWORD, device_name="a\x00b", device_no=device, now=NOW
    )
    assert 0 < identity.device_no < 1000


@pytest.mark.parametrize(("code", "login"), [("\x00", "rita"), ("", "ri\x00ta")])
def test_a_zero_byte_in_a_login_is_a_wrong_login(company: Company, code: str, login: str) -> None:
    with pytest.raises(CallRefused, match="credentials_wrong"):
        company.hq.auth.sign_in(company.code + code, login, PASSWORD, device_name="x", now=NOW)


def test_methods_that_nobody_knows_make_no_new_series_in_the_metrics(live: Live) -> None:
    where = urlsplit(live.url)
    for number in range(3):
        connection = http.client.HTTPConnection(where.hostname or "", where.port)
        connection.request(f"INVENTED{number}", "/v1/health")
        assert connection.getresponse().status == 405
        connection.close()
    counted = requests.get(f"{live.url}/v1/metrics", timeout=10).text
    assert "INVENTED" not in counted
    assert 'method="other"' in counted


Change = Callable[[dict[str, Any]], None]


@pytest.mark.parametrize(
    "change",
    [
        lambda t: t.update(want=MAX_ROWS + 1),
        lambda t: t.update(want=0),
        lambda t: t.update(want=2**70),
        lambda t: t.update(upto=2**70),
        lambda t: t["rest"][0].update(cursor=2**70),
        lambda t: t["rest"][0].update(mark=[1, 1, "not an id"]),
        lambda t: t["rest"][0].update(mark=[2**70, 1, "0" * 32]),
    ],
)
def test_a_pull_token_that_was_rewritten_is_refused(live: Live, mona: BareDevice, change: Change) -> None:
    request = mona.request(want=1)
    request.cursors = {}
    pull = mona.remote.sync(request).pull
    assert pull is not None and pull.token is not None
    token = json.loads(base64.urlsafe_b64decode(pull.token))
    change(token)
    text = base64.urlsafe_b64encode(json.dumps(token).encode())
    tokens = mona.remote._tokens
    assert tokens is not None
    headers = {"Authorization": f"Bearer {tokens.access}"}
    answer = requests.get(f"{live.url}/v1/sync/pull", params={"token": text}, headers=headers, timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (422, "wrong_token")


@pytest.mark.parametrize("zone", ["Mars/Phobos", "../../etc/passwd", "", "Europe"])
def test_a_time_zone_that_would_stop_other_peoples_screens_is_refused(company: Company, live: Live, zone: str) -> None:
    company = found(live.hq)
    rita = BareDevice(live.url, company, "rita")
    ops, _ = rita.visit(company.outlets["West shop"])
    ops[0].set["zone"] = zone
    assert (rita.push(*ops)[0].s, rita.push()) == ("rejected", [])
    moved = rita.op("upd", "outlet", company.outlets["West shop"], base=2**50, zone=zone)
    [answer] = rita.push(moved)
    assert (answer.s, answer.code) == ("rejected", "zone_unknown")


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_nobody_else_on_the_computer_reads_what_the_server_keeps(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    before = os.umask(0o022)
    try:
        assert serve.main(["init", "--data", str(folder)]) == 0
    finally:
        os.umask(before)
    open_to_others = [path.name for path in (folder, *folder.rglob("*")) if stat.S_IMODE(path.stat().st_mode) & 0o077]
    assert open_to_others == []
