"""Starting the server, and looking after its data as a whole."""

from __future__ import annotations

import argparse
import json
import sys
from pathlib import Path
from typing import Any

from fieldcrm import __version__
from fieldcrm.serve.command import Arguments
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.server.jobs import run_once
from sync.server.database import reading
from sync.server.logs import log_to


def add_to(arguments: Arguments) -> None:
    run = arguments.add("run", _run, "start the server, until Ctrl+C")
    run.add_argument("--host", default="127.0.0.1")
    run.add_argument("--port", type=int, default=8470, help="0: a free one; it is printed")
    run.add_argument("--certificate", type=Path, metavar="PEM")
    run.add_argument("--key", type=Path, metavar="PEM")
    run.add_argument(
        "--trust-proxy", action="append", default=[], metavar="ADDRESS", help="believe this proxy's X-Forwarded headers"
    )
    run.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    run.add_argument("--accept-restore", action="store_true", help="the database was put back from a backup")
    arguments.add("init", _init, "make the database")
    check = arguments.add("check", _check, "count what is there, and what is missing")
    check.add_argument("--repair", action="store_true", help="derive the figures' lines again from the reports")


def _run(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    from fieldcrm.server.running import Place, serve  # the web framework, which no other command needs

    log_to(sys.stderr, options.log_level)
    run_once(hq)

    def started(url: str) -> None:
        print(json.dumps({"url": url}) if options.json else f"FieldCRM server at {url}", flush=True)

    place = Place(options.host, options.port, options.certificate, options.key, tuple(options.trust_proxy))
    serve(hq, place, version=__version__, started=started)
    return {}


def _init(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    return {"data": str(hq.folder), "database": hq.engine.dialect.name}


def _check(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    """Whether what the server derives agrees with its records; ``--repair`` makes it again."""
    report = []
    for org, code in hq.accounts.organisations():
        if options.repair:
            with hq.engine.begin() as connection:
                hq.projections.rebuild(connection, org)
        counts = accounts.counts(hq, org)
        with reading(hq.engine) as connection:
            missing = hq.missing_blobs(connection, org)
        report.append({"organisation": code, "records": sum(counts.values()), "photos_missing": len(missing)} | counts)
    return {"organisations": report}
