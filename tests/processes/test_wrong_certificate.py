"""A server that proves to be somebody else: nothing goes to it, nothing is lost, and the right one gets it all."""

from __future__ import annotations

import ipaddress
import random
from datetime import UTC, datetime, timedelta
from pathlib import Path

from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from fieldcrm.server.headquarters import open_headquarters
from fieldcrm.server.process import ServerProcess
from fieldcrm.usecases import signin
from tests.processes.rep import Rep
from tests.server.conftest import CHEAP, PASSWORD, found


def now() -> datetime:
    return datetime.now(UTC)


def make_certificate(folder: Path) -> list[str]:
    """The server's options for a new certificate of 127.0.0.1, signed by itself."""
    folder.mkdir()
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "localhost")])
    names = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(names, critical=False)
    builder = builder.not_valid_before(now() - timedelta(days=1)).not_valid_after(now() + timedelta(days=1))
    made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    public, private = folder / "certificate.pem", folder / "key.pem"
    public.write_bytes(made.sign(key, hashes.SHA256()).public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    private.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return ["--certificate", str(public), "--key", str(private)]


def test_work_waits_while_the_server_is_somebody_else(tmp_path: Path) -> None:
    folder = tmp_path / "hq"
    hq = open_headquarters(folder, None, now, hasher=CHEAP)
    company = found(hq)
    hq.close()
    ours, theirs = make_certificate(tmp_path / "ours"), make_certificate(tmp_path / "theirs")
    server = ServerProcess(folder, options=ours).start()
    signed = signin.sign_in(server.url, company.code, "rita", PASSWORD, "laptop", certificate=Path(ours[1]))
    rep = Rep(tmp_path / "rita", server.url, company.code, "rita", PASSWORD, company.outlets["West shop"], signed)
    assert rep.sync()
    rep.record(random.Random(1))
    server.kill()
    another = ServerProcess(folder, options=theirs)
    another.port = server.port
    with another:
        assert not rep.sync()
        assert rep.supervisor.state.problem == "certificate_refused"
        assert rep.summary()["waiting"] != 0
    with server.start():
        assert rep.finish(20)
        summary = rep.summary()
        assert (summary["waiting"], summary["refused"], summary["reports"]) == (0, 0, 1)
    rep.db.close()
