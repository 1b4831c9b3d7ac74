"""Which expression depends on which question, so that an answer re-evaluates only what it can change."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from graphlib import CycleError, TopologicalSorter

from fieldcrm.domain.errors import DomainError
from fieldcrm.forms.expressions import Expression


@dataclass(frozen=True, slots=True)
class Target:
    path: str
    kind: str  # "calculate", "relevant", "required", "readonly", "constraint", "warn", "count"


@dataclass(frozen=True, slots=True)
class Graph:
    """``dependents[path]`` is what must be looked at again when an answer at ``path`` changes.

    ``rank`` orders calculations and relevance so that what is used comes before what uses it.
    """

    dependents: Mapping[str, frozenset[Target]] = field(default_factory=dict)
    always: frozenset[Target] = frozenset()  # expressions whose reach is not known from their text
    rank: Mapping[str, int] = field(default_factory=dict)

    def of(self, path: str) -> frozenset[Target]:
        return self.dependents.get(path, frozenset()) | self.always


_DRIVING = ("calculate", "relevant")


def build_graph(
    expressions: Iterable[tuple[str, str, Expression]], descendants: Mapping[str, tuple[str, ...]]
) -> Graph:
    """``expressions`` are (path, kind, expression); ``descendants`` maps a group to the questions in it.

    DomainError ``form_cycle`` when calculations or relevance go round in a circle.
    """
    dependents: dict[str, set[Target]] = {}
    always: set[Target] = set()
    before: dict[str, set[str]] = {}
    for path, kind, expression in expressions:
        target = Target(path, kind)
        if expression.reads_anything:
            always.add(target)
        # An aggregate over a repeat or a group hears of every answer in it.
        reads = {leaf for read in expression.reads for leaf in (read, *descendants.get(read, ()))}
        for read in reads:
            if read == path and kind == "calculate":
                continue  # once(.) reads itself by design
            dependents.setdefault(read, set()).add(target)
        if kind in _DRIVING:
            for touched in (path, *descendants.get(path, ())):
                before.setdefault(touched, set()).update(read for read in expression.reads if read != touched)
    return Graph({path: frozenset(found) for path, found in dependents.items()}, frozenset(always), _ranks(before))


def _ranks(before: Mapping[str, set[str]]) -> dict[str, int]:
    try:
        return {path: place for place, path in enumerate(TopologicalSorter(before).static_order())}
    except CycleError as error:
        raise DomainError("form_cycle", nodes=" → ".join(error.args[1])) from error
