"""What a device may write, beyond what the catalogue says of each collection.

Pure: each rule looks at the caller, the change, and other records as they stand. The engine has checked before that
the role may write the collection, that facts are only added, and that the record lies in a sector of the caller.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable, Mapping
from typing import Any
from uuid import UUID

from fieldcrm.domain.catalogue import MANAGER, buckets
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.order import LINES_MOST, QUANTITY_MOST, is_price, is_quantity
from fieldcrm.domain.outlet import check_zone
from fieldcrm.domain.review import Decision
from sync.server.blobs import MAX_BLOB, MIME_TYPES
from sync.server.ports import Caller, Proposal, Refused, Values

# Who made the record: nobody writes in another person's name.
_AUTHORED = frozenset({"visit", "submission", "review", "note", "saved_segment"})
# What a record is about does not change afterwards: it would move to where its writer may not look.
_FIXED: Mapping[str, frozenset[str]] = {
    "outlet": frozenset({"sector_id"}),  # moved by the command outlet.move, with a date
    "outlet_alias": frozenset({"outlet_id", "alias_id"}),
    "contact": frozenset({"outlet_id"}),
    "task": frozenset({"outlet_id"}),
    "plan": frozenset({"person_id", "sector_id"}),
    "plan_stop": frozenset({"plan_id", "outlet_id"}),
    "proposal": frozenset({"sector_id", "outlet_id", "kind", "before", "after", "source", "reference", "batch_id"}),
    "import_batch": frozenset({"source", "licence", "person_id", "begun_at", "given"}),
    "custom_field": frozenset({"key", "kind"}),
    "distinct_pair": frozenset({"outlet_id", "other_id"}),
    "saved_segment": frozenset({"person_id"}),
    "rule": frozenset({"key"}),
    "sales_order": frozenset({"outlet_id", "person_id", "placed_at"}),
    "conflict": frozenset({
        "collection", "record_id", "field", "kept", "lost", "person_id", "outlet_id", "at", "before", "by_id",
        "lost_at", "kept_at",
    }),
}
_KEPT = frozenset({"outlet", "outlet_alias", "conflict", "sales_order"})  # closed or switched off, never deleted
_ID = re.compile(r"[0-9a-f]{32}")
_SHA256 = re.compile(r"[0-9a-f]{64}")
_REASON_LENGTH = 64


# What a document is at its top, so that no program has to read another thing there.
_SHAPES: Mapping[str, Mapping[str, type]] = {
    "outlet": {"placing": dict},
    "outlet_alias": {"taken": dict},
    "import_batch": {"given": dict},
    "proposal": {"before": dict, "after": dict},
    "custom_field": {"label": dict, "choices": list},
    "saved_segment": {"filters": dict},
    "rule": {"value": dict},
}


_LOOKED_AT: Mapping[str, tuple[tuple[str, str], ...]] = {  # collection -> the field and the collection of a record
    "submission": (("visit_id", "visit"), ("supersedes_id", "submission")),
    "attachment": (("submission_id", "submission"),),
    "review": (("submission_id", "submission"),),
    "plan_stop": (("plan_id", "plan"),),
    "outlet_alias": (("outlet_id", "outlet"), ("alias_id", "outlet")),
    "distinct_pair": (("outlet_id", "outlet"), ("other_id", "outlet")),
}


def needs(collection: str, values: Values) -> Iterable[tuple[str, Any]]:
    """The records that ``authorize`` will ask for, as collection and wire id; the values are unchecked."""
    found = [(name, values[field]) for field, name in _LOOKED_AT.get(collection, ()) if values.get(field) is not None]
    return found + ordered_products(values) if collection == "sales_order" else found


def authorize(caller: Caller, proposal: Proposal) -> None:
    """Raises ``Refused`` with the first rule that the change breaks."""
    name = proposal.collection.name
    if proposal.kind == "del":
        if name in _KEPT:
            raise Refused("delete_not_allowed", collection=name)
        if name == "saved_segment" and (proposal.before or {}).get("person_id") != caller.user.hex:
            raise Refused("not_your_name", field="person_id")  # shared for use, not for others to take away
        return
    if proposal.kind == "upd":
        _check_fixed(name, proposal)
    if proposal.after is None:
        return
    for field, shape in _SHAPES.get(name, {}).items():
        if proposal.set.get(field) is not None and not isinstance(proposal.set[field], shape):
            raise Refused("wrong_kind", field=field)
    if name in _AUTHORED and proposal.after["person_id"] != caller.user.hex:
        raise Refused("not_your_name", field="person_id")
    rule = _RULES.get(name)
    if rule is not None:
        rule(caller, proposal, proposal.after)


def _check_fixed(name: str, proposal: Proposal) -> None:
    before = proposal.before or {}
    for field in sorted(_FIXED.get(name, ())):
        if field in proposal.set and proposal.set[field] != before.get(field):
            raise Refused("field_fixed", field=field, collection=name)


def _check_plan(caller: Caller, proposal: Proposal, plan: Values) -> None:
    """A rep plans own days; a manager may plan those of the team."""
    if caller.role != MANAGER and plan["person_id"] != caller.user.hex:
        raise Refused("not_your_name", field="person_id")


def _check_plan_stop(caller: Caller, proposal: Proposal, stop: Values) -> None:
    plan = _must_exist(proposal, "plan", stop, "plan_id")
    _check_plan(caller, proposal, plan)


def _check_zone(caller: Caller, proposal: Proposal, record: Values) -> None:
    """A zone that no computer knows would stop the screens of everybody who holds the record."""
    zone = proposal.set.get("zone")
    if zone is None:
        return
    try:
        check_zone(zone)
    except DomainError as error:
        raise Refused(error.code, field="zone", zone=zone[:100]) from None


def _check_visit(caller: Caller, proposal: Proposal, visit: Values) -> None:
    _check_zone(caller, proposal, visit)
    ended = visit.get("ended_at")
    if ended is not None and ended < visit["started_at"]:
        raise Refused("ends_before_start", field="ended_at")
    if (visit.get("lat_e7") is None) != (visit.get("lon_e7") is None):
        raise Refused("half_a_position", field="lat_e7")
    if visit["position_source"] == "none" and visit.get("lat_e7") is not None:
        raise Refused("position_without_source", field="position_source")


def _check_submission(caller: Caller, proposal: Proposal, submission: Values) -> None:
    visit = _must_exist(proposal, "visit", submission, "visit_id")
    _same(submission, visit, "outlet_id", "person_id")
    if not isinstance(submission["answers"], dict):
        raise Refused("wrong_kind", field="answers")
    if submission.get("supersedes_id") is not None:
        old = _must_exist(proposal, "submission", submission, "supersedes_id")
        _same(submission, old, "outlet_id", "person_id")
        if submission["supersedes_id"] == proposal.id.hex:
            raise Refused("supersedes_itself", field="supersedes_id")


def _check_attachment(caller: Caller, proposal: Proposal, attachment: Values) -> None:
    submission = _must_exist(proposal, "submission", attachment, "submission_id")
    _same(attachment, submission, "outlet_id", "visit_id")
    if submission["person_id"] != caller.user.hex:
        raise Refused("not_your_name", field="submission_id")
    if not _SHA256.fullmatch(attachment["sha256"]):
        raise Refused("wrong_kind", field="sha256")
    if attachment["size"] > MAX_BLOB:
        raise Refused("too_large", field="size", maximum=MAX_BLOB)
    if attachment["mime"] not in MIME_TYPES:
        raise Refused("not_a_choice", field="mime", value=attachment["mime"][:100])


def _check_review(caller: Caller, proposal: Proposal, review: Values) -> None:
    submission = _must_exist(proposal, "submission", review, "submission_id")
    _same(review, submission, "outlet_id", "visit_id")
    if submission["person_id"] == caller.user.hex:
        raise Refused("own_report", field="submission_id")
    if review["decision"] == Decision.RETURNED:
        reason = review.get("reason")
        if not reason or not reason.strip():
            raise Refused("reason_required", field="reason")
        if len(reason) > _REASON_LENGTH:
            raise Refused("too_long", field="reason", maximum=_REASON_LENGTH)


def _check_conflict(caller: Caller, proposal: Proposal, conflict: Values) -> None:
    if proposal.kind == "new":
        raise Refused("not_allowed", collection="conflict")


def _check_alias(caller: Caller, proposal: Proposal, alias: Values) -> None:
    if alias["outlet_id"] == alias["alias_id"]:
        raise Refused("same_outlet", field="alias_id")


def ordered_products(values: Values) -> list[tuple[str, Any]]:
    """The products of an order whose values are unchecked."""
    lines = values.get("lines")
    some = lines[:LINES_MOST] if isinstance(lines, list) else []
    return [("product", line.get("product_id")) for line in some if isinstance(line, Mapping)]


def _check_order(caller: Caller, proposal: Proposal, order: Values) -> None:
    """Who takes an order takes it in their own name; afterwards a manager may settle it too."""
    if order["person_id"] != caller.user.hex and (proposal.kind == "new" or caller.role != MANAGER):
        raise Refused("not_your_name", field="person_id")
    if "lines" not in proposal.set:
        return
    lines = order["lines"]
    if not isinstance(lines, list) or not lines:
        raise Refused("wrong_kind", field="lines")
    if len(lines) > LINES_MOST:
        raise Refused("too_large", field="lines", maximum=LINES_MOST)
    for line in lines:
        _check_order_line(proposal, line)


def _check_order_line(proposal: Proposal, line: Any) -> None:
    if not isinstance(line, Mapping) or set(line) - {"product_id", "quantity", "price_minor"}:
        raise Refused("wrong_kind", field="lines")
    if not is_quantity(line.get("quantity")) or not is_price(line.get("price_minor")):
        raise Refused("too_large", field="lines", maximum=QUANTITY_MOST)
    product = line.get("product_id")
    if not isinstance(product, str) or not _ID.fullmatch(product):
        raise Refused("wrong_id", field="lines")
    if proposal.get("product", UUID(hex=product)) is None:
        raise Refused("no_record", field="lines", collection="product")


_RULES: Mapping[str, Callable[[Caller, Proposal, Values], None]] = {
    "outlet": _check_zone,
    "visit": _check_visit,
    "submission": _check_submission,
    "attachment": _check_attachment,
    "review": _check_review,
    "plan": _check_plan,
    "plan_stop": _check_plan_stop,
    "conflict": _check_conflict,
    "outlet_alias": _check_alias,
    "sales_order": _check_order,
}


def _must_exist(proposal: Proposal, collection: str, values: Values, field: str) -> Values:
    found = proposal.get(collection, UUID(hex=values[field]))
    if found is None:
        raise Refused("no_record", field=field, collection=collection)
    return found


def _same(values: Values, other: Values, *fields: str) -> None:
    for field in fields:
        if values[field] != other[field]:
            raise Refused("does_not_match", field=field)


def user_bucket(user: UUID | str) -> str:
    return f"user:{getattr(user, 'hex', user)}"


def place(collection: str, record: Mapping[str, Any]) -> frozenset[str]:
    """The buckets of a record without a scope parent: a clash that concerns no outlet is its loser's alone, and a
    segment that is not shared its maker's."""
    if collection == "conflict":
        person = record.get("person_id")
        return frozenset({user_bucket(person)}) if person else frozenset()
    if collection == "saved_segment" and not record.get("shared"):
        return frozenset({user_bucket(record["person_id"])})
    return buckets(collection, record)
