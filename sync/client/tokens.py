"""What lets a device call the server; apart from the HTTP client, which a start does not wait for."""

from __future__ import annotations

import msgspec


class TokenPair(msgspec.Struct, frozen=True):
    """What lets this device call the server."""

    access: str
    refresh: str
    device_key: str = ""  # proves that this device was enrolled, and carries its last deposit; opens nothing else
