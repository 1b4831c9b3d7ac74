"""What a person may write of an outlet: any text is either taken, made clean, or refused with a code at its field."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.domain.contact import Contact, whom_to_see
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.domain.outlet import EDITABLE, checked, overdue_days, parse_position
from fieldcrm.domain.task import Task, by_urgency
from tests.conftest import NOW

TEXTS = sorted(EDITABLE - {"lat_e7", "lon_e7"})


@given(st.sampled_from(TEXTS), st.text(max_size=300))
def test_any_text_is_taken_or_refused_at_its_field(name: str, text: str) -> None:
    try:
        result = checked({name: text}, country="FR")
    except DomainError as error:
        assert error.field == name
        return
    value = result[name]
    if isinstance(value, str):
        assert "\x00" not in value
        value.encode("utf-8")
        assert checked({name: value}, country="FR")[name] == value


@given(st.text(max_size=60))
def test_any_text_is_a_position_or_refused(text: str) -> None:
    try:
        lat, lon = parse_position(text)
    except DomainError as error:
        assert error.field == "position"
        return
    assert (lat is None) == (lon is None)
    assert lat is None or (abs(lat) <= 900_000_000 and lon is not None and abs(lon) <= 1_800_000_000)


@pytest.mark.parametrize(
    ("country", "postcode", "right"),
    [
        ("FR", "75001", True),
        ("FR", "7500", False),
        ("MT", "vlt 1117", True),
        ("FI", "00100", True),
        (None, "SW1A 1AA", True),
        ("XX", "!", False),
        ("BE", "0999", False),
    ],
)
def test_a_postcode_has_the_form_of_its_country(country: str | None, postcode: str, right: bool) -> None:
    if right:
        assert checked({"postcode": postcode}, country=country)["postcode"] == postcode.upper()
    else:
        with pytest.raises(DomainError, match="postcode_malformed"):
            checked({"postcode": postcode}, country=country)


@pytest.mark.parametrize(
    ("last", "interval", "days"),
    [
        (date(2026, 10, 23), 28, 0),
        (date(2026, 10, 22), 28, 1),
        (date(2026, 11, 20), 28, -28),
        (None, 28, 28),
        (date(2020, 1, 1), None, None),
    ],
)
def test_an_outlet_is_overdue_past_its_rhythm(last: date | None, interval: int | None, days: int | None) -> None:
    assert overdue_days(last, interval, date(2026, 11, 20)) == days


def test_the_preferred_contact_is_seen_first_then_the_one_met_last() -> None:
    def contact(name: str, **more: Any) -> Contact:
        return Contact(new_id(NOW), new_id(NOW), name, **more)

    met, known, preferred = contact("B", last_contact_at=NOW), contact("A"), contact("Z", preferred=True)
    assert whom_to_see((known, met, preferred)) == preferred
    assert whom_to_see((known, met)) == met
    assert whom_to_see(()) is None


def test_corrections_come_before_promises_and_closed_ones_last() -> None:
    def task(kind: str, due: date | None, state: str = "open") -> Task:
        return Task(new_id(NOW), new_id(NOW), kind, kind, state, due)

    late, dated, free = task("correction", date(2026, 12, 24)), task("promise", date(2026, 12, 1)), task("task", None)
    kept = task("promise", date(2026, 1, 1), "kept")
    assert by_urgency((kept, free, dated, late)) == (late, dated, free, kept)
