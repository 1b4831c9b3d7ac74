"""What waits in quarantine: outboxes of revoked devices, and edits that were refused out of scope."""

from __future__ import annotations

import argparse
from typing import Any

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.serve.command import Arguments, now
from fieldcrm.server import accounts, quarantined
from fieldcrm.server.headquarters import Headquarters
from sync.sealing import ERASED


def add_to(arguments: Arguments) -> None:
    group = arguments.group("quarantine", "changes that wait for a decision")
    one = arguments.add("list", _list, "show what waits", group=group, of_organisation=True)
    one.add_argument("--all", action="store_true", help="what was decided too")
    for name, command, help in (
        ("show", _show, "show the changes in one"),
        ("apply", _apply, "apply one in its author's name"),
        ("drop", _drop, "put one aside for good"),
    ):
        one = arguments.add(name, command, help, group=group, of_organisation=True)
        one.add_argument("id")


def _list(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    found = [
        {
            "id": item.id.hex,
            "kind": item.kind,
            "device": item.device_no,
            "person": item.user.hex,
            "received_at": item.received_at,
            "changes": item.operations,
            "state": item.state,
        }
        for item in quarantined.items(hq, org, decided=options.all)
    ]
    return {"quarantine": found}


def _show(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org, id_ = _named(hq, options)
    found = []
    for line in quarantined.lines(hq, org, id_):
        values = {name: "(erased)" if value is ERASED else value for name, value in line.values.items()}
        found.append({"collection": line.collection, "record": line.record.hex, "kind": line.kind, "values": values})
    return {"changes": found}


def _apply(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org, id_ = _named(hq, options)
    done = quarantined.apply(hq, org, id_, now=now())
    return {"applied": id_.hex, "results": [done.counts], "reasons": ", ".join(done.reasons)}


def _drop(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org, id_ = _named(hq, options)
    quarantined.drop(hq, org, id_, now=now())
    return {"dropped": id_.hex}


def _named(hq: Headquarters, options: argparse.Namespace) -> tuple[Id, Id]:
    org = accounts.organisation(hq, options.organisation)
    try:
        return org, Id(hex=options.id)
    except ValueError:
        raise DomainError("quarantine_unknown", id=options.id) from None
