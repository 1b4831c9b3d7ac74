"""Prebuilt files over HTTP: by Range and ETag, and only for those who may hold the bucket."""

from __future__ import annotations

import hashlib
from typing import Any
from uuid import UUID

import pytest
import requests
from sqlalchemy import select

from fieldcrm.domain.ids import new_id
from sync.client.failures import CallRefused
from sync.protocol import SnapshotOffer
from sync.server.database import reading
from sync.server.snapshots import snapshot
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


def test_a_file_that_was_being_made_while_somebody_was_erased_is_never_offered(
    live: Live, monkeypatch: pytest.MonkeyPatch
) -> None:
    company, files = found(live.hq), live.hq.snapshots
    contact = company.add("contact", outlet_id=company.outlets["West shop"], name="Zoé Ferrand")
    monkeypatch.setattr(files, "_least_rows", 1)
    build, west = files._build, f"sector:{company.sectors['west'].hex}"

    def erased_meanwhile(org: UUID, bucket: str, *asked: Any) -> Any:
        made = build(org, bucket, *asked)
        if bucket == west:
            live.hq.erasures.erase_person(company.org, contact, now=NOW)
        return made

    monkeypatch.setattr(files, "_build", erased_meanwhile)
    files.refresh(company.org, now=NOW)
    with reading(live.hq.engine) as connection:
        kept = connection.execute(select(snapshot).where(snapshot.c.org_id == company.org)).all()
    folder = live.hq.folder / "snapshots" / company.org.hex
    assert west not in {row.bucket for row in kept}
    assert {path.name for path in folder.glob("*.zst")} == {f"{row.sha256}.zst" for row in kept}
    monkeypatch.setattr(files, "_build", build)
    files.refresh(company.org, now=NOW)
    rita = BareDevice(live.url, company, "rita")
    assert [offer.bucket for offer in rita.remote.snapshots([west])] == [west]
