"""What stood on the shelves of the sample stores, and reports of it in the shape of the audit form."""

from __future__ import annotations

import random
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any

from fieldcrm.demo.range import Article, listed_at
from fieldcrm.demo.records import Row
from fieldcrm.domain.ids import Id
from fieldcrm.domain.submission import ROW_KEY, Basis, Shelf, ShelfLine
from fieldcrm.forms import Form
from fieldcrm.forms.grid import Grid, grids

ABSENT_AT_FIRST = 0.16  # of the lines that need not be there; half as many of those that must
OUT_OF_STOCK = 0.035
WON_PER_WEEK = 0.03  # absent lines that a rep gets onto the shelf


@dataclass(slots=True)
class Line:
    """The truth about one product in one store, from which visits see what they see."""

    article: Article
    facings: int
    price_minor: int
    absent: bool


class Shelves:
    """Every customer's shelf, week after week, from a seed."""

    def __init__(self, articles: Sequence[Article], chance: random.Random, always_out: Mapping[Id, Id]) -> None:
        self._articles = tuple(articles)
        self._chance = chance
        self._always_out = always_out  # outlet -> the product that is out of stock there again and again
        self._lines: dict[Id, list[Line]] = {}

    def lines(self, outlet: Row) -> list[Line]:
        known = self._lines.get(outlet["id"])
        if known is None:
            listed = listed_at(self._articles, outlet["store_type"])
            known = self._lines[outlet["id"]] = [self._first(article, outlet["store_type"]) for article in listed]
        return known

    def _first(self, article: Article, store_type: str) -> Line:
        listing = article.listings[store_type]
        absent = ABSENT_AT_FIRST / 2 if listing.must_stock else ABSENT_AT_FIRST
        price = article.price_at(store_type) + self._chance.choice((-10, 0, 0, 0, 0, 10, 20))
        return Line(
            article, max(1, listing.facings + self._chance.choice((-1, 0, 0, 1))), price, self._chance.random() < absent
        )

    def seen(self, outlet: Row) -> Iterator[ShelfLine]:
        """One visit's observations; what a rep obtained last time is there from then on."""
        for number, line in enumerate(self.lines(outlet), 1):
            if line.absent and line.article.own and self._chance.random() < WON_PER_WEEK * 3:
                line.absent = False
            state = self._state(outlet["id"], line)
            present = state is Shelf.PRESENT
            yield ShelfLine(
                line.article.id, number, state,
                facings=max(1, line.facings + self._chance.choice((-1, 0, 0, 0, 1))) if present else None,
                price_minor=line.price_minor if present else None,
                basis=Basis.CONFIRMED if self._chance.random() < 0.25 else Basis.OBSERVED,
            )  # fmt: skip

    def _state(self, outlet: Id, line: Line) -> Shelf:
        if self._always_out.get(outlet) == line.article.id:
            return Shelf.OOS if self._chance.random() < 0.85 else Shelf.PRESENT
        if line.absent:
            return Shelf.ABSENT
        return Shelf.OOS if self._chance.random() < OUT_OF_STOCK else Shelf.PRESENT


class Reports:
    """Answers in the document shape of one form, as if they had been typed into it."""

    def __init__(self, form: Form) -> None:
        self._grid: Grid = grids(form)[0]
        self._tasks = {
            question.bind.own["task"]: question.path.removeprefix(form.root.path)
            for question in form.questions() if "task" in question.bind.own
        }  # fmt: skip

    def answers(self, lines: Sequence[ShelfLine], promise: tuple[str, date, str] | None = None) -> dict[str, Any]:
        """``promise`` is its title, due day and who gave it."""
        document: dict[str, Any] = {}
        _put(document, self._grid.path, [self._row(line) for line in lines])
        if promise is not None:
            title, due, by = promise
            for part, text in (("title", title), ("due", due.isoformat()), ("by", by)):
                path = self._tasks.get(f"promise:{part}")
                if path:
                    _put(document, path, text)
        return document

    def _row(self, line: ShelfLine) -> Row:
        grid, product = self._grid, line.product_id.hex
        row: Row = {ROW_KEY: product, grid.product: product, grid.state: line.state.value}
        if line.facings is not None and grid.facings:
            row[grid.facings] = line.facings
        if line.price_minor is not None and grid.price:
            row[grid.price] = f"{line.price_minor // 100}.{line.price_minor % 100:02d}"
        if grid.basis:
            row[grid.basis] = line.basis.value
        return row


def _put(document: dict[str, Any], path: str, value: Any) -> None:
    *groups, name = path.split("/")[1:]
    for group in groups:
        document = document.setdefault(group, {})
    document[name] = value
