"""Slows down whoever guesses passwords."""

from __future__ import annotations

import threading
from collections import OrderedDict
from datetime import datetime, timedelta

from sync.server.refusal import CallRefused

FREE_FAILURES = 5
FIRST_PAUSE = timedelta(seconds=15)
LONGEST_PAUSE = timedelta(minutes=15)
FORGET_AFTER = timedelta(hours=1)
_MOST_KEYS = 10_000


class Throttle:
    """After ``FREE_FAILURES`` wrong passwords in a row each further one doubles the pause.

    Kept in memory: a restart forgives, which costs an attacker more than it gives.
    """

    def __init__(self) -> None:
        self._failures: OrderedDict[str, tuple[int, datetime]] = OrderedDict()
        self._lock = threading.Lock()

    def attempt(self, key: str, now: datetime) -> None:
        """Raises ``CallRefused("too_many_attempts")`` while the pause lasts.

        Counts as a failure until ``succeeded`` says otherwise: guesses sent all at once are each counted
        before the first of them is answered.
        """
        with self._lock:
            count, last = self._failures.get(key, (0, now))
            left = self._pause(count) - (now - last)
            if left > timedelta(0):
                seconds = int(left.total_seconds()) + 1
                raise CallRefused(429, "too_many_attempts", retry_after=seconds, seconds=seconds)
            self._failures.pop(key, None)
            if now - last > FORGET_AFTER:
                count = 0
            self._failures[key] = (count + 1, now)
            while len(self._failures) > _MOST_KEYS:
                self._failures.popitem(last=False)

    def succeeded(self, key: str) -> None:
        with self._lock:
            self._failures.pop(key, None)

    def _pause(self, count: int) -> timedelta:
        if count < FREE_FAILURES:
            return timedelta(0)
        return min(FIRST_PAUSE * (1 << min(count - FREE_FAILURES, 10)), LONGEST_PAUSE)
