"""The key of a profile's database and photos: in the system's keyring, or wrapped by a passphrase in a file.

``key.json`` in the profile folder says which. The raw key never touches the disk, with one exception that says so
in its own name: the sample workspace, whose data are fictitious.
"""

from __future__ import annotations

import base64
import json
import os
import secrets
from contextlib import suppress
from enum import StrEnum
from pathlib import Path
from typing import Any

from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fieldcrm.domain.errors import DomainError, Unavailable
from sync.whole_file import write_whole

KEY_FILE = "key.json"
KEY_BYTES = 32
KEYRING_SERVICE = "FieldCRM"
MINIMUM_PASSPHRASE = 8
# RFC 9106, second recommended option, for machines with little memory.
ARGON2 = {"time_cost": 3, "memory_cost": 64 * 1024, "parallelism": 4}


class KeyPlace(StrEnum):
    KEYRING = "keyring"
    PASSPHRASE = "passphrase"
    SAMPLE = "sample"  # unwrapped, for fictitious data only


def key_place(folder: Path) -> KeyPlace | None:
    """Where the key of the profile in ``folder`` is, or ``None`` when there is no profile yet."""
    record = _record(folder)
    return None if record is None else KeyPlace(record["place"])


def keyring_available() -> bool:
    """Whether the system has a keyring that keeps what it is given."""
    import keyring
    from keyring.errors import KeyringError

    backend = keyring.get_keyring()
    if getattr(backend, "priority", 0) <= 0:
        return False
    probe = secrets.token_hex(8)
    try:
        keyring.set_password(KEYRING_SERVICE, "probe", probe)
        kept = keyring.get_password(KEYRING_SERVICE, "probe") == probe
        keyring.delete_password(KEYRING_SERVICE, "probe")
    except KeyringError:
        return False
    return kept


def create_key(folder: Path, place: KeyPlace, *, passphrase: str = "") -> bytes:
    """Make and keep a new key of 32 bytes. Raises ``DomainError("passphrase_short")`` below 8 characters."""
    if _record(folder) is not None:
        raise DomainError("profile_exists", path=str(folder))
    key = secrets.token_bytes(KEY_BYTES)
    record: dict[str, Any] = {"place": place.value, "profile": secrets.token_hex(8)}
    if place is KeyPlace.KEYRING:
        _keep_in_keyring(record["profile"], key)
    elif place is KeyPlace.PASSPHRASE:
        record |= _wrap(key, passphrase)
    else:
        record["key"] = _text(key)
    _write(folder, record)
    return key


def load_key(folder: Path, *, passphrase: str = "") -> bytes:
    """The key of an existing profile.

    Raises ``DomainError``: ``passphrase_wrong``, ``key_file_damaged``; ``Unavailable("keyring_locked")``.
    """
    record = _record(folder)
    if record is None:
        raise DomainError("profile_missing", path=str(folder))
    try:
        place = KeyPlace(record["place"])
        if place is KeyPlace.SAMPLE:
            return base64.b64decode(record["key"])
        if place is KeyPlace.PASSPHRASE:
            return _unwrap(record, passphrase)
        return _from_keyring(record["profile"])
    except (KeyError, ValueError, TypeError) as error:
        raise DomainError("key_file_damaged", path=str(folder / KEY_FILE)) from error


def change_passphrase(folder: Path, old: str, new: str) -> None:
    """Wrap the same key with another passphrase; the data stay as they are."""
    key = load_key(folder, passphrase=old)
    record = _record(folder) or {}
    _write(folder, {"place": KeyPlace.PASSPHRASE.value, "profile": record["profile"], **_wrap(key, new)})


def destroy_key(folder: Path) -> None:
    """Forget the key for good: nothing that it protects can be read again. Does nothing when it is gone."""
    path = folder / KEY_FILE
    try:
        record = _record(folder) or {}
    except DomainError:
        record = {}
    if record.get("place") == KeyPlace.KEYRING:
        import keyring
        from keyring.errors import KeyringError

        with suppress(KeyringError):  # it was deleted before, or the keyring is gone with its key
            keyring.delete_password(KEYRING_SERVICE, record["profile"])
    if path.exists():
        size = path.stat().st_size
        with path.open("r+b") as file:
            file.write(secrets.token_bytes(size))
            file.flush()
            os.fsync(file.fileno())
        path.unlink()


def _wrap(key: bytes, passphrase: str) -> dict[str, Any]:
    if len(passphrase) < MINIMUM_PASSPHRASE:
        raise DomainError("passphrase_short", field="passphrase", minimum=MINIMUM_PASSPHRASE)
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    wrapped = AESGCM(_stretch(passphrase, salt, ARGON2)).encrypt(nonce, key, None)
    return {"salt": _text(salt), "nonce": _text(nonce), "wrapped": _text(wrapped), "argon2id": ARGON2}


def _unwrap(record: dict[str, Any], passphrase: str) -> bytes:
    salt, nonce, wrapped = (base64.b64decode(record[name]) for name in ("salt", "nonce", "wrapped"))
    try:
        return AESGCM(_stretch(passphrase, salt, record["argon2id"])).decrypt(nonce, wrapped, None)
    except InvalidTag as error:
        raise DomainError("passphrase_wrong", field="passphrase") from error


def _stretch(passphrase: str, salt: bytes, cost: dict[str, int]) -> bytes:
    return hash_secret_raw(passphrase.encode(), salt, hash_len=KEY_BYTES, type=Type.ID, **cost)


def _keep_in_keyring(profile: str, key: bytes) -> None:
    import keyring
    from keyring.errors import KeyringError

    try:
        keyring.set_password(KEYRING_SERVICE, profile, _text(key))
    except KeyringError as error:
        raise Unavailable("keyring_locked") from error


def _from_keyring(profile: str) -> bytes:
    import keyring
    from keyring.errors import KeyringError

    try:
        kept = keyring.get_password(KEYRING_SERVICE, profile)
    except KeyringError as error:
        raise Unavailable("keyring_locked") from error
    if kept is None:
        raise Unavailable("keyring_locked")
    return base64.b64decode(kept)


def _record(folder: Path) -> dict[str, Any] | None:
    try:
        record = json.loads((folder / KEY_FILE).read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise DomainError("key_file_damaged", path=str(folder / KEY_FILE)) from error
    if not isinstance(record, dict) or record.get("place") not in list(KeyPlace):
        raise DomainError("key_file_damaged", path=str(folder / KEY_FILE))
    return record


def _write(folder: Path, record: dict[str, Any]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    folder.chmod(0o700)  # the log and the preferences beside it are nobody else's either
    write_whole(folder / KEY_FILE, json.dumps(record).encode(), 0o600)


def _text(value: bytes) -> str:
    return base64.b64encode(value).decode()
