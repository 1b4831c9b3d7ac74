"""The lists of the Sync Centre as two-line rows: what waits, the receipts, the runs."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from PySide6.QtCore import QObject

from fieldcrm import words
from fieldcrm.ui import labels
from fieldcrm.ui.receipt_words import photo_problem, stage_words
from fieldcrm.ui.sync_center.phrases import held_reason, record_words, run_words, waiting_words
from fieldcrm.ui.widgets import Column, PageModel, TwoLine
from fieldcrm.usecases.receipts import GONE_HERE, ReportReceipt
from fieldcrm.usecases.sync_overview import AwayPhotos, PendingChange, PendingPhoto, Run
from fieldcrm.usecases.sync_state import Phases, SyncState
from fieldcrm.words import number, percent, size, tr, trn


@dataclass(frozen=True)
class Entry:
    """A row with the words already made; ``about`` is what it stands for."""

    key: Hashable
    line: TwoLine
    about: Any = None


class EntryModel(PageModel[Entry]):
    """A short list held in memory."""

    def __init__(self, parent: QObject) -> None:
        self._entries: dict[Hashable, Entry] = {}
        spoken: Callable[[Entry], str] = lambda entry: f"{entry.line.title}. {entry.line.subtitle}. {entry.line.badge}"  # noqa: E731
        super().__init__([Column("line", "", spoken)], self._some, lambda entry: entry.key, parent)

    def _some(self, keys: Sequence[Any]) -> Sequence[Entry]:
        return [self._entries[key] for key in keys if key in self._entries]

    def keep(self, entries: Sequence[Entry]) -> list[Hashable]:
        """Hold these; returns their keys in order, for the view's ``set_ids``."""
        self._entries = {entry.key: entry for entry in entries}
        return list(self._entries)

    def entry(self, key: Hashable) -> Entry | None:
        return self._entries.get(key)


def _when(moment: datetime, now: datetime) -> str:
    """The time alone for what is of today."""
    today = moment.astimezone().date() == now.astimezone().date()
    return words.time(moment) if today else words.day_time(moment)


def of_change(change: PendingChange, state: SyncState | None, now: datetime) -> Entry:
    what, icon = record_words(change.collections, change.label)
    whole_plan = "plan" in change.collections  # of ten stores: not of the first one
    title = f"{what} · {change.outlet_name}" if change.outlet_name and not whole_plan else what
    fields = _what_of_it(change)
    moving = state is not None and state.phase is Phases.SYNCING and change.frozen
    why = waiting_words(state, now)
    line = TwoLine(
        title,
        " · ".join(part for part in (fields, why) if part) or tr("Ready to be sent"),
        icon=icon,
        trailing=_when(change.at, now),
        trailing_note=size(change.size),
        badge=tr("Sending…") if moving else tr("On this device"),
        tone="accent" if moving else "warning",
    )
    return Entry(("change", change.tx), line, change)


_FACTS = {"visit", "submission", "review", "plan", "attachment"}


def _what_of_it(change: PendingChange) -> str:
    """The fields that were changed by hand; what the program reckons (times, states) is nobody's news."""
    if change.count > 1:
        return trn("{n} part", "{n} parts", change.count)
    if _FACTS & set(change.collections):
        return ""
    if "plan_stop" in change.collections:
        return labels.what_was_done(change.label) if change.label else ""
    return ", ".join(dict.fromkeys(labels.field_name(name) for name in change.fields if name != "provenance"))


def of_photo(photo: PendingPhoto, state: SyncState | None, now: datetime, to_call: Sequence[str] = ()) -> Entry:
    title = tr("Photo · {outlet}", outlet=photo.outlet_name) if photo.outlet_name else tr("Photo")
    note = photo_problem(photo.problem)
    if not note:
        sent = photo.sent / photo.size if photo.size else 0.0
        arrived = tr("{share} has arrived", share=percent(sent)) if photo.sent and not photo.down else ""
        ready = tr("Comes with the next sync") if photo.down else tr("Ready to be sent")
        wait = held_reason(state) or ("" if photo.down else waiting_words(state, now)) or ready
        note = f"{arrived} · {wait}" if arrived else wait
    elif photo.problem not in GONE_HERE and to_call:
        note = tr("{what} · {person} can help", what=note, person=to_call[0])
    tries = trn("tried {n} time", "tried {n} times", photo.tries) if photo.tries else ""
    line = TwoLine(
        title,
        note,
        icon="image",
        trailing=tries,
        trailing_note=size(photo.size),
        badge=tr("To come") if photo.down else tr("Waiting") if photo.problem else tr("On this device"),
        tone="neutral" if photo.down else "danger" if photo.problem else "warning",
    )
    return Entry(("photo", photo.sha256), line, photo)


def of_away(away: AwayPhotos) -> Entry:
    """Photos of another person's reports: the manager's side of the same story."""
    name = away.person_name or tr("another person")
    title = trn("{n} photo is still on the device of {person}", "{n} photos are still on the device of {person}",
                away.count, person=name)
    line = TwoLine(
        title,
        ", ".join(away.outlets) or tr("They come as soon as that device sends them."),
        icon="laptop",
        trailing_note=size(away.size),
        badge=tr("Elsewhere"),
        tone="neutral",
    )
    return Entry(("away", away.person_name), line, away)


def of_receipt(receipt: ReportReceipt, now: datetime) -> Entry:
    word, tone = stage_words(receipt.stage)
    if not receipt.photos:
        note = tr("No photo")
    elif receipt.photos == receipt.photos_verified:
        note = trn("{n} photo, verified", "{n} photos, all verified", receipt.photos)
    else:
        note = trn("{done} of {n} photo verified", "{done} of {n} photos verified", receipt.photos,
                   done=number(receipt.photos_verified))
    icon = {"warning": "laptop", "accent": "send", "danger": "circle-alert"}.get(tone, "shield-check")
    title = receipt.outlet_name or tr("An outlet that left your sector")
    line = TwoLine(title, note, icon=icon, trailing=_when(receipt.submitted_at, now), badge=word, tone=tone)
    return Entry(receipt.submission_id, line, receipt)


def of_run(at: int, run: Run, now: datetime) -> Entry:
    word, tone = run_words(run.result)
    times = int(run.params.get("times", 1))
    if times > 1:
        word = tr("{what}, {n} times", what=word, n=number(times))
    started = run.ended_at if times > 1 and run.ended_at else run.started_at
    seconds = (run.ended_at - run.started_at).total_seconds() if run.ended_at and times == 1 else 0
    line = TwoLine(
        _amounts(run),
        _remarks(run),
        icon={"success": "circle-check", "warning": "cloud-off"}.get(tone, "pause"),
        trailing=_when(started, now),
        trailing_note=tr("{n} s", n=number(round(seconds))) if seconds >= 1 else "",
        badge=word,
        tone=tone,
    )
    return Entry(at, line, run)


def _amounts(run: Run) -> str:
    parts = []
    if run.sent:
        parts.append(trn("{n} change sent", "{n} changes sent", run.sent))
    if run.photos_sent:
        parts.append(trn("{n} photo sent", "{n} photos sent", run.photos_sent))
    if run.received:
        parts.append(trn("{n} item received", "{n} items received", run.received))
    if run.photos_received:
        parts.append(trn("{n} photo received", "{n} photos received", run.photos_received))
    return ", ".join(parts) or (tr("No news") if run.result == "ok" else tr("Nothing could be sent"))


def _remarks(run: Run) -> str:
    parts = []
    refused, conflicts = int(run.params.get("refused", 0)), int(run.params.get("conflicts", 0))
    if refused:
        parts.append(trn("{n} change refused", "{n} changes refused", refused))
    if conflicts:
        parts.append(trn("{n} field written by two people", "{n} fields written by two people", conflicts))
    if run.params.get("removed"):
        parts.append(trn("{n} item left your sector", "{n} items left your sector", int(run.params["removed"])))
    if run.params.get("healed"):
        parts.append(tr("compared with headquarters and put right"))
    if not parts:
        return tr("Verified on both sides") if run.result == "ok" else tr("Kept on this device")
    return ", ".join(parts)


def report_text(runs: Sequence[Run]) -> str:
    """The history as plain text, for a message to the help desk."""
    lines = []
    for run in runs:
        started = words.day_time(run.started_at)
        lines.append("\t".join((started, run_words(run.result)[0], _amounts(run), _remarks(run))))
    return "\n".join(lines)
