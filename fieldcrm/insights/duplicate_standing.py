"""How a pair stands among the other pairs of its two outlets: an outlet has one double, seldom more.

Only who sees all pairs of a base can tell; the warning while a name is typed does without.
"""

from __future__ import annotations

from collections.abc import Hashable, Sequence

FLOOR = -4.0  # log-odds from which a pair counts as a rival, and is kept
LEVELS = ("alone", "clear", "ahead", "even", "behind", "beaten")
_FROM = ((3.0, "clear"), (0.75, "ahead"), (-0.75, "even"), (-3.0, "behind"))  # log-odds above the best rival


def standings(pairs: Sequence[tuple[Hashable, Hashable]], log_odds: Sequence[float | None]) -> list[str]:
    """For each pair how it stands beside the best other pair of either outlet; ``""`` below ``FLOOR`` or with none."""
    best: dict[Hashable, tuple[float, Hashable]] = {}
    second: dict[Hashable, float] = {}
    for (one, other), odds in zip(pairs, log_odds, strict=True):
        if odds is None or odds < FLOOR:
            continue
        for mine, theirs in ((one, other), (other, one)):
            held = best.get(mine)
            if held is None or odds > held[0]:
                if held is not None:
                    second[mine] = held[0]
                best[mine] = (odds, theirs)
            elif odds > second.get(mine, FLOOR - 1):
                second[mine] = odds
    found = []
    for (one, other), odds in zip(pairs, log_odds, strict=True):
        if odds is None or odds < FLOOR:
            found.append("")
            continue
        rivals = [
            second.get(mine) if best[mine][1] == theirs else best[mine][0]
            for mine, theirs in ((one, other), (other, one))
        ]
        met = [rival for rival in rivals if rival is not None]
        found.append(_level(odds - max(met)) if met else "alone")
    return found


def _level(margin: float) -> str:
    return next((level for least, level in _FROM if margin >= least), "beaten")
