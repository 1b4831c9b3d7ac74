"""An address in one line, taken apart: French and English envelopes; what cannot be told apart stays the street."""

from __future__ import annotations

import re

_CODE_TOWN = re.compile(r"(?P<code>[0-9]{5}|[A-Z]{1,2}-[0-9]{4,5}|[1-9][0-9]{3})\s+(?P<town>[^\d,][^,]*)")
_TOWN_UK = re.compile(r"(?P<town>[^\d,][^,]*?)?[,\s]*(?P<code>[A-Z]{1,2}[0-9][A-Z0-9]?\s?[0-9][A-Z]{2})", re.I)
_NUMBERED = re.compile(
    r"(?P<number>[0-9]{1,4}(?:\s?(?:bis|ter|quater)\b|\s?[A-Za-z](?=[\s,])|\s?[-/]\s?[0-9]{1,4})?)[,\s]+(?P<street>\D.*)",
    re.I,
)


def parts(text: str) -> dict[str, str]:
    """``12 rue de la Paix, 75002 Paris`` -> house_number, street, postcode, city; what is not said is not there."""
    line = " ".join(text.replace("\n", ", ").split()).strip(" ,")
    found: dict[str, str] = {}
    rest = line
    for pattern in (_CODE_TOWN, _TOWN_UK):
        matches = list(pattern.finditer(line))
        if not matches:
            continue
        last = matches[-1]
        found["postcode"] = last.group("code").upper()
        town = (last.group("town") or "").strip(" ,-")
        rest = line[: last.start()].strip(" ,-")
        if not town and "," in rest:
            rest, _, town = (piece.strip() for piece in rest.rpartition(","))
        if town:
            found["city"] = re.sub(r"\s+(?i:cedex(?:\s+[0-9]+)?|france)$", "", town)
        break
    numbered = _NUMBERED.fullmatch(rest)
    if numbered:
        found["house_number"], found["street"] = numbered.group("number"), numbered.group("street").strip(" ,")
    elif rest:
        found["street"] = rest
    return found
