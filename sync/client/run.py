"""One run of a sync as its parts see it: what it has done so far, and what it lets them do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol, TypeVar

from sync.client.local import Local, LocalTransaction
from sync.protocol import Remote

Result = TypeVar("Result")


@dataclass(slots=True)
class Progress:
    """What a run has done so far. ``phase``: "sending", "receiving", "photos" or "done"."""

    phase: str = "sending"
    sent: int = 0
    refused: int = 0
    conflicts: int = 0
    received: int = 0
    removed: int = 0
    unreadable: int = 0
    photos_sent: int = 0
    photos_received: int = 0
    photos_to_send: int = 0
    photos_to_receive: int = 0
    bytes_sent: int = 0  # of photos
    bytes_received: int = 0  # of prebuilt files, of ``bytes_to_receive``
    bytes_to_receive: int = 0
    rows_to_receive: int = 0  # where it is known: of prebuilt files
    repaired: int = 0  # rows fetched again because they were not the server's
    bytes_to_send: int = 0
    healed: list[str] = field(default_factory=list)  # "epoch", "gap", "forked", "compacted", "digest", "snapshot"
    confirmed: int = 0  # last revision that a verified backup of the server holds
    verified: bool = False  # both sides hold the same rows
    cancelled: bool = False


class Engine(Protocol):
    @property
    def local(self) -> Local: ...

    @property
    def remote(self) -> Remote: ...

    @property
    def stopwatch(self) -> Callable[[], float]: ...

    @property
    def waited_for(self) -> Callable[[], bool]: ...


class Run(Protocol):
    """``write`` runs a piece of work in one transaction."""

    @property
    def engine(self) -> Engine: ...

    @property
    def progress(self) -> Progress: ...

    def step(self, phase: str | None = None) -> None: ...

    def stopped(self) -> bool: ...

    def write(self, work: Callable[[LocalTransaction], Result]) -> Result: ...
