"""What a person meant who mistyped: the nearest words that outlets are called by.

The words are those of the full-text index itself, with the number of outlets that have each. Words are compared as
beginnings, for a person is still typing: *carefo* is one letter from *carrefo*. A word with a digit is left as it is.
"""

from __future__ import annotations

import unicodedata
from bisect import bisect_left
from dataclasses import dataclass, field
from itertools import pairwise, takewhile
from typing import TYPE_CHECKING

from fieldcrm.store.database import Reader
from fieldcrm.store.kept import Kept

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

SHORTEST = 4  # letters of a word that is corrected: of a shorter one too much could be meant
TWICE = 7  # letters from which two mistakes are forgiven
CORRECTIONS = 4  # for each word
MANY = 60_000  # words
READY = range(SHORTEST - 1, 14)  # lengths of beginnings
SLOT = "outlet_words"


def folded_word(word: str) -> str:
    """As the index folds a word: without case and without accents."""
    plain = unicodedata.normalize("NFD", word.casefold())
    return "".join(letter for letter in plain if not unicodedata.combining(letter))


@dataclass(slots=True)
class Beginnings:
    """The distinct beginnings of one length, each with the place of the most frequent word behind it."""

    texts: list[str]
    counts: npt.NDArray[np.int32]  # outlets that have a word with this beginning
    best: npt.NDArray[np.int32]


@dataclass(slots=True)
class Vocabulary:
    """The words of the index in alphabetical order, and how many outlets have each."""

    words: list[str]
    counts: list[int]
    _beginnings: dict[int, Beginnings] = field(default_factory=dict)

    def knows(self, beginning: str) -> bool:
        low, high = self.stretch(beginning)
        return low < high

    def stretch(self, beginning: str) -> tuple[int, int]:
        """The places of the words that begin so."""
        return bisect_left(self.words, beginning), bisect_left(self.words, beginning + "\U0010ffff")

    def count(self, beginning: str) -> int:
        """Outlets that have a word with this beginning, those with two counted twice."""
        low, high = self.stretch(beginning)
        return sum(self.counts[low:high])

    def beginnings(self, length: int) -> Beginnings:
        made = self._beginnings.get(length)
        if made is None:
            made = self._beginnings[length] = self._begin(length)
        return made

    def get_ready(self) -> None:
        """Make what corrections of usual words are looked up in."""
        for length in READY:
            self.beginnings(length)

    def _begin(self, length: int) -> Beginnings:
        import numpy as np

        rare = 2 if len(self.words) > MANY else 1  # of very many words those of a single outlet are no correction
        totals: dict[str, int] = {}
        best: dict[str, int] = {}
        for at, (word, count) in enumerate(zip(self.words, self.counts, strict=True)):
            if count < rare or not word.isalpha():
                continue
            text = word[:length]
            totals[text] = totals.get(text, 0) + count
            if text not in best or count > self.counts[best[text]]:
                best[text] = at
        counts = np.fromiter(totals.values(), dtype=np.int32, count=len(totals))
        return Beginnings(list(totals), counts, np.fromiter(best.values(), dtype=np.int32, count=len(best)))

    def corrections(self, word: str) -> list[str]:
        """Words that may have been meant by ``word``, the likeliest first: fewest mistakes, then most outlets."""
        typed = folded_word(word)
        if len(typed) < SHORTEST or any(letter.isdigit() for letter in typed):
            return []
        forgiven = 2 if len(typed) >= TWICE else 1
        found: dict[str, tuple[float, int]] = {}
        for length in range(len(typed) - forgiven, len(typed) + forgiven + 1):
            for meant, mistakes, count in self._near(typed, length, forgiven):
                weight = (mistakes, -count)
                found[meant] = min(found.get(meant, weight), weight)
        for meant in self._apart(typed):
            found.setdefault(meant, (1, 0))
        return sorted(found, key=lambda meant: (*found[meant], meant))[:CORRECTIONS]

    def _near(self, typed: str, length: int, forgiven: int) -> list[tuple[str, float, int]]:
        import numpy as np
        from rapidfuzz.distance import OSA
        from rapidfuzz.process import cdist

        among = self.beginnings(length)
        if not among.texts:
            return []
        mistakes = cdist([typed], among.texts, scorer=OSA.distance, score_cutoff=forgiven, dtype=np.uint8)[0]
        near = np.flatnonzero(mistakes <= forgiven)
        # People seldom miss the first letter: of two words equally far, the one that begins alike.
        return [
            (
                self.words[among.best[at]],
                float(mistakes[at]) + (0.0 if among.texts[at][:1] == typed[:1] else 0.25),
                int(among.counts[at]),
            )
            for at in near
        ]

    def _apart(self, typed: str) -> list[str]:
        """Two words written as one: *carrefourcity*."""
        found = []
        for at in range(SHORTEST, len(typed) - 2):
            first, second = typed[:at], typed[at:]
            place = bisect_left(self.words, first)
            whole = place < len(self.words) and self.words[place] == first
            if whole and self.knows(second):
                found.append(f"{first} {second}")
        return found


def read_vocabulary(r: Reader) -> Vocabulary:
    """The words as they are now: 0.3 s at half a million outlets, and no other thread waits meanwhile."""
    connection = r.conn
    connection.exec_driver_sql("PRAGMA query_only = OFF")  # it forbids even a table that is this connection's alone
    try:
        connection.exec_driver_sql(
            "CREATE VIRTUAL TABLE IF NOT EXISTS temp.outlet_word USING fts5vocab(main, outlet_search, row)"
        )
    finally:
        connection.exec_driver_sql("PRAGMA query_only = ON")
    rows = connection.exec_driver_sql("SELECT term, doc FROM temp.outlet_word").all()
    read = Vocabulary([row[0] for row in rows], [row[1] for row in rows])
    read.get_ready()
    return read


def vocabulary(r: Reader, *, fresh: bool = False) -> Vocabulary | None:
    """The words of the index; ``fresh`` reads them again when outlets were written since.

    A word that came since is found without a correction, and one that went leads to nothing: so nobody waits for
    fresh ones while typing. ``None`` within a transaction.
    """
    if r.kept is None:
        return None
    with r.kept.lock:
        made: tuple[int, Vocabulary] | None = r.kept.slots.get(SLOT)
        if made is not None and (not fresh or made[0] >= r.number or not _reworded(r.kept, made[0])):
            return made[1]
        read = read_vocabulary(r)
        r.kept.slots[SLOT] = (r.number, read)
        return read


def settled(r: Reader, word: str) -> str:
    """The longest beginning that finds the same as ``word``: *carref* is *carrefour* when no other word begins so.

    The word itself when the vocabulary is not of this moment, or the index folds the word in a way of its own.
    """
    made: tuple[int, Vocabulary] | None = r.kept.slots.get(SLOT) if r.kept is not None else None
    if made is None or r.kept is None or not word.isascii() or _reworded(r.kept, made[0]):
        return word
    low, high = made[1].stretch(word.lower())
    if low == high:
        return word
    first, last = made[1].words[low], made[1].words[high - 1]
    alike = sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], zip(first, last, strict=False)))
    return first[:alike]


def _reworded(kept: Kept, number: int) -> bool:
    writes = kept.since(number)
    return writes is None or any(changes.touches("outlet") for changes in writes)


def meant(words: list[str], known: Vocabulary) -> list[list[str]]:
    """Other readings of the typed words, the likeliest first: the words nobody is called by are corrected.

    When every word is known on its own, one at a time is corrected; and two that stand apart are tried as one.
    """
    strange = [at for at, word in enumerate(words) if not known.knows(folded_word(word))]
    readings: list[list[str]] = []
    joined = ["".join(pair) for pair in pairwise(words)]
    readings += [[*words[:at], one, *words[at + 2 :]] for at, one in enumerate(joined) if known.knows(folded_word(one))]
    if strange:
        options = {at: known.corrections(words[at]) for at in strange}
        for turn in range(CORRECTIONS):
            if all(options.values()) and any(len(found) > turn for found in options.values()):
                fixed = [
                    options[at][min(turn, len(options[at]) - 1)] if at in options else word
                    for at, word in enumerate(words)
                ]
                readings.append(" ".join(fixed).split(" "))
    else:
        for at, word in enumerate(words):
            others = [one for one in known.corrections(word) if not one.startswith(folded_word(word))]
            readings += [" ".join([*words[:at], other, *words[at + 1 :]]).split(" ") for other in others[:2]]
    return readings
