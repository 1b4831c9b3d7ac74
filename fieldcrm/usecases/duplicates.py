"""Duplicates of a whole base: found in the background, kept as pairs, shown in groups, by the organisation's rules."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from fieldcrm.domain.actor import Actor, Role
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.insights.duplicate_standing import FLOOR, standings
from fieldcrm.insights.duplicates import (
    EVIDENCE,
    Prepared,
    Reason,
    Rules,
    admitted,
    compare,
    judge,
    metres_between,
    model,
    plain,
    prepare,
    reasons,
)
from fieldcrm.insights.outlet_words import phones_of
from fieldcrm.store import duplicates as _store
from fieldcrm.store import rules as _rules
from fieldcrm.store.database import Database, Reader, Transaction
from fieldcrm.store.duplicates import FoundPair, KeptPair
from fieldcrm.usecases.lookalikes import RareWords, raw_of

__all__ = ["EVIDENCE", "Found", "Group", "Pair", "Reason", "Rules", "State", "groups", "read_rules", "search", "state"]

RULE = "duplicates"
REACH_M = 300  # how far apart two outlets are compared whatever the rules: these only narrow it
ONE_BY_ONE = 1_500  # changed outlets that are compared one by one; more are quicker as a whole
COMPARED_AT_ONCE = 20_000
SLICE = 400  # pairs written in one transaction

Watch = Callable[[str, float], None]  # stage ("reading", "pairing", "comparing", "keeping") and its share; may raise


class Stopped(Exception):
    """The person has stopped the search; what was known before stays."""


@dataclass(frozen=True, slots=True)
class Found:
    outlets: int
    compared: int
    kept: int


# ---- rules -------------------------------------------------------------------------------------------------------


def read_rules(r: Reader) -> Rules:
    """What the organisation has settled, or the defaults."""
    return Rules.from_value(_rules.value(r, RULE))


def set_rules(tx: Transaction, rules: Rules) -> None:
    """Settle them for everybody. Raises ``DomainError``: ``not_yours`` for who is no manager."""
    check_manager(tx.actor)
    _rules.settle(tx, RULE, rules.as_value())
    tx.label = tx.label or "duplicates.rules"
    tx.touch("duplicate_pair")


def written_phones(text: str) -> frozenset[str]:
    """The telephones of a line, in E.164; a national number is read as a French one."""
    found = phones_of(text, "FR")
    return frozenset(number for number in found if number.startswith("+"))


def check_manager(actor: Actor) -> None:
    if actor.role is Role.REP:
        raise DomainError("duplicates_not_yours")


# ---- searching ---------------------------------------------------------------------------------------------------


def search(db: Database, actor: Actor, *, now: datetime, watch: Watch) -> Found:
    """Compare the whole base with itself and keep the pairs; in a worker thread, some minutes at half a million.

    The base is read from one snapshot; the pairs are written in slices at the end, between which anybody may write.
    Whatever ``watch`` raises ends it and leaves everything as it was.
    """
    before = db.write(_store.begin_search, actor=actor, now=now).result().value
    try:
        with db.read() as reader:
            found, outlets, compared = _all_pairs(reader, watch)
    except BaseException:
        db.write(lambda tx: _store.give_up_search(tx, before), actor=actor, now=now).result()
        raise
    db.write(lambda tx: _store.end_search(tx, now), actor=actor, now=now).result()
    for at in range(0, len(found), SLICE):
        some = found[at : at + SLICE]
        db.write(lambda tx, some=some: _store.keep_pairs(tx, some), actor=actor, now=now).result()  # type: ignore[misc]
        with suppress(Stopped):  # all is compared: what is left takes a second
            watch("keeping", (at + len(some)) / len(found))
    db.write(_store.forget_unfound, actor=actor, now=now).result()
    return Found(outlets, compared, len(found))


def refresh(db: Database, actor: Actor, *, now: datetime) -> int:
    """Compare again what has changed since; how many outlets. More than ``ONE_BY_ONE`` wait for a whole search."""
    with db.read() as reader:
        if _store.checked(reader).at is None:
            return 0
        waiting = _store.waiting(reader, ONE_BY_ONE + 1)
    if not waiting or len(waiting) > ONE_BY_ONE:
        return 0
    _compare_again(db, actor, waiting, now)
    return len(waiting)


def _compare_again(db: Database, actor: Actor, rids: Sequence[int], now: datetime) -> None:
    for at in range(0, len(rids), 50):
        some = rids[at : at + 50]
        with db.read() as reader:
            found = [pair for rid in some for pair in _pairs_of(reader, rid)]

        def write(tx: Transaction, some: Sequence[int] = some, found: Sequence[FoundPair] = found) -> None:
            _store.forget_pairs(tx, some)
            _store.keep_pairs(tx, found)
            _store.rechecked(tx, some)

        db.write(write, actor=actor, now=now).result()


def _pairs_of(r: Reader, rid: int) -> list[FoundPair]:
    """Every pair of one outlet: what the live warning would compare, and whatever is near."""
    rows = _store.raw_rows(r, [rid])
    if not rows:
        return []
    mine = prepare(raw_of(rows[0][1:]))
    near: list[int] = []
    if rows[0][-1] is not None and rows[0][-2] is not None:
        near += _store.near(r, (rows[0][-2], rows[0][-1]), REACH_M)
    for number in mine.phones:
        near += _store.same_phone(r, number)
    if mine.siret:
        near += _store.same_company(r, mine.siret[:9])
    near += _store.same_words(r, mine.core.split(), [*mine.postcode.split(), *mine.city.split()])
    mine.common = _store.name_count(r, mine.core.split(), 6)
    rare = RareWords(r)
    mine.rare = rare.of(mine)
    theirs = [(row[0], prepare(raw_of(row[1:]))) for row in _store.raw_rows(r, set(near) - {rid})]
    for _, them in theirs:
        them.rare = rare.of(them)
    compared = (_compared(rid, mine, other, them) for other, them in theirs)
    return [pair for pair in compared if pair is not None]


def _compared(rid: int, one: Prepared, other_rid: int, other: Prepared) -> FoundPair | None:
    levels = compare(one, other)
    if model().log_odds(levels) < FLOOR:  # rules may later weigh otherwise what is above
        return None
    phones = tuple(sorted(set(one.phones) & set(other.phones)))
    first, second = sorted((rid, other_rid))
    metres = metres_between(one, other)
    return FoundPair(first, second, levels, None if metres is None else round(metres, 1), phones)


def _all_pairs(r: Reader, watch: Watch) -> tuple[list[FoundPair], int, int]:
    from fieldcrm.insights.duplicate_blocks import Columns, once  # numpy: when it is asked for

    columns, rids = Columns(), []
    total = max(1, _store.outlet_count(r))
    for rows in _store.stream(r):
        for row in rows:
            columns.add(prepare(raw_of(row[1:])))
            rids.append(row[0])
        watch("reading", min(1.0, len(rids) / total))
    nearby = list(columns.nearby(REACH_M, lambda share: watch("pairing", share)))
    pairs = once([columns.keyed(), *nearby])
    common, rare = columns.commonness(), columns.rarity()
    del columns, nearby
    found: list[FoundPair] = []
    for at in range(0, len(pairs), COMPARED_AT_ONCE):
        some = pairs[at : at + COMPARED_AT_ONCE].tolist()
        places = {place for pair in some for place in pair}
        ready = _ready(r, {rids[place]: int(common[place]) for place in places}, rare)
        for left, right in some:
            one, other = ready.get(rids[left]), ready.get(rids[right])
            pair = None if one is None or other is None else _compared(rids[left], one, rids[right], other)
            if pair is not None:
                found.append(pair)
        watch("comparing", min(1.0, (at + COMPARED_AT_ONCE) / len(pairs)))
    return found, len(rids), len(pairs)


def _ready(r: Reader, common: dict[int, int], rare: Callable[[str], frozenset[str]]) -> dict[int, Prepared]:
    ready = {}
    for row in _store.raw_rows(r, sorted(common)):
        ready[row[0]] = one = prepare(raw_of(row[1:]))
        one.common, one.rare = common[row[0]], rare(one.core)
    return ready


# ---- reading -----------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Pair:
    """Two outlets and how likely they are one; ``later_at``: when somebody put it off here."""

    one: int
    other: int
    one_id: Id
    other_id: Id
    score: float
    metres: float | None
    reasons: tuple[Reason, ...]
    later_at: datetime | None

    @property
    def key(self) -> tuple[int, int]:
        return self.one, self.other


@dataclass(frozen=True, slots=True)
class Group:
    """Outlets tied by pairs, the best pair first; two outlets most often."""

    outlets: tuple[Id, ...]
    pairs: tuple[Pair, ...]

    @property
    def best(self) -> Pair:
        return self.pairs[0]


@dataclass(frozen=True, slots=True)
class State:
    """``checked_at`` none: the base was never compared; ``waiting``: outlets changed since, up to a few thousand."""

    checked_at: datetime | None
    waiting: int
    outlets: int


def state(r: Reader) -> State:
    return State(_store.checked(r).at, len(_store.waiting(r, ONE_BY_ONE + 1)), _store.outlet_count(r))


def pairs(r: Reader, rules: Rules) -> list[Pair]:
    """What stands above ``rules.look``, the likeliest first; put-off ones last.

    Each is weighed with how it stands among all others, as they are now: a decision on one tells on its rivals.
    """
    found = [(kept, _counting(kept, rules)) for kept in _store.pairs(r)]
    odds = [admitted(levels, kept.metres, rules) for kept, levels in found]
    standing = standings([(kept.one, kept.other) for kept, _ in found], odds)
    judged = []
    for (kept, levels), stands in zip(found, standing, strict=True):
        score = judge(levels, kept.metres, rules, stands)
        if score >= rules.look:
            judged.append((score, kept, reasons(levels, kept.metres, rules, stands)))
    judged.sort(key=lambda one: (one[1].later_at is not None, -one[0], one[1].one, one[1].other))
    return [
        Pair(k.one, k.other, k.one_id, k.other_id, score, k.metres, why, k.later_at) for score, k, why in judged
    ]


def _counting(kept: KeptPair, rules: Rules) -> dict[str, str]:
    """The levels of a pair without a telephone that does not count."""
    levels = dict(kept.levels)
    if rules.ignored_phones and plain(levels.get("phone", "")) == "same" and set(kept.phones) <= rules.ignored_phones:
        levels.pop("phone")
    return levels


def grouped(found: Iterable[Pair]) -> list[Group]:
    """Pairs that share an outlet stand together; groups in the order of their best pair."""
    root: dict[Id, Id] = {}

    def find(one: Id) -> Id:
        root.setdefault(one, one)
        while root[one] != one:
            root[one] = root[root[one]]
            one = root[one]
        return one

    ordered = list(found)
    for pair in ordered:
        root[find(pair.one_id)] = find(pair.other_id)
    members: dict[Id, list[Pair]] = {}
    for pair in ordered:
        members.setdefault(find(pair.one_id), []).append(pair)
    return [
        Group(tuple(dict.fromkeys(id_ for pair in some for id_ in (pair.one_id, pair.other_id))), tuple(some))
        for some in members.values()
    ]


def groups(r: Reader, rules: Rules | None = None) -> list[Group]:
    return grouped(pairs(r, rules or read_rules(r)))


def counted(r: Reader, rules: Rules) -> tuple[int, int]:
    """How many pairs there would be under ``rules``, and how many of them certain."""
    found = pairs(r, rules)
    return len(found), sum(pair.score >= rules.certain for pair in found)


def later(tx: Transaction, pair: Pair, *, put_off: bool = True) -> None:
    """Put a pair off, on this device: it goes to the end of the list."""
    _store.put_off(tx, pair.one, pair.other, tx.now if put_off else None)


def without(found: Sequence[Pair], gone: Iterable[Any]) -> list[Pair]:
    """The pairs that touch none of these outlets."""
    ids = frozenset(gone)
    return [replace(pair) for pair in found if not {pair.one_id, pair.other_id} & ids]
