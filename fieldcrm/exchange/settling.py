"""What only the whole table tells: halves without their other half, things said twice, and what is still missing."""

from __future__ import annotations

import re
from collections.abc import Sequence

from fieldcrm.exchange.evidence import Evidence
from fieldcrm.exchange.mapping import IGNORED
from fieldcrm.exchange.naming import called
from fieldcrm.exchange.vocabulary import plain_words

WAY = "way"  # rue, avenue, boulevard in a column of its own: with the street's name it makes the street
_FOUND = 0.55  # the mark of what is taken because nothing else is left
_KEYED = re.compile(r"(?:no|num|nb|id|code|cod|ref).*|.*(?:id|code|cod|no|num|nr|number|ref|key|cd)")


_VISIT = frozenset("call visit visite visites passage passages tournee often every how".split())
_LONG = frozenset("length duration long time minutes min mins minute temps".split())


def settled(
    names: Sequence[str], cells: Sequence[Sequence[str]], seen: Sequence[Evidence], targets: list[str],
    marks: list[float],
) -> tuple[list[str], list[float]]:  # fmt: skip
    """``names``: the headers, folded. ``cells``: the sample, by columns. Returns targets and marks, mended."""
    table = _Table(names, cells, seen, targets, marks)
    table.positions()
    table.streets()
    table.name()
    table.banner()
    table.reference()
    table.postcode()
    table.city()
    table.phone()
    table.visits()
    return table.targets, table.marks


class _Table:
    def __init__(
        self, names: Sequence[str], cells: Sequence[Sequence[str]], seen: Sequence[Evidence], targets: list[str],
        marks: list[float],
    ) -> None:  # fmt: skip
        self.names, self.cells, self.seen = names, cells, seen
        self.targets, self.marks = targets, marks

    def _drop(self, target: str) -> None:
        self.targets[self.targets.index(target)] = IGNORED

    def _take(self, place: int, target: str) -> None:
        self.targets[place], self.marks[place] = target, max(_FOUND, min(self.marks[place], 0.7))

    def _free(self, place: int) -> bool:
        """Whether nobody knows what the column is: it is not even known as something to ignore."""
        return self.targets[place] == IGNORED and called(self.names[place]).get("ignored", 0.0) < 0.8

    def positions(self) -> None:
        targets = self.targets
        if ("lat" in targets) != ("lon" in targets):
            self._drop("lat" if "lat" in targets else "lon")
        if "position" in targets and "lat" in targets:
            self._drop("position")

    def streets(self) -> None:
        targets = self.targets
        for place in range(len(targets) - 1):
            numbered = self.seen[place].house_number > 0.8 and "number" in plain_words(self.names[place])
            vaguely = targets[place] in (IGNORED, "reference") and len(plain_words(self.names[place])) == 1
            if numbered and vaguely and targets[place + 1] in (WAY, "street") and "house_number" not in targets:
                self._take(place, "house_number")
        if WAY in targets:
            way = targets.index(WAY)
            street = targets.index("street") if "street" in targets else self._street_after(way)
            if street > way and self.seen[street].street < 0.6:
                targets[way] = targets[street] = "street"
            else:
                targets[way] = IGNORED
        if "street" in targets:
            place = targets.index("street")
            if self.seen[place].one_line > 0.8 and "postcode" not in targets and "city" not in targets:
                if "address" in targets:
                    self._drop("address")
                targets[place] = "address"
        if "address" in targets and "street" in targets and "city" in targets:
            self._drop("address")  # said twice: the parts are surer

    def _street_after(self, way: int) -> int:
        for place in range(way + 1, min(way + 3, len(self.targets))):
            if self.targets[place] == IGNORED and "voie" in self.names[place]:
                return place
        return -1

    def name(self) -> None:
        targets = self.targets
        if "name" in targets:
            return
        for place, seen in enumerate(self.seen):
            worded = seen.letters > 0.8 and seen.length > 3 and seen.distinct > 0.8
            other = max(seen.email, seen.url, seen.street, seen.date, seen.one_line, seen.country, seen.store_type)
            if worded and other < 0.5 and seen.coded < 0.5 and self._free(place):
                self._take(place, "name")
                return
        if "banner" in targets:
            targets[targets.index("banner")] = "name"

    def banner(self) -> None:
        """Of two columns of which one begins as the other (Tesco, Tesco Extra Slough), the longer is the name."""
        targets = self.targets
        if "name" not in targets or "banner" in targets:
            return
        name = targets.index("name")
        for place in range(len(targets)):
            if place == name or targets[place] not in (IGNORED, "group_name") or self.seen[place].letters < 0.8:
                continue
            if self._begins(place, name):
                self._take(place, "banner")
                return
            if targets[place] == IGNORED and self.seen[place].one_line < 0.5 and self._begins(name, place):
                targets[name] = "banner"
                self._take(place, "name")
                return

    def _begins(self, short: int, long: int) -> bool:
        """Whether each text of one column is the beginning of the other's, and less than it."""
        pairs = zip(self.cells[short], self.cells[long], strict=True)
        known = [(a.casefold().strip(), b.casefold().strip()) for a, b in pairs if a.strip() and b.strip()]
        return bool(known) and all(b.startswith(a) for a, b in known) and any(a != b for a, b in known)

    def postcode(self) -> None:
        if "postcode" in self.targets or "address" in self.targets:
            return
        for place, seen in enumerate(self.seen):
            words = plain_words(self.names[place])
            hinted = seen.postcode > 0.9 and words & {"postal", "code"}
            if self._free(place) and (seen.zip > 0.8 or (hinted and seen.length >= 5)):
                self._take(place, "postcode")
                return

    def visits(self) -> None:
        """How often, and how long: headers say it in many words, the numbers are few."""
        for place, seen in enumerate(self.seen):
            words = plain_words(self.names[place])
            if self.targets[place] != IGNORED or seen.whole < 0.9 or not words & _VISIT:
                continue
            if words & _LONG:
                if "visit_minutes" not in self.targets and 1 <= seen.lowest <= seen.highest <= 480:
                    self._take(place, "visit_minutes")
            elif "visit_interval_days" not in self.targets and seen.rhythm > 0.8:
                self._take(place, "visit_interval_days")

    def reference(self) -> None:
        if "reference" in self.targets:
            return
        for place, seen in enumerate(self.seen):
            if self.cells[place] == [str(number) for number in range(1, len(self.cells[place]) + 1)]:
                continue  # the rows are counted: no key of theirs
            keyed = _KEYED.fullmatch(self.names[place].replace(" ", "")) or place == 0 or "#" in self.names[place]
            if keyed and seen.coded > 0.9 and seen.distinct == 1 and seen.filled == 1 and self._free(place):
                self._take(place, "reference")
                return

    def city(self) -> None:
        """The last of several lines of an address, where nothing else is the town."""
        if "city" in self.targets or "address" in self.targets:
            return
        for place in range(len(self.names) - 1, -1, -1):
            seen, words = self.seen[place], plain_words(self.names[place])
            lined = "address" in words or "addressline" in self.names[place].replace(" ", "")
            if lined and self.targets[place] == IGNORED and seen.filled > 0.8 and seen.letters > 0.8 > seen.street:
                self._take(place, "city")
                return

    def phone(self) -> None:
        """A mobile is better than none."""
        if "phone" in self.targets:
            return
        for place, name in enumerate(self.names):
            if self.targets[place] == IGNORED and self.seen[place].phone > 0.7 and "mobile" in plain_words(name):
                self._take(place, "phone")
                return
