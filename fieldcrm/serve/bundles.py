"""Syncs that are carried by hand: take a device's file, write the answer for it; the key that such files are for."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fieldcrm.domain.errors import DomainError, Unavailable
from fieldcrm.serve.command import Arguments, now
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters
from sync.bundle import BundleRefused
from sync.server.ports import Refused
from sync.whole_file import write_whole


def add_to(arguments: Arguments) -> None:
    group = arguments.group("bundle", "syncs that are carried by hand")
    one = arguments.add("import", _import, "apply a device's file, and write the answer for it", group=group)
    one.add_argument("file", type=Path, metavar="FILE.fieldcrm")
    one.add_argument("--answer", type=Path, metavar="FILE", help="default: beside the file, as FILE.answer.fieldcrm")
    arguments.add("key", _key, "make the key for such files, and tell devices", group=group, of_organisation=True)
    arguments.add(
        "renew", _renew, "make a new key: files made before open no more", group=group, of_organisation=True
    )


def _import(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    path: Path = options.file
    target = options.answer or path.with_name(path.name.removesuffix(".fieldcrm") + ".answer.fieldcrm")
    try:
        done = hq.bundles.apply(path, now=now())
    except BundleRefused as refusal:
        raise DomainError(refusal.code, path=path.name) from refusal
    except Refused as refusal:
        raise DomainError("bundle_damaged", path=path.name) from refusal
    except OSError as error:
        raise Unavailable("file_unreadable", path=path.name, reason=error.strerror or "") from error
    _write(target, done.answer)
    if done.key_gone:
        raise DomainError("bundle_key_gone", path=path.name, answer=target.name)
    return {
        "device": done.device, "operations": done.operations, "applied": done.applied, "refused": done.refused,
        "photos": done.blobs, "stopped": done.control or "", "answer": str(target),
    }


def _write(path: Path, content: bytes) -> None:
    try:
        write_whole(path, content)
    except OSError as error:
        raise Unavailable("folder_not_writable", path=str(path.parent), reason=error.strerror or "") from error


def _key(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    return {"key": hq.bundles.ensure_key(accounts.organisation(hq, options.organisation), now=now()).id}


def _renew(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    made = hq.bundles.renew_key(org, now=now()) or hq.bundles.ensure_key(org, now=now())
    return {"key": made.id}
