"""What arrived at headquarters, read from the server's own files while it runs, compared by content."""

from __future__ import annotations

import hashlib
from collections.abc import Collection, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from uuid import UUID

from sqlalchemy import Select, func, select

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import Id
from fieldcrm.server.projections import observation
from sync.columns import canonical
from sync.server.blobs import BlobStore
from sync.server.database import open_database, reading
from sync.server.refusal import CallRefused
from sync.server.tables import build


@dataclass(frozen=True, slots=True)
class Sent:
    """Reports and photos as the device has them: what should be at headquarters."""

    visits: frozenset[Id]
    answers: Mapping[Id, str]  # submission -> hash of its canonical answers
    photos: frozenset[str]  # content hashes
    audit_lines: int


@dataclass(frozen=True, slots=True)
class Arrived:
    """The same, found at headquarters with equal content."""

    visits: int
    reports: int
    audit_lines: int
    photos: int


def answers_hash(answers: Any) -> str:
    return hashlib.sha256(canonical(answers).encode()).hexdigest()


class Headquarters:
    """Reads the folder of a running server; writes nothing."""

    def __init__(self, folder: Path, org: Id) -> None:
        self._org = org
        self._engine = open_database(f"sqlite:///{folder / 'server.sqlite'}")
        self._records = build(CATALOGUE).records
        self._blobs = BlobStore(self._engine, folder / "blobs")

    def close(self) -> None:
        self._engine.dispose()

    def arrived(self, sent: Sent) -> Arrived:
        """How much of what was sent is here, each report and each photo compared by the hash of its content."""
        visit, submission = self._records["visit"], self._records["submission"]
        visits = {row[0] for row in self._rows(select(visit.c.id).where(visit.c.id.in_(sent.visits)))}
        query = select(submission.c.id, submission.c.answers).where(submission.c.id.in_(sent.answers))
        reports = [id for id, answers in self._rows(query) if answers_hash(answers) == sent.answers[id]]
        photos = [name for name in sent.photos if self._photo_hash(name) == name]
        return Arrived(len(visits), len(reports), self._lines(reports), len(photos))

    def decisions(self, submissions: Collection[Id]) -> dict[str, int]:
        """How many of these reports have which decision."""
        review = self._records["review"]
        query = select(review.c.decision, func.count()).where(review.c.submission_id.in_(submissions))
        return dict(self._rows(query.group_by(review.c.decision)))

    def corrections(self, submissions: Collection[Id]) -> int:
        """How many reports here are newer versions of these."""
        submission = self._records["submission"]
        query = select(func.count()).select_from(submission).where(submission.c.supersedes_id.in_(submissions))
        return int(self._rows(query)[0][0])

    def _lines(self, reports: Collection[UUID]) -> int:
        """The typed observations that the server projected from these reports by itself."""
        query = select(func.count()).select_from(observation).where(observation.c.submission_id.in_(reports))
        return int(self._rows(query)[0][0])

    def _photo_hash(self, name: str) -> str:
        try:
            return hashlib.sha256(self._blobs.read(self._org, name).data).hexdigest()
        except CallRefused:
            return ""

    def _rows(self, query: Select[Any]) -> list[Any]:
        table = query.get_final_froms()[0]
        with reading(self._engine) as connection:
            return list(connection.execute(query.where(table.c.org_id == self._org)))
