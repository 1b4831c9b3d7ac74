"""All that the Sync Centre lists, read at once from one snapshot."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fieldcrm.domain.ids import Id
from fieldcrm.store import outbox as _outbox
from fieldcrm.store import receipts as _receipts
from fieldcrm.store.database import Reader
from fieldcrm.store.outbox import PendingChange, PendingPhoto, Run
from fieldcrm.store.receipts import ReportReceipt
from fieldcrm.usecases.decisions import Clash, open_clashes, whom_to_call
from fieldcrm.usecases.merges import Merge, merges
from fieldcrm.usecases.receipts import Reconciliation, day_end
from fieldcrm.usecases.refused import Refusal, let_go, refusals
from sync.client.blobs import NOT_THERE_YET

__all__ = ["AwayPhotos", "Overview", "PendingChange", "PendingPhoto", "Run", "overview"]

REPORT_DAYS = timedelta(days=14)
MERGE_DAYS = timedelta(days=30)


@dataclass(frozen=True, slots=True)
class AwayPhotos:
    """Photos of one person's reports that headquarters has not got: they are still on that person's device."""

    person_name: str
    count: int
    size: int  # bytes
    outlets: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Overview:
    """``photos``: to send, then those that are on their way here; ``away``: those that nobody has sent yet.

    ``to_send``: how many of ``changes`` and ``photos`` are to go, the lists' limits aside.

    ``to_call``: whom to call, by name, when something is not in the person's hands.
    """

    to_send: int
    changes: tuple[PendingChange, ...]
    photos: tuple[PendingPhoto, ...]
    away: tuple[AwayPhotos, ...]
    clashes: tuple[Clash, ...]
    refusals: tuple[Refusal, ...]
    let_go: tuple[Refusal, ...]
    merges: tuple[Merge, ...]
    reports: tuple[ReportReceipt, ...]
    day: Reconciliation
    runs: tuple[Run, ...]
    to_call: tuple[str, ...]


def overview(r: Reader, person: Id, now: datetime, day_start: datetime) -> Overview:
    """What waits, what needs a decision, and what happened, for the person who works here."""
    down = _outbox.pending_photos(r, "down")
    coming = tuple(photo for photo in down if photo.problem != NOT_THERE_YET)
    return Overview(
        _outbox.waiting(r, person).to_send,
        _outbox.pending_changes(r),
        _outbox.pending_photos(r, "up") + _outbox.new_photos(r) + coming,
        away([photo for photo in down if photo.problem == NOT_THERE_YET]),
        open_clashes(r, person),
        refusals(r),
        let_go(r),
        merges(r, person, now - MERGE_DAYS),
        _receipts.reports(r, person, now - REPORT_DAYS),
        day_end(r, person, day_start),
        _outbox.runs(r),
        whom_to_call(r, person),
    )


def away(photos: Sequence[PendingPhoto]) -> tuple[AwayPhotos, ...]:
    """By person, the largest number first."""
    by_person: dict[str, list[PendingPhoto]] = {}
    for photo in photos:
        by_person.setdefault(photo.person_name, []).append(photo)
    found = (
        AwayPhotos(name, len(theirs), sum(photo.size for photo in theirs),
                   tuple(dict.fromkeys(photo.outlet_name for photo in theirs if photo.outlet_name)))
        for name, theirs in by_person.items()
    )
    return tuple(sorted(found, key=lambda one: (-one.count, one.person_name)))
