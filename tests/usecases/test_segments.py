"""Saved segments and the filters they keep: whole through JSON, forgiving of anything else, exact about rings."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldcrm.domain.errors import DomainError
from fieldcrm.store import search
from fieldcrm.store.database import Database
from fieldcrm.usecases import segments
from fieldcrm.usecases.outlets import Filters, Near

MIDNIGHT = datetime(2026, 11, 20, tzinfo=UTC)
WHOLE = Filters(
    MIDNIGHT, overdue=True, unmapped=True, segments=frozenset({"a", ""}), store_types=frozenset({"petrol"}),
    sectors=frozenset({UUID(int=5)}), states=frozenset(), banners=frozenset({"E.Leclerc"}),
    near=Near(488_600_000, 23_400_000, 900), distributors=frozenset({"Metro"}), open_tasks=True, unconfirmed_days=90,
    never_confirmed=True, unvisited_days=30, custom=frozenset({("fridge", True), ("shelf", "left"), ("n", 2.5)}),
    polygon=((1, 2), (3, 4), (5, 6)), ids=frozenset({UUID(int=7)}),
)  # fmt: skip


def write(db: Database, actor: Any, work: Any) -> Any:
    return db.write(work, actor=actor, now=MIDNIGHT).result().value


def test_filters_come_back_from_json_as_they_were() -> None:
    kept = json.loads(json.dumps(WHOLE.to_dict()))
    assert Filters.from_dict(kept, MIDNIGHT) == WHOLE
    assert Filters(MIDNIGHT).to_dict() == {}
    for name, value in kept.items():
        assert Filters.from_dict({name: value}, MIDNIGHT).to_dict() == {name: value}


def test_near_me_is_about_where_the_person_is_now() -> None:
    kept = Filters(MIDNIGHT, near=Near(1, 2, 900, me=True)).to_dict()
    assert Filters.from_dict(kept, MIDNIGHT, Near(30, 40)).near == Near(30, 40, 900)
    assert Filters.from_dict(kept, MIDNIGHT).near == Near(1, 2, 900)


_JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=12,
)


@settings(max_examples=150, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(_JSON | st.dictionaries(st.sampled_from(sorted(WHOLE.to_dict())), _JSON, max_size=8))
def test_garbage_is_left_out_and_what_is_left_can_be_asked(db: Database, world: Any, kept: Any) -> None:
    filters = Filters.from_dict(kept, MIDNIGHT)
    assert Filters.from_dict(json.loads(json.dumps(filters.to_dict())), MIDNIGHT) == filters
    with db.read() as r:
        assert len(search.ids(r, "", filters)) <= 5


# ---- rings ---------------------------------------------------------------------------------------------------------

HALLES, MARCHE = (488_610_000, 23_460_000), (488_650_000, 23_500_000)  # two of the small territory


def inside(r: Any, ring: list[tuple[int, int]]) -> list[str]:
    rids = search.ids(r, "", Filters(MIDNIGHT, polygon=tuple(ring)))
    by_rid = dict(r.conn.exec_driver_sql("SELECT rid, name FROM outlet").all())
    return sorted(by_rid[rid] for rid in rids)


def test_a_ring_holds_what_is_inside_and_on_its_edge(db: Database, world: Any) -> None:
    lat, lon = HALLES
    around = [(lat - 900, lon - 900), (lat + 900, lon - 900), (lat + 900, lon + 900), (lat - 900, lon + 900)]
    with db.read() as r:
        assert inside(r, around) == ["Épicerie des Halles"]
        assert inside(r, around[::-1]) == ["Épicerie des Halles"]  # either way round
        assert inside(r, [*around, around[0]]) == ["Épicerie des Halles"]  # closed already
        assert inside(r, [HALLES, (lat + 900, lon), (lat, lon + 900)]) == ["Épicerie des Halles"]  # a corner
        assert inside(r, [(lat - 900, lon), (lat + 900, lon), (lat, lon + 900)]) == ["Épicerie des Halles"]  # an edge
        assert inside(r, [HALLES, HALLES, HALLES]) == ["Épicerie des Halles"]  # no area at all
        assert inside(r, [HALLES, MARCHE, HALLES]) == ["Superette du Marché", "Épicerie des Halles"]  # a line
        assert inside(r, [(0, 0), (0, 1), (1, 0)]) == []


def test_a_hollow_holds_nothing_and_a_crossed_ring_both_its_loops(db: Database, world: Any) -> None:
    (lat, lon), far = HALLES, 90_000
    horseshoe = [
        (lat - far, lon - far), (lat + far, lon - far), (lat + far, lon - 900), (lat - 900, lon - 900),
        (lat - 900, lon + 900), (lat + far, lon + 900), (lat + far, lon + far), (lat - far, lon + far),
    ]  # fmt: skip
    bow = [(lat - 900, lon - 900), (lat + 900, lon - 900), (MARCHE[0] - 900, MARCHE[1] + 900),
           (MARCHE[0] + 900, MARCHE[1] + 900)]  # fmt: skip
    with db.read() as r:
        assert "Épicerie des Halles" not in inside(r, horseshoe)
        assert inside(r, [bow[0], bow[3], bow[1], bow[2]]) == inside(r, [bow[2], bow[1], bow[3], bow[0]])


# ---- segments ------------------------------------------------------------------------------------------------------


def test_a_segment_follows_what_changes(db: Database, world: Any) -> None:
    made = write(db, world.rep, lambda tx: segments.keep(tx, " À  voir ", "halles", Filters(MIDNIGHT)))
    with db.read() as r:
        (one,) = segments.listed(r)
        assert (one.id, one.name, segments.count(r, one, MIDNIGHT)) == (made, "À voir", 1)
    from fieldcrm.usecases import outlets

    write(db, world.rep, lambda tx: outlets.edit_outlet(tx, world.outlets[1], {"name": "Halles Bis"}))
    with db.read() as r:
        assert segments.count(r, segments.listed(r)[0], MIDNIGHT) == 2


@pytest.mark.parametrize(
    ("name", "filters", "code"),
    [
        ("  ", Filters(MIDNIGHT), "segment_name_missing"),
        ("x" * 61, Filters(MIDNIGHT), "text_too_long"),
        ("À VOIR", Filters(MIDNIGHT), "segment_name_taken"),
        ("Those", Filters(MIDNIGHT, ids=frozenset({UUID(int=7)})), "segment_of_outlets"),
    ],
)
def test_a_segment_that_cannot_be_is_refused(db: Database, world: Any, name: str, filters: Filters, code: str) -> None:
    write(db, world.rep, lambda tx: segments.keep(tx, "à voir", "", Filters(MIDNIGHT)))
    with pytest.raises(DomainError) as refused:
        write(db, world.rep, lambda tx: segments.keep(tx, name, "", filters))
    assert refused.value.code == code


def test_only_its_maker_changes_a_segment_and_a_deleted_one_comes_back(db: Database, world: Any) -> None:
    made = write(db, world.rep, lambda tx: segments.keep(tx, "Mine", "pont", WHOLE_BUT_IDS, shared=True))
    for work in (
        lambda tx: segments.rename(tx, made, "Theirs"),
        lambda tx: segments.replace(tx, made, "", Filters(MIDNIGHT)),
        lambda tx: segments.share(tx, made, False),
        lambda tx: segments.delete(tx, made),
    ):
        with pytest.raises(DomainError) as refused:
            write(db, world.manager, work)
        assert refused.value.code == "segment_not_yours"
    gone = write(db, world.rep, lambda tx: segments.delete(tx, made))
    with pytest.raises(DomainError) as unknown:
        write(db, world.rep, lambda tx: segments.rename(tx, made, "Gone"))
    assert unknown.value.code == "segment_unknown"
    write(db, world.rep, lambda tx: segments.restore(tx, gone))
    with db.read() as r:
        (back,) = segments.listed(r)
        assert (back.name, back.query, back.shared) == ("Mine", "pont", True)
        assert segments.filters_of(back, MIDNIGHT) == WHOLE_BUT_IDS


WHOLE_BUT_IDS = Filters.from_dict({k: v for k, v in WHOLE.to_dict().items() if k != "ids"}, MIDNIGHT)
