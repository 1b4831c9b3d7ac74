"""Every statement that the server can send is read once: all routes, all jobs, all commands, on hash partitions.

The fixture ``every_statement_names_its_organisation`` refuses what could not run on tables spread by organisation.
Here it is made sure that there is nothing it did not hear.
"""

from __future__ import annotations

import argparse
import hashlib
import io
import os
import re
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest
import requests

from fieldcrm import resources
from fieldcrm.domain.ids import new_id
from fieldcrm.serve import command_line, main
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.jobs import build_snapshots, run_once
from sync.protocol import BlobOffer, Deposit, RowsRequest, Tx, VerifyRequest
from tests.server.conftest import CHEAP, NOW, PARTITIONS, PASSWORD, Clock, Company, found, reader
from tests.server.here import serving
from tests.server.statements import Listening, Reader
from tests.server.wire import AT, BareDevice, bearer, upload

_COUNTED = re.compile(r'sync_requests_total\{method="(\w+)",route="([^"]+)"')
# Tables that no route and no job touches: commands do, and what erases people.
_OF_COMMANDS = frozenset({"auth_recovery_code"})
_XFORM = resources.text("forms/shelf_audit.xml")


on_postgresql = pytest.mark.parametrize("headquarters", ["postgresql"], indirect=True)  # SQLite is never spread


@pytest.fixture
def url(hq: Headquarters, monkeypatch: pytest.MonkeyPatch) -> Iterator[str]:
    monkeypatch.setattr(hq.snapshots, "_least_rows", 1, raising=False)
    with serving(hq) as address:
        yield address


# The reader itself


SPREAD = Reader(frozenset({"visit", "outlet"}), frozenset({"server_lease"}))


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT v.id FROM visit AS v JOIN outlet ON outlet.org_id = v.org_id WHERE v.org_id = %(o)s::UUID",
        "SELECT id FROM visit WHERE org_id = %s AND id = ANY(%s) FOR UPDATE",
        "SELECT id FROM visit WHERE org_id = %(o)s AND id NOT IN (SELECT id FROM outlet WHERE org_id = %(o)s)",
        "SELECT id FROM visit v WHERE v.org_id = %(o)s AND EXISTS (SELECT 1 FROM outlet u WHERE u.org_id = v.org_id)",
        "INSERT INTO visit (org_id, id) VALUES (%(o)s, 1) ON CONFLICT (org_id, id) DO UPDATE SET note = excluded.note",
        "INSERT INTO visit (org_id, id) SELECT %(o)s::uuid, id FROM json_to_recordset(%(r)s::json) AS r(id uuid)",
        "UPDATE visit AS t SET note = r.note FROM unnest(%(n)s) AS r(note) WHERE t.org_id = %(o)s",
        "DELETE FROM visit WHERE visit.org_id = %(o)s AND visit.id = %(i)s",
        "WITH old AS (SELECT id FROM visit WHERE org_id = %(o)s) SELECT id FROM old",
        "UPDATE server_lease SET holder = %(h)s WHERE name = %(n)s",
        'COPY "visit" ("org_id", "id") FROM STDIN',
    ],
)
def test_the_reader_takes_what_names_the_organisation(sql: str) -> None:
    assert SPREAD.read(sql).faults == ()


@pytest.mark.parametrize(
    "sql",
    [
        "SELECT id FROM visit",
        "SELECT id FROM visit WHERE id = %(i)s",
        "SELECT id FROM visit WHERE org_id = %(o)s OR id = %(i)s",
        "SELECT id FROM visit WHERE org_id IN (%(o)s, %(p)s)",
        "SELECT v.id FROM visit AS v JOIN outlet ON outlet.id = v.outlet_id WHERE v.org_id = %(o)s",
        "SELECT id FROM visit WHERE org_id = %(o)s AND id IN (SELECT id FROM outlet)",
        "SELECT id FROM visit WHERE org_id = %(o)s UNION ALL SELECT id FROM outlet",
        "INSERT INTO visit (id) VALUES (%(i)s)",
        "INSERT INTO visit (org_id, id) VALUES (%(o)s, %(i)s) ON CONFLICT (id) DO NOTHING",
        "INSERT INTO visit (org_id, id) VALUES (%(o)s, %(i)s) ON CONFLICT (org_id, id) DO UPDATE SET org_id = %(p)s",
        "INSERT INTO visit (org_id, id) SELECT r.org_id, r.id FROM json_to_recordset(%(r)s) AS r(org_id uuid, id uuid)",
        "INSERT INTO visit (org_id, id) VALUES (%(o)s, gen_random_uuid())",
        "UPDATE visit SET note = %(n)s WHERE id = %(i)s",
        "UPDATE visit SET org_id = %(p)s WHERE org_id = %(o)s",
        "UPDATE visit SET note = random()::text WHERE org_id = %(o)s",
        "UPDATE visit AS t SET note = r.note FROM unnest(%(n)s) AS r(org_id, note) WHERE t.org_id = r.org_id",
        "DELETE FROM visit USING outlet WHERE visit.org_id = %(o)s AND outlet.id = visit.outlet_id",
        "WITH old AS (SELECT id FROM visit) SELECT id FROM old",
        "SELECT id FROM a_table_that_nobody_named",
        'COPY "visit" ("id", "note") FROM STDIN',
        "TRUNCATE visit",
    ],
)
def test_the_reader_refuses_what_could_reach_another_organisation(sql: str) -> None:
    assert SPREAD.read(sql).faults != ()


@on_postgresql
def test_a_transaction_that_names_two_organisations_is_refused(hq: Headquarters, listening: Listening) -> None:
    one, other = found(hq), found(hq)
    table = hq.sync.tables.org
    with hq.engine.begin() as connection:
        for company in (one, other):
            connection.execute(table.select().where(table.c.org_id == company.org))
    assert any("names 2 organisations" in fault for fault in listening.faults)
    listening.faults.clear()


# Everything that the server does


@on_postgresql
def test_every_route_names_the_organisation(hq: Headquarters, url: str, company: Company, listening: Listening) -> None:
    company.add("form", name="shelf_audit", version="1", xform=_XFORM, active=True)
    rita, omar, mona = (BareDevice(url, company, login) for login in ("rita", "omar", "mona"))
    outlet = company.outlets["West shop"]
    content = os.urandom(3000)
    sha256 = upload(rita, content)
    ops, ids = rita.visit(outlet, sha256, len(content))
    assert {result.s for result in rita.push(*ops)} == {"applied"}
    _change_and_clash(rita, mona, outlet, ids)
    move = mona.op("cmd", "outlet", outlet, sector_id=company.sectors["east"])
    move.cmd = "outlet.move"
    assert mona.push(move)[0].s == "applied"
    assert rita.everything() and omar.everything()
    rita.remote.op_status([ops[0].op])
    rita.remote.receipts([ids["submission"].hex])
    requests.head(f"{url}/v1/blobs/{sha256}", headers=bearer(rita), timeout=10)
    omar.remote.fetch_blob(sha256)
    page = omar.remote.history("outlet", outlet.hex)
    omar.remote.history("outlet", outlet.hex, f"{page.entries[0].rev}.{page.entries[0].i}")
    omar.remote.refresh()
    _bootstrap_and_repair(hq, omar, company, url)
    omar.remote.new_device("copy")
    _last_word(company, url)
    for path in ("/v1/health", "/v1/health/ready", "/v1/schema/openapi.json"):
        assert requests.get(url + path, timeout=10).ok
    _check_every_route_was_driven(url)
    heard = " ".join(listening.statements)  # were the listener deaf, everything here would be green
    assert {name for name in reader().spread if not re.search(rf"\b{name}\b", heard)} <= _OF_COMMANDS


def _change_and_clash(rita: BareDevice, mona: BareDevice, outlet: object, ids: dict[str, object]) -> None:
    """Edits of one field by two devices, a deletion, a review, a correction, and the same request twice."""
    first = rita.op("upd", "outlet", outlet, base=1 << 40, phone="+33 1")
    second = mona.op("upd", "outlet", outlet, base=1 << 40, phone="+33 2")
    rita.push(first)
    mona.push(second)
    task = rita.new("task", outlet_id=outlet, kind="task", text="Call", state="open")
    rita.push(task)
    review = mona.new(
        "review", submission_id=ids["submission"], visit_id=ids["visit"], outlet_id=outlet, decision="returned",
        reason="photo_missing", person_id=mona.person, decided_at=AT,
    )  # fmt: skip
    mona.push(review)
    request = rita.request()
    rita.remote.sync(request)
    rita.remote.sync(request)


def _bootstrap_and_repair(hq: Headquarters, device: BareDevice, company: Company, url: str) -> None:
    hq.snapshots.refresh(company.org, now=hq.clock())
    sector = f"sector:{company.sectors['east'].hex}"
    offers = device.remote.snapshots(["org", sector])
    assert offers
    device.remote.fetch_snapshot(offers[0].sha256)
    pack = resources.path("demo/helsinki.mbtiles")
    region = hq.regions.add(company.org, pack, "Helsinki", (24.0, 60.0, 25.0, 61.0), hq.clock())
    assert device.remote.fetch_file(region.sha256, 0)
    requests.head(f"{url}/v1/sync/snapshots/{offers[0].sha256}", headers=bearer(device), timeout=10)
    device.sync()
    sums = ["0" * 16] * 256
    answer = device.remote.verify(VerifyRequest(device.epoch, sector, device.cursors[sector], sums))
    held = [row for rows in answer.parts.values() for row in rows]
    wanted: dict[str, list[str]] = {}
    for number, id, _ in held:
        wanted.setdefault(str(number), []).append(id)
    device.remote.rows(RowsRequest(device.epoch, sector, wanted))


def _last_word(company: Company, url: str) -> None:
    lost = BareDevice(url, company, "rita")
    photo = os.urandom(400)
    sha256 = hashlib.sha256(photo).hexdigest()
    ops, _ = lost.visit(company.outlets["West shop"], sha256, len(photo))
    accounts.revoke_device(company.hq, company.org, lost.number, now=NOW)
    lost.remote.deposit(Deposit(lost.number, [Tx("t", ops)], 0, True, [BlobOffer(sha256, len(photo))]))
    lost.remote.deposit_blob(sha256, 0, photo)
    lost.remote.deposit(Deposit(lost.number, [], 1, False))


def _check_every_route_was_driven(url: str) -> None:
    described = requests.get(f"{url}/v1/schema/openapi.json", timeout=10).json()["paths"]
    every = {(method.upper(), path) for path, methods in described.items() for method in methods}
    requests.get(f"{url}/v1/metrics", timeout=10)  # counted when it has been answered
    counted = set(_COUNTED.findall(requests.get(f"{url}/v1/metrics", timeout=10).text))
    heard = {(method, re.sub(r":\w+}", "}", route)) for method, route in counted}
    assert every - heard == set()


@on_postgresql
def test_every_job_names_the_organisation(hq: Headquarters, company: Company, clock: Clock) -> None:
    hq.leases.give_back("sweep")
    clock.pass_by(days=400)
    assert run_once(hq)
    assert build_snapshots(hq, lambda: False)


@on_postgresql
def test_every_command_names_the_organisation(
    hq: Headquarters, company: Company, clock: Clock, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("fieldcrm.serve.open_headquarters", partial(open_headquarters, hasher=CHEAP))
    left = set(_commands(command_line().parser)) - {"run", "restore", "verify-backup"}  # the first is above
    address = hq.engine.url.render_as_string(hide_password=False)
    of_company = ("--organisation", company.code)

    def run(command: str, *words: str, code: int = 0) -> None:
        left.discard(command)
        common = ["--data", str(hq.folder), "--database", address, "--json"]
        assert main([*command.split(), *words, *common]) == code, command

    contact = company.add("contact", outlet_id=company.outlets["West shop"], name="Zoe", active=True)
    device = str(hq.auth.sign_in(company.code, "rita", PASSWORD, device_name="one", now=NOW)[0].device_no)
    empty = tmp_path / "empty"
    empty.write_text("", encoding="utf-8")
    word = tmp_path / "word"
    word.write_text(PASSWORD, encoding="utf-8")
    run("init")
    run("organisation add", f"{company.code}b", "--name", "B")
    run("organisation list")
    run("organisation second-factor", company.code, "optional")
    run("sector add", "north", "--name", "North", *of_company)
    run("sector list", *of_company)
    monkeypatch.setattr("sys.stdin", io.StringIO(PASSWORD))
    run("user add", "zoe", "--name", "Zoe", "--sector", "north", *of_company)
    run("user second-factor", "zoe", *of_company)
    run("user sectors", "zoe", *of_company)
    run("user password", "zoe", "--password-file", str(word), *of_company)
    run("user close", "zoe", *of_company)
    run("user reopen", "zoe", *of_company)
    run("user list", *of_company)
    run("device list", *of_company)
    run("device rename", device, "two", *of_company)
    run("device revoke", device, *of_company)
    run("import-products", str(empty), *of_company, code=1)  # tests/server/test_products.py reads real ones
    run("import-outlets", str(empty), "--sector", "north", *of_company, code=1)
    run("region add", str(resources.path("demo/helsinki.mbtiles")), *of_company)
    run("region list", *of_company)
    run("region remove", "helsinki", *of_company)
    run("compact", "--days", "30")
    run("check", "--repair")
    run("backup", str(tmp_path / "copy"))
    run("quarantine list", "--all", *of_company)
    for decision in ("show", "apply", "drop"):
        run(f"quarantine {decision}", new_id(NOW).hex, *of_company, code=1)
    run("person history", "contact", contact.hex, *of_company)
    run("person erase", contact.hex, *of_company)
    run("person erasures", *of_company)
    run("person reapply")
    run("bundle key", *of_company)
    run("bundle renew", *of_company)
    run("bundle import", str(empty), code=1)  # tests/server/test_bundles.py applies real ones
    run("distribute", "--native-partitions", str(PARTITIONS))  # laid out already: it looks, and finds nothing to do
    assert left == set()


def _commands(parser: argparse.ArgumentParser, before: str = "") -> Iterator[str]:
    groups = [action for action in parser._actions if isinstance(action, argparse._SubParsersAction)]
    if not groups:
        yield before
    for group in groups:
        for name, inner in group.choices.items():
            yield from _commands(inner, f"{before} {name}".strip())
