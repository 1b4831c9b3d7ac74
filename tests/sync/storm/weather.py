"""The wire in a storm: every message goes through bytes, and may be lost, doubled, late, cut, or answered badly."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any, TypeVar

import msgspec
from sqlalchemy.exc import DBAPIError

import sync.server.refusal
from sync.client.failures import Busy, CallRefused, NeedsSignIn, Offline, ServerError
from sync.protocol import BlobOffer, BlobState, SyncRequest, SyncResponse
from sync.server.ports import Refused
from tests.sync.small import ORG, Wire
from tests.sync.storm.stores import Crash, StormDevice, out_of_room

if TYPE_CHECKING:
    from tests.sync.storm.history import Storm

Result = TypeVar("Result")


class Weather(Wire):
    """What a device's engine speaks through. ``storm.calm`` ends all of it."""

    def __init__(self, storm: Storm, device: StormDevice) -> None:
        super().__init__(storm.server, device.user, device.number)
        self.storm = storm
        self.typist = device
        self.late: list[bytes] = []

    def _call(self, name: str, work: Callable[[], Result]) -> Result:
        storm, luck = self.storm, self.storm.random
        storm.note(name)
        if storm.calm:
            return self._on_server(work)
        self._before()
        if luck.random() < 0.05:
            self._on_server(work)  # heard twice
        result = self._on_server(work)
        if luck.random() < 0.12:
            storm.type_on(self.typist)  # the person goes on while the answer is on its way
        if luck.random() < 0.09:
            raise Offline(reason="answer lost")
        if luck.random() < 0.04:
            self._cut(result)
        return result

    def _before(self) -> None:
        luck = self.storm.random.random()
        if luck < 0.06:
            raise Offline(reason="request lost")
        if luck < 0.075:
            raise Busy(5)
        if luck < 0.085:
            raise NeedsSignIn()
        if luck < 0.10:
            raise ServerError("server_error", status=503)

    def _cut(self, result: Any) -> None:
        """The answer ends at some byte: it must not be taken for a whole one."""
        whole = msgspec.json.encode(result)
        cut = whole[: self.storm.random.randrange(len(whole))]
        try:
            msgspec.json.decode(cut, type=type(result))
        except msgspec.MsgspecError:
            raise ServerError("answer_damaged") from None
        raise AssertionError("a cut answer was read as a whole one")

    def _on_server(self, work: Callable[[], Result]) -> Result:
        """Run on the server, which may stop at any statement, or find its disk full."""
        server, luck = self.storm.server, self.storm.random
        power_lost = False
        if not self.storm.calm and luck.random() < 0.08:
            server.trip.left = luck.randint(0, 40)
            power_lost = luck.random() < 0.5
            server.trip.before = server.disk.keep if power_lost else lambda: None
        try:
            return work()
        except Crash:
            self.storm.note("server stopped")
            server.restart(power_lost=power_lost)
            raise Offline(reason="the server stopped") from None
        except DBAPIError as error:
            if not out_of_room(error):
                raise
            self.storm.note("server full")
            raise ServerError("server_error", status=507) from None
        except sync.server.refusal.CallRefused as refusal:
            raise CallRefused(refusal.status, refusal.code, **refusal.params) from None
        except Refused as refusal:
            raise CallRefused(400, refusal.code, **refusal.params) from None
        finally:
            server.trip.left = None

    # Rows

    def sync(self, request: SyncRequest) -> SyncResponse:
        sent = msgspec.json.encode(request)
        if not self.storm.calm and self.storm.random.random() < 0.05:
            self.storm.late.append((self, sent))
        return self._call("sync", lambda: self.answer(sent))

    def answer(self, sent: bytes) -> SyncResponse:
        request = msgspec.json.decode(sent, type=SyncRequest)
        small = 10_000 if self.storm.calm else self.storm.random.choice((2, 7, 10_000))
        request.want = min(request.want, small)
        return self._told(self.server.sync.sync(self.caller, request, now=self.storm.server.clock))

    def pull(self, token: str) -> SyncResponse:
        return self._call(
            "pull", lambda: self._told(self.server.sync.pull(self.caller, token, now=self.storm.server.clock))
        )

    def _told(self, response: SyncResponse) -> SyncResponse:
        self.storm.check_told(self.user, response)
        return msgspec.json.decode(msgspec.json.encode(response), type=SyncResponse)

    # Photos, kept by the server's own store

    def check_blobs(self, offers: list[BlobOffer]) -> list[BlobState]:
        clock = self.storm.server.clock
        return self._call("check", lambda: self.storm.server.photos.check(ORG, self.caller.user, offers, now=clock))

    def send_blob(self, sha256: str, offset: int, chunk: bytes) -> BlobState:
        luck, clock = self.storm.random, self.storm.server.clock
        piece, cut = chunk, False
        if not self.storm.calm and luck.random() < 0.25:
            piece, cut = chunk[: luck.randint(0, len(chunk))], True
        elif not self.storm.calm and luck.random() < 0.1:
            piece = bytes(byte ^ 1 for byte in chunk)

        def work() -> BlobState:
            try:
                return self.storm.server.photos.append(ORG, self.caller.user, sha256, offset, piece, now=clock)
            except sync.server.refusal.CallRefused as refusal:
                if refusal.code == "offset_wrong":
                    return BlobState(sha256, False, refusal.params["offset"])
                raise

        state = self._call("send", work)
        if cut:
            raise Offline(reason="the photo was cut")
        return state

    def fetch_blob(self, sha256: str, offset: int = 0) -> bytes:
        return self._call("fetch", lambda: self.storm.server.photos.read(ORG, sha256, offset).data)
