"""What the routes have in common: who calls, on a thread, and within which limits."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from functools import partial, wraps
from typing import Any, ParamSpec, TypeVar

from anyio import to_thread
from litestar import Request
from litestar.datastructures import State

from sync.columns import to_milliseconds
from sync.protocol import SignedIn
from sync.server.auth import Identity, Tokens
from sync.server.parts import Parts
from sync.server.refusal import CallRefused

MAX_IDS = 1_000  # in one question

Item = TypeVar("Item")
Parameters = ParamSpec("Parameters")
Call = Request[Any, Any, State]


def in_thread(handler: Callable[Parameters, Item]) -> Callable[Parameters, Awaitable[Item]]:
    """Run a handler on a thread. Litestar's own switch for it fails when a path has several handlers (2.25)."""

    @wraps(handler)
    async def run(*args: Parameters.args, **kwargs: Parameters.kwargs) -> Item:
        return await to_thread.run_sync(partial(handler, *args, **kwargs))

    return run


def caller(request: Call, *, allow_revoked: bool = True) -> tuple[Parts, Identity]:
    """Who sent this. Raises ``CallRefused``: "token_missing", "token_…", "device_revoked"."""
    parts: Parts = request.app.state.parts
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    if scheme.lower() != "bearer" or not token:
        raise CallRefused(401, "token_missing")
    identity = parts.auth.identify(token.strip(), app=request.headers.get("User-Agent", ""), now=parts.clock())
    state = request.scope.setdefault("state", {})
    state["device"], state["org"] = identity.device_no, identity.org.hex
    if identity.revoked and not allow_revoked:
        raise CallRefused(403, "device_revoked")
    return parts, identity


def signed_in(parts: Parts, identity: Identity, tokens: Tokens) -> SignedIn:
    profile = parts.profile(identity.caller)
    return SignedIn(
        tokens.access,
        tokens.refresh,
        to_milliseconds(tokens.access_expires_at),
        identity.org.hex,
        identity.person_id.hex,
        profile.name,
        identity.role,
        list(profile.sectors),
        identity.device_no,
        parts.sync.epoch(identity.org),
        tokens.device_key,
    )


def limited(items: list[Item]) -> list[Item]:
    """Raises ``CallRefused("too_many_items")``."""
    if len(items) > MAX_IDS:
        raise CallRefused(413, "too_many_items", limit=MAX_IDS)
    return items
