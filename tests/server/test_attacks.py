"""What somebody tries who has an account, a device and the wire in hand; on both databases."""

from __future__ import annotations

import secrets
from typing import Any

import pytest
import requests

from fieldcrm.domain.catalogue import SCHEMA
from fieldcrm.server import accounts
from sync.client.failures import CallRefused
from sync.protocol import Deposit, Op, RowsRequest, SyncRequest, Tx
from tests.server.conftest import NOW, Company, Live, found
from tests.server.wire import BareDevice, bearer

ID = "0" * 32


@pytest.fixture
def company(live: Live) -> Company:
    return found(live.hq)


@pytest.fixture
def rita(live: Live, company: Company) -> BareDevice:
    return BareDevice(live.url, company, "rita")


@pytest.mark.parametrize(
    ("strange", "status"),
    [({"op": "a\x00b"}, 422), ({"set": {"\x00": 1}}, 200), ({"k": "cmd", "cmd": "\x00" * 100_000}, 200),
     ({"base": 2**70}, 422), ({"base": -1}, 422), ({"at": 2**70}, 200), ({"set": {"x" * 100_000: 1}}, 200)],
)  # fmt: skip
def test_an_operation_that_no_column_holds_is_refused_in_few_words(
    live: Live, rita: BareDevice, strange: dict[str, Any], status: int
) -> None:
    op = {"n": 1, "op": secrets.token_hex(16), "k": "new", "c": 21, "id": ID} | strange
    body = {"proto": 1, "schema": 1, "epoch": 1, "device": rita.number, "next_seq": 1, "prev_op": None, "cursors": {},
            "tx": [{"t": "a", "ops": [op]}], "want": 0}  # fmt: skip
    answer = requests.post(f"{live.url}/v1/sync", json=body, headers=bearer(rita), timeout=30)
    assert answer.status_code == status
    assert len(answer.content) < 1000
    if status == 200:
        assert answer.json()["results"][0]["s"] == "rejected"


def test_names_with_a_zero_byte_are_known_to_nobody(live: Live, rita: BareDevice) -> None:
    headers = bearer(rita)
    asked = requests.post(f"{live.url}/v1/ops/status", json=["\x00", "a" * 100_000], headers=headers, timeout=30)
    assert (asked.status_code, asked.json()) == (200, [])
    assert requests.get(f"{live.url}/v1/blobs/%00", headers=headers, timeout=30).status_code == 404


def test_a_field_that_is_named_a_hundred_thousand_times_is_asked_for_once(company: Company, rita: BareDevice) -> None:
    bucket = f"sector:{company.sectors['west'].hex}"
    answer = rita.remote.rows(RowsRequest(1, bucket, fields={"11": ["zone", "nothing"] * 100_000}))
    assert answer.pull is not None and not answer.pull.more


def test_a_deposit_that_could_never_be_applied_is_not_taken(company: Company, rita: BareDevice) -> None:
    accounts.revoke_device(company.hq, company.org, rita.number, now=NOW)
    sound = Op(1, secrets.token_hex(16), "new", 21, ID)
    for ops in (
        [Op(2**70, "a", "new", 21, ID)], [Op(1, "a\x00", "new", 21, ID)], [Op(1, "a" * 65, "new", 21, ID)],
        [Op(1, "a", "new", 21, ID, base=2**63)], [sound, sound],
    ):  # fmt: skip
        with pytest.raises(CallRefused) as refusal:
            rita.remote.deposit(Deposit(rita.number, [Tx("t", ops)], 0, True))
        assert refusal.value.code in ("number_wrong", "wrong_operation_id")
    assert not rita.remote.deposit(Deposit(rita.number, [Tx("t", [sound])], 0, True)).closed


def hello(device: BareDevice, cursor: int) -> str | None:
    request = SyncRequest(1, SCHEMA, 1, device.number, 1, None, {"org": cursor}, [], 10)
    return device.remote.sync(request).control


def test_one_device_that_claims_to_know_more_than_the_server_stops_nobody_else(
    live: Live, company: Company, rita: BareDevice
) -> None:
    omar, twin = (BareDevice(live.url, company, login) for login in ("omar", "rita"))
    far = live.hq.sync.newest(company.org)
    assert far is not None
    assert [hello(device, far + 10) for device in (rita, twin, rita)] == ["busy"] * 3  # her second device is herself
    assert hello(omar, 0) is None and not live.hq.sync.stopped(company.org)


def test_two_people_who_know_more_than_the_server_stop_the_organisation_until_a_new_epoch(
    live: Live, company: Company, rita: BareDevice
) -> None:
    omar, mona = (BareDevice(live.url, company, login) for login in ("omar", "mona"))
    far = live.hq.sync.newest(company.org)
    assert far is not None
    assert [hello(rita, far + 10), hello(omar, far + 3)] == ["busy", "busy"]
    assert live.hq.sync.stopped(company.org)
    assert hello(mona, 0) == "busy"  # who knows less would write over what was lost
    live.hq.sync.begin_epoch(company.org)
    assert not live.hq.sync.stopped(company.org)
    assert [hello(device, 0) for device in (rita, mona)] == ["epoch", "epoch"]
