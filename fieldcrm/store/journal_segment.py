"""One file of the journal: records added one after another, each encrypted and chained to all before it.

Header, 88 bytes: magic, version, number, time, salt, a value that tells a wrong key from damage, and the chain's value
at the end of the segment before. Then records: length, nonce, ciphertext (AES-256-GCM over zstd over JSON), and the
chain's value after it, SHA-256 over its predecessor and the record. The key is derived from the device's key and the
salt, so each segment has its own; a record is bound to all before it by the chain's value as associated data.

The chain is checked without any key. What a cut or a flipped bit spoils is named by file and place; every record that
proves itself is kept, before the damage and after it.
"""

from __future__ import annotations

import hashlib
import os
import struct
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

MAGIC: Final = b"FCRMJRNL"
VERSION: Final = 1
SUFFIX: Final = ".journal"
MAX_RECORD = 16 * 1024 * 1024
_MAX_PLAIN = 64 * 1024 * 1024
_WINDOW = 8 * 1024 * 1024
_HEADER = struct.Struct(">8sHHIQ16s16s32s")
_LENGTH = struct.Struct(">I")
_NONCE, _CHAIN = 12, 32
START: Final = bytes(_CHAIN)  # the chain before the first segment


@dataclass(frozen=True, slots=True)
class Damage:
    """What is wrong, and where: ``offset`` in bytes of the file named ``segment``.

    ``reason``: "cut" (ends in the middle of a record), "changed" (a record is not what was written), "missing" (a whole
    segment is not there), "unlinked" (the end of the segment before is not there), "foreign" (no segment of this key).
    """

    segment: str
    offset: int
    reason: str


@dataclass(slots=True)
class Segment:
    """A segment as read. ``tip``: the chain's value after the last record that proved itself."""

    name: str
    number: int = 0
    created_ms: int = 0
    previous: bytes = START
    tip: bytes = START
    size: int = 0  # bytes up to the end of the last good record that nothing wrong precedes
    records: list[Any] = field(default_factory=list)
    damage: list[Damage] = field(default_factory=list)

    @property
    def whole(self) -> bool:
        return not self.damage


def segment_name(number: int) -> str:
    return f"{number:010d}{SUFFIX}"


def segment_files(folder: Path) -> list[Path]:
    """In the order of their numbers; what is not named like a segment is none."""
    found = [path for path in folder.glob(f"*{SUFFIX}") if path.stem.isdigit()]
    return sorted(found, key=lambda path: int(path.stem))


def _derived(key: bytes, salt: bytes) -> tuple[AESGCM, bytes]:
    made = HKDF(hashes.SHA256(), 48, salt, b"fieldcrm journal 1").derive(key)
    return AESGCM(made[:32]), made[32:]


def _next(chain: bytes, body: bytes) -> bytes:
    return hashlib.sha256(chain + body).digest()


class SegmentWriter:
    """Adds records at the end of one file. ``sync`` puts them on the disk."""

    def __init__(self, path: Path, cipher: AESGCM, tip: bytes, size: int) -> None:
        self.path = path
        self.tip = tip
        self.size = size
        self._cipher = cipher
        # Not through a buffer: what was added is with the system, whatever becomes of this program.
        self._file = os.open(path, os.O_WRONLY | os.O_APPEND | getattr(os, "O_BINARY", 0))

    @classmethod
    def begin(cls, folder: Path, number: int, key: bytes, previous: bytes, created_ms: int) -> SegmentWriter:
        """Make a new segment that follows the chain's value ``previous``. Raises ``FileExistsError``."""
        salt = os.urandom(16)
        cipher, check = _derived(key, salt)
        header = _HEADER.pack(MAGIC, VERSION, 0, number, created_ms, salt, check, previous)
        path = folder / segment_name(number)
        with path.open("xb") as file:
            file.write(header)
            file.flush()
            os.fsync(file.fileno())
        return cls(path, cipher, _next(START, header), len(header))

    @classmethod
    def resume(cls, path: Path, key: bytes, segment: Segment) -> SegmentWriter:
        """Go on in a segment that was read whole."""
        with path.open("rb") as file:
            salt = _HEADER.unpack(file.read(_HEADER.size))[5]
        return cls(path, _derived(key, salt)[0], segment.tip, segment.size)

    def add(self, record: Any) -> None:
        """Write one record and hand it to the system. After an ``OSError`` this segment must not be written again."""
        packed = zstandard.ZstdCompressor(level=1).compress(msgspec.json.encode(record))
        nonce = os.urandom(_NONCE)
        sealed = self._cipher.encrypt(nonce, packed, self.tip)
        body = _LENGTH.pack(len(sealed)) + nonce + sealed
        tip = _next(self.tip, body)
        rest = memoryview(body + tip)
        while rest:
            rest = rest[os.write(self._file, rest) :]
        self.tip = tip
        self.size += len(body) + len(tip)

    def sync(self) -> None:
        os.fsync(self._file)

    def close(self) -> None:
        os.close(self._file)


def read_segment(path: Path, key: bytes | None) -> Segment:
    """Everything in the file that proves itself. Without ``key`` the chain alone is checked. Raises ``OSError``."""
    return parse_segment(path.name, path.read_bytes(), key)


def parse_segment(name: str, content: bytes, key: bytes | None) -> Segment:
    found = Segment(name)
    if len(content) < _HEADER.size:
        reason = "cut" if MAGIC.startswith(content[:8]) or content.startswith(MAGIC) else "foreign"
        found.damage.append(Damage(name, len(content), reason))
        return found
    magic, version, _, number, created, salt, check, previous = _HEADER.unpack_from(content)
    cipher, expected = _derived(key, salt) if key is not None else (None, check)
    if magic != MAGIC or version != VERSION or check != expected:
        found.damage.append(Damage(name, 0, "foreign"))
        return found
    found.number, found.created_ms, found.previous = number, created, previous
    found.tip, found.size = _next(START, content[: _HEADER.size]), _HEADER.size
    _read_records(found, content, cipher)
    return found


def _read_records(found: Segment, content: bytes, cipher: AESGCM | None) -> None:
    for offset, body, stored in _bodies(found, content):
        good = _next(found.tip, body) == stored
        record = _opened(cipher, body, found.tip) if cipher is not None else None
        if good and (cipher is None or record is not None):
            if cipher is not None:
                found.records.append(record)
            if found.whole:
                found.size = offset + len(body) + len(stored)
        else:
            found.damage.append(Damage(found.name, offset, "changed"))
            if record is not None:  # only the chain's stored value is wrong
                found.records.append(record)
        found.tip = stored


def _bodies(found: Segment, content: bytes) -> Iterator[tuple[int, bytes, bytes]]:
    """Offset, record, and the chain's value as stored, as far as the lengths make sense."""
    at = _HEADER.size
    while at < len(content):
        if len(content) - at < _LENGTH.size + _NONCE + _CHAIN:
            found.damage.append(Damage(found.name, at, "cut"))
            return
        length = _LENGTH.unpack_from(content, at)[0]
        end = at + _LENGTH.size + _NONCE + length
        if length > MAX_RECORD or end + _CHAIN > len(content):
            found.damage.append(Damage(found.name, at, "cut"))
            return
        yield at, content[at:end], content[end : end + _CHAIN]
        at = end + _CHAIN


def _opened(cipher: AESGCM, body: bytes, chain: bytes) -> Any:
    """The record, or ``None`` when it does not prove itself."""
    nonce, sealed = body[_LENGTH.size : _LENGTH.size + _NONCE], body[_LENGTH.size + _NONCE :]
    try:
        packed = cipher.decrypt(nonce, sealed, chain)
        plain = zstandard.ZstdDecompressor(max_window_size=_WINDOW).decompress(packed, max_output_size=_MAX_PLAIN)
        return msgspec.json.decode(plain)
    except (InvalidTag, ValueError, zstandard.ZstdError, msgspec.DecodeError, RecursionError):
        return None


def read_all(folder: Path, key: bytes | None) -> tuple[list[Segment], list[Damage]]:
    """Every segment of a folder in order, and all that is wrong, links between segments included."""
    segments: list[Segment] = []
    damage: list[Damage] = []
    before: Segment | None = None
    for path in segment_files(folder):
        try:
            segment = read_segment(path, key)
        except OSError:
            segment = Segment(path.name, damage=[Damage(path.name, 0, "unreadable")])
        damage += segment.damage
        if segment.number and before is not None:
            damage += _link(before, segment)
        if segment.number:
            before = segment
        segments.append(segment)
    return segments, damage


def _link(before: Segment, segment: Segment) -> list[Damage]:
    if segment.number != before.number + 1:
        return [Damage(segment.name, 0, "missing")]
    if segment.previous == before.tip or any(one.reason == "cut" for one in before.damage):
        return []  # a write that a power cut interrupted is reported where it is
    return [] if before.damage else [Damage(before.name, before.size, "unlinked")]
