"""Drafts: visits that are being recorded on this device. Saved at each step, never synced, gone once submitted."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, fields
from datetime import datetime
from typing import Any

from sqlalchemy import delete, exists, func, insert, select, update

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T


@dataclass(frozen=True, slots=True)
class Draft:
    """``answers`` is the report's document as far as it goes; ``step`` is where the person was."""

    id: Id
    visit_id: Id
    outlet_id: Id
    form: str
    form_version: str
    started_at: datetime
    zone: str
    answers: Mapping[str, Any]
    updated_at: datetime
    position_source: str = "none"
    stop_id: Id | None = None
    supersedes_id: Id | None = None
    lat_e7: int | None = None
    lon_e7: int | None = None
    accuracy_m: int | None = None
    step: int = 0


@dataclass(frozen=True, slots=True)
class DraftPhoto:
    """A photo of a draft; ``node`` is the path of the question it answers."""

    id: Id
    draft_id: Id
    node: str
    sha256: str
    size: int
    mime: str
    width: int | None = None
    height: int | None = None
    taken_at: datetime | None = None
    lat_e7: int | None = None
    lon_e7: int | None = None
    position: int = 0


@dataclass(frozen=True, slots=True)
class DraftRow:
    """A draft as a list shows it."""

    id: Id
    outlet_id: Id
    outlet: str
    city: str
    started_at: datetime
    updated_at: datetime
    zone: str
    correction: bool


_DRAFT = tuple(T.draft.c[field.name] for field in fields(Draft))
_PHOTO = tuple(T.draft_photo.c[field.name] for field in fields(DraftPhoto))


def insert_draft(tx: Transaction, draft: Draft) -> None:
    tx.conn.execute(insert(T.draft).values({field.name: getattr(draft, field.name) for field in fields(Draft)}))
    tx.touch("draft", draft.id)


def read_draft(r: Reader, draft_id: Id) -> Draft:
    """Raises ``DomainError("draft_unknown")``: it was submitted or thrown away."""
    row = r.conn.execute(select(*_DRAFT).where(T.draft.c.id == draft_id)).one_or_none()
    if row is None:
        raise DomainError("draft_unknown", id=draft_id.hex)
    return Draft(**row._mapping)


def update_draft(tx: Transaction, draft_id: Id, values: Mapping[str, Any]) -> None:
    """Raises ``DomainError("draft_unknown")``, so that a late save never brings a submitted draft back."""
    changed = tx.conn.execute(update(T.draft).where(T.draft.c.id == draft_id).values(**values, updated_at=tx.now))
    if changed.rowcount == 0:
        raise DomainError("draft_unknown", id=draft_id.hex)
    tx.touch("draft", draft_id)


def delete_draft(tx: Transaction, draft_id: Id) -> None:
    tx.conn.execute(delete(T.draft_photo).where(T.draft_photo.c.draft_id == draft_id))
    tx.conn.execute(delete(T.draft).where(T.draft.c.id == draft_id))
    tx.touch("draft", draft_id)


def draft_for(r: Reader, outlets: Iterable[Id], *, supersedes_id: Id | None = None) -> Id | None:
    """The draft of a visit to one of the outlets, or of the correction of ``supersedes_id``."""
    query = select(T.draft.c.id).where(T.draft.c.outlet_id.in_(list(outlets)))
    if supersedes_id is None:
        query = query.where(T.draft.c.supersedes_id.is_(None))
    else:
        query = query.where(T.draft.c.supersedes_id == supersedes_id)
    found: Id | None = r.conn.execute(query.order_by(T.draft.c.updated_at.desc()).limit(1)).scalar_one_or_none()
    return found


def drafts(r: Reader) -> tuple[DraftRow, ...]:
    """Every draft on this device, the newest first."""
    draft, outlet = T.draft, T.outlet
    query = (
        select(
            draft.c.id, draft.c.outlet_id, func.coalesce(outlet.c.name, ""), func.coalesce(outlet.c.city, ""),
            draft.c.started_at, draft.c.updated_at, draft.c.zone, draft.c.supersedes_id.is_not(None),
        )
        .select_from(draft.outerjoin(outlet, outlet.c.id == draft.c.outlet_id))
        .order_by(draft.c.updated_at.desc(), draft.c.id)
    )
    return tuple(DraftRow(*row[:7], bool(row[7])) for row in r.conn.execute(query))


def photos_of(r: Reader, draft_id: Id) -> tuple[DraftPhoto, ...]:
    query = select(*_PHOTO).where(T.draft_photo.c.draft_id == draft_id)
    query = query.order_by(T.draft_photo.c.node, T.draft_photo.c.position, T.draft_photo.c.id)
    return tuple(DraftPhoto(**row._mapping) for row in r.conn.execute(query))


def insert_photo(tx: Transaction, photo: DraftPhoto) -> None:
    tx.conn.execute(insert(T.draft_photo).values({f.name: getattr(photo, f.name) for f in fields(DraftPhoto)}))
    tx.touch("draft", photo.draft_id)


def delete_photo(tx: Transaction, draft_id: Id, node: str, sha256: str) -> None:
    photo = T.draft_photo
    tx.conn.execute(
        delete(photo).where(photo.c.draft_id == draft_id, photo.c.node == node, photo.c.sha256 == sha256))
    tx.touch("draft", draft_id)


def photo_in_use(r: Reader, sha256: str) -> bool:
    """Whether any draft or report on this device still names the photo."""
    in_draft = exists().where(T.draft_photo.c.sha256 == sha256)
    in_report = exists().where(T.attachment.c.sha256 == sha256)
    return bool(r.conn.execute(select(in_draft | in_report)).scalar_one())
