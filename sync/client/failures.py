"""Why a call to the server did not succeed, in the terms in which a device can act on it."""

from __future__ import annotations

from typing import Any

STALLED = "stalled"  # reason of an ``Offline``: the line stands, and nothing moves on it


class RemoteFailure(Exception):
    """A call that did not succeed. Nothing is lost: what was to be sent is still in the outbox."""

    code = "server_error"

    def __init__(self, code: str | None = None, /, **params: Any) -> None:
        self.code = code or self.code
        self.params = params
        super().__init__(self.code, params)

    def __str__(self) -> str:
        return f"{self.code}({', '.join(f'{name}={value!r}' for name, value in self.params.items())})"


class Offline(RemoteFailure):
    """No network, no name, no answer, or the line broke: try again later."""

    code = "offline"


class BadAddress(RemoteFailure):
    """Something answers, but it is not a server of ours (a wrong address, or a hotel's sign-in page)."""

    code = "server_address_invalid"


class BadCertificate(RemoteFailure):
    """The server could not prove who it is."""

    code = "certificate_refused"


class NeedsSignIn(RemoteFailure):
    """The tokens are no longer good; only a person can get new ones. Capture goes on meanwhile."""

    code = "sign_in_needed"


class Revoked(RemoteFailure):
    """An administrator has revoked this device."""

    code = "device_revoked"


class Busy(RemoteFailure):
    """The server asks to wait ``retry_after`` seconds."""

    code = "server_busy"

    def __init__(self, retry_after: int, code: str | None = None, /, **params: Any) -> None:
        super().__init__(code, retry_after=retry_after, **params)
        self.retry_after = retry_after


class ServerError(RemoteFailure):
    """The server failed (5xx), or answered with something that cannot be read: try again later."""

    code = "server_error"


class CallRefused(RemoteFailure):
    """The server understood the call and will not do it, for the reason ``code``: trying again changes nothing."""

    code = "call_refused"

    def __init__(self, status: int, code: str, /, **params: Any) -> None:
        super().__init__(code, **params)
        self.status = status
