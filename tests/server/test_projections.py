from __future__ import annotations

from datetime import datetime, timedelta
from typing import Any
from uuid import UUID

import pytest
from sqlalchemy import select

from fieldcrm import resources
from fieldcrm.domain.ids import new_id
from fieldcrm.forms import load_form, project
from fieldcrm.forms.grid import grids
from fieldcrm.server.projections import observation
from sync.server.database import reading
from tests.server.conftest import NOW, Company

XFORM = resources.text("forms/shelf_audit.xml")


@pytest.fixture
def product(company: Company) -> UUID:
    return company.add("product", name="Cola 33 cl", ean="2000000000015", own=True, active=True)


@pytest.fixture
def published(company: Company) -> UUID:
    return publish(company)


def publish(company: Company) -> UUID:
    return company.add("form", name="shelf_audit", version="1", xform=XFORM, active=True)


def answers(product: UUID) -> dict[str, Any]:
    """One line of the built-in audit: four facings at 1.95."""
    [grid] = grids(load_form(XFORM.encode()))
    row = {grid.product: product.hex, grid.state: "present", grid.facings: 4, grid.price: "1.95"}
    found: Any = [row]
    for name in reversed(grid.path.split("/")[1:]):
        found = {name: found}
    return dict(found)


def report(
    company: Company, content: dict[str, Any], supersedes: UUID | None = None, sent: datetime = NOW
) -> UUID:
    outlet, person = company.outlets["West shop"], company.people["rita"]
    visit = company.add(
        "visit", outlet_id=outlet, person_id=person, started_at=NOW, zone="Europe/Paris", position_source="none"
    )
    return company.add(
        "submission",
        visit_id=visit,
        outlet_id=outlet,
        person_id=person,
        form="shelf_audit",
        form_version="1",
        answers=content,
        started_at=NOW,
        submitted_at=sent,
        supersedes_id=supersedes,
    )


def decide(company: Company, submission: UUID, decision: str, minute: int) -> None:
    company.add(
        "review",
        submission_id=submission,
        visit_id=new_id(NOW),
        outlet_id=company.outlets["West shop"],
        decision=decision,
        reason="photo_missing",
        person_id=company.people["mona"],
        decided_at=NOW.replace(minute=minute),
    )


def lines(company: Company, submission: UUID) -> list[tuple[Any, ...]]:
    table = observation
    columns = (table.c.product_id, table.c.state, table.c.facings, table.c.price_minor, table.c.basis, table.c.current)
    query = select(*columns).where(table.c.org_id == company.org, table.c.submission_id == submission)
    with reading(company.hq.engine) as connection:
        return [tuple(row) for row in connection.execute(query.order_by(table.c.line))]


def test_the_server_projects_what_a_device_projects(company: Company, product: UUID, published: UUID) -> None:
    content = answers(product)
    [expected] = project(load_form(XFORM.encode()), content)
    [line] = lines(company, report(company, content))
    assert line == (
        expected.product_id,
        expected.state.value,
        expected.facings,
        expected.price_minor,
        expected.basis.value,
        True,
    )
    assert (expected.facings, expected.price_minor) == (4, 195)


def test_a_returned_or_superseded_report_is_not_current(company: Company, product: UUID, published: UUID) -> None:
    first = report(company, answers(product))
    decide(company, first, "returned", 1)
    assert [line[-1] for line in lines(company, first)] == [False]
    decide(company, first, "reopened", 2)
    assert [line[-1] for line in lines(company, first)] == [True]
    second = report(company, answers(product), supersedes=first)
    assert [line[-1] for line in lines(company, first)] == [False]
    assert [line[-1] for line in lines(company, second)] == [True]


def test_a_correction_keeps_the_moment_of_its_visit(company: Company, product: UUID, published: UUID) -> None:
    first = report(company, answers(product))
    second = report(company, answers(product), supersedes=first, sent=NOW + timedelta(days=9))
    with company.hq.engine.begin() as connection:
        company.hq.projections.rebuild(connection, company.org)
    mine = (observation.c.org_id == company.org, observation.c.submission_id == second)
    query = select(observation.c.observed_at).where(*mine)
    with reading(company.hq.engine) as connection:
        assert connection.execute(query).scalar_one() == NOW


def test_a_late_review_of_an_earlier_moment_does_not_undo_a_newer_one(
    company: Company, product: UUID, published: UUID
) -> None:
    first = report(company, answers(product))
    decide(company, first, "approved", 5)
    decide(company, first, "returned", 3)
    assert [line[-1] for line in lines(company, first)] == [True]


def test_a_report_that_came_before_its_form_is_projected_when_the_form_comes(company: Company, product: UUID) -> None:
    first = report(company, answers(product))
    assert lines(company, first) == []
    publish(company)
    assert len(lines(company, first)) == 1


@pytest.mark.parametrize("content", [{}, {"nonsense": [1, 2]}, {"shelf": "text"}, {"shelf": {"line": [5, None, "x"]}}])
def test_answers_that_make_no_sense_are_kept_and_project_nothing(
    company: Company, published: UUID, content: dict[str, Any]
) -> None:
    assert lines(company, report(company, content)) == []


def test_a_form_that_cannot_be_read_stops_nothing(company: Company, product: UUID) -> None:
    company.add("form", name="shelf_audit", version="1", xform="<html/>", active=True)
    assert lines(company, report(company, answers(product))) == []


def test_making_everything_again_gives_the_same(company: Company, product: UUID, published: UUID) -> None:
    first = report(company, answers(product))
    decide(company, first, "returned", 1)
    second = report(company, answers(product), supersedes=first)
    before = lines(company, first) + lines(company, second)
    with company.hq.engine.begin() as connection:
        assert company.hq.projections.rebuild(connection, company.org) == 2
    assert lines(company, first) + lines(company, second) == before
