"""Regions: packs of map, streets and roads that every device of an organisation gets."""

from __future__ import annotations

import argparse
from pathlib import Path
from typing import Any

from fieldcrm.serve.command import Arguments, now
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters


def add_to(arguments: Arguments) -> None:
    group = arguments.group("region", "packs of map, streets and roads for the devices of an organisation")
    made = arguments.add("add", _add, "give a pack to every device; it replaces one of its name", group=group,
                         of_organisation=True)
    made.add_argument("file", type=Path, metavar="PACK.mbtiles", help="made by: fieldcrm region build")
    made.add_argument("--name", default="", help="default: the pack's own")
    arguments.add("list", _list, "the regions of an organisation", group=group, of_organisation=True)
    gone = arguments.add("remove", _remove, "devices fetch it no more", group=group, of_organisation=True)
    gone.add_argument("name", metavar="NAME")


def _add(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    from fieldcrm.geo.packs import describe  # its libraries are slow to load, and only this command needs them

    org = accounts.organisation(hq, options.organisation)
    info = describe(options.file)
    added = hq.regions.add(org, options.file, options.name or info.name, info.bounds, now())
    return {"name": added.name, "sha256": added.sha256, "bytes": added.size, "outlets": info.outlets,
            "streets": info.streets, "roads": info.has_roads}


def _list(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    return {"regions": [
        {"name": one.name, "bytes": one.size, "active": one.active, "sha256": one.sha256, "built_at": one.built_at}
        for one in hq.regions.all(org)
    ]}


def _remove(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    hq.regions.remove(org, options.name)
    return {"removed": options.name}
