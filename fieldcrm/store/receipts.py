"""Where each report and photo is: on this device, sent, verified at headquarters, reviewed."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any

from sqlalchemy import and_, case, exists, func, literal, select, update

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.tables import T
from sync.columns import from_milliseconds


class Stage(StrEnum):
    HERE = "here"
    SENT = "sent"
    VERIFIED = "verified"
    REVIEWED = "reviewed"
    REFUSED = "refused"


@dataclass(frozen=True, slots=True)
class ReportReceipt:
    """``photos`` taken, ``photos_verified`` hashed by headquarters itself."""

    submission_id: Id
    visit_id: Id
    outlet_id: Id
    outlet_name: str
    submitted_at: datetime
    stage: Stage
    photos: int
    photos_verified: int
    refused_whole: bool = False  # its records are no longer here; what was written waits for a decision

    @property
    def complete(self) -> bool:
        return self.stage in (Stage.VERIFIED, Stage.REVIEWED)


def reports(
    r: Reader, person: Id, since: datetime | None = None, ids: Iterable[Id] | None = None
) -> tuple[ReportReceipt, ...]:
    """This person's reports from ``since`` on (or those of ``ids``), the newest first."""
    s, q, a = T.submission, T.blob_queue, T.attachment
    number = CATALOGUE.by_name["submission"].number
    photo_number = CATALOGUE.by_name["attachment"].number
    of_report = and_(a.c.submission_id == s.c.id)
    photos = select(func.count(a.c.sha256.distinct())).where(of_report).scalar_subquery()
    there = (
        select(func.count(a.c.sha256.distinct()))
        .join(q, and_(q.c.sha256 == a.c.sha256, q.c.state == "verified"))
        .where(of_report)
        .scalar_subquery()
    )
    unsent = exists().where(T.outbox.c.collection == number, T.outbox.c.id == s.c.id)
    unsent_photo = exists().where(
        T.outbox.c.collection == photo_number, T.outbox.c.id == a.c.id, a.c.submission_id == s.c.id
    )
    refused = exists().where(T.dead_letter.c.collection == number, T.dead_letter.c.id == s.c.id, T.dead_letter.c.open)
    held = exists().where(T.member.c.collection == number, T.member.c.id == s.c.id)
    reviewed = exists().where(T.review.c.submission_id == s.c.id)
    stage = case(
        (refused, literal("refused")),
        (unsent | unsent_photo, literal("here")),
        (~held | (there < photos), literal("sent")),
        (reviewed, literal("reviewed")),
        else_=literal("verified"),
    )
    query = (
        select(s.c.id, s.c.visit_id, s.c.outlet_id, T.outlet.c.name, s.c.submitted_at, stage, photos, there)
        .outerjoin(T.outlet, T.outlet.c.id == s.c.outlet_id)
        .order_by(s.c.submitted_at.desc(), s.c.id)
    )
    if ids is not None:
        query = query.where(s.c.id.in_(list(ids)))
    else:
        query = query.where(s.c.person_id == person)
    if since is not None:
        query = query.where(s.c.submitted_at >= since)
    found = [
        ReportReceipt(row[0], row[1], row[2], row[3] or "", row[4], Stage(row[5]), row[6], row[7])
        for row in r.conn.execute(query)
    ]
    if ids is None:
        known = {receipt.submission_id for receipt in found}
        found += [receipt for receipt in _refused(r, since) if receipt.submission_id not in known]
        found.sort(key=lambda receipt: (-receipt.submitted_at.timestamp(), receipt.submission_id.bytes))
    return tuple(found)


def _refused(r: Reader, since: datetime | None) -> list[ReportReceipt]:
    """Reports that headquarters did not take: their records are gone from here, what was written waits in letters."""
    d, number = T.dead_letter, CATALOGUE.by_name["submission"].number
    photo_number = CATALOGUE.by_name["attachment"].number
    open_new = (d.c.open, d.c.kind == "new")
    photos: dict[Any, set[Any]] = {}
    for (text,) in r.conn.execute(select(d.c.set).where(*open_new, d.c.collection == photo_number)):
        values = json.loads(text)
        photos.setdefault(values.get("submission_id"), set()).add(values.get("sha256"))
    found = []
    for row in r.conn.execute(select(d.c.id, d.c.set, d.c.at).where(*open_new, d.c.collection == number)):
        values = json.loads(row.set)
        at = from_milliseconds(values["submitted_at"]) if values.get("submitted_at") else row.at
        if (since is not None and at < since) or not values.get("outlet_id") or not values.get("visit_id"):
            continue
        outlet = Id(hex=values["outlet_id"])
        name = r.conn.execute(select(T.outlet.c.name).where(T.outlet.c.id == outlet)).scalar() or ""
        many = len(photos.get(row.id.hex, ()))
        found.append(ReportReceipt(row.id, Id(hex=values["visit_id"]), outlet, name, at, Stage.REFUSED, many, 0, True))
    return found


def photo_troubles(r: Reader, submissions: Iterable[Id]) -> dict[Id, set[str]]:
    """Why photos of these reports do not go: codes, by report."""
    q, a = T.blob_queue, T.attachment
    query = (
        select(a.c.submission_id, q.c.problem)
        .join(q, q.c.sha256 == a.c.sha256)
        .where(a.c.submission_id.in_(list(submissions)), q.c.direction == "up", q.c.state == "waiting",
               q.c.problem.is_not(None))
        .distinct()
    )
    found: dict[Id, set[str]] = {}
    for report, problem in r.conn.execute(query):
        found.setdefault(report, set()).add(problem)
    return found


def photo_sums(r: Reader, submissions: Iterable[Id]) -> tuple[int, int]:
    """Photos of these reports, and how many headquarters has verified: one that two versions share counts once."""
    q, a = T.blob_queue, T.attachment
    theirs = a.c.submission_id.in_(list(submissions))
    here = select(func.count(a.c.sha256.distinct())).where(theirs)
    there = here.join(q, and_(q.c.sha256 == a.c.sha256, q.c.state == "verified"))
    return int(r.conn.execute(here).scalar_one()), int(r.conn.execute(there).scalar_one())


def send_photos_again(tx: Transaction, submissions: Iterable[Id]) -> int:
    """Headquarters lacks photos of these reports: offer all of theirs again; returns how many."""
    q, a = T.blob_queue, T.attachment
    theirs = select(a.c.sha256).where(a.c.submission_id.in_(list(submissions)))
    again = update(q).where(q.c.sha256.in_(theirs), q.c.direction == "up", q.c.state == "verified")
    count = tx.conn.execute(again.values(state="waiting", offset=0, tries=0, problem=None)).rowcount
    tx.touch("sync")
    return count


def try_photos_now(tx: Transaction) -> None:
    """Forget earlier troubles, so that every photo that waits is tried at the next run."""
    q = T.blob_queue
    tx.conn.execute(update(q).where(q.c.state == "waiting").values(tries=0))
    tx.touch("sync")
