"""Importing outlets and products."""

from __future__ import annotations

import argparse
from collections import Counter
from dataclasses import asdict
from pathlib import Path
from typing import Any

from fieldcrm.domain.errors import DomainError
from fieldcrm.serve.command import Arguments, now
from fieldcrm.server import accounts
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.server.imports import Source, import_outlets
from fieldcrm.server.products import import_products, read_products


def add_to(arguments: Arguments) -> None:
    products = arguments.add(
        "import-products",
        _import_products,
        "import products, assortments and prices from a sheet",
        of_organisation=True,
    )
    products.add_argument("file", type=Path, metavar="FILE.csv")
    outlets = arguments.add(
        "import-outlets", _import_outlets, "import outlets from OpenStreetMap", of_organisation=True
    )
    outlets.add_argument("file", type=Path, metavar="FILE.osm.pbf")
    outlets.add_argument("--sector", required=True, metavar="CODE")
    outlets.add_argument("--zone", default="Europe/Paris", help="IANA time zone of the outlets")
    outlets.add_argument("--country", default="", help="country of outlets that do not say theirs")


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


def _check_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (OSError, ValueError):
        raise DomainError("zone_unknown", zone=zone) from None
