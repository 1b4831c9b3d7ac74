"""Seeded storms over the real stores of both sides: a minute of them here, an hour by a command.

``python -m tests.sync.storm --minutes 60`` runs more. Each seed is a whole history on one thread: it fails the same way
every time, and a seed that once failed is kept below and always run.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Any

import pytest
from sqlalchemy import Connection

import sync.client.outbox
import sync.server.hello
import sync.server.push
from tests.sync.storm.runs import Templates, run

SECONDS = 60.0
AT_LEAST = 25  # however slow the computer is
MUTANT_SEEDS = 200

# Seeds that once failed, and what was wrong then.
REGRESSIONS = {
    14: "a photo was forgotten when its report left the device in the same sync that sent it",
    35: "a bucket whose count was damaged on the disk never agreed again",
    66: "a photo that the server lost with its restore was not offered again",
}


@pytest.fixture(scope="module")
def templates(tmp_path_factory: pytest.TempPathFactory) -> Templates:
    return Templates.make(tmp_path_factory.mktemp("storm"))


@pytest.mark.timeout(600)
def test_every_storm_ends_in_agreement(templates: Templates, record_property: Callable[[str, object], None]) -> None:
    ends = time.monotonic() + SECONDS
    seed = 0
    while seed < AT_LEAST or time.monotonic() < ends:
        run(seed, templates)
        seed += 1
    record_property("histories", ["of real stores", seed])


@pytest.mark.parametrize("seed", REGRESSIONS)
def test_a_storm_that_once_broke_something_passes(seed: int, templates: Templates) -> None:
    run(seed, templates)


def test_the_same_seed_is_the_same_storm(templates: Templates) -> None:
    assert run(3, templates).trace == run(3, templates).trace


def without_dedupe(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.server.engine.known_answers", lambda *_: {})


def without_own_rule(patch: pytest.MonkeyPatch) -> None:
    real = sync.server.push.decide_update
    patch.setattr("sync.server.push.decide_update", lambda *args: real(*args[:-1], -1))


def without_eviction(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.client.rows.remove_unheld", lambda *_: [])


def without_children(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.server.batch.Batch._move_children", lambda *_: None)


def without_journal(patch: pytest.MonkeyPatch) -> None:
    def forget(connection: Connection, device: int) -> None:
        connection.exec_driver_sql("DELETE FROM acked_ops")
        real(connection, device)

    real = sync.client.outbox.fork
    patch.setattr("sync.client.outbox.rewind", lambda *_: False)
    patch.setattr("sync.client.outbox.fork", forget)


def without_overlay(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.client.local.overlay", lambda collection, row, changes: row)


def without_another_past(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.server.hello._another_past", lambda *_: False)


def without_recount(patch: pytest.MonkeyPatch) -> None:
    patch.setattr("sync.client.members.differing", lambda *_: [])


def without_queue_beside_operations(patch: pytest.MonkeyPatch) -> None:
    """Photos are queued only when it is their turn."""
    patch.setattr(
        "sync.client.engine._Run._outgoing",
        lambda self, tx: self.engine.local.outgoing(tx, self.max_ops, sync.client.engine.MAX_BYTES),
    )


def with_a_cursor_per_page(patch: pytest.MonkeyPatch) -> None:
    real = sync.client.local.Local.apply

    def apply(self: Any, tx: Any, pull: Any, *, partial: bool = False) -> Any:
        pull.more = False
        return real(self, tx, pull, partial=partial)

    patch.setattr("sync.client.local.Local.apply", apply)


@pytest.mark.slow
@pytest.mark.timeout(900)
@pytest.mark.parametrize(
    "break_it",
    [
        without_dedupe, without_own_rule, without_eviction, without_children, without_journal, without_overlay,
        without_another_past, without_recount, without_queue_beside_operations, with_a_cursor_per_page,
    ],
)  # fmt: skip
def test_a_rule_taken_away_is_noticed(
    break_it: Callable[[pytest.MonkeyPatch], None], templates: Templates, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The storm is worth something only if it fails when a rule of the protocol is missing."""
    break_it(monkeypatch)
    for seed in range(MUTANT_SEEDS):
        try:
            run(seed, templates)
        except AssertionError:
            return
    pytest.fail(f"{MUTANT_SEEDS} storms passed without this rule")


