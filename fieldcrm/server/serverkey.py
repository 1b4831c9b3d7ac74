"""The server's own key, under which secrets lie in its database: a dump of the database alone opens none of them.

People's keys and the secrets of second factors are wrapped by it. Several servers of one database need the same one.
"""

from __future__ import annotations

import contextlib
import os
import secrets
from pathlib import Path

from fieldcrm.domain.errors import DomainError, Unavailable
from sync.sealing import KEY_BYTES

KEY_FILE = "server.key"
KEY_VARIABLE = "FIELDCRM_SERVER_KEY"


def server_key(folder: Path) -> bytes:
    """From the environment (64 hexadecimal digits), or from a file that is made once.

    Raises ``DomainError("server_key_malformed")``, ``Unavailable("folder_not_writable")``.
    """
    given = os.environ.get(KEY_VARIABLE)
    if given is not None:
        return _parsed(given, KEY_VARIABLE)
    path = folder / KEY_FILE
    try:
        if not path.exists():
            _make(path)
        return _parsed(path.read_text(encoding="ascii", errors="replace"), str(path))
    except OSError as error:
        raise Unavailable("folder_not_writable", path=str(folder), reason=error.strerror or "") from error


def _make(path: Path) -> None:
    """Written aside and then given its name: of servers that start together one makes it, and none reads half of it."""
    aside = path.with_name(f"{path.name}.{secrets.token_hex(8)}")
    descriptor = os.open(aside, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    try:
        with os.fdopen(descriptor, "w", encoding="ascii") as file:
            file.write(secrets.token_hex(KEY_BYTES))
            file.flush()
            os.fsync(file.fileno())
        with contextlib.suppress(FileExistsError):  # another was faster, and its key is the key
            os.link(aside, path)
    finally:
        aside.unlink()


def _parsed(text: str, place: str) -> bytes:
    try:
        key = bytes.fromhex(text.strip())
    except ValueError:
        key = b""
    if len(key) != KEY_BYTES:
        raise DomainError("server_key_malformed", place=place)
    return key
