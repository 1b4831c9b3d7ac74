"""The stage on which wire files are recorded and played again: one organisation, whose ids and clock never change.

A file of ``v1/`` is one exchange: who asked, the request, the answer. What cannot be the same twice stands in braces
(``{access:rita}``, ``{token}``, ``{snapshot}``) and is put in when the file is played.
"""

from __future__ import annotations

import base64
import json
import random
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from unittest import mock
from uuid import UUID

from argon2 import PasswordHasher

from fieldcrm.domain import ids
from fieldcrm.domain.actor import Role
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from sync.server.http import build_app
from tests.server.asgi import Answer, InProcess

FILES = Path(__file__).parent / "v1"
NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
PASSWORD = "correct horse"
CODE = "golden"
PEOPLE = (("rita", Role.REP, ("west",)), ("omar", Role.REP, ("east",)), ("mona", Role.MANAGER, ("west", "east")))
KEPT_HEADERS = ("etag", "content-range", "upload-offset", "upload-length", "upload-complete", "accept-ranges")


@dataclass
class Exchange:
    """One file. ``body`` of either side: JSON, or ``{"base64": …}``."""

    name: str
    method: str
    path: str
    headers: dict[str, str]
    body: Any
    status: int
    answer_headers: dict[str, str]
    answer: Any

    def save(self, folder: Path, number: int) -> None:
        text = json.dumps(self.__dict__, indent=1, ensure_ascii=False)
        (folder / f"{number:02}-{self.name}.json").write_text(text + "\n", encoding="utf-8")


def load() -> list[Exchange]:
    return [Exchange(**json.loads(path.read_text(encoding="utf-8"))) for path in sorted(FILES.glob("*.json"))]


class Dice:
    """Stands in for ``secrets`` where ids are made."""

    def __init__(self) -> None:
        self._random = random.Random(1)

    def randbits(self, bits: int) -> int:
        return self._random.getrandbits(bits)


@dataclass
class Stage:
    hq: Headquarters
    app: InProcess
    moment: list[datetime]
    org: UUID
    sectors: dict[str, UUID] = field(default_factory=dict)
    people: dict[str, UUID] = field(default_factory=dict)
    outlets: dict[str, UUID] = field(default_factory=dict)
    words: dict[str, str] = field(default_factory=dict)  # what stands for a word in braces now

    def fill(self, text: str) -> str:
        return re.sub(r"\{([a-z]+(?::[a-z]+)?)\}", lambda found: self.words.get(found[1], found[0]), text)

    def blank(self, text: str) -> str:
        for word, value in sorted(self.words.items(), key=lambda pair: -len(pair[1])):
            text = text.replace(value, f"{{{word}}}")
        return text

    def later(self, **time: float) -> None:
        self.moment[0] += timedelta(**time)

    def play(self, method: str, path: str, headers: Mapping[str, str], body: Any) -> Answer:
        """One exchange, its braces filled; keeps the tokens of the answer for the next."""
        content = b"" if body is None else encoded(self, body)
        sent = {name: self.fill(text) for name, text in headers.items()}
        answer = self.app.ask(method, self.fill(path), content, sent)
        if answer.headers.get("content-type") == "application/json" and answer.status == 200:
            self._remember(answer.json(), sent.get("X-Login", ""))
        return answer

    def _remember(self, said: Any, login: str) -> None:
        if isinstance(said, dict) and "access" in said:
            self.words[f"access:{login}"], self.words[f"refresh:{login}"] = said["access"], said["refresh"]
            if said.get("device_key"):
                self.words[f"key:{login}"] = said["device_key"]
        if isinstance(said, dict) and (said.get("pull") or {}).get("token"):
            self.words["token"] = said["pull"]["token"]
        if isinstance(said, list) and said and isinstance(said[0], dict) and "bytes" in said[0]:
            self.words["snapshot"] = said[0]["sha256"]


def encoded(stage: Stage, body: Any) -> bytes:
    if isinstance(body, dict) and set(body) == {"base64"}:
        return base64.b64decode(body["base64"])
    if isinstance(body, dict) and set(body) == {"text"}:
        return str(body["text"]).encode()
    return stage.fill(json.dumps(body, ensure_ascii=False)).encode()


def told(answer: Answer) -> Any:
    if not answer.body:
        return None
    if answer.headers.get("content-type", "").startswith("application/json"):
        return answer.json()
    return {"base64": base64.b64encode(answer.plain).decode()}


@contextmanager
def stage(folder: Path) -> Iterator[Stage]:
    moment = [NOW]
    cheap = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)
    with mock.patch.object(ids, "secrets", Dice()):
        hq = open_headquarters(folder, None, lambda: moment[0], hasher=cheap)
        try:
            with InProcess(build_app(hq.parts(), title="golden", version="1")) as app:
                made = Stage(hq, app, moment, accounts.add_organisation(hq, CODE, "Golden", now=NOW))
                _people(made)
                yield made
        finally:
            hq.close()


def _people(made: Stage) -> None:
    for name in ("west", "east"):
        made.sectors[name] = accounts.add_sector(made.hq, made.org, name, name.title(), now=NOW)
    for login, role, names in PEOPLE:
        made.people[login] = accounts.add_user(
            made.hq, made.org, login, PASSWORD, name=login.title(), role=role,
            sectors=[made.sectors[name] for name in names], since=date(2026, 1, 1), now=NOW,
        )  # fmt: skip
    for number in range(4):
        sector = "east" if number == 3 else "west"
        id_ = ids.new_id(NOW)
        made.outlets[f"shop{number}"] = id_
        values = {
            "id": id_, "name": f"Shop {number}", "sector_id": made.sectors[sector], "zone": "Europe/Paris",
            "state": "active", "store_type": "kiosk", "phone": "1", "segment": "b", "note": "one\ntwo",
        }  # fmt: skip
        made.hq.apply(made.org, [("outlet", values)])
