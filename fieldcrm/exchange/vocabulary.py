"""The words of files: what columns are called, and what our choices are called. Data: ``resources/exchange``."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Iterable, Mapping
from functools import cache
from typing import Any

from fieldcrm import resources
from fieldcrm.exchange.mapping import folded

Words = frozenset[str]  # of a header, plain: without small words, abbreviations written out


@cache
def headers() -> Mapping[str, tuple[tuple[str, Words], ...]]:
    """Target of a mapping -> what its column is called: folded, and as plain words."""
    return {target: _named(names) for target, names in _columns()["columns"].items()}


@cache
def vague() -> frozenset[Words]:
    """Headers that are taken for what they say only when nothing clearer is there."""
    return frozenset(words for names in _columns()["vague"].values() for _, words in _named(names))


def plain_words(name: str) -> Words:
    """The words of a folded header for comparing: their order does not matter."""
    short: Mapping[str, str] = _columns()["short"]
    written = (part for word in name.split() for part in short.get(word, word).split() if word not in _SMALL)
    return frozenset(written) or frozenset(name.split())


def core(words: Words) -> Words:
    """What is left of a header without the words for whose thing it is: the store's, the client's, for the bill."""
    return words - _whose()


def of_people(words: Words) -> bool:
    """Whether a header speaks of somebody of the company: its owner in the file, a representative, a manager."""
    return bool(words & _people())


@cache
def _whose() -> Words:
    return frozenset(_columns()["words"]["whose"])


@cache
def _people() -> Words:
    return frozenset(_columns()["words"]["people"])


def split_title(title: str) -> str:
    """A header folded, with ``storeName`` and ``StoreName`` taken apart first."""
    return folded(_HUMP.sub(" ", title))


def _named(names: Iterable[str]) -> tuple[tuple[str, Words], ...]:
    known = dict.fromkeys(map(folded, names))
    return tuple((name, plain_words(name)) for name in known)


@cache
def _columns() -> Mapping[str, Any]:
    return tomllib.loads(resources.text("exchange/columns.toml"))


_SMALL = frozenset("de du des d la le les l the of a au aux en et and".split())
_HUMP = re.compile(r"(?<=[a-zà-ÿ0-9])(?=[A-Z][a-zà-ÿ])|(?<=[a-zà-ÿ])(?=[A-Z])")


@cache
def words_of(field: str) -> Mapping[str, str]:
    """Word of a file, folded -> our value of ``store_type``, ``state`` or ``segment``."""
    content = tomllib.loads(resources.text("exchange/words.toml")).get(field, {})
    return {folded(word): value for value, words in content.items() for word in [value, *words]}
