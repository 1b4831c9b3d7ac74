"""The OpenAPI document, made from the routes themselves: what each takes, answers and refuses.

Made here and not by the web framework, so that the refusals, their one shape and their headers are in it, and so
that it changes only when the protocol does.
"""

from __future__ import annotations

import inspect
import re
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, get_type_hints

import msgspec
from litestar import Litestar
from litestar.handlers import HTTPRouteHandler

from sync.server.problems import ErrorBody

_TOLD = "told"
_JSON = "application/json"
_AT_THE_DOOR = (400, 408, 413, 415, 431, 503)  # what the gate refuses, whatever the route

_REFUSALS = {
    400: "The request cannot be read.",
    401: "No token, a wrong one, or one that is out of date; at sign-in: a wrong login or password.",
    403: "Not for this caller.",
    404: "There is no such thing, or none that the caller may see.",
    408: "The body stopped coming, or came too slowly.",
    409: "Not at this place or in this state; `params` and headers say what is expected.",
    410: "It was there and is not any more.",
    413: "Too large, or too many at once; `params.limit` says how much is taken.",
    415: "An encoding or a kind of content that is not taken.",
    416: "That part does not exist.",
    422: "It can be read and makes no sense; nothing was done.",
    426: "This client is too old for this; what it has recorded is still taken.",
    429: "Too often; wait as long as Retry-After says.",
    431: "The headers are too long.",
    503: "Busy, or stopping; wait as long as Retry-After says.",
    507: "The server's disk is full.",
}
_WAITING = (429, 503)


@dataclass(frozen=True, slots=True)
class Header:
    """A header, or with ``place`` "query" a parameter of the address; ``kind`` as JSON Schema names it."""

    name: str
    description: str
    kind: str = "string"
    pattern: str | None = None
    required: bool = False
    place: str = "header"
    longest: int | None = None

    def schema(self) -> dict[str, Any]:
        made: dict[str, Any] = {"type": self.kind}
        if self.kind == "integer":
            made |= {"minimum": 0, "maximum": 999_999_999_999}
        if self.pattern is not None:
            made["pattern"] = self.pattern
        if self.longest is not None:
            made["maxLength"] = self.longest
        return made


@dataclass(frozen=True, slots=True)
class Told:
    """What the signature of a route does not say."""

    refusals: tuple[int, ...] = ()
    public: bool = False  # answers without a token
    takes: tuple[Header, ...] = ()
    gives: tuple[Header, ...] = ()
    body: str | None = None  # media type of a body that is not JSON
    answer: str | None = None  # media type of an answer that is not JSON
    ranged: bool = False  # may answer 206
    known: bool = False  # may answer 304


def told(*refusals: int, **more: Any) -> dict[str, Any]:
    """For a route's ``opt``: the statuses it refuses with beyond the usual ones, and the fields of ``Told``."""
    return {_TOLD: Told(refusals, **more)}


REQUEST_ID = Header("X-Request-Id", "names this answer in the server's log")
_CONTENT_RANGE = Header("Content-Range", "bytes from-to/whole", pattern=r"^bytes [0-9]+-[0-9]+/[0-9]+$")
_RETRY = Header("Retry-After", "seconds to wait", "integer")


def document(app: Litestar, *, title: str, version: str) -> dict[str, Any]:
    """The whole document, in the order of the addresses."""
    handlers = sorted(_handlers(app), key=lambda pair: (pair[0], pair[1]))
    kinds = {kind for _, _, handler in handlers for kind in _kinds(handler)} | {ErrorBody}
    listed = sorted(kinds, key=str)
    schemas, components = msgspec.json.schema_components(listed, ref_template="#/components/schemas/{name}")
    by_kind = dict(zip(listed, schemas, strict=True))
    paths: dict[str, Any] = {}
    for path, method, handler in handlers:
        paths.setdefault(path, {})[method.lower()] = _operation(path, method, handler, by_kind)
    return {
        "openapi": "3.1.0",
        "info": {
            "title": title,
            "version": version,
            "description": "JSON, packed with zstd or gzip if the headers say so. A refusal is an ErrorBody.",
        },
        "paths": paths,
        "components": {
            "schemas": dict(sorted(components.items())),
            "responses": {str(status): _refusal(status) for status in sorted(_REFUSALS)},
            "securitySchemes": {"bearer": {"type": "http", "scheme": "bearer"}},
        },
    }


def _handlers(app: Litestar) -> Iterable[tuple[str, str, HTTPRouteHandler]]:
    for route in app.routes:
        for handler in getattr(route, "route_handlers", ()):
            if isinstance(handler, HTTPRouteHandler) and _TOLD in handler.opt:
                for method in handler.http_methods - {"OPTIONS"}:
                    yield re.sub(r"\{(\w+):\w+\}", r"{\1}", route.path_format), method, handler


def _kinds(handler: HTTPRouteHandler) -> list[Any]:
    hints = _hints(handler)
    kinds = [hints["data"]] if "data" in hints else []
    return [*kinds, hints["return"]] if _answers_json(handler) else kinds


def _hints(handler: HTTPRouteHandler) -> dict[str, Any]:
    return get_type_hints(inspect.unwrap(handler.fn), include_extras=True)


def _answers_json(handler: HTTPRouteHandler) -> bool:
    said: Told = handler.opt[_TOLD]
    return said.answer is None and not str(_hints(handler)["return"]).startswith("litestar.response")


def _operation(path: str, method: str, handler: HTTPRouteHandler, by_kind: dict[Any, Any]) -> dict[str, Any]:
    said: Told = handler.opt[_TOLD]
    hints = _hints(handler)
    function = inspect.unwrap(handler.fn)
    made: dict[str, Any] = {
        "operationId": function.__name__,
        "summary": (function.__doc__ or "").split("\n")[0].strip(),
        "security": [] if said.public else [{"bearer": []}],
    }
    parameters = [_path_parameter(name) for name in re.findall(r"\{(\w+)\}", path)]
    parameters += [_parameter(header) for header in said.takes]
    if parameters:
        made["parameters"] = parameters
    if said.body is not None:
        made["requestBody"] = {
            "required": True,
            "content": {said.body: {"schema": {"type": "string", "format": "binary"}}},
        }
    elif "data" in hints:
        made["requestBody"] = {"required": True, "content": {_JSON: {"schema": by_kind[hints["data"]]}}}
    made["responses"] = _responses(handler, method, hints, said, by_kind)
    return made


def _responses(
    handler: HTTPRouteHandler, method: str, hints: dict[str, Any], said: Told, by_kind: dict[Any, Any]
) -> dict[str, Any]:
    content: dict[str, Any] = {}
    if _answers_json(handler):
        content = {_JSON: {"schema": by_kind[hints["return"]]}}
    elif said.answer is not None:
        binary = {"type": "string", "format": "binary"}
        content = {said.answer: {"schema": {"type": "object"} if said.answer.endswith("json") else binary}}
    success: dict[str, Any] = {"description": "Done.", "headers": _headers(said.gives)}
    if content:
        success["content"] = content
    answers = {str(handler.status_code): success}
    if said.ranged:
        part = success | {
            "description": "The part that was asked for.",
            "headers": _headers((*said.gives, _CONTENT_RANGE)),
        }
        answers["206"] = part
    if said.known:
        answers["304"] = {"description": "The caller holds it already.", "headers": _headers(said.gives)}
    refusals = {*_AT_THE_DOOR, *said.refusals, *(() if said.public else (401, 403))}
    if "data" in hints:
        refusals |= {422}
    for status in sorted(refusals):
        if method == "HEAD":
            answers[str(status)] = {"description": _REFUSALS[status], "headers": _headers(_of_refusal(status))}
        else:
            answers[str(status)] = {"$ref": f"#/components/responses/{status}"}
    return answers


_IN_PATH = {
    "sha256": ("SHA-256 in hexadecimal", "^[0-9a-f]{64}$"),
    "collection": ("the name of a collection", "^[a-z_]{1,40}$"),
    "id": ("the id of a record", "^[0-9a-f]{32}$"),
}


def _path_parameter(name: str) -> dict[str, Any]:
    description, pattern = _IN_PATH[name]
    schema = {"type": "string", "pattern": pattern}
    return {"name": name, "in": "path", "required": True, "description": description, "schema": schema}


def _parameter(header: Header) -> dict[str, Any]:
    return {
        "name": header.name,
        "in": header.place,
        "required": header.required,
        "description": header.description,
        "schema": header.schema(),
    }


def _of_refusal(status: int) -> tuple[Header, ...]:
    if status in _WAITING:
        return (_RETRY,)
    return (Header("Upload-Offset", "bytes that the server holds", "integer"),) if status == 409 else ()


def _refusal(status: int) -> dict[str, Any]:
    return {
        "description": _REFUSALS[status],
        "headers": _headers(_of_refusal(status)),
        "content": {_JSON: {"schema": {"$ref": "#/components/schemas/ErrorBody"}}},
    }


def _headers(headers: Iterable[Header]) -> dict[str, Any]:
    always = (*headers, REQUEST_ID)
    return {header.name: {"description": header.description, "schema": header.schema()} for header in always}
