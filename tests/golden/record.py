"""Records the wire files of this release: ``python -m tests.golden.record`` writes tests/golden/v1/ anew.

Only while version 1 is not released. Afterwards these files stay for ever, and a later release gets a folder beside.
"""

from __future__ import annotations

import base64
import hashlib
import json
import tempfile
from pathlib import Path
from typing import Any
from uuid import UUID, uuid5

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.server import accounts
from sync.columns import to_milliseconds
from tests.golden.stage import CODE, FILES, KEPT_HEADERS, NOW, PASSWORD, Exchange, Stage, stage, told

AT = to_milliseconds(NOW)
PHOTO = b"\xff\xd8\xff a photo of a shelf \xff\xd9" * 40
_SPACE = UUID("6f1d2f2e-0000-7000-8000-0000000901de")


def an_id(name: str) -> UUID:
    """A device's own id: not from the stage's dice, which the server throws when the files are played, too."""
    return uuid5(_SPACE, name)


class Recorder:
    def __init__(self, set_up: Stage) -> None:
        self.stage = set_up
        self.files: list[Exchange] = []
        self.next: dict[str, int] = {}
        self.last: dict[str, str | None] = {}
        self.devices: dict[str, int] = {}
        self.cursors: dict[str, dict[str, int]] = {}

    def ask(
        self, name: str, login: str, method: str, path: str, body: Any = None, *, key: bool = False, **more: str
    ) -> Any:
        """One exchange, recorded; gives what was answered."""
        headers = {} if body is None else {"Content-Type": "application/json"}
        if login:
            headers["Authorization"] = f"Deposit {{key:{login}}}" if key else f"Bearer {{access:{login}}}"
        headers |= {header.replace("_", "-"): text for header, text in more.items()}
        before = dict(self.stage.words)
        answer = self.stage.play(method, path, headers, body)
        said = told(answer)
        now, self.stage.words = self.stage.words, {**self.stage.words, **before}
        sent = json.loads(self.stage.blank(json.dumps(body, ensure_ascii=False)))
        self.stage.words = now
        kept = {header: self.stage.blank(answer.headers[header]) for header in KEPT_HEADERS if header in answer.headers}
        shown = json.loads(self.stage.blank(json.dumps(said, ensure_ascii=False)))
        self.files.append(Exchange(name, method, path, headers, sent, answer.status, kept, shown))
        return said

    def direct(self, name: str, what: str) -> None:
        """Something that happens on the server, between two exchanges."""
        direct(self.stage, what)
        self.files.append(Exchange(name, "STAGE", what, {}, None, 0, {}, None))

    # -- what devices say

    def sign_in(self, name: str, login: str, **more: Any) -> Any:
        body = {"organisation": CODE, "login": login, "password": PASSWORD, "device_name": f"{login}'s laptop"} | more
        said = self.ask(name, "", "POST", "/v1/sign-in", body, X_Login=login)
        if "device" in said:
            self.devices[login] = said["device"]
            self.next.setdefault(login, 1)
            self.last.setdefault(login, None)
        return said

    def op(self, login: str, k: str, collection: str, id: UUID, /, *, base: int = 0, **values: Any) -> dict[str, Any]:
        n = self.next[login]
        self.next[login] += 1
        self.last[login] = uuid5(_SPACE, f"{login}{n}").hex
        wire = {name: value.hex if isinstance(value, UUID) else value for name, value in values.items()}
        return {"n": n, "op": self.last[login], "k": k, "c": CATALOGUE.by_name[collection].number, "id": id.hex,
                "base": base, "set": wire, "at": AT}  # fmt: skip

    def sync(self, name: str, login: str, *transactions: list[dict[str, Any]], **more: Any) -> Any:
        """Say hello and push; ``more`` overrides a field of the request."""
        ops = [op for tx in transactions for op in tx]
        first = ops[0]["n"] if ops else self.next[login]
        prev = uuid5(_SPACE, f"{login}{first - 1}").hex if first > 1 else None
        tx = [{"t": uuid5(_SPACE, f"{login} tx {some[0]['n']}").hex, "ops": some} for some in transactions]
        body = {"proto": 1, "schema": CATALOGUE.schema, "epoch": 1, "device": self.devices[login], "next_seq": first,
                "prev_op": prev, "cursors": self.cursors.get(login, {}), "tx": tx, "want": 2000} | more  # fmt: skip
        said = self.ask(name, login, "POST", "/v1/sync", body)
        self._keep(login, said)
        return said

    def _keep(self, login: str, said: Any) -> None:
        pull = said.get("pull")
        if pull and pull.get("buckets") and not pull.get("more"):
            self.cursors[login] = dict.fromkeys(pull["buckets"], pull["upto"])


def direct(set_up: Stage, what: str) -> None:
    """A stage direction: "later <minutes>", "snapshots", "compact", "revoke <device>", "restore"."""
    verb, _, rest = what.partition(" ")
    hq, org = set_up.hq, set_up.org
    if verb == "later":
        set_up.later(minutes=int(rest))
    elif verb == "snapshots":
        hq.snapshots._least_rows = 1
        hq.snapshots.refresh(org, now=hq.clock())
    elif verb == "compact":
        hq.sync.compact(org, int(rest))
    elif verb == "revoke":
        accounts.revoke_device(hq, org, int(rest), now=hq.clock())
    elif verb == "restore":
        hq.sync.begin_epoch(org)
    else:
        raise ValueError(what)


# -- the scenes, in their order


def signing_in(r: Recorder) -> None:
    r.sign_in("sign-in", "rita")
    r.sign_in("sign-in-wrong-password", "rita", password="wrong")
    r.sign_in("sign-in-manager", "mona")
    r.ask("refresh", "", "POST", "/v1/token", {"refresh": "{refresh:rita}"}, X_Login="rita")
    r.ask("refresh-unknown", "", "POST", "/v1/token", {"refresh": "nobody's"})
    r.ask("no-token", "", "GET", "/v1/sync/pull?token=x")
    r.ask("unreadable", "rita", "POST", "/v1/sync", {"text": '{"proto":'})
    r.ask("health", "", "GET", "/v1/health")


def first_sync(r: Recorder) -> None:
    said = r.sync("first-page", "rita", want=6)
    number = 2
    while said["pull"].get("more"):
        said = r.ask(f"page-{number}", "rita", "GET", "/v1/sync/pull?token={token}")
        r._keep("rita", said)
        number += 1
    r.sync("quiet", "rita")
    r.sync("first-page-manager", "mona")


def pushing(r: Recorder) -> dict[str, UUID]:
    made = {name: an_id(name) for name in ("visit", "submission", "attachment", "contact", "note", "task")}
    shop, rita = r.stage.outlets["shop0"], r.stage.people["rita"]
    common = {"visit_id": made["visit"], "outlet_id": shop}
    visit = [
        r.op("rita", "new", "visit", made["visit"], outlet_id=shop, person_id=rita, started_at=AT, ended_at=AT + 60_000,
             zone="Europe/Paris", position_source="none"),
        r.op("rita", "new", "submission", made["submission"], **common, person_id=rita, form="shelf_audit",
             form_version="1", answers={"note": "voilà"}, started_at=AT, submitted_at=AT + 60_000),
        r.op("rita", "new", "attachment", made["attachment"], **common, submission_id=made["submission"],
             node="/photo", sha256=hashlib.sha256(PHOTO).hexdigest(), size=len(PHOTO), mime="image/jpeg"),
    ]  # fmt: skip
    base = r.sync("push-new", "rita", visit)["results"][0]["rev"]
    r.sync("push-again", "rita", visit)
    r.sync("push-contact", "rita", [r.op("rita", "new", "contact", made["contact"], outlet_id=shop, name="Inès")])
    r.sync("push-update", "rita", [r.op("rita", "upd", "outlet", shop, base=base, city="Lyon", custom={"a": 1})])
    r.sync("push-by-another", "mona", [r.op("mona", "upd", "outlet", shop, base=base, phone="2", segment="a",
                                            note="one\ntwo\nthree")])  # fmt: skip
    r.sync("push-merged", "rita", [r.op("rita", "upd", "outlet", shop, base=base, street="Rue du Nil")])
    r.sync("push-arrival", "rita", [r.op("rita", "upd", "outlet", shop, base=base, phone="3")])
    r.sync("push-conflict", "rita", [r.op("rita", "upd", "outlet", shop, base=base, segment="c", note="ONE\ntwo")])
    bad = r.op("rita", "new", "visit", an_id("bad visit"), outlet_id=shop, person_id=rita, started_at=AT, ended_at=AT,
               zone="Mars/Phobos", position_source="none")  # fmt: skip
    after = r.op("rita", "new", "note", made["note"], outlet_id=shop, person_id=rita, text="after", written_at=AT)
    r.sync("push-rejected-and-next", "rita", [bad], [after])
    r.sync("push-delete", "rita", [r.op("rita", "del", "contact", made["contact"], base=1 << 41)])
    move = r.op("mona", "cmd", "outlet", r.stage.outlets["shop1"], sector_id=r.stage.sectors["east"])
    move |= {"cmd": "outlet.move"}
    move["set"]["from"] = "2026-11-20"
    r.sync("push-command", "mona", [move])
    r.sync("pull-revoked-rows", "rita")
    return made


def asking(r: Recorder, made: dict[str, UUID]) -> None:
    known = uuid5(_SPACE, "rita1").hex
    r.ask("operation-status", "rita", "POST", "/v1/ops/status", [known, "0" * 32])
    name = hashlib.sha256(PHOTO).hexdigest()
    offer = [{"sha256": name, "size": len(PHOTO), "mime": "image/jpeg"}]
    receipt = [made["submission"].hex, "0" * 32]
    r.ask("receipts-before", "rita", "POST", "/v1/receipts", receipt)
    r.ask("blob-check", "rita", "POST", "/v1/blobs/check", offer)
    half = len(PHOTO) // 2
    pieces = [{"base64": _base64(piece)} for piece in (PHOTO[:half], PHOTO[half:])]
    send = {"Content_Type": "application/offset+octet-stream"}
    r.ask("blob-piece", "rita", "PATCH", f"/v1/blobs/{name}", pieces[0], Upload_Offset="0", **send)
    r.ask("blob-wrong-offset", "rita", "PATCH", f"/v1/blobs/{name}", pieces[1], Upload_Offset="5", **send)
    r.ask("blob-progress", "rita", "HEAD", f"/v1/blobs/{name}")
    r.ask("blob-last-piece", "rita", "PATCH", f"/v1/blobs/{name}", pieces[1], Upload_Offset=str(half), **send)
    r.ask("blob-check-again", "rita", "POST", "/v1/blobs/check", offer)
    r.ask("blob-read", "rita", "GET", f"/v1/blobs/{name}")
    r.ask("blob-read-part", "rita", "GET", f"/v1/blobs/{name}", Range="bytes=5-")
    r.ask("blob-read-beyond", "rita", "GET", f"/v1/blobs/{name}", Range="bytes=999999-")
    r.ask("blob-unknown", "rita", "GET", f"/v1/blobs/{'0' * 64}")
    r.ask("receipts-after", "rita", "POST", "/v1/receipts", receipt)


def repairing(r: Recorder) -> None:
    west = f"sector:{r.stage.sectors['west'].hex}"
    cursor = r.cursors["rita"][west]
    ask = {"epoch": 1, "bucket": west, "cursor": cursor, "sums": ["0" * 16] * 256}
    r.ask("verify-different", "rita", "POST", "/v1/sync/verify", ask)
    r.ask("verify-other-cursor", "rita", "POST", "/v1/sync/verify", ask | {"cursor": cursor - 1})
    r.ask("verify-not-mine", "rita", "POST", "/v1/sync/verify", ask | {"bucket": f"sector:{'0' * 32}"})
    shops = [r.stage.outlets[name].hex for name in ("shop0", "shop3")]
    number = str(CATALOGUE.by_name["outlet"].number)
    r.ask("rows", "rita", "POST", "/v1/sync/rows", {"epoch": 1, "bucket": west, "ids": {number: shops}})
    r.ask("snapshots-none", "rita", "POST", "/v1/sync/snapshots", {"buckets": ["org"]})
    r.direct("build-snapshots", "snapshots")
    r.ask("snapshots", "rita", "POST", "/v1/sync/snapshots", {"buckets": ["org"]})
    r.ask("snapshot-size", "rita", "HEAD", "/v1/sync/snapshots/{snapshot}")
    r.ask("snapshot", "rita", "GET", "/v1/sync/snapshots/{snapshot}")
    r.ask("snapshot-part", "rita", "GET", "/v1/sync/snapshots/{snapshot}", Range="bytes=10-")
    r.ask("snapshot-held", "rita", "GET", "/v1/sync/snapshots/{snapshot}", If_None_Match='"{snapshot}"')


def controls(r: Recorder) -> None:
    n = r.next["rita"]
    r.sync("control-gap", "rita", [{"n": n + 5, **_empty(n + 5)}], prev_op=None)
    r.sync("control-forked", "rita", prev_op="f" * 32)
    r.sync("control-busy", "rita", cursors={"org": (1 << 40) + (1 << 30)})
    r.sync("control-upgrade", "rita", proto=99)
    r.sync("not-my-device", "rita", device=99)
    r.ask("new-device", "mona", "POST", "/v1/devices", {"device_name": "mona's copy"}, X_Login="mona")
    r.direct("forget-the-departed", f"compact {r.cursors['rita']['org']}")
    r.sync("control-compacted", "rita", cursors={"org": (1 << 40) + 1})
    r.direct("restore-a-backup", "restore")
    r.sync("control-epoch", "rita")
    r.ask("token-expired-later", "", "GET", "/v1/health/live")
    r.direct("twenty-minutes", "later 20")
    r.sync("token-expired", "rita")
    r.ask("refresh-after", "", "POST", "/v1/token", {"refresh": "{refresh:rita}"}, X_Login="rita")


def leaving(r: Recorder, made: dict[str, UUID]) -> None:
    task = r.op("rita", "new", "task", made["task"], outlet_id=r.stage.outlets["shop0"], title="last")
    said = {"device": r.devices["rita"], "tx": [{"t": "e" * 32, "ops": [task]}]}
    r.ask("deposit-too-early", "rita", "POST", "/v1/deposit", said, key=True)
    r.direct("revoke-rita", f"revoke {r.devices['rita']}")
    r.sync("control-revoked", "rita", epoch=2)
    r.ask("revoked-elsewhere", "rita", "POST", "/v1/ops/status", ["0" * 32])
    r.ask("deposit-part", "rita", "POST", "/v1/deposit", said | {"more": True}, key=True)
    r.ask("deposit-part-again", "rita", "POST", "/v1/deposit", said | {"more": True}, key=True)
    r.ask("deposit-last", "rita", "POST", "/v1/deposit", said | {"part": 1, "tx": []}, key=True)
    r.ask("deposit-too-late", "rita", "POST", "/v1/deposit", said | {"part": 2}, key=True)


def reading_the_past(r: Recorder) -> None:
    r.sign_in("sign-in-again", "mona")
    shop = r.stage.outlets["shop0"].hex
    r.ask("history", "mona", "GET", f"/v1/records/outlet/{shop}/history")
    r.ask("history-unknown", "mona", "GET", f"/v1/records/outlet/{'0' * 32}/history")
    r.ask("history-wrong-mark", "mona", "GET", f"/v1/records/outlet/{shop}/history?before=x")


def _empty(n: int) -> dict[str, Any]:
    return {"op": uuid5(_SPACE, f"gap {n}").hex, "k": "del", "c": 8, "id": "0" * 32}


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode()


def main() -> None:
    FILES.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory() as folder, stage(Path(folder)) as set_up:
        recorder = Recorder(set_up)
        signing_in(recorder)
        first_sync(recorder)
        made = pushing(recorder)
        asking(recorder, made)
        repairing(recorder)
        controls(recorder)
        leaving(recorder, made)
        reading_the_past(recorder)
    for old in FILES.glob("*.json"):
        old.unlink()
    for number, exchange in enumerate(recorder.files, 1):
        exchange.save(FILES, number)


if __name__ == "__main__":
    main()
