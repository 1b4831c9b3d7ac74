"""A newer extract of a source against what the source said last, and against what we have: what is worth a proposal.

Only what the *source* changed is proposed: a value that a person changed while the source said the same as before is
no news. What the source says no more is no news either; only an outlet that it lacks altogether is.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from fieldcrm.domain import provenance
from fieldcrm.domain.catalogue import PROPOSAL_KINDS
from fieldcrm.domain.earth import metres

OPENED, CLOSED, MOVED, RENAMED, HOURS, DETAILS = PROPOSAL_KINDS
MOVED_METRES = 30  # less is how two people click on one roof
SAME_PLACE_METRES = 50  # of a source without references: the same name within this is the same outlet
_KINDS: Mapping[str, str] = {
    "name": RENAMED, "banner": RENAMED, "lat_e7": MOVED, "lon_e7": MOVED, "opening_hours": HOURS,
}  # fmt: skip
_OURS = frozenset(
    {"sector_id", "zone", "segment", "visit_interval_days", "visit_minutes", "preferred_slots", "placing"}
)


@dataclass(frozen=True, slots=True)
class Difference:
    """``before``: what we have, with the origin of each field; ``after``: what the source says now. Wire values."""

    kind: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


def news(last: Mapping[str, Any], now: Mapping[str, Any]) -> dict[str, Any]:
    """The fields that the source gives otherwise than it did; the organisation's own are not its business."""
    return {name: value for name, value in now.items() if name not in _OURS and value != last.get(name)}


def differences(said: Mapping[str, Any], present: Mapping[str, Any]) -> Iterator[Difference]:
    """What to propose of the ``news`` of a source; ``present``: the outlet as it stands, in wire values."""
    grouped: dict[str, dict[str, Any]] = {}
    for name, value in said.items():
        if present.get(name) != value:
            grouped.setdefault(kind_of(name, value), {})[name] = value
    if MOVED in grouped and not _moved(grouped[MOVED], said, present):
        del grouped[MOVED]
    for kind, after in grouped.items():
        yield Difference(kind, before_of(present, after), after)


def kind_of(field: str, value: Any) -> str:
    """The kind of proposal that speaks of a field."""
    return CLOSED if field == "state" and value == "closed" else _KINDS.get(field, DETAILS)


def before_of(present: Mapping[str, Any], after: Mapping[str, Any]) -> dict[str, Any]:
    """What the outlet had where ``after`` speaks, with the origins, so that all of it can come back."""
    origins = present.get("provenance") or {}
    kept = {key: origins[key] for key in {provenance.key_of(name) for name in after} if key in origins}
    return {**{name: present.get(name) for name in after}, "provenance": kept}


def _moved(after: dict[str, Any], said: Mapping[str, Any], present: Mapping[str, Any]) -> bool:
    """Whether it is far enough to say so; both coordinates are then named."""
    for name in ("lat_e7", "lon_e7"):
        if name not in after:
            after[name] = said.get(name, present.get(name))
    if after["lat_e7"] is None or after["lon_e7"] is None:
        return False
    lat, lon = present.get("lat_e7"), present.get("lon_e7")
    return lat is None or lon is None or metres(lat, lon, after["lat_e7"], after["lon_e7"]) > MOVED_METRES


def key_of(reference: str, values: Mapping[str, Any]) -> str:
    """By what an outlet is known again: the source's own reference, else its SIRET, else its name and address; empty
    when it has a place on the map instead (then its name within ``SAME_PLACE_METRES``)."""
    if reference:
        return reference
    if siret := values.get("siret"):
        return f"siret:{siret}"
    if values.get("lat_e7") is not None:
        return ""
    parts = (values.get(name) or "" for name in ("name", "house_number", "street", "postcode", "city"))
    return "text:" + "|".join(folded(part) for part in parts)[:280]


def folded(text: str) -> str:
    """Letters and digits alone, without accents and case."""
    plain = unicodedata.normalize("NFKD", text.casefold())
    return "".join(character for character in plain if character.isalnum())
