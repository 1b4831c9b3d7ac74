"""Which pairs of a whole base are worth comparing: close by with some likeness of name, or a key in common.

Nothing here is a judgement: a block only keeps the pairs apart that cannot be one outlet. All of it is numpy on columns
of a few bytes for each outlet, in slices, so that half a million outlets take seconds and little memory.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from zlib import crc32

import numpy as np
import numpy.typing as npt

from fieldcrm.domain.earth import METRES_A_DEGREE
from fieldcrm.insights.duplicates import Prepared
from fieldcrm.insights.name_levels import rare_below
from fieldcrm.insights.outlet_words import KEY_DIGITS

Ints = npt.NDArray[np.int64]
Pairs = npt.NDArray[np.int32]  # shape (n, 2), places in the columns, the smaller first

PAIRS_AT_ONCE = 2_000_000
SAME_WORD = 40  # outlets of a town with a word's beginning in common, from which the word is no help
SHARED_BY = 12  # outlets that have a key in common, from which it is a head office's and pairs nobody by itself
LIKE = 0.5  # of the two-letter groups of the shorter name that the longer must have
GENERIC_M = 80  # metres within which a name of trade words alone is worth a comparison
_BITS = 128
_WIDE = 4_000_000_000  # degrees x 10^7 of longitude in one row of the grid, and room to spare


class Columns:
    """What blocking looks at, outlet by outlet. ``add`` in any order; the place is the order of adding."""

    def __init__(self) -> None:
        self._lat, self._lon = array("d"), array("d")
        self._signs = bytearray()
        self._cores, self._trades, self._sirets = array("q"), array("q"), array("q")
        self._generic = array("b")
        self._counts: Counter[str] = Counter()
        # Which outlet, and its key: one outlet may have several, or none.
        self._places = (array("i"), array("q"))
        self._phones = (array("i"), array("q"))
        self._pages = (array("i"), array("q"))

    def __len__(self) -> int:
        return len(self._lat)

    def add(self, one: Prepared) -> None:
        at = len(self._lat)
        mapped = one.lat is not None and one.lon is not None
        self._lat.append(one.lat if mapped and one.lat is not None else np.nan)
        self._lon.append(one.lon if mapped and one.lon is not None else np.nan)
        self._signs += _sign(one.core)
        core = crc32(one.squeezed.encode())
        self._cores.append(core)
        self._generic.append(one.generic)
        self._counts.update(set(one.core.split()))
        self._trades.append(crc32(one.trade.encode()))
        self._sirets.append(int(one.siret) if one.siret else 0)
        place = one.postcode or one.city
        if place:
            self._add_places(at, one, place)
        for number in one.phones:
            self._phones[0].append(at)
            self._phones[1].append(int("1" + number[-KEY_DIGITS:].lstrip("~+")))
        for key in (one.page, one.email):
            if key:
                self._pages[0].append(at)
                self._pages[1].append(crc32(key.encode()) + 1)

    def _add_places(self, at: int, one: Prepared, place: str) -> None:
        """How an outlet without a position may be met: a word of its name, or its address, in its town."""
        words = one.core.split()
        keys = {word[:4] for word in words} | {"$" + word[-4:] for word in words if len(word) > 4}
        if one.street:
            keys.add(one.street)
            if one.numbers:
                keys.add(one.street + min(one.numbers))
        for key in keys:
            self._places[0].append(at)
            self._places[1].append(crc32(key.encode()) << 31 | crc32(place.encode()) >> 1)

    def commonness(self) -> npt.NDArray[np.int32]:
        """For each outlet, how many outlets have the very same words as name."""
        _, back, counts = np.unique(np.array(self._cores, dtype=np.int64), return_inverse=True, return_counts=True)
        return counts[back].astype(np.int32)

    def rarity(self) -> Callable[[str], frozenset[str]]:
        """What tells the words of a core that hardly any other outlet has; free of everything else kept here."""
        counts, most = self._counts, rare_below(len(self))
        return lambda core: frozenset(word for word in core.split() if counts[word] <= most)

    def keyed(self) -> Pairs:
        """Pairs with a telephone, SIRET, page or e-mail in common; those not mapped with a name and town in common."""
        everyone = np.arange(len(self), dtype=np.int32)
        sirets = np.array(self._sirets, dtype=np.int64)
        found = [
            _same_key(everyone[sirets > 0], sirets[sirets > 0]),
            _same_key(np.array(self._phones[0], dtype=np.int32), np.array(self._phones[1], dtype=np.int64)),
            _same_key(np.array(self._pages[0], dtype=np.int32), np.array(self._pages[1], dtype=np.int64)),
        ]
        named = _same_key(
            np.array(self._places[0], dtype=np.int32), np.array(self._places[1], dtype=np.int64), SAME_WORD
        )
        unmapped = np.isnan(np.array(self._lat))
        found.append(named[unmapped[named].any(axis=1)] if len(named) else named)
        return np.concatenate(found)

    def nearby(self, metres: float, watch: Callable[[float], None] | None = None) -> Iterator[Pairs]:
        """Pairs within ``metres`` whose names have something in common, a slice at a time, from south to north.

        ``watch`` is told the share that is done, and may raise to end it.
        """
        lat, lon = np.array(self._lat), np.array(self._lon)
        mapped = np.flatnonzero(~np.isnan(lat))
        if not len(mapped):
            return
        signs = np.frombuffer(bytes(self._signs), dtype=np.uint64).reshape(-1, _BITS // 64)
        sizes = np.bitwise_count(signs).sum(axis=1).astype(np.int16)
        generic, trades = np.array(self._generic, dtype=bool), np.array(self._trades, dtype=np.int64)
        for left, right in _within(lat, lon, mapped, metres, watch):
            height = lat[left] - lat[right]
            width = (lon[left] - lon[right]) * np.cos(np.radians(lat[left]))
            far = (height * height + width * width) * METRES_A_DEGREE**2
            close = far <= metres * metres
            left, right, far = left[close], right[close], far[close]
            shared = np.bitwise_count(signs[left] & signs[right]).sum(axis=1)
            alike = shared >= LIKE * np.minimum(sizes[left], sizes[right])
            plain = (generic[left] | generic[right]) & (trades[left] == trades[right]) & (far <= GENERIC_M**2)
            keep = alike | plain
            yield _ordered(left[keep], right[keep])


def _sign(core: str) -> bytes:
    """Which two-letter groups a name has, as bits: names that differ in a letter differ in two or three."""
    bits = 0
    for word in core.split():
        previous = "^"
        for letter in word:
            bits |= 1 << (ord(previous) * 31 + ord(letter) * 7) % _BITS
            previous = letter
    return bits.to_bytes(_BITS // 8, "little")


def _same_key(members: Pairs, keys: Ints, shared_by: int = SHARED_BY) -> Pairs:
    """All pairs of ``members`` with one key, but of keys that ``shared_by`` or more have."""
    order = np.argsort(keys, kind="stable")
    members, keys = members[order], keys[order]
    _, back, counts = np.unique(keys, return_inverse=True, return_counts=True)
    few = counts[back] < shared_by if len(keys) else np.empty(0, dtype=bool)
    members, keys = members[few], keys[few]
    found = [np.empty((0, 2), dtype=np.int32)]
    for apart in range(1, shared_by):
        same = np.flatnonzero(keys[apart:] == keys[:-apart])
        if not len(same):
            break
        pairs = _ordered(members[same], members[same + apart])
        found.append(pairs[pairs[:, 0] != pairs[:, 1]])
    return np.concatenate(found)


def _within(
    lat: npt.NDArray[np.float64],
    lon: npt.NDArray[np.float64],
    mapped: Ints,
    metres: float,
    watch: Callable[[float], None] | None,
) -> Iterator[tuple[Ints, Ints]]:
    """Pairs in one row of a grid, or in rows that touch, whose longitudes are close: each once."""
    height = metres / METRES_A_DEGREE
    row = np.floor((lat[mapped] + 90) / height).astype(np.int64)
    along = np.round((lon[mapped] + 180) * 1e7).astype(np.int64)
    keys = row * _WIDE + along
    order = np.argsort(keys, kind="stable")
    keys, row, along, members = keys[order], row[order], along[order], mapped[order]
    narrow = np.maximum(np.cos(np.radians(np.abs(lat[members]) + height)), 0.01)
    reach = np.round(height * 1e7 / narrow).astype(np.int64)
    mine = np.arange(len(members), dtype=np.int64)
    above = (row + 1) * _WIDE + along
    spans = (
        (mine + 1, np.searchsorted(keys, keys + reach, side="right")),
        (np.searchsorted(keys, above - reach, side="left"), np.searchsorted(keys, above + reach, side="right")),
    )
    total = sum(np.maximum(ends - starts, 0) for starts, ends in spans)
    slices = np.concatenate([[0], np.cumsum(total)])
    at = 0
    while at < len(members):
        until = max(at + 1, int(np.searchsorted(slices, slices[at] + PAIRS_AT_ONCE, side="right")) - 1)
        if watch is not None:
            watch(at / len(members))
        both = [_spread(mine[at:until], starts[at:until], ends[at:until]) for starts, ends in spans]
        left, right = (np.concatenate([one[side] for one in both]) for side in (0, 1))
        yield members[left], members[right]
        at = until


def _spread(mine: Ints, starts: Ints, ends: Ints) -> tuple[Ints, Ints]:
    """Each of ``mine`` with every place from its start to before its end."""
    counts = np.maximum(ends - starts, 0)
    left = np.repeat(mine, counts)
    offsets = np.arange(int(counts.sum()), dtype=np.int64) - np.repeat(np.cumsum(counts) - counts, counts)
    return left, np.repeat(starts, counts) + offsets


def _ordered(left: npt.NDArray[np.integer], right: npt.NDArray[np.integer]) -> Pairs:
    return np.stack([np.minimum(left, right), np.maximum(left, right)], axis=1).astype(np.int32)


def once(pairs: Iterable[Pairs]) -> Pairs:
    """All of them, each once, in order."""
    some = list(pairs)
    together = np.concatenate(some) if some else np.empty((0, 2), dtype=np.int32)
    keys = np.unique(together[:, 0].astype(np.int64) << 32 | together[:, 1].astype(np.int64))
    return np.stack([keys >> 32, keys & 0xFFFFFFFF], axis=1).astype(np.int32)
