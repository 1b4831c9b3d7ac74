"""Simulated reps, many in one process that costs little: bodies are made beforehand, answers are only looked at.

A rep's day is new tokens and a sync in the morning; a sync after each visit with its report and photos' records; a
sync in the evening; and the receipts of the day. Each sync opens a connection of its own, as a person's on the road.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections import Counter
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import quote

import msgspec
import zstandard

_SEND, _RECEIVE = zstandard.ZstdCompressor(level=3), zstandard.ZstdDecompressor()


class _Page(msgspec.Struct):
    upto: int
    buckets: list[str] = []
    more: bool = False
    token: str | None = None


class _Result(msgspec.Struct):
    s: str


class Answer(msgspec.Struct):
    """What a rep's device needs to know of an answer."""

    epoch: int
    control: str | None = None
    results: list[_Result] = []
    pull: _Page | None = None


_TRIES, _LATER = 10, 5.0  # seconds
_ANSWER = msgspec.json.Decoder(Answer)


@dataclass
class Measured:
    """Seconds of each request, by kind, and what went wrong."""

    seconds: dict[str, list[float]] = field(default_factory=dict)
    errors: Counter[str] = field(default_factory=Counter)
    sent: int = 0
    received: int = 0

    def note(self, kind: str, seconds: float) -> None:
        self.seconds.setdefault(kind, []).append(seconds)

    def all(self) -> list[float]:
        return sorted(value for values in self.seconds.values() for value in values)


@dataclass
class Rep:
    """One device. ``visits``: the operations of each visit, as JSON; ``counts``: how many each has."""

    number: int
    refresh: str
    epoch: int
    cursors: dict[str, int]
    visits: Sequence[bytes]
    counts: Sequence[int]
    last_ops: Sequence[str]
    submissions: Sequence[str]
    next: int = 1
    last: str | None = None
    token: str = ""

    def body(self, visit: int | None) -> bytes:
        """A sync with the operations of ``visit``, or with none."""
        head = {
            "proto": 1,
            "schema": 1,
            "epoch": self.epoch,
            "device": self.number,
            "next_seq": self.next,
            "prev_op": self.last,
            "cursors": self.cursors,
            "tx": [{"t": secrets.token_hex(16), "ops": msgspec.Raw(self.visits[visit])}] if visit is not None else [],
        }
        return msgspec.json.encode(head)


class Line:
    """HTTP/1.1 on one connection: just what the server speaks."""

    def __init__(self, host: str, port: int, token: str, measured: Measured) -> None:
        self._host, self._port, self._measured = host, port, measured
        right = f"Authorization: Bearer {token}\r\n" if token else ""
        self._common = f"Host: {host}\r\n{right}Accept-Encoding: zstd\r\nContent-Type: application/json\r\n"

    async def __aenter__(self) -> Line:
        self._reader, self._writer = await asyncio.open_connection(self._host, self._port)
        return self

    async def __aexit__(self, *_: object) -> None:
        self._writer.close()

    async def ask(self, kind: str, method: str, path: str, body: bytes = b"") -> bytes:
        """The body of a 200; anything else is counted as an error and raised."""
        packed = _SEND.compress(body) if len(body) > 512 else body
        encoding = "Content-Encoding: zstd\r\n" if packed is not body else ""
        head = f"{method} {path} HTTP/1.1\r\n{self._common}{encoding}Content-Length: {len(packed)}\r\n\r\n"
        began = time.perf_counter()
        self._writer.write(head.encode() + packed)
        answer_head = await self._reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in answer_head.split(b"\r\n")[1:] if b": " in line)
        answer = await self._reader.readexactly(int(fields[b"content-length"]))
        self._measured.note(kind, time.perf_counter() - began)
        self._measured.sent += len(head) + len(packed)
        self._measured.received += len(answer_head) + len(answer)
        status = answer_head[9:12].decode()
        if status == "503":
            raise SentAway(f"{kind}: 503 {answer[:80].decode(errors='replace')}")
        if status != "200":
            raise WrongAnswer(f"{kind}: {status} {answer[:80].decode(errors='replace')}")
        if fields.get(b"content-encoding") == b"zstd":
            return _RECEIVE.decompress(answer, max_output_size=256 * 1024 * 1024)
        return answer


class SentAway(Exception):
    """The server is busy, and says when to come again."""


class WrongAnswer(Exception):
    """The server said something that a device would have to try again for."""


class Fleet:
    """``ports``: where the servers listen; a rep's requests go to one after the other."""

    def __init__(self, host: str, ports: Sequence[int], measured: Measured) -> None:
        self._host, self._ports, self._measured = host, ports, measured
        self._turn = 0

    async def work(self, reps: Sequence[Rep], *, at_once: int, seconds: float) -> None:
        """Every rep's day: as fast as ``at_once`` connections allow, or with all syncs spread over ``seconds``."""
        if seconds <= 0:
            waiting = iter(reps)
            await asyncio.gather(*(self._one_by_one(waiting) for _ in range(at_once)))
            return
        await asyncio.gather(*(self._spread(rep, at, len(reps), seconds) for at, rep in enumerate(reps)))

    async def _one_by_one(self, waiting: Iterator[Rep]) -> None:
        for rep in waiting:
            for step in self._day(rep):
                await self._guarded(step)

    async def _spread(self, rep: Rep, at: int, reps: int, seconds: float) -> None:
        began = time.perf_counter()
        steps = self._day(rep)
        for number, step in enumerate(steps):
            due = seconds * (number + at / reps) / len(steps)
            await asyncio.sleep(max(0.0, began + due - time.perf_counter()))
            await self._guarded(step)

    def _day(self, rep: Rep) -> list[Callable[[], Any]]:
        visits = range(len(rep.visits))
        pushes = [lambda visit=visit: self._sync(rep, "push", visit) for visit in visits]
        return [lambda: self._morning(rep), *pushes, lambda: self._evening(rep)]

    async def _guarded(self, step: Callable[[], Any]) -> None:
        try:
            for _ in range(_TRIES):
                try:
                    return await step()
                except SentAway as busy:  # as a device does: later, and the same again
                    self._measured.errors[str(busy)] += 1
                    await asyncio.sleep(_LATER)
        except WrongAnswer as wrong:
            self._measured.errors[str(wrong)] += 1
        except (OSError, asyncio.IncompleteReadError) as broken:
            self._measured.errors[type(broken).__name__] += 1

    async def _morning(self, rep: Rep) -> None:
        async with self._line(rep) as line:
            found = await line.ask("tokens", "POST", "/v1/token", msgspec.json.encode({"refresh": rep.refresh}))
            rep.token = msgspec.json.decode(found)["access"]
        await self._sync(rep, "quiet", None)

    async def _evening(self, rep: Rep) -> None:
        await self._sync(rep, "quiet", None)
        async with self._line(rep) as line:
            found = await line.ask("receipts", "POST", "/v1/receipts", msgspec.json.encode(list(rep.submissions)))
            if found.count(b'"have":true') != len(rep.submissions):
                raise WrongAnswer("a receipt is missing")

    async def _sync(self, rep: Rep, kind: str, visit: int | None) -> None:
        async with self._line(rep) as line:
            answer = _ANSWER.decode(await line.ask(kind, "POST", "/v1/sync", rep.body(visit)))
            if answer.control is not None:
                raise WrongAnswer(f"control {answer.control}")
            wrong = Counter(result.s for result in answer.results if result.s != "applied")
            if wrong or (visit is not None and len(answer.results) != rep.counts[visit]):
                raise WrongAnswer(f"results {dict(wrong)}")
            if visit is not None:
                rep.next, rep.last = rep.next + rep.counts[visit], rep.last_ops[visit]
            while answer.pull is not None and answer.pull.more:
                path = f"/v1/sync/pull?token={quote(answer.pull.token or '')}"
                answer = _ANSWER.decode(await line.ask("page", "GET", path))
            if answer.pull is not None:
                rep.cursors = dict.fromkeys(answer.pull.buckets, answer.pull.upto)

    def _line(self, rep: Rep) -> Line:
        self._turn += 1
        return Line(self._host, self._ports[self._turn % len(self._ports)], rep.token, self._measured)
