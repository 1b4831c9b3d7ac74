"""A page of rows in parts, each short enough to be written while a person waits to write."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, TypeVar

from sync.protocol import BucketPage, Pull

SLICE_WEIGHT = 200  # to begin with
LEAST_WEIGHT, MOST_WEIGHT = 20, 4_000
# A person's write waits for one part, for the indexing of a bulk and for the end of the transaction: 50 ms in all.
SLICE_SECONDS = 0.015  # of work, after which it is looked whether somebody waits
BULK_SECONDS = 0.05  # of work, after which what was written is indexed: that takes a fifth of it
TOGETHER_SECONDS = 0.3  # of work in one transaction while nobody waits: its end takes up to 20 ms
_DOCUMENTS: frozenset[type] = frozenset({dict, list})
_VALUES_PER_ROW = 20  # of a document: what is derived from it is written too, some rows for each report

Part = TypeVar("Part")


class Pace:
    """How much is written at once: as much as this computer writes in ``SLICE_SECONDS``.

    Measured is the time that the work itself took. The end of a transaction costs the same for few rows as for many:
    if it counted, a slow disk would make the parts ever smaller and all of it ever slower.
    """

    def __init__(self, weight: int = SLICE_WEIGHT) -> None:
        self.weight = weight

    def took(self, seconds: float) -> None:
        """So long for one part of the present weight."""
        fits = self.weight * SLICE_SECONDS / max(seconds, 1e-6)
        self.weight = int(max(LEAST_WEIGHT, min(MOST_WEIGHT, self.weight * 2, fits)))


def turn(
    parts: Iterator[Part],
    write: Callable[[Part], bool],
    pace: Pace,
    stopwatch: Callable[[], float],
    waited_for: Callable[[], bool],
    bulk: Callable[[], AbstractContextManager[None]],
) -> None:
    """Write parts in the transaction under way until somebody else waits to write, or there is much in it.

    ``write`` says whether the part was a whole one, from which the pace can be told; it is called within ``bulk``.
    The end of a transaction writes each page it touched once more, however little is new on it: many small ones
    take twice as long as a few large ones.
    """
    began = stopwatch()
    left = True
    while left and stopwatch() - began < TOGETHER_SECONDS:
        with bulk():
            left = _some(parts, write, pace, stopwatch, waited_for)


def _some(
    parts: Iterator[Part],
    write: Callable[[Part], bool],
    pace: Pace,
    stopwatch: Callable[[], float],
    waited_for: Callable[[], bool],
) -> bool:
    """As many as are indexed at once; False when none is left, or somebody waits."""
    start = stopwatch()
    for part in parts:
        began = stopwatch()
        whole = write(part)
        now = stopwatch()
        if whole:
            pace.took(now - began)
        if waited_for():
            return False
        if now - start >= BULK_SECONDS:
            return True
    return False


def slices(pull: Pull, weight: int | Callable[[], int] = SLICE_WEIGHT) -> Iterator[tuple[Pull, bool]]:
    """The page in parts that weigh about ``weight`` rows, each with whether more of it follows.

    A row weighs 1, and more when it carries a long document. ``weight`` may change from part to part.
    """
    size = weight if callable(weight) else lambda: weight
    held: list[BucketPage] = []
    total = 0
    for part, weighs in _parts(pull, size):
        if held and total + weighs > size():
            yield Pull(pull.upto, held, pull.cols, [], pull.buckets, pull.more, pull.token), True
            held, total = [], 0
        held.append(part)
        total += weighs
    yield Pull(pull.upto, held, pull.cols, pull.drop, pull.buckets, pull.more, pull.token), False


def _parts(pull: Pull, size: Callable[[], int]) -> Iterator[tuple[BucketPage, int]]:
    for page in pull.pages:
        for number, wire in page.put.items():
            for rows, weight in _weighed(wire, size):
                yield BucketPage(page.bucket, {number: rows}), weight
        if page.revoke or page.gone:
            yield BucketPage(page.bucket, {}, page.revoke, page.gone), 0


def _weighed(wire: Sequence[list[Any]], size: Callable[[], int]) -> Iterator[tuple[list[list[Any]], int]]:
    if all(_DOCUMENTS.isdisjoint(map(type, row)) for row in wire):
        at = 0
        while at < len(wire):
            some = wire[at : at + size()]
            yield list(some), len(some)
            at += len(some)
        return
    rows: list[list[Any]] = []
    weight = 0
    for row in wire:
        documents = [value for value in row if value.__class__ in _DOCUMENTS]
        weighs = 1 + sum(map(_values, documents)) // _VALUES_PER_ROW if documents else 1
        if rows and weight + weighs > size():
            yield rows, weight
            rows, weight = [], 0
        rows.append(row)
        weight += weighs
    if rows:
        yield rows, weight


def _values(value: Any) -> int:
    """How many values a document holds, at every depth; plain values are not counted."""
    if not isinstance(value, dict | list):
        return 0
    inner = value.values() if isinstance(value, dict) else value
    return len(value) + sum(_values(one) for one in inner)
