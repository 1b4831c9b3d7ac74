"""What a device holds, bucket by bucket, as canonical hashes: two devices that hold the same have the same hashes."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from dataclasses import dataclass
from uuid import UUID

from sqlalchemy import select

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.store.database import Database, Reader
from fieldcrm.store.photos import PhotoStore
from fieldcrm.store.tables import T
from sync.catalogue import Collection
from sync.columns import canonical, record_to_wire

ATTACHMENT = CATALOGUE.by_name["attachment"]


@dataclass(frozen=True, slots=True)
class Holding:
    """One bucket on one device. Hashes are SHA-256: of the sorted canonical records, and of the blobs' own hashes."""

    rows: int
    rows_hash: str
    blobs: int
    blobs_missing: int
    blobs_hash: str


def holdings(db: Database, photos: PhotoStore) -> dict[str, Holding]:
    """Every bucket of a device; each blob is read and hashed, not believed."""
    with db.read() as reader:
        members: dict[str, list[tuple[int, UUID]]] = {}
        member, named = T.member.c, T.bucket.c
        query = select(named.name, member.collection, member.id).join(T.bucket, named.number == member.bucket)
        for bucket, number, id in reader.conn.execute(query):
            members.setdefault(bucket, []).append((number, id))
        texts = {collection.number: _texts(reader, collection) for collection in CATALOGUE.collections}
        named = reader.conn.execute(select(T.attachment.c.id, T.attachment.c.sha256))
        names: dict[UUID, str] = dict(named.tuples().all())
    return {bucket: _holding(keys, texts, names, photos) for bucket, keys in members.items()}


def _texts(reader: Reader, collection: Collection) -> dict[UUID, str]:
    """Each record of a collection as canonical text, with its id and the server's revision."""
    found = {}
    for row in reader.conn.execute(select(getattr(T, collection.name))).mappings():
        record = {"id": row["id"].hex, "rev": row["rev"], **record_to_wire(collection, dict(row))}
        found[row["id"]] = canonical(record)
    return found


def _holding(
    keys: list[tuple[int, UUID]], texts: Mapping[int, Mapping[UUID, str]], names: Mapping[UUID, str], photos: PhotoStore
) -> Holding:
    lines = sorted(f"{number} {texts[number].get(id, 'missing')}" for number, id in keys if number in texts)
    wanted = sorted({names[id] for number, id in keys if number == ATTACHMENT.number and id in names})
    hashes = [_hash_of(name, photos) for name in wanted]
    return Holding(
        len(lines), _digest(lines), len(wanted), hashes.count("missing"), _digest(hashes)
    )


def _hash_of(name: str, photos: PhotoStore) -> str:
    try:
        return hashlib.sha256(photos.get(name)).hexdigest()
    except DomainError:
        return "missing"


def _digest(lines: list[str]) -> str:
    digest = hashlib.sha256()
    for line in lines:
        digest.update(line.encode() + b"\n")
    return digest.hexdigest()
