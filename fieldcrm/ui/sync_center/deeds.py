"""What can be done with a decision or a refusal: the page is given these, and knows nothing of the session."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from fieldcrm.usecases.decisions import Verdict
from fieldcrm.usecases.refused import Refusal


@dataclass(frozen=True)
class Deeds:
    """What the buttons do. ``decide`` and ``mend`` are given what to call with the error when it cannot be done."""

    decide: Callable[[list[Verdict], Callable[[BaseException], None]], None]
    mend: Callable[[Refusal, str, Callable[[BaseException], None]], None]
    try_again: Callable[[Refusal], None]
    discard: Callable[[list[Refusal]], None]
    export: Callable[[list[Refusal]], None]
    copy: Callable[[Refusal], None]
    take_back: Callable[[list[Refusal]], None]
    reopen: Callable[[Refusal], None]
    open_outlet: Callable[[Any], None]
