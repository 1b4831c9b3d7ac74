"""Two server processes on one PostgreSQL and one folder, asked in turn at every request: everything is as with one."""

from __future__ import annotations

import hashlib
import os
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import ExitStack
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
import requests
from sqlalchemy import func, select

from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.process import ServerProcess
from fieldcrm.server.projections import observation
from sync.client.failures import CallRefused, NeedsSignIn, Offline
from sync.protocol import BlobOffer
from sync.server.database import reading
from sync.server.leases import Leases
from sync.server.throttle import FREE_FAILURES
from tests import postgres
from tests.server.conftest import CHEAP, NOW, PASSWORD, Company, found
from tests.server.test_projections import XFORM, answers
from tests.server.wire import BareDevice, upload


class Pair:
    """The addresses of two servers, their headquarters opened from here, and the processes."""

    def __init__(self, servers: list[ServerProcess], hq: Headquarters) -> None:
        self.servers = servers
        self.hq = hq

    @property
    def urls(self) -> list[str]:
        return [server.url for server in self.servers]

    def device(self, company: Company, login: str) -> BareDevice:
        """A device whose every request goes to the other server than the one before."""
        device = BareDevice(self.urls[0], company, login)
        turn = iter(range(1, 1_000_000))
        send = device.remote._session.send

        def alternate(request: requests.PreparedRequest, **options: Any) -> requests.Response:
            assert request.url is not None
            request.url = request.url.replace(self.urls[0], self.urls[next(turn) % 2])
            return send(request, **options)

        device.remote._session.send = alternate  # type: ignore[method-assign]
        return device


@pytest.fixture(scope="module")
def pair(postgres_cluster: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Pair]:
    folder = tmp_path_factory.mktemp("pair")
    with ExitStack() as stack:
        database = stack.enter_context(postgres.fresh_database(postgres_cluster))
        with ThreadPoolExecutor() as together:  # on an empty database, both at once
            servers = [ServerProcess(folder, database=database) for _ in range(2)]
            for started in [together.submit(server.start) for server in servers]:
                stack.callback(started.result().stop)
        hq = open_headquarters(folder, database, lambda: datetime.now(UTC), hasher=CHEAP)
        stack.callback(hq.close)
        yield Pair(servers, hq)


@pytest.fixture
def company(pair: Pair) -> Company:
    return found(pair.hq)


def test_a_photo_goes_up_piece_by_piece_through_both_servers(pair: Pair, company: Company) -> None:
    rita = pair.device(company, "rita")
    content = os.urandom(500_000)
    sha256 = upload(rita, content, piece=40_000)
    ops, ids = rita.visit(company.outlets["West shop"], sha256, len(content))
    assert {result.s for result in rita.push(*ops)} == {"applied"}
    assert rita.remote.fetch_blob(sha256) == content
    [receipt] = rita.remote.receipts([ids["submission"].hex])
    assert (receipt.blobs_expected, receipt.blobs_have) == (1, 1)


def test_two_servers_never_add_the_same_piece_twice(pair: Pair, company: Company) -> None:
    devices = [pair.device(company, "rita") for _ in range(2)]
    content = os.urandom(300_000)
    sha256 = hashlib.sha256(content).hexdigest()
    gate = threading.Barrier(2)

    def send(device: BareDevice) -> bool:
        gate.wait()
        [state] = device.remote.check_blobs([BlobOffer(sha256, len(content))])
        while not state.have:
            try:
                state = device.remote.send_blob(sha256, state.offset, content[state.offset : state.offset + 20_000])
            except CallRefused as refusal:
                assert refusal.code == "offset_wrong"
                [state] = device.remote.check_blobs([BlobOffer(sha256, len(content))])
        return state.have

    with ThreadPoolExecutor() as together:
        assert list(together.map(send, devices)) == [True, True]
    part = pair.hq.blobs.read(company.org, sha256)
    assert part.data == content


def test_every_sync_alternates_and_nothing_is_lost_or_done_twice(pair: Pair, company: Company) -> None:
    company.add("form", name="shelf_audit", version="1", xform=XFORM, active=True)
    product = company.add("product", name="Cola", own=True, active=True)
    devices = [pair.device(company, "rita") for _ in range(3)]

    def work(device: BareDevice) -> int:
        done = 0
        for _ in range(6):
            ops, _ = device.visit(company.outlets["West shop"])
            ops[1].set["answers"] = answers(product)
            request = device.request(ops)
            first, again = device.remote.sync(request), device.remote.sync(request)  # an answer was lost on the way
            assert [r.s for r in first.results] == ["applied", "applied"]
            assert [r.rev for r in again.results] == [r.rev for r in first.results]
            device.next, device.last = ops[-1].n + 1, ops[-1].op
            done += len(ops)
        return done

    with ThreadPoolExecutor() as together:
        sent = sum(together.map(work, devices))
    counts = accounts.counts(pair.hq, company.org)
    assert counts["visit"] + counts["submission"] == sent == 36
    with reading(pair.hq.engine) as connection:
        lines = select(func.count()).select_from(observation).where(observation.c.org_id == company.org)
        assert connection.execute(lines).scalar_one() == 18
    fresh = pair.device(company, "rita").everything()
    assert (len(fresh["visit"]), len(fresh["submission"])) == (18, 18)


def test_a_conflict_is_the_same_whichever_server_hears_of_it(pair: Pair, company: Company) -> None:
    rita, mona = pair.device(company, "rita"), pair.device(company, "mona")
    outlet = company.outlets["West shop"]
    base = rita.sync().pull
    assert base is not None
    for device, phone in ((rita, "+33 1"), (mona, "+33 2")):
        device.sync()
        [result] = device.push(device.op("upd", "outlet", outlet, base=base.upto, phone=phone))
        assert result.s in ("applied", "merged")
    assert accounts.counts(pair.hq, company.org)["conflict"] == 1


def test_a_session_ended_on_one_server_is_over_on_the_other(pair: Pair, company: Company) -> None:
    rita = pair.device(company, "rita")
    rita.sync()
    pair.hq.accounts.set_active(company.org, "rita", False, now=datetime.now(UTC))
    for _ in range(2):
        with pytest.raises(NeedsSignIn):
            rita.sync()


def test_a_refresh_token_used_on_both_servers_ends_the_session(pair: Pair, company: Company) -> None:
    rita = pair.device(company, "rita")
    stolen = rita.remote._tokens
    assert stolen is not None
    rita.remote.refresh()
    rita.sync()  # the new tokens came back, so the device has them
    codes = [
        requests.post(f"{url}/v1/token", json={"refresh": stolen.refresh}, timeout=10).json()["code"]
        for url in pair.urls
    ]
    assert codes == ["token_reused", "token_unknown"]
    with pytest.raises(NeedsSignIn):
        rita.sync()


def test_guesses_at_both_servers_are_counted_together(pair: Pair, company: Company) -> None:
    wrong = {"organisation": company.code, "login": "rita", "password": "guess", "device_name": "x"}
    answers = [
        requests.post(f"{pair.urls[turn % 2]}/v1/sign-in", json=wrong, timeout=10).status_code
        for turn in range(FREE_FAILURES + 2)
    ]
    assert answers == [401] * FREE_FAILURES + [429] * 2
    right = {**wrong, "password": PASSWORD}
    assert requests.post(f"{pair.urls[0]}/v1/sign-in", json=right, timeout=10).status_code == 429


def test_each_device_gets_a_number_of_its_own(pair: Pair, company: Company) -> None:
    with ThreadPoolExecutor(2) as together:  # a fifth sign-in under way at once would count as a guess
        numbers = list(together.map(lambda _: pair.device(company, "omar").number, range(6)))
    assert len(set(numbers)) == 6


def test_one_server_goes_on_while_the_other_is_killed(pair: Pair, company: Company) -> None:
    rita = pair.device(company, "rita")
    content = os.urandom(100_000)
    sha256 = hashlib.sha256(content).hexdigest()
    rita.remote.check_blobs([BlobOffer(sha256, len(content))])
    rita.remote.send_blob(sha256, 0, content[:30_000])
    pair.servers[1].kill()
    left = BareDevice(pair.urls[0], company, "rita")
    assert upload(left, content) == sha256
    pair.servers[1].start()
    assert pair.servers[1].healthy()


def test_of_two_holders_one_has_the_lease(pair: Pair) -> None:
    one, other = Leases(pair.hq.engine, "one"), Leases(pair.hq.engine, "other")
    length = timedelta(minutes=5)
    assert one.take("job", now=NOW, length=length)
    assert not other.take("job", now=NOW, length=length)
    assert one.take("job", now=NOW + timedelta(minutes=4), length=length)  # prolonged
    assert not other.take("job", now=NOW + timedelta(minutes=6), length=length)
    assert other.take("job", now=NOW + timedelta(minutes=10), length=length)  # the first is gone
    assert not one.take("job", now=NOW + timedelta(minutes=11), length=length)
    other.give_back("job")
    assert one.take("job", now=NOW + timedelta(minutes=11), length=length)


def test_two_servers_that_reach_for_a_lease_at_once_get_one(pair: Pair) -> None:
    holders = [Leases(pair.hq.engine, f"holder {at}") for at in range(8)]
    with ThreadPoolExecutor(8) as together:
        took = list(together.map(lambda h: h.take("race", now=NOW, length=timedelta(minutes=1)), holders))
    assert sum(took) == 1


def test_workers_share_one_port_and_one_that_dies_is_started_again(pair: Pair, tmp_path: Path) -> None:
    database = pair.hq.engine.url.render_as_string(hide_password=False)
    company = found(pair.hq)
    with ServerProcess(tmp_path, database=database, options=["--workers", "2"]) as server:
        children = _children(server.pid)
        assert len(children) == 2
        os.kill(children[0], 9)
        device = _signed_in(server.url, company)  # the other answers meanwhile
        for _ in range(100):
            if len(set(_children(server.pid)) - {children[0]}) == 2:
                break
            threading.Event().wait(0.1)
        assert len(set(_children(server.pid)) - {children[0]}) == 2
        device.sync()
        assert server.stop() == 0
    assert not any(os.path.exists(f"/proc/{pid}") for pid in children)


def _signed_in(url: str, company: Company) -> BareDevice:
    """As a device would: what was on its way to the one that died is asked again."""
    for _ in range(20):
        try:
            return BareDevice(url, company, "rita")
        except Offline:
            threading.Event().wait(0.1)
    raise AssertionError("nobody answers")


def _children(pid: int) -> list[int]:
    return [int(child) for path in Path(f"/proc/{pid}/task").glob("*/children") for child in path.read_text().split()]


def test_workers_on_sqlite_are_refused(tmp_path: Path) -> None:
    from fieldcrm.serve import main

    assert main(["run", "--data", str(tmp_path), "--workers", "2", "--json"]) == 1
