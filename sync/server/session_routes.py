"""Signing in, tokens, and another number for a device."""

from __future__ import annotations

from litestar import post
from litestar.datastructures import State

from sync.protocol import NewDeviceRequest, RefreshRequest, SignedIn, SignInRequest
from sync.server.calls import Call, caller, in_thread, signed_in
from sync.server.openapi import told
from sync.server.parts import Parts
from sync.server.refusal import CallRefused


@post("/v1/sign-in", status_code=200, opt=told(401, 403, 429, public=True))
@in_thread
def sign_in(data: SignInRequest, state: State) -> SignedIn:
    """Tokens for a new device, or for the number that this device had before."""
    parts: Parts = state.parts
    try:
        identity, tokens = parts.auth.sign_in(
            data.organisation,
            data.login,
            data.password,
            device_name=data.device_name,
            device_no=data.device,
            device_key=data.device_key,
            second_factor=data.code,
            now=parts.clock(),
        )
    except CallRefused as refusal:
        parts.metrics.sign_ins.labels(refusal.code).inc()
        raise
    parts.metrics.sign_ins.labels("ok").inc()
    return signed_in(parts, identity, tokens)


@post("/v1/token", status_code=200, opt=told(401, 403, public=True))
@in_thread
def refresh(data: RefreshRequest, state: State) -> SignedIn:
    """A new pair of tokens; the old refresh token is then good for nothing."""
    parts: Parts = state.parts
    return signed_in(parts, *parts.auth.refresh(data.refresh, now=parts.clock()))


@post("/v1/devices", status_code=200, opt=told())
@in_thread
def add_device(data: NewDeviceRequest, request: Call) -> SignedIn:
    """Another number for a device whose database turned out to be a copy."""
    parts, identity = caller(request)
    made = parts.auth.new_device(identity, data.device_name, device_key=data.device_key, now=parts.clock())
    return signed_in(parts, *made)


ROUTES = [sign_in, refresh, add_device]
