"""Photos on the device: one encrypted file for each, named by the SHA-256 of what it holds."""

from __future__ import annotations

import hashlib
import os
import re
import secrets
from collections.abc import Iterator
from pathlib import Path

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from fieldcrm.domain.errors import DomainError
from fieldcrm.store.database import disk_errors

_NONCE_BYTES = 12
_NAME = re.compile(r"[0-9a-f]{64}")


class PhotoStore:
    """Photos under ``folder``, encrypted with AES-256-GCM under the profile's key of 32 bytes."""

    def __init__(self, folder: Path, key: bytes) -> None:
        self._folder = folder
        self._cipher = AESGCM(key)

    def put(self, content: bytes) -> str:
        """Keep ``content``; returns its SHA-256 as 64 hexadecimal digits. The file is on the disk on return.

        Raises ``Unavailable("disk_full")`` or ``("disk_denied")``; nothing half-written stays.
        """
        name = hashlib.sha256(content).hexdigest()
        path = self._path(name)
        if path.exists():
            return name
        nonce = secrets.token_bytes(_NONCE_BYTES)
        temporary = path.with_name(f"{name}.{secrets.token_hex(4)}.new")
        with disk_errors(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            try:
                with temporary.open("wb") as file:
                    file.write(nonce + self._cipher.encrypt(nonce, content, name.encode()))
                    file.flush()
                    os.fsync(file.fileno())
                temporary.replace(path)
            finally:
                temporary.unlink(missing_ok=True)
        return name

    def get(self, name: str) -> bytes:
        """The content of ``name``. Raises ``DomainError("photo_missing")`` or ``("photo_damaged")``."""
        try:
            sealed = self._path(name).read_bytes()
        except FileNotFoundError as error:
            raise DomainError("photo_missing", sha256=name) from error
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], name.encode())
        except (InvalidTag, ValueError) as error:
            raise DomainError("photo_damaged", sha256=name) from error

    def has(self, name: str) -> bool:
        return self._path(name).exists()

    def delete(self, name: str) -> None:
        self._path(name).unlink(missing_ok=True)

    def names(self) -> Iterator[str]:
        for path in sorted(self._folder.glob("??/*")):
            if _NAME.fullmatch(path.name):
                yield path.name

    def bytes_used(self) -> int:
        return sum(self._path(name).stat().st_size for name in self.names())

    def _path(self, name: str) -> Path:
        if not _NAME.fullmatch(name):
            raise ValueError("not the name of a photo")
        return self._folder / name[:2] / name
