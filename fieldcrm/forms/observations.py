"""What figures are counted from: typed lines projected from the answers by the roles that the form declares.

The same code runs on the device and on the server, on a document that may have come from anywhere: what is not a valid
observation is left out, never guessed. A row that was not checked has no state, and so makes no observation.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP
from typing import Any
from uuid import UUID

from fieldcrm.domain.submission import Basis, Shelf, ShelfLine
from fieldcrm.forms.grid import Grid, grids
from fieldcrm.forms.model import Form, Question
from fieldcrm.forms.values import decimal

MAX_FACINGS = 999
MAX_PRICE_MINOR = 10**9

Observation = ShelfLine


@dataclass(frozen=True, slots=True)
class PlannedTask:
    """A promise or a next step that was written into a report."""

    kind: str  # "promise" or "task"
    title: str
    due: date | None = None
    promised_by: str | None = None


def project(form: Form, answers: Mapping[str, Any]) -> list[Observation]:
    """One observation for each row with a product and a state; ``line`` counts the document's rows from 1."""
    found: list[Observation] = []
    line = 0
    for grid in grids(form):
        for row in _rows(answers, grid.path):
            line += 1
            observation = _observation(grid, row, line)
            if observation is not None:
                found.append(observation)
    return found


def planned_tasks(form: Form, answers: Mapping[str, Any]) -> list[PlannedTask]:
    """Tasks of the questions marked ``task="promise:title"``, ``"promise:due"``, ``"promise:by"``, ``"task:title"``…"""
    parts: dict[str, dict[str, str]] = {}
    for question in form.questions():
        kind, _, part = question.bind.own.get("task", "").partition(":")
        text = _at(form, answers, question)
        if kind in ("promise", "task") and text:
            parts.setdefault(kind, {})[part] = text
    return [
        PlannedTask(kind, found["title"], _date(found.get("due", "")), found.get("by"))
        for kind, found in parts.items() if found.get("title", "").strip()
    ]


def visit_note(form: Form, answers: Mapping[str, Any]) -> str | None:
    """The answer to the question marked ``visit="note"``."""
    marked = (q for q in form.questions() if q.bind.own.get("visit") == "note")
    return next((text for q in marked if (text := _at(form, answers, q))), None)


def _observation(grid: Grid, row: Mapping[str, Any], line: int) -> Observation | None:
    try:
        product, state = UUID(str(row.get(grid.product, ""))), Shelf(str(row.get(grid.state, "")))
    except ValueError:
        return None
    present = state is Shelf.PRESENT
    confirmed = row.get(grid.basis) == Basis.CONFIRMED.value
    return ShelfLine(
        product_id=product, line=line, state=state,
        facings=_facings(row.get(grid.facings)) if present else None,
        price_minor=_minor(row.get(grid.price)) if present else None,
        basis=Basis.CONFIRMED if confirmed else Basis.OBSERVED,
    )


def _facings(value: Any) -> int | None:
    good = isinstance(value, int) and not isinstance(value, bool) and 0 <= value <= MAX_FACINGS
    return value if good else None


def _minor(value: Any) -> int | None:
    if isinstance(value, bool) or not isinstance(value, str | int | float):
        return None
    number = decimal(str(value))
    if number is None:
        return None
    minor = int((number * 100).to_integral_value(ROUND_HALF_UP))
    return minor if 0 < minor <= MAX_PRICE_MINOR else None


def _rows(answers: Mapping[str, Any], path: str) -> Iterator[Mapping[str, Any]]:
    value: Any = answers
    for name in path.split("/")[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    if isinstance(value, list):
        yield from (row for row in value if isinstance(row, Mapping))


def _at(form: Form, answers: Mapping[str, Any], question: Question) -> str:
    value: Any = answers
    for name in question.path.removeprefix(form.root.path).split("/")[1:]:
        value = value.get(name) if isinstance(value, Mapping) else None
    return value.strip() if isinstance(value, str) else ""


def _date(text: str) -> date | None:
    try:
        return date.fromisoformat(text)
    except ValueError:
        return None
