"""Tables with what each of their columns is, read from the text files beside this one."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from fieldcrm.exchange.guess import Guess, guess

HERE = Path(__file__).parent


@dataclass(frozen=True)
class HeaderSet:
    """``targets``: what each column is; empty: to ignore."""

    name: str
    header: tuple[str, ...]
    targets: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]

    def guessed(self) -> Guess:
        return guess(self.header, self.rows)

    def missed(self) -> list[tuple[str, str, str]]:
        """Header, what it is, what it was taken for."""
        found = zip(self.header, self.targets, self.guessed().targets, strict=True)
        return [(title, right, taken) for title, right, taken in found if right != taken]


def tables(file: str) -> tuple[HeaderSet, ...]:
    found = []
    for block in (HERE / file).read_text(encoding="utf-8").split("\n["):
        lines = [line for line in block.splitlines() if line and not line.startswith("#")]
        if len(lines) < 3:
            continue
        pairs = [part.rpartition(":") for part in lines[1].split("|")]
        rows = tuple(tuple(line.split("|")) for line in lines[2:])
        assert all(len(row) == len(pairs) for row in rows), lines[0]
        titles, targets = tuple(title for title, _, _ in pairs), tuple(target for _, _, target in pairs)
        found.append(HeaderSet(lines[0].strip("[]"), titles, targets, rows))
    return tuple(found)
