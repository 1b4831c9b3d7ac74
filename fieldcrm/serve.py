"""``fieldcrm-server``: the server's command line, and the place where the server is put together.

Runs where Qt is not installed. With ``--json`` each command prints one JSON object; errors go to standard error
as a sentence, or with ``--json`` as ``{"error": code, "params": {…}}``, and the exit code is 1 (2: wrong usage).
"""

from __future__ import annotations

import argparse
import getpass
import json
import logging
import os
import sys
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import asdict
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from fieldcrm import __version__, words
from fieldcrm.domain.actor import Role
from fieldcrm.domain.errors import CodedError, DomainError
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters, open_headquarters
from fieldcrm.server.imports import Source, import_outlets
from fieldcrm.server.jobs import run_once
from fieldcrm.server.products import import_products, read_products
from fieldcrm.ui.sentences import SENTENCES  # texts alone, without Qt
from sync.server.database import reading

Command = Callable[[Headquarters, argparse.Namespace], dict[str, Any]]

def now() -> datetime:
    return datetime.now(UTC)


def main(arguments: Sequence[str] | None = None) -> int:
    os.umask(0o077)  # what is written here is for the server's own account, whatever writes it
    words.set_language(words.system_language())
    options = _parser().parse_args(arguments)
    try:
        hq = open_headquarters(
            options.data, options.database, now, accept_restore=getattr(options, "accept_restore", False)
        )
        try:
            command: Command = options.command
            answer = command(hq, options)
        finally:
            hq.close()
    except CodedError as error:
        _complain(error, options.json)
        return 1
    _show(answer, options.json)
    return 0


def _show(answer: dict[str, Any], as_json: bool) -> None:
    if not answer:
        return
    if as_json:
        print(json.dumps(answer, default=str, ensure_ascii=False))
        return
    for name, value in answer.items():
        if isinstance(value, list):
            for item in value:
                print("  ".join(f"{key}={inner}" for key, inner in item.items()))
        else:
            print(f"{name}: {value}")


def _complain(error: CodedError, as_json: bool) -> None:
    if as_json:
        print(json.dumps({"error": error.code, "params": error.params}, default=str), file=sys.stderr)
        return
    sentence = SENTENCES.get(error.code)
    said = words.tr(sentence, **error.params) if sentence else str(error)
    print(f"{said} ({error.field})" if error.field and error.code == "required" else said, file=sys.stderr)


# -- commands


def _run(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    from fieldcrm.server.running import Place, serve  # the web framework, which no other command needs

    logging.basicConfig(
        level=options.log_level.upper(), format="%(asctime)s %(levelname)s %(message)s", stream=sys.stderr
    )
    run_once(hq)

    def started(url: str) -> None:
        print(json.dumps({"url": url}) if options.json else f"FieldCRM server at {url}", flush=True)

    serve(hq, Place(options.host, options.port, options.certificate, options.key), version=__version__, started=started)
    return {}


def _init(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    return {"data": str(hq.folder), "database": hq.engine.dialect.name}


def _add_organisation(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    moment = now()
    org = accounts.add_organisation(hq, options.code, options.name, now=moment)
    accounts.publish_built_in_form(hq, org, now=moment)
    return {"organisation": options.code, "id": org.hex}


def _list_organisations(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    return {"organisations": [{"code": code, "id": org.hex} for org, code in hq.accounts.organisations()]}


def _add_sector(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    return {"sector": options.code, "id": accounts.add_sector(hq, org, options.code, options.name, now=now()).hex}


def _list_sectors(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    return {"sectors": [asdict(sector) | {"id": sector.id.hex} for sector in accounts.sectors(hq, org)]}


def _add_user(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    sectors = accounts.sectors_by_code(hq, org, options.sector)
    moment = now()
    person = accounts.add_user(
        hq,
        org,
        options.login,
        _password(options),
        name=options.name,
        role=Role(options.role),
        sectors=sectors,
        since=moment.date(),
        now=moment,
    )
    return {"login": options.login, "person": person.hex, "role": options.role, "sectors": ", ".join(options.sector)}


def _list_devices(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    return {"devices": [asdict(device) for device in accounts.devices(hq, org)]}


def _revoke_device(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    accounts.revoke_device(hq, org, options.device, now=now())
    return {"revoked": options.device}


def _import_outlets(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    from fieldcrm.geo import osm  # its map library is slow to load, and only this command needs it

    org = accounts.organisation(hq, options.organisation)
    [sector] = accounts.sectors_by_code(hq, org, [options.sector])
    _check_zone(options.zone)
    found, skipped = osm.collect_outlets(options.file)
    source = Source("osm", osm.LICENCE, f"{options.file.name} {now().date()}")
    done = import_outlets(hq, org, sector, found, source, zone=options.zone, country=options.country, now=now())
    return asdict(done) | {"left_out": dict(Counter(skipped)), "credit": osm.ATTRIBUTION}


def _import_products(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    return asdict(import_products(hq, org, read_products(options.file), now=now()))


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


def _check_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (OSError, ValueError):
        raise DomainError("zone_unknown", zone=zone) from None


def _password(options: argparse.Namespace) -> str:
    if options.password_file is not None:
        try:
            return str(options.password_file.read_text(encoding="utf-8")).rstrip("\r\n")
        except OSError as error:
            raise DomainError("file_unreadable", path=str(options.password_file), reason=error.strerror) from error
    if sys.stdin.isatty():
        return getpass.getpass(f"Password for {options.login}: ")
    return sys.stdin.readline().rstrip("\r\n")


# -- arguments


def _parser() -> argparse.ArgumentParser:
    common = argparse.ArgumentParser(add_help=False)
    common.add_argument("--data", type=Path, required=True, metavar="DIR", help="folder of the server's data")
    common.add_argument(
        "--database",
        metavar="URL",
        help="address of a PostgreSQL database (default: SQLite in DIR); its password belongs in PGPASSFILE",
    )
    common.add_argument("--json", action="store_true", help="print JSON")

    parser = argparse.ArgumentParser(prog="fieldcrm-server", description="The server of FieldCRM.")
    commands = parser.add_subparsers(required=True, metavar="command")

    def add(group: Any, name: str, command: Command, help: str) -> argparse.ArgumentParser:
        made: argparse.ArgumentParser = group.add_parser(name, parents=[common], help=help, description=help)
        made.set_defaults(command=command)
        return made

    def group(name: str, help: str) -> Any:
        return commands.add_parser(name, help=help).add_subparsers(required=True, metavar="action")

    run = add(commands, "run", _run, "start the server, until Ctrl+C")
    run.add_argument("--host", default="127.0.0.1")
    run.add_argument("--port", type=int, default=8470, help="0: a free one; it is printed")
    run.add_argument("--certificate", type=Path, metavar="PEM")
    run.add_argument("--key", type=Path, metavar="PEM")
    run.add_argument("--log-level", default="info", choices=("debug", "info", "warning", "error"))
    run.add_argument("--accept-restore", action="store_true", help="the database was put back from a backup")

    add(commands, "init", _init, "make the database")
    check = add(commands, "check", _check, "count what is there, and what is missing")
    check.add_argument("--repair", action="store_true", help="derive the figures' lines again from the reports")

    organisations = group("organisation", "organisations")
    one = add(organisations, "add", _add_organisation, "add an organisation")
    one.add_argument("code", help="what people type at sign-in")
    one.add_argument("--name", required=True)
    add(organisations, "list", _list_organisations, "show the organisations")

    sectors = group("sector", "sectors of an organisation")
    one = _of_organisation(add(sectors, "add", _add_sector, "add a sector"))
    one.add_argument("code")
    one.add_argument("--name", required=True)
    _of_organisation(add(sectors, "list", _list_sectors, "show the sectors"))

    users = group("user", "people and their accounts")
    one = _of_organisation(add(users, "add", _add_user, "add a person with an account"))
    one.add_argument("login")
    one.add_argument("--name", required=True)
    one.add_argument("--role", choices=[role.value for role in Role], default=Role.REP.value)
    one.add_argument("--sector", action="append", default=[], metavar="CODE", help="may be given several times")
    one.add_argument("--password-file", type=Path, help="else it is asked for, or read from standard input")

    devices = group("device", "devices that have signed in")
    _of_organisation(add(devices, "list", _list_devices, "show the devices"))
    one = _of_organisation(add(devices, "revoke", _revoke_device, "shut a device out"))
    one.add_argument("device", type=int, metavar="NUMBER")

    products = _of_organisation(
        add(commands, "import-products", _import_products, "import products, assortments and prices from a sheet")
    )
    products.add_argument("file", type=Path, metavar="FILE.csv")

    outlets = _of_organisation(add(commands, "import-outlets", _import_outlets, "import outlets from OpenStreetMap"))
    outlets.add_argument("file", type=Path, metavar="FILE.osm.pbf")
    outlets.add_argument("--sector", required=True, metavar="CODE")
    outlets.add_argument("--zone", default="Europe/Paris", help="IANA time zone of the outlets")
    outlets.add_argument("--country", default="", help="country of outlets that do not say theirs")
    return parser


def _of_organisation(parser: argparse.ArgumentParser) -> argparse.ArgumentParser:
    parser.add_argument("--organisation", required=True, metavar="CODE")
    return parser


if __name__ == "__main__":
    sys.exit(main())
