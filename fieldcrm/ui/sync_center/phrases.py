"""What the sync says, in words for a person: no numbers of the protocol, no codes, nothing to be afraid of."""

from __future__ import annotations

import math
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from fieldcrm import words
from fieldcrm.domain.errors import CodedError
from fieldcrm.ui import labels
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.sync_center.values import field_list
from fieldcrm.usecases.decisions import Clash, Sort, sort_of
from fieldcrm.usecases.link import Held
from fieldcrm.usecases.merges import Merge
from fieldcrm.usecases.sync_state import Phases, Progress, SyncState
from fieldcrm.words import number, size, tr, trn

SOON = 10  # seconds


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
        return Standing(_doing(state), progress_words(state), "refresh-cw", "accent")
    if state.phase is Phases.NEEDS_SIGN_IN:
        return Standing(
            tr("Sign in to go on sending"),
            tr("Everything you record stays safe on this device in the meantime."), "key-round", "danger",
        )
    if state.phase is Phases.REVOKED:
        return Standing(tr("This device is shut out"), tr(
            "Your administrator has ended its access. What was not sent is offered to headquarters once. "
            "Call your administrator."), "lock", "danger")
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
    if state.phase is Phases.PAUSED:
        return Standing(paused_words(state), _paused_detail(state), "pause", "warning")
    if not state.everything_there:
        return Standing(_saved_words(state), verified_words(state, now), "hard-drive", "warning")
    if state.verified_at is None:
        detail = tr("The first sync brings your outlets and products.")
        return Standing(tr("Not synced yet"), detail, "cloud", "neutral")
    return Standing(tr("Everything is verified at headquarters"), verified_words(state, now), "shield-check", "success")


def _doing(state: SyncState) -> str:
    progress = state.progress
    if progress is None or progress.phase == "sending":
        return tr("Sending…")
    if progress.phase == "receiving":
        return _receiving(progress)
    if progress.phase != "photos":  # all is done but the receipts, which are asked for last
        return tr("Checking…")
    done = progress.photos_sent + progress.photos_received
    total = progress.photos_to_send + progress.photos_to_receive
    if not total:
        return tr("Checking…")
    return tr("Photos: {done} of {total}", done=number(done), total=number(total))


def _receiving(progress: Progress) -> str:
    """A first sync brings whole files; what does not agree with headquarters is compared; the rest is news."""
    if fetching(progress):
        return tr("Fetching your sector…")
    if progress.rows_to_receive > progress.received:
        return tr("Putting your sector in place: {done} of {total}", done=number(progress.received),
                  total=number(progress.rows_to_receive))
    if "digest" in progress.healed:
        return tr("Comparing with headquarters…")
    if progress.received:
        return trn("Receiving: {n} item so far", "Receiving: {n} items so far", progress.received)
    return tr("Receiving…")


def fetching(progress: Progress) -> bool:
    """Whether a prebuilt file of a sector is on its way here."""
    return progress.bytes_received < progress.bytes_to_receive


def progress_share(progress: Progress | None) -> float | None:
    """How far the phase under way is, from 0 to 1; ``None`` where its end is not known before."""
    if progress is None or progress.phase not in ("receiving", "photos"):
        return None
    if progress.phase == "receiving":
        if fetching(progress):
            return progress.bytes_received / progress.bytes_to_receive
        rows = progress.rows_to_receive
        return progress.received / rows if rows > progress.received else None
    if progress.bytes_to_send and not progress.photos_to_receive:
        return min(progress.bytes_sent / progress.bytes_to_send, 1.0)
    total = progress.photos_to_send + progress.photos_to_receive
    return (progress.photos_sent + progress.photos_received) / total if total else None


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


def progress_words(state: SyncState) -> str:
    """What the run under way has done: rows, photos and bytes."""
    progress = state.progress
    if progress is None:
        return ""
    parts = []
    if progress.sent:
        parts.append(trn("{n} change sent", "{n} changes sent", progress.sent))
    if progress.received:
        parts.append(trn("{n} item received", "{n} items received", progress.received))
    if progress.phase == "receiving" and fetching(progress):
        parts.append(tr("{done} of {all}; a cut costs nothing, it goes on from there",
                        done=size(progress.bytes_received), all=size(progress.bytes_to_receive)))
    if progress.repaired:
        parts.append(trn("{n} item put right", "{n} items put right", progress.repaired))
    if progress.phase == "photos" and progress.bytes_to_send:
        done = min(progress.bytes_sent, progress.bytes_to_send)
        parts.append(tr("{done} of {all} of photos", done=size(done), all=size(progress.bytes_to_send)))
    return ", ".join(parts) or tr("You can go on working.")


def photos_wait(state: SyncState) -> bool:
    """Whether photos are held back although the network answers."""
    return state.held is not None and state.waiting.photos > 0


def held_words(state: SyncState) -> str:
    """``14 photos, 9.2 MB wait for Wi-Fi``."""
    count, bytes_ = state.waiting.photos, size(state.waiting.photo_bytes)
    if state.held is Held.SLOW:
        return trn("{n} photo, {size} waits for a faster network", "{n} photos, {size} wait for a faster network",
                   count, size=bytes_)
    if state.held is Held.ASKED:
        return trn("{n} photo, {size} waits until you send it", "{n} photos, {size} wait until you send them", count,
                   size=bytes_)
    return trn("{n} photo, {size} waits for Wi-Fi", "{n} photos, {size} wait for Wi-Fi", count, size=bytes_)


def held_reason(state: SyncState | None) -> str:
    """Why a photo waits although the network answers; empty when it does not."""
    if state is None or state.held is None or state.phase is Phases.SYNCING:
        return ""
    return {
        Held.METERED: tr("Waits for Wi-Fi"),
        Held.SLOW: tr("Waits for a faster network"),
        Held.ASKED: tr("Waits until you send it"),
    }[state.held]


def paused_words(state: SyncState) -> str:
    if state.paused_until is not None:
        return tr("Paused until {time}", time=words.time(state.paused_until))
    return tr("Paused until you resume")


def _paused_detail(state: SyncState) -> str:
    if state.everything_there:
        return tr("Nothing is waiting. Sync now still works.")
    return tr("{what}. Sync now still works.", what=_saved_words(state))


def waiting_words(state: SyncState | None, now: datetime) -> str:
    """Why something that waits has not gone yet, and when it is tried: for a line of the list. Nothing to say: ""."""
    if state is None:
        return ""
    if state.phase is Phases.SYNCING:
        return tr("Goes with the sync under way")
    if state.phase is Phases.PAUSED:
        return paused_words(state)
    if state.phase is Phases.NEEDS_SIGN_IN:
        return tr("Waits for your sign-in")
    if state.phase is Phases.REVOKED:
        return tr("This device is shut out: call your administrator")
    if state.phase is Phases.BLOCKED:
        return tr("Waits for a newer version of the program")
    if state.next_try is None:
        return tr("Goes when you press Sync now")
    at = words.time(state.next_try)
    soon = (state.next_try - now).total_seconds() <= SOON  # or past, when the computer slept through it
    if state.phase is Phases.OFFLINE:
        return (tr("No network; next try in a few seconds") if soon
                else tr("No network; next try at {time}", time=at))
    if state.phase is Phases.BACKING_OFF:
        return (tr("Headquarters does not answer; next try in a few seconds") if soon
                else tr("Headquarters does not answer; next try at {time}", time=at))
    if soon:
        return tr("Goes in a few seconds")
    return tr("Next try at {time}", time=at)


def verified_words(state: SyncState, now: datetime) -> str:
    if state.verified_at is None:
        return tr("Headquarters has not verified anything yet.")
    return tr("Last verified with headquarters {when}.", when=words.since(state.verified_at, now))


def _next_words(state: SyncState, now: datetime) -> str:
    if state.next_try is None:
        return tr("Press Sync now to try again.")
    seconds = max(0.0, (state.next_try - now).total_seconds())
    if seconds <= SOON:
        return tr("Next try in a few seconds.")
    if seconds <= 90:  # in steps of ten: a number that runs would only make nervous
        return tr("Next try in {n} seconds.", n=number(math.ceil(seconds / 10) * 10))
    return trn("Next try in {n} minute.", "Next try in {n} minutes.", math.ceil(seconds / 60))


def problem_words(code: str | None, params: Mapping[str, Any]) -> str:
    """Why the last try did not succeed; empty when there is nothing to say."""
    if not code:
        return ""
    if code.startswith("token_"):
        code = "sign_in_needed"
    return sentence(CodedError(code, **{"seconds": params.get("retry_after", ""), "url": "", **params}))


def refusal_words(code: str, params: Mapping[str, Any]) -> str:
    """Why headquarters refused a change, with the field when one is to blame."""
    why = sentence(CodedError(code, **dict(params)))
    if not params.get("field"):
        return why
    return tr("{name}: {value}", name=labels.field_name(str(params["field"])), value=why)


_ADMINISTRATORS = frozenset({"unknown_command", "unknown_collection", "unknown_field", "upgrade_needed"})
_MANAGERS = frozenset({"out_of_scope", "not_allowed", "not_your_sector", "not_your_name", "field_fixed", "exists",
                       "no_record", "delete_not_allowed", "does_not_match"})


def call_words(code: str, to_call: tuple[str, ...]) -> str:
    """Whom to call when it is not in the person's hands; empty when it is."""
    if code in _ADMINISTRATORS:
        return tr("Call your administrator.")
    if code not in _MANAGERS:
        return ""
    return tr("{person} can help.", person=words.listing(list(to_call[:2]))) if to_call else tr("Ask your manager.")


def clash_words(clash: Clash) -> str:
    """Who met whom, in a sentence."""
    sort = sort_of(clash)
    if sort is Sort.DELETED_THERE:
        return tr("{who} deleted this while you were changing it.", who=clash.by_name or tr("Somebody else"))
    who = clash.by_name or tr("somebody else")
    if sort is Sort.DELETED_HERE:
        return tr("You deleted this, and {who} had changed it since: it was not deleted.", who=who)
    return tr("You and {who} changed this without knowing of each other. Both values are kept here.", who=who)


def merge_words(merge: Merge) -> str:
    """``You changed the phone, Anna changed the opening hours: both are kept.``"""
    who = merge.by_name or tr("somebody else")
    mine, theirs = field_list(list(merge.mine)), field_list(list(merge.theirs))
    if set(merge.mine) == set(merge.theirs):
        return tr("You and {who} both changed “{what}”: what each of you wrote is kept.", who=who, what=mine)
    return tr("You changed “{mine}”, {who} changed “{theirs}”: both are kept.", mine=mine, who=who, theirs=theirs)


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
        "import_batch": (tr("Import of outlets"), "file-down"),
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
