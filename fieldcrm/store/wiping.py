"""Deleting a profile for good: its key first, so that whatever is left on the disk cannot be read any more."""

from __future__ import annotations

import logging
import shutil
from collections.abc import Iterable
from pathlib import Path

from fieldcrm.store.keys import KEY_FILE, destroy_key

log = logging.getLogger(__name__)

KEPT = frozenset({"preferences.ini", "fieldcrm.log", "faults.log"})  # looks, and logs without anybody's data


def wipe(profile: Path, elsewhere: Iterable[Path] = ()) -> list[str]:
    """Destroy the key, then delete the database, photos, journal and every copy; gives what could not be deleted.

    ``elsewhere``: copies outside the profile, deleted where they can be reached. Asked for again it goes on.
    """
    destroy_key(profile)
    left = []
    for path in [*sorted(profile.iterdir()), *elsewhere]:
        if path.name in KEPT or path.name == KEY_FILE:
            continue
        try:
            if path.is_dir():
                shutil.rmtree(path)
            else:
                path.unlink(missing_ok=True)
        except OSError as error:  # without the key it says nothing to anybody
            log.warning("not deleted: %s (%s)", path.name, type(error).__name__)
            left.append(path.name)
    return left
