"""The keys of people on this device: a table in its database, and a small file beside the journal that is rewritten.

The file is for a rescue, when the database is lost; each copy of the journal has one. Erasing a person deletes the row
and writes the file anew. What the journal holds of them stays in its place and opens no more.
"""

from __future__ import annotations

import json
import os
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives import hashes
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from cryptography.hazmat.primitives.kdf.hkdf import HKDF
from sqlalchemy import Connection

from fieldcrm.domain.catalogue import CATALOGUE
from sync.chunks import chunks
from sync.columns import canonical
from sync.sealing import KEY_BYTES, blank, erasable, mark, new_key, personal_collections, subject_of
from sync.whole_file import write_whole

PEOPLE_FILE = "people.keys"
_NONCE = 12
_SLOT = _NONCE + 16 + KEY_BYTES + 16
_MAGIC = b"FCRMPPL1"


def keys_of(connection: Connection, subjects: Iterable[UUID]) -> dict[UUID, bytes]:
    found: dict[UUID, bytes] = {}
    for some in chunks(set(subjects)):
        marks = ", ".join("?" * len(some))
        query = f"SELECT subject, key FROM person_key WHERE subject IN ({marks})"
        rows = connection.exec_driver_sql(query, tuple(one.bytes for one in some))
        found.update((UUID(bytes=subject), key) for subject, key in rows)
    return found


def make_keys(connection: Connection, subjects: Iterable[UUID]) -> tuple[dict[UUID, bytes], dict[UUID, bytes]]:
    """The keys of ``subjects``, and those of them that are new; none for who was erased."""
    wanted = set(subjects)
    found = keys_of(connection, wanted)
    missing = wanted - found.keys()
    if missing:
        missing -= _erased(connection, missing)
    made = {subject: new_key() for subject in missing}
    if made:
        rows = [(subject.bytes, key) for subject, key in made.items()]
        connection.exec_driver_sql("INSERT INTO person_key (subject, key) VALUES (?, ?)", rows)
    return found | made, made


def all_keys(connection: Connection) -> dict[UUID, bytes]:
    return {UUID(bytes=s): key for s, key in connection.exec_driver_sql("SELECT subject, key FROM person_key")}


def put_back(connection: Connection, keys: Mapping[UUID, bytes]) -> None:
    """Take over keys that only the file has, as after a database was put back; not those of erased people."""
    known = keys_of(connection, keys)
    gone = _erased(connection, keys)
    rows = [(one.bytes, key) for one, key in keys.items() if one not in known and one not in gone]
    if rows:
        connection.exec_driver_sql("INSERT INTO person_key (subject, key) VALUES (?, ?)", rows)


def _erased(connection: Connection, subjects: Iterable[UUID]) -> set[UUID]:
    found: set[UUID] = set()
    for some in chunks(subjects):
        query = f"SELECT subject FROM erased_person WHERE subject IN ({', '.join('?' * len(some))})"
        found |= {UUID(bytes=s) for (s,) in connection.exec_driver_sql(query, tuple(one.bytes for one in some))}
    return found


# Erasing


def erase_marked(connection: Connection, org: UUID, marks: Iterable[str], now_ms: int) -> set[UUID]:
    """Erase those people of this device that the orders' ``marks`` name; returns whom.

    Their keys are deleted, and what waits or rests in the outbox, its answers and its refusals is blanked.
    """
    ordered = set(marks)
    gone = {one for one in _held(connection) if mark(org, one) in ordered}
    if gone:
        erase(connection, gone, now_ms)
    return gone


def erase(connection: Connection, gone: set[UUID], now_ms: int) -> None:
    rows = [(one.bytes,) for one in gone]
    connection.exec_driver_sql("DELETE FROM person_key WHERE subject = ?", rows)
    dated = [(one.bytes, now_ms) for one in gone]
    connection.exec_driver_sql("INSERT OR IGNORE INTO erased_person (subject, at) VALUES (?, ?)", dated)
    for table in ("outbox", "acked_ops", "dead_letter"):
        _blank_operations(connection, table, gone)
    _blank_shadows(connection, gone)


def _held(connection: Connection) -> set[UUID]:
    """Everybody this device may hold something of: whoever has a key, and the records of its operations."""
    held = {UUID(bytes=s) for (s,) in connection.exec_driver_sql("SELECT subject FROM person_key")}
    numbers = ", ".join(str(c.number) for c in personal_collections(CATALOGUE))
    for table in ("outbox", "acked_ops", "dead_letter", "shadow"):
        query = f"SELECT DISTINCT id FROM {table} WHERE collection IN ({numbers})"
        held |= {UUID(bytes=id) for (id,) in connection.exec_driver_sql(query)}
    return held


def _blank_operations(connection: Connection, table: str, gone: set[UUID]) -> None:
    numbers = ", ".join(str(c.number) for c in personal_collections(CATALOGUE))
    query = f'SELECT op, collection, id, "set", was FROM {table} WHERE collection IN ({numbers})'
    changed = []
    for op, number, id, set_, was in connection.exec_driver_sql(query).all():
        values = json.loads(set_), json.loads(was)
        cleaned = tuple(_blanked(number, UUID(bytes=id), one, values, gone) for one in values)
        if cleaned != values:
            changed.append((canonical(cleaned[0]), canonical(cleaned[1]), op))
    if changed:
        connection.exec_driver_sql(f'UPDATE {table} SET "set" = ?, was = ? WHERE op = ?', changed)


def _blank_shadows(connection: Connection, gone: set[UUID]) -> None:
    changed = []
    for number, id, row in connection.exec_driver_sql("SELECT collection, id, row FROM shadow").all():
        if row is None or number not in CATALOGUE.by_number:
            continue
        values = json.loads(row)
        cleaned = _blanked(number, UUID(bytes=id), values, (), gone)
        if cleaned != values:
            changed.append((canonical(cleaned), number, id))
    if changed:
        connection.exec_driver_sql("UPDATE shadow SET row = ? WHERE collection = ? AND id = ?", changed)


def _blanked(
    number: int, id: UUID, values: dict[str, Any], rows: Sequence[dict[str, Any]], gone: set[UUID]
) -> dict[str, Any]:
    collection = CATALOGUE.by_number[number]
    names = erasable(collection, whole=True) if id in gone else ()
    if not names and subject_of(collection, id, values, *rows) in gone:
        names = erasable(collection, whole=False)
    emptied = blank(collection, names)
    return {name: emptied.get(name) if name in emptied else value for name, value in values.items()}


# The file


def _cipher(key: bytes) -> AESGCM:
    return AESGCM(HKDF(hashes.SHA256(), 32, None, b"fieldcrm people 1").derive(key))


def add_to_file(path: Path, key: bytes, people: Mapping[UUID, bytes]) -> None:
    """Add keys at the end. Raises ``OSError``."""
    cipher = _cipher(key)
    slots = b"".join(_slot(cipher, subject, theirs) for subject, theirs in people.items())
    new = not path.exists()
    with path.open("ab") as file:
        file.write((_MAGIC if new else b"") + slots)
        file.flush()
        os.fsync(file.fileno())


def write_file(path: Path, key: bytes, people: Mapping[UUID, bytes]) -> None:
    """Write the whole file anew, in one step. Raises ``OSError``."""
    cipher = _cipher(key)
    write_whole(path, _MAGIC + b"".join(_slot(cipher, subject, theirs) for subject, theirs in people.items()))


def read_file(path: Path, key: bytes) -> tuple[dict[UUID, bytes], int]:
    """The keys, and how many bytes of the file open none."""
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        return {}, 0
    if not content.startswith(_MAGIC):
        return {}, len(content)
    cipher, people, lost = _cipher(key), dict[UUID, bytes](), 0
    for at in range(len(_MAGIC), len(content), _SLOT):
        slot = content[at : at + _SLOT]
        try:
            opened = cipher.decrypt(slot[:_NONCE], slot[_NONCE:], _MAGIC)
            people[UUID(bytes=opened[:16])] = opened[16:]
        except (InvalidTag, ValueError):
            lost += len(slot)
    return people, lost


def _slot(cipher: AESGCM, subject: UUID, key: bytes) -> bytes:
    nonce = os.urandom(_NONCE)
    return nonce + cipher.encrypt(nonce, subject.bytes + key, _MAGIC)
