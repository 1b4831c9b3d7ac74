"""The receipt of a day's work: what is here, what is there, and the one thing that is missing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

from fieldcrm.domain.ids import Id
from fieldcrm.store import receipts as _receipts
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.outbox import PendingPhoto
from fieldcrm.store.receipts import ReportReceipt, Stage

__all__ = ["Missing", "PendingPhoto", "Reconciliation", "ReportReceipt", "Stage", "day_end", "receipt_of", "resend"]

# What only the person who stands before this device can mend.
GONE_HERE = frozenset({"photo_missing", "photo_damaged", "missing_here", "damaged"})
DAY_BEGINS = timedelta(hours=4)  # a report sent after midnight still belongs to the evening


@dataclass(frozen=True, slots=True)
class Missing:
    """A report that is not complete at headquarters; ``photos``: how many of its photos are not there."""

    receipt: ReportReceipt
    photos: int
    problem: str | None  # a code, when one of its photos has trouble


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Reports and photos of one person since ``since``: here, and verified at headquarters."""

    since: datetime
    reports_here: int
    photos_here: int
    reports_there: int
    photos_there: int
    missing: tuple[Missing, ...]
    receipts: tuple[ReportReceipt, ...]

    @property
    def complete(self) -> bool:
        return not self.missing


def day_end(r: Reader, person: Id, day_start: datetime) -> Reconciliation:
    """Compare what this person reported since ``day_start`` with what headquarters has verified."""
    receipts = _receipts.reports(r, person, day_start - DAY_BEGINS)
    troubles = _receipts.photo_troubles(r, [receipt.submission_id for receipt in receipts])
    found = [
        Missing(receipt, receipt.photos - receipt.photos_verified, _worst(troubles.get(receipt.submission_id, set())))
        for receipt in receipts
        if not receipt.complete
    ]
    missing = tuple(sorted(found, key=_urgency))
    here, there = _receipts.photo_sums(r, [receipt.submission_id for receipt in receipts])
    refused = sum(receipt.photos for receipt in receipts if receipt.stage is Stage.REFUSED and receipt.refused_whole)
    return Reconciliation(
        day_start,
        len(receipts),
        here + refused,
        sum(receipt.complete for receipt in receipts),
        there,
        missing,
        receipts,
    )


def _worst(problems: set[str]) -> str | None:
    return min(problems, key=lambda code: (code not in GONE_HERE, code), default=None)


def _urgency(missing: Missing) -> int:
    """What only the person can mend comes before what goes by itself: the shelf is still near."""
    if missing.receipt.stage is Stage.REFUSED:
        return 0
    return 1 if missing.problem in GONE_HERE else 2


def receipt_of(r: Reader, person: Id, submissions: Iterable[Id]) -> tuple[ReportReceipt, ...]:
    """The receipts of these reports, whoever made them."""
    return _receipts.reports(r, person, ids=submissions)


def resend(tx: Transaction, submissions: Sequence[Id]) -> int:
    """Offer the photos of these reports to headquarters again; those it has are recognised and not sent twice."""
    _receipts.try_photos_now(tx)
    return _receipts.send_photos_again(tx, submissions)
