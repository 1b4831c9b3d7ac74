"""Writing a file whole: whoever reads it finds all of the old or all of the new, whatever happens meanwhile."""

from __future__ import annotations

import os
from pathlib import Path


def write_whole(path: Path, content: bytes, mode: int = 0o666) -> None:
    """Written beside it, put on the disk, and then given its name. Raises ``OSError``; the old file is then as it was.

    The name beside it is always the same: what a crash, or a stick that was pulled out, left under it is written over
    the next time, and keeps no key that was deleted since. So one at a time may write a file.
    """
    temporary = path.with_name(path.name + ".new")
    try:
        descriptor = os.open(temporary, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | getattr(os, "O_BINARY", 0), mode)
        with os.fdopen(descriptor, "wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    finally:
        temporary.unlink(missing_ok=True)
