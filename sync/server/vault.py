"""The server's own key: what has to be read again, and may not be read by whoever finds the database alone."""

from __future__ import annotations

import secrets
from hashlib import sha256

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

_NONCE_BYTES = 12


class Vault:
    """Seals with AES-256-GCM, under a key made from the server's own; ``about`` names what is sealed: no two can be
    swapped."""

    def __init__(self, own_key: bytes) -> None:
        self._cipher = AESGCM(sha256(b"fieldcrm vault" + own_key).digest())

    def seal(self, secret: bytes, about: bytes) -> bytes:
        nonce = secrets.token_bytes(_NONCE_BYTES)
        return nonce + self._cipher.encrypt(nonce, secret, about)

    def open(self, sealed: bytes, about: bytes) -> bytes | None:
        """``None`` when it was sealed under another key, or for something else."""
        try:
            return self._cipher.decrypt(sealed[:_NONCE_BYTES], sealed[_NONCE_BYTES:], about)
        except (InvalidTag, ValueError):
            return None
