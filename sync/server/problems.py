"""Every answer that is not a success: one shape, a stable code, and parameters for the sentence."""

from __future__ import annotations

import errno
import logging
from typing import Any

import msgspec
from litestar import MediaType, Request, Response
from litestar.datastructures import State
from litestar.exceptions import HTTPException
from litestar.types import ExceptionHandlersMap
from sqlalchemy.exc import OperationalError
from sqlalchemy.exc import TimeoutError as PoolTimeout

from sync.server.logs import where
from sync.server.ports import Refused
from sync.server.refusal import CallRefused

log = logging.getLogger("sync.server")

_Call = Request[Any, Any, State]


class ErrorBody(msgspec.Struct):
    """Why it was not done: a code that never changes its meaning, and what the sentence needs beside it."""

    code: str
    params: dict[str, Any] = {}


def _error(
    status: int, code: str, params: dict[str, Any], headers: dict[str, str] | None = None
) -> Response[ErrorBody]:
    return Response(ErrorBody(code, params), status_code=status, headers=headers, media_type=MediaType.JSON)


def _answer_refused(_: _Call, refusal: CallRefused) -> Response[ErrorBody]:
    headers = {} if refusal.retry_after is None else {"Retry-After": str(refusal.retry_after)}
    if "offset" in refusal.params:
        headers["Upload-Offset"] = str(refusal.params["offset"])
    return _error(refusal.status, refusal.code, refusal.params, headers)


def _answer_rule(_: _Call, refusal: Refused) -> Response[ErrorBody]:
    return _error(422, refusal.code, refusal.params)


def _answer_http(_: _Call, error: HTTPException) -> Response[ErrorBody]:
    codes = {404: "not_found", 405: "method_not_allowed", 413: "body_too_large", 415: "encoding_unknown"}
    if error.status_code >= 500:
        log.error("failure", extra={"said": where(error)})
    default = "request_invalid" if error.status_code < 500 else "server_error"
    return _error(error.status_code, codes.get(error.status_code, default), {})


def _answer_unreadable(_: _Call, __: RecursionError | UnicodeDecodeError) -> Response[ErrorBody]:
    return _error(400, "request_invalid", {})


def _answer_failure(_: _Call, error: Exception) -> Response[ErrorBody]:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        return _error(507, "disk_full", {})
    if isinstance(error, (OperationalError, PoolTimeout)):
        return _error(503, "database_busy", {}, {"Retry-After": "5"})
    log.error("failure", extra={"said": where(error)})
    return _error(500, "server_error", {})


HANDLERS: ExceptionHandlersMap = {
    CallRefused: _answer_refused,
    Refused: _answer_rule,
    HTTPException: _answer_http,
    RecursionError: _answer_unreadable,
    UnicodeDecodeError: _answer_unreadable,  # msgspec, where a text in JSON is not UTF-8
    Exception: _answer_failure,
}
