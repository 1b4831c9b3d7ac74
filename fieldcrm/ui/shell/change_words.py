"""What a recorded change is called, for "Undo change of phone number"."""

from __future__ import annotations

from fieldcrm.words import tr


def change_words(label: str) -> str:
    """The words for the code of a change; a code that is not listed is "the last change"."""
    known = {
        "contact.new": tr("new person"),
        "contact.details": tr("change of a person"),
        "contact.removed": tr("removal of a person"),
        "outlet.new": tr("new outlet"),
        "outlet.closed": tr("closing of the outlet"),
        "outlet.address": tr("change of address"),
        "outlet.position": tr("change of position"),
        "outlet.phone": tr("change of phone number"),
        "outlet.name": tr("change of name"),
        "outlet.opening_hours": tr("change of opening hours"),
        "outlet.note": tr("change of the note"),
        "outlet.details": tr("change of the outlet"),
        "note.new": tr("new note"),
        "promise.new": tr("new promise"),
        "promise.kept": tr("promise kept"),
        "promise.broken": tr("promise broken"),
        "promise.cancelled": tr("promise cancelled"),
        "task.new": tr("new task"),
        "task.kept": tr("task done"),
        "task.cancelled": tr("task cancelled"),
        "stop.skipped": tr("skipped stop"),
        "stop.moved": tr("move of a stop"),
        "plan.order": tr("new order of the day"),
    }
    fallback = tr("change of the outlet") if label.startswith("outlet.") else tr("the last change")
    return known.get(label, fallback)
