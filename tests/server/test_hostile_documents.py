"""A document that is another thing at its top is refused at headquarters, and reaches nobody."""

from __future__ import annotations

from typing import Any

import pytest

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import new_id
from tests.server.conftest import NOW, Company
from tests.server.test_import_commands import Sender


@pytest.mark.parametrize(
    ("collection", "values", "field"),
    [
        ("saved_segment", {"name": "S", "filters": [1]}, "filters"),
        ("custom_field", {"key": "k", "kind": "choice", "label": {"fr": "K"}, "choices": 5}, "choices"),
        ("custom_field", {"key": "k", "kind": "choice", "label": "K"}, "label"),
        ("rule", {"key": "quality", "value": "x"}, "value"),
        ("import_batch", {"source": "s", "begun_at": 1, "state": "live", "given": [2]}, "given"),
        ("proposal", {"kind": "moved", "after": [[1, 2]]}, "after"),
    ],
)
def test_a_document_that_is_none_is_refused(
    company: Company, collection: str, values: dict[str, Any], field: str
) -> None:
    mona = Sender(company)
    values = {**values, **({"person_id": company.people["mona"].hex} if collection == "saved_segment" else {})}
    if collection == "proposal":
        values |= {"sector_id": company.sectors["west"].hex, "source": "s", "seen_at": 1, "state": "open"}
    result = mona.send("new", new_id(NOW), values, c=CATALOGUE.by_name[collection].number)
    assert (result.s, result.code, result.params["field"]) == ("rejected", "wrong_kind", field)
    assert mona.send("new", new_id(NOW), {**values, field: [] if field == "choices" else {}},
                     c=CATALOGUE.by_name[collection].number).s == "applied"
