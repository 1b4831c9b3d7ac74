"""What must survive a server that stops, dies, or is put back from a backup."""

from __future__ import annotations

import hashlib
import io
import json
import os
import shutil
import sqlite3
from datetime import UTC, datetime, timedelta
from functools import partial
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fieldcrm import resources, words
from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.serve import main
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.jobs import run_once
from fieldcrm.server.process import ServerProcess
from sync.client.failures import BadAddress, BadCertificate, Offline
from sync.client.http import HttpRemote
from sync.protocol import BlobOffer
from tests.server.conftest import CHEAP, PASSWORD, Clock, Company, found
from tests.server.wire import BareDevice


def now() -> datetime:
    return datetime.now(UTC)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "server"


@pytest.fixture
def seeded(folder: Path) -> Company:
    hq = open_headquarters(folder, None, now, hasher=CHEAP)
    company = found(hq)
    hq.close()
    return company


@pytest.mark.parametrize("end", ["stop", "kill"])
def test_an_upload_goes_on_over_a_restart_of_the_server(folder: Path, seeded: Company, end: str) -> None:
    content = os.urandom(300_000)
    sha256 = hashlib.sha256(content).hexdigest()
    server = ServerProcess(folder).start()
    rita = BareDevice(server.url, seeded, "rita")
    rita.remote.check_blobs([BlobOffer(sha256, len(content))])
    rita.remote.send_blob(sha256, 0, content[:200_000])
    if end == "stop":
        assert server.stop() == 0
    else:
        server.kill()
    with pytest.raises(Offline):
        rita.remote.check_blobs([BlobOffer(sha256, len(content))])
    with server.start():  # on the same port: the device knows no other
        [state] = rita.remote.check_blobs([BlobOffer(sha256, len(content))])
        assert state.offset == 200_000
        assert rita.remote.send_blob(sha256, state.offset, content[200_000:]).have


def test_a_server_that_died_before_hashing_the_last_byte_finishes_when_asked(
    hq: Headquarters, company: Company, clock: Clock
) -> None:
    content = os.urandom(1000)
    sha256 = hashlib.sha256(content).hexdigest()
    offer = BlobOffer(sha256, 1000)
    hq.blobs.check(company.org, company.people["rita"], [offer], now=clock())
    part = hq.folder / "blobs" / company.org.hex / "parts" / f"{sha256}.{company.people['rita'].hex}"
    part.parent.mkdir(parents=True)
    part.write_bytes(content)
    [state] = hq.blobs.check(company.org, company.people["rita"], [offer], now=clock())
    assert state.have
    assert hq.blobs.read(company.org, sha256).data == content


def test_uploads_that_nobody_finished_are_thrown_away_in_the_end(
    hq: Headquarters, company: Company, clock: Clock
) -> None:
    content = os.urandom(1000)
    offer = BlobOffer(hashlib.sha256(content).hexdigest(), 1000)
    hq.blobs.check(company.org, company.people["rita"], [offer], now=clock())
    hq.blobs.append(company.org, company.people["rita"], offer.sha256, 0, content[:500], now=clock())
    clock.pass_by(days=29)
    run_once(hq)
    assert hq.blobs.check(company.org, company.people["rita"], [offer], now=clock())[0].offset == 500
    clock.pass_by(days=2)
    run_once(hq)
    assert hq.blobs.check(company.org, company.people["rita"], [offer], now=clock())[0].offset == 0


def test_a_database_put_back_from_a_backup_is_noticed_and_devices_begin_a_new_epoch(
    folder: Path, seeded: Company
) -> None:
    backup = folder.parent / "backup.sqlite"
    shutil.copyfile(folder / "server.sqlite", backup)
    hq = open_headquarters(folder, None, now, hasher=CHEAP)
    accounts.add_sector(hq, seeded.org, "north", "North", now=now())
    hq.close()
    for path in folder.glob("server.sqlite*"):
        path.unlink()
    shutil.copyfile(backup, folder / "server.sqlite")
    with pytest.raises(DomainError) as caught:
        open_headquarters(folder, None, now, hasher=CHEAP)
    assert caught.value.code == "database_restored"
    hq = open_headquarters(folder, None, now, hasher=CHEAP, accept_restore=True)
    assert hq.sync.epoch(seeded.org) == 2
    hq.close()
    open_headquarters(folder, None, now, hasher=CHEAP).close()


def test_a_database_of_a_newer_version_is_left_alone(folder: Path, seeded: Company) -> None:
    from sqlalchemy import text

    hq = open_headquarters(folder, None, now, hasher=CHEAP)
    with hq.engine.begin() as connection:
        connection.execute(text("INSERT INTO server_schema (version) VALUES (99)"))
    hq.close()
    with pytest.raises(DomainError) as caught:
        open_headquarters(folder, None, now, hasher=CHEAP)
    assert caught.value.code == "database_newer"


def test_a_database_that_does_not_answer_is_said_so(folder: Path) -> None:
    with pytest.raises(Unavailable) as caught:
        open_headquarters(folder, "postgresql://nobody@127.0.0.1:9/none?connect_timeout=2", now)
    assert caught.value.code == "database_unreachable"
    with pytest.raises(DomainError):
        open_headquarters(folder, "mysql://somewhere", now)


def test_a_port_that_is_taken_is_said_so_and_nothing_starts(folder: Path, seeded: Company) -> None:
    with ServerProcess(folder) as server:
        second = ServerProcess(folder)
        second.port = server.port
        with pytest.raises(Unavailable) as caught:
            second.start()
        assert caught.value.code == "server_did_not_start"
        assert "port_taken" in caught.value.params["log"]
        assert server.healthy()


# -- certificates


@pytest.fixture(scope="module")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """A certificate for localhost that nobody has signed but itself, and its key."""
    folder = tmp_path_factory.mktemp("certificate")
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    import ipaddress

    names = x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    made = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now() - timedelta(days=1))
        .not_valid_after(now() + timedelta(days=1))
        .add_extension(names, critical=False)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    (folder / "certificate.pem").write_bytes(made.public_bytes(serialization.Encoding.PEM))
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    (folder / "key.pem").write_bytes(private)
    return folder / "certificate.pem", folder / "key.pem"


def test_a_certificate_that_nobody_vouches_for_is_refused_until_it_is_trusted(
    folder: Path, seeded: Company, certificate: tuple[Path, Path]
) -> None:
    public, private = certificate
    with ServerProcess(folder, options=["--certificate", str(public), "--key", str(private)]) as server:
        assert server.url.startswith("https://")
        with pytest.raises(BadCertificate):
            HttpRemote(server.url).sign_in(seeded.code, "rita", PASSWORD, "laptop")
        trusting = HttpRemote(server.url, certificate=str(public))
        assert trusting.sign_in(seeded.code, "rita", PASSWORD, "laptop").device == 1
        with pytest.raises((BadAddress, Offline)):
            HttpRemote(server.url.replace("https", "http")).sign_in(seeded.code, "rita", PASSWORD, "laptop")


def test_https_to_a_server_that_speaks_plain_http_is_a_bad_address(folder: Path, seeded: Company) -> None:
    with ServerProcess(folder) as server, pytest.raises(BadAddress):
        HttpRemote(server.url.replace("http", "https")).sign_in(seeded.code, "rita", PASSWORD, "laptop")


# -- the command line


class Console:
    """Runs the command line in this process."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> None:
        self.folder, self.capsys, self.monkeypatch = folder, capsys, monkeypatch

    def __call__(self, *arguments: str, given: str = "") -> tuple[int, str, str]:
        """Exit code, standard output, standard error."""
        self.monkeypatch.setattr("sys.stdin", io.StringIO(given))
        code = main([*arguments, "--data", str(self.folder)])
        said = self.capsys.readouterr()
        return code, said.out, said.err

    def json(self, *arguments: str, given: str = "") -> Any:
        code, out, err = self(*arguments, "--json", given=given)
        assert code == 0, err
        return json.loads(out)


@pytest.fixture
def real_console(folder: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch) -> Console:
    """With the real cost of a password."""
    monkeypatch.setattr(words, "system_language", lambda: "en")
    return Console(folder, capsys, monkeypatch)


@pytest.fixture
def console(real_console: Console, monkeypatch: pytest.MonkeyPatch) -> Console:
    monkeypatch.setattr("fieldcrm.serve.open_headquarters", partial(open_headquarters, hasher=CHEAP))
    return real_console


def test_an_administrator_sets_a_server_up_from_the_command_line(real_console: Console, folder: Path) -> None:
    console = real_console
    assert console.json("init")["database"] == "sqlite"
    console.json("organisation", "add", "acme", "--name", "Acme")
    of = ["--organisation", "acme"]
    assert console.json("sector", "add", "W", "--name", "West", *of)["sector"] == "W"
    user = console.json("user", "add", "rita", "--name", "Rita", "--sector", "W", *of, given=f"{PASSWORD}\n")
    assert user["role"] == "rep"
    [seen] = console.json("user", "list", *of)["users"]
    assert (seen["login"], seen["person"], seen["second_factor"]) == ("rita", user["person"], False)
    with ServerProcess(folder) as server:
        device = HttpRemote(server.url).sign_in("acme", "rita", PASSWORD, "laptop").device
        [listed] = console.json("device", "list", *of)["devices"]
        assert (listed["device_no"], listed["login"]) == (device, "rita")
        console.json("device", "revoke", str(device), *of)
    [checked] = console.json("check", "--repair")["organisations"]
    assert (checked["person"], checked["photos_missing"]) == (1, 0)


def test_a_person_moves_and_leaves_by_the_command_line(console: Console, folder: Path) -> None:
    console.json("organisation", "add", "acme", "--name", "Acme")
    of = ["--organisation", "acme"]
    for code in ("W", "E"):
        console.json("sector", "add", code, "--name", code, *of)
    console.json("user", "add", "rita", "--name", "Rita", "--sector", "W", *of, given=f"{PASSWORD}\n")
    assert console.json("user", "sectors", "rita", "--sector", "E", *of)["sectors"] == "E"
    assert console.json("user", "password", "rita", *of, given="another good one\n")["password"] == "changed"
    with ServerProcess(folder) as server:
        device = HttpRemote(server.url).sign_in("acme", "rita", "another good one", "laptop").device
        assert console.json("user", "close", "rita", *of)["revoked"] == [{"device": device}]
    [seen] = console.json("user", "list", *of)["users"]
    assert (seen["sectors"], seen["active"]) == ("E", False)
    assert console.json("user", "reopen", "rita", *of)["active"]
    assert "active=True" in console("user", "list", *of)[1]


def test_a_region_is_imported_from_the_command_line(console: Console) -> None:
    console.json("organisation", "add", "acme", "--name", "Acme")
    console.json("sector", "add", "W", "--name", "West", "--organisation", "acme")
    of = ["--organisation", "acme", "--sector", "W"]
    extract = str(resources.path("demo/helsinki.osm.pbf"))
    first = console.json("import-outlets", extract, *of, "--zone", "Europe/Helsinki")
    assert first["added"] > 100
    again = console.json("import-outlets", extract, *of, "--zone", "Europe/Helsinki")
    assert (again["added"], again["changed"], again["unchanged"]) == (0, 0, first["added"])


@pytest.mark.parametrize(
    ("arguments", "code", "said"),
    [
        (["organisation", "add", "acme", "--name", "Acme"], "organisation_exists", "acme"),
        (["sector", "list", "--organisation", "none"], "organisation_unknown", "none"),
        (["user", "add", "x", "--name", "X", "--organisation", "acme"], "password_short", "8"),
        (["import-outlets", "none.pbf", "--organisation", "acme", "--sector", "W"], "sector_unknown", "W"),
        (["run", "--certificate", "public.pem"], "certificate_incomplete", "--key"),
        (["run", "--certificate", __file__, "--key", __file__], "certificate_unusable", "test_restart.py"),
        (["person", "history", "contact", "Rita", "--organisation", "acme"], "id_wrong", "Rita"),
    ],
)
def test_what_does_not_fit_is_a_sentence_and_an_exit_code(
    console: Console, arguments: list[str], code: str, said: str
) -> None:
    console.json("organisation", "add", "acme", "--name", "Acme")
    status, _, sentence = console(*arguments, given="short\n")
    assert (status, said in sentence) == (1, True)
    assert code not in sentence
    assert json.loads(console(*arguments, "--json", given="short\n")[2])["error"] == code


@pytest.mark.parametrize(
    "arguments",
    [["nonsense"], ["run", "--port", "99999"], ["run", "--workers", "0"], ["compact", "--days", "-5"]],
    ids=" ".join,
)
def test_wrong_usage_is_said_by_the_exit_code(console: Console, arguments: list[str]) -> None:
    with pytest.raises(SystemExit) as caught:
        console(*arguments)
    assert caught.value.code == 2


def test_a_check_that_finds_a_fault_says_it_by_its_exit_code(console: Console, folder: Path) -> None:
    console.json("organisation", "add", "acme", "--name", "Acme")
    assert console("check")[0] == 0
    with sqlite3.connect(folder / "server.sqlite") as database:
        database.execute("UPDATE bucket_digest SET rows = rows + 1")
    database.close()
    status, said, _ = console("check")
    assert (status, "sound: False" in said) == (1, True)
