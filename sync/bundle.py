"""A sync that is carried by hand: one file from a device to its server, and one back.

The way there is encrypted to the organisation's own key (X25519, a fresh one for each file) together with a secret that
only this device and its server share, so nobody else can read it or have made it. It goes in frames (AES-256-GCM, each
numbered, the last one marked), so a file that was cut, changed or put together anew is noticed before anything is done.
The way back is encrypted under the shared secret alone.
"""

from __future__ import annotations

import hashlib
import hmac
import os
import struct
from base64 import b64decode, b64encode
from collections.abc import Callable, Iterator
from typing import IO, Final, TypeVar

import msgspec
import zstandard
from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.asymmetric.x25519 import X25519PrivateKey, X25519PublicKey
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF

from sync.protocol import BlobOffer, SyncRequest, SyncResponse

MAGIC: Final = b"FCRMBNDL"
ANSWER_MAGIC: Final = b"FCRMBANS"
FORMAT: Final = 1
FRAME = 256 * 1024
MAX_HEADER = 4096
MAX_CONTENTS = 64 * 1024 * 1024  # of operations in one bundle, unpacked
MAX_ANSWER = 64 * 1024 * 1024
_LENGTH = struct.Struct(">I")
_NUMBER = struct.Struct(">QI")
_MAC = 32

Message = TypeVar("Message")


class BundleRefused(Exception):
    """The file cannot be used. ``code``: "bundle_unknown", "bundle_foreign", "bundle_damaged", "bundle_key_gone"."""

    def __init__(self, code: str) -> None:
        super().__init__(code)
        self.code = code


class Header(msgspec.Struct):
    """What stands in clear. ``key`` names the organisation's key that it is encrypted to."""

    v: int
    org: str
    device: int
    key: str
    eph: str
    id: str
    made: int  # device clock, milliseconds


class Contents(msgspec.Struct):
    """Requests to be made one after another, and the photos that follow in this order."""

    requests: list[SyncRequest]
    blobs: list[BlobOffer] = []


class PublicKey(msgspec.Struct, frozen=True):
    """An organisation's key for bundles, as every device of it is told."""

    id: str
    public: str


class Answer(msgspec.Struct, omit_defaults=True):
    """What became of a bundle. ``refused``: a code, and nothing was done; ``key``: to encrypt the next one to."""

    bundle: str
    responses: list[SyncResponse] = []
    blobs: list[str] = []  # photos that the server has verified
    refused: str | None = None
    key: PublicKey | None = None


def shared_secret(device_key: str) -> bytes:
    """What both sides make of the device's key; the server has kept only this."""
    return hashlib.sha256(device_key.encode("utf-8", "surrogatepass")).digest()


def new_private_key() -> bytes:
    return X25519PrivateKey.generate().private_bytes_raw()


def public_of(private: bytes) -> PublicKey:
    raw = X25519PrivateKey.from_private_bytes(private).public_key().public_bytes_raw()
    return PublicKey(hashlib.sha256(raw).hexdigest()[:32], b64encode(raw).decode())


def _body_key(shared: bytes, secret: bytes, start: bytes) -> AESGCM:
    made = HKDF(hashes.SHA256(), 32, hashlib.sha256(start).digest(), b"fieldcrm bundle 1").derive(shared + secret)
    return AESGCM(made)


def _mac(secret: bytes, start: bytes) -> bytes:
    key = HKDF(hashes.SHA256(), 32, None, b"fieldcrm bundle header 1").derive(secret)
    return hmac.new(key, start, hashlib.sha256).digest()


# There


def write_bundle(
    file: IO[bytes],
    contents: Contents,
    blob: Callable[[str], bytes],
    key: PublicKey,
    secret: bytes,
    *,
    org: str,
    device: int,
    id: str,
    made: int,
) -> None:
    """Write the whole file. ``blob`` gives each photo of ``contents`` by its hash."""
    ephemeral = X25519PrivateKey.generate()
    public = b64encode(ephemeral.public_key().public_bytes_raw()).decode()
    header = msgspec.json.encode(Header(FORMAT, org, device, key.id, public, id, made))
    start = MAGIC + _LENGTH.pack(len(header)) + header
    shared = ephemeral.exchange(X25519PublicKey.from_public_bytes(b64decode(key.public)))
    cipher = _body_key(shared, secret, start)
    file.write(start + _mac(secret, start))

    def plain() -> Iterator[bytes]:
        packed = zstandard.ZstdCompressor().compress(msgspec.json.encode(contents))
        yield _LENGTH.pack(len(packed)) + packed
        for offer in contents.blobs:
            yield blob(offer.sha256)

    number, waiting = 0, bytearray()
    for piece in plain():
        waiting += piece
        while len(waiting) > FRAME:
            _write_frame(file, cipher, number, bytes(waiting[:FRAME]), last=False)
            del waiting[:FRAME]
            number += 1
    _write_frame(file, cipher, number, bytes(waiting), last=True)


def _write_frame(file: IO[bytes], cipher: AESGCM, number: int, plain: bytes, *, last: bool) -> None:
    sealed = cipher.encrypt(_NUMBER.pack(number, int(last)), plain, None)
    file.write(_LENGTH.pack(len(sealed)) + sealed)


def read_header(file: IO[bytes]) -> tuple[Header, bytes, bytes]:
    """The header, the bytes it is proved over, and the proof. Raises ``BundleRefused("bundle_unknown")``."""
    magic = file.read(len(MAGIC))
    raw_length = file.read(_LENGTH.size)
    if magic != MAGIC or len(raw_length) != _LENGTH.size or _LENGTH.unpack(raw_length)[0] > MAX_HEADER:
        raise BundleRefused("bundle_unknown")
    raw = file.read(_LENGTH.unpack(raw_length)[0])
    try:
        header = msgspec.json.decode(raw, type=Header)
    except (msgspec.MsgspecError, ValueError, RecursionError):
        raise BundleRefused("bundle_unknown") from None
    if header.v != FORMAT:
        raise BundleRefused("bundle_unknown")
    return header, magic + raw_length + raw, file.read(_MAC)


def is_of(start: bytes, proof: bytes, secret: bytes) -> bool:
    """Whether who wrote this header shares ``secret``."""
    return hmac.compare_digest(proof, _mac(secret, start))


def plain_frames(file: IO[bytes], header: Header, start: bytes, secret: bytes, private: bytes) -> Iterator[bytes]:
    """What is in it, piece by piece, from behind the header on. Raises ``BundleRefused("bundle_damaged")``.

    Only after the last piece is it known to be whole.
    """
    try:
        theirs = X25519PublicKey.from_public_bytes(b64decode(header.eph, validate=True))
        shared = X25519PrivateKey.from_private_bytes(private).exchange(theirs)
    except ValueError:
        raise BundleRefused("bundle_damaged") from None
    cipher = _body_key(shared, secret, start)
    number, last = 0, False
    while not last:
        raw = file.read(_LENGTH.size)
        if len(raw) != _LENGTH.size or _LENGTH.unpack(raw)[0] > FRAME + 16:
            raise BundleRefused("bundle_damaged")
        sealed = file.read(_LENGTH.unpack(raw)[0])
        if len(sealed) != _LENGTH.unpack(raw)[0]:
            raise BundleRefused("bundle_damaged")
        plain, last = _open_frame(cipher, number, sealed)
        yield plain
        number += 1
    if file.read(1):
        raise BundleRefused("bundle_damaged")


def _open_frame(cipher: AESGCM, number: int, sealed: bytes) -> tuple[bytes, bool]:
    for last in (False, True):
        try:
            return cipher.decrypt(_NUMBER.pack(number, int(last)), sealed, None), last
        except (InvalidTag, ValueError):
            continue
    raise BundleRefused("bundle_damaged")


class PlainReader:
    """Reads so many bytes at a time of what ``plain_frames`` gives."""

    def __init__(self, frames: Iterator[bytes]) -> None:
        self._frames = frames
        self._waiting = bytearray()

    def contents(self) -> Contents:
        """The requests and the list of photos. Raises ``BundleRefused("bundle_damaged")``."""
        size = _LENGTH.unpack(self.take(_LENGTH.size))[0]
        if size > MAX_CONTENTS:
            raise BundleRefused("bundle_damaged")
        return _unpacked(self.take(size), Contents, MAX_CONTENTS)

    def take(self, size: int) -> bytes:
        while len(self._waiting) < size:
            piece = next(self._frames, None)
            if piece is None:
                raise BundleRefused("bundle_damaged")
            self._waiting += piece
        taken = bytes(self._waiting[:size])
        del self._waiting[:size]
        return taken

    def finish(self) -> None:
        """Raises ``BundleRefused("bundle_damaged")`` unless all was taken and the end is the end."""
        if self._waiting or any(self._frames):
            raise BundleRefused("bundle_damaged")


# And back


def write_answer(answer: Answer, secret: bytes) -> bytes:
    packed = zstandard.ZstdCompressor().compress(msgspec.json.encode(answer))
    salt, nonce = os.urandom(16), os.urandom(12)
    return ANSWER_MAGIC + salt + nonce + _answer_cipher(secret, salt).encrypt(nonce, packed, ANSWER_MAGIC)


def read_answer(content: bytes, secret: bytes) -> Answer:
    """Raises ``BundleRefused``: "bundle_unknown", "bundle_foreign" (another device's, or changed), "bundle_damaged"."""
    if not content.startswith(ANSWER_MAGIC):
        raise BundleRefused("bundle_unknown")
    at = len(ANSWER_MAGIC)
    salt, nonce, sealed = content[at : at + 16], content[at + 16 : at + 28], content[at + 28 :]
    try:
        packed = _answer_cipher(secret, salt).decrypt(nonce, sealed, ANSWER_MAGIC)
    except (InvalidTag, ValueError):
        raise BundleRefused("bundle_foreign") from None
    return _unpacked(packed, Answer, MAX_ANSWER)


def _answer_cipher(secret: bytes, salt: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, salt, b"fieldcrm bundle answer 1").derive(secret))


def _unpacked(packed: bytes, kind: type[Message], limit: int) -> Message:
    try:
        reader = zstandard.ZstdDecompressor(max_window_size=8 * 1024 * 1024).stream_reader(packed)
        plain = reader.read(limit + 1)
        if len(plain) > limit:
            raise BundleRefused("bundle_damaged")
        return msgspec.json.decode(plain, type=kind)
    except (zstandard.ZstdError, msgspec.MsgspecError, ValueError, RecursionError):
        raise BundleRefused("bundle_damaged") from None
