"""Who changed a record, when, from which device, and what."""

from __future__ import annotations

from typing import Annotated

from litestar import get
from litestar.params import Parameter

from sync.protocol import PastPage
from sync.server.calls import Call, caller, in_thread
from sync.server.openapi import Header, told

_BEFORE = Header("before", "`more` of the page before", place="query", longest=40)


@get("/v1/records/{collection:str}/{id:str}/history", opt=told(404, 422, takes=(_BEFORE,)))
@in_thread
def read_past(
    collection: str, id: str, request: Call, before: Annotated[str, Parameter(required=False)] = ""
) -> PastPage:
    """The changes of a record and of those that hang on it, the newest first."""
    parts, identity = caller(request, allow_revoked=False)
    return parts.past.of(identity.caller, collection, id, before)


ROUTES = [read_past]
