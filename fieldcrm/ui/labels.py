"""The words for what the data say in codes: types of store, states, fields, and what was done to them."""

from __future__ import annotations

from collections.abc import Callable
from datetime import date

from fieldcrm.domain.ids import Id
from fieldcrm.domain.placing import Placing
from fieldcrm.words import date as day
from fieldcrm.words import number, percent, tr, trc, trn


def store_type(code: str | None) -> str:
    words = {
        "hypermarket": tr("Hypermarket"),
        "supermarket": tr("Supermarket"),
        "convenience": tr("Convenience store"),
        "petrol": tr("Petrol station"),
        "kiosk": tr("Kiosk"),
        "pharmacy": tr("Pharmacy"),
        "specialist": tr("Specialist shop"),
        "food_service": tr("Food service"),
        "other": tr("Other type"),
    }
    return words.get(code or "", "")


def segment(code: str | None) -> str:
    """``Segment A``; nothing for an outlet without a segment."""
    return tr("Segment {letter}", letter=code.upper()) if code else ""


def outlet_state(code: str | None) -> str:
    words = {"active": trc("outlet", "Active"), "prospect": tr("Prospect"), "closed": tr("Closed for good")}
    return words.get(code or "", "")


def task_kind(code: str) -> str:
    return {"promise": tr("Promise"), "task": tr("Task"), "correction": tr("Correction")}.get(code, code)


def task_state(code: str) -> str:
    words = {
        "open": trc("task", "Open"),
        "kept": trc("promise", "Kept"),
        "broken": trc("promise", "Broken"),
        "cancelled": trc("task", "Cancelled"),
    }
    return words.get(code, code)


def order_state(code: str) -> str:
    words = {
        "placed": trc("order", "Placed"),
        "delivered": trc("order", "Delivered"),
        "cancelled": trc("order", "Cancelled"),
    }
    return words.get(code, code)


def field_name(code: str) -> str:
    """A field of any collection, as it is named on the screen."""
    words = {
        "name": tr("Name"),
        "banner": tr("Banner"),
        "group_name": tr("Group"),
        "distributor": tr("Distributor"),
        "placing": tr("How it was placed"),
        "custom": tr("Own fields"),
        "store_type": tr("Type of store"),
        "sector_id": tr("Sector"),
        "position": tr("Position"),
        "lat_e7": tr("Position"),
        "lon_e7": tr("Position"),
        "house_number": trc("address", "Number"),
        "street": tr("Street"),
        "postcode": tr("Postcode"),
        "city": tr("City"),
        "country": tr("Country"),
        "phone": tr("Phone"),
        "email": tr("E-mail"),
        "website": tr("Website"),
        "opening_hours": tr("Opening hours"),
        "preferred_slots": tr("Best time to come"),
        "zone": tr("Time zone"),
        "siret": tr("SIRET"),
        "segment": tr("Segment"),
        "state": tr("State"),
        "visit_interval_days": tr("Visit rhythm"),
        "visit_minutes": tr("Length of a visit"),
        "surface_m2": tr("Sales area"),
        "note": tr("Note"),
        "job": tr("Job"),
        "preferred": tr("Person to see first"),
        "last_contact_at": tr("Last contact"),
        "title": tr("What"),
        "due": tr("Due"),
        "promised_by": tr("Promised by"),
        "done_at": trc("task", "Done"),
        "kind": tr("Kind"),
        "person_id": tr("Who"),
        "lines": tr("Products ordered"),
        "wanted_on": tr("Wanted on"),
    }
    return words.get(code, code.replace("_", " ").capitalize())


def what_was_done(label: str) -> str:
    """The name of a recorded change, in the nominative: “Change of phone number”."""
    words = {
        "outlet.new": tr("New outlet"),
        "outlet.closed": tr("Closing of the outlet"),
        "outlet.confirmed": tr("Confirmation of the data"),
        "outlet.tidied": tr("Tidying of values"),
        "outlet.placed": tr("Placing on the map"),
        "outlet.details": tr("Change of details"),
        "outlet.address": tr("Change of address"),
        "outlet.imported": tr("Import"),
        "outlet.import": tr("Import of outlets"),
        "outlet.proposals": tr("Decision on updates"),
        "outlet.elsewhere": tr("Change on another device"),
        "contact.new": tr("New contact"),
        "contact.details": tr("Change of a contact"),
        "contact.removed": tr("Removal of a contact"),
        "promise.new": tr("New promise"),
        "promise.kept": tr("Promise kept"),
        "promise.broken": tr("Promise broken"),
        "promise.cancelled": tr("Promise cancelled"),
        "task.new": tr("New task"),
        "task.kept": tr("Task done"),
        "task.broken": tr("Task not done"),
        "task.cancelled": tr("Task cancelled"),
        "note.new": tr("New note"),
        "task.details": tr("Change of a task"),
        "order.new": tr("New order"),
        "order.details": tr("Change of an order"),
        "order.cancelled": tr("Order cancelled"),
        "order.delivered": tr("Order delivered"),
        "outlet.merged": tr("Merge of two outlets"),
        "outlet.told_apart": tr("Two outlets kept apart"),
        "duplicates.rules": tr("Change of the rules for duplicates"),
        "outlet.unmerged": tr("Separation of two outlets"),
        "outlet.custom": tr("Change of an own field"),
        "custom_field.new": tr("New own field"),
        "custom_field.details": tr("Own field renamed"),
        "custom_field.retired": tr("Own field retired"),
        "custom_field.restored": tr("Own field used again"),
        "custom_field.order": tr("Own fields put in order"),
        "stop.moved": tr("Move of a store"),
        "stop.skipped": tr("Skipping of a store"),
        "stop.taken_back": tr("Store taken back into the day"),
        "stop.pinned": tr("Pinning of a store"),
        "stop.unpinned": tr("Unpinning of a store"),
        "stop.removed": tr("Store taken off the day"),
        "stop.added": tr("Store added to the day"),
    }
    if label in words:
        return words[label]
    if label.startswith("outlet.bulk."):
        return tr("Change of many outlets")
    if label.startswith("task.bulk."):
        return tr("Tasks at many outlets")
    kind, _, field = label.partition(".")
    if kind == "undone" and field:
        return undo_text(field)
    if kind == "outlet" and field.startswith("custom:"):
        return words["outlet.custom"]
    if kind == "outlet" and field:
        return tr("Change: {field}", field=field_name(field).lower() if field != "siret" else "SIRET")
    return trc("noun", "Change")


def undo_text(label: str) -> str:
    """``Undo: change of phone``, for the Edit menu."""
    return tr("Undo: {what}", what=_lowered(what_was_done(label)))


def redo_text(label: str) -> str:
    return tr("Redo: {what}", what=_lowered(what_was_done(label)))


def _lowered(text: str) -> str:
    return text[:1].lower() + text[1:]


def field_value(field: str, value: object, people: Callable[[Id], str] | None = None) -> str:
    """A value of a field (as it is kept, or as it goes on the wire) in words."""
    if value is None or value == "":
        return tr("nothing")
    if field == "store_type":
        return store_type(str(value))
    if field == "segment":
        return str(value).upper()
    if field == "state":
        return outlet_state(str(value)) or _state(str(value))
    if isinstance(value, bool):
        return tr("yes") if value else tr("no")
    if field == "visit_interval_days" and isinstance(value, int):
        return tr("every {n} days", n=number(value))
    if field == "visit_minutes" and isinstance(value, int):
        return tr("{n} min", n=number(value))
    if field == "surface_m2" and isinstance(value, int):
        return tr("{n} m²", n=number(value))
    if field in ("lat_e7", "lon_e7") and isinstance(value, int):
        return f"{value / 1e7:.5f}"
    if field in ("due", "wanted_on"):
        return day(value if isinstance(value, date) else date.fromisoformat(str(value)))
    return str(value)


def _state(code: str) -> str:
    return order_state(code) if code in ("placed", "delivered") else task_state(code)


def placing_words(placing: Placing) -> str:
    """How an outlet came to its position, or why it has none."""
    if placing.state == "by_hand":
        return tr("Placed by hand on the map")
    reason = _why_doubtful(placing.why)
    if placing.state == "refused":
        return tr("Not on the map: {reason}", reason=reason or tr("its address was not found"))
    sure = percent(placing.confidence / 100) if placing.confidence else ""
    facts = ", ".join(part for part in (reason, sure, placing.provider.upper()) if part)
    if placing.state == "doubtful":
        return tr("Its place is doubtful: {facts}", facts=facts)
    return tr("Placed from its address ({facts})", facts=facts) if facts else tr("Placed from its address")


def _why_doubtful(why: str) -> str:
    return {
        "no_address": tr("it has no address"),
        "town_only": tr("only its town was found"),
        "not_found": tr("its address was not found"),
        "several": tr("several places fit its address"),
        "elsewhere": tr("the place found is in another town"),
        "street_only": tr("only its street was found"),
        "weak": tr("what was found hardly fits its address"),
        "declined": tr("somebody has refused the place that was proposed"),
    }.get(why, "")


def unbroken(text: str | None) -> str:
    """A phone number that stays on one line."""
    return (text or "").replace(" ", "\u00a0")


def next_visit(due_days: int | None, *, never: bool) -> tuple[str, str]:
    """The same in full words, for where nothing beside it says what is due."""
    words, tone = lateness(due_days, never=never)
    if due_days is not None and not never and due_days > 0:
        return trn("Visit {n} day late", "Visit {n} days late", due_days), tone
    if due_days is not None and due_days < 0:
        return trn("Next visit in {n} day", "Next visit in {n} days", -due_days), tone
    return words, tone


def lateness(due_days: int | None, *, never: bool) -> tuple[str, str]:
    """When the next visit is due, and its tone, from days past the rhythm."""
    if due_days is None:
        return "", "neutral"
    if never:
        return tr("Never visited"), "warning"
    if due_days > 0:
        return tr("{n} d late", n=number(due_days)), "danger" if due_days > 14 else "warning"
    if due_days == 0:
        return tr("Due today"), "accent"
    return tr("in {n} d", n=number(-due_days)), "neutral"
