"""What is kept about people: erase one for good, see which devices have done it, read the history of a record."""

from __future__ import annotations

import argparse
from typing import Any
from uuid import UUID

from fieldcrm.domain.errors import DomainError
from fieldcrm.serve.command import Arguments, now
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters
from sync.sealing import ERASED


def add_to(arguments: Arguments) -> None:
    group = arguments.group("person", "what is kept about people")
    one = arguments.add("erase", _erase, "erase a person for good, everywhere", group=group, of_organisation=True)
    one.add_argument("id", help="id of the contact or colleague; or of one record, to erase the words in it")
    arguments.add("erasures", _erasures, "which device has erased whom", group=group, of_organisation=True)
    one = arguments.add("history", _history, "who changed a record, and when", group=group, of_organisation=True)
    one.add_argument("collection", help="contact, outlet, task, …")
    one.add_argument("id")
    arguments.add("reapply", _reapply, "do every erasure again, after a restore by other means", group=group)


def _erase(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    receipt = hq.erasures.erase_person(org, _id(options.id), now=now())
    return {"erased": receipt.subject.hex, "records": receipt.records, "keys": receipt.keys, "revision": receipt.rev}


def _erasures(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    return {
        "erasures": [
            {"person": one.subject.hex, "at": one.at, "done": list(one.done), "missing": list(one.missing)}
            for one in hq.erasures.progress(org)
        ]
    }


def _history(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    entries = hq.erasures.history(org, options.collection, _record(options.id))
    return {
        "changes": [
            {
                "at": one.at, "kind": one.kind, "user": one.user.hex if one.user else None, "device": one.device,
                "set": _shown(one.set), "was": _shown(one.was),
            }
            for one in entries
        ]
    }


def _shown(values: Any) -> dict[str, Any]:
    return {name: "erased" if value is ERASED else value for name, value in values.items()}


def _reapply(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    return {"erased_again": hq.erasures.reapply_erasures(everything=True)}


def _record(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError:
        raise DomainError("id_wrong", id=text) from None


def _id(text: str) -> UUID:
    try:
        return UUID(hex=text)
    except ValueError:
        raise DomainError("person_unknown", id=text) from None
