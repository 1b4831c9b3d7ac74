"""A sync carried by stick: it counts once, opens for its server alone, and changes nothing when it is not whole."""

from __future__ import annotations

import io
import json
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sqlalchemy import func, select

from fieldcrm import serve
from fieldcrm.domain.errors import DomainError
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.store.tables import T
from fieldcrm.usecases import bundles
from sync.bundle import (
    Answer,
    BundleRefused,
    Contents,
    PlainReader,
    is_of,
    new_private_key,
    plain_frames,
    public_of,
    read_answer,
    read_header,
    shared_secret,
    write_answer,
    write_bundle,
)
from sync.protocol import BlobOffer, SyncRequest
from tests.conftest import KEY
from tests.e2e.laptops import Laptop, counts, real_now
from tests.server.conftest import Company, found


@pytest.fixture
def company(office: tuple[str, Headquarters]) -> Company:
    made = found(office[1])
    office[1].bundles.ensure_key(made.org, now=real_now())
    return made


@pytest.fixture
def laptop(office: tuple[str, Headquarters], company: Company, tmp_path: Path) -> Laptop:
    made = Laptop(tmp_path / "laptop", KEY, office[0], company)
    made.run()
    return made


def export(laptop: Laptop, folder: Path) -> bundles.Exported:
    return bundles.export(laptop.db, laptop.photos, folder, now=real_now())


def waiting(laptop: Laptop) -> int:
    with laptop.db.read() as r:
        return int(r.conn.execute(select(func.count()).select_from(T.outbox)).scalar_one())


def test_a_bundle_does_what_a_sync_does_and_a_sync_afterwards_does_nothing_twice(
    office: tuple[str, Headquarters], company: Company, laptop: Laptop, tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    _, hq = office
    laptop.record(company, "carried")
    out = export(laptop, tmp_path)
    assert (out.operations, out.photos) == (5, 1) and waiting(laptop) == 5
    content = out.path.read_bytes()
    assert b"Contact carried" not in content and b"photo of carried" not in content
    command = ["bundle", "import", str(out.path), "--data", str(hq.folder), "--json"]
    assert serve.main(command) == 0
    said = json.loads(capsys.readouterr().out)
    assert (said["operations"], said["applied"], said["refused"], said["photos"]) == (5, 5, 0, 1)
    there = {"visit": 1, "submission": 1, "attachment": 1, "contact": 1, "photos missing": 0}
    assert counts(hq, company) == there
    assert serve.main(command) == 0  # carried again by mistake
    assert counts(hq, company) == there
    capsys.readouterr()

    settled = bundles.take_answer(laptop.db, laptop.photos, Path(said["answer"]), now=real_now())
    assert (settled.answered, settled.photos, settled.again, settled.network) == (5, 1, False, False)
    assert waiting(laptop) == 0
    with pytest.raises(DomainError, match="bundle_nothing"):
        export(laptop, tmp_path)
    laptop.record(company, "network")
    laptop.run()
    assert counts(hq, company)["visit"] == 2 and counts(hq, company)["photos missing"] == 0
    assert bundles.take_answer(laptop.db, laptop.photos, Path(said["answer"]), now=real_now()).again is False
    laptop.close()


def test_a_sync_that_comes_before_the_answer_settles_the_same_operations(
    office: tuple[str, Headquarters], company: Company, laptop: Laptop, tmp_path: Path
) -> None:
    _, hq = office
    laptop.record(company, "both ways")
    out = export(laptop, tmp_path)
    hq.bundles.apply(out.path, now=real_now())
    laptop.run()
    assert waiting(laptop) == 0 and counts(hq, company)["visit"] == 1
    laptop.close()


def test_an_erased_person_is_in_no_bundle_any_more_and_the_device_makes_another(
    office: tuple[str, Headquarters], company: Company, laptop: Laptop, tmp_path: Path
) -> None:
    _, hq = office
    laptop.record(company, "Lefort")
    laptop.run()
    with laptop.db.read() as r:
        contact = r.conn.execute(select(T.contact.c.id)).scalar_one()
    laptop.record(company, "later")
    out = export(laptop, tmp_path)
    hq.erasures.erase_person(company.org, contact, now=real_now())
    done = hq.bundles.apply(out.path, now=real_now())
    assert done.key_gone and done.operations == 0 and counts(hq, company)["visit"] == 1
    answer = tmp_path / "answer"
    answer.write_bytes(done.answer)
    assert bundles.take_answer(laptop.db, laptop.photos, answer, now=real_now()).again
    again = hq.bundles.apply(export(laptop, tmp_path).path, now=real_now())
    assert (again.operations, again.key_gone) == (5, False)
    assert counts(hq, company)["visit"] == 2
    laptop.close()


def test_a_bundle_that_is_not_ours_is_refused_and_changes_nothing(
    office: tuple[str, Headquarters], company: Company, laptop: Laptop, tmp_path: Path
) -> None:
    url, hq = office
    other = found(hq)
    hq.bundles.ensure_key(other.org, now=real_now())
    stranger = Laptop(tmp_path / "stranger", KEY, url, other)
    stranger.run()
    laptop.record(company, "mine")
    out = export(laptop, tmp_path)
    raw = out.path.read_bytes()
    moved = tmp_path / "moved.fieldcrm"
    moved.write_bytes(raw.replace(company.org.hex.encode(), other.org.hex.encode()))
    for content, code in (
        (moved.read_bytes(), "bundle_foreign"), (raw[:-1], "bundle_damaged"), (raw + b"x", "bundle_damaged"),
        (raw[: len(raw) // 2], "bundle_damaged"), (b"", "bundle_unknown"), (b"FCRMBNDL", "bundle_unknown"),
    ):
        moved.write_bytes(content)
        with pytest.raises(BundleRefused, match=code):
            hq.bundles.apply(moved, now=real_now())
    assert counts(hq, company)["visit"] == 0
    done = hq.bundles.apply(out.path, now=real_now())
    foreign = tmp_path / "foreign.answer"
    foreign.write_bytes(done.answer)
    with pytest.raises(DomainError, match="answer_foreign"):
        bundles.take_answer(stranger.db, stranger.photos, foreign, now=real_now())
    with pytest.raises(DomainError, match="answer_unknown"):  # the file that went out, taken for the one that came back
        bundles.take_answer(laptop.db, laptop.photos, out.path, now=real_now())
    hq.accounts.revoke_device(company.org, laptop.signed.device, now=real_now())
    with pytest.raises(BundleRefused, match="device_revoked"):
        hq.bundles.apply(out.path, now=real_now())
    stranger.close()
    laptop.close()


PRIVATE, SECRET = new_private_key(), shared_secret("device")


@pytest.fixture(scope="module")
def made() -> bytes:
    file = io.BytesIO()
    contents = Contents([SyncRequest(1, 1, 1, 7, 1, None, {}, [])])
    write_bundle(file, contents, lambda name: b"", public_of(PRIVATE), SECRET, org="0" * 32, device=7, id="1", made=1)
    return file.getvalue()


def opened(content: bytes) -> Contents:
    file = io.BytesIO(content)
    header, start, proof = read_header(file)
    if not is_of(start, proof, SECRET):
        raise BundleRefused("bundle_foreign")
    reader = PlainReader(plain_frames(file, header, start, SECRET, PRIVATE))
    contents = reader.contents()
    reader.finish()
    return contents


@given(data=st.data())
@settings(deadline=None)
def test_one_changed_byte_anywhere_or_a_cut_at_any_is_noticed(made: bytes, data: st.DataObject) -> None:
    assert opened(made).requests[0].device == 7
    at = data.draw(st.integers(0, len(made) - 1))
    with pytest.raises(BundleRefused):
        opened(made[:at] + bytes([made[at] ^ data.draw(st.integers(1, 255))]) + made[at + 1 :])
    with pytest.raises(BundleRefused):
        opened(made[:at])


@given(st.binary(max_size=300))
def test_garbage_is_no_bundle_and_no_answer(content: bytes) -> None:
    with pytest.raises(BundleRefused):
        opened(content)
    with pytest.raises(BundleRefused):
        read_answer(content, SECRET)
    with pytest.raises(BundleRefused):
        read_answer(write_answer(Answer("1"), SECRET)[:-1] + content[:1], shared_secret("other"))


def test_a_photo_larger_than_a_frame_comes_through(tmp_path: Path) -> None:
    photo = bytes(range(256)) * 5000
    path = tmp_path / "one"
    with path.open("wb") as file:
        contents = Contents([], [BlobOffer("a" * 64, len(photo)), BlobOffer("b" * 64, 3)])
        write_bundle(
            file, contents, lambda name: photo if name[0] == "a" else b"end", public_of(PRIVATE), SECRET,
            org="0" * 32, device=7, id="1", made=1,
        )
    with path.open("rb") as file:
        header, start, _ = read_header(file)
        reader = PlainReader(plain_frames(file, header, start, SECRET, PRIVATE))
        assert len(reader.contents().blobs) == 2
        assert reader.take(len(photo)) == photo and reader.take(3) == b"end"
        reader.finish()
