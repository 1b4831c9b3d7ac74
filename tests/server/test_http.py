from __future__ import annotations

import hashlib
import json
import os
import secrets
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from uuid import UUID

import pytest
import requests
import zstandard

from fieldcrm.domain.ids import new_id
from fieldcrm.server import accounts
from sync.client.failures import BadAddress, CallRefused, NeedsSignIn, Offline, Revoked
from sync.client.http import HttpRemote, TokenPair
from sync.protocol import BlobOffer, SyncRequest
from sync.server.ports import Change
from tests.server.conftest import NOW, Company, Live, found
from tests.server.wire import BareDevice, bearer, upload


@pytest.fixture
def company(live: Live) -> Company:
    return found(live.hq)


@pytest.fixture
def rita(live: Live, company: Company) -> BareDevice:
    return BareDevice(live.url, company, "rita")


# -- the day


def test_a_report_with_its_photo_arrives_and_the_receipt_says_so(company: Company, rita: BareDevice) -> None:
    content = os.urandom(250_000)
    sha256 = hashlib.sha256(content).hexdigest()
    ops, ids = rita.visit(company.outlets["West shop"], sha256, len(content))
    assert [result.s for result in rita.push(*ops)] == ["applied"] * 3
    [before] = rita.remote.receipts([ids["submission"].hex])
    assert (before.have, before.blobs_expected, before.blobs_have) == (True, 1, 0)
    upload(rita, content)
    [after] = rita.remote.receipts([ids["submission"].hex])
    assert (after.blobs_have, after.rev > 0) == (1, True)
    assert rita.remote.fetch_blob(sha256) == content
    assert rita.remote.fetch_blob(sha256, 249_990) == content[249_990:]


def test_a_photo_that_left_the_report_is_not_waited_for(live: Live, company: Company, rita: BareDevice) -> None:
    ops, ids = rita.visit(company.outlets["West shop"], "a" * 64, 10)
    rita.push(*ops)
    live.hq.sync.apply_as_server(company.org, [Change("attachment", ids["attachment"], None)], now=NOW)
    [receipt] = rita.remote.receipts([ids["submission"].hex])
    assert (receipt.have, receipt.blobs_expected) == (True, 0)


def test_a_manager_returns_the_report_and_the_rep_hears_of_it(live: Live, company: Company, rita: BareDevice) -> None:
    ops, ids = rita.visit(company.outlets["West shop"])
    rita.push(*ops)
    mona = BareDevice(live.url, company, "mona")
    seen = mona.sync().pull
    assert seen is not None
    review = mona.new(
        "review", submission_id=ids["submission"], visit_id=ids["visit"], outlet_id=company.outlets["West shop"],
        decision="returned", reason="photo_unclear", person_id=mona.person, decided_at=1,
    )  # fmt: skip
    assert [result.s for result in mona.push(review)] == ["applied"]
    pulled = rita.sync().pull
    assert pulled is not None
    assert [row[0] for page in pulled.pages for row in page.put.get("17", [])] == [review.id]


def test_the_same_push_twice_changes_nothing_the_second_time(company: Company, rita: BareDevice) -> None:
    ops, _ = rita.visit(company.outlets["West shop"])
    request = rita.request(ops)
    first = rita.remote.sync(request)
    second = rita.remote.sync(request)
    assert [(r.op, r.rev) for r in first.results] == [(r.op, r.rev) for r in second.results]


def test_the_server_knows_which_operations_it_has(company: Company, rita: BareDevice) -> None:
    ops, _ = rita.visit(company.outlets["West shop"])
    rita.push(*ops)
    assert set(rita.remote.op_status([ops[0].op, secrets.token_hex(16)])) == {ops[0].op}


# -- scope: never a record or a photo of anybody else's


def test_no_row_of_another_sector_or_organisation_ever_reaches_a_device(live: Live, company: Company) -> None:
    rival = found(live.hq)
    devices = {name: BareDevice(live.url, company, name) for name in ("rita", "omar", "mona")}
    enemy = BareDevice(live.url, rival, "mona")
    for device, outlet in ((devices["rita"], "West shop"), (devices["omar"], "East shop")):
        ops, _ = device.visit(company.outlets[outlet], "a" * 64)
        assert {result.s for result in device.push(*ops)} == {"applied"}
    ops, _ = enemy.visit(rival.outlets["West shop"], "a" * 64)
    enemy.push(*ops)
    sector_of = {company.outlets["West shop"].hex: "west", company.outlets["East shop"].hex: "east"}
    allowed = {"rita": {"west"}, "omar": {"east"}, "mona": {"west", "east"}}
    for name, device in devices.items():
        rows = device.everything()
        assert {sector_of[id_] for id_ in rows["outlet"]} == allowed[name]
        for collection, place in (("visit", 2), ("submission", 3), ("attachment", 4)):
            assert {sector_of[row[place]] for row in rows[collection].values()} == allowed[name]
        assert set(rows["person"]) == {person.hex for person in company.people.values()}
    assert set(enemy.everything()["outlet"]) == {outlet.hex for outlet in rival.outlets.values()}


def test_a_pull_token_shows_no_more_to_another_person(live: Live, company: Company, rita: BareDevice) -> None:
    omar = BareDevice(live.url, company, "omar")
    request = omar.request(want=1)
    answer = omar.remote.sync(request)
    assert answer.pull is not None
    token = answer.pull.token
    assert token is not None
    seen: set[str] = set()
    while token is not None:
        page = rita.remote.pull(token).pull
        assert page is not None
        seen |= {row[0] for found in page.pages for row in found.put.get("8", [])}
        token = page.token
    assert company.outlets["East shop"].hex not in seen


def test_a_photo_is_shown_only_to_those_who_see_its_report(live: Live, company: Company, rita: BareDevice) -> None:
    content = os.urandom(5_000)
    sha256 = upload(rita, content)
    with pytest.raises(CallRefused) as nobody_refers_to_it:
        rita.remote.fetch_blob(sha256)
    assert nobody_refers_to_it.value.code == "blob_unknown"
    ops, ids = rita.visit(company.outlets["West shop"], sha256, len(content))
    rita.push(*ops)
    assert rita.remote.fetch_blob(sha256) == content
    assert BareDevice(live.url, company, "mona").remote.fetch_blob(sha256) == content
    for stranger in (BareDevice(live.url, company, "omar"), BareDevice(live.url, found(live.hq), "mona")):
        with pytest.raises(CallRefused) as refusal:
            stranger.remote.fetch_blob(sha256)
        assert (refusal.value.status, refusal.value.code) == (404, "blob_unknown")
        assert not stranger.remote.receipts([ids["submission"].hex])[0].have


def test_knowing_a_photo_by_its_hash_in_another_organisation_says_nothing(
    live: Live, company: Company, rita: BareDevice
) -> None:
    content = os.urandom(5_000)
    sha256 = upload(rita, content)
    enemy = BareDevice(live.url, found(live.hq), "mona")
    [state] = enemy.remote.check_blobs([BlobOffer(sha256, len(content))])
    assert (state.have, state.offset) == (False, 0)


@pytest.mark.parametrize("kind", ["visit", "contact", "task", "outlet"])
def test_nothing_can_be_written_where_the_writer_does_not_see(company: Company, rita: BareDevice, kind: str) -> None:
    east = company.outlets["East shop"]
    if kind == "visit":
        ops, _ = rita.visit(east)
    elif kind == "outlet":
        ops = [rita.op("upd", "outlet", east, name="Mine now")]
    elif kind == "contact":
        ops = [rita.new("contact", outlet_id=east, name="Somebody")]
    else:
        ops = [rita.new("task", outlet_id=east, kind="task", title="Do", state="open")]
    results = rita.push(*ops)
    assert results[0].s == "rejected"
    assert results[0].code == "out_of_scope"
    assert results[0].row is None


def test_a_task_cannot_be_carried_into_another_sector(company: Company, rita: BareDevice) -> None:
    task = rita.new("task", outlet_id=company.outlets["West shop"], kind="task", title="Do", state="open")
    rita.push(task)
    [result] = rita.push(rita.op("upd", "task", UUID(hex=task.id), outlet_id=company.outlets["East shop"]))
    assert (result.s, result.code) == ("rejected", "field_fixed")


def test_nobody_writes_in_another_persons_name(company: Company, rita: BareDevice) -> None:
    rita.person = company.people["omar"].hex
    ops, _ = rita.visit(company.outlets["West shop"])
    assert rita.push(*ops)[0].code == "not_your_name"


def test_an_outlet_that_a_manager_moves_takes_its_reports_along(live: Live, company: Company, rita: BareDevice) -> None:
    ops, ids = rita.visit(company.outlets["West shop"])
    rita.push(*ops)
    rita.sync()
    mona, omar = BareDevice(live.url, company, "mona"), BareDevice(live.url, company, "omar")
    move = mona.op("cmd", "outlet", company.outlets["West shop"], sector_id=company.sectors["east"])
    move.cmd = "outlet.move"
    assert [result.s for result in mona.push(move)] == ["applied"]
    assert ids["visit"].hex in omar.everything()["visit"]
    pulled = rita.sync().pull
    assert pulled is not None
    left = {id_ for page in pulled.pages for ids_ in page.revoke.values() for id_ in ids_}
    assert {company.outlets["West shop"].hex, ids["visit"].hex, ids["submission"].hex} <= left
    [first, second] = sorted(omar.everything()["sector_assignment"].values(), key=lambda row: row[4] or "")
    assert (first[3], second[3]) == (company.sectors["west"].hex, company.sectors["east"].hex)
    assert first[5] < second[4]
    assert second[5] is None


def test_a_rep_cannot_move_an_outlet(company: Company, rita: BareDevice) -> None:
    move = rita.op("cmd", "outlet", company.outlets["West shop"], sector_id=company.sectors["east"])
    move.cmd = "outlet.move"
    assert rita.push(move)[0].code == "not_allowed"
    west = company.outlets["West shop"]
    assert rita.push(rita.op("upd", "outlet", west, sector_id=company.sectors["east"]))[0].code == "field_fixed"


# -- devices and tokens


def test_the_number_of_another_device_cannot_be_used(live: Live, company: Company, rita: BareDevice) -> None:
    omar = BareDevice(live.url, company, "omar")
    rita.number = omar.number
    with pytest.raises(CallRefused) as refusal:
        rita.sync()
    assert refusal.value.code == "device_not_yours"


def test_a_copy_of_a_device_gets_a_number_of_its_own(rita: BareDevice) -> None:
    before = rita.number
    signed = rita.remote.new_device("copy")
    assert signed.device != before
    rita.number = signed.device
    assert rita.sync().control is None


def test_a_revoked_device_hears_it_and_nothing_of_it_is_applied(live: Live, company: Company, rita: BareDevice) -> None:
    accounts.revoke_device(live.hq, company.org, rita.number, now=NOW)
    ops, ids = rita.visit(company.outlets["West shop"])
    assert rita.sync(ops).control == "revoked"
    assert ids["visit"].hex not in BareDevice(live.url, company, "mona").everything().get("visit", {})
    with pytest.raises(Revoked):
        rita.remote.receipts([])


def test_an_expired_access_token_is_renewed_without_anybody_noticing(live: Live, company: Company) -> None:
    kept: list[TokenPair] = []
    remote = HttpRemote(live.url, on_tokens=kept.append)
    signed = remote.sign_in(company.code, "rita", "correct horse", "laptop")
    from datetime import UTC, datetime

    from sync.server.auth_tables import token

    with live.hq.engine.begin() as connection:
        mine = (token.c.org_id == company.org) & (token.c.kind == "access")
        connection.execute(token.update().where(mine).values(expires_at=datetime(2020, 1, 1, tzinfo=UTC)))
    answer = remote.sync(SyncRequest(1, 1, signed.epoch, signed.device, 1, None, {}))
    assert answer.control is None
    assert len(kept) == 2
    assert kept[0] != kept[1]


@pytest.mark.parametrize(
    "tokens", [None, TokenPair("x", "y"), TokenPair(f"{'0' * 32}.x", f"{'0' * 32}.y"), TokenPair("é" * 40, "é")]
)
def test_without_good_tokens_only_signing_in_helps(live: Live, tokens: TokenPair | None) -> None:
    remote = HttpRemote(live.url, tokens=tokens)
    with pytest.raises((NeedsSignIn, CallRefused)):
        remote.receipts([])


# -- bad input


BAD_BODIES: list[tuple[bytes, int]] = [
    (b"", 400),
    (b"not json", 400),
    (b"[]", 400),
    (b'{"proto":"1"}', 400),
    (b"[" * 200_000, 400),
    (b'{"a":' * 200_000, 400),
    (b'{"proto":1,"schema":1,"epoch":1,"device":1,"next_seq":1,"prev_op":null,"cursors":{"org":"x"}}', 400),
    (b"\xff\xfe\x00", 400),
    (b'{"proto":1e999}', 400),
]


@pytest.mark.parametrize(("body", "status"), BAD_BODIES)
def test_a_body_that_makes_no_sense_is_refused_with_a_code(
    live: Live, rita: BareDevice, body: bytes, status: int
) -> None:
    answer = requests.post(f"{live.url}/v1/sync", data=body, headers=bearer(rita), timeout=30)
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "params"}
    assert live.process.healthy()


def test_a_compressed_bomb_is_refused_before_it_takes_the_memory(live: Live, rita: BareDevice) -> None:
    unknown_size = zstandard.ZstdCompressor(write_content_size=False).compress(b" " * 300_000_000)
    known_size = zstandard.ZstdCompressor().compress(b" " * 300_000_000)
    for bomb in (unknown_size, known_size):
        assert len(bomb) < 100_000
        packed = bearer(rita) | {"Content-Encoding": "zstd"}
        answer = requests.post(f"{live.url}/v1/sync", data=bomb, headers=packed, timeout=30)
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "body", [b"", b"not zstd at all", zstandard.compress(b"{}")[:-1], zstandard.compress(b"{}") + b"more"]
)
def test_a_damaged_compressed_body_is_refused(live: Live, rita: BareDevice, body: bytes) -> None:
    packed = bearer(rita) | {"Content-Encoding": "zstd"}
    answer = requests.post(f"{live.url}/v1/sync", data=body, headers=packed, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (400, "body_damaged")


def test_an_unknown_encoding_and_a_huge_body_are_refused(live: Live, rita: BareDevice) -> None:
    brotli = bearer(rita) | {"Content-Encoding": "br"}
    assert requests.post(f"{live.url}/v1/sync", data=b"x", headers=brotli, timeout=30).status_code == 415
    with requests.Session() as session:
        try:
            answer = session.post(f"{live.url}/v1/sync", data=b" " * 20_000_000, headers=bearer(rita), timeout=30)
        except requests.ConnectionError:
            return  # refused while it was still being sent
        assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")


@pytest.mark.parametrize(
    "values",
    [
        {"name": "a\x00b"},
        {"name": 5},
        {"name": None},
        {"name": "x" * 30_000},
        {"lat_e7": 10**30},
        {"lat_e7": True},
        {"sector_id": "not an id"},
        {"state": "exploded"},
        {"nonsense": 1},
        {"confirmed_at": 10**18},
        {"custom": []},
    ],
)
def test_a_value_of_the_wrong_kind_rejects_its_operation_and_nothing_else(
    company: Company, rita: BareDevice, values: dict[str, Any]
) -> None:
    bad = rita.op("upd", "outlet", company.outlets["West shop"], **values)
    good = rita.new("note", outlet_id=company.outlets["West shop"], person_id=rita.person, text="fine", written_at=1)
    answer = rita.sync([bad], [good])
    assert [result.s for result in answer.results] == ["rejected", "applied"]
    assert answer.results[0].code


def test_answers_nested_too_deep_are_refused(company: Company, rita: BareDevice) -> None:
    ops, _ = rita.visit(company.outlets["West shop"])
    deep: Any = 1
    for _ in range(60):
        deep = {"a": deep}
    ops[1].set["answers"] = deep
    with pytest.raises(CallRefused) as refusal:
        rita.push(*ops)
    assert refusal.value.code == "too_deep"


def test_a_zero_byte_in_the_answers_comes_back_as_it_was_sent(company: Company, rita: BareDevice) -> None:
    ops, ids = rita.visit(company.outlets["West shop"])
    ops[1].set["answers"] = {"note": "a\x00b", "é": [1.5, None, True]}
    assert [result.s for result in rita.push(*ops)] == ["applied", "applied"]
    assert rita.everything()["submission"][ids["submission"].hex][7] == {"note": "a\x00b", "é": [1.5, None, True]}


def test_too_many_questions_at_once_are_refused(rita: BareDevice) -> None:
    with pytest.raises(CallRefused) as refusal:
        rita.remote.receipts(["0" * 32] * 1001)
    assert refusal.value.code == "too_many_items"


@pytest.mark.parametrize("ids", [["x"], ["0" * 31], ["é" * 32], [" " * 32]])
def test_an_id_that_is_none_is_refused(rita: BareDevice, ids: list[str]) -> None:
    with pytest.raises(CallRefused) as refusal:
        rita.remote.receipts(ids)
    assert refusal.value.code == "wrong_id"


# -- the surface


def test_health_metrics_and_the_description_of_the_interface_are_served(live: Live, rita: BareDevice) -> None:
    rita.sync()
    assert requests.get(f"{live.url}/v1/health", timeout=30).json()["status"] == "ok"
    text = requests.get(f"{live.url}/v1/metrics", timeout=30).text
    assert 'sync_requests_total{method="POST",route="/v1/sync",status="200"}' in text
    assert rita.person not in text
    paths = requests.get(f"{live.url}/v1/schema/openapi.json", timeout=30).json()["paths"]
    assert {"/v1/sync", "/v1/sign-in", "/v1/blobs/{sha256}"} <= set(paths)
    assert "SyncRequest" in json.dumps(paths["/v1/sync"])


@pytest.mark.parametrize(
    ("method", "path", "status"), [("GET", "/v1/none", 404), ("GET", "/v1/sync", 405), ("POST", "/v1/sync", 400)]
)
def test_errors_are_a_code_and_parameters(live: Live, method: str, path: str, status: int) -> None:
    answer = requests.request(method, live.url + path, timeout=30)
    assert answer.status_code == status
    assert set(answer.json()) == {"code", "params"}


def test_the_log_names_nobody(live: Live, company: Company, rita: BareDevice) -> None:
    ops, _ = rita.visit(company.outlets["West shop"])
    rita.push(*ops)
    log = (live.hq.folder / "server.log").read_text(encoding="utf-8")
    assert '"route": "/v1/sync"' in log
    for secret in ("rita", rita.person, company.code, "correct horse", "West shop"):
        assert secret not in log


def test_an_address_where_nothing_listens_is_offline_and_another_program_is_a_bad_address(live: Live) -> None:
    with pytest.raises(Offline):
        HttpRemote("http://127.0.0.1:9", connect_timeout=1).sign_in("a", "b", "c", "d")
    for url in (
        "ftp://example.org",
        "http://",
        "localhost:99999",
        "http://user:secret@localhost",
        "http://localhost:x",
    ):
        with pytest.raises(BadAddress):
            HttpRemote(url)


class _HotelPage(BaseHTTPRequestHandler):
    """What stands between a guest and the network: a page for everything, or a way to somewhere else."""

    def do_POST(self) -> None:
        self.rfile.read(int(self.headers["Content-Length"]))
        if self.path.startswith("/away"):
            self.send_response(307)
            self.send_header("Location", "http://127.0.0.2:9/v1/sign-in")
            self.send_header("Content-Length", "0")
            self.end_headers()
            return
        page = b"<html>Please accept our terms</html>"
        self.send_response(200)
        self.send_header("Content-Length", str(len(page)))
        self.end_headers()
        self.wfile.write(page)

    def log_message(self, format: str, *args: object) -> None:
        return


@pytest.mark.parametrize("path", ["", "/away"])
def test_a_page_in_between_is_no_server_and_a_way_elsewhere_is_not_taken(path: str) -> None:
    with ThreadingHTTPServer(("127.0.0.1", 0), _HotelPage) as hotel:
        threading.Thread(target=hotel.serve_forever, daemon=True).start()
        with pytest.raises(BadAddress):
            HttpRemote(f"http://127.0.0.1:{hotel.server_port}{path}").sign_in("a", "b", "c", "d")
        hotel.shutdown()


def test_an_unknown_record_id_is_not_given_away(company: Company, rita: BareDevice) -> None:
    result = rita.push(rita.op("upd", "outlet", new_id(NOW), name="x"))[0]
    assert result.s in ("rejected", "dependent")
    assert result.row is None


def test_who_shows_no_token_gets_room_for_a_sign_in_and_no_more(live: Live) -> None:
    bomb = zstandard.compress(b" " * 1_000_000)
    answer = requests.post(f"{live.url}/v1/sign-in", data=bomb, headers={"Content-Encoding": "zstd"}, timeout=30)
    assert (answer.status_code, answer.json()["code"]) == (413, "body_too_large")
    answer = requests.post(f"{live.url}/v1/sign-in", data=b"{}", timeout=30)
    assert answer.status_code == 400
