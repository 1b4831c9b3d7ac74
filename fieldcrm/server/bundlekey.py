"""How devices learn the key that bundles are encrypted to: as a setting of the organisation, which they all receive."""

from __future__ import annotations

from typing import Final
from uuid import UUID

from sync.bundle import PublicKey
from sync.server.ports import Change

SETTING: Final = "bundle.key"  # fieldcrm.usecases.bundles reads it
_ID: Final = UUID("019aa000-b00d-7000-8000-000000000001")  # one in each organisation


def told(key: PublicKey) -> Change:
    """The setting that says ``key``."""
    return Change("setting", _ID, {"key": SETTING, "value": {"id": key.id, "public": key.public}})
