"""Pairs of a whole base, each weighed beside its rivals."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from typing import Any

from sqlalchemy import insert

from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from fieldcrm.usecases import duplicates, merging
from tests.world import ZONE, World, an_id

THREE = (("first", "Brasserie Zeppelin", 0), ("copy", "BRASSERIE ZEPELIN", 900), ("near", "Zeppelin", 5_000))


def write(db: Database, world: World, now: datetime, work: Callable[[Transaction], Any]) -> Any:
    return db.write(work, actor=world.manager, now=now).result().value


def pairs(db: Database) -> dict[frozenset[Any], duplicates.Pair]:
    with db.read() as reader:
        found = duplicates.pairs(reader, duplicates.Rules.from_value({"look": 0.01}))
    return {frozenset((pair.one_id, pair.other_id)): pair for pair in found}


def test_a_decision_on_a_pair_tells_on_its_rivals_at_once(db: Database, world: World, now: datetime) -> None:
    def enter(tx: Transaction) -> None:
        for key, name, north in THREE:
            tx.conn.execute(insert(T.outlet).values(
                id=an_id(key), name=name, store_type="food_service", state="active", zone=ZONE, sector_id=world.sector,
                lat_e7=437_000_000 + north, lon_e7=72_000_000))

    write(db, world, now, enter)
    duplicates.search(db, world.manager, now=now, watch=lambda stage, share: None)
    first, copy, near = (an_id(key) for key, _, _ in THREE)
    before = pairs(db)
    best, rival = before[frozenset((first, copy))], before[frozenset((first, near))]
    assert best.score > rival.score
    assert any(reason.code.startswith("standing.") and reason.strength < 0 for reason in rival.reasons)
    write(db, world, now, lambda tx: merging.tell_apart(tx, first, copy))
    after = pairs(db)
    assert frozenset((first, copy)) not in after
    assert after[frozenset((first, near))].score > rival.score
