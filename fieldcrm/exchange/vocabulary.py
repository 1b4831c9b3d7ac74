"""The words of files: what columns are called, and what our choices are called. Data: ``resources/exchange``."""

from __future__ import annotations

import tomllib
from collections.abc import Mapping
from functools import cache

from fieldcrm import resources
from fieldcrm.exchange.mapping import folded


@cache
def headers() -> Mapping[str, tuple[str, ...]]:
    """Target of a mapping -> what its column is called, folded."""
    content = tomllib.loads(resources.text("exchange/columns.toml"))
    return {target: tuple(dict.fromkeys(map(folded, names))) for target, names in content["columns"].items()}


@cache
def words_of(field: str) -> Mapping[str, str]:
    """Word of a file, folded -> our value of ``store_type``, ``state`` or ``segment``."""
    content = tomllib.loads(resources.text("exchange/words.toml")).get(field, {})
    return {folded(word): value for value, words in content.items() for word in [value, *words]}
