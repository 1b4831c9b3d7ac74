"""Personal values in places that are only ever added to: sealed under a key per person, kept outside of them.

Journals, change history and bundles are never rewritten, and their hash chains must go on verifying. So a personal
value goes there sealed with AES-256-GCM under the key of the person it is about, and the keys lie in one small table
per store. Deleting a key erases the value in every copy, those on sticks and in backups included.

Whose a value is: contacts' and staff's fields belong to the person that ``Collection.subject`` names, or to the record
itself; free words, which may name anybody, always belong to their own record, so that one note can be erased alone.
"""

from __future__ import annotations

import json
import os
from base64 import b64decode, b64encode
from collections.abc import Iterable, Mapping
from hashlib import blake2b
from typing import Any, Final
from uuid import UUID

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.ciphers.aead import AESGCM

from sync.catalogue import Catalogue, Collection, Kind, Personal
from sync.columns import canonical

KEY_BYTES = 32
SEALED: Final = "~"  # no field has this name
BLANK: Final = "—"  # what stands in a required text once it is erased
_NONCE = 12

Values = Mapping[str, Any]  # wire values by field name
Keys = Mapping[UUID, bytes]


class Erased:
    """What stands for a value whose key is gone."""

    _only: Erased | None = None

    def __new__(cls) -> Erased:
        if cls._only is None:
            cls._only = super().__new__(cls)
        return cls._only

    def __repr__(self) -> str:
        return "ERASED"

    def __bool__(self) -> bool:
        return False


ERASED: Final = Erased()


def new_key() -> bytes:
    return os.urandom(KEY_BYTES)


def mark(org: UUID, subject: UUID) -> str:
    """The name of an erased person in an order that everybody receives: says nothing to who never held them."""
    return blake2b(subject.bytes, key=org.bytes, digest_size=16, person=b"erasure").hexdigest()


def subject_of(collection: Collection, id: UUID, *rows: Values | None) -> UUID:
    """The person whom a record's contact and staff fields are about; ``rows``: where to look for the field."""
    for values in rows if collection.subject else ():
        named = (values or {}).get(collection.subject)
        if isinstance(named, str) and len(named) == 32:
            try:
                return UUID(hex=named)
            except ValueError:
                continue
    return id


def subjects(collection: Collection, id: UUID, values: Values, *rows: Values | None) -> set[UUID]:
    """Whose keys ``seal`` will ask for."""
    return set(_parts(collection, id, values, rows))


def seal(collection: Collection, id: UUID, values: Values, keys: Keys, *rows: Values | None) -> dict[str, Any]:
    """``values`` with the personal ones replaced by sealed ones; where a key is missing the value is dropped for good.

    ``rows``: other values of the same record, to find its person when ``values`` do not name them.
    """
    parts = _parts(collection, id, values, rows)
    if not parts:
        return dict(values)
    hidden = {name for names in parts.values() for name in names}
    sealed: list[list[Any]] = []
    for subject, names in parts.items():
        key = keys.get(subject)
        text = "" if key is None else _encrypt(key, collection, id, {name: values[name] for name in names})
        sealed.append([subject.hex, names, text])
    return {**{name: value for name, value in values.items() if name not in hidden}, SEALED: sealed}


def unseal(collection: Collection, id: UUID, values: Values, keys: Keys) -> dict[str, Any]:
    """The values again; ``ERASED`` for each one whose key is gone, or that was changed since."""
    opened = {name: value for name, value in values.items() if name != SEALED}
    for subject, names, text in _sealed_parts(values):
        key = keys.get(subject)
        found = None if key is None else _decrypt(key, collection, id, text)
        opened.update({name: ERASED if found is None else found.get(name) for name in names})
    return opened


def sealed_subjects(values: Values) -> set[UUID]:
    """Whose keys ``unseal`` will ask for."""
    return {subject for subject, _, _ in _sealed_parts(values)}


def blank(collection: Collection, names: Iterable[str]) -> dict[str, Any]:
    """The values that erased fields take in a living record."""
    made: dict[str, Any] = {}
    for name in names:
        field = collection.by_name[name]
        empty: Any = [] if field.kind is Kind.SET else {} if field.kind in (Kind.DOCUMENT, Kind.MAP) else BLANK
        made[name] = empty if field.required else None
    return made


def erasable(collection: Collection, *, whole: bool) -> tuple[str, ...]:
    """Fields to be blanked of a record of an erased person; ``whole``: the record itself was named, words included."""
    fields = collection.personal_fields
    return tuple(f.name for f in fields if whole or f.personal is not Personal.WORDS)


def personal_collections(catalogue: Catalogue) -> tuple[Collection, ...]:
    return tuple(c for c in catalogue.collections if c.personal_fields)


def _parts(collection: Collection, id: UUID, values: Values, rows: tuple[Values | None, ...]) -> dict[UUID, list[str]]:
    parts: dict[UUID, list[str]] = {}
    for field in collection.personal_fields:
        if values.get(field.name) is None:
            continue
        own = field.personal is Personal.WORDS
        parts.setdefault(id if own else subject_of(collection, id, values, *rows), []).append(field.name)
    return parts


def _sealed_parts(values: Values) -> Iterable[tuple[UUID, list[str], str]]:
    """Nothing is believed: what does not have the right shape is passed over."""
    parts = values.get(SEALED)
    for part in parts if isinstance(parts, list) else ():
        match part:
            case [str(subject), list(names), str(text)] if len(subject) == 32 and all(
                isinstance(name, str) for name in names
            ):
                try:
                    yield UUID(hex=subject), names, text
                except ValueError:
                    continue


def _about(collection: Collection, id: UUID) -> bytes:
    """Bound to its record: a sealed value moved elsewhere does not open."""
    return collection.number.to_bytes(4, "big") + id.bytes


def _encrypt(key: bytes, collection: Collection, id: UUID, values: Values) -> str:
    nonce = os.urandom(_NONCE)
    return b64encode(nonce + AESGCM(key).encrypt(nonce, canonical(values).encode(), _about(collection, id))).decode()


def _decrypt(key: bytes, collection: Collection, id: UUID, text: str) -> dict[str, Any] | None:
    try:
        whole = b64decode(text, validate=True)
        opened = json.loads(AESGCM(key).decrypt(whole[:_NONCE], whole[_NONCE:], _about(collection, id)))
    except (ValueError, InvalidTag, RecursionError):
        return None
    return opened if isinstance(opened, dict) else None
