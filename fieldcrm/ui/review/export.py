"""The figures in front as a CSV: products with their counts and intervals, or the stores behind a figure."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.domain.metrics import Interval
from fieldcrm.ui import report_words
from fieldcrm.ui.appsession import AppSession
from fieldcrm.usecases.export import save_csv
from fieldcrm.usecases.figures import ProductFigures, StoreBehind
from fieldcrm.words import day_time, language, number, tr

Table = tuple[list[str], list[list[str]]]


def product_table(products: Sequence[ProductFigures]) -> Table:
    """Counts rather than shares alone: whoever opens the file can work them out again."""
    header = [
        tr("Product"), tr("Brand"), tr("Category"), tr("Stores seen"), tr("Stores that list it"), tr("Held in"),
        tr("On the shelf in"), tr("Out of stock in"), tr("Distribution, %"), tr("Low, %"), tr("High, %"),
    ]
    rows = [
        [row.name, row.brand, row.category, str(row.held.seen), str(row.held.population), str(round(row.held.part)),
         str(round(row.present.part)), str(round(row.out_of_stock.part)), _percent(row.held.value),
         *_ends(row.held.interval)]
        for row in products
    ]
    return header, rows


def store_table(stores: Sequence[StoreBehind]) -> Table:
    header = [tr("Store"), tr("Town"), tr("State"), tr("Part"), tr("Whole"), tr("When"), tr("Reviewed by")]
    rows = [
        [row.name, row.city, report_words.store_state(row.state)[0], _count(row.part), _count(row.whole),
         day_time(row.at) if row.at else "", row.reviewer or ""]
        for row in stores
    ]
    return header, rows


def _percent(value: float | None) -> str:
    return "" if value is None else number(value * 100, 1)


def _ends(interval: Interval | None) -> list[str]:
    return ["", ""] if interval is None else [_percent(interval.low), _percent(interval.high)]


def _count(value: float | None) -> str:
    return "" if value is None else str(round(value))


def ask_path(parent: QWidget, name: str) -> Path | None:
    """Where to save; ``None`` when the person gives up."""
    chosen, _ = QFileDialog.getSaveFileName(parent, tr("Export"), f"{name}.csv", "CSV (*.csv)")
    return Path(chosen) if chosen else None


def export_table(session: AppSession, path: Path, table: Table) -> None:
    """Write ``table`` and say so; what the disk refuses is said too."""
    header, rows = table
    separator = ";" if language() == "fr" else ","
    try:
        save_csv(path, header, rows, separator=separator)
    except CodedError as error:
        session.messages.error(error)
        return
    session.messages.say(tr("Saved in {file}.", file=path.name), "success")
