"""Photos over HTTP: announced, sent in pieces, checked by the server, read in parts."""

from __future__ import annotations

import hashlib
import os
import secrets

import pytest
import requests

from sync.client.failures import CallRefused
from sync.protocol import BlobOffer
from tests.server.conftest import Company, Live, found
from tests.server.wire import BareDevice, bearer, upload


@pytest.fixture
def company(live: Live) -> Company:
    return found(live.hq)


@pytest.fixture
def rita(live: Live, company: Company) -> BareDevice:
    return BareDevice(live.url, company, "rita")


@pytest.mark.parametrize(
    ("offer", "code"),
    [
        (BlobOffer("../../etc/passwd", 10), "blob_name_invalid"),
        (BlobOffer("A" * 64, 10), "blob_name_invalid"),
        (BlobOffer("a" * 64, 0), "blob_too_large"),
        (BlobOffer("a" * 64, 10**12), "blob_too_large"),
        (BlobOffer("a" * 64, 10, "text/html"), "blob_type_refused"),
    ],
)
def test_an_upload_that_cannot_be_is_not_begun(rita: BareDevice, offer: BlobOffer, code: str) -> None:
    with pytest.raises(CallRefused) as refusal:
        rita.remote.check_blobs([offer])
    assert refusal.value.code == code


def test_a_piece_at_the_wrong_place_is_answered_with_the_right_one(rita: BareDevice) -> None:
    content = os.urandom(1000)
    sha256 = hashlib.sha256(content).hexdigest()
    rita.remote.check_blobs([BlobOffer(sha256, 1000)])
    assert rita.remote.send_blob(sha256, 0, content[:400]).offset == 400
    assert rita.remote.send_blob(sha256, 0, content[:400]).offset == 400  # its answer was lost, it is sent again
    assert rita.remote.send_blob(sha256, 700, content[700:]).offset == 400
    assert rita.remote.send_blob(sha256, 400, content[400:]).have


def test_content_that_does_not_match_its_name_is_refused_and_may_start_again(rita: BareDevice) -> None:
    content = os.urandom(1000)
    sha256 = hashlib.sha256(content).hexdigest()
    rita.remote.check_blobs([BlobOffer(sha256, 1000)])
    with pytest.raises(CallRefused) as refusal:
        rita.remote.send_blob(sha256, 0, os.urandom(1000))
    assert refusal.value.code == "hash_wrong"
    [state] = rita.remote.check_blobs([BlobOffer(sha256, 1000)])
    assert (state.have, state.offset) == (False, 0)
    assert rita.remote.send_blob(sha256, 0, content).have


def test_who_knows_the_hash_of_a_photo_learns_nothing_and_reads_nothing(live: Live, company: Company) -> None:
    content = os.urandom(1000)
    sha256 = hashlib.sha256(content).hexdigest()
    offer = BlobOffer(sha256, 1000, "image/jpeg")
    omar, rita = BareDevice(live.url, company, "omar"), BareDevice(live.url, company, "rita")
    ops, ids = omar.visit(company.outlets["East shop"], sha256, 1000)
    omar.push(*ops)
    upload(omar, content)
    claimed, claim = rita.visit(company.outlets["West shop"], sha256, 1000)  # in a report of her own
    rita.push(*claimed)
    [state] = rita.remote.check_blobs([offer])
    assert (state.have, state.offset) == (False, 0)  # the same as of any photo that nobody has
    with pytest.raises(CallRefused, match="blob_unknown"):
        rita.remote.fetch_blob(sha256)
    assert requests.head(f"{live.url}/v1/blobs/{sha256}", headers=bearer(rita), timeout=30).headers[
        "Upload-Complete"
    ] == "?0"
    assert [r.blobs_have for r in rita.remote.receipts([claim["submission"].hex])] == [0]
    rita.remote.send_blob(sha256, 0, content[:500])
    [state] = omar.remote.check_blobs([offer])
    assert state.have  # and nobody's upload gets in another's way
    assert rita.remote.send_blob(sha256, 500, content[500:]).have  # she did hold it
    assert rita.remote.fetch_blob(sha256) == content
    assert [r.blobs_have for r in rita.remote.receipts([claim["submission"].hex])] == [1]
    assert [r.blobs_have for r in omar.remote.receipts([ids["submission"].hex])] == [1]


def test_an_upload_by_another_of_the_same_photo_can_neither_be_continued_nor_spoilt(
    live: Live, company: Company, rita: BareDevice
) -> None:
    content = os.urandom(1000)
    sha256 = hashlib.sha256(content).hexdigest()
    omar = BareDevice(live.url, company, "omar")
    rita.remote.check_blobs([BlobOffer(sha256, 1000)])
    rita.remote.send_blob(sha256, 0, content[:999])
    [state] = omar.remote.check_blobs([BlobOffer(sha256, 1000)])
    assert (state.have, state.offset) == (False, 0)
    with pytest.raises(CallRefused, match="hash_wrong"):
        omar.remote.send_blob(sha256, 0, os.urandom(1000))
    assert rita.remote.send_blob(sha256, 999, content[999:]).have


def test_more_bytes_than_announced_are_refused(rita: BareDevice) -> None:
    sha256 = secrets.token_hex(32)
    rita.remote.check_blobs([BlobOffer(sha256, 10)])
    with pytest.raises(CallRefused) as refusal:
        rita.remote.send_blob(sha256, 0, b"x" * 11)
    assert refusal.value.code == "blob_too_long"


def test_a_blob_that_nobody_announced_is_not_taken(rita: BareDevice) -> None:
    with pytest.raises(CallRefused) as refusal:
        rita.remote.send_blob(secrets.token_hex(32), 0, b"x")
    assert refusal.value.code == "blob_unknown"


def test_where_an_upload_stands_can_be_asked_with_head(live: Live, rita: BareDevice) -> None:
    content = os.urandom(1000)
    sha256 = hashlib.sha256(content).hexdigest()
    rita.remote.check_blobs([BlobOffer(sha256, 1000)])
    rita.remote.send_blob(sha256, 0, content[:300])
    answer = requests.head(f"{live.url}/v1/blobs/{sha256}", headers=bearer(rita), timeout=30)
    assert (answer.headers["Upload-Offset"], answer.headers["Upload-Length"]) == ("300", "1000")
    assert answer.headers["Upload-Complete"] == "?0"


@pytest.mark.parametrize(
    ("wanted", "status"),
    [("bytes=0-9", 206), ("bytes=990-", 206), ("bytes=1000-", 416), ("bytes=9-3", 416), ("lines=1-2", 416)],
)
def test_a_part_of_a_photo_can_be_asked_for(
    live: Live, company: Company, rita: BareDevice, wanted: str, status: int
) -> None:
    content = os.urandom(1000)
    sha256 = upload(rita, content)
    ops, _ = rita.visit(company.outlets["West shop"], sha256, 1000)
    rita.push(*ops)
    answer = requests.get(f"{live.url}/v1/blobs/{sha256}", headers=bearer(rita) | {"Range": wanted}, timeout=30)
    assert answer.status_code == status
    if status == 206:
        start = int(wanted[6:].partition("-")[0])
        assert answer.content == content[start : start + 10]
        assert answer.headers["Content-Range"] == f"bytes {start}-{start + 9}/1000"
