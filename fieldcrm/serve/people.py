"""Organisations, sectors, people, devices."""

from __future__ import annotations

import argparse
import getpass
import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any

import segno

from fieldcrm.domain.actor import Role
from fieldcrm.domain.errors import DomainError
from fieldcrm.serve.command import Arguments, now
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters


def add_to(arguments: Arguments) -> None:
    _organisations(arguments)
    _sectors(arguments)
    _users(arguments)
    _devices(arguments)


def _organisations(arguments: Arguments) -> None:
    group = arguments.group("organisation", "organisations")
    one = arguments.add("add", _add_organisation, "add an organisation", group=group)
    one.add_argument("code", help="what people type at sign-in")
    one.add_argument("--name", required=True)
    arguments.add("list", _list_organisations, "show the organisations", group=group)
    one = arguments.add("second-factor", _require_second_factor, "ask new devices for a second factor", group=group)
    one.add_argument("code")
    one.add_argument("setting", choices=("required", "optional"))


def _sectors(arguments: Arguments) -> None:
    group = arguments.group("sector", "sectors of an organisation")
    one = arguments.add("add", _add_sector, "add a sector", group=group, of_organisation=True)
    one.add_argument("code")
    one.add_argument("--name", required=True)
    arguments.add("list", _list_sectors, "show the sectors", group=group, of_organisation=True)


def _users(arguments: Arguments) -> None:
    group = arguments.group("user", "people and their accounts")
    one = arguments.add("add", _add_user, "add a person with an account", group=group, of_organisation=True)
    one.add_argument("login")
    one.add_argument("--name", required=True)
    one.add_argument("--role", choices=[role.value for role in Role], default=Role.REP.value)
    one.add_argument("--sector", action="append", default=[], metavar="CODE", help="may be given several times")
    one.add_argument("--password-file", type=Path, help="else it is asked for, or read from standard input")
    arguments.add("list", _list_users, "show the accounts, with people's ids", group=group, of_organisation=True)
    one = arguments.add("sectors", _move_user, "say where a person belongs", group=group, of_organisation=True)
    one.add_argument("login")
    one.add_argument("--sector", action="append", default=[], metavar="CODE", help="each of them; none: no sector")
    one = arguments.add("password", _set_password, "give a person a new password", group=group, of_organisation=True)
    one.add_argument("login")
    one.add_argument("--password-file", type=Path, help="else it is asked for, or read from standard input")
    one = arguments.add("close", _close_user, "shut out a person and their devices", group=group, of_organisation=True)
    one.add_argument("login")
    one = arguments.add("reopen", _reopen_user, "let a person sign in again", group=group, of_organisation=True)
    one.add_argument("login")
    one = arguments.add(
        "second-factor", _second_factor, "give a person a second factor for new devices", group=group,
        of_organisation=True,
    )  # fmt: skip
    one.add_argument("login")
    one.add_argument("--off", action="store_true", help="take it away")


def _devices(arguments: Arguments) -> None:
    group = arguments.group("device", "devices that have signed in")
    arguments.add("list", _list_devices, "show the devices", group=group, of_organisation=True)
    one = arguments.add("revoke", _revoke_device, "shut a device out", group=group, of_organisation=True)
    one.add_argument("device", type=int, metavar="NUMBER")
    one = arguments.add("rename", _rename_device, "name a device", group=group, of_organisation=True)
    one.add_argument("device", type=int, metavar="NUMBER")
    one.add_argument("name")


def _add_organisation(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    moment = now()
    org = accounts.add_organisation(hq, options.code, options.name, now=moment)
    accounts.publish_built_in_form(hq, org, now=moment)
    hq.bundles.ensure_key(org, now=moment)
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


def _list_users(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    return {
        "users": [
            asdict(user) | {"person": user.person.hex, "sectors": ", ".join(user.sectors)}
            for user in accounts.users(hq, org, today=now().date())
        ]
    }


def _move_user(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    accounts.set_sectors(hq, org, options.login, accounts.sectors_by_code(hq, org, options.sector), now=now())
    return {"login": options.login, "sectors": ", ".join(options.sector)}


def _set_password(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    accounts.set_password(hq, org, options.login, _password(options), now=now())
    return {"login": options.login, "password": "changed"}


def _close_user(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    revoked = accounts.close_user(hq, org, options.login, now=now())
    return {"login": options.login, "active": False, "revoked": [{"device": number} for number in revoked]}


def _reopen_user(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    accounts.reopen_user(hq, org, options.login, now=now())
    return {"login": options.login, "active": True}


def _list_devices(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    return {"devices": [asdict(device) for device in accounts.devices(hq, org)]}


def _revoke_device(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    accounts.revoke_device(hq, org, options.device, now=now())
    return {"revoked": options.device}


def _rename_device(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    accounts.rename_device(hq, org, options.device, options.name)
    return {"device": options.device, "name": options.name}


def _require_second_factor(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.code)
    accounts.require_second_factor(hq, org, options.setting == "required")
    return {"organisation": options.code, "second_factor": options.setting}


def _second_factor(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    """What is printed is printed once: neither the secret nor the codes can be read again."""
    org = accounts.organisation(hq, options.organisation)
    if options.off:
        return {"login": options.login, "removed": accounts.remove_second_factor(hq, org, options.login)}
    made = accounts.enrol_second_factor(hq, org, options.login, issuer=f"FieldCRM {options.organisation}", now=now())
    if not options.json:
        segno.make(made.uri, error="l").terminal(out=sys.stdout, compact=True)
    return {
        "login": options.login,
        "uri": made.uri,
        "secret": made.secret,
        "recovery_codes": [{"code": code} for code in made.recovery_codes],
    }


def _password(options: argparse.Namespace) -> str:
    if options.password_file is not None:
        try:
            return str(options.password_file.read_text(encoding="utf-8")).rstrip("\r\n")
        except OSError as error:
            raise DomainError("file_unreadable", path=str(options.password_file), reason=error.strerror) from error
    if sys.stdin.isatty():
        return getpass.getpass(f"Password for {options.login}: ")
    return sys.stdin.readline().rstrip("\r\n")
