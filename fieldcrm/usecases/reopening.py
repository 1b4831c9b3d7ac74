"""A report that headquarters refused becomes a draft again: its answers and photos as they were, to be mended and sent.

Nothing is thrown away: the refused change goes where those are that were let go, and can be exported from there.
"""

from __future__ import annotations

from typing import Any

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.store import drafts as _drafts
from fieldcrm.store import outbox as _outbox
from fieldcrm.store.database import Transaction
from fieldcrm.store.drafts import Draft, DraftPhoto
from fieldcrm.usecases.refused import Letter, Refusal, discard
from sync.columns import from_wire


def reopenable(refusal: Refusal) -> bool:
    """Whether it is a whole report, and not a change of something."""
    return _report(refusal) is not None


def reopen(tx: Transaction, refusal: Refusal) -> Id:
    """Make a draft of a refused report; returns its id. Raises ``DomainError("record_gone")`` without its outlet."""
    letter = _report(refusal)
    if letter is None:
        raise DomainError("field_not_editable")
    report = _values(letter)
    visit = next((_values(one) for one in refusal.letters if one.collection == "visit" and one.kind == "new"), {})
    if not _outbox.exists(tx, "outlet", report["outlet_id"]):
        raise DomainError("record_gone")
    stop = next((one.record_id for one in refusal.letters if one.collection == "plan_stop"), None)
    draft = Draft(
        new_id(tx.now), report["visit_id"], report["outlet_id"], report["form"], report["form_version"],
        report["started_at"], visit.get("zone") or "UTC", report["answers"], tx.now,
        visit.get("position_source") or "none", stop, report.get("supersedes_id"), visit.get("lat_e7"),
        visit.get("lon_e7"), visit.get("accuracy_m"),
    )
    _drafts.insert_draft(tx, draft)
    photos = (_values(one) for one in refusal.letters if one.collection == "attachment" and one.kind == "new")
    for place, photo in enumerate(photos):
        _drafts.insert_photo(tx, DraftPhoto(
            new_id(tx.now), draft.id, photo["node"], photo["sha256"], photo["size"], photo["mime"], photo.get("width"),
            photo.get("height"), photo.get("taken_at"), photo.get("lat_e7"), photo.get("lon_e7"), place,
        ))
    discard(tx, [refusal])
    return draft.id


def _report(refusal: Refusal) -> Letter | None:
    return next((one for one in refusal.letters if one.collection == "submission" and one.kind == "new"), None)


def _values(letter: Letter) -> dict[str, Any]:
    fields = CATALOGUE.by_name[letter.collection].by_name
    return {name: from_wire(fields[name].kind, value) for name, value in letter.values.items() if name in fields}
