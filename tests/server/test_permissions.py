from __future__ import annotations

from collections.abc import Mapping
from typing import Any
from uuid import UUID

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.server.permissions import authorize, place
from sync.server.ports import Caller, Proposal, Refused

ORG, ME, OTHER = UUID(int=1), UUID(int=2), UUID(int=3)
OUTLET, ELSEWHERE, VISIT, REPORT, PLAN = (UUID(int=n) for n in range(10, 15))
REP = Caller(ORG, ME, "rep", 1)
MANAGER = Caller(ORG, ME, "manager", 1)

RECORDS: dict[tuple[str, UUID], dict[str, Any]] = {
    ("visit", VISIT): {"outlet_id": OUTLET.hex, "person_id": ME.hex},
    ("submission", REPORT): {"visit_id": VISIT.hex, "outlet_id": OUTLET.hex, "person_id": OTHER.hex},
    ("plan", PLAN): {"person_id": OTHER.hex},
}

VISITED = {"outlet_id": OUTLET.hex, "person_id": ME.hex, "started_at": 10, "ended_at": 20, "position_source": "none"}
REPORTED = {"visit_id": VISIT.hex, "outlet_id": OUTLET.hex, "person_id": ME.hex, "answers": {}}
PHOTO = {
    "submission_id": REPORT.hex, "visit_id": VISIT.hex, "outlet_id": OUTLET.hex, "sha256": "a" * 64, "size": 5,
    "mime": "image/jpeg",
}  # fmt: skip
REVIEW = {
    "submission_id": REPORT.hex, "visit_id": VISIT.hex, "outlet_id": OUTLET.hex, "person_id": ME.hex,
    "decision": "approved",
}  # fmt: skip


def propose(
    kind: str,
    collection: str,
    values: Mapping[str, Any],
    before: Mapping[str, Any] | None = None,
    *,
    mine: bool = False,
) -> Proposal:
    def get(name: str, id_: UUID) -> Mapping[str, Any] | None:
        found = RECORDS.get((name, id_))
        return {**found, "person_id": ME.hex} if found and mine else found

    after = None if kind == "del" else {**(before or {}), **values}
    return Proposal(kind, CATALOGUE.by_name[collection], UUID(int=99), values, before, after, get)


def code(caller: Caller, proposal: Proposal) -> str | None:
    try:
        authorize(caller, proposal)
    except Refused as refusal:
        return refusal.code
    return None


@pytest.mark.parametrize(
    ("collection", "values", "expected"),
    [
        ("visit", VISITED, None),
        ("visit", VISITED | {"person_id": OTHER.hex}, "not_your_name"),
        ("visit", VISITED | {"ended_at": 9}, "ends_before_start"),
        ("visit", VISITED | {"ended_at": None}, None),
        ("visit", VISITED | {"position_source": "receiver", "lat_e7": 1}, "half_a_position"),
        ("visit", VISITED | {"lat_e7": 1, "lon_e7": 1}, "position_without_source"),
        ("visit", VISITED | {"position_source": "photo", "lat_e7": 1, "lon_e7": 1}, None),
        ("submission", REPORTED, None),
        ("submission", REPORTED | {"visit_id": OTHER.hex}, "no_record"),
        ("submission", REPORTED | {"outlet_id": ELSEWHERE.hex}, "does_not_match"),
        ("submission", REPORTED | {"answers": [1]}, "wrong_kind"),
        ("submission", REPORTED | {"supersedes_id": OTHER.hex}, "no_record"),
        ("note", {"person_id": ME.hex}, None),
        ("note", {"person_id": OTHER.hex}, "not_your_name"),
        ("plan", {"person_id": ME.hex}, None),
        ("plan", {"person_id": OTHER.hex}, "not_your_name"),
        ("plan_stop", {"plan_id": PLAN.hex}, "not_your_name"),
        ("plan_stop", {"plan_id": OTHER.hex}, "no_record"),
        ("conflict", {}, "not_allowed"),
        ("outlet_alias", {"outlet_id": OUTLET.hex, "alias_id": OUTLET.hex}, "same_outlet"),
        ("outlet_alias", {"outlet_id": OUTLET.hex, "alias_id": ELSEWHERE.hex}, None),
        ("attachment", PHOTO, "not_your_name"),  # to another person's report
    ],
)
def test_what_a_rep_may_add(collection: str, values: dict[str, Any], expected: str | None) -> None:
    assert code(REP, propose("new", collection, values)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"sha256": "A" * 64}, "wrong_kind"),
        ({"sha256": "../x"}, "wrong_kind"),
        ({"size": 10**9}, "too_large"),
        ({"mime": "text/html"}, "not_a_choice"),
        ({"outlet_id": ELSEWHERE.hex}, "does_not_match"),
        ({"submission_id": OTHER.hex}, "no_record"),
    ],
)
def test_a_photo_belongs_to_ones_own_report(change: dict[str, Any], expected: str | None) -> None:
    assert code(REP, propose("new", "attachment", PHOTO | change, mine=True)) == expected


@pytest.mark.parametrize(
    ("change", "expected"),
    [
        ({}, None),
        ({"decision": "returned"}, "reason_required"),
        ({"decision": "returned", "reason": "  "}, "reason_required"),
        ({"decision": "returned", "reason": "photo_missing"}, None),
        ({"decision": "returned", "reason": "x" * 65}, "too_long"),
        ({"decision": "reopened"}, None),
        ({"person_id": OTHER.hex}, "not_your_name"),
        ({"submission_id": OTHER.hex}, "no_record"),
        ({"visit_id": OTHER.hex}, "does_not_match"),
    ],
)
def test_how_a_manager_reviews(change: dict[str, Any], expected: str | None) -> None:
    assert code(MANAGER, propose("new", "review", REVIEW | change)) == expected


def test_nobody_reviews_their_own_report() -> None:
    assert code(MANAGER, propose("new", "review", REVIEW, mine=True)) == "own_report"


@pytest.mark.parametrize(
    ("collection", "field"),
    [
        ("outlet", "sector_id"),
        ("contact", "outlet_id"),
        ("task", "outlet_id"),
        ("plan", "sector_id"),
        ("conflict", "lost"),
    ],
)
def test_what_a_record_is_about_stays(collection: str, field: str) -> None:
    before = {field: OUTLET.hex, "person_id": ME.hex, "state": "open"}
    for caller in (REP, MANAGER):
        assert code(caller, propose("upd", collection, {field: ELSEWHERE.hex}, before)) == "field_fixed"
        assert code(caller, propose("upd", collection, {field: OUTLET.hex}, before)) is None


def test_a_conflict_can_be_closed() -> None:
    assert code(REP, propose("upd", "conflict", {"state": "closed"}, {"state": "open"})) is None


@pytest.mark.parametrize(
    ("collection", "expected"),
    [("outlet", "delete_not_allowed"), ("outlet_alias", "delete_not_allowed"), ("conflict", "delete_not_allowed")]
    + [(name, None) for name in ("contact", "task", "plan", "plan_stop")],
)
def test_what_may_be_deleted(collection: str, expected: str | None) -> None:
    assert code(REP, propose("del", collection, {}, {})) == expected


def test_a_manager_plans_for_the_team() -> None:
    assert code(MANAGER, propose("new", "plan", {"person_id": OTHER.hex})) is None
    assert code(MANAGER, propose("new", "plan_stop", {"plan_id": PLAN.hex})) is None


def test_a_clash_without_an_outlet_is_its_losers_alone() -> None:
    assert place("conflict", {"person_id": ME.hex}) == {f"user:{ME.hex}"}
    assert place("conflict", {"person_id": None}) == frozenset()
    assert place("outlet", {"sector_id": OTHER.hex}) == {f"sector:{OTHER.hex}"}
    assert place("product", {}) == {"org"}


@given(
    collection=st.sampled_from(["visit", "submission", "note", "review"]),
    person=st.uuids().filter(lambda id_: id_ != ME),
    role=st.sampled_from(["rep", "manager", "admin"]),
)
def test_no_role_whatsoever_writes_a_fact_in_another_name(collection: str, person: UUID, role: str) -> None:
    base = {"visit": VISITED, "submission": REPORTED, "note": {}, "review": REVIEW}[collection]
    caller = Caller(ORG, ME, role, 1)
    assert code(caller, propose("new", collection, base | {"person_id": person.hex})) == "not_your_name"
