"""Writing files whole or not at all, with no cell that a spreadsheet would run."""

from __future__ import annotations

import errno
import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from fieldcrm.domain.errors import Unavailable

_NUMBER = re.compile(r"[-+]?[0-9]+(?:[.,][0-9]+)?")
_UNSEEN = re.compile("^[\\s\x01-\x1f\x7f-\xa0\u00ad\u200b-\u200f\u2060\ufeff]+")  # what a program may leave out
_RUNS = ("=", "+", "-", "@", "\t", "\r", "\n", "\uff1d", "\uff0b", "\uff0d", "\uff20")


def safe_cell(text: str) -> str:
    """``text`` as a spreadsheet may show it: what could start a formula gets an apostrophe before it.

    Plain numbers stay numbers, minus sign included.
    """
    return "'" + text if runs(text) else text


def runs(text: str) -> bool:
    """Whether a spreadsheet could take ``text`` for a formula."""
    begins = text.lstrip(" \u00a0").startswith(_RUNS) or _UNSEEN.sub("", text).startswith(_RUNS)
    return begins and not _NUMBER.fullmatch(text.strip())


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """A place to write beside ``path``; it becomes ``path`` when all went well, and is gone when it did not.

    Raises ``Unavailable``: ``disk_full``, ``disk_denied``.
    """
    temporary = path.with_name(path.name + ".part")
    try:
        yield temporary
        temporary.replace(path)
    except OSError as error:
        full = error.errno in (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)
        raise Unavailable("disk_full" if full else "disk_denied", path=str(path)) from error
    finally:
        temporary.unlink(missing_ok=True)
