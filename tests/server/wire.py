"""A bare device: signs in, makes operations by hand, and talks to a server as any client could, honest or not."""

from __future__ import annotations

import hashlib
import itertools
import secrets
from typing import Any
from uuid import UUID

from fieldcrm.domain.catalogue import CATALOGUE
from fieldcrm.domain.ids import new_id
from sync.client.http import HttpRemote
from sync.columns import to_milliseconds
from sync.protocol import BlobOffer, Op, OpResult, SyncRequest, SyncResponse, Tx
from tests.server.conftest import NOW, PASSWORD, Company

AT = to_milliseconds(NOW)


class BareDevice:
    def __init__(self, url: str, company: Company, login: str, device: int | None = None) -> None:
        self.company = company
        self.remote = HttpRemote(url)
        signed = self.remote.sign_in(company.code, login, PASSWORD, "bare", device)
        self.person, self.number, self.epoch = signed.person, signed.device, signed.epoch
        self.cursors: dict[str, int] = {}
        self.last: str | None = None
        self._numbers = itertools.count(1)
        self.next = 1

    def new(self, collection: str, id: UUID | None = None, /, **values: Any) -> Op:
        return self.op("new", collection, id or new_id(NOW), **values)

    def op(self, k: Any, collection: str, id: UUID, /, *, base: int = 0, **values: Any) -> Op:
        wire = {name: value.hex if isinstance(value, UUID) else value for name, value in values.items()}
        number = next(self._numbers)
        return Op(number, secrets.token_hex(16), k, CATALOGUE.by_name[collection].number, id.hex, base, wire, at=AT)

    def request(self, *transactions: list[Op], want: int = 2000) -> SyncRequest:
        tx = [Tx(secrets.token_hex(16), ops) for ops in transactions]
        return SyncRequest(1, 1, self.epoch, self.number, self.next, self.last, dict(self.cursors), tx, want)

    def sync(self, *transactions: list[Op]) -> SyncResponse:
        """Push, keep the cursors when all has come, and give the answer."""
        answer = self.remote.sync(self.request(*transactions))
        for ops in transactions:
            if answer.results and ops:
                self.next, self.last = ops[-1].n + 1, ops[-1].op
        if answer.pull is not None and not answer.pull.more:
            self.cursors = dict.fromkeys(answer.pull.buckets, answer.pull.upto)
        return answer

    def push(self, *ops: Op) -> list[OpResult]:
        return self.sync(list(ops)).results

    def everything(self) -> dict[str, dict[str, list[Any]]]:
        """What a new device of the same person would be given: collection name -> id -> row, over every page."""
        request = self.request(want=3)
        request.cursors = {}
        answer = self.remote.sync(request)
        rows: dict[str, dict[str, list[Any]]] = {}
        while answer.pull is not None:
            for page in answer.pull.pages:
                for number, found in page.put.items():
                    name = CATALOGUE.by_number[int(number)].name
                    rows.setdefault(name, {}).update({row[0]: row for row in found})
            if not answer.pull.more or answer.pull.token is None:
                break
            answer = self.remote.pull(answer.pull.token)
        return rows

    def visit(self, outlet: UUID, sha256: str | None = None, size: int = 10) -> tuple[list[Op], dict[str, UUID]]:
        """A visit with a report, and a photo if ``sha256`` is given: one transaction."""
        visit, submission = new_id(NOW), new_id(NOW)
        ops = [
            self.new(
                "visit", visit, outlet_id=outlet, person_id=self.person, started_at=AT, ended_at=AT + 60_000,
                zone="Europe/Paris", position_source="none",
            ),
            self.new(
                "submission", submission, visit_id=visit, outlet_id=outlet, person_id=self.person, form="shelf_audit",
                form_version="1", answers={"note": "ok"}, started_at=AT, submitted_at=AT + 60_000,
            ),
        ]  # fmt: skip
        ids = {"visit": visit, "submission": submission}
        if sha256 is not None:
            photo = self.new(
                "attachment", submission_id=submission, visit_id=visit, outlet_id=outlet, node="/photo",
                sha256=sha256, size=size, mime="image/jpeg",
            )  # fmt: skip
            ops.append(photo)
            ids["attachment"] = UUID(hex=photo.id)
        return ops, ids


def upload(device: BareDevice, content: bytes, piece: int = 100_000) -> str:
    """Upload ``content`` from wherever the server stands."""
    sha256 = hashlib.sha256(content).hexdigest()
    [state] = device.remote.check_blobs([BlobOffer(sha256, len(content))])
    while not state.have:
        state = device.remote.send_blob(sha256, state.offset, content[state.offset : state.offset + piece])
    return sha256


def bearer(device: BareDevice) -> dict[str, str]:
    tokens = device.remote._tokens
    assert tokens is not None
    return {"Authorization": f"Bearer {tokens.access}", "Content-Type": "application/json"}
