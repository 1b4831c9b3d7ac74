"""Old clients and today's server: every recorded request is still taken, and its answer still understood."""

from __future__ import annotations

import base64
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from sync.server.compression import compress
from tests.golden.record import direct
from tests.golden.stage import Exchange, encoded, load, stage, told

VOLATILE = set("access refresh device_key expires_at server_time token sha256 bytes sum at was".split())
_ID = re.compile(r"[0-9a-f]{32}")


def understood(old: Any, new: Any, where: str, columns: dict[str, list[str]] | None = None) -> Iterator[str]:
    """What a client of then would miss or mistake in ``new``; more than it knows does it no harm."""
    if isinstance(old, dict):
        if not isinstance(new, dict):
            yield f"{where}: {type(new).__name__} in place of an object"
            return
        if "cols" in old:
            yield from _rows(old, new, where)
        for name, value in old.items():
            if name in ("cols", "pages") and "cols" in old:
                continue
            if name not in new:
                yield f"{where}.{name}: gone"
            else:
                yield from understood(value, new[name], f"{where}.{name}")
    elif isinstance(old, list):
        if not isinstance(new, list) or len(new) < len(old):
            yield f"{where}: {new!r} in place of {old!r}"
            return
        for index, value in enumerate(old):
            yield from understood(value, new[index], f"{where}[{index}]")
    elif where.rpartition(".")[2] not in VOLATILE:
        same = type(old) is type(new) if isinstance(old, int) else old == new or _both_ids(old, new)
        if not same:
            yield f"{where}: {new!r} in place of {old!r}"


def _both_ids(old: Any, new: Any) -> bool:
    return isinstance(old, str) and isinstance(new, str) and bool(_ID.fullmatch(old) and _ID.fullmatch(new))


def _rows(old: dict[str, Any], new: dict[str, Any], where: str) -> Iterator[str]:
    """Rows are read by the names in ``cols``: the order may change and columns may come, none may go."""
    for number, names in old["cols"].items():
        missing = set(names) - set(new["cols"].get(number, []))
        if missing:
            yield f"{where}.cols.{number}: {sorted(missing)} gone"
    for index, page in enumerate(old.get("pages", [])):
        then, now = (_named(side, index) for side in (old, new))
        for number, rows in then.items():
            for id, row in rows.items():
                if id not in now.get(number, {}):
                    yield f"{where}.pages[{index}].put.{number}: no row {id}"
                    continue
                for name, value in row.items():
                    yield from understood(value, now[number][id].get(name), f"{where}.pages[{index}].{number}.{name}")
        for name in ("revoke", "gone"):
            if page.get(name) != new["pages"][index].get(name):
                yield f"{where}.pages[{index}].{name}: {new['pages'][index].get(name)}"


def _named(pull: dict[str, Any], index: int) -> dict[str, dict[str, dict[str, Any]]]:
    put = pull["pages"][index].get("put", {}) if index < len(pull.get("pages", [])) else {}
    return {
        number: {row[0]: dict(zip(pull["cols"].get(number, []), row[2:], strict=False)) for row in rows}
        for number, rows in put.items()
    }


def differences(exchange: Exchange, answer: Any) -> list[str]:
    wrong = [] if answer.status == exchange.status else [f"status {answer.status} in place of {exchange.status}"]
    wrong += [f"header {name} gone" for name in exchange.answer_headers if name not in answer.headers]
    if isinstance(exchange.answer, dict) and set(exchange.answer) == {"base64"}:
        return wrong  # content: the snapshot's own test reads it
    return wrong + list(understood(exchange.answer, told(answer), "answer"))


@pytest.mark.parametrize("packed", [False, True], ids=["plain", "packed"])
def test_todays_server_takes_the_requests_of_the_first_release_and_answers_so_that_it_understands(
    tmp_path: Path, packed: bool
) -> None:
    """The whole story in one go: each exchange stands on the ones before it."""
    exchanges = load()
    assert len(exchanges) > 50
    wrong: dict[str, list[str]] = {}
    with stage(tmp_path) as set_up:
        for exchange in exchanges:
            if exchange.method == "STAGE":
                direct(set_up, exchange.path)
                continue
            headers = dict(exchange.headers)
            body = exchange.body
            if packed and isinstance(body, dict | list) and not (isinstance(body, dict) and "text" in body):
                body = {"base64": base64.b64encode(compress(encoded(set_up, body))).decode()}
                headers |= {"Content-Encoding": "zstd", "Accept-Encoding": "zstd"}
            answer = set_up.play(exchange.method, exchange.path, headers, body)
            found = differences(exchange, answer)
            if found:
                wrong[exchange.name] = found
    assert wrong == {}


@pytest.mark.parametrize(
    ("old", "new", "count"),
    [
        ({"a": 1}, {"a": 2, "b": 3}, 0), ({"a": 1}, {}, 1), ({"a": 1}, {"a": "1"}, 1), ([1, 2], [1], 1),
        ({"s": "applied"}, {"s": "rejected"}, 1), ({"s": "0" * 32}, {"s": "1" * 32}, 0),
        ({"cols": {"8": ["name"]}, "pages": []}, {"cols": {"8": ["x", "name"]}, "pages": []}, 0),
        ({"cols": {"8": ["name"]}, "pages": []}, {"cols": {"8": ["x"]}, "pages": []}, 1),
        ({"cols": {"8": ["name"]}, "pages": [{"put": {"8": [["i", 1, "A"]]}}]},
         {"cols": {"8": ["x", "name"]}, "pages": [{"put": {"8": [["i", 9, "X", "A"]]}}]}, 0),
        ({"cols": {"8": ["name"]}, "pages": [{"put": {"8": [["i", 1, "A"]]}}]},
         {"cols": {"8": ["x", "name"]}, "pages": [{"put": {"8": [["i", 9, "A", "X"]]}}]}, 1),
    ],
)  # fmt: skip
def test_the_comparison_itself_notices_what_an_old_client_would_miss(old: Any, new: Any, count: int) -> None:
    assert len(list(understood(old, new, "answer"))) == count
