from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from argon2 import PasswordHasher
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.domain.actor import Role
from fieldcrm.domain.errors import CodedError, DomainError, Unavailable
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.process import ServerProcess
from fieldcrm.store.database import Database
from fieldcrm.usecases import signin
from sync.protocol import SyncRequest

PASSWORD = "correct horse"


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture(scope="module")
def headquarters(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Headquarters, str]]:
    """A real server with one organisation of one rep; its headquarters and its address."""
    folder = tmp_path_factory.mktemp("server")
    hq = open_headquarters(folder, None, now, hasher=PasswordHasher(time_cost=1, memory_cost=8, parallelism=1))
    org = accounts.add_organisation(hq, "acme", "Acme", now=now())
    west = accounts.add_sector(hq, org, "west", "West", now=now())
    for login in ("rita", "omar", "guess"):
        accounts.add_user(
            hq, org, login, PASSWORD, name=login.title(), role=Role.REP, sectors=[west], since=now().date(), now=now()
        )
    with ServerProcess(folder) as server:
        yield hq, server.url
    hq.close()


@pytest.fixture
def url(headquarters: tuple[Headquarters, str]) -> str:
    return headquarters[1]


def remember(db: Database, signed: signin.SignedIn) -> None:
    db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=now()).result()


def test_a_sign_in_is_remembered_and_the_tokens_work(db: Database, url: str) -> None:
    signed = signin.sign_in(url, "acme", "rita", PASSWORD, "laptop")
    assert (signed.person_name, signed.role, len(signed.sectors)) == ("Rita", Role.REP, 1)
    remember(db, signed)
    with db.read() as r:
        assert signin.signed_in(r) == signed
        assert signin.device_number(r) == signed.device
    remote = signin.open_remote(db, signed, clock=now)
    assert remote.sync(SyncRequest(1, 1, signed.epoch, signed.device, 1, None, {})).control is None


def test_new_tokens_are_on_the_disk_before_they_are_used(db: Database, url: str) -> None:
    signed = signin.sign_in(url, "acme", "rita", PASSWORD, "laptop")
    remember(db, signed)
    signin.open_remote(db, signed, clock=now).refresh()
    with db.read() as r:
        kept = signin.signed_in(r)
    assert kept is not None
    assert kept.tokens != signed.tokens
    signin.open_remote(db, kept, clock=now).refresh()


def test_tokens_are_not_readable_in_the_profile_folder(db: Database, url: str) -> None:
    signed = signin.sign_in(url, "acme", "rita", PASSWORD, "laptop")
    remember(db, signed)
    for path in db.folder.rglob("*"):
        if path.is_file():
            content = path.read_bytes()
            assert signed.tokens.refresh.encode() not in content
            assert PASSWORD.encode() not in content


def test_signing_in_again_keeps_the_device_number(db: Database, url: str) -> None:
    first = signin.sign_in(url, "acme", "rita", PASSWORD, "laptop")
    remember(db, first)
    with db.read() as r:
        number = signin.device_number(r)
    again = signin.sign_in(url, "acme", "rita", PASSWORD, "laptop", device=number)
    remember(db, again)
    assert again.device == first.device


def test_a_workspace_does_not_change_its_owner(db: Database, url: str) -> None:
    remember(db, signin.sign_in(url, "acme", "rita", PASSWORD, "laptop"))
    with pytest.raises(DomainError) as caught:
        remember(db, signin.sign_in(url, "acme", "omar", PASSWORD, "laptop"))
    assert caught.value.code == "another_person"
    with db.read() as r:
        owner = signin.signed_in(r)
    assert owner is not None
    assert owner.login == "rita"


@pytest.mark.parametrize(
    ("organisation", "login", "password", "code", "field"),
    [
        ("acme", "rita", "wrong", "credentials_wrong", "password"),
        ("acme", "nobody", PASSWORD, "credentials_wrong", "password"),
        ("nowhere", "rita", PASSWORD, "credentials_wrong", "password"),
        (" ", "rita", PASSWORD, "required", "organisation"),
        ("acme", "", PASSWORD, "required", "login"),
        ("acme", "rita", "", "required", "password"),
    ],
)
def test_what_a_person_types_wrong_is_said_at_its_field(
    url: str, organisation: str, login: str, password: str, code: str, field: str
) -> None:
    with pytest.raises(DomainError) as caught:
        signin.sign_in(url, organisation, login, password, "laptop")
    assert (caught.value.code, caught.value.field) == (code, field)


def test_too_many_tries_say_how_long_to_wait(url: str) -> None:
    codes = []
    for _ in range(6):
        with pytest.raises(CodedError) as caught:
            signin.sign_in(url, "acme", "guess", "wrong", "laptop")
        codes.append(caught.value.code)
    assert codes == ["credentials_wrong"] * 5 + ["too_many_attempts"]
    assert caught.value.params["seconds"] > 0


def test_a_revoked_device_is_told_so(headquarters: tuple[Headquarters, str], db: Database) -> None:
    hq, url = headquarters
    signed = signin.sign_in(url, "acme", "omar", PASSWORD, "laptop")
    accounts.revoke_device(hq, signed.organisation_id, signed.device, now=now())
    with pytest.raises(DomainError) as caught:
        signin.sign_in(url, "acme", "omar", PASSWORD, "laptop", device=signed.device)
    assert caught.value.code == "device_revoked"
    request = SyncRequest(1, 1, signed.epoch, signed.device, 1, None, {})
    assert signin.open_remote(db, signed, clock=now).sync(request).control == "revoked"


@pytest.mark.parametrize(
    "address", ["", " ", "http://", "ftp://x.org", "https://a b.org", "https://x.org:port", "https://:80"]
)
def test_an_address_that_is_none_is_refused_before_anything_is_sent(address: str) -> None:
    with pytest.raises(DomainError) as caught:
        signin.sign_in(address, "acme", "rita", PASSWORD, "laptop")
    assert caught.value.field == "server"


@pytest.mark.parametrize(
    ("typed", "called"),
    [
        ("crm.example.org", "https://crm.example.org"),
        (" https://crm.example.org/ ", "https://crm.example.org"),
        ("http://127.0.0.1:8470", "http://127.0.0.1:8470"),
        ("http://192.168.1.20:8470", "http://192.168.1.20:8470"),
        ("http://localhost:1", "http://localhost:1"),
        ("http://[::1]:8470", "http://[::1]:8470"),
    ],
)
def test_an_address_is_completed(typed: str, called: str) -> None:
    assert signin.server_address(typed) == called


def test_a_password_never_crosses_the_open_network_in_clear() -> None:
    for address in ("http://crm.example.org", "http://8.8.8.8"):
        with pytest.raises(DomainError) as caught:
            signin.server_address(address)
        assert caught.value.code == "server_not_secure"


def test_a_host_name_that_cannot_be_one_is_an_invalid_address() -> None:
    with pytest.raises(CodedError) as caught:
        signin.sign_in(f"https://{'x' * 80}.org", "acme", "rita", PASSWORD, "laptop")
    assert caught.value.code in ("server_address_invalid", "server_unreachable")


def test_where_nobody_answers_the_server_is_unreachable() -> None:
    with pytest.raises(Unavailable) as caught:
        signin.sign_in("http://127.0.0.1:9", "acme", "rita", PASSWORD, "laptop")
    assert caught.value.code == "server_unreachable"


@given(st.text(max_size=60))
def test_any_text_is_an_address_or_a_reason(text: str) -> None:
    try:
        address = signin.server_address(text)
    except DomainError as error:
        assert error.code in ("required", "server_address_invalid", "server_not_secure")
        assert error.field == "server"
    else:
        assert address.startswith(("https://", "http://"))


def test_nobody_is_signed_in_to_a_new_workspace(db: Database, tmp_path: Path) -> None:
    with db.read() as r:
        assert signin.signed_in(r) is None
        assert signin.device_number(r) is None
