"""Starting the server, and looking after its data as a whole."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

from fieldcrm import __version__
from fieldcrm.domain.errors import DomainError
from fieldcrm.serve.command import Arguments, whole_number
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.server.jobs import run_once
from fieldcrm.server.workers import Workers, free_port, own_command
from sync.server.database import Limits
from sync.server.logs import log_to

MOST_WORKERS = 64
_PORT = whole_number(0, 65_535)


def add_to(arguments: Arguments) -> None:
    run = arguments.add("run", _run, "start the server, until Ctrl+C")
    run.add_argument("--host", default="127.0.0.1", help="address to listen on (default: this computer alone)")
    run.add_argument("--port", type=_PORT, default=8470, help="0: a free one; it is printed")
    run.add_argument("--certificate", type=Path, metavar="PEM", help="speak https itself; with its chain")
    run.add_argument("--key", type=Path, metavar="PEM", help="of the certificate")
    run.add_argument(
        "--trust-proxy", action="append", default=[], metavar="ADDRESS", help="believe this proxy's X-Forwarded headers"
    )
    run.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    run.add_argument("--accept-restore", action="store_true", help="the database was put back from a backup")
    run.add_argument(
        "--workers", type=whole_number(1, MOST_WORKERS), default=1, metavar="N",
        help="processes on one port (Linux, PostgreSQL)",
    )  # fmt: skip
    run.add_argument(
        "--own-port", type=whole_number(1, 65_535 - MOST_WORKERS), metavar="PORT",
        help="where each process answers alone, on this computer, for metrics: PORT, the next worker PORT + 1 …",
    )  # fmt: skip
    run.add_argument(
        "--connections", type=whole_number(1, 1000), default=Limits().connections, metavar="N",
        help="to PostgreSQL, of each process",
    )  # fmt: skip
    run.add_argument("--shared-port", action="store_true", help=argparse.SUPPRESS)  # a worker's, from its parent
    arguments.add("init", _init, "make the database")


def _run(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    # The web framework, which no other command needs.
    from fieldcrm.server.running import Place, check_certificate, serve

    log_to(sys.stderr, options.log_level)
    check_certificate(options.certificate, options.key)

    def started(url: str) -> None:
        print(json.dumps({"url": url}) if options.json else f"FieldCRM server at {url}", flush=True)

    if options.workers > 1:
        _run_workers(hq, options, started)
        return {}
    run_once(hq)
    proxies = tuple(options.trust_proxy)
    files = (options.certificate, options.key)
    place = Place(options.host, options.port, *files, proxies, options.shared_port, options.own_port)
    serve(hq, place, version=__version__, started=started)
    return {}


def _run_workers(hq: Headquarters, options: argparse.Namespace, started: Callable[[str], None]) -> None:
    """The tables are made and the restore is settled: what is left is to start the processes and keep them."""
    if sys.platform != "linux" or hq.engine.dialect.name != "postgresql":
        raise DomainError("workers_not_here")
    hq.engine.dispose()
    holder, port = free_port(options.host, options.port)
    command = [*own_command(), "run", "--json", "--data", str(options.data), "--database", options.database]
    command += ["--host", options.host, "--port", str(port), "--shared-port", "--log-level", options.log_level]
    command += ["--connections", str(options.connections)]
    for name, path in (("--certificate", options.certificate), ("--key", options.key)):
        command += [name, str(path)] if path is not None else []
    for address in options.trust_proxy:
        command += ["--trust-proxy", address]
    first = options.own_port
    with holder:
        Workers(
            [
                [*command, *(["--own-port", str(first + number)] if first is not None else [])]
                for number in range(options.workers)
            ]
        ).run(started)


def _init(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    return {"data": str(hq.folder), "database": hq.engine.dialect.name}
