"""How an outlet came to its position, or why it has none: what ``outlet.placing`` says.

``state``: ``placed`` by an address base that was sure enough, ``doubtful`` when it was not, ``unplaced`` when nothing
was found, ``by_hand`` when a person put it on the map. ``why`` is a code of ``WHY``, or empty.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

PLACED, DOUBTFUL, UNPLACED, BY_HAND = STATES = ("placed", "doubtful", "unplaced", "by_hand")
PRECISIONS = ("address", "street", "town")
WHY = ("no_address", "waiting", "not_found", "ambiguous", "imprecise", "far_from_town", "other_town")
_LONGEST = 100


@dataclass(frozen=True, slots=True)
class Placing:
    """``score`` is 0 to 100, as sure as the provider was; ``at`` is in milliseconds since 1970."""

    state: str
    why: str = ""
    score: int | None = None
    precision: str = ""
    provider: str = ""
    at: int | None = None

    def document(self) -> dict[str, Any]:
        """As the field is kept: what says nothing is left out."""
        named = ((name, getattr(self, name)) for name in self.__dataclass_fields__)
        return {name: value for name, value in named if value not in (None, "")}


def placing(
    state: str, at: datetime, *, why: str = "", score: float | None = None, precision: str = "", provider: str = ""
) -> Placing:
    """A placing made at ``at``; ``score`` is cut to 0 to 100."""
    sure = None if score is None else max(0, min(100, round(score)))
    return Placing(state, why, sure, precision, provider, int(at.timestamp() * 1000))


def placing_of(document: object) -> Placing | None:
    """What a document says, or ``None`` when it says nothing that is understood."""
    if not isinstance(document, Mapping) or document.get("state") not in STATES:
        return None
    score, at = document.get("score"), document.get("at")
    return Placing(
        document["state"],
        _text(document.get("why")),
        max(0, min(100, score)) if isinstance(score, int) and not isinstance(score, bool) else None,
        _text(document.get("precision")),
        _text(document.get("provider")),
        at if isinstance(at, int) and not isinstance(at, bool) and 0 < at < 1 << 42 else None,
    )


def _text(value: object) -> str:
    return value[:_LONGEST] if isinstance(value, str) else ""
