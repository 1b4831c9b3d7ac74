"""The newest revision of each organisation, in a file beside the database: a database behind it was put back.

Written every so many commits and at the end. Never lowered but by an accepted restore, so that a database that is put
back while the server runs is noticed too.
"""

from __future__ import annotations

import json
import logging
import os
import threading
from collections.abc import Mapping
from pathlib import Path
from uuid import UUID

log = logging.getLogger(__name__)

FILE = "revisions.json"
EVERY = 100  # commits


class HighWater:
    """One per process; several may share the file."""

    def __init__(self, folder: Path) -> None:
        self._path = folder / FILE
        self._lock = threading.Lock()
        self._seen: dict[str, int] = {}
        self._commits = 0

    def note(self, org: UUID, rev: int) -> None:
        """After each commit."""
        with self._lock:
            self._seen[org.hex] = max(rev, self._seen.get(org.hex, 0))
            self._commits += 1
            if self._commits < EVERY:
                return
            try:
                self._raise_to(self._seen)
            except OSError as error:  # what was committed stays committed; the next hundred try again
                log.error('{"high_water": "%s"}', type(error).__name__)
                self._commits = 0

    def raise_to(self, revisions: Mapping[str, int]) -> None:
        """Write these down where they are higher. Raises ``OSError``."""
        with self._lock:
            self._raise_to(revisions)

    def reset(self, revisions: Mapping[str, int]) -> None:
        """From now on these count, lower or not: a restore was accepted."""
        with self._lock:
            self._seen = {}
            self._write(revisions)

    def behind(self, present: Mapping[str, int]) -> list[str]:
        """The organisations, by id, of which the file knows a later revision than ``present``."""
        return [org for org, rev in self._read().items() if present.get(org, 0) < rev]

    def _raise_to(self, revisions: Mapping[str, int]) -> None:
        known = self._read()
        higher = {org: max(rev, known.get(org, 0)) for org, rev in {**known, **revisions}.items()}
        if higher != known:
            self._write(higher)
        self._commits = 0

    def _read(self) -> dict[str, int]:
        try:
            read = json.loads(self._path.read_text(encoding="utf-8"))
        except (OSError, ValueError):
            return {}  # a damaged note proves nothing
        if not isinstance(read, dict):
            return {}
        return {org: rev for org, rev in read.items() if isinstance(rev, int)}

    def _write(self, revisions: Mapping[str, int]) -> None:
        new = self._path.with_suffix(f".{os.getpid()}.new")
        with new.open("w", encoding="utf-8") as file:
            json.dump(dict(revisions), file)
            file.flush()
            os.fsync(file.fileno())
        os.replace(new, self._path)
