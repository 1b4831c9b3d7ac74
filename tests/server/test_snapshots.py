"""Prebuilt files over HTTP: by Range and ETag, and only for those who may hold the bucket."""

from __future__ import annotations

import hashlib
from uuid import UUID

import pytest
import requests

from fieldcrm.domain.ids import new_id
from sync.client.failures import CallRefused
from sync.protocol import SnapshotOffer
from tests.server.conftest import NOW, Company, Live, found
from tests.server.wire import BareDevice, bearer

Built = tuple[Company, BareDevice, SnapshotOffer]


@pytest.fixture(scope="module")
def built(live: Live) -> Built:
    """A company whose western sector has a file, and a device that may hold it."""
    company = found(live.hq)
    rows = [
        ("outlet", {"id": new_id(NOW), "name": f"Café {at}", "sector_id": company.sectors["west"], "zone": "UTC",
                    "state": "active", "custom": {"k": at}, "confirmed_at": NOW})
        for at in range(50)
    ]  # fmt: skip
    live.hq.apply(company.org, rows)
    patch = pytest.MonkeyPatch()
    patch.setattr(live.hq.snapshots, "_least_rows", 10)
    assert live.hq.snapshots.refresh(company.org, now=NOW) >= 1
    patch.undo()
    rita = BareDevice(live.url, company, "rita")
    offers = rita.remote.snapshots([f"sector:{company.sectors[name].hex}" for name in ("west", "east")])
    assert [offer.bucket for offer in offers] == [f"sector:{company.sectors['west'].hex}"]
    return company, rita, offers[0]


def test_a_file_is_what_its_name_says_and_can_be_had_in_parts(live: Live, built: Built) -> None:
    _, rita, offer = built
    url, headers = f"{live.url}/v1/sync/snapshots/{offer.sha256}", bearer(rita)
    whole = requests.get(url, headers=headers, timeout=10)
    assert (whole.status_code, whole.headers["ETag"]) == (200, f'"{offer.sha256}"')
    assert hashlib.sha256(whole.content).hexdigest() == offer.sha256 and len(whole.content) == offer.bytes
    part = requests.get(url, headers=headers | {"Range": "bytes=10-19"}, timeout=10)
    assert (part.status_code, part.content) == (206, whole.content[10:20])
    assert part.headers["Content-Range"] == f"bytes 10-19/{offer.bytes}"
    rest = requests.get(url, headers=headers | {"Range": f"bytes={offer.bytes - 5}-"}, timeout=10)
    assert rest.content == whole.content[-5:]
    assert rita.remote.fetch_snapshot(offer.sha256, 7) == whole.content[7:]


def test_an_answer_that_is_known_is_not_sent_again(live: Live, built: Built) -> None:
    _, rita, offer = built
    url, known = f"{live.url}/v1/sync/snapshots/{offer.sha256}", {"If-None-Match": f'"{offer.sha256}"'}
    answer = requests.get(url, headers=bearer(rita) | known, timeout=10)
    assert (answer.status_code, answer.content) == (304, b"")
    head = requests.head(url, headers=bearer(rita), timeout=10)
    assert head.status_code == 200 and head.headers["Accept-Ranges"] == "bytes"


@pytest.mark.parametrize("wanted", ["bytes=999999999-", "bytes=9-3", "pages=1-2", "bytes=-5"])
def test_a_part_that_does_not_exist_is_refused(live: Live, built: Built, wanted: str) -> None:
    _, rita, offer = built
    url = f"{live.url}/v1/sync/snapshots/{offer.sha256}"
    assert requests.get(url, headers=bearer(rita) | {"Range": wanted}, timeout=10).status_code == 416


def test_another_sector_or_organisation_does_not_learn_that_it_is_there(live: Live, built: Built) -> None:
    company, _, offer = built
    for stranger in (BareDevice(live.url, company, "omar"), BareDevice(live.url, found(live.hq), "rita")):
        assert stranger.remote.snapshots([offer.bucket]) == []
        with pytest.raises(CallRefused, match="snapshot_unknown"):
            stranger.remote.fetch_snapshot(offer.sha256)
        url = f"{live.url}/v1/sync/snapshots/{offer.sha256}"
        known = bearer(stranger) | {"If-None-Match": f'"{offer.sha256}"'}
        assert requests.get(url, headers=known, timeout=10).status_code == 404
        assert requests.head(url, headers=bearer(stranger), timeout=10).status_code == 404
    assert requests.get(f"{live.url}/v1/sync/snapshots/{offer.sha256}", timeout=10).status_code == 401


def test_a_manager_of_both_sectors_may_have_it(live: Live, built: Built) -> None:
    company, _, offer = built
    mona = BareDevice(live.url, company, "mona")
    assert mona.remote.snapshots([offer.bucket, f"sector:{UUID(int=0).hex}"]) == [offer]
