"""How deep JSON values may be nested, by whichever way they come."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

MAX_DEPTH = 40  # of JSON values inside an operation
_NESTED = frozenset((dict, list))


def too_deep(value: Any) -> bool:
    """Whether JSON values are nested deeper than ``MAX_DEPTH``; measured without recursion."""
    if _NESTED.isdisjoint(map(type, _inside(value))):
        return False  # as nearly always
    level: list[Any] = [item for item in _inside(value) if type(item) in _NESTED]
    for _ in range(MAX_DEPTH - 1):
        level = [item for outer in level for item in _inside(outer)]
        if not level:
            return False
    return True


def _inside(value: Any) -> Iterable[Any]:
    if isinstance(value, dict):
        return value.values()
    return value if isinstance(value, list) else ()
