from __future__ import annotations

import hashlib
import os
import stat
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import DBAPIError

from fieldcrm.domain.errors import DomainError
from fieldcrm.store.database import Database
from fieldcrm.store.keys import KEY_FILE, KeyPlace, change_passphrase, create_key, key_place, load_key
from fieldcrm.store.photos import PhotoStore


def test_a_passphrase_unwraps_the_same_key_and_a_wrong_one_says_so(tmp_path: Path) -> None:
    key = create_key(tmp_path, KeyPlace.PASSPHRASE, passphrase="correct horse")
    assert key_place(tmp_path) is KeyPlace.PASSPHRASE
    assert load_key(tmp_path, passphrase="correct horse") == key
    assert key not in (tmp_path / KEY_FILE).read_bytes()
    with pytest.raises(DomainError, match="passphrase_wrong") as refusal:
        load_key(tmp_path, passphrase="wrong horse")
    assert refusal.value.field == "passphrase"


def test_changing_the_passphrase_keeps_the_key(tmp_path: Path) -> None:
    key = create_key(tmp_path, KeyPlace.PASSPHRASE, passphrase="first one here")
    change_passphrase(tmp_path, "first one here", "second one here")
    assert load_key(tmp_path, passphrase="second one here") == key
    with pytest.raises(DomainError, match="passphrase_wrong"):
        load_key(tmp_path, passphrase="first one here")


def test_a_short_passphrase_makes_no_profile(tmp_path: Path) -> None:
    with pytest.raises(DomainError, match="passphrase_short"):
        create_key(tmp_path, KeyPlace.PASSPHRASE, passphrase="short")
    assert key_place(tmp_path) is None


def test_an_existing_profile_is_never_overwritten(tmp_path: Path) -> None:
    key = create_key(tmp_path, KeyPlace.SAMPLE)
    with pytest.raises(DomainError, match="profile_exists"):
        create_key(tmp_path, KeyPlace.SAMPLE)
    assert load_key(tmp_path) == key


@pytest.mark.parametrize(
    "content", ["", "{", "[]", '{"place": "elsewhere"}', '{"place": "passphrase"}', '{"place": "sample", "key": 3}']
)
def test_a_damaged_key_file_is_named(tmp_path: Path, content: str) -> None:
    (tmp_path / KEY_FILE).write_text(content)
    with pytest.raises(DomainError, match="key_file_damaged"):
        load_key(tmp_path, passphrase="whatever it was")


def test_a_photo_is_named_by_its_hash_and_unreadable_on_the_disk(tmp_path: Path) -> None:
    store = PhotoStore(tmp_path, bytes(32))
    content = b"\xff\xd8\xff a shelf" * 1000
    name = store.put(content)
    assert name == hashlib.sha256(content).hexdigest() == store.put(content)
    assert store.get(name) == content
    assert list(store.names()) == [name]
    (path,) = tmp_path.glob("??/*")
    assert b"a shelf" not in path.read_bytes()


def test_a_photo_that_rotted_on_the_disk_is_told_apart_from_a_missing_one(tmp_path: Path) -> None:
    store = PhotoStore(tmp_path, bytes(32))
    name = store.put(b"content")
    (path,) = tmp_path.glob("??/*")
    path.write_bytes(path.read_bytes()[:-1] + b"?")
    with pytest.raises(DomainError, match="photo_damaged"):
        store.get(name)
    store.delete(name)
    assert not store.has(name)
    with pytest.raises(DomainError, match="photo_missing"):
        store.get(name)


def test_a_photo_name_never_leaves_the_folder(tmp_path: Path) -> None:
    with pytest.raises(ValueError, match="not the name"):
        PhotoStore(tmp_path, bytes(32)).get("../../key.json")


@pytest.mark.skipif(os.name != "posix", reason="permissions as POSIX has them")
def test_the_profile_folder_is_its_owners_alone(tmp_path: Path) -> None:
    folder = tmp_path / "profile"
    folder.mkdir(mode=0o755)
    create_key(folder, KeyPlace.PASSPHRASE, passphrase="correct horse")
    assert [stat.S_IMODE(path.stat().st_mode) for path in (folder, folder / KEY_FILE)] == [0o700, 0o600]


def test_an_error_of_the_database_names_no_value_in_the_log(tmp_path: Path) -> None:
    db = Database.open(tmp_path, bytes(32), now=datetime(2026, 11, 20, tzinfo=UTC))
    try:
        with db.read() as reader, pytest.raises(DBAPIError) as caught:
            reader.conn.execute(text("SELECT no_such_column WHERE :name = 1"), {"name": "Camille Durand"})
        assert "Durand" not in str(caught.value)
    finally:
        db.close()
