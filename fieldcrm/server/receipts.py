"""What headquarters holds of a report, photos included; and who may read which photo."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable
from uuid import UUID

from sqlalchemy import Connection, select

from sync.protocol import Receipt
from sync.server.blobs import BlobStore
from sync.server.database import reading
from sync.server.engine import SyncServer
from sync.server.ports import Caller, Refused
from sync.server.store import RecordStore
from sync.server.tables import ServerTables

_RECORD = "submission"
_PHOTO = "attachment"
_SHA256 = re.compile(r"[0-9a-f]{64}")


class Receipts:
    """Answers only about records in the buckets that the caller may hold now."""

    def __init__(self, server: SyncServer, blobs: BlobStore) -> None:
        self._server = server
        self._blobs = blobs
        self._submissions = server.tables.records[_RECORD]
        self._photos = server.tables.records[_PHOTO]

    def of_submissions(self, caller: Caller, ids: list[str]) -> list[Receipt]:
        """One receipt for each id, in their order. Raises ``Refused("wrong_id")``."""
        wanted = [_id(text) for text in ids]
        with reading(self._server.engine) as connection:
            seen = self._visible(connection, caller, _RECORD, wanted)
            submissions, photos = self._submissions, self._photos
            query = select(submissions.c.id, submissions.c.rev, submissions.c.person_id).where(
                submissions.c.org_id == caller.org, submissions.c.id.in_(seen)
            )
            found = connection.execute(query).all()
            revs, authors = {row.id: row.rev for row in found}, {row.id: row.person_id for row in found}
            expected: dict[UUID, set[str]] = defaultdict(set)
            named = select(photos.c.submission_id, photos.c.sha256).where(
                photos.c.org_id == caller.org, photos.c.submission_id.in_(revs), photos.c.deleted_rev.is_(None)
            )
            for submission, sha256 in connection.execute(named):
                expected[submission].add(sha256)
        held = self._blobs.holders(caller.org, set().union(*expected.values()))
        return [
            Receipt(id_.hex, True, revs[id_], len(names), sum((name, authors[id_]) in held for name in names))
            if id_ in revs
            else Receipt(id_.hex, False)
            for id_, names in ((id_, expected[id_]) for id_ in wanted)
        ]

    def may_read(self, caller: Caller, sha256: str) -> bool:
        """Whether a photo record that the caller may see refers to this blob, by somebody who has shown to hold it.

        A report of one's own that names a hash opens nothing.
        """
        photos, reports = self._photos, self._submissions
        if not _SHA256.fullmatch(sha256):
            return False
        holders = [user for _, user in self._blobs.holders(caller.org, [sha256])]
        above = (reports.c.org_id == photos.c.org_id) & (reports.c.id == photos.c.submission_id)
        with reading(self._server.engine) as connection:
            query = (
                select(photos.c.id)
                .join(reports, above)
                .where(photos.c.org_id == caller.org, photos.c.sha256 == sha256, photos.c.deleted_rev.is_(None))
                .where(reports.c.org_id == caller.org, reports.c.person_id.in_(holders))
            )
            return bool(self._visible(connection, caller, _PHOTO, connection.scalars(query).all()))

    def _visible(self, connection: Connection, caller: Caller, collection: str, ids: Iterable[UUID]) -> set[UUID]:
        server = self._server
        store = RecordStore(connection, server.catalogue, server.tables, caller.org)
        held = server.hooks.visible(connection, caller)
        places = store.places((collection, id_) for id_ in ids)
        return {id_ for (_, id_), buckets in places.items() if not held.isdisjoint(buckets)}


def authors_of(connection: Connection, tables: ServerTables, org: UUID, sha256: str) -> list[UUID]:
    """Whose reports name this photo."""
    photos, reports = tables.records[_PHOTO], tables.records[_RECORD]
    query = (
        select(reports.c.person_id)
        .join(photos, (reports.c.org_id == photos.c.org_id) & (reports.c.id == photos.c.submission_id))
        .where(photos.c.org_id == org, reports.c.org_id == org, photos.c.sha256 == sha256)
        .distinct()
    )
    return list(connection.scalars(query))


def _id(text: str) -> UUID:
    try:
        if len(text) != 32:
            raise ValueError(text)
        return UUID(hex=text)
    except ValueError:
        raise Refused("wrong_id") from None
