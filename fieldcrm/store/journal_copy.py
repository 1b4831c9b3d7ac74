"""The second copy of a device's journal, drafts and photos: on another disk, a stick, or a folder of the network.

Everything in it is encrypted as on the device. ``recovery.json`` beside it holds the device's key, wrapped by a
recovery code that only the person has; without the code the copy opens for nobody.
"""

from __future__ import annotations

import base64
import errno
import hashlib
import json
import os
import secrets
import shutil
from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path

from argon2.exceptions import HashingError
from argon2.low_level import Type, hash_secret_raw
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from fieldcrm.domain.errors import DomainError
from fieldcrm.store.journal import FOLDER
from fieldcrm.store.journal_people import PEOPLE_FILE
from fieldcrm.store.journal_segment import segment_files
from fieldcrm.store.journal_state import STATE_FILE
from fieldcrm.store.keys import ARGON2, KEY_BYTES
from sync.whole_file import write_whole

RECOVERY_FILE = "recovery.json"
PHOTOS = "photos"
_HEADER_BYTES = 88
_CHAIN_BYTES = 32
_ALPHABET = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"  # Crockford's: nothing that is easily misread
_CODE_LETTERS = 25  # 125 bits
_MAX_ARGON2 = {"time_cost": 16, "memory_cost": 1024 * 1024, "parallelism": 16}


@dataclass(slots=True)
class Copied:
    """What one round did."""

    files: int = 0
    bytes: int = 0
    removed: int = 0


def copy_folder(place: Path, key: bytes) -> Path:
    """The folder of this device's copy in the place that the person chose: two devices may share a stick."""
    name = HKDF(hashes.SHA256(), 4, None, b"fieldcrm copy name").derive(key).hex()
    return place / f"FieldCRM-{name}"


# The key


def new_recovery_code() -> str:
    """Five groups of five letters and digits, to be written down."""
    letters = "".join(secrets.choice(_ALPHABET) for _ in range(_CODE_LETTERS))
    return "-".join(letters[at : at + 5] for at in range(0, _CODE_LETTERS, 5))


def wrap_key(folder: Path, key: bytes, code: str) -> None:
    """Keep the device's key beside the copy, for whoever has the code. Raises ``OSError``."""
    salt, nonce = secrets.token_bytes(16), secrets.token_bytes(12)
    wrapped = AESGCM(_stretched(code, salt, ARGON2)).encrypt(nonce, key, b"fieldcrm recovery 1")
    record: dict[str, object] = {"version": 1, "argon2id": ARGON2}
    texts = {"salt": salt, "nonce": nonce, "wrapped": wrapped}
    record |= {name: base64.b64encode(value).decode() for name, value in texts.items()}
    _write(folder / RECOVERY_FILE, json.dumps(record).encode())


def unwrap_key(folder: Path, code: str) -> bytes:
    """The device's key. Raises ``DomainError``: "recovery_missing", "recovery_damaged", "recovery_code_wrong"."""
    path = folder / RECOVERY_FILE
    try:
        record = json.loads(path.read_text(encoding="utf-8"))
        salt, nonce, wrapped = (base64.b64decode(record[name]) for name in ("salt", "nonce", "wrapped"))
        cost = {name: int(record["argon2id"][name]) for name in ARGON2}
        if not all(1 <= value <= _MAX_ARGON2[name] for name, value in cost.items()) or len(nonce) != 12:
            raise ValueError("no cost that this program ever wrote")
        key = AESGCM(_stretched(code, salt, cost)).decrypt(nonce, wrapped, b"fieldcrm recovery 1")
    except OSError as error:
        raise DomainError("recovery_missing", path=str(path)) from error
    except (ValueError, TypeError, KeyError, RecursionError, OverflowError, HashingError) as error:
        raise DomainError("recovery_damaged", path=str(path)) from error
    except InvalidTag as error:
        raise DomainError("recovery_code_wrong") from error
    if len(key) != KEY_BYTES:
        raise DomainError("recovery_damaged", path=str(path))
    return key


def _stretched(code: str, salt: bytes, cost: dict[str, int]) -> bytes:
    plain = "".join(code.upper().replace("O", "0").replace("I", "1").replace("L", "1").split()).replace("-", "")
    return hash_secret_raw(plain.encode(), salt, hash_len=32, type=Type.ID, **cost)


# The copy


def bring_up_to_date(profile: Path, target: Path, photos: Iterable[str], unwanted: Iterable[str]) -> Copied:
    """Bring the copy in ``target`` to what ``profile`` holds. Raises ``OSError``: the place is gone, or full.

    ``photos``: names of those to be copied; ``unwanted``: names that are known to be safe elsewhere, and may go.
    """
    done = Copied()
    journal = target / FOLDER
    for folder in (target, journal, target / PHOTOS):
        if folder.is_symlink():  # what is written and removed here would be so elsewhere
            raise OSError(errno.ELOOP, os.strerror(errno.ELOOP), str(folder))
    journal.mkdir(parents=True, exist_ok=True)
    _copy_segments(profile / FOLDER, journal, done)
    for name in (PEOPLE_FILE, STATE_FILE):
        _copy_changed(profile / FOLDER / name, journal / name, done)
    for name in photos:
        source, copy = (folder / PHOTOS / name[:2] / name for folder in (profile, target))
        if source.exists() and not copy.exists():
            _copy_whole(source, copy, done)
    for name in unwanted:
        copy = target / PHOTOS / name[:2] / name
        if copy.exists():
            copy.unlink()
            done.removed += 1
    return done


def photo_names(target: Path) -> set[str]:
    return {path.name for path in (target / PHOTOS).glob("??/*") if len(path.name) == 64}


def _copy_segments(source: Path, target: Path, done: Copied) -> None:
    files = segment_files(source)
    if any((target / path.name).exists() and _head(path) != _head(target / path.name) for path in files):
        _set_aside(target)
    for path in files:
        _copy_segment(path, target / path.name, done)
    lowest = int(files[0].stem) if files else 0
    for path in segment_files(target):
        if int(path.stem) < lowest:  # trimmed here, because a verified backup holds all of it
            path.unlink()
            done.removed += 1


def _set_aside(target: Path) -> None:
    """Another journal under the same numbers: the older one is kept, a rescue reads both."""
    for number in range(1, 10_000):
        aside = target.with_name(f"{target.name}-{number}")
        if not aside.exists():
            target.rename(aside)
            target.mkdir()
            if (aside / PEOPLE_FILE).exists():  # one file of keys only, or an erasure would miss the other
                shutil.move(aside / PEOPLE_FILE, target / PEOPLE_FILE)
            return


def _head(path: Path) -> bytes:
    with path.open("rb") as file:
        return file.read(_HEADER_BYTES)


def _copy_segment(source: Path, copy: Path, done: Copied) -> None:
    size = source.stat().st_size
    there = copy.stat().st_size if copy.exists() else 0
    if size == there:
        return
    if not 0 < there < size or _end(source, there) != _end(copy, there):
        _copy_whole(source, copy, done)
        return
    with source.open("rb") as reading, copy.open("ab") as writing:
        reading.seek(there)
        shutil.copyfileobj(reading, writing)
        writing.flush()
        os.fsync(writing.fileno())
    done.files += 1
    done.bytes += size - there


def _end(path: Path, size: int) -> bytes:
    """The last bytes before ``size``: the chain's value, if a record ends there."""
    with path.open("rb") as file:
        file.seek(max(0, size - _CHAIN_BYTES))
        return file.read(min(size, _CHAIN_BYTES))


def _copy_changed(source: Path, copy: Path, done: Copied) -> None:
    if source.exists() and (not copy.exists() or _digest(source) != _digest(copy)):
        _copy_whole(source, copy, done)


def _digest(path: Path) -> bytes:
    return hashlib.sha256(path.read_bytes()).digest()


def _copy_whole(source: Path, copy: Path, done: Copied) -> None:
    content = source.read_bytes()
    _write(copy, content)
    done.files += 1
    done.bytes += len(content)


def _write(path: Path, content: bytes) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    write_whole(path, content)


def same_disk(one: Path, other: Path) -> bool:
    """Whether both lie on one disk, as far as the system tells: a copy there dies with the original."""
    try:
        return one.stat().st_dev == other.stat().st_dev
    except OSError:
        return False


def inside(place: Path, profile: Path) -> bool:
    here, there = profile.resolve(), place.resolve()
    return there == here or here in there.parents
