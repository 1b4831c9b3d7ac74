"""``python -m tests.sync.storm``: storms over real stores for as long as is wanted, on every core."""

from __future__ import annotations

import argparse
import os
import sys
import tempfile
import time
from collections import Counter
from multiprocessing import Pool
from pathlib import Path

from tests.sync.storm.runs import Templates, run, total

_templates: list[Templates] = []


def begin(folder: str) -> None:
    _templates.append(Templates.make(Path(tempfile.mkdtemp(dir=folder))))


def trial(seed: int) -> tuple[int, str, Counter[str]]:
    try:
        return seed, "", run(seed, _templates[0]).counts
    except Exception as error:
        return seed, str(error), Counter()


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sync.storm", description=__doc__)
    parser.add_argument("--minutes", type=float, default=60)
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--processes", type=int, default=os.cpu_count())
    options = parser.parse_args()
    ends = time.monotonic() + options.minutes * 60
    totals: Counter[str] = Counter()
    seeds = bad = 0
    with tempfile.TemporaryDirectory() as folder, Pool(options.processes, begin, (folder,)) as pool:
        step = 8 * (options.processes or 1)
        first = options.first
        while time.monotonic() < ends:
            for _, what, counts in pool.imap_unordered(trial, range(first, first + step)):
                seeds += 1
                totals.update(counts)
                if what:
                    bad += 1
                    sys.stdout.write(f"{what}\n")
            first += step
            sys.stdout.flush()
    sys.stdout.write(f"{seeds} seeds from {options.first}, {bad} broken; {total(totals)}\n")
    return bool(bad)


if __name__ == "__main__":
    sys.exit(main())
