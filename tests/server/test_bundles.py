"""Bundles on both databases: applied by the ordinary path, once, and gone with the key that they were made for."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path
from typing import Any

import pytest

from fieldcrm.domain.catalogue import SCHEMA
from fieldcrm.domain.ids import new_id
from sync.bundle import (
    BundleRefused,
    Contents,
    PublicKey,
    read_answer,
    shared_secret,
    write_bundle,
)
from sync.protocol import BlobOffer, Op, SyncRequest, Tx
from tests.server.conftest import NOW, PASSWORD, Company

PHOTO = b"\xff\xd8\xff a photo of a shelf"


def carried(
    company: Company,
    path: Path,
    key: PublicKey,
    device_key: str,
    device: int,
    *,
    photo: bytes = PHOTO,
    text: Any = "Ask again",
    asks_as: int | None = None,
) -> Path:
    """``asks_as``: the device in whose name its requests are; ``photo``: what is carried as ``PHOTO``."""
    note = {"outlet_id": company.outlets["West shop"].hex, "person_id": company.people["rita"].hex}
    values = {**note, "text": text, "written_at": 1_790_000_000_000}
    op = Op(1, new_id(NOW).hex, "new", 21, new_id(NOW).hex, 0, values)
    request = SyncRequest(1, SCHEMA, 1, asks_as or device, 1, None, {}, [Tx("1", [op])], 500)
    offer = BlobOffer(hashlib.sha256(PHOTO).hexdigest(), len(PHOTO))
    with path.open("wb") as file:
        write_bundle(
            file, Contents([request], [offer]), lambda name: photo, key, shared_secret(device_key),
            org=company.org.hex, device=device, id="1", made=1,
        )
    return path


def test_a_bundle_is_applied_once_answered_and_erased_with_its_key(company: Company, tmp_path: Path) -> None:
    hq = company.hq
    key = hq.bundles.ensure_key(company.org, now=NOW)
    assert hq.bundles.ensure_key(company.org, now=NOW) == key
    identity, tokens = hq.auth.sign_in(company.code, "rita", PASSWORD, device_name="one", now=NOW)
    path = carried(company, tmp_path / "one", key, tokens.device_key, identity.device_no)
    for _ in range(2):
        done = hq.bundles.apply(path, now=NOW)
        assert (done.operations, done.applied, done.refused, done.blobs, done.control) == (1, 1, 0, 1, None)
        answer = read_answer(done.answer, shared_secret(tokens.device_key))
        assert answer.responses[0].results[0].s == "applied" and answer.key == key
        assert not any(response.pull and response.pull.pages for response in answer.responses)  # asked for 500
    assert len(hq.erasures.history(company.org, "note", done.org)) == 0
    renewed = hq.bundles.renew_key(company.org, now=NOW)
    gone = hq.bundles.apply(path, now=NOW)
    assert gone.key_gone and gone.operations == 0
    assert read_answer(gone.answer, shared_secret(tokens.device_key)).key == renewed
    other = carried(company, tmp_path / "two", key, "another key", identity.device_no)
    with pytest.raises(BundleRefused, match="bundle_foreign"):
        hq.bundles.apply(other, now=NOW)
    assert hq.bundles.renew_key(company.people["rita"], now=NOW) is None


def test_a_photo_that_was_announced_as_longer_than_it_is_does_not_hold_up_an_import(
    company: Company, tmp_path: Path
) -> None:
    hq = company.hq
    key = hq.bundles.ensure_key(company.org, now=NOW)
    identity, tokens = hq.auth.sign_in(company.code, "rita", PASSWORD, device_name="one", now=NOW)
    longer = BlobOffer(hashlib.sha256(PHOTO).hexdigest(), len(PHOTO) + 1)
    hq.blobs.check(company.org, identity.person_id, [longer], now=NOW)
    path = carried(company, tmp_path / "one", key, tokens.device_key, identity.device_no)
    done = hq.bundles.apply(path, now=NOW)
    assert (done.applied, done.blobs) == (1, 0)


@pytest.mark.parametrize(
    "spoilt",
    [{"photo": PHOTO[:-1] + b"?"}, {"text": json.loads("[" * 60 + "]" * 60)}, {"asks_as": 99}],
    ids=["another photo", "too deep", "another device"],
)
def test_a_device_of_ours_that_carries_nonsense_is_refused_whole(
    company: Company, tmp_path: Path, spoilt: dict[str, Any]
) -> None:
    hq = company.hq
    key = hq.bundles.ensure_key(company.org, now=NOW)
    identity, tokens = hq.auth.sign_in(company.code, "rita", PASSWORD, device_name="one", now=NOW)
    path = carried(company, tmp_path / "one", key, tokens.device_key, identity.device_no, **spoilt)
    before = hq.sync.newest(company.org)
    with pytest.raises(BundleRefused, match="bundle_damaged"):
        hq.bundles.apply(path, now=NOW)
    assert hq.sync.newest(company.org) == before
    assert hq.blobs.present(company.org, [hashlib.sha256(PHOTO).hexdigest()]) == set()
