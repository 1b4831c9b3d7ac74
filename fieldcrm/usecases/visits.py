"""A visit from check-in to report: begun as a draft, saved at each step, submitted in one transaction, corrected later.

Nothing here needs the network, and nothing but a full disk can stop it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id, new_id
from fieldcrm.domain.outlet import DEGREE, Outlet
from fieldcrm.domain.submission import ROW_KEY, Submission, flatten
from fieldcrm.domain.task import TaskDetails
from fieldcrm.domain.visit import Visit
from fieldcrm.forms import Form, Instance, load_form, planned_tasks, project, visit_note
from fieldcrm.forms.builtin import SHELF_AUDIT, builtin_form
from fieldcrm.forms.grid import Grid, grids
from fieldcrm.forms.model import Control, Question
from fieldcrm.forms.problems import Problem, Severity
from fieldcrm.geo.distance import distance_m
from fieldcrm.store import drafts as _drafts
from fieldcrm.store import outlets as _outlets
from fieldcrm.store import reports as _reports
from fieldcrm.store import reviews as _reviews
from fieldcrm.store import tasks as _tasks
from fieldcrm.store import visits as _visits
from fieldcrm.store.database import Reader, Transaction
from fieldcrm.store.drafts import Draft, DraftPhoto, DraftRow
from fieldcrm.store.visits import AuditLine

__all__ = [
    "AuditLine", "Draft", "DraftPhoto", "DraftRow", "OpenDraft", "Position", "Submitted",
    "begin_instance", "changed_paths", "correct", "discard", "drafts", "find_draft", "open_draft",
    "project_submissions", "save_draft", "set_position", "start_visit", "submit_visit",
]


@dataclass(frozen=True, slots=True)
class Position:
    """Where the visit takes place, and who says so: a receiver, a photo, or nobody. Degrees x 10^7."""

    source: str = "none"
    lat_e7: int | None = None
    lon_e7: int | None = None
    accuracy_m: int | None = None


NO_POSITION = Position()


@dataclass(frozen=True, slots=True)
class OpenDraft:
    """All that the visit screen needs. ``earlier`` are the answers of the report that a correction supersedes."""

    draft: Draft
    outlet: Outlet
    form: Form
    lines: tuple[AuditLine, ...]
    photos: tuple[DraftPhoto, ...]
    distance_m: int | None
    earlier: Mapping[str, Any] | None = None
    questioned: tuple[str, ...] = ()  # nodes that the manager asks about
    review_note: str = ""


@dataclass(frozen=True, slots=True)
class Submitted:
    visit_id: Id
    submission_id: Id
    outlet_id: Id
    stop_id: Id | None
    lines: int
    photos: int


# ---- drafts -----------------------------------------


def start_visit(
    tx: Transaction, outlet_id: Id, stop_id: Id | None = None, position: Position = NO_POSITION,
    *, form: str = SHELF_AUDIT,
) -> Id:
    """Begin a visit, planned or not; returns the draft. A visit already begun at the outlet is gone on with."""
    outlet = _outlets.read_outlet(tx, outlet_id)
    same = _outlets.same_outlets(tx, outlet.id)
    found = _drafts.draft_for(tx, same)
    if found is not None:
        return found
    version = _form(tx, form).version
    draft = Draft(
        id=new_id(tx.now), visit_id=new_id(tx.now), outlet_id=outlet.id, form=form, form_version=version,
        started_at=tx.now, zone=outlet.zone, answers={}, updated_at=tx.now, position_source=position.source,
        stop_id=stop_id if stop_id and _visits.open_stop(tx, stop_id, same) else None,
        lat_e7=position.lat_e7, lon_e7=position.lon_e7, accuracy_m=position.accuracy_m,
    )
    _drafts.insert_draft(tx, draft)
    tx.touch("outlet", outlet.id)
    return draft.id


def save_draft(tx: Transaction, draft_id: Id, answers: Mapping[str, Any], step: int) -> datetime:
    """Keep the answers so far; returns the moment they were kept. Raises ``draft_unknown`` once submitted."""
    _drafts.update_draft(tx, draft_id, {"answers": dict(answers), "step": step})
    return tx.now


def set_position(tx: Transaction, draft_id: Id, position: Position) -> None:
    _drafts.update_draft(tx, draft_id, {
        "position_source": position.source, "lat_e7": position.lat_e7, "lon_e7": position.lon_e7,
        "accuracy_m": position.accuracy_m,
    })


def drafts(r: Reader) -> tuple[DraftRow, ...]:
    """Visits begun on this device and not sent, the newest first: what is offered again after a restart."""
    return _drafts.drafts(r)


def discard(tx: Transaction, draft_id: Id) -> tuple[str, ...]:
    """Throw a draft away; returns the photos that nothing names any more, whose files the caller deletes."""
    draft = _drafts.read_draft(tx, draft_id)
    photos = {photo.sha256 for photo in _drafts.photos_of(tx, draft_id)}
    _drafts.delete_draft(tx, draft_id)
    tx.touch("outlet", draft.outlet_id)
    return tuple(sorted(name for name in photos if not _drafts.photo_in_use(tx, name)))


def open_draft(r: Reader, draft_id: Id) -> OpenDraft:
    """Raises ``draft_unknown``, ``outlet_unknown`` or a ``form_…`` code."""
    draft = _drafts.read_draft(r, draft_id)
    outlet = _outlets.read_outlet(r, draft.outlet_id)
    form = _form(r, draft.form, draft.form_version)
    earlier: Mapping[str, Any] | None = None
    questioned: tuple[str, ...] = ()
    note = ""
    if draft.supersedes_id is not None:
        report = _reports.submission(r, draft.supersedes_id)
        earlier = report.answers if report is not None else None
        reviews = _reviews.reviews_of(r, [draft.supersedes_id]).get(draft.supersedes_id, ())
        last = max(reviews, key=lambda review: review.decided_at, default=None)
        questioned, note = (last.nodes, last.note or "") if last is not None else ((), "")
    return OpenDraft(
        draft, outlet, form, _lines(r, outlet, draft, _products(form, draft.answers)),
        _drafts.photos_of(r, draft_id), _distance(outlet, draft.lat_e7, draft.lon_e7), earlier, questioned, note,
    )


def find_draft(r: Reader, draft_id: Id) -> OpenDraft | None:
    """Like ``open_draft``, or None once it was submitted or thrown away."""
    try:
        return open_draft(r, draft_id)
    except DomainError as error:
        if error.code != "draft_unknown":
            raise
        return None


def begin_instance(
    form: Form, lines: Iterable[AuditLine], answers: Mapping[str, Any] | None, *, now: datetime, zone: str,
    language: str,
) -> Instance:
    """The live answers of a draft or report, with one row for each product of the assortment that has none yet."""
    instance = Instance(form, now=now, zone=ZoneInfo(zone), language=language, document=answers or None)
    for grid in grids(form):
        there = set(instance.rows(grid.path))
        for line in lines:
            if f"{grid.path}[{line.product_id.hex}]" not in there:
                instance.add_row(grid.path, line.product_id.hex, _seed(grid, line))
    return instance


# ---- submitting and correcting ----------------------


def submit_visit(tx: Transaction, draft_id: Id, *, now: datetime) -> Submitted:
    """Turn a draft into a visit with its report, photos, observations, tasks and a done stop, all or nothing.

    Raises ``report_incomplete`` (count, path of the first) when answers are missing or wrong.
    """
    draft = _drafts.read_draft(tx, draft_id)
    outlet = _outlets.read_outlet(tx, draft.outlet_id)
    form = _form(tx, draft.form, draft.form_version)
    answers = _final_answers(form, draft, now)
    submission = Submission(
        new_id(now), draft.visit_id, outlet.id, tx.actor.user_id, draft.form, draft.form_version, answers,
        draft.started_at, now, draft.supersedes_id,
    )
    earlier: Mapping[str, Any] | None = None
    if draft.supersedes_id is not None:
        earlier = _superseded_answers(tx, draft.supersedes_id)
        _visits.close_corrections(tx, draft.supersedes_id)
    else:
        _visits.insert_visit(tx, _visit(tx, draft, outlet, visit_note(form, answers), now))
    _visits.insert_submission(tx, submission)
    photos = _attach(tx, draft, form, submission)
    lines = project(form, answers)
    _visits.write_observations(tx, [(submission, lines)])
    _reviews.refresh_current(tx, [submission.id])
    _plan_tasks(tx, form, submission, earlier)
    if draft.stop_id is not None and draft.supersedes_id is None:
        _visits.finish_stop(tx, draft.stop_id)
    _drafts.delete_draft(tx, draft_id)
    tx.touch("outlet", outlet.id)
    tx.label = "visit.submitted" if earlier is None else "report.corrected"
    return Submitted(draft.visit_id, submission.id, outlet.id, draft.stop_id, len(lines), photos)


def correct(tx: Transaction, submission_id: Id) -> Id:
    """A draft with the answers and photos of a report, which it will supersede; one already begun is gone on with.

    Raises ``report_unknown``, or ``report_superseded`` when a newer version exists.
    """
    report = _reports.submission(tx, submission_id)
    if report is None:
        raise DomainError("report_unknown", id=submission_id.hex)
    if _visits.superseded(tx, submission_id):
        raise DomainError("report_superseded")
    outlet = _outlets.read_outlet(tx, report.outlet_id)
    found = _drafts.draft_for(tx, _outlets.same_outlets(tx, outlet.id), supersedes_id=submission_id)
    if found is not None:
        return found
    draft = Draft(
        id=new_id(tx.now), visit_id=report.visit_id, outlet_id=outlet.id, form=report.form,
        form_version=report.form_version, started_at=report.started_at, zone=outlet.zone, answers=report.answers,
        updated_at=tx.now, supersedes_id=submission_id,
    )
    _drafts.insert_draft(tx, draft)
    for place, photo in enumerate(_visits.photos_for(tx, submission_id)):
        _drafts.insert_photo(tx, DraftPhoto(
            new_id(tx.now), draft.id, photo.node, photo.sha256, photo.size, photo.mime, photo.width, photo.height,
            photo.taken_at, position=place,
        ))
    tx.touch("outlet", outlet.id)
    return draft.id


def changed_paths(form: Form, before: Mapping[str, Any], after: Mapping[str, Any]) -> tuple[str, ...]:
    """The answers of a person that differ between two versions of a report, by stable path."""
    old, new = flatten(before), flatten(after)
    return tuple(path for path in {**old, **new} if old.get(path) != new.get(path) and _asked(form, path))


def _asked(form: Form, path: str) -> bool:
    item = form.by_path.get(form.root.path + "/".join(step.partition("[")[0] for step in path.split("/")))
    return isinstance(item, Question) and item.control is not Control.HIDDEN


# ---- projection -------------------------------------


def project_submissions(tx: Transaction, ids: Iterable[Id] | None = None) -> int:
    """Make the observations of reports that came by a sync (``ids``, or all that have none); returns how many reports.

    A report whose form is not here yet waits until the form comes.
    """
    forms: dict[tuple[str, str], Form | None] = {}
    done = 0
    for reports in _visits.without_observations(tx, ids):
        for name in {(report.form, report.form_version) for report in reports} - forms.keys():
            forms[name] = _known_form(tx, *name)
        known = [(report, forms[report.form, report.form_version]) for report in reports]
        projected = [(report, project(form, report.answers)) for report, form in known if form is not None]
        _visits.write_observations(tx, projected)
        _reviews.refresh_current(tx, [report.id for report, _ in projected])
        done += len(projected)
    return done


# ---- inside -----------------------------------------


@lru_cache(maxsize=16)
def _loaded(xform: str) -> Form:
    return load_form(xform.encode())


def _form(r: Reader, name: str, version: str | None = None) -> Form:
    """The form by name and version, or its newest; the built-in audit where the organisation has none."""
    if version is not None:
        source = _reports.form_source(r, name, version)
    else:
        newest = _visits.newest_form(r, name)
        source = newest[1] if newest else None
    if source is not None:
        return _loaded(source)
    if name == SHELF_AUDIT and version in (None, builtin_form().version):
        return builtin_form()
    raise DomainError("form_unknown", name=name, version=version or "")


def _known_form(r: Reader, name: str, version: str) -> Form | None:
    try:
        return _form(r, name, version)
    except DomainError:
        return None  # not here yet, or of a kind this version cannot read: the report itself is kept whole


def _lines(r: Reader, outlet: Outlet, draft: Draft, answered: Iterable[Id]) -> tuple[AuditLine, ...]:
    day = draft.started_at.astimezone(ZoneInfo(draft.zone)).date()
    return _visits.audit_lines(r, _outlets.same_outlets(r, outlet.id), outlet.store_type, day, also=answered)


def _products(form: Form, answers: Mapping[str, Any]) -> list[Id]:
    """Products that a draft has answers for: a correction keeps those that have left the assortment."""
    found = []
    for grid in grids(form):
        rows: Any = answers
        for name in grid.path.split("/")[1:]:
            rows = rows.get(name) if isinstance(rows, Mapping) else None
        for row in rows if isinstance(rows, list) else ():
            try:
                found.append(Id(str(row[ROW_KEY])))
            except (KeyError, TypeError, ValueError):
                continue  # a row that is not a product's has no line to show
    return found


def _seed(grid: Grid, line: AuditLine) -> dict[str, str]:
    seed = {grid.product: line.product_id.hex}
    if grid.reference_price and line.reference_minor:
        seed[grid.reference_price] = f"{line.reference_minor // 100}.{line.reference_minor % 100:02}"
    return seed


def _final_answers(form: Form, draft: Draft, now: datetime) -> dict[str, Any]:
    instance = Instance(form, now=now, zone=ZoneInfo(draft.zone), document=draft.answers)
    wrong = [problem for problem in instance.problems() if problem.severity is Severity.ERROR]
    wrong = _not_of_untouched_rows(instance, form, wrong)
    if wrong:
        raise DomainError("report_incomplete", count=len(wrong), path=wrong[0].path)
    return instance.document(final=True)


def _not_of_untouched_rows(instance: Instance, form: Form, wrong: list[Problem]) -> list[Problem]:
    """A line that nobody looked at is not checked, and that is never an error."""
    rows = [row for grid in grids(form) for row in instance.rows(grid.path) if not instance.answered(row)]
    return [problem for problem in wrong if not any(problem.path.startswith(row + "/") for row in rows)]


def _visit(tx: Transaction, draft: Draft, outlet: Outlet, note: str | None, now: datetime) -> Visit:
    return Visit(
        draft.visit_id, outlet.id, tx.actor.user_id, draft.stop_id, draft.started_at, now, draft.zone,
        draft.position_source, draft.lat_e7, draft.lon_e7, draft.accuracy_m,
        _distance(outlet, draft.lat_e7, draft.lon_e7), note,
    )


def _superseded_answers(tx: Transaction, submission_id: Id) -> Mapping[str, Any]:
    report = _reports.submission(tx, submission_id)
    if report is None:
        raise DomainError("report_unknown", id=submission_id.hex)
    if _visits.superseded(tx, submission_id):
        raise DomainError("report_superseded")
    return report.answers


def _attach(tx: Transaction, draft: Draft, form: Form, submission: Submission) -> int:
    """Records for the photos that the answers name; one taken out of an answer is not part of the report."""
    named = flatten(submission.answers)
    kept = [photo for photo in _drafts.photos_of(tx, draft.id) if photo.sha256 in _names(named.get(photo.node))]
    for photo in kept:
        _visits.insert_attachment(tx, new_id(tx.now), submission, photo)
    return len(kept)


def _names(value: Any) -> tuple[str, ...]:
    return tuple(map(str, value)) if isinstance(value, list) else ()


def _plan_tasks(tx: Transaction, form: Form, submission: Submission, earlier: Mapping[str, Any] | None) -> None:
    """Promises and next steps become tasks; those of the version that is corrected exist already."""
    there = planned_tasks(form, earlier) if earlier is not None else []
    for planned in planned_tasks(form, submission.answers):
        if planned in there:
            continue
        details = TaskDetails(planned.kind, planned.title, planned.due, planned.promised_by).checked()
        task_id = new_id(tx.now)
        _tasks.insert_task(
            tx, task_id, submission.outlet_id, details, person_id=tx.actor.user_id, visit_id=submission.visit_id)


def _distance(outlet: Outlet, lat_e7: int | None, lon_e7: int | None) -> int | None:
    """Metres between the outlet and the position."""
    if lat_e7 is None or lon_e7 is None or outlet.lat_e7 is None or outlet.lon_e7 is None:
        return None
    place, position = (outlet.lat_e7 / DEGREE, outlet.lon_e7 / DEGREE), (lat_e7 / DEGREE, lon_e7 / DEGREE)
    return round(distance_m(place, position))
