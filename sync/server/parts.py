"""What the routes hand on to; put together by the product, without the web framework."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from sync.protocol import Receipt
from sync.server.auth import Auth
from sync.server.blobs import BlobStore
from sync.server.engine import SyncServer
from sync.server.metrics import Metrics
from sync.server.past import Past
from sync.server.ports import Caller
from sync.server.quarantine import Quarantine
from sync.server.snapshots import Snapshots
from sync.server.verification import Verification


@dataclass(frozen=True, slots=True)
class Profile:
    """What a device is told about the person who signed in."""

    name: str
    sectors: tuple[str, ...]


def _no_file(caller: Caller, sha256: str) -> None:
    """Where nothing is kept."""


@dataclass(frozen=True)
class Parts:
    """What the routes hand on to. ``receipts``, ``profile``, ``may_read_blob`` and ``file_of`` are the product's."""

    sync: SyncServer
    auth: Auth
    blobs: BlobStore
    snapshots: Snapshots
    verification: Verification
    quarantine: Quarantine
    past: Past
    clock: Callable[[], datetime]
    profile: Callable[[Caller], Profile]
    receipts: Callable[[Caller, list[str]], list[Receipt]]
    may_read_blob: Callable[[Caller, str], bool]
    file_of: Callable[[Caller, str], Path | None] = _no_file  # a file kept for devices, by its hash
    gauges: Callable[[], Mapping[str, float]] = dict  # what stands now, by the names of ``metrics.GAUGES``
    metrics: Metrics = field(default_factory=Metrics)
