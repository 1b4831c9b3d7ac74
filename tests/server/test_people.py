"""What an administrator does about people who come, move, forget their password and leave."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest

from fieldcrm.domain.errors import DomainError
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters
from sync.client.failures import CallRefused, NeedsSignIn, Revoked
from sync.client.http import HttpRemote
from sync.protocol import Deposit, Tx
from tests.server.conftest import NOW, PASSWORD, Clock, Company, Live, found
from tests.server.test_sign_in import enter, refused
from tests.server.wire import BareDevice


def user(company: Company, login: str) -> accounts.User:
    [one] = [one for one in accounts.users(company.hq, company.org, today=NOW.date()) if one.login == login]
    return one


def test_who_leaves_is_shut_out_with_every_device_and_loses_nothing(live: Live) -> None:
    company = found(live.hq)
    rita, second = BareDevice(live.url, company, "rita"), BareDevice(live.url, company, "rita")
    omar = BareDevice(live.url, company, "omar")
    ops, ids = rita.visit(company.outlets["West shop"])
    assert accounts.close_user(live.hq, company.org, "rita", now=NOW) == [rita.number, second.number]
    assert rita.sync(ops).control == second.sync().control == "revoked"
    with pytest.raises(Revoked):  # an old access token too: else a device that was away would never be wiped
        second.remote.refresh()
    assert rita.remote.deposit(Deposit(rita.number, [Tx("t", ops)], 0, False, [])).closed
    with pytest.raises(CallRefused, match="credentials_wrong"):
        BareDevice(live.url, company, "rita")
    assert omar.sync().control is None
    assert not user(company, "rita").active and user(company, "omar").active
    assert "Rita" in omar.everything()["person"][company.people["rita"].hex]  # visits refer to her
    assert accounts.close_user(live.hq, company.org, "rita", now=NOW) == []
    assert ids["visit"].hex not in omar.everything().get("visit", {})


def test_who_comes_back_signs_in_on_a_new_device(company: Company) -> None:
    identity, _ = enter(company)
    accounts.close_user(company.hq, company.org, "rita", now=NOW)
    accounts.reopen_user(company.hq, company.org, "rita", now=NOW)
    with refused("device_revoked"):
        enter(company, device=identity.device_no)
    again, tokens = enter(company)
    assert again.device_no != identity.device_no
    assert not company.hq.auth.identify(tokens.access, now=NOW).revoked
    assert user(company, "rita").active


def test_a_new_password_ends_every_session_and_the_old_password(live: Live) -> None:
    company = found(live.hq)
    rita, omar = BareDevice(live.url, company, "rita"), BareDevice(live.url, company, "omar")
    accounts.set_password(live.hq, company.org, "RITA", "another good one", now=NOW)
    with pytest.raises(NeedsSignIn):
        rita.sync()
    with pytest.raises(CallRefused, match="credentials_wrong"):
        BareDevice(live.url, company, "rita")
    remote = HttpRemote(live.url)
    assert remote.sign_in(company.code, "rita", "another good one", "laptop", rita.number).device == rita.number
    assert omar.sync().control is None
    with pytest.raises(DomainError, match="password_short"):
        accounts.set_password(live.hq, company.org, "rita", "short", now=NOW)
    assert remote.sync(rita.request()).control is None  # a refused one changes nothing


def test_a_person_moves_and_the_stores_follow(live: Live) -> None:
    company = found(live.hq)
    rita = BareDevice(live.url, company, "rita")

    def held() -> set[str]:
        return set(rita.everything().get("outlet", {}))

    west, east = company.outlets["West shop"].hex, company.outlets["East shop"].hex
    assert held() == {west}
    _move(company, "east")
    assert held() == {east}
    assert _sectors(company) == ("east",)
    _move(company, "west", "east", "west")
    assert held() == {west, east}
    _move(company)
    assert held() == set() and _sectors(company) == ()


def _move(company: Company, *names: str) -> None:
    sectors = [company.sectors[name] for name in names]
    accounts.set_sectors(company.hq, company.org, "rita", sectors, now=company.hq.clock())


def _sectors(company: Company) -> tuple[str, ...]:
    codes = {sector.code: name for name, id_ in company.sectors.items() for sector in _all(company) if sector.id == id_}
    today = company.hq.clock().date()
    [one] = [one for one in accounts.users(company.hq, company.org, today=today) if one.login == "rita"]
    return tuple(codes[code] for code in one.sectors)


def _all(company: Company) -> list[accounts.Sector]:
    return accounts.sectors(company.hq, company.org)


def test_yesterday_stays_what_it_was(company: Company, clock: Clock) -> None:
    """Figures of a past month still count the sectors of that month."""
    before = clock().date()
    clock.pass_by(days=1)
    _move(company, "east")
    with company.hq.engine.begin() as connection:
        of_day = company.hq.membership.sectors
        person = company.people["rita"]
        assert of_day(connection, company.org, person, before) == {company.sectors["west"]}
        assert of_day(connection, company.org, person, before + timedelta(days=1)) == {company.sectors["east"]}


@pytest.mark.parametrize("act", ["close", "reopen", "password", "sectors"])
def test_a_login_that_nobody_has_is_said(hq: Headquarters, company: Company, act: str) -> None:
    org, acts = company.org, {
        "close": lambda: accounts.close_user(hq, company.org, "nobody", now=NOW),
        "reopen": lambda: accounts.reopen_user(hq, company.org, "nobody", now=NOW),
        "password": lambda: accounts.set_password(hq, company.org, "nobody", PASSWORD, now=NOW),
        "sectors": lambda: accounts.set_sectors(hq, company.org, "nobody", [], now=NOW),
    }  # fmt: skip
    before: Any = accounts.users(hq, org, today=NOW.date())
    with pytest.raises(DomainError, match="login_unknown"):
        acts[act]()
    assert accounts.users(hq, org, today=NOW.date()) == before
