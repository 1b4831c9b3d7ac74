"""The figures in front as a table: products with their counts and intervals, or the stores behind a figure."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

from PySide6.QtWidgets import QFileDialog, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.domain.metrics import Interval, Period, Universe
from fieldcrm.domain.review import Decision
from fieldcrm.ui import report_words
from fieldcrm.ui.appsession import AppSession
from fieldcrm.usecases.export import Cell, save_table
from fieldcrm.usecases.figures import ProductFigures, StoreBehind
from fieldcrm.words import language, number, tr

Table = tuple[list[str], list[list[str]]]
_FIGURE = re.compile(r"-?[0-9]{1,12}(?:[.,][0-9]+)?")


def product_table(products: Sequence[ProductFigures]) -> Table:
    """Counts rather than shares alone: whoever opens the file can work them out again."""
    header = [
        tr("Product"), tr("Brand"), tr("Category"), tr("Stores seen"), tr("Stores in all"), tr("Held in"),
        tr("On the shelf in"), tr("Out of stock in"), tr("Distribution, %"), tr("Low, %"), tr("High, %"),
        tr("Stores counted"),
    ]
    rows = [
        [row.name, row.brand, row.category, str(row.held.seen), str(row.held.population), str(round(row.held.part)),
         str(round(row.present.part)), str(round(row.out_of_stock.part)), _percent(row.held.value),
         *_ends(row.held.interval), _universe(row.held.universe)]
        for row in products
    ]
    return header, rows


def _universe(universe: Universe) -> str:
    return tr("those that list it") if universe is Universe.LISTING_STORES else tr("all: no assortment lists it")


def store_table(stores: Sequence[StoreBehind]) -> Table:
    """``Part`` and ``Whole`` of a price are the price read and its reference, in the currency, not in cents."""
    priced = any(row.product for row in stores)
    header = [tr("Store"), tr("Town"), *([tr("Product")] if priced else []), tr("State"), tr("Part"), tr("Whole")]
    header += [tr("When"), tr("Decision"), tr("Reviewed by"), tr("Why")]
    return header, [_store_row(row, priced) for row in stores]


def _store_row(row: StoreBehind, priced: bool) -> list[str]:
    missed = row.state in ("skipped", "planned")
    return [
        row.name, row.city, *([row.product or ""] if priced else []), report_words.store_state(row.state)[0],
        _part(row, row.part), _part(row, row.whole), _moment(row.at, row.zone), _decision(row), row.reviewer or "",
        report_words.skip_reason(row.reason) if missed else "",
    ]


def _decision(row: StoreBehind) -> str:
    if row.submission_id is None:
        return ""
    return report_words.decision(Decision(row.decision))[0] if row.decision else tr("not reviewed yet")


def _moment(moment: datetime | None, zone: str | None) -> str:
    """As every spreadsheet reads it, by the clock of the store."""
    return "" if moment is None else f"{moment.astimezone(ZoneInfo(zone) if zone else None):%Y-%m-%d %H:%M}"


def _percent(value: float | None) -> str:
    return "" if value is None else number(value * 100, 1)


def _ends(interval: Interval | None) -> list[str]:
    return ["", ""] if interval is None else [_percent(interval.low), _percent(interval.high)]


def _part(row: StoreBehind, value: float | None) -> str:
    if value is None:
        return ""
    if row.state != "price":
        return str(round(value))
    text = f"{round(value) / 100:.2f}"
    return text.replace(".", ",") if language() == "fr" else text


def ask_path(parent: QWidget, name: str, period: Period) -> Path | None:
    """Where to save, under a name that says what it is and of when; ``None`` when the person gives up."""
    proposed = "".join("-" if char in '\\/:*?"<>|' else char for char in f"{name} {period.first} {period.last}")
    kinds = {tr("Excel (*.xlsx)"): ".xlsx", tr("CSV (*.csv)"): ".csv"}
    chosen, kind = QFileDialog.getSaveFileName(parent, tr("Export"), f"{proposed}.xlsx", ";;".join(kinds))
    if not chosen:
        return None
    path = Path(chosen)
    if path.suffix.lower() not in kinds.values():
        path = path.with_name(path.name + kinds.get(kind, ".xlsx"))
    return path


def _counted(rows: Sequence[Sequence[str]]) -> list[list[Cell]]:
    """Columns that hold figures alone as figures, so that a spreadsheet can add them up."""
    figures = [
        any(column) and all(not cell or _FIGURE.fullmatch(cell) for cell in column)
        for column in zip(*rows, strict=True)
    ]
    return [
        [float(cell.replace(",", ".")) if counts and cell else cell for cell, counts in zip(row, figures, strict=True)]
        for row in rows
    ]


def export_table(session: AppSession, path: Path, table: Table) -> None:
    """Write ``table`` and say so; what the disk refuses is said too."""
    header, rows = table
    separator = ";" if language() == "fr" else ","
    try:
        cells = _counted(rows) if path.suffix.lower() == ".xlsx" else rows
        save_table(path, header, cells, separator=separator, title=tr("Figures"))
    except CodedError as error:
        session.messages.error(error)
        return
    session.messages.say(tr("Saved in {file}.", file=path.name), "success")
