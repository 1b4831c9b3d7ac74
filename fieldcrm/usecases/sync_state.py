"""What the status line and the Sync Centre show of syncing, and what this device holds."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any

from fieldcrm.store.database import Database
from fieldcrm.store.outbox import Waiting as Waiting
from fieldcrm.store.photos import PhotoStore
from fieldcrm.usecases.link import Held
from fieldcrm.usecases.schedule import Phase
from sync.client.run import Progress as Progress

Phases = Phase  # for screens, which take what they show from here


@dataclass(frozen=True, slots=True)
class SyncState:
    """What the status line and the Sync Centre show. ``problem`` is a code with ``params``.

    ``held``: why photos wait although the network answers. ``paused_until``: the pause that ends by itself.
    """

    phase: Phase = Phase.IDLE
    waiting: Waiting = field(default_factory=Waiting)
    next_try: datetime | None = None
    synced_at: datetime | None = None
    verified_at: datetime | None = None
    progress: Progress | None = None  # of the run under way
    problem: str | None = None
    params: Mapping[str, Any] = field(default_factory=dict)
    automatic: bool = True
    paused_until: datetime | None = None
    held: Held | None = None

    @property
    def everything_there(self) -> bool:
        w = self.waiting
        return not (w.visits or w.reports or w.changes or w.photos)


@dataclass(frozen=True, slots=True)
class Storage:
    """Bytes on this device."""

    database: int
    photos: int
    photo_count: int


def storage(db: Database, photos: PhotoStore) -> Storage:
    """To be called off the UI thread: it looks at every photo file."""
    files = [path for path in db.folder.glob("*.db*") if path.is_file()]
    return Storage(sum(path.stat().st_size for path in files), photos.bytes_used(), sum(1 for _ in photos.names()))
