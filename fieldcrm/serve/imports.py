"""Importing outlets and products."""

from __future__ import annotations

import argparse
import sys
from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import asdict, replace
from pathlib import Path
from typing import Any

from sqlalchemy import select

from fieldcrm import words
from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.domain.intake import Feed, Line, Refused
from fieldcrm.exchange import refusals
from fieldcrm.geo import attribution
from fieldcrm.serve.command import Arguments, now
from fieldcrm.server import accounts, unimports
from fieldcrm.server.headquarters import Headquarters
from fieldcrm.server.imports import Settled, bring_in
from fieldcrm.server.products import import_products, read_products
from fieldcrm.ui.sentences import SENTENCES  # texts alone, without Qt
from sync.server.database import reading


def add_to(arguments: Arguments) -> None:
    products = arguments.add(
        "import-products",
        _import_products,
        "import products, assortments and prices from a sheet",
        of_organisation=True,
    )
    products.add_argument("file", type=Path, metavar="FILE.csv")
    outlets = arguments.add(
        "import-outlets",
        _import_outlets,
        "import outlets from a file: OpenStreetMap, CSV, XLSX, ODS, GeoJSON, GeoPackage, SIRENE, BANCO",
        of_organisation=True,
    )
    outlets.add_argument("file", type=Path, nargs="?", metavar="FILE")
    outlets.add_argument("--sector", metavar="CODE", help="of outlets for which the file says none")
    outlets.add_argument("--zone", default="Europe/Paris", help="IANA time zone of the outlets")
    outlets.add_argument("--country", default="", help="country of outlets that do not say theirs")
    outlets.add_argument("--source", default="", metavar="NAME", help="of the file; a newer one is compared by it")
    outlets.add_argument("--licence", default="", metavar="NAME")
    outlets.add_argument("--dry-run", action="store_true", help="say what would be done, and change nothing")
    outlets.add_argument("--complete", action="store_true",
                         help="the file has all outlets of its source in the sector: propose the others as closed")
    new = outlets.add_mutually_exclusive_group()
    new.add_argument("--add", dest="propose", action="store_const", const=False, help="add outlets that are new")
    new.add_argument("--propose", dest="propose", action="store_const", const=True, help="propose outlets that are new")
    outlets.add_argument("--accept-untouched", action="store_true",
                         help="change at once what nobody of the organisation has written, instead of proposing it")
    outlets.add_argument("--refused", type=Path, metavar="FILE.csv", help="write the lines that were left out, and why")
    outlets.add_argument("--undo", metavar="BATCH", help="take an import out again, by the id that it printed")


def _import_outlets(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    if options.undo is not None:
        return asdict(unimports.undo(hq, org, _batch_id(options.undo), now=now()))
    if options.file is None or options.sector is None:
        raise DomainError("required", field="FILE" if options.file is None else "--sector")
    [sector] = accounts.sectors_by_code(hq, org, [options.sector])
    _check_zone(options.zone)
    feed, columns = _feed(options)
    settled = Settled(
        sector, options.zone, options.country, sectors=_sectors(hq, org), propose=options.propose,
        complete=options.complete, accept_untouched=options.accept_untouched, dry_run=options.dry_run,
    )  # fmt: skip
    left_out: list[Line] = []
    codes: Counter[str] = Counter()

    def heard(refused: Refused) -> None:
        codes[refused.code] += 1
        if options.refused is not None and len(left_out) < _REFUSED_KEPT:
            left_out.append(refused)

    done = bring_in(hq, org, feed, settled, now=now(), on_progress=_progress(), on_refused=heard)
    if options.refused is not None:
        refusals.write(options.refused, left_out, _REFUSED_HEADER, _sentence, separator=",")
    answer = asdict(done) | {"source": feed.source, "licence": feed.licence, "left_out": dict(codes)}
    if feed.licence == attribution.LICENCE:
        answer["credit"] = attribution.ATTRIBUTION
    return answer if options.json else answer | {"columns": columns}


_REFUSED_KEPT = 200_000  # lines: more is another mapping, not lines to mend
_REFUSED_HEADER = ("row", "column", "value", "what is wrong", "what became of it", "left out", "value left out")


def _feed(options: argparse.Namespace) -> tuple[Feed, dict[str, str]]:
    """The feed of the file by the columns as they were guessed, and those columns."""
    from fieldcrm.exchange import reading as files  # map and sheet libraries are slow to load: this command alone

    opened = files.open_file(options.file)
    columns = opened.suggestion
    if options.source or options.licence:
        columns = replace(columns, source=options.source or columns.source, licence=options.licence or columns.licence)
    shown = {head: target for head, target in zip(columns.header, columns.targets, strict=True) if target}
    return files.feed(opened, columns, zone=options.zone, country=options.country), shown


def _sectors(hq: Headquarters, org: Id) -> dict[str, Id]:
    table = hq.sync.tables.records["sector"]
    query = select(table.c.code, table.c.id).where(table.c.org_id == org, table.c.deleted_rev.is_(None))
    with reading(hq.engine) as connection:
        return {code.strip().casefold(): id_ for code, id_ in connection.execute(query)}


def _batch_id(text: str) -> Id:
    try:
        return Id(text)
    except ValueError:
        raise DomainError("import_unknown") from None


def _progress() -> Callable[[float], None]:
    """On a terminal: how much of the file has been read, in whole hundredths."""
    shown = [-1]

    def show(fraction: float) -> None:
        percent = int(fraction * 100)
        if sys.stderr.isatty() and percent > shown[0]:
            shown[0] = percent
            print(f"\r{percent} %", end="" if percent < 100 else "\n", file=sys.stderr, flush=True)

    return show


def _sentence(code: str, params: Mapping[str, Any]) -> str:
    sentence = SENTENCES.get(code)
    return words.tr(sentence, **params) if sentence else code


def _import_products(hq: Headquarters, options: argparse.Namespace) -> dict[str, Any]:
    org = accounts.organisation(hq, options.organisation)
    return asdict(import_products(hq, org, read_products(options.file), now=now()))


def _check_zone(zone: str) -> None:
    from zoneinfo import ZoneInfo

    try:
        ZoneInfo(zone)
    except (OSError, ValueError):
        raise DomainError("zone_unknown", zone=zone) from None
