"""The history that a device may read: of what its person sees, whole, in pages, and silent about the erased."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any
from uuid import UUID

import pytest
import requests
from hypothesis import given, settings
from hypothesis import strategies as st

from fieldcrm.domain.ids import new_id
from sync.protocol import PastPage
from sync.server.past import PAGE, _mark
from sync.server.ports import Refused
from tests.server.conftest import NOW, Company
from tests.server.here import serving
from tests.server.wire import AT, BareDevice, bearer


@pytest.fixture
def url(hq: Any) -> Iterator[str]:
    with serving(hq) as address:
        yield address


def history(device: BareDevice, id: UUID, collection: str = "outlet", before: str = "") -> PastPage:
    return device.remote.history(collection, id.hex, before)


def test_a_person_reads_what_another_changed_from_which_device_and_what_it_was(url: str, company: Company) -> None:
    shop = company.outlets["West shop"]
    rita, mona = BareDevice(url, company, "rita"), BareDevice(url, company, "mona")
    rita.push(rita.op("upd", "outlet", shop, phone="01 40 26 00 17"))
    contact = new_id(NOW)
    rita.push(rita.new("contact", contact, outlet_id=shop, name="Mme Lefort"))
    rita.push(rita.op("upd", "contact", contact, phone="+33 9"))
    mona.push(mona.op("upd", "outlet", shop, phone="01 99"))
    page = history(mona, shop)
    assert [(one.k, one.user, one.set) for one in page.entries] == [
        ("upd", mona.person, {"phone": "01 99"}),
        ("upd", rita.person, {"phone": "+33 9"}),
        ("new", rita.person, {}),
        ("upd", rita.person, {"phone": "01 40 26 00 17"}),
        ("new", None, {}),
    ]
    newest = page.entries[0]
    assert newest.was == {"phone": "01 40 26 00 17"} and newest.label == "bare" and newest.made == AT
    assert newest.device == mona.number and page.more == "" and page.epoch == 1
    assert [one.id for one in history(rita, contact, "contact").entries] == [contact.hex] * 2


def test_an_erased_person_is_in_no_answer_and_the_change_stays(url: str, company: Company) -> None:
    shop, contact = company.outlets["West shop"], new_id(NOW)
    rita = BareDevice(url, company, "rita")
    rita.push(rita.new("contact", contact, outlet_id=shop, name="Mme Lefort", phone="+33 1"))
    rita.push(rita.op("upd", "contact", contact, phone="+33 777"))
    assert history(rita, shop).entries[0].set == {"phone": "+33 777"}
    company.hq.erasures.erase_person(company.org, contact, now=NOW)
    page = history(rita, shop)
    of_contact = [one for one in page.entries if one.id == contact.hex]
    assert [one.k for one in of_contact] == ["del", "upd", "new"]
    assert of_contact[1].erased == ["phone"] and of_contact[1].set == of_contact[1].was == {}
    raw = requests.get(f"{url}/v1/records/outlet/{shop.hex}/history", headers=bearer(rita), timeout=10).text
    assert "777" not in raw and "Lefort" not in raw


def test_what_is_not_the_callers_what_is_gone_and_what_never_was_get_one_answer(
    url: str, company: Company, rival: Company
) -> None:
    rita = BareDevice(url, company, "rita")
    gone = new_id(NOW)
    rita.push(rita.new("task", gone, outlet_id=company.outlets["West shop"], kind="task", title="x", state="open"))
    rita.push(rita.op("del", "task", gone))
    asked = [
        ("outlet", company.outlets["East shop"].hex),  # of another sector
        ("outlet", rival.outlets["West shop"].hex),  # of another organisation
        ("task", gone.hex),  # deleted
        ("outlet", new_id(NOW).hex),  # never was
        ("contact", company.outlets["West shop"].hex),  # another collection's
        ("person", company.people["rita"].hex),  # about a colleague: not told
        ("change_log", company.outlets["West shop"].hex),
        ("outlet", company.outlets["West shop"].hex.upper()),
        ("outlet", "x' OR 1=1"),
    ]
    answers = set()
    for collection, id_ in asked:
        answer = requests.get(f"{url}/v1/records/{collection}/{id_}/history", headers=bearer(rita), timeout=10)
        answers.add((answer.status_code, answer.text))
    assert answers == {(404, '{"code":"not_found","params":{}}')}
    assert len(history(rita, company.outlets["West shop"]).entries) == 3  # with the task that was taken away


def test_a_history_that_moved_to_another_sector_is_read_there_alone(url: str, company: Company) -> None:
    shop = company.outlets["West shop"]
    rita, omar = BareDevice(url, company, "rita"), BareDevice(url, company, "omar")
    company.hq.apply(company.org, [("outlet", {"id": shop, "sector_id": company.sectors["east"]})])
    assert history(omar, shop).entries
    refused = requests.get(f"{url}/v1/records/outlet/{shop.hex}/history", headers=bearer(rita), timeout=10)
    assert refused.status_code == 404


def test_a_long_history_comes_in_pages_without_a_gap_or_a_double(url: str, company: Company) -> None:
    shop = company.outlets["West shop"]
    for number in range(PAGE + 30):
        company.hq.apply(company.org, [("outlet", {"id": shop, "name": f"Shop {number}"})])
    rita = BareDevice(url, company, "rita")
    first = history(rita, shop)
    assert len(first.entries) == PAGE and first.more
    rest = history(rita, shop, before=first.more)
    names = [one.set.get("name") for one in (*first.entries, *rest.entries)]
    assert names == [f"Shop {number}" for number in reversed(range(PAGE + 30))] + [None]
    assert rest.more == ""


def test_large_changes_make_short_pages(url: str, company: Company) -> None:
    shop = company.outlets["West shop"]
    for number in range(5):
        company.hq.apply(company.org, [("outlet", {"id": shop, "custom": {"k": str(number) * 450_000}})])
    page = history(BareDevice(url, company, "rita"), shop)
    assert 0 < len(page.entries) < 5 and page.more


def test_a_mark_that_is_none_is_refused(url: str, company: Company) -> None:
    rita = BareDevice(url, company, "rita")
    shop = company.outlets["West shop"].hex
    answer = requests.get(f"{url}/v1/records/outlet/{shop}/history?before=yesterday", headers=bearer(rita), timeout=10)
    assert (answer.status_code, answer.json()["code"]) == (422, "wrong_token")
    assert requests.get(f"{url}/v1/records/outlet/{shop}/history", timeout=10).status_code == 401


@settings(max_examples=200)
@given(st.text(max_size=40))
def test_any_mark_is_read_or_refused(text: str) -> None:
    try:
        found = _mark(text)
    except Refused:
        return
    assert found is None or all(0 <= part < 10**18 for part in found)
