"""What the journal's chain does not hold, in one small file beside it that is always the latest: whose device it is,
and the drafts as they stand. Encrypted under the device's key, rewritten whole.
"""

from __future__ import annotations

import hashlib
import json
import os
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection

from sync.whole_file import write_whole

STATE_FILE = "state.bin"
_NONCE = 12
_ABOUT = b"FCRMSTA1"
_TABLES = ("draft", "draft_photo")

Row = Mapping[str, Any]  # a row as SQLite holds it


@dataclass(frozen=True, slots=True)
class State:
    """``owner``: who is signed in, without tokens; ``rows``: the drafts' tables."""

    owner: Mapping[str, Any] | None = None
    rows: Mapping[str, tuple[Row, ...]] = field(default_factory=dict)


def read_state_of(connection: Connection, owner: Mapping[str, Any] | None) -> State:
    rows = {}
    for table in _TABLES:
        found = connection.exec_driver_sql(f"SELECT * FROM {table} ORDER BY id").mappings()
        rows[table] = tuple(dict(row) for row in found)
    return State(owner, rows)


def put_rows_back(connection: Connection, state: State) -> None:
    """Insert the drafts; columns that this version does not have are left out."""
    for table in _TABLES:
        known = {row[1] for row in connection.exec_driver_sql(f"PRAGMA table_info({table})")}
        for row in state.rows.get(table, ()):
            names = [name for name in row if name in known]
            columns = ", ".join(f'"{name}"' for name in names)
            marks = ", ".join("?" * len(names))
            statement = f"INSERT OR REPLACE INTO {table} ({columns}) VALUES ({marks})"
            connection.exec_driver_sql(statement, tuple(row[name] for name in names))


def write_state_file(folder: Path, key: bytes, state: State, known: str = "") -> str:
    """Write the file unless its content is the one that ``known`` names; returns the name of it. Raises ``OSError``."""
    plain = json.dumps({"owner": state.owner, "rows": state.rows}, default=_bytes_as_text).encode()
    name = hashlib.sha256(plain).hexdigest()
    path = folder / STATE_FILE
    if name == known and path.exists():
        return name
    nonce = os.urandom(_NONCE)
    write_whole(path, _ABOUT + nonce + _cipher(key).encrypt(nonce, plain, _ABOUT))
    return name


def read_state_file(folder: Path, key: bytes) -> State | None:
    """The state, or ``None`` when the file is not there or is not what was written."""
    try:
        content = (folder / STATE_FILE).read_bytes()
        start = len(_ABOUT)
        plain = _cipher(key).decrypt(content[start : start + _NONCE], content[start + _NONCE :], _ABOUT)
        read = json.loads(plain, object_hook=_text_as_bytes)
        return State(read["owner"], {table: tuple(rows) for table, rows in read["rows"].items()})
    except (OSError, ValueError, InvalidTag, KeyError, TypeError, AttributeError):
        return None


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, None, b"fieldcrm state 1").derive(key))


def _bytes_as_text(value: Any) -> dict[str, str]:
    if isinstance(value, bytes):
        return {"bytes": value.hex()}
    raise TypeError(type(value).__name__)


def _text_as_bytes(value: dict[str, Any]) -> Any:
    return bytes.fromhex(value["bytes"]) if value.keys() == {"bytes"} else value
