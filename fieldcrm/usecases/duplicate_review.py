"""Everything that the page of duplicates shows, read at one moment."""

from __future__ import annotations

from dataclasses import dataclass

from fieldcrm.domain.ids import Id
from fieldcrm.store.database import Reader
from fieldcrm.usecases import duplicates, merging
from fieldcrm.usecases.duplicates import Group, Pair, Rules, State
from fieldcrm.usecases.merging import MergeLine, Side


@dataclass(frozen=True)
class Overview:
    state: State
    rules: Rules
    groups: list[Group]
    merges: list[MergeLine]
    names: dict[Id, tuple[str, str]]  # of the outlets in the pairs: name and town


@dataclass(frozen=True)
class BothSides:
    sides: tuple[Side, Side]
    people: dict[Id, str]


def overview(r: Reader) -> Overview:
    rules = duplicates.read_rules(r)
    groups = duplicates.groups(r, rules)
    wanted = [id_ for group in groups for id_ in group.outlets]
    return Overview(duplicates.state(r), rules, groups, merging.merges(r), merging.names(r, wanted))


def both_sides(r: Reader, pair: Pair) -> BothSides:
    """Raises ``outlet_unknown``."""
    return BothSides((merging.side(r, pair.one_id), merging.side(r, pair.other_id)), merging.people(r))
