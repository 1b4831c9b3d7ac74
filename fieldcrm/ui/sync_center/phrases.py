"""What the sync says, in words for a person: no numbers of the protocol, no codes, nothing to be afraid of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fieldcrm import words
from fieldcrm.domain.errors import CodedError
from fieldcrm.ui import labels
from fieldcrm.ui.messages import sentence
from fieldcrm.usecases.syncing import Phases, SyncState
from fieldcrm.words import number, tr, trn


@dataclass(frozen=True)
class Standing:
    """How things stand: a sentence, what more there is to know, an icon and a tone."""

    title: str
    detail: str
    icon: str
    tone: str


def standing(state: SyncState, now: datetime) -> Standing:
    """The sentence at the top of the Sync Centre."""
    if state.phase is Phases.SYNCING:
        return Standing(_doing(state), tr("You can go on working."), "refresh-cw", "accent")
    if state.phase is Phases.NEEDS_SIGN_IN:
        return Standing(
            tr("Sign in to go on sending"),
            tr("Everything you record stays safe on this device in the meantime."), "key-round", "danger",
        )
    if state.phase is Phases.BLOCKED:
        why = problem_words(state.problem, state.params)
        return Standing(tr("Nothing can be sent from here"), why, "ban", "danger")
    if state.waiting.decisions:
        many = state.waiting.decisions
        title = trn("{n} change needs your decision", "{n} changes need your decision", many)
        return Standing(title, verified_words(state, now), "circle-help", "danger")
    if state.phase is Phases.OFFLINE:
        return Standing(tr("Off line: saved on this device"), _next_words(state, now), "wifi-off", "warning")
    if state.phase is Phases.BACKING_OFF:
        parts = (problem_words(state.problem, state.params), _next_words(state, now))
        detail = " ".join(part for part in parts if part)
        return Standing(tr("Headquarters cannot be reached now"), detail, "cloud-off", "warning")
    if not state.everything_there:
        return Standing(_saved_words(state), verified_words(state, now), "hard-drive", "warning")
    if state.verified_at is None:
        detail = tr("The first sync brings your outlets and products.")
        return Standing(tr("Not synced yet"), detail, "cloud", "neutral")
    return Standing(tr("Everything is verified at headquarters"), verified_words(state, now), "shield-check", "success")


def _doing(state: SyncState) -> str:
    progress = state.progress
    if progress is None or progress.phase in ("sending", "done"):
        return tr("Sending…")
    if progress.phase == "receiving":
        if progress.received:
            return trn("Receiving: {n} item so far", "Receiving: {n} items so far", progress.received)
        return tr("Receiving…")
    done = progress.photos_sent + progress.photos_received
    total = progress.photos_to_send + progress.photos_to_receive
    if not total:
        return tr("Checking…")
    return tr("Photos: {done} of {total}", done=number(done), total=number(total))


def _saved_words(state: SyncState) -> str:
    waiting = state.waiting
    parts = []
    visits = max(waiting.visits, waiting.reports)
    if visits:
        parts.append(trn("{n} visit", "{n} visits", visits))
    if waiting.changes:
        parts.append(trn("{n} change", "{n} changes", waiting.changes))
    if waiting.photos:
        parts.append(trn("{n} photo", "{n} photos", waiting.photos))
    return tr("{things} saved on this device, to be sent", things=words.listing(parts))


def verified_words(state: SyncState, now: datetime) -> str:
    if state.verified_at is None:
        return tr("Headquarters has not verified anything yet.")
    return tr("Last verified with headquarters {when}.", when=words.since(state.verified_at, now))


def _next_words(state: SyncState, now: datetime) -> str:
    if state.next_try is None:
        return tr("Press Sync now to try again.")
    seconds = max(0, round((state.next_try - now).total_seconds()))
    if seconds < 60:
        return tr("Next try in less than a minute.")
    return trn("Next try in {n} minute.", "Next try in {n} minutes.", round(seconds / 60))


def problem_words(code: str | None, params: Mapping[str, Any]) -> str:
    """Why the last try did not succeed; empty when there is nothing to say."""
    if not code:
        return ""
    if code.startswith("token_"):
        code = "sign_in_needed"
    return sentence(CodedError(code, **{"seconds": params.get("retry_after", ""), "url": "", **params}))


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


def refusal_words(code: str, params: Mapping[str, Any]) -> str:
    """Why headquarters refused a change, with the field when one is to blame."""
    why = sentence(CodedError(code, **dict(params)))
    if not params.get("field"):
        return why
    return tr("{name}: {value}", name=labels.field_name(str(params["field"])), value=why)


def record_words(collections: tuple[str, ...], label: str) -> tuple[str, str]:
    """What a recorded change is called, and its icon."""
    known = {
        "visit": (tr("Visit report"), "clipboard-check"),
        "submission": (tr("Report"), "clipboard-check"),
        "review": (tr("Review"), "badge-check"),
        "plan": (tr("Plan of the day"), "route"),
        "plan_stop": (tr("Plan of the day"), "route"),
        "contact": (tr("Change of a contact"), "user-round"),
        "task": (tr("Task"), "list-checks"),
        "note": (tr("Note"), "message-square"),
        "outlet": (tr("Change of details"), "store"),
        "outlet_alias": (tr("Duplicate"), "merge"),
        "conflict": (tr("Decision"), "circle-help"),
        "attachment": (tr("Photo"), "image"),
    }
    for name, (text, icon) in known.items():
        if name in collections:
            facts = name in ("visit", "submission", "review", "plan", "plan_stop", "conflict", "attachment")
            return (text, icon) if facts or not label else (labels.what_was_done(label), icon)
    return labels.what_was_done(label), "pencil"


def run_words(result: str) -> tuple[str, str]:
    """How a past sync ended, and its tone."""
    if result == "ok":
        return tr("Complete"), "success"
    if result == "cancelled":
        return tr("Paused"), "neutral"
    if result == "offline":
        return tr("No network"), "warning"
    return tr("Cut short"), "warning"
