"""The record that a person gets when two devices wrote the same field: both values, so that they can be swapped."""

from __future__ import annotations

from sync.columns import to_milliseconds
from sync.server.ports import Change, Clash


def record_of(clash: Clash) -> Change:
    outlet = clash.record.hex if clash.collection == "outlet" else clash.values.get("outlet_id")
    return Change(
        "conflict",
        clash.id,
        {
            "collection": clash.collection,
            "record_id": clash.record.hex,
            "field": clash.field or "*",
            "kept": clash.kept,
            "lost": clash.lost,
            "person_id": clash.loser.hex if clash.loser else None,
            "state": "open",
            "outlet_id": outlet,
            "at": to_milliseconds(clash.at),
        },
    )
