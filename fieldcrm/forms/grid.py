"""A repeat shown as a grid: which questions are columns at first, which on demand, and what each one means.

A form says so by attributes of our namespace on its binds: ``rows="assortment"`` on the repeat (one row for each listed
product), ``column="first"`` or ``"demand"`` and ``observe="state"`` (…) on its questions.
"""

from __future__ import annotations

from dataclasses import dataclass

from fieldcrm.forms.model import Control, Form, Question, Repeat


@dataclass(frozen=True, slots=True)
class Grid:
    """``path`` is the repeat's, below the root. Names are those of questions in a row; "" where there is none."""

    path: str
    first: tuple[Question, ...]
    on_demand: tuple[Question, ...]
    product: str = ""
    state: str = ""
    facings: str = ""
    price: str = ""
    basis: str = ""
    reference_price: str = ""

    @property
    def columns(self) -> tuple[Question, ...]:
        return self.first + self.on_demand

    @property
    def observed(self) -> tuple[str, ...]:
        """The questions that one key answers "as last time"."""
        return tuple(name for name in (self.state, self.facings, self.price) if name)


def grid_of(form: Form, path: str) -> Grid | None:
    """The grid of the repeat at ``path`` (below the root), or None when its rows are not those of the assortment."""
    item = form.by_path.get(form.root.path + path)
    if not isinstance(item, Repeat) or item.bind.own.get("rows") != "assortment":
        return None
    questions = [child for child in item.children if isinstance(child, Question)]
    roles = {q.bind.own["observe"]: q.name for q in questions if "observe" in q.bind.own}
    shown = [q for q in questions if q.control not in (Control.HIDDEN, Control.NOTE)]
    return Grid(
        path,
        tuple(q for q in shown if q.bind.own.get("column", "first") == "first"),
        tuple(q for q in shown if q.bind.own.get("column") == "demand"),
        product=roles.get("product_id", ""), state=roles.get("state", ""), facings=roles.get("facings", ""),
        price=roles.get("price", ""), basis=roles.get("basis", ""), reference_price=roles.get("reference_price", ""),
    )


def grids(form: Form) -> tuple[Grid, ...]:
    """Every grid of a form, in order."""
    found = (grid_of(form, repeat.path.removeprefix(form.root.path)) for repeat in form.repeats())
    return tuple(grid for grid in found if grid is not None)
