"""What a header says by itself: its words against those that ``resources/exchange/columns.toml`` knows."""

from __future__ import annotations

from collections.abc import Mapping
from functools import cache

from rapidfuzz import fuzz

from fieldcrm.exchange.vocabulary import Words, core, headers, of_people, plain_words, vague

EXACT = 0.9
VAGUE = 0.86  # it is called so, but so are other things
_RESEMBLES = 84.0  # of 100, by rapidfuzz: the least that counts at all
_HARDLY = 0.45  # only together with values that fit
_PEOPLE = 0.88  # a word for a person of the company: above all that only resembles


@cache
def called(name: str) -> Mapping[str, float]:
    """Target -> how much the folded header ``name`` is one of its names: 0.9 and more when it is, less when it
    resembles. ``ignored`` stands for what is known and no field of an outlet."""
    found: dict[str, float] = {}
    if not name:
        return found
    joined, words = name.replace(" ", ""), plain_words(name)
    inner = core(words)
    for target, names in headers().items():
        best = 0.0
        for known, own in names:
            if own == words or known.replace(" ", "") == joined:
                best = VAGUE if own in vague() else EXACT + 0.02 * min(len(own), 4)
                break
            best = max(best, _resembles(name, words, inner, known, own))
        if best:
            found[target] = best
    best = max(found.values(), default=0.0)
    if best < VAGUE and of_people(words):
        found["ignored"] = _PEOPLE
    if best >= VAGUE:  # who is called so exactly leaves no room for those who sound alike
        found = {target: mark for target, mark in found.items() if mark >= VAGUE}
    return found


def _resembles(name: str, words: Words, inner: Words, known: str, own: Words) -> float:
    if inner and own == inner:
        return 0.82 if own in vague() else 0.85  # the known name, and words for whose it is
    shorter, longer = sorted((len(name), len(known)))
    if shorter >= 6 and shorter >= 0.7 * longer and (ratio := fuzz.ratio(name, known)) >= _RESEMBLES:
        return 0.55 + 0.3 * (ratio - _RESEMBLES) / (100 - _RESEMBLES)
    if len(known) >= 2 and own < words:  # the known name, and more words
        if own in vague():
            return _HARDLY
        extra = len(words) - len(own)
        return max(0.0, 0.72 + 0.03 * len(own) - 0.07 * extra)
    return 0.0
