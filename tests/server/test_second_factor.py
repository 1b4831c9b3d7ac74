"""A new device needs what the person has, not only what the person knows; one that was enrolled never asks again."""

from __future__ import annotations

import base64
import sqlite3
from concurrent.futures import ThreadPoolExecutor
from urllib.parse import parse_qs, urlsplit

import pytest
from cryptography.hazmat.primitives.hashes import SHA1
from cryptography.hazmat.primitives.twofactor.totp import TOTP
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fieldcrm.server import accounts
from fieldcrm.server.headquarters import open_headquarters
from sync.server.auth import Identity, Tokens
from sync.server.refusal import CallRefused
from sync.server.second_factor import Enrolment
from tests.server.conftest import CHEAP, PASSWORD, Clock, Company, found
from tests.server.test_sign_in import refused


class Telephone:
    """An authenticator app that has scanned the address."""

    def __init__(self, made: Enrolment, clock: Clock) -> None:
        self._clock = clock
        self.asked = parse_qs(urlsplit(made.uri).query)
        self._totp = TOTP(base64.b32decode(self.asked["secret"][0]), 6, SHA1(), 30, enforce_key_length=False)

    def code(self, *, seconds: int = 0) -> str:
        return self._totp.generate(int(self._clock().timestamp()) + seconds).decode()


def enrolled(company: Company, login: str = "rita") -> Enrolment:
    return accounts.enrol_second_factor(company.hq, company.org, login, issuer="FieldCRM", now=company.hq.clock())


def enter(
    company: Company, code: str = "", login: str = "rita", device: int | None = None, key: str = ""
) -> tuple[Identity, Tokens]:
    return company.hq.auth.sign_in(
        company.code, login, PASSWORD, device_name="laptop", device_no=device, device_key=key, second_factor=code,
        now=company.hq.clock(),
    )  # fmt: skip


def test_a_new_device_is_let_in_by_the_code_of_the_moment_and_by_no_other(company: Company, clock: Clock) -> None:
    telephone = Telephone(enrolled(company), clock)
    with refused("second_factor_needed"):
        enter(company)
    right = telephone.code()
    with refused("wrong_second_factor"):
        enter(company, f"{(int(right) + 1) % 1_000_000:06}")
    identity, tokens = enter(company, f"{right[:3]} {right[3:]}")
    assert (identity.device_no, bool(tokens.device_key)) == (1, True)
    assert enter(company, login="omar")[0].device_no == 2  # who has none is not asked


def test_a_code_lets_one_device_in_and_the_next_code_another(company: Company, clock: Clock) -> None:
    telephone = Telephone(enrolled(company), clock)
    code = telephone.code()
    enter(company, code)
    with refused("wrong_second_factor"):
        enter(company, code)
    clock.pass_by(seconds=30)
    enter(company, telephone.code())
    with refused("wrong_second_factor"):  # older than the last one that was taken, though still in its window
        enter(company, telephone.code(seconds=-30))


def test_a_code_shown_to_two_devices_at_once_lets_one_in(company: Company, clock: Clock) -> None:
    code = Telephone(enrolled(company), clock).code()

    def attempt(_: int) -> str:
        try:
            enter(company, code)
        except CallRefused as refusal:
            return refusal.code
        return "in"

    with ThreadPoolExecutor(4) as pool:
        assert sorted(pool.map(attempt, range(4))).count("in") == 1


def test_a_telephone_half_a_minute_off_is_good_and_one_that_is_minutes_off_is_not(
    company: Company, clock: Clock
) -> None:
    telephone = Telephone(enrolled(company), clock)
    for seconds in (-90, 90):
        with refused("wrong_second_factor"):
            enter(company, telephone.code(seconds=seconds))
    enter(company, telephone.code(seconds=30))


def test_a_device_that_was_enrolled_comes_back_without_a_code(company: Company, clock: Clock) -> None:
    telephone = Telephone(enrolled(company), clock)
    identity, tokens = enter(company, telephone.code())
    clock.pass_by(days=400)
    again, more = enter(company, device=identity.device_no, key=tokens.device_key)
    assert (again.device_no, more.device_key) == (identity.device_no, "")
    auth = company.hq.auth
    _, third = auth.refresh(more.refresh, now=clock())
    assert auth.identify(third.access, now=clock()).device_no == identity.device_no


def test_an_access_token_alone_makes_no_further_device(company: Company, clock: Clock) -> None:
    identity, tokens = enter(company, Telephone(enrolled(company), clock).code())
    others = enter(company, login="omar")
    auth = company.hq.auth
    for key in ("", others[1].device_key, tokens.access, "x" * 2000):
        with refused("second_factor_needed"):
            auth.new_device(identity, "thief", device_key=key, now=clock())
    copy, own = auth.new_device(identity, "copy", device_key=tokens.device_key, now=clock())
    assert copy.device_no not in (identity.device_no, others[0].device_no)
    assert own.device_key not in ("", tokens.device_key)
    assert auth.new_device(others[0], "copy", now=clock())[0].device_no  # omar has no second factor


def test_the_number_of_a_device_alone_or_another_devices_key_prove_nothing(company: Company, clock: Clock) -> None:
    _, others = enter(company, login="omar")
    telephone = Telephone(enrolled(company), clock)
    identity, tokens = enter(company, telephone.code())
    for key in ("", others.device_key, tokens.access, tokens.refresh, "x" * 2000):
        clock.pass_by(hours=2)  # longer than any pause after a wrong attempt
        with refused("second_factor_needed"):
            enter(company, device=identity.device_no, key=key)
    clock.pass_by(hours=2)
    with refused("second_factor_needed"):  # the key of an own device, for a number that is not its own
        enter(company, device=99, key=tokens.device_key)
    again, fresh = enter(company, telephone.code(), device=identity.device_no)
    assert again.device_no == identity.device_no  # whose key was lost comes back under its number, with the code
    enter(company, device=identity.device_no, key=fresh.device_key)
    enter(company, device=identity.device_no, key=tokens.device_key)  # the answer with the newer one may have been lost


def test_a_recovery_code_stands_in_for_a_lost_telephone_once(company: Company) -> None:
    made = enrolled(company)
    assert len(set(made.recovery_codes)) == 10
    enter(company, made.recovery_codes[3].lower())
    with refused("wrong_second_factor"):
        enter(company, made.recovery_codes[3])
    enter(company, made.recovery_codes[4].replace("-", " "))
    enrolled(company)
    with refused("wrong_second_factor"):  # a new telephone has new ones
        enter(company, made.recovery_codes[5])


def test_guessing_codes_is_slowed_down_like_guessing_passwords(company: Company, clock: Clock) -> None:
    telephone = Telephone(enrolled(company), clock)
    wrong = f"{(int(telephone.code()) + 7) % 1_000_000:06}"
    for _ in range(5):
        with refused("wrong_second_factor"):
            enter(company, wrong)
    with refused("too_many_attempts"):
        enter(company, telephone.code())
    clock.pass_by(seconds=16)
    enter(company, telephone.code())


def test_where_it_is_required_nobody_enrols_a_device_without_one(
    company: Company, rival: Company, clock: Clock
) -> None:
    before, tokens = enter(company)
    accounts.require_second_factor(company.hq, company.org, True)
    with refused("second_factor_missing"):
        enter(company)
    enter(rival)  # another organisation decides for itself
    enter(company, device=before.device_no, key=tokens.device_key)  # the shelf is never asked
    company.hq.auth.refresh(tokens.refresh, now=clock())
    enter(company, Telephone(enrolled(company), clock).code())
    accounts.require_second_factor(company.hq, company.org, False)
    assert accounts.remove_second_factor(company.hq, company.org, "rita")
    assert not accounts.remove_second_factor(company.hq, company.org, "rita")
    enter(company)


def test_a_wrong_password_says_nothing_of_a_second_factor(company: Company) -> None:
    enrolled(company)
    with refused("credentials_wrong"):
        company.hq.auth.sign_in(company.code, "rita", "wrong", device_name="x", now=company.hq.clock())


def test_a_second_factor_opens_one_account_in_one_organisation(company: Company, rival: Company, clock: Clock) -> None:
    telephone = Telephone(enrolled(company), clock)
    recovery = enrolled(rival).recovery_codes[0]
    Telephone(enrolled(company, "omar"), clock)
    for code in (telephone.code(), recovery):
        with refused("wrong_second_factor"):
            enter(company, code, "omar")


def test_the_secret_is_not_in_the_database_and_another_key_does_not_open_it(
    tmp_path_factory: pytest.TempPathFactory, clock: Clock
) -> None:
    folder = tmp_path_factory.mktemp("sealed")
    hq = open_headquarters(folder, None, clock, hasher=CHEAP)
    company = found(hq)
    made = enrolled(company)
    hq.close()
    kept = b"".join(path.read_bytes() for path in folder.glob("server.sqlite*"))
    secret = base64.b32decode(made.secret)
    assert secret not in kept
    assert made.secret.encode() not in kept
    assert not any(code.encode() in kept for code in made.recovery_codes)
    [own_key] = folder.glob("*.key")
    assert own_key.stat().st_mode & 0o077 == 0
    own_key.write_text("00" * 32)
    again = open_headquarters(folder, None, clock, hasher=CHEAP)
    company.hq = again
    with refused("wrong_second_factor"):
        enter(company, Telephone(made, clock).code())
    enter(company, made.recovery_codes[0])  # they need no key
    again.close()
    with sqlite3.connect(folder / "server.sqlite") as connection:
        assert connection.execute("SELECT count(*) FROM auth_second_factor").fetchone() == (1,)
    connection.close()


@settings(max_examples=30, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(code=st.text(max_size=80))
def test_whatever_is_typed_as_a_code_is_refused_in_order(company: Company, clock: Clock, code: str) -> None:
    clock.pass_by(hours=2)  # no pause: it is not the throttle that answers
    enrolled(company, "mona")
    with pytest.raises(CallRefused) as caught:
        enter(company, code, "mona")
    assert caught.value.code in {"second_factor_needed", "wrong_second_factor"}
