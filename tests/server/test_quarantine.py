"""What could not be applied is kept apart for a person to decide: the last word of a revoked device, and late edits."""

from __future__ import annotations

import hashlib
import os
from typing import Any

import msgspec
import pytest
import requests
from sqlalchemy import select

from fieldcrm.domain.actor import Role
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import new_id
from fieldcrm.server import accounts, quarantined
from fieldcrm.server.headquarters import Headquarters
from sync.client.failures import CallRefused, NeedsSignIn, Revoked
from sync.protocol import BlobOffer, Deposit, Op, SyncRequest, Tx
from sync.server.database import reading
from sync.server.ports import Caller
from tests.server.conftest import NOW, PASSWORD, Company, Live, found
from tests.server.test_sign_in import refused
from tests.server.wire import AT, BareDevice, bearer


@pytest.fixture
def there(live: Live) -> Company:
    return found(live.hq)


def parts_of(company: Company) -> Any:
    return quarantined.items(company.hq, company.org)


def value(company: Company, collection: str, id: Any, field: str) -> Any:
    table = company.hq.sync.tables.records[collection]
    with reading(company.hq.engine) as connection:
        query = select(table.c[field]).where(table.c.org_id == company.org, table.c.id == id)
        return connection.execute(query).scalar_one_or_none()


def answers(company: Company, ops: list[Op]) -> dict[str, tuple[str, int]]:
    table = company.hq.sync.tables.op_result
    query = select(table.c.op_id, table.c.status, table.c.rev).where(
        table.c.org_id == company.org, table.c.op_id.in_([op.op for op in ops])
    )
    with reading(company.hq.engine) as connection:
        return {op: (status, rev) for op, status, rev in connection.execute(query)}


def shut_out(device: BareDevice) -> None:
    accounts.revoke_device(device.company.hq, device.company.org, device.number, now=NOW)


# -- the last word of a revoked device


def test_a_revoked_device_leaves_its_outbox_and_photos_and_a_person_applies_them(live: Live, there: Company) -> None:
    rita = BareDevice(live.url, there, "rita")
    photo = os.urandom(5000)
    sha256 = hashlib.sha256(photo).hexdigest()
    ops, ids = rita.visit(there.outlets["West shop"], sha256, len(photo))
    shut_out(rita)
    offered = rita.remote.deposit(Deposit(rita.number, [Tx("t", ops)], 0, True, [BlobOffer(sha256, len(photo))]))
    assert (offered.closed, [state.have for state in offered.blobs]) == (False, [False])
    assert rita.remote.deposit_blob(sha256, 0, photo[:2000]).offset == 2000
    assert rita.remote.deposit_blob(sha256, 2000, photo[2000:]).have
    assert rita.remote.deposit(Deposit(rita.number, [], 1)).closed
    assert value(there, "visit", ids["visit"], "zone") is None  # nothing of it is at headquarters yet
    [item] = parts_of(there)
    assert (item.kind, item.device_no, item.user, item.operations) == ("deposit", 1, there.people["rita"], 3)
    lines = quarantined.lines(live.hq, there.org, item.id)
    assert [(line.collection, line.kind) for line in lines] == [
        ("visit", "new"), ("submission", "new"), ("attachment", "new"),
    ]  # fmt: skip
    done = quarantined.apply(live.hq, there.org, item.id, now=NOW)
    assert (done.counts, done.reasons) == ({"applied": 3}, [])
    assert value(there, "submission", ids["submission"], "person_id") == there.people["rita"]
    assert BareDevice(live.url, there, "mona").remote.fetch_blob(sha256) == photo
    assert parts_of(there) == []
    with pytest.raises(DomainError, match="quarantine_decided"):
        quarantined.apply(live.hq, there.org, item.id, now=NOW)


def test_a_deposit_is_made_once_and_an_answer_that_was_lost_can_be_asked_again(live: Live, there: Company) -> None:
    rita = BareDevice(live.url, there, "rita")
    ops, _ = rita.visit(there.outlets["West shop"])
    shut_out(rita)
    said = Deposit(rita.number, [Tx("t", ops)])
    assert rita.remote.deposit(said).closed
    assert rita.remote.deposit(said).closed
    assert len(parts_of(there)) == 1
    for other in (Deposit(rita.number, [Tx("t", ops[:1])]), Deposit(rita.number, [], 1)):
        with pytest.raises(CallRefused, match="deposit_made"):
            rita.remote.deposit(other)


def test_the_key_of_a_device_opens_nothing_but_its_own_deposit(live: Live, there: Company) -> None:
    rita, omar = BareDevice(live.url, there, "rita"), BareDevice(live.url, there, "omar")
    ops, _ = rita.visit(there.outlets["West shop"])
    with pytest.raises(CallRefused, match="device_not_revoked"):
        rita.remote.deposit(Deposit(rita.number, [Tx("t", ops)]))
    shut_out(rita)
    with pytest.raises(CallRefused, match="device_not_yours"):
        rita.remote.deposit(Deposit(omar.number, [Tx("t", ops)]))
    secret = os.urandom(100)
    with pytest.raises(CallRefused, match="blob_unknown"):  # no photo but those that its deposit names
        rita.remote.deposit_blob(hashlib.sha256(secret).hexdigest(), 0, secret)
    tokens = rita.remote._tokens
    assert tokens is not None
    key = {"Authorization": f"Bearer {tokens.device_key}"}
    assert requests.post(f"{live.url}/v1/receipts", json=[], headers=key, timeout=30).status_code == 401
    assert requests.get(f"{live.url}/v1/sync/pull?token=x", headers=key, timeout=30).status_code == 401
    for header in (bearer(omar)["Authorization"], "Deposit x", f"Deposit {tokens.access}", "Deposit", ""):
        answer = requests.post(
            f"{live.url}/v1/deposit", json={"device": 1, "tx": []}, headers={"Authorization": header}, timeout=30
        )
        assert answer.status_code == 401
    with pytest.raises(Revoked):
        rita.remote.receipts([])


def test_the_right_to_a_deposit_outlives_every_token(live: Live, there: Company) -> None:
    from sync.server.auth_tables import token

    rita = BareDevice(live.url, there, "rita")
    shut_out(rita)
    with live.hq.engine.begin() as connection:
        connection.execute(token.delete().where(token.c.org_id == there.org))
    with pytest.raises(NeedsSignIn):
        rita.remote.receipts([])
    assert rita.remote.deposit(Deposit(rita.number, [])).closed
    assert parts_of(there) == []  # it had nothing: nothing waits for anybody


def test_what_was_sent_before_the_device_was_shut_out_is_not_done_twice(live: Live, there: Company) -> None:
    rita = BareDevice(live.url, there, "rita")
    ops, _ = rita.visit(there.outlets["West shop"])
    rita.push(*ops)
    given = answers(there, ops)
    more, _ = rita.visit(there.outlets["West shop"])
    shut_out(rita)
    rita.remote.deposit(Deposit(rita.number, [Tx("a", ops), Tx("b", more)]))
    [item] = parts_of(there)
    quarantined.apply(live.hq, there.org, item.id, now=NOW)
    table = live.hq.sync.tables.records["visit"]
    with reading(live.hq.engine) as connection:
        assert len(connection.execute(select(table.c.id).where(table.c.org_id == there.org)).all()) == 2
    assert answers(there, ops) == given  # a visit has an id: done again it would still be one


def test_what_is_dropped_stays_out(live: Live, there: Company) -> None:
    rita = BareDevice(live.url, there, "rita")
    ops, ids = rita.visit(there.outlets["West shop"])
    shut_out(rita)
    rita.remote.deposit(Deposit(rita.number, [Tx("t", ops)]))
    [item] = parts_of(there)
    quarantined.drop(live.hq, there.org, item.id, now=NOW)
    assert parts_of(there) == []
    assert [i.state for i in quarantined.items(live.hq, there.org, decided=True)] == ["dropped"]
    assert value(there, "visit", ids["visit"], "zone") is None
    with pytest.raises(DomainError, match="quarantine_decided"):
        quarantined.apply(live.hq, there.org, item.id, now=NOW)


def test_another_organisation_sees_and_decides_nothing(live: Live, there: Company) -> None:
    rival = found(live.hq)
    rita = BareDevice(live.url, there, "rita")
    ops, _ = rita.visit(there.outlets["West shop"])
    shut_out(rita)
    rita.remote.deposit(Deposit(rita.number, [Tx("t", ops)]))
    [item] = parts_of(there)
    assert parts_of(rival) == []
    for work in (quarantined.lines, lambda hq, org, id: quarantined.apply(hq, org, id, now=NOW)):
        with pytest.raises(DomainError, match="quarantine_unknown"):
            work(live.hq, rival.org, item.id)


def test_a_deposit_of_nonsense_is_refused_in_order(live: Live, there: Company) -> None:
    rita = BareDevice(live.url, there, "rita")
    shut_out(rita)
    tokens = rita.remote._tokens
    assert tokens is not None
    deep: Any = 1
    for _ in range(60):
        deep = [deep]
    op = {"n": 1, "op": "x", "k": "new", "c": 1, "id": "y", "set": {"a": deep}}
    for body in (
        {"device": 1, "tx": [{"t": "t", "ops": [op]}]},
        {"device": 1, "tx": [], "part": 10**6},
        {"device": 1, "tx": [], "part": -1},
        {"device": 1, "tx": [], "more": True, "blobs": [{"sha256": "../x", "size": 5}]},
        {"device": "1", "tx": []},
        [],
    ):
        answer = requests.post(
            f"{live.url}/v1/deposit", json=body, timeout=30,
            headers={"Authorization": f"Deposit {tokens.device_key}"},
        )  # fmt: skip
        assert 400 <= answer.status_code < 500, answer.text
    odd = Op(1, "o", "upd", 250, "not an id", set={"x": "\x00"})
    assert rita.remote.deposit(Deposit(rita.number, [Tx("t", [odd])], 3)).closed
    [item] = parts_of(there)
    assert quarantined.apply(live.hq, there.org, item.id, now=NOW).reasons == ["unknown_collection"]


def test_no_device_leaves_more_than_there_is_room_for(
    hq: Headquarters, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    identity, tokens = hq.auth.sign_in(company.code, "rita", PASSWORD, device_name="one", now=NOW)
    number = identity.device_no
    accounts.revoke_device(hq, company.org, number, now=NOW)
    known = hq.auth.known_device(tokens.device_key)
    tx = Tx("t", [Op(1, "o", "new", 21, new_id(NOW).hex, 0, {"text": "x" * 500})])
    photos = [BlobOffer(f"{n:064x}", 5) for n in range(3)]
    monkeypatch.setattr("sync.server.quarantine.MAX_DEPOSIT", 3 * len(msgspec.json.encode([tx])) // 2)
    monkeypatch.setattr("sync.server.quarantine.MAX_BLOBS", 2)

    def leave(*said: Any) -> bool:
        return hq.quarantine.deposit(known, Deposit(number, *said), new_id(NOW), now=NOW)

    assert not leave([tx], 0, True, photos[:2])
    for more in (([tx], 1, True), ([], 1, True, photos[2:])):
        with refused("deposit_too_large"):
            leave(*more)
    expected = [hq.quarantine.expects_blob(known, photo.sha256) for photo in photos]
    assert expected == [True, True, False]
    assert leave([], 1)
    assert [item.operations for item in parts_of(company)] == [1]
    assert not hq.quarantine.expects_blob(known, photos[0].sha256)  # all was said


# -- edits that came too late


def call(hq: Headquarters, company: Company, login: str = "rita") -> Caller:
    role = Role.MANAGER if login == "mona" else Role.REP
    number = hq.auth.sign_in(company.code, login, PASSWORD, device_name="x", now=NOW)[0].device_no
    return Caller(company.org, company.people[login], role.value, number)


class Talk:
    """A device that speaks to the engine without HTTP."""

    def __init__(self, hq: Headquarters, company: Company, login: str = "rita") -> None:
        self.hq, self.company, self.caller = hq, company, call(hq, company, login)
        self.cursors: dict[str, int] = {}
        self.next, self.last = 1, None

    def say(self, *ops: Op, keep: bool = True) -> Any:
        tx = [Tx("t", list(ops))] if ops else []
        asked = SyncRequest(1, 1, 1, self.caller.device, self.next, self.last, dict(self.cursors), tx)
        answer = self.hq.sync.sync(self.caller, asked, now=NOW)
        assert answer.control is None
        if ops:
            self.next, self.last = ops[-1].n + 1, ops[-1].op
        if keep and answer.pull is not None:
            self.cursors = dict.fromkeys(answer.pull.buckets, answer.pull.upto)
        return answer

    def edit(self, id: Any, base: int, **values: Any) -> Op:
        outlet = self.hq.sync.catalogue.by_name["outlet"].number
        return Op(self.next, new_id(NOW).hex, "upd", outlet, id.hex, base, values, at=AT)


def move(company: Company, name: str, sector: str) -> None:
    row = {"id": company.outlets[name], "sector_id": company.sectors[sector]}
    company.hq.apply(company.org, [("outlet", row)])


def test_an_edit_made_before_the_store_left_counts_if_the_device_was_not_told(
    hq: Headquarters, company: Company
) -> None:
    rita = Talk(hq, company)
    rita.say()
    base = max(rita.cursors.values())
    move(company, "West shop", "east")
    [result] = rita.say(rita.edit(company.outlets["West shop"], base, phone="+33 1")).results
    assert (result.s, value(company, "outlet", company.outlets["West shop"], "phone")) == ("merged", "+33 1")


def test_who_was_told_that_a_store_left_cannot_claim_an_older_base(hq: Headquarters, company: Company) -> None:
    outlet = company.outlets["West shop"]
    rita = Talk(hq, company)
    rita.say()
    base, cursors = max(rita.cursors.values()), dict(rita.cursors)
    move(company, "West shop", "east")
    rita.say()
    rita.cursors = cursors  # a client that lies about what it has seen
    [result] = rita.say(rita.edit(outlet, base, phone="+33 666")).results
    assert (result.s, result.code, result.row) == ("rejected", "out_of_scope", None)
    assert value(company, "outlet", outlet, "phone") is None
    [item] = quarantined.items(hq, company.org)  # kept for the manager, in case it was honest after all
    assert (item.kind, item.user, item.operations) == ("refused", company.people["rita"], 1)
    done = quarantined.apply(hq, company.org, item.id, by=company.people["mona"], now=NOW)
    assert (done.counts, value(company, "outlet", outlet, "phone")) == ({"merged": 1}, "+33 666")
    omar = Talk(hq, company, "omar")
    [page] = [page for page in omar.say().pull.pages if page.bucket == f"sector:{company.sectors['east'].hex}"]
    number = str(hq.sync.catalogue.by_name["outlet"].number)
    assert outlet.hex in [row[0] for row in page.put[number]]


def test_the_end_of_a_right_to_a_sector_is_such_a_word_too(hq: Headquarters, company: Company) -> None:
    rita = Talk(hq, company)
    rita.say()
    base = max(rita.cursors.values())
    member = hq.sync.tables.records["sector_member"]
    with reading(hq.engine) as connection:
        mine = (member.c.org_id == company.org, member.c.person_id == company.people["rita"])
        [id_] = connection.scalars(select(member.c.id).where(*mine)).all()
    hq.apply(company.org, [("sector_member", {"id": id_, "valid_to": NOW.date().replace(year=2025)})])
    [early] = rita.say(rita.edit(company.outlets["West shop"], base, phone="+33 1"), keep=False).results
    assert early.s == "applied"  # its hello had not been answered yet
    [late] = rita.say(rita.edit(company.outlets["West shop"], base, phone="+33 2")).results
    assert (late.s, late.code) == ("rejected", "out_of_scope")
    assert value(company, "outlet", company.outlets["West shop"], "phone") == "+33 1"


def test_a_refusal_that_comes_again_is_kept_once_and_no_device_fills_the_room(
    hq: Headquarters, company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sync.server.set_aside.MAX_REFUSED", 3)
    rita = Talk(hq, company)
    rita.say()
    first = rita.edit(company.outlets["East shop"], 2**62, phone="1")
    before = rita.next, rita.last
    rita.say(first)
    rita.next, rita.last = before
    rita.say(first)
    assert len(quarantined.items(hq, company.org)) == 1
    for n in range(5):
        rita.say(rita.edit(company.outlets["East shop"], 2**62, phone=str(n)))
    assert len(quarantined.items(hq, company.org)) == 3


def test_an_erased_person_is_gone_from_what_waits(hq: Headquarters, company: Company) -> None:
    contact = company.add("contact", outlet_id=company.outlets["East shop"], name="Jean Secret")
    rita = Talk(hq, company)
    rita.say()
    number = hq.sync.catalogue.by_name["contact"].number
    late = Op(rita.next, new_id(NOW).hex, "upd", number, contact.hex, 2**62, {"name": "Jean Plus-Secret"}, at=AT)
    rita.say(late)
    [item] = quarantined.items(hq, company.org)
    assert quarantined.lines(hq, company.org, item.id)[0].values == {"name": "Jean Plus-Secret"}
    table = hq.sync.tables.quarantine
    with reading(hq.engine) as connection:
        body = connection.execute(select(table.c.body).where(table.c.org_id == company.org)).scalar_one()
    import zstandard

    assert b"Secret" not in zstandard.ZstdDecompressor().decompress(bytes(body))
    with hq.engine.begin() as connection:
        hq.sync.people.erase(connection, company.org, [contact])
    [line] = quarantined.lines(hq, company.org, item.id)
    assert "Secret" not in repr(line.values)
    assert msgspec.json.encode(quarantined.apply(hq, company.org, item.id, now=NOW).counts)


def test_a_device_that_is_not_known_has_no_deposit(hq: Headquarters) -> None:
    for key in ("", "x", "0" * 32, f"{'0' * 32}.abc", "\ud800"):
        with refused("token_unknown"):
            hq.auth.known_device(key)
