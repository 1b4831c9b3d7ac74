"""How far the names of two outlets agree: one of a few levels, whatever the order of the two."""

from __future__ import annotations

from collections.abc import Mapping, Set
from itertools import takewhile
from typing import Protocol

from rapidfuzz import fuzz
from rapidfuzz.distance import OSA

RARE, RARE_SHARE = 3, 5_000  # a word is rare that so many outlets have, or one of so many
COMMON = 4  # outlets of one name in a base from which the name says little
_AGREE = ("same", "close")
STRONG = frozenset(
    {"chain_same", *(level + more for level in _AGREE for more in ("", "_common", "_plus_trade", "_plus_own_trade"))}
)  # levels of a name that agrees
_SHARE = ("contained", "word_in_common", "one_word")
IN_PART = frozenset(
    {"alike", "trade_only", "trade_within", "trade_shared", "short_word", "run_together", "chain_one_named",
     "other_trade", *(level + more for level in _SHARE for more in ("", "_rare", "_each_more")),
     *(level + "_each_more" for level in _AGREE)}
)  # fmt: skip
_LABELS = {  # how a source puts the type of a store before its name
    "supermarket": ("supermarket", "supermarche"), "hypermarket": ("hypermarket", "hypermarche"),
    "petrol": ("petrol", "station", "service"), "pharmacy": ("pharmacy", "pharmacie"), "kiosk": ("kiosk", "kiosque"),
    "convenience": ("mini", "market", "minimarket", "convenience", "epicerie", "superette"),
    "food_service": ("restaurant", "ristorante"),
}  # fmt: skip
_ANY_LABEL = ("shop", "store", "magasin", "boutique")
_TYPE_TRADES: Mapping[str, Set[str]] = {
    "supermarket": {"grocery"}, "hypermarket": {"grocery"}, "convenience": {"grocery"}, "petrol": {"fuel"},
    "pharmacy": {"pharmacy"}, "kiosk": {"paper"}, "food_service": {"table"},
    "specialist": {"bakery", "butcher", "drink", "paper", "tools", "beauty", "clothes"},
}  # fmt: skip


class Named(Protocol):
    """What is looked at of an outlet that is ready to be compared, see ``duplicates.Prepared``."""

    core: str
    own: str
    squeezed: str
    whole: str
    words: frozenset[str]
    said: str
    trades: frozenset[str]
    generic: bool
    enseigne: str
    trade: str
    common: int
    rare: frozenset[str]


def rare_below(outlets: int) -> int:
    """How many of so many outlets may have a word that is still a rare one."""
    return max(RARE, outlets // RARE_SHARE)


def name_likeness(one: Named, other: Named) -> float:
    """0 to 100: the words in any order, typing errors forgiven; words of the trade count for little."""
    if one.core == other.core or one.whole == other.whole:
        return 100.0
    together = fuzz.ratio(one.squeezed, other.squeezed)
    shorter = min(len(one.squeezed), len(other.squeezed))
    slips = 2 if shorter >= 9 else 1 if shorter >= 4 else 0  # a letter or two that are wrong in a short name
    if slips and OSA.distance(one.squeezed, other.squeezed, score_cutoff=slips) <= slips:
        return max(together, 90.0)
    whole = fuzz.ratio(one.whole, other.whole) - 6
    if max(together, whole) >= 90:
        return max(together, whole)
    return max(together, whole, fuzz.token_sort_ratio(one.core, other.core))


def name_level(one: Named, other: Named) -> str:
    if not one.core or not other.core:
        return ""
    if one.generic or other.generic:
        return _of_trade_words(one, other)
    if one.enseigne and one.enseigne == other.enseigne and not (one.own and other.own):
        return "chain_same" if one.own == other.own else "chain_one_named"
    likeness = name_likeness(one, other)
    if one.enseigne and one.enseigne == other.enseigne:
        likeness = max(fuzz.ratio(one.own, other.own), fuzz.token_sort_ratio(one.own, other.own))
        if likeness < 60 and not contained(one.own, other.own):
            return "chain_other_branch"
    if likeness >= 85:
        return _agreeing(one, other, "same" if likeness >= 99.9 else "close")
    shared, left, right = aligned(one.core.split(), other.core.split())
    if any(len(word) >= 4 for word, _ in shared):
        if left and right:
            level = "one_word"
        else:
            level = "contained" if min(len(one.core), len(other.core)) >= 8 else "word_in_common"
            if _each_more(one, other):
                return level + "_each_more"
        rare = any(mine in one.rare and theirs in other.rare for mine, theirs in shared)
        return level + "_rare" if rare else level
    if shared and not (left and right):
        return "short_word"
    if likeness < 72 and _run_together(one.whole, other.whole):
        return "run_together"
    return "alike" if likeness >= 72 else "somewhat" if likeness >= 62 else "far" if likeness >= 50 else "differs"


def _run_together(one: str, other: str) -> bool:
    """Whether one name ends or begins like the other, with more written to it: ``RestaurantPizza Hut``."""
    short, long = sorted((one, other), key=lambda text: (len(text), text))
    if len(short) < 4:
        return False
    ends = (long[: len(short)], long[-len(short) :])
    return short in ends or (len(short) >= 7 and any(OSA.distance(short, end, score_cutoff=1) <= 1 for end in ends))


def _of_trade_words(one: Named, other: Named) -> str:
    """Where a name only says a trade, every word that it has is looked at."""
    if one.said == other.said or fuzz.token_sort_ratio(one.said, other.said) >= 85:
        return "trade_only"
    shared, left, right = aligned(one.said.split(), other.said.split())
    if one.generic and other.generic:
        return "trade_other" if not shared else "trade_shared" if left and right else "trade_within"
    if one.words <= other.words or other.words <= one.words:
        return "trade_named"
    more = left if one.generic else right  # of the name that only says a trade
    if more and shared:
        return "trade_shared"
    return "trade_other" if more else "trade_named"


def _agreeing(one: Named, other: Named, level: str) -> str:
    if one.trades and other.trades and not one.trades & other.trades:
        return "other_trade"
    if one.said != other.said and _each_more(one, other):
        return f"{level}_each_more"
    if bool(one.trades) != bool(other.trades):
        kinds: list[Set[str]] = [_TYPE_TRADES.get(trade, frozenset()) for trade in (one.trade, other.trade) if trade]
        own = bool(kinds) and all((one.trades | other.trades) <= kind for kind in kinds)
        return f"{level}_plus_own_trade" if own else f"{level}_plus_trade"
    return f"{level}_common" if max(one.common, other.common) >= COMMON else level


def _each_more(one: Named, other: Named) -> bool:
    """Whether each name says something that the other does not: ``Inland Sea``, ``Inland Lounge``."""
    mine, theirs = one.said.split(), other.said.split()
    _, left, right = aligned(mine, theirs)
    if not left or not right:
        return False
    labels = (*_ANY_LABEL, *_LABELS.get(one.trade, ()), *_LABELS.get(other.trade, ()))
    left, right = _without_label(left, mine, labels), _without_label(right, theirs, labels)
    return bool(left and right) and fuzz.ratio("".join(left), "".join(right)) < 60


def _without_label(more: list[str], said: list[str], labels: tuple[str, ...]) -> list[str]:
    """What a name says besides, but for the type of store that it begins with."""
    label = list(takewhile(lambda word: any(_alike(word, known) for known in labels), said))
    return [word for word in more if word not in label]


def contained(one: str, other: str) -> bool:
    """Whether every word of the shorter is, but for a typing error, a word of the longer."""
    shared, left, right = aligned(one.split(), other.split())
    return any(len(word) >= 4 for word, _ in shared) and not (left and right)


def aligned(one: list[str], other: list[str]) -> tuple[list[tuple[str, str]], list[str], list[str]]:
    """The words that two names share, typing errors forgiven, and what either has besides."""
    left, right = list(dict.fromkeys(one)), list(dict.fromkeys(other))
    shared = [(word, word) for word in left if word in right]
    left = [word for word in left if word not in right]
    right = [word for word in right if (word, word) not in shared]
    close = ((_alike(mine, theirs), mine, theirs) for mine in left for theirs in right)
    # By likeness and then by the two words themselves, so that it is the same both ways.
    for _, mine, theirs in sorted((one for one in close if one[0] > 0), key=lambda one: (-one[0], sorted(one[1:]))):
        if mine in left and theirs in right:
            shared.append((mine, theirs))
            left.remove(mine)
            right.remove(theirs)
    return shared, left, right


def _alike(one: str, other: str) -> float:
    """0 where two words are no slip of each other."""
    shorter = min(len(one), len(other))
    if shorter == 3 and sorted(one) == sorted(other):
        return 95.0
    if shorter >= 4 and abs(len(one) - len(other)) <= 1 and OSA.distance(one, other, score_cutoff=1) <= 1:
        return 95.0
    return fuzz.ratio(one, other, score_cutoff=80) if shorter >= 4 else 0.0
