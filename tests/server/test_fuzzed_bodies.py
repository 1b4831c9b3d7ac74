"""Requests bent in every way: never a 5xx, never an answer that is not described, never a word of another scope.

Rita holds the sector "west". What lies in "east", and all of another organisation, carries the word SECRET; its ids
are known from ``oracle``, which asks none of the server's own functions.
"""

from __future__ import annotations

import copy
import gzip
import hashlib
import json
import os
import random
import re
import secrets
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any
from uuid import UUID

import pytest
import zstandard

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import new_id
from fieldcrm.server.headquarters import Headquarters
from sync.columns import to_milliseconds
from sync.protocol import Op, SyncRequest, Tx
from sync.server.http import build_app, build_routes
from tests.server import oracle
from tests.server.asgi import Answer, InProcess
from tests.server.conftest import NOW, PASSWORD, Clock, Company, found

AT = to_milliseconds(NOW)
SECRET = "SECRET"
REQUESTS = int(os.environ.get("FIELDCRM_REQUESTS", "600"))
Where = tuple[str, str]  # method, path


@dataclass
class World:
    """Rita's side of the wire, and what she must never hear of."""

    hq: Headquarters
    app: InProcess
    company: Company
    rival: Company
    described: dict[str, Any]
    token: str = ""
    device: int = 0
    epoch: int = 1
    next: int = 1
    last: str | None = None
    hidden: set[str] = field(default_factory=set)
    strangers: dict[str, Any] = field(default_factory=dict)  # nasty values that are real elsewhere

    def sign_in(self, login: str, company: Company) -> tuple[str, int]:
        identity, tokens = self.hq.auth.sign_in(company.code, login, PASSWORD, device_name=login, now=self.hq.clock())
        return tokens.access, identity.device_no

    def ask(self, method: str, path: str, body: bytes, token: str | None = None, **headers: str) -> Answer:
        sent = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token if token is None else token}"}
        if token == "":
            del sent["Authorization"]
        return self.app.ask(method, path, body, sent | {n.replace("_", "-"): v for n, v in headers.items()})

    def check(self, answer: Answer, where: Where, sent: str) -> None:
        """Whatever was sent: a described status, the one shape of refusals, and nothing of anybody else's."""
        method, path = where
        assert answer.status < 500 or answer.status in (503, 507), (answer.status, answer.body, sent[:500])
        template = re.sub(r"[0-9a-f]{64}$", "{sha256}", path.partition("?")[0])
        described = self.described["paths"][template][method.lower()]["responses"]
        assert str(answer.status) in described, (where, answer.status, answer.body[:300])
        assert answer.headers["x-request-id"]
        if answer.status >= 400 and method != "HEAD":
            problem = answer.json()
            assert set(problem) == {"code", "params"} and problem["code"], problem
            assert answer.status not in (429, 503) or int(answer.headers["retry-after"]) > 0
        text = answer.plain.decode("utf-8", "replace")
        assert SECRET not in text, (where, sent[:500], text[:500])
        told = {id for id in re.findall(r"[0-9a-f]{32}", text) if id in self.hidden and id not in sent}
        assert not told, (where, sent[:500], told)


def secret_report(company: Company, login: str, outlet: UUID) -> dict[str, UUID]:
    """A visit, report, photo and contact that Rita may not see, written by the server."""
    ids = {name: new_id(NOW) for name in ("visit", "submission", "attachment", "contact", "plan")}
    person, sha256 = company.people[login], hashlib.sha256(ids["visit"].bytes).hexdigest()
    common = {"visit_id": ids["visit"], "outlet_id": outlet}
    rows: list[tuple[str, dict[str, Any]]] = [
        ("visit", {"id": ids["visit"], "outlet_id": outlet, "person_id": person, "started_at": NOW, "ended_at": NOW,
                   "zone": "Europe/Paris", "position_source": "none"}),
        ("submission", {"id": ids["submission"], **common, "person_id": person, "form": "shelf_audit",
                        "form_version": "1", "answers": {"note": SECRET}, "started_at": NOW, "submitted_at": NOW}),
        ("attachment", {"id": ids["attachment"], **common, "submission_id": ids["submission"], "node": "/photo",
                        "sha256": sha256, "size": 10, "mime": "image/jpeg"}),
        ("contact", {"id": ids["contact"], "outlet_id": outlet, "name": SECRET}),
    ]  # fmt: skip
    company.hq.apply(company.org, rows)
    content = ids["visit"].bytes
    company.hq.blobs.put(company.org, content, "image/jpeg", now=NOW)
    return ids


@pytest.fixture(scope="module")
def world(headquarters: Headquarters) -> Iterator[World]:
    company, rival = found(headquarters), found(headquarters)
    names = {"company": (company, "east"), "rival": (rival, "west")}
    strangers: dict[str, Any] = {}
    for who, (owner, sector) in names.items():
        outlet = owner.add_outlet(sector, SECRET)
        login = "omar" if sector == "east" else "rita"
        ids = secret_report(owner, login, outlet)
        strangers |= {f"{who} {name}": id.hex for name, id in ids.items()} | {f"{who} outlet": outlet.hex}
        strangers[f"{who} photo"] = hashlib.sha256(ids["visit"].bytes).hexdigest()
        strangers[f"{who} bucket"] = f"sector:{owner.sectors[sector].hex}"
        strangers[f"{who} person"] = owner.people[login].hex
        strangers[f"{who} user bucket"] = f"user:{owner.people[login].hex}"
    parts = headquarters.parts()
    described = json.loads(build_routes(parts, title="x", version="1").state.description)
    with InProcess(build_app(parts, title="x", version="1")) as app:
        made = World(headquarters, app, company, rival, described, strangers=strangers)
        strangers["omar's device"] = made.sign_in("omar", company)[1]
        made.token, made.device = made.sign_in("rita", company)
        rows = oracle.all_rows(headquarters, company.org)
        hidden = oracle.hidden(rows, company.people["rita"], NOW.date())
        hidden |= {id for some in oracle.all_rows(headquarters, rival.org).values() for id in some}
        made.hidden = {id.hex for id in hidden}
        yield made


@pytest.fixture
def rita(world: World, clock: Clock) -> World:
    world.token, _ = (
        world.hq.auth.sign_in(  # tokens live a quarter of an hour, and the clock is set back for each test
            world.company.code, "rita", PASSWORD, device_name="rita", device_no=world.device, now=clock()
        )[1].access,
        0,
    )
    return world


# -- bodies that are none


def bomb(megabytes: int, kind: str) -> bytes:
    if kind == "gzip":
        return gzip.compress(bytes(megabytes << 20), 9)
    packer = zstandard.ZstdCompressor(level=1, write_content_size=kind == "zstd sized").compressobj()
    return packer.compress(bytes(megabytes << 20)) + packer.flush()


NO_BODIES = {
    "nothing": b"",
    "null": b"null",
    "a number": b"1e999",
    "a very long number": b"9" * 100_000,
    "deep": b"[" * 200_000,
    "deep objects": b'{"a":' * 100_000,
    "cut": b'{"proto":1,"sch',
    "not UTF-8": b'{"organisation":"\xff\xfe"}',
    "a lone surrogate": b'{"organisation":"\\ud800","login":"a","password":"a","device_name":"a"}',
    "NUL": b'{"organisation":"\\u0000","login":"\\u0000","password":"\\u0000","device_name":"\\u0000"}',
    "twice": b'{"refresh":"a","refresh":"b","device_name":"x","device_name":1}',
    "an array": b"[1,[2],{}]",
    "many": b"[" + b"1," * 30_000 + b"1]",
    "NaN": b'{"epoch":NaN}',
    "a BOM": b"\xef\xbb\xbf{}",
    "form": b"a=b&c=d",
}  # fmt: skip


def routes(world: World) -> list[Where]:
    return [
        (method.upper(), path.replace("{sha256}", "a" * 64) + ("?token=x" if path.endswith("pull") else ""))
        for path, methods in world.described["paths"].items()
        for method in methods
    ]


@pytest.mark.parametrize("name", NO_BODIES)
def test_a_body_that_is_none_is_refused_by_every_route_in_the_one_shape(rita: World, name: str) -> None:
    for where in routes(rita):
        for token in (None, ""):
            rita.check(rita.ask(*where, NO_BODIES[name], token), where, name)


@pytest.mark.parametrize("kind", ["zstd", "zstd sized", "gzip"])
@pytest.mark.parametrize("token", [None, ""], ids=["signed", "unsigned"])
def test_a_bomb_is_refused_at_the_door(rita: World, kind: str, token: str | None) -> None:
    packed = bomb(33, kind)
    for where in routes(rita)[:: 4 if token is None else 1]:
        answer = rita.ask(*where, packed, token, Content_Encoding=kind.split()[0])
        rita.check(answer, where, kind)
        assert (answer.status, answer.json()["code"] if where[0] != "HEAD" else "") in (
            (413, "body_too_large"), (413, ""),
        )  # fmt: skip


@pytest.mark.parametrize("encoding", ["br", "deflate", "zstd, gzip", "gzip;q=1", "identity, zstd", "\x7f"])
def test_an_encoding_that_is_not_taken_is_named_as_such(rita: World, encoding: str) -> None:
    answer = rita.ask("POST", "/v1/ops/status", b"[]", Content_Encoding=encoding)
    assert (answer.status, answer.json()["code"]) == (415, "encoding_unknown")


@pytest.mark.parametrize("encoding", ["zstd", "gzip"])
def test_a_packed_body_that_is_damaged_or_followed_by_more_is_refused(rita: World, encoding: str) -> None:
    packed = gzip.compress(b"[]") if encoding == "gzip" else zstandard.compress(b"[]")
    assert rita.ask("POST", "/v1/ops/status", packed, Content_Encoding=encoding).status == 200
    for bad in (packed[:-3], packed + b"x", packed + packed, b"x" + packed, b""):
        answer = rita.ask("POST", "/v1/ops/status", bad, Content_Encoding=encoding)
        assert (answer.status, answer.json()["code"]) == (400, "body_damaged")


# -- tokens


def test_a_token_that_was_not_given_opens_nothing(rita: World) -> None:
    org = rita.company.org.hex
    forged = [
        "x", "a" * 900, f"{org}.x", f"{rita.rival.org.hex}.{'a' * 43}", f"{org}.{secrets.token_urlsafe(32)}",
        rita.token[:-1], rita.token + "a", rita.token.swapcase(), f"{rita.rival.org.hex}{rita.token[32:]}",
        "' OR 1=1 --", "\x7f", "null", "Bearer",
    ]  # fmt: skip
    for token in forged:
        for where in routes(rita):
            operation = rita.described["paths"][re.sub(r"a{64}$", "{sha256}", where[1].partition("?")[0])][
                where[0].lower()
            ]
            if operation["security"]:
                answer = rita.ask(*where, b"", token)
                assert answer.status in (400, 401), (token, where, answer.status)


# -- bodies that are nearly right


def samples(world: World) -> list[tuple[Where, Any]]:
    outlet = world.company.outlets["West shop"].hex
    op = {"n": 1, "op": "a" * 32, "k": "new", "c": CATALOGUE.by_name["contact"].number, "id": new_id(NOW).hex,
          "base": 0, "set": {"outlet_id": outlet, "name": "Ines"}, "was": {}, "at": AT}  # fmt: skip
    edit = op | {"op": "b" * 32, "n": 2, "k": "upd", "c": CATALOGUE.by_name["outlet"].number, "id": outlet,
                 "base": 1 << 41, "set": {"name": "New name", "phone": "1"}}  # fmt: skip
    drop = op | {"op": "c" * 32, "n": 3, "k": "del", "set": {}}
    command = op | {"op": "d" * 32, "n": 4, "k": "cmd", "c": CATALOGUE.by_name["outlet"].number, "id": outlet,
                    "cmd": "outlet.move", "set": {"sector_id": world.company.sectors["west"].hex,
                                                  "from": "2026-11-20"}}  # fmt: skip
    west = f"sector:{world.company.sectors['west'].hex}"
    sync = {"proto": 1, "schema": 1, "epoch": 1, "device": world.device, "next_seq": 1, "prev_op": None,
            "cursors": {"org": 0, west: 5}, "tx": [{"t": "e" * 32, "ops": [op, edit, drop, command]}],
            "want": 50}  # fmt: skip
    return [
        (("POST", "/v1/sync"), sync),
        (("POST", "/v1/sync"), sync | {"tx": []}),
        (("POST", "/v1/ops/status"), ["a" * 32, "b" * 32]),
        (("POST", "/v1/receipts"), [new_id(NOW).hex]),
        (("POST", "/v1/blobs/check"), [{"sha256": "a" * 64, "size": 10, "mime": "image/jpeg"}]),
        (("POST", "/v1/devices"), {"device_name": "x"}),
        (("POST", "/v1/sync/snapshots"), {"buckets": ["org", west], "wire": 1}),
        (("POST", "/v1/sync/verify"), {"epoch": 1, "bucket": west, "cursor": 1 << 41, "sums": ["0" * 16] * 256}),
        (("POST", "/v1/sync/rows"), {"epoch": 1, "bucket": west, "ids": {"8": [outlet]}}),
        (("POST", "/v1/deposit"), {"device": world.device, "tx": sync["tx"]}),
        (("POST", "/v1/token"), {"refresh": "x"}),
    ]  # fmt: skip


NASTY: list[Any] = [
    None, True, -1, 0, 1, 2**31, 2**53, 2**63 - 1, 2**63, -(2**63), 2**64, 10**30, 0.5, 1e300,
    "", "x", "\x00", "a\x00b", "\U0010ffff", "0" * 32, "f" * 32, "A" * 32, "../../etc/passwd", "' OR 1=1 --",
    "org", "user:", "sector:", "a" * 70_000, "9999-12-31", "-1", "new", "upd", "del", "cmd",
    [], {}, [[]], [None], {"": None}, {"id": "x"}, ["a"] * 1001, {str(n): n for n in range(300)},
    {"a": {"b": [1, {"c": None}]}},
]  # fmt: skip


def places(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    yield path
    if isinstance(value, dict):
        for key, inner in value.items():
            yield from places(inner, (*path, key))
    elif isinstance(value, list):
        for index, inner in enumerate(value[:4]):
            yield from places(inner, (*path, index))


def put(value: Any, path: tuple[Any, ...], new: Any) -> Any:
    if not path:
        return new
    inside = value
    for step in path[:-1]:
        inside = inside[step]
    inside[path[-1]] = new
    return value


def bent(world: World, rng: random.Random) -> tuple[Where, str]:
    """A request with one to three values that are nasty, or real elsewhere, or missing."""
    where, body = rng.choice(samples(world))
    body = copy.deepcopy(body)
    for tx in body["tx"] if isinstance(body, dict) and body.get("tx") else []:
        for op in tx["ops"]:
            op["op"] = f"{rng.getrandbits(128):032x}"
            if op["k"] == "new":
                op["id"] = f"{rng.getrandbits(128):032x}"
    if isinstance(body, dict) and "next_seq" in body and rng.random() < 0.8:
        _go_on(world, body)
    for _ in range(rng.randint(1, 3)):
        path = rng.choice([place for place in places(body) if place or rng.random() < 0.1] or [()])
        body = put(body, path, copy.deepcopy(_another(world, rng, _at(body, path))))
    return where, json.dumps(body)


def _another(world: World, rng: random.Random, old: Any) -> Any:
    """Something else: mostly of the same kind, so that the first look at the request lets it pass."""
    pool = [*world.strangers.values(), *NASTY]
    if rng.random() < 0.85:
        pool = [value for value in pool if type(value) is type(old)] or pool
    return rng.choice(pool)


def _at(body: Any, path: tuple[Any, ...]) -> Any:
    for step in path:
        body = body[step]
    return body


def _go_on(world: World, body: dict[str, Any]) -> None:
    """Number the operations as the device would, so that the rest of them is looked at."""
    body.update(next_seq=world.next, prev_op=world.last)
    for tx in body["tx"]:
        for op in tx["ops"]:
            op["n"] += world.next - 1


def _heard(world: World, where: Where, answer: Answer) -> int:
    """Keep the device's numbers; how many operations were answered."""
    if where[1] != "/v1/sync" or answer.status != 200:
        return 0
    results = answer.json().get("results", [])
    if results:
        world.next, world.last = results[-1]["n"] + 1, results[-1]["op"]
    return len(results)


def test_a_bent_request_tells_and_changes_nothing_of_another_scope(rita: World) -> None:
    """A seeded storm; all that is wrong is told at once, with the request that shows it."""
    rng = random.Random(20261120)
    wrong: dict[str, str] = {}
    statuses: Counter[str] = Counter()
    for _ in range(REQUESTS):
        where, body = bent(rita, rng)
        answer = rita.ask(*where, body.encode())
        statuses["answers"] += _heard(rita, where, answer)
        statuses[f"{where[1]} {answer.status}"] += 1
        try:
            rita.check(answer, where, body)
        except AssertionError as error:
            wrong.setdefault(str(error)[:200], f"{where} {body[:1500]}")
    assert not wrong, "\n".join(f"{what}\n    {how}" for what, how in wrong.items())
    assert statuses["/v1/sync 200"] > REQUESTS / 20, statuses
    assert statuses["answers"] > REQUESTS / 20, statuses


def test_nothing_hidden_has_changed_under_all_that(rita: World) -> None:
    """Run after the storm above: every hidden record is as the server itself wrote it, under its first revision."""
    west = set(oracle.visible(oracle.all_rows(rita.hq, rita.company.org), rita.company.people["rita"], NOW.date()))
    for owner in (rita.company, rita.rival):
        for name, rows in oracle.all_rows(rita.hq, owner.org).items():
            for id, row in rows.items():
                if id.hex in rita.hidden:
                    assert row["deleted_rev"] is None and set(row["frev"]) <= {"*"}, (name, id)
                    assert (name, id) not in west


# -- what is real, and somebody else's


def test_everything_that_an_answer_holds_is_in_the_callers_scope(rita: World) -> None:
    """The whole pull, for each person: exactly what the oracle says, no more and no less."""
    for login in ("rita", "omar", "mona"):
        for owner in (rita.company, rita.rival):
            token, device = rita.sign_in(login, owner)
            request = SyncRequest(1, 1, 1, device, 1, None, {}, [], 7)
            got: set[tuple[str, UUID]] = set()
            body = rita.ask("POST", "/v1/sync", json.dumps(request, default=_plain).encode(), token).json()
            while True:
                for page in body["pull"].get("pages", []):
                    for number, rows in page.get("put", {}).items():
                        got |= {(CATALOGUE.by_number[int(number)].name, UUID(hex=row[0])) for row in rows}
                if not body["pull"].get("more"):
                    break
                body = rita.ask("GET", f"/v1/sync/pull?token={body['pull']['token']}", b"", token).json()
            expected = oracle.visible(oracle.all_rows(rita.hq, owner.org), owner.people[login], NOW.date())
            assert got == expected


def test_anothers_pull_token_shows_only_ones_own(rita: World) -> None:
    token, device = rita.sign_in("mona", rita.company)
    request = SyncRequest(1, 1, 1, device, 1, None, {}, [], 3)
    answer = rita.ask("POST", "/v1/sync", json.dumps(request, default=_plain).encode(), token)
    where: Where = ("GET", f"/v1/sync/pull?token={answer.json()['pull']['token']}")
    for _ in range(20):
        page = rita.ask(*where, b"")
        rita.check(page, where, "")
        if not page.json()["pull"].get("more"):
            return
        where = ("GET", f"/v1/sync/pull?token={page.json()['pull']['token']}")
    pytest.fail("the pull never ends")


@pytest.mark.parametrize("whose", ["company", "rival"])
def test_anothers_photo_is_as_unknown_as_one_that_does_not_exist(rita: World, whose: str) -> None:
    photo = rita.strangers[f"{whose} photo"]
    for method in ("GET", "HEAD"):
        known, unknown = (rita.ask(method, f"/v1/blobs/{name}", b"") for name in (photo, "0" * 64))
        if method == "GET":
            assert known.status == 404 and known.json()["code"] == "blob_unknown"
            assert known.json()["code"] == unknown.json()["code"]
        elif whose == "rival":
            assert known.status == unknown.status == 404


@pytest.mark.parametrize("whose", ["company", "rival"])
def test_an_operation_on_a_hidden_record_is_refused_without_a_word_of_it(rita: World, whose: str) -> None:
    token, device = rita.sign_in("rita", rita.company)
    number = 0
    last: str | None = None
    for name in ("outlet", "visit", "submission", "contact"):
        for kind, values in (("upd", {"name": "x"}), ("del", {}), ("new", {"name": "x"})):
            number += 1
            id = rita.strangers[f"{whose} {name}"]
            op = Op(number, secrets.token_hex(16), kind, CATALOGUE.by_name[name].number, id, 2**50, values, at=AT)  # type: ignore[arg-type]
            request = SyncRequest(1, 1, 1, device, number, last, {}, [Tx(secrets.token_hex(16), [op])], 0)
            answer = rita.ask("POST", "/v1/sync", json.dumps(request, default=_plain).encode(), token)
            [result] = answer.json()["results"]
            last = op.op
            assert result["s"] in ("rejected", "dependent") and "row" not in result, (name, kind, result)
            assert SECRET not in answer.plain.decode()


def _plain(value: Any) -> Any:
    return {name: getattr(value, name) for name in value.__struct_fields__}
