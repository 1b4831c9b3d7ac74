"""Serving the HTTP surface on granian, in this process, until it is told to stop."""

from __future__ import annotations

import asyncio
import errno
import gc
import os
import signal
import socket
import ssl
import sys
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

from granian.constants import HTTPModes, Interfaces, SSLProtocols
from granian.http import HTTP1Settings
from granian.server.embed import Server

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.server.gauges import Gauges
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.server.jobs import Jobs
from sync.server.addresses import Peers
from sync.server.gate import Gate
from sync.server.http import build_app

STOP_SECONDS = 8.0  # that requests under way are given to end
_BACKLOG = 512
_COLLECT_AFTER = (20_000, 20, 20)  # objects; younger generations
_HTTP1 = HTTP1Settings(header_read_timeout=15_000, max_buffer_size=512 * 1024)  # milliseconds, bytes


@dataclass(frozen=True, slots=True)
class Place:
    """Where to listen; port 0 takes a free one. With a certificate (PEM) and its key it is HTTPS, TLS 1.2 or later.

    ``proxies``: addresses or networks whose X-Forwarded headers are believed. ``shared``: other workers of the same
    server listen on the port too. ``own_port``: where this process alone answers, plainly and to this computer only.
    """

    host: str = "127.0.0.1"
    port: int = 0
    certificate: Path | None = None
    key: Path | None = None
    proxies: tuple[str, ...] = ()
    shared: bool = False
    own_port: int | None = None


def serve(hq: Headquarters, place: Place, *, version: str, started: Callable[[str], None]) -> None:
    """Serve until SIGINT or SIGTERM; ``started`` gets the address.

    Then requests under way are finished, and new ones sent away with 503 and Retry-After.
    Raises ``Unavailable("port_taken")``; ``DomainError``: "proxy_address_invalid" and those of `check_certificate`.
    """
    # A request makes thousands of rows and no cycles: the collector need not look at all of them, each time.
    gc.freeze()
    gc.set_threshold(*_COLLECT_AFTER)
    asyncio.run(_serve(hq, place, version, started))


async def _serve(hq: Headquarters, place: Place, version: str, started: Callable[[str], None]) -> None:
    peers = _peers(place.proxies)
    check_certificate(place.certificate, place.key)
    reserved, port = _reserve(place)
    app = build_app(replace(hq.parts(), gauges=Gauges(hq)), title="FieldCRM server", version=version, peers=peers)
    servers = [http_server(app, place.host, port, place.certificate, place.key)]
    if place.own_port is not None:
        servers.append(http_server(app, "127.0.0.1", place.own_port))
    jobs = Jobs(hq)
    jobs.start()
    try:
        running = asyncio.create_task(_all(servers))
        stopping = _stop_requested()
        await _listening(place.host, port, running)
        started(f"{'https' if place.certificate else 'http'}://{_shown(place.host)}:{port}")
        await asyncio.wait({running, stopping}, return_when=asyncio.FIRST_COMPLETED)
        await app.finish(STOP_SECONDS)
        for server in servers:
            server.stop()  # type: ignore[no-untyped-call]  # granian leaves it untyped
        await running
    finally:
        reserved.close()
        jobs.stop()


def http_server(
    app: Gate, host: str, port: int, certificate: Path | None = None, key: Path | None = None
) -> Server:
    """What serves ``app``, once it is awaited: the same wherever it runs."""
    return Server(
        app,
        address=host,
        port=port,
        interface=Interfaces.ASGI,
        http=HTTPModes.http1,
        websockets=False,
        backlog=_BACKLOG,
        log_enabled=False,
        http1_settings=_HTTP1,
        ssl_protocol_min=SSLProtocols.tls12,
        ssl_cert=certificate,
        ssl_key=key,
    )


def _reserve(place: Place) -> tuple[socket.socket, int]:
    """Hold a port without listening, so that its number is known before the server binds it too."""
    family = socket.AF_INET6 if ":" in place.host else socket.AF_INET
    holder = socket.socket(family, socket.SOCK_STREAM)
    try:
        if hasattr(socket, "SO_REUSEPORT"):
            if not place.shared:
                _refuse_taken(family, place)
            holder.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEPORT, 1)
        holder.bind((place.host, place.port))
        port = int(holder.getsockname()[1])
    except OSError as error:
        holder.close()
        raise Unavailable("port_taken", host=place.host, port=place.port, reason=error.strerror or "") from error
    if not hasattr(socket, "SO_REUSEPORT"):
        holder.close()
    return holder, port


def _refuse_taken(family: int, place: Place) -> None:
    """SO_REUSEPORT would let two servers share a port by accident, so ask whether somebody answers there."""
    if place.port:
        with socket.socket(family, socket.SOCK_STREAM) as probe:
            probe.settimeout(1)
            if probe.connect_ex((_reachable(place.host), place.port)) == 0:
                raise OSError(errno.EADDRINUSE, os.strerror(errno.EADDRINUSE))


def _stop_requested() -> asyncio.Future[None]:
    loop = asyncio.get_running_loop()
    stopping = loop.create_future()

    def finish() -> None:
        if not stopping.done():
            stopping.set_result(None)

    def stop(*_: object) -> None:
        loop.call_soon_threadsafe(finish)

    for name in (signal.SIGINT, signal.SIGTERM):
        if sys.platform == "win32":
            signal.signal(name, stop)
        else:
            loop.add_signal_handler(name, stop)
    return stopping


async def _all(servers: list[Server]) -> None:
    await asyncio.gather(*(server.serve() for server in servers))


async def _listening(host: str, port: int, running: asyncio.Task[None]) -> None:
    """Wait until the port answers; hands on what the server raised instead."""
    while not running.done():
        try:
            _, writer = await asyncio.open_connection(_reachable(host), port)
        except OSError:
            await asyncio.sleep(0.02)
            continue
        writer.close()
        return
    await running


def _peers(proxies: tuple[str, ...]) -> Peers:
    try:
        return Peers(proxies)
    except ValueError:
        raise DomainError("proxy_address_invalid", addresses=", ".join(proxies)) from None


def _reachable(host: str) -> str:
    return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(host, host)


def _shown(host: str) -> str:
    return f"[{host}]" if ":" in host else host


def check_certificate(certificate: Path | None, key: Path | None) -> None:
    """Both or neither, and they must belong together: one alone would be served as plain HTTP, without a word.

    Raises ``DomainError``: "certificate_incomplete", "certificate_unreadable", "certificate_unusable".
    """
    if certificate is None and key is None:
        return
    if certificate is None or key is None:
        raise DomainError("certificate_incomplete")
    for path in (certificate, key):
        try:
            path.read_bytes()
        except OSError as error:
            raise DomainError("certificate_unreadable", path=str(path), reason=error.strerror or "") from error
    try:
        # A key under a passphrase would be asked for on the terminal, where a unit has nobody.
        ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER).load_cert_chain(certificate, key, password="")
    except (ssl.SSLError, ValueError) as error:
        raise DomainError("certificate_unusable", certificate=str(certificate), key=str(key)) from error
