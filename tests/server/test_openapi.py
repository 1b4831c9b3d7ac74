"""The server's OpenAPI document: whole, current, and kept as a file that changes only when the protocol does."""

from __future__ import annotations

import ast
import json
import re
from pathlib import Path
from typing import Any

import pytest
from litestar.handlers import HTTPRouteHandler

from fieldcrm.server.headquarters import Headquarters
from sync.protocol import PROTOCOL_VERSION
from sync.server.http import build_routes

ROOT = Path(__file__).resolve().parents[2]
FILE = ROOT / "docs" / "openapi.json"
HOW = "run `python -m tests.golden.openapi` and look at the difference: old clients must still understand it"


def described(hq: Headquarters) -> dict[str, Any]:
    app = build_routes(hq.parts(), title="FieldCRM server", version=str(PROTOCOL_VERSION))
    made: dict[str, Any] = json.loads(app.state.description)
    return made


@pytest.mark.parametrize("headquarters", ["sqlite"], indirect=True)
def test_the_document_in_the_repository_is_the_servers_own(hq: Headquarters) -> None:
    assert described(hq) == json.loads(FILE.read_text(encoding="utf-8")), HOW


@pytest.mark.parametrize("headquarters", ["sqlite"], indirect=True)
def test_every_route_is_described_with_its_refusals(hq: Headquarters) -> None:
    paths = described(hq)["paths"]
    app = build_routes(hq.parts(), title="x", version="1")
    for route in app.routes:
        for handler in (h for h in getattr(route, "route_handlers", ()) if isinstance(h, HTTPRouteHandler)):
            path = re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path_format)
            for method in handler.http_methods - {"OPTIONS"}:
                assert method.lower() in paths.get(path, {}), f"{method} {path} says nothing of itself: opt=told(…)"
    for path, methods in paths.items():
        for method, operation in methods.items():
            assert operation["summary"].endswith("."), path
            assert {"400", "413", "503"} <= set(operation["responses"]), path
            assert operation["security"] == [] or {"401", "403"} <= set(operation["responses"]), (path, method)


OF_THE_COMMAND_LINE = {"accounts.py", "distribution.py", "set_aside.py"}  # never on the wire
ALSO_OF_THE_COMMAND_LINE = {"quarantine_decided", "quarantine_unknown"}


def refusal_codes() -> set[str]:
    """Every code that the server's source can refuse a call with, read from the source."""
    found: set[str] = set()
    for file in (ROOT / "sync" / "server").glob("*.py"):
        if file.name in OF_THE_COMMAND_LINE:
            continue
        for node in ast.walk(ast.parse(file.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call) and getattr(node.func, "id", "") in ("CallRefused", "Refused", "_error"):
                texts = [a.value for a in node.args if isinstance(a, ast.Constant) and isinstance(a.value, str)]
                found.update(texts[:1])
    return found - ALSO_OF_THE_COMMAND_LINE


def test_every_code_that_the_server_refuses_with_is_in_the_protocols_description() -> None:
    said = set(re.findall(r"`(\w+)`", (ROOT / "docs" / "protocol.md").read_text(encoding="utf-8")))
    assert len(refusal_codes()) > 20
    assert refusal_codes() <= said, sorted(refusal_codes() - said)
