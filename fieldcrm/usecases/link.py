"""What the network is worth, and whether photos go over it: a pure rule of what is known and what the person chose.

Reports are small and always go first; photos are large, and wait where each megabyte costs money or minutes.
"""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum

SLOW = 32_000  # bytes a second: a photo of 600 kB takes 20 s, and the reports behind it wait as long
ENOUGH_BYTES, ENOUGH_SECONDS = 200_000, 6.0  # before a measurement says anything
REMEMBERED = timedelta(minutes=10)  # then one photo tries again


class PhotoRule(StrEnum):
    """When photos are sent and fetched by themselves."""

    AUTO = "auto"  # not over a metered or slow network
    ALWAYS = "always"
    ASKED = "asked"  # only when the person says so


class Held(StrEnum):
    """Why photos wait although the network answers."""

    METERED = "metered"
    SLOW = "slow"
    ASKED = "asked"


@dataclass(frozen=True, slots=True)
class Link:
    """``metered``: the system says that this network is paid by volume, or that it is a phone's."""

    metered: bool = False
    slow_since: datetime | None = None


def held(rule: PhotoRule, link: Link, now: datetime) -> Held | None:
    """Why photos wait now; ``None`` when they go."""
    if rule is PhotoRule.ALWAYS:
        return None
    if rule is PhotoRule.ASKED:
        return Held.ASKED
    if link.metered:
        return Held.METERED
    since = link.slow_since
    # Not "now < since + …": a clock that was set back would keep them for as long as it was.
    return Held.SLOW if since is not None and abs(now - since) < REMEMBERED else None


def measured(link: Link, now: datetime, size: int, seconds: float) -> Link:
    """``size`` bytes of photos took ``seconds``; too little of both says nothing."""
    if size < ENOUGH_BYTES and seconds < ENOUGH_SECONDS:
        return link
    return replace(link, slow_since=now if size < SLOW * seconds else None)


def told(link: Link, *, metered: bool) -> Link:
    """The system named the network. Another network has another speed."""
    return link if link.metered == metered else Link(metered)
