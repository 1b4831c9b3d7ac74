from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

import pytest
from argon2 import PasswordHasher, extract_parameters
from argon2.exceptions import VerifyMismatchError
from sqlalchemy import func, select

from fieldcrm.domain.errors import DomainError
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters
from sync.server.auth import Identity, Tokens
from sync.server.auth_tables import attempt, token
from sync.server.database import reading
from sync.server.refusal import CallRefused
from sync.server.throttle import FORGET_AFTER, FREE_FAILURES, LONGEST_PAUSE, Throttle
from tests.server.conftest import CHEAP, PASSWORD, Clock, Company


def enter(
    company: Company, login: str = "rita", password: str = PASSWORD, device: int | None = None
) -> tuple[Identity, Tokens]:
    hq = company.hq
    return hq.auth.sign_in(company.code, login, password, device_name="laptop", device_no=device, now=hq.clock())


def refused(code: str) -> pytest.RaisesExc[CallRefused]:
    return pytest.RaisesExc(CallRefused, check=lambda refusal: refusal.code == code)


def test_a_password_opens_a_session_on_a_new_device_each_time(company: Company) -> None:
    first, _ = enter(company)
    second, _ = enter(company)
    assert (first.device_no, second.device_no) == (1, 2)
    assert first.person_id == company.people["rita"]
    assert first.role == "rep"


def test_the_login_and_the_organisation_are_not_case_sensitive(company: Company) -> None:
    identity, _ = company.hq.auth.sign_in(
        company.code.upper(), " Rita ", PASSWORD, device_name="laptop", now=company.hq.clock()
    )
    assert identity.person_id == company.people["rita"]


def test_a_device_comes_back_under_its_own_number_and_never_under_anothers(company: Company) -> None:
    first, _ = enter(company)
    again, _ = enter(company, device=first.device_no)
    stranger, _ = enter(company, "omar", device=first.device_no)
    assert again.device_no == first.device_no
    assert stranger.device_no != first.device_no


@pytest.mark.parametrize(
    ("login", "password"), [("rita", "wrong"), ("nobody", PASSWORD), ("", ""), ("rita", "x" * 5000)]
)
def test_a_wrong_login_and_a_wrong_password_get_the_same_answer(company: Company, login: str, password: str) -> None:
    with refused("credentials_wrong"):
        enter(company, login, password)


def test_a_login_that_nobody_has_costs_what_a_wrong_password_costs(
    company: Company, monkeypatch: pytest.MonkeyPatch
) -> None:
    costs: list[object] = []

    def verify(hasher: PasswordHasher, stored: str, password: str) -> bool:
        costs.append(extract_parameters(stored))
        try:
            return real(hasher, stored, password)
        except VerifyMismatchError:
            costs.append("computed to the end")
            raise

    real = PasswordHasher.verify
    monkeypatch.setattr(PasswordHasher, "verify", verify)
    for login in ("rita", "nobody"):
        with refused("credentials_wrong"):
            enter(company, login, "wrong")
    assert costs[:2] == costs[2:] == [extract_parameters(CHEAP.hash("x")), "computed to the end"]


def test_the_account_of_another_organisation_does_not_open_this_one(company: Company, rival: Company) -> None:
    rival.hq.accounts.add_account(
        rival.org, "paul", "another password", person_id=rival.people["rita"], role="rep", now=rival.hq.clock()
    )
    with refused("credentials_wrong"):
        enter(company, "paul", "another password")


def test_guessing_is_slowed_down_and_a_pause_lets_the_owner_in(company: Company, clock: Clock) -> None:
    for _ in range(5):
        with refused("credentials_wrong"):
            enter(company, password="wrong")
    with refused("too_many_attempts"):
        enter(company)
    enter(company, "omar")  # others are not held up
    clock.pass_by(seconds=16)
    enter(company)


def test_an_access_token_ends_by_itself_and_the_refresh_token_gives_a_new_one(company: Company, clock: Clock) -> None:
    auth = company.hq.auth
    _, tokens = enter(company)
    assert auth.identify(tokens.access, now=clock()).person_id == company.people["rita"]
    clock.pass_by(minutes=16)
    with refused("token_expired"):
        auth.identify(tokens.access, now=clock())
    _, fresh = auth.refresh(tokens.refresh, now=clock())
    assert auth.identify(fresh.access, now=clock()).device_no == 1


def test_a_refresh_token_used_again_after_its_successor_ends_the_whole_session(company: Company, clock: Clock) -> None:
    auth = company.hq.auth
    _, tokens = enter(company)
    _, fresh = auth.refresh(tokens.refresh, now=clock())
    auth.identify(fresh.access, now=clock())
    with refused("token_reused"):
        auth.refresh(tokens.refresh, now=clock())
    with refused("token_unknown"):
        auth.identify(fresh.access, now=clock())
    with refused("token_unknown"):
        auth.refresh(fresh.refresh, now=clock())


def test_a_refresh_whose_answer_was_lost_may_be_asked_again(company: Company, clock: Clock) -> None:
    auth = company.hq.auth
    _, tokens = enter(company)
    auth.identify(tokens.access, now=clock())
    auth.refresh(tokens.refresh, now=clock())  # the answer never arrived
    _, again = auth.refresh(tokens.refresh, now=clock())
    assert auth.identify(again.access, now=clock()).device_no == 1


def test_two_refreshes_at_once_do_not_both_win(company: Company, clock: Clock) -> None:
    auth = company.hq.auth
    _, tokens = enter(company)

    def ask(_: int) -> str:
        try:
            auth.refresh(tokens.refresh, now=clock())
        except CallRefused as refusal:
            return refusal.code
        return "ok"

    with ThreadPoolExecutor(4) as pool:
        answers = list(pool.map(ask, range(4)))
    assert "ok" in answers
    assert set(answers) <= {"ok", "try_again", "token_reused", "token_unknown"}


def test_a_refresh_token_does_not_open_the_door_by_itself(company: Company, clock: Clock) -> None:
    _, tokens = enter(company)
    with refused("token_unknown"):
        company.hq.auth.identify(tokens.refresh, now=clock())
    with refused("token_unknown"):
        company.hq.auth.refresh(tokens.access, now=clock())


def test_tokens_are_not_in_the_database(company: Company, tmp_path_factory: pytest.TempPathFactory) -> None:
    _, tokens = enter(company)
    with company.hq.engine.begin() as connection:
        stored = repr(connection.execute(token.select().where(token.c.org_id == company.org)).all())
    assert tokens.access not in stored
    assert tokens.access.partition(".")[2] not in stored


def test_a_revoked_device_is_known_but_gets_nothing_new(company: Company, clock: Clock) -> None:
    auth = company.hq.auth
    identity, tokens = enter(company)
    accounts.revoke_device(company.hq, company.org, identity.device_no, now=clock())
    assert auth.identify(tokens.access, now=clock()).revoked
    with refused("device_revoked"):
        auth.refresh(tokens.refresh, now=clock())
    with refused("device_revoked"):
        enter(company, device=identity.device_no)
    assert not auth.identify(enter(company)[1].access, now=clock()).revoked


def test_an_account_that_is_switched_off_ends_its_sessions(company: Company, clock: Clock) -> None:
    auth = company.hq.auth
    _, tokens = enter(company)
    company.hq.accounts.set_active(company.org, "rita", False, now=clock())
    with refused("token_unknown"):
        auth.identify(tokens.access, now=clock())
    with refused("credentials_wrong"):
        enter(company)


def test_many_devices_register_at_once_under_different_numbers(company: Company) -> None:
    # Four at a time: a fifth try under way at once counts as a guess (FREE_FAILURES).
    with ThreadPoolExecutor(4) as pool:
        numbers = [identity.device_no for identity, _ in pool.map(lambda _: enter(company), range(12))]
    assert sorted(numbers) == list(range(1, 13))


def test_devices_are_listed_with_their_owner_and_last_sign_of_life(company: Company, clock: Clock) -> None:
    _, tokens = enter(company)
    clock.pass_by(minutes=5)
    company.hq.auth.identify(tokens.access, app="FieldCRM/9.9\x00\n" + "x" * 500, now=clock())
    accounts.rename_device(company.hq, company.org, 1, " Rita's laptop ")
    [device] = accounts.devices(company.hq, company.org)
    assert (device.login, device.name, device.revoked_at) == ("rita", "Rita's laptop", None)
    assert (device.app[:12], len(device.app)) == ("FieldCRM/9.9", 60)
    assert device.last_seen_at == clock()


@pytest.mark.parametrize(
    ("code", "work"),
    [
        ("organisation_exists", lambda hq, c: accounts.add_organisation(hq, c.code.upper(), "Again", now=hq.clock())),
        ("sector_exists", lambda hq, c: accounts.add_sector(hq, c.org, "west", "Again", now=hq.clock())),
        ("sector_unknown", lambda hq, c: accounts.sectors_by_code(hq, c.org, ["north"])),
        ("organisation_unknown", lambda hq, c: accounts.organisation(hq, "nowhere")),
        ("device_unknown", lambda hq, c: accounts.revoke_device(hq, c.org, 99, now=hq.clock())),
        ("login_taken", lambda hq, c: hq_user(hq, c, "RITA", "long enough")),
        ("password_short", lambda hq, c: hq_user(hq, c, "new", "short")),
        ("required", lambda hq, c: hq_user(hq, c, " ", "long enough")),
    ],
)
def test_an_administrator_is_told_what_does_not_fit(
    hq: Headquarters, company: Company, code: str, work: object
) -> None:
    assert callable(work)
    with pytest.raises(DomainError) as caught:
        work(hq, company)
    assert caught.value.code == code


def hq_user(hq: Headquarters, company: Company, login: str, password: str) -> None:
    from fieldcrm.domain.actor import Role

    accounts.add_user(hq, company.org, login, password, name="Somebody", role=Role.REP, now=hq.clock())


def test_expired_tokens_are_swept_away(company: Company, clock: Clock) -> None:
    enter(company)
    company.hq.auth.forget_expired(company.org, now=clock())
    assert tokens_left(company) == 2
    clock.pass_by(days=91)
    company.hq.auth.forget_expired(company.org, now=clock())
    assert tokens_left(company) == 0


def tokens_left(company: Company) -> int:
    with reading(company.hq.engine) as connection:
        query = select(func.count()).select_from(token).where(token.c.org_id == company.org)
        return int(connection.execute(query).scalar_one())


def test_two_clocks_that_differ_hold_nobody_up_who_guessed_nothing(hq: Headquarters, company: Company) -> None:
    throttle, now = Throttle(hq.engine), hq.clock()
    throttle.attempt(company.org, "shared", now)
    throttle.attempt(company.org, "shared", now - timedelta(milliseconds=3))  # another server's clock, or a slower turn
    throttle.attempt(company.org, "shared", now - timedelta(hours=3))


def test_a_sign_in_that_succeeds_takes_nothing_from_another_beside_it(hq: Headquarters, company: Company) -> None:
    throttle, now = Throttle(hq.engine), hq.clock()

    def turn(number: int) -> None:
        for _ in range(25):
            throttle.attempt(company.org, "shared", now)
            throttle.succeeded(company.org, "shared")

    with ThreadPoolExecutor(4) as pool:
        list(pool.map(turn, range(4)))
    with reading(hq.engine) as connection:
        left = select(func.count()).select_from(attempt).where(attempt.c.org_id == company.org)
        assert connection.execute(left).scalar_one() == 0


def test_an_hour_without_a_mistake_is_forgiven_and_less_is_not(hq: Headquarters, company: Company) -> None:
    throttle, now = Throttle(hq.engine), hq.clock()
    for step in range(FREE_FAILURES + 2):  # each after the longest pause
        throttle.attempt(company.org, "rita", now + step * LONGEST_PAUSE)
    last = now + (FREE_FAILURES + 1) * LONGEST_PAUSE
    with refused("too_many_attempts"):
        throttle.attempt(company.org, "rita", last + timedelta(seconds=1))
    for _ in range(FREE_FAILURES):
        throttle.attempt(company.org, "rita", last + FORGET_AFTER + timedelta(seconds=1))
    with refused("too_many_attempts"):
        throttle.attempt(company.org, "rita", last + FORGET_AFTER + timedelta(seconds=2))


def test_what_was_mistyped_is_swept_away_after_an_hour_and_no_sooner(hq: Headquarters, company: Company) -> None:
    now = hq.clock()
    for org in (company.org, None):
        hq.auth.forget_attempts(org, now=now + 2 * FORGET_AFTER)  # other tests'
        Throttle(hq.engine).attempt(org, "rita", now)
        assert hq.auth.forget_attempts(org, now=now + FORGET_AFTER) == 0
        assert hq.auth.forget_attempts(org, now=now + FORGET_AFTER + timedelta(seconds=1)) == 1


def test_guessing_at_an_organisation_that_is_none_is_slowed_down_too(hq: Headquarters, company: Company) -> None:
    for _ in range(FREE_FAILURES):
        with refused("credentials_wrong"):
            hq.auth.sign_in("no-such", "rita", "wrong", device_name="one", now=hq.clock())
    with refused("too_many_attempts"):
        hq.auth.sign_in("no-such", "rita", "wrong", device_name="one", now=hq.clock())
    enter(company)
