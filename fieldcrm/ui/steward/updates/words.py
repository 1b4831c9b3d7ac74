"""Updates in words: their kinds, what they change, and what became of them."""

from __future__ import annotations

from fieldcrm.domain.outlet import address
from fieldcrm.ui import labels
from fieldcrm.ui.steward.changes import differences
from fieldcrm.usecases.updates import Proposal
from fieldcrm.words import distance, tr, trc, trn

ICONS = {
    "opened": "circle-plus", "closed": "circle-x", "moved": "move", "renamed": "type", "hours": "clock",
    "details": "pencil",
}  # fmt: skip
TONES = {"opened": "success", "closed": "danger", "moved": "accent", "renamed": "accent", "hours": "accent",
         "details": "neutral"}


def kind_name(kind: str) -> str:
    """As a chip over the list names them."""
    return {
        "opened": trc("updates", "Opened"), "closed": trc("updates", "Closed"), "moved": trc("updates", "Moved"),
        "renamed": trc("updates", "Renamed"), "hours": tr("Hours"), "details": tr("Details"),
    }.get(kind, kind)  # fmt: skip


def one_name(kind: str) -> str:
    """As a single update is called."""
    return {
        "opened": trc("one update", "Opened"), "closed": trc("one update", "Closed"),
        "moved": trc("one update", "Moved"), "renamed": trc("one update", "Renamed"),
    }.get(kind) or kind_name(kind)  # fmt: skip


def change_words(proposal: Proposal) -> str:
    """What it would change, in a line."""
    after = proposal.after
    if proposal.kind == "opened":
        where = address(*(after.get(part) for part in ("house_number", "street", "postcode", "city")))
        return " · ".join(part for part in (labels.store_type(after.get("store_type")), where) if part)
    if proposal.kind == "closed":
        return tr("No longer in the source")
    if proposal.kind == "moved" and proposal.metres is not None:
        return tr("{distance} away", distance=distance(proposal.metres))
    found = differences(proposal.before, after)
    if len(found) == 1:
        return tr("{before} → {after}", before=found[0][1] or tr("none"), after=found[0][2] or tr("none"))
    return ", ".join(labels.field_name(field) for field, _, _ in found)


def state_words(proposal: Proposal) -> tuple[str, str]:
    """What became of it, and the tone."""
    return {
        "open": (tr("Waiting"), "warning"), "accepted": (trc("update", "Accepted"), "success"),
        "refused": (trc("update", "Refused"), "neutral"), "stale": (trc("update", "Overtaken"), "neutral"),
    }.get(proposal.state, (proposal.state, "neutral"))  # fmt: skip


def accept_all_words(kind: str, count: int) -> str:
    """The button under the list: of one kind, or of all that is shown."""
    if kind:
        return trn("Accept {n} “{kind}”", "Accept all {n} “{kind}”", count, kind=kind_name(kind))
    return trn("Accept {n} update", "Accept all {n} updates", count)
