"""Thousands of histories of the protocol's model, and proof that they would notice a rule that is missing."""

from __future__ import annotations

import os
from collections.abc import Callable

import pytest

from tests.sync.model.__main__ import trial
from tests.sync.model.rules import COVERED, MUTATIONS, RULES, Rules
from tests.sync.model.world import World

SEEDS = int(os.environ.get("FIELDCRM_MODEL_SEEDS", "2000"))
PART = 500
MUTANT_SEEDS = 4000
ALL = frozenset[str]()

# Histories that once broke an invariant, each for the reason given. They run whatever FIELDCRM_MODEL_SEEDS says.
REGRESSIONS = {
    30: "a bucket cut in its first page, then taken away, was never named again and stayed",
    2035: "an edit of a record deleted since, in a sector that was taken away since, was refused",
    3371: "a page asked for before a snapshot was taken did not say what had left since the snapshot",
}


@pytest.mark.timeout(600)
@pytest.mark.parametrize("first", range(0, SEEDS, PART))
def test_every_history_of_the_model_ends_in_agreement(
    first: int, record_property: Callable[[str, object], None]
) -> None:
    seeds = range(first, min(first + PART, SEEDS))
    for seed in seeds:
        _, what, _ = trial((seed, ALL))
        assert not what, f"seed {seed}: {what}"
    record_property("histories", ["of the model", len(seeds)])


@pytest.mark.parametrize("seed", REGRESSIONS)
def test_a_history_that_once_failed_passes(seed: int) -> None:
    World(seed).run()


def test_the_same_seed_is_the_same_history() -> None:
    first, second = World(42), World(42)
    first.run(), second.run()
    assert first.made.keys() == second.made.keys()
    assert first.server.db.rows == second.server.db.rows
    assert first.server.db.answers == second.server.db.answers


def test_every_rule_is_in_a_mutation() -> None:
    assert frozenset().union(*MUTATIONS.values()) == set(RULES)
    assert set(COVERED) <= set(RULES)


@pytest.mark.parametrize("rule", ["dedupe", "scope", "cursor", "overlay", "transactions", "children", "schema", "drop"])
def test_a_rule_that_every_day_needs_is_missed_at_once(rule: str) -> None:
    assert any(trial((seed, frozenset({rule})))[1] for seed in range(60))


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("name", MUTATIONS)
def test_a_rule_switched_off_is_noticed(name: str) -> None:
    assert any(trial((seed, MUTATIONS[name]))[1] for seed in range(MUTANT_SEEDS)), f"{MUTANT_SEEDS} histories passed"


@pytest.mark.slow
@pytest.mark.timeout(600)
@pytest.mark.parametrize("rule", sorted({*COVERED, "verify"}))
def test_a_rule_that_another_covers_is_not_needed_alone(rule: str) -> None:
    """Else the pair would prove nothing of the second one."""
    for seed in range(1000):
        World(seed, Rules(frozenset({rule})), rot=rule != "verify").run()
