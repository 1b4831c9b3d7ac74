"""All that the Sync Centre lists, read at once from one snapshot."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta

from fieldcrm.domain.ids import Id
from fieldcrm.store import outbox as _outbox
from fieldcrm.store import receipts as _receipts
from fieldcrm.store.database import Reader
from fieldcrm.store.outbox import PendingChange, PendingPhoto, Run
from fieldcrm.store.receipts import ReportReceipt
from fieldcrm.usecases.decisions import FieldClash, Refusal, field_clashes, refusals
from fieldcrm.usecases.receipts import Reconciliation, day_end

__all__ = ["Overview", "PendingChange", "PendingPhoto", "Run", "overview"]

REPORT_DAYS = timedelta(days=14)


@dataclass(frozen=True, slots=True)
class Overview:
    """``photos``: those to send, then those that another device has not sent yet."""

    changes: tuple[PendingChange, ...]
    photos: tuple[PendingPhoto, ...]
    clashes: tuple[FieldClash, ...]
    refusals: tuple[Refusal, ...]
    reports: tuple[ReportReceipt, ...]
    day: Reconciliation
    runs: tuple[Run, ...]


def overview(r: Reader, person: Id, now: datetime, day_start: datetime) -> Overview:
    """What waits, what needs a decision, and what happened, for the person who works here."""
    return Overview(
        _outbox.pending_changes(r),
        _outbox.pending_photos(r, "up") + _outbox.pending_photos(r, "down"),
        field_clashes(r, person),
        refusals(r),
        _receipts.reports(r, person, now - REPORT_DAYS),
        day_end(r, person, day_start),
        _outbox.runs(r),
    )
