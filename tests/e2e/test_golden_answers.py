"""Today's client and the first release's server: every recorded answer is understood, and a first sync applied."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from datetime import datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any
from uuid import UUID

import msgspec
import pytest
from sqlalchemy import select

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.store.database import Database, Transaction
from fieldcrm.store.tables import T
from fieldcrm.usecases import signin
from fieldcrm.usecases.arrivals import after_apply
from sync.client import failures
from sync.client.engine import SyncEngine
from sync.client.http import HttpRemote, TokenPair
from sync.client.local import Local
from sync.columns import from_wire
from sync.protocol import (
    BlobOffer,
    BlobState,
    Deposit,
    DepositAnswer,
    Receipt,
    RowsRequest,
    SignedIn,
    SnapshotOffer,
    SyncRequest,
    SyncResponse,
    VerifyAnswer,
    VerifyRequest,
)

FILES = Path(__file__).parents[1] / "golden" / "v1"
EXCHANGES: dict[str, dict[str, Any]] = {
    path.stem.partition("-")[2]: json.loads(path.read_text(encoding="utf-8")) for path in sorted(FILES.glob("*.json"))
}
ANSWERS: dict[str, Any] = {
    "/v1/sign-in": SignedIn, "/v1/token": SignedIn, "/v1/devices": SignedIn, "/v1/sync": SyncResponse,
    "/v1/sync/pull": SyncResponse, "/v1/ops/status": list[str], "/v1/receipts": list[Receipt],
    "/v1/blobs/check": list[BlobState], "/v1/sync/snapshots": list[SnapshotOffer], "/v1/sync/verify": VerifyAnswer,
    "/v1/sync/rows": SyncResponse, "/v1/deposit": DepositAnswer,
}  # fmt: skip
GOOD = [
    name for name, one in EXCHANGES.items() if one["status"] == 200 and one["path"].partition("?")[0] in ANSWERS
]  # fmt: skip


@pytest.mark.parametrize("name", GOOD)
def test_every_recorded_answer_is_read_whole(name: str) -> None:
    exchange = EXCHANGES[name]
    kind = ANSWERS[exchange["path"].partition("?")[0]]
    read = msgspec.json.decode(json.dumps(exchange["answer"]), type=kind)
    again = json.loads(msgspec.json.encode(read))
    assert _known(exchange["answer"], again) == []


def _known(old: Any, new: Any, where: str = "") -> list[str]:
    """What was said and is not kept by today's types; a default that is left out says the same."""
    if isinstance(old, dict):
        return [w for name, value in old.items() for w in _known(value, new.get(name, value), f"{where}.{name}")]
    return [] if old == new or isinstance(old, list) else [f"{where}: {new!r} in place of {old!r}"]


class Canned:
    """Answers with recorded exchanges, each route's in the order given; the last is said again."""

    def __init__(self) -> None:
        self.script: dict[tuple[str, str], list[dict[str, Any]]] = {}
        self.asked: list[str] = []
        canned = self

        class Handler(BaseHTTPRequestHandler):
            def answer(self) -> None:
                self.rfile.read(int(self.headers.get("Content-Length") or 0))
                canned.asked.append(f"{self.command} {self.path.partition('?')[0]}")
                said = canned.next(self.command, self.path.partition("?")[0])
                body = json.dumps(said["answer"]).encode() if said["answer"] is not None else b""
                self.send_response(said["status"])
                for name, text in said["answer_headers"].items():
                    self.send_header(name, text)
                if said["status"] != 204:
                    self.send_header("Content-Type", "application/json")
                    self.send_header("Content-Length", str(len(body)))
                self.end_headers()
                self.wfile.write(body)

            do_GET = do_POST = do_PATCH = answer

            def log_message(self, *_: object) -> None:
                pass

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_port}"
        threading.Thread(target=self.server.serve_forever, daemon=True).start()

    def says(self, *names: str) -> None:
        self.script, self.asked = {}, []
        for name in names:
            one = EXCHANGES[name]
            self.script.setdefault((one["method"], one["path"].partition("?")[0]), []).append(one)

    def next(self, method: str, path: str) -> dict[str, Any]:
        left = self.script[method, path]
        return left.pop(0) if len(left) > 1 else left[0]


@pytest.fixture(scope="module")
def canned() -> Iterator[Canned]:
    made = Canned()
    yield made
    made.server.shutdown()
    made.server.server_close()


NAME = EXCHANGES["blob-unknown"]["path"].rpartition("/")[2]
DEPOSIT = Deposit(1, [])
REFUSALS: list[tuple[str, Callable[[HttpRemote], object], type[Exception], str]] = [
    ("sign-in-wrong-password", lambda r: r.sign_in("o", "l", "p", "d"), failures.CallRefused, "credentials_wrong"),
    ("refresh-unknown", lambda r: r.refresh(), failures.NeedsSignIn, "token_unknown"),
    ("not-my-device", lambda r: r.sync(_hello()), failures.CallRefused, "device_not_yours"),
    ("revoked-elsewhere", lambda r: r.op_status([]), failures.Revoked, "device_revoked"),
    ("blob-unknown", lambda r: r.fetch_blob(NAME), failures.CallRefused, "blob_unknown"),
    ("verify-not-mine", lambda r: r.verify(VerifyRequest(1, "x", 1, [])), failures.CallRefused, "out_of_scope"),
    ("deposit-too-late", lambda r: r.deposit(DEPOSIT), failures.CallRefused, "deposit_made"),
]


def _hello() -> SyncRequest:
    return SyncRequest(1, 1, 1, 1, 1, None, {})


@pytest.mark.parametrize(("name", "call", "kind", "code"), REFUSALS, ids=[row[0] for row in REFUSALS])
def test_every_recorded_refusal_is_taken_for_what_it_is(
    canned: Canned, name: str, call: Callable[[HttpRemote], object], kind: type[Exception], code: str
) -> None:
    canned.says(name)
    remote = HttpRemote(canned.url, tokens=TokenPair("access", "refresh", "key"))
    with pytest.raises(kind, match=code):
        call(remote)
    remote.close()


def test_the_rest_of_the_answers_reach_the_engine_as_they_were_meant(canned: Canned) -> None:
    remote = HttpRemote(canned.url, tokens=TokenPair("access", "refresh", "key"))
    canned.says("control-gap", "receipts-after", "blob-check", "verify-different", "snapshots", "rows", "deposit-last")
    gap = remote.sync(_hello())
    assert (gap.control, gap.expected) == ("gap", EXCHANGES["control-gap"]["answer"]["expected"])
    assert [receipt.have for receipt in remote.receipts(["x", "y"])] == [True, False]
    assert not remote.check_blobs([BlobOffer(NAME, 1)])[0].have
    assert remote.verify(VerifyRequest(1, "x", 1, [])).parts
    assert remote.snapshots(["org"])[0].bucket == "org"
    assert remote.rows(RowsRequest(1, "x", {})).pull is not None
    assert remote.deposit(DEPOSIT).closed
    canned.says("control-revoked")
    assert remote.sync(_hello()).control == "revoked"
    remote.close()


class Writes:
    def __init__(self, db: Database, actor: Any, now: datetime) -> None:
        self._db, self._actor, self._now = db, actor, now

    def write(self, work: Callable[[Any], Any]) -> Any:
        return self._db.write(work, actor=self._actor, now=self._now).result().value


def test_a_recorded_first_sync_fills_todays_database_and_verifies(canned: Canned, db: Database, now: datetime) -> None:
    pages = [name for name in EXCHANGES if name == "first-page" or name.startswith("page-")]
    canned.says("sign-in", "first-page", *pages, "quiet", "snapshots-none")  # the first only asks what there is
    signed = signin.sign_in(canned.url, "golden", "rita", "correct horse", "laptop")
    db.write(lambda tx: signin.remember(tx, signed), actor=signed.actor, now=now).result()
    remote = signin.open_remote(db, signed, clock=lambda: now)
    engine = SyncEngine(Local(CATALOGUE, after_apply), Writes(db, signed.actor, now), remote, clock=lambda: now)
    done = engine.run()
    remote.close()
    assert done.verified and done.healed == []
    for number, rows in _told(pages).items():
        collection = CATALOGUE.by_number[int(number)]
        table = getattr(T, collection.name)
        held = _all(db, table)
        assert set(held) == set(rows), collection.name
        for id, values in rows.items():
            for name, value in values.items():
                expected = None if value is None else from_wire(collection.by_name[name].kind, value)
                assert held[id][name] == expected, (collection.name, name)


def _told(pages: list[str]) -> dict[str, dict[UUID, dict[str, Any]]]:
    found: dict[str, dict[UUID, dict[str, Any]]] = {}
    for name in pages:
        pull = EXCHANGES[name]["answer"]["pull"]
        for page in pull.get("pages", []):
            for number, rows in page.get("put", {}).items():
                names = pull["cols"][number]
                found.setdefault(number, {}).update(
                    {UUID(hex=r[0]): dict(zip(names, r[2:], strict=True)) for r in rows}
                )
    return found


def _all(db: Database, table: Any) -> dict[UUID, Any]:
    found: dict[UUID, Any] = {}

    def work(tx: Transaction) -> None:
        found.update({row["id"]: row for row in tx.conn.execute(select(table)).mappings()})

    db.write(work, actor=None, now=datetime.now().astimezone()).result()
    return found
