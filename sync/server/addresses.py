"""Who is at the other end of a connection: directly, or as a proxy that is trusted says.

Addresses are counted in memory and never written down. Each process counts for itself: with several of them a
guesser gets as many times more tries, and the pause by account (``sync.server.throttle``) holds for all.
"""

from __future__ import annotations

import ipaddress
import time
from collections import OrderedDict
from collections.abc import Callable, Iterable

from sync.server.bodies import Scope, header
from sync.server.refusal import CallRefused

GUESSES = 100  # wrong passwords from one address, in ``WINDOW``: more than an office mistypes
WINDOW = 300.0  # seconds
_MOST_ADDRESSES = 10_000
_MOST_HOPS = 16
_GUESSED = "/v1/sign-in"  # tokens are too long to be guessed, and expire in every honest office

Network = ipaddress.IPv4Network | ipaddress.IPv6Network


class Peers:
    """``trusted``: addresses or networks of proxies whose X-Forwarded-For and X-Forwarded-Proto count.

    Without any, such headers are what a stranger wrote: they are dropped.
    """

    def __init__(self, trusted: Iterable[str] = (), clock: Callable[[], float] = time.monotonic) -> None:
        self._trusted = [ipaddress.ip_network(text, strict=False) for text in trusted]
        self._clock = clock
        self._refused: OrderedDict[str, tuple[int, float]] = OrderedDict()

    def introduce(self, scope: Scope) -> None:
        """Put the caller's own address and scheme into ``scope``, and take the headers that named them out."""
        headers = scope["headers"]
        if self._is_trusted(_host(scope)):
            told = header(headers, b"x-forwarded-for").decode("latin-1")
            for text in reversed(told.split(",")[-_MOST_HOPS:]):  # each proxy added the one before it
                if _address(text) is None:
                    break
                scope["client"] = (text.strip(), 0)
                if not self._is_trusted(text.strip()):
                    break
            if header(headers, b"x-forwarded-proto").strip().lower() == b"https":
                scope["scheme"] = "https"
        scope["headers"] = [(name, value) for name, value in headers if not name.lower().startswith(b"x-forwarded-")]

    def check(self, scope: Scope) -> None:
        """Raises ``CallRefused("too_many_attempts")`` for an address that has guessed too often."""
        if scope.get("path") != _GUESSED:
            return
        count, since = self._refused.get(_host(scope), (0, 0.0))
        left = since + WINDOW - self._clock()
        if count >= GUESSES and left > 0:
            raise CallRefused(429, "too_many_attempts", retry_after=int(left) + 1, seconds=int(left) + 1)

    def note(self, scope: Scope, status: int) -> None:
        """Count a sign-in that was answered with 401 against its address."""
        host, now = _host(scope), self._clock()
        if status != 401 or not host or scope.get("path") != _GUESSED:
            return
        count, since = self._refused.pop(host, (0, now))
        if now - since > WINDOW:
            count, since = 0, now
        self._refused[host] = (count + 1, since)
        while len(self._refused) > _MOST_ADDRESSES:
            self._refused.popitem(last=False)

    def _is_trusted(self, text: str) -> bool:
        address = _address(text)
        return address is not None and any(address in network for network in self._trusted)


def _host(scope: Scope) -> str:
    client = scope.get("client")
    return str(client[0]) if client else ""


def _address(text: str) -> ipaddress.IPv4Address | ipaddress.IPv6Address | None:
    try:
        return ipaddress.ip_address(text.strip())
    except ValueError:
        return None
