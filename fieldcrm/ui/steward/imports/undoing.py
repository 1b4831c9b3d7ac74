"""Taking a whole import back: what goes and what stays is said before, and what stayed after."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtWidgets import QWidget

from fieldcrm.ui.widgets import Confirm
from fieldcrm.usecases.importing import Batch, Kept, Undone
from fieldcrm.words import listing, tr, trn

NAMED = 3  # outlets that stay, by name


def reason_words(reason: str) -> str:
    return {
        "visit": tr("visited"), "task": tr("a task or a promise"), "note": tr("a note"), "contact": tr("a contact"),
        "plan": tr("planned"), "order": tr("an order"), "draft": tr("a draft"), "alias": tr("merged"),
        "changed": tr("changed by hand"),
    }.get(reason, reason)  # fmt: skip


def confirm_undo(parent: QWidget, batch: Batch, kept: Sequence[Kept], *, more: bool) -> bool:
    """Whether the person confirmed. ``more``: more outlets stay than ``kept`` holds."""
    stay, goes = len(kept), max(batch.added - len(kept), 0)
    parts = []
    if goes:
        parts.append(trn("{n} outlet that it brought goes.", "{n} outlets that it brought go.", goes))
    if stay:
        named = [tr("{name} ({reason})", name=one.name, reason=reason_words(one.reason)) for one in kept[:NAMED]]
        rest = stay - len(named)
        if rest > 0 or more:
            named.append(tr("others") if more else trn("{n} other", "{n} others", rest))
        parts.append(tr("These stay, since somebody has used them: {names}.", names=listing(named)))
    if batch.changed:
        parts.append(tr("Its open updates go, and what was accepted from it goes back to what was there before."))
    parts.append(tr("Visits, notes and photos stay in any case."))
    title = tr("Undo the import of {file}?", file=batch.file or batch.source)
    return Confirm.ask(parent, title, " ".join(parts), tr("Undo the import"))


def undone_words(undone: Undone) -> str:
    """What an undo did."""
    if undone.stopped:
        return tr("Stopped. What was taken out is out; “Undo this import” goes on from here.")
    parts = [trn("{n} outlet was taken out", "{n} outlets were taken out", undone.removed)]
    if undone.restored:
        parts.append(trn("{n} was put back as it was", "{n} were put back as they were", undone.restored))
    if undone.withdrawn:
        parts.append(trn("{n} update was withdrawn", "{n} updates were withdrawn", undone.withdrawn))
    if undone.kept:
        kept = undone.kept
        parts.append(trn("{n} stays, since somebody had used it", "{n} stay, since somebody had used them", kept))
    said = listing(parts)
    return said[:1].upper() + said[1:] + "."
