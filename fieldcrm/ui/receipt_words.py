"""Where a report and its photos are, in words: the receipt that the Sync Centre and the end of the day both give."""

from __future__ import annotations

from fieldcrm.usecases.receipts import GONE_HERE, Missing, Reconciliation, Stage
from fieldcrm.words import number, tr, trn


def stage_words(stage: Stage) -> tuple[str, str]:
    """The word and the tone of where a report is."""
    return {
        Stage.HERE: (tr("On this device"), "warning"),
        Stage.SENT: (tr("Sent"), "accent"),
        Stage.VERIFIED: (tr("Verified"), "success"),
        Stage.REVIEWED: (tr("Reviewed"), "success"),
        Stage.REFUSED: (tr("Refused"), "danger"),
    }[stage]


def photo_problem(code: str | None) -> str:
    """What holds a photo up; empty when nothing does."""
    if not code:
        return ""
    return {
        "not_there_yet": tr("Still on the device that took it"),
        "photo_missing": tr("The file is no longer on this device"),
        "photo_damaged": tr("The file on this device is damaged"),
        "missing_here": tr("The file is no longer on this device"),
        "damaged": tr("The file on this device is damaged"),
    }.get(code, tr("Headquarters did not take it yet"))


def sum_words(day: Reconciliation) -> str:
    """``12 reports, 87 photos here; 12 and 87 at headquarters.``"""
    if not day.reports_here:
        return tr("No report yet today.")
    here = tr(
        "{reports}, {photos} here",
        reports=trn("{n} report", "{n} reports", day.reports_here),
        photos=trn("{n} photo", "{n} photos", day.photos_here),
    )
    there = tr("{reports} and {photos} verified at headquarters",
               reports=number(day.reports_there), photos=number(day.photos_there))
    return tr("{here}; {there}.", here=here, there=there)


def day_words(day: Reconciliation) -> str:
    """The receipt of the day in one line."""
    missing = missing_words(day.missing[0], len(day.missing)) if day.missing else ""
    return f"{sum_words(day)} {missing}".strip()


def missing_words(missing: Missing, count: int) -> str:
    """The one thing that is missing, by name."""
    name = missing.receipt.outlet_name or tr("an outlet that left your sector")
    if missing.receipt.stage is Stage.REFUSED:
        text = tr("The report of {outlet} was refused; see “Needs your decision”.", outlet=name)
    elif missing.receipt.stage is Stage.HERE:
        text = tr("Still here: the report of {outlet}.", outlet=name)
    elif missing.photos:
        text = trn("{n} photo of {outlet} has not arrived.", "{n} photos of {outlet} have not arrived.",
                   missing.photos, outlet=name)
    else:
        text = tr("The report of {outlet} is sent and waits to be verified.", outlet=name)
    parts = [text]
    if missing.problem:
        parts.append(photo_problem(missing.problem) + ".")
    if count > 1:
        parts.append(trn("And {n} other.", "And {n} others.", count - 1))
    return " ".join(parts)


def next_step(missing: Missing) -> tuple[str, str]:
    """What the one button says, and its icon."""
    if missing.receipt.stage is Stage.REFUSED:
        return tr("See why"), "circle-help"
    if missing.problem in GONE_HERE:
        return tr("Open the outlet"), "arrow-right"
    return (tr("Send now") if missing.receipt.stage is Stage.HERE else tr("Send again")), "send"
