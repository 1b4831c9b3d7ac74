"""The record that a person gets when two devices wrote the same thing: both values, so that they can be swapped.

A merge in which nobody gave way leaves one too, closed from the start, to be told and to be taken back.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from fieldcrm.domain.catalogue import MERGED, WHOLE_RECORD
from sync.columns import to_milliseconds
from sync.server.ports import Change, Clash

# What people edit by hand; merges of plans are made and unmade by planning.
_TOLD = frozenset({"outlet", "contact", "task"})
# What the program notes beside each edit is nobody's news.
_UNTOLD = frozenset({"provenance", "confirmed_at", "last_contact_at", "done_at"})


def record_of(clash: Clash) -> Change | None:
    if clash.field in _UNTOLD:
        return None
    return _change(clash, clash.field or WHOLE_RECORD, "open", clash.kept, clash.lost, clash.before)


def merge_of(clash: Clash) -> Change | None:
    """``kept``: what others had changed; ``lost``: what this person changed; ``before``: what that was before."""
    theirs, mine = _news(clash.kept), _news(clash.lost)
    if clash.collection not in _TOLD or not theirs or not mine:
        return None
    before = {name: (clash.before or {}).get(name) for name in mine}
    return _change(clash, MERGED, "closed", theirs, mine, before)


def _news(values: Mapping[str, Any]) -> dict[str, Any]:
    return {name: value for name, value in values.items() if name not in _UNTOLD}


def _change(clash: Clash, field: str, state: str, kept: Any, lost: Any, before: Any) -> Change:
    outlet = clash.record.hex if clash.collection == "outlet" else clash.values.get("outlet_id")
    made = clash.made_at or None
    return Change(
        "conflict",
        clash.id,
        {
            "collection": clash.collection,
            "record_id": clash.record.hex,
            "field": field,
            "kept": kept,
            "lost": lost,
            "person_id": clash.loser.hex if clash.loser else None,
            "state": state,
            "outlet_id": outlet,
            "at": to_milliseconds(clash.at),
            "before": before,
            "by_id": clash.winner.hex if clash.winner else None,
            "lost_at": made if clash.mine else None,
            "kept_at": None if clash.mine else made,
        },
    )
