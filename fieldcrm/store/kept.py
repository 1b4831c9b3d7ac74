"""What the readers of one database keep in memory between two questions, and what was written meanwhile."""

from __future__ import annotations

import threading
from collections import deque
from dataclasses import dataclass, field
from typing import Any

from fieldcrm.domain.changes import Changes

REMEMBERED = 256  # writes; who last looked before them reads everything again


@dataclass(slots=True)
class Kept:
    """One for each open database. ``slots`` belong to those who name them; ``lock`` is held while one is made."""

    slots: dict[str, Any] = field(default_factory=dict)
    lock: threading.RLock = field(default_factory=threading.RLock)
    number: int = 0  # of the last write
    _writes: deque[Changes] = field(default_factory=lambda: deque(maxlen=REMEMBERED))
    _guard: threading.Lock = field(default_factory=threading.Lock)

    def wrote(self, changes: Changes) -> None:
        with self._guard:
            self._writes.append(changes)
            self.number += 1

    def since(self, number: int) -> list[Changes] | None:
        """What was written after the write ``number``; ``None`` when it is too long ago to tell."""
        with self._guard:
            count = self.number - number
            if count > len(self._writes):
                return None
            return list(self._writes)[len(self._writes) - count :] if count else []
