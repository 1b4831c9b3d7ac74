"""The commands of an import: what an honest device sends is done, and nothing that another could send does any harm."""

from __future__ import annotations

import itertools
from typing import Any
from uuid import UUID

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from sqlalchemy import select

from fieldcrm.domain.ids import new_id
from fieldcrm.domain.imported import FIELDS, MAX_ROWS, fault, untouched
from sync.protocol import Op, OpResult, SyncRequest, Tx
from sync.server.database import reading
from tests.server.conftest import NOW, Company
from tests.server.test_sign_in import enter

BATCH = 24


class Sender:
    """A manager's device, as far as it sends operations."""

    def __init__(self, company: Company, login: str = "mona") -> None:
        self.company = company
        self.identity, _ = enter(company, login)
        self.numbers = itertools.count(1)
        self.last: str | None = None

    def send(
        self, kind: str, id_: UUID, values: dict[str, Any], cmd: str | None = None, *, c: int = BATCH
    ) -> OpResult:
        number = next(self.numbers)
        op = Op(number, new_id(NOW).hex, kind, c, id_.hex, 0, values, cmd=cmd)
        request = SyncRequest(1, 3, 1, self.identity.device_no, number, self.last, {}, [Tx("", [op])], 0)
        [result] = self.company.hq.sync.sync(self.identity.caller, request, now=NOW).results
        self.last = op.op
        return result

    def begin(self, sector: str = "west", **more: Any) -> UUID:
        batch = new_id(NOW)
        given_ = {"sector_id": self.company.sectors[sector].hex, "zone": "Europe/Paris", "country": "FR",
                  "state": "prospect"}  # fmt: skip
        values = {"source": "distri", "begun_at": 1_790_000_000_000, "state": "live", "given": given_, **more}
        assert self.send("new", batch, values).s == "applied"
        return batch

    def bring(self, batch: UUID, *rows: list[Any], fields: Any = ("name",), **more: Any) -> OpResult:
        return self.send("cmd", batch, {"fields": list(fields), "rows": list(rows), **more}, "outlet.import")


def row(name: str = "Chez Max", *more: Any) -> list[Any]:
    return [new_id(NOW).hex, "R1", name, *more]


def living(company: Company, table: str) -> dict[UUID, Any]:
    records = company.hq.sync.tables.records[table]
    with reading(company.hq.engine) as connection:
        query = select(records).where(records.c.org_id == company.org, records.c.deleted_rev.is_(None))
        return {found["id"]: dict(found) for found in connection.execute(query).mappings()}


def test_a_piece_becomes_outlets_with_source_and_sector(company: Company) -> None:
    mona = Sender(company)
    batch, line = mona.begin(), row()
    assert mona.bring(batch, line).s == "applied"
    outlet = living(company, "outlet")[UUID(hex=line[0])]
    assert (outlet["name"], outlet["country"], outlet["state"]) == ("Chez Max", "FR", "prospect")
    [source] = living(company, "outlet_source").values()
    assert (source["reference"], source["values"], source["batch"]) == ("R1", {"name": "Chez Max"}, batch.hex)
    assert outlet["id"] in {one["outlet_id"] for one in living(company, "sector_assignment").values()}
    assert mona.send("cmd", batch, {"ids": [line[0]]}, "outlet.unimport").s == "applied"
    assert UUID(hex=line[0]) not in living(company, "outlet")
    assert not living(company, "outlet_source")


@pytest.mark.parametrize(
    ("arguments", "code"),
    [
        ({"rows": "no"}, "wrong_kind"),
        ({"fields": ["name", "name"], "rows": [["a" * 32, "", "x", "y"]]}, "unknown_field"),
        ({"fields": ["confirmed_at"], "rows": []}, "unknown_field"),
        ({"fields": ["provenance"], "rows": []}, "unknown_field"),
        ({"fields": ["name"], "rows": [["b" * 32, "", "x"]], "more": 1}, "unknown_field"),
        ({"fields": ["name"], "rows": [["B" * 32, "", "x"]]}, "wrong_id"),
        ({"fields": ["name"], "rows": [["c" * 32, "\n", "x"]]}, "wrong_kind"),
        ({"fields": ["name"], "rows": [["c" * 32, "", "x" * 201]]}, "text_too_long"),
        ({"fields": ["name"], "rows": [["c" * 32, "", "x\x00"]]}, "value_malformed"),
        ({"fields": ["name"], "rows": [["c" * 32, "", None]]}, "outlet_name_missing"),
        ({"fields": ["name", "lat_e7"], "rows": [["c" * 32, "", "x", 1]]}, "position_incomplete"),
        ({"fields": ["name", "zone"], "rows": [["c" * 32, "", "x", "Mars/Phobos"]]}, "zone_unknown"),
        ({"fields": ["name"], "rows": [["c" * 32, "", "x"]] * 2}, "exists"),
        ({"fields": ["name"], "rows": [[f"{n:032x}", "", "x"] for n in range(MAX_ROWS + 1)]}, "too_many_rows"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_refused_whole(company: Company, arguments: dict[str, Any], code: str) -> None:
    mona = Sender(company)
    batch = mona.begin()
    before = living(company, "outlet")
    result = mona.send("cmd", batch, arguments, "outlet.import")
    assert (result.s, result.code) == ("rejected", code)
    assert living(company, "outlet") == before


def test_nothing_is_written_over_and_no_sector_is_reached_that_is_not_the_managers(
    company: Company, rival: Company
) -> None:
    mona, rita = Sender(company), Sender(company, "rita")
    batch = mona.begin()
    taken = company.outlets["East shop"]
    assert mona.bring(batch, [taken.hex, "", "Mine now"]).code == "exists"
    assert living(company, "outlet")[taken]["name"] == "East shop"
    foreign = rival.sectors["west"].hex
    assert mona.bring(batch, row("x", foreign), fields=("name", "sector_id")).code == "not_your_sector"
    assert rita.bring(batch, row()).code == "not_allowed"
    assert mona.bring(new_id(NOW), row()).s == "dependent"
    line = row()
    assert mona.bring(batch, line).s == "applied"
    assert mona.bring(batch, line).code == "exists"
    # What another import made, or a person, is not taken out by naming it.
    other = mona.begin()
    assert mona.send("cmd", other, {"ids": [line[0], taken.hex]}, "outlet.unimport").s == "applied"
    assert {UUID(hex=line[0]), taken} <= set(living(company, "outlet"))
    assert mona.send("upd", batch, {"state": "undone"}).s == "applied"
    assert mona.bring(batch, row()).code == "import_undone"
    assert mona.send("upd", batch, {"given": {}}).code == "field_fixed"


def test_words_about_people_are_not_brought_and_an_outlet_somebody_wrote_some_at_is_not_untouched() -> None:
    assert fault({"name": "Chez Max", "note": "Demander Mme Roux"}) == ("unknown_field", "note")
    values = {"name": "Chez Max", "sector_id": "0" * 32, "zone": "Europe/Paris", "country": "FR", "state": "prospect"}
    assert untouched(values, values, {})
    assert not untouched(values | {"note": "Demander Mme Roux"}, values, {})


_LEAVES = st.one_of(
    st.none(), st.booleans(), st.integers(-(2**63), 2**63 - 1), st.text(max_size=12), st.sampled_from(["a" * 32, "FR"])
)
_VALUES = st.recursive(
    _LEAVES, lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=6), inner, max_size=4)
)
_NAMES = st.sampled_from([*FIELDS, "provenance", "rev", ""])
_ROWS = st.lists(st.lists(_VALUES, max_size=5), max_size=4)
_ARGUMENTS = st.one_of(
    st.fixed_dictionaries({"fields": st.lists(_NAMES, max_size=3), "rows": _ROWS}, optional={"seen": _VALUES}),
    st.dictionaries(st.sampled_from(["fields", "rows", "seen", "ids", "x"]), _VALUES, max_size=4),
    st.fixed_dictionaries({"ids": st.lists(_VALUES, max_size=4)}),
)


@settings(
    max_examples=15, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow]
)
@given(arguments=_ARGUMENTS, name=st.sampled_from(["outlet.import", "outlet.unimport"]))
def test_no_arguments_do_harm(company: Company, arguments: dict[str, Any], name: str) -> None:
    sender = _senders.setdefault(company.org, Sender(company))
    batch = sender.begin()
    known = set(company.outlets.values())
    before = {id_: found for id_, found in living(company, "outlet").items() if id_ in known}
    result = sender.send("cmd", batch, arguments, name)
    assert result.s in ("applied", "rejected", "dependent")
    after = living(company, "outlet")
    assert {id_: found for id_, found in after.items() if id_ in known} == before
    for id_ in set(after) - known:
        assert after[id_]["sector_id"] in company.sectors.values()


_senders: dict[UUID, Sender] = {}


@given(values=st.dictionaries(_NAMES, _VALUES, max_size=5))
def test_whatever_the_values_are_the_check_gives_an_answer(values: dict[str, Any]) -> None:
    found = fault(values)
    assert found is None or (isinstance(found[0], str) and isinstance(found[1], str))
    if found is None:
        assert isinstance(values["name"], str)
