"""Which differences become proposals: not those that are open already, and none that a person has refused before."""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any

from fieldcrm.domain import extracts
from fieldcrm.domain.ids import Id

ORIGINS, SAID = "provenance", "source"  # in ``before``: where our values came from, and what the source had said


@dataclass(frozen=True, slots=True)
class New:
    """A proposal that is not written yet. ``outlet_id`` is ``None`` for an outlet that we do not have."""

    id: Id
    kind: str
    sector_id: Id
    outlet_id: Id | None
    reference: str
    before: Mapping[str, Any]
    after: Mapping[str, Any]


@dataclass(slots=True)
class Standing:
    """What was proposed of a source before: open and refused proposals, by what they are about."""

    open: dict[tuple[str, str], tuple[Id, str]] = field(default_factory=dict)
    refused: set[tuple[str, str, str]] = field(default_factory=set)

    def note(
        self, id: Id, kind: str, outlet: Id | None, reference: str, after: Mapping[str, Any], *, is_open: bool
    ) -> None:
        about, text = about_of(outlet, reference, after), _text(after)
        if is_open:
            self.open[about, kind] = id, text
        else:
            self.refused.add((about, kind, text))

    def replaced(self, new: New) -> tuple[bool, Id | None]:
        """Whether ``new`` is worth writing, and the open proposal that it overtakes."""
        about, text = (about_of(new.outlet_id, new.reference, new.after), new.kind), _text(new.after)
        known = self.open.get(about)
        if known is not None and known[1] == text:
            return False, None
        if (*about, text) in self.refused:
            self.open.pop(about, None)
            return False, known[0] if known else None
        self.open[about] = new.id, text
        return True, known[0] if known else None

    def overtaken(self, outlet: Id, kinds: Iterable[str]) -> list[Id]:
        """Open proposals of these kinds about an outlet of which the source now says what we have."""
        return [gone[0] for kind in kinds if (gone := self.open.pop((outlet.hex, kind), None)) is not None]


def about_of(outlet: Id | None, reference: str, after: Mapping[str, Any]) -> str:
    """The outlet, or of one that we do not have what it is known by."""
    if outlet is not None:
        return outlet.hex
    if reference:
        return "=" + reference
    lat, lon = after.get("lat_e7") or 0, after.get("lon_e7") or 0
    return f"@{extracts.folded(str(after.get('name') or ''))}/{lat // 5_000}/{lon // 5_000}"


def _text(after: Mapping[str, Any]) -> str:
    return json.dumps(after, sort_keys=True, ensure_ascii=False)
