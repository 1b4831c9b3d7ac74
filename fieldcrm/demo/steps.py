"""The steps of the played day: printed as they happen, timed, counted, and compared with what should be."""

from __future__ import annotations

import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any, TextIO


@dataclass(slots=True)
class Steps:
    """The result of the day. ``seconds`` by the name of the step; ``differences`` is empty when all is well."""

    out: TextIO = field(default_factory=lambda: sys.stdout)
    seconds: dict[str, float] = field(default_factory=dict)
    differences: list[str] = field(default_factory=list)

    @contextmanager
    def step(self, name: str, title: str) -> Iterator[None]:
        """One step; its lines are printed below its title, its duration at the end."""
        number = len(self.seconds) + 1
        print(f"{number:2d}. {title}", file=self.out, flush=True)
        started = time.perf_counter()
        yield
        self.seconds[name] = round(time.perf_counter() - started, 2)
        print(f"    ({self.seconds[name]:.1f} s)", file=self.out, flush=True)

    def say(self, text: str) -> None:
        print(f"    {text}", file=self.out, flush=True)

    def expect(self, what: str, found: Any, wanted: Any) -> None:
        """Print a figure; remember it as a difference when it is not what it should be."""
        if found == wanted:
            self.say(f"{what}: {found}")
            return
        self.differences.append(f"{what}: {found}, should be {wanted}")
        self.say(f"{what}: {found}  ✗ should be {wanted}")

    def must(self, what: str, true: bool) -> None:
        """Print something that has to be so; remember it as a difference when it is not."""
        if not true:
            self.differences.append(f"not so: {what}")
        self.say(f"{what} ✓" if true else f"{what} ✗")
