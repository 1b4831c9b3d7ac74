"""One report, whole, for reading: its lines beside those of last time, its answers, photos, versions and decisions."""

from __future__ import annotations

from collections.abc import Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any
from uuid import UUID

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.review import Decision
from fieldcrm.domain.submission import Photo, ReportState, Submission, flatten
from fieldcrm.forms import Form
from fieldcrm.forms.grid import grids
from fieldcrm.forms.model import Control, DataType, Question, Text
from fieldcrm.store import reports, reviews
from fieldcrm.store.database import Reader
from fieldcrm.store.reports import ProductLine as ProductLine
from fieldcrm.usecases.review import QueueItem, item_of, read_form, state_of


@dataclass(frozen=True, slots=True)
class Answer:
    """One answer outside the audit grid. ``earlier`` is that of the version this one corrects, when they differ."""

    node: str
    group: str
    label: str
    value: str
    earlier: str | None = None

    @property
    def changed(self) -> bool:
        return self.earlier is not None


@dataclass(frozen=True, slots=True)
class Version:
    submission_id: Id
    submitted_at: datetime
    state: ReportState


@dataclass(frozen=True, slots=True)
class Decided:
    """A decision as it is told: who, when, why, and about which answers."""

    decision: Decision
    person: str
    at: datetime
    reason: str | None
    note: str | None
    nodes: tuple[str, ...]
    submission_id: Id


@dataclass(frozen=True, slots=True)
class Report:
    item: QueueItem
    title: str
    lines: tuple[ProductLine, ...]
    answers: tuple[Answer, ...]
    photos: tuple[Photo, ...]
    versions: tuple[Version, ...]
    decisions: tuple[Decided, ...]  # on every version, the oldest first
    nodes: Mapping[Id, str] = field(default_factory=dict)  # product -> path of its row, to ask about it

    @property
    def corrects(self) -> bool:
        return self.item.report.supersedes_id is not None

    @property
    def changed_lines(self) -> tuple[ProductLine, ...]:
        """Lines that differ from the version this one corrects."""
        return tuple(line for line in self.lines if line_changed(line))


def line_changed(line: ProductLine) -> bool:
    if line.earlier is None:
        return False
    now, then = line.now, line.earlier
    return (now.state, now.facings, now.price_minor) != (then.state, then.facings, then.price_minor)


def open_report(r: Reader, submission_id: Id, *, language: str = "en") -> Report:
    """Everything there is to read about one version of a report. Raises ``DomainError("report_unknown")``."""
    item = item_of(r, submission_id)
    mine = reports.submission(r, submission_id)
    if mine is None:
        raise DomainError("report_unknown")
    earlier = reports.submission(r, mine.supersedes_id) if mine.supersedes_id else None
    chain = reports.versions(r, submission_id)
    form = read_form(reports.form_source(r, mine.form, mine.form_version))
    title = reports.form_titles(r, mine.form, mine.form_version).get(language) or _title(form, mine)
    return Report(
        item, title, reports.lines(r, item.report), _answers(form, mine, earlier, language),
        reports.photos(r, [submission_id]), _versions(r, chain), _decisions(r, chain), _nodes(form, mine),
    )


def _nodes(form: Form | None, submission: Submission) -> dict[Id, str]:
    """The row of each product in the audit grids."""
    nodes: dict[Id, str] = {}
    for grid in grids(form) if form is not None else ():
        tail = f"/{grid.product}"
        for node, value in flatten(submission.answers).items():
            if node.startswith(grid.path + "[") and node.endswith("]" + tail):
                with suppress(ValueError):
                    nodes[UUID(str(value))] = node.removesuffix(tail)
    return nodes


def _versions(r: Reader, chain: tuple[Id, ...]) -> tuple[Version, ...]:
    rows = [row for id in chain if (row := reports.report(r, id)) is not None]
    return tuple(Version(row.submission_id, row.submitted_at, state_of(row)) for row in rows)


def _decisions(r: Reader, chain: tuple[Id, ...]) -> tuple[Decided, ...]:
    found = [review for of_one in reviews.reviews_of(r, chain).values() for review in of_one]
    names = reports.person_names(r, {review.person_id for review in found})
    return tuple(
        Decided(review.decision, names.get(review.person_id, ""), review.decided_at, review.reason, review.note,
                review.nodes, review.submission_id)
        for review in sorted(found, key=lambda review: (review.decided_at, review.id.bytes))
    )


def _title(form: Form | None, submission: Submission) -> str:
    return form.title if form is not None and form.title else _readable(submission.form)


def _answers(
    form: Form | None, mine: Submission, earlier: Submission | None, language: str
) -> tuple[Answer, ...]:
    """Answers outside the grids, in the order of the form; an answer taken out in a correction is shown as such."""
    now = _texts(form, mine.answers, language)
    then = _texts(form, earlier.answers, language) if earlier else None
    answers = []
    for node in [*now, *(node for node in then or {} if node not in now)]:
        value = now.get(node, "")
        before = None if then is None or then.get(node, "") == value else then.get(node, "")
        if value or before:
            group, label = _names(form, node, language)
            answers.append(Answer(node, group, label, value, before))
    return tuple(answers)


def _texts(form: Form | None, document: Mapping[str, Any], language: str) -> dict[str, str]:
    in_grids = [grid.path for grid in grids(form)] if form else []
    texts = {}
    for node, value in flatten(document).items():
        if any(node.startswith(path + "[") for path in in_grids) or node.startswith("/meta/"):
            continue
        question = _question(form, node)
        if question is not None and (question.type is DataType.PHOTO or question.control is Control.HIDDEN):
            continue
        texts[node] = _value(question, value, language)
    return texts


def _question(form: Form | None, node: str) -> Question | None:
    if form is None:
        return None
    item = form.by_path.get(form.root.path + _schema(node))
    return item if isinstance(item, Question) else None


def _schema(node: str) -> str:
    """The path of the question: without the keys of rows."""
    return "/".join(step.partition("[")[0] for step in node.split("/"))


def _value(question: Question | None, value: Any, language: str) -> str:
    if value is None:
        return ""
    if question is not None and question.choices:
        names = value if isinstance(value, list) else str(value).split()
        labels = {choice.name: choice.label(language) for choice in question.choices}
        return ", ".join(labels.get(str(name), str(name)) for name in names)
    if isinstance(value, list):
        return ", ".join(map(str, value))
    return str(value)


def _names(form: Form | None, node: str, language: str) -> tuple[str, str]:
    steps = _schema(node).split("/")[1:]
    if form is None:
        return " / ".join(map(_readable, steps[:-1])), _readable(steps[-1])
    group = form.by_path.get(f"{form.root.path}/{steps[0]}") if len(steps) > 1 else None
    question = _question(form, node)
    return (
        (_words(group.label, language) or _readable(steps[0])) if group is not None else "",
        (_words(question.label, language) if question is not None else "") or _readable(steps[-1]),
    )


def _words(text: Text, language: str) -> str:
    return "".join(part for part in text.in_language(language) if isinstance(part, str)).strip()


def _readable(name: str) -> str:
    return name.replace("_", " ").strip().capitalize()
