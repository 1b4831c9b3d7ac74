"""``python -m tests.sync.model``: more histories of the model, or those without a rule."""

from __future__ import annotations

import argparse
import os
import sys
import time
from collections import Counter
from multiprocessing import Pool

from tests.sync.model.rules import MUTATIONS, RULES, Rules, with_rot
from tests.sync.model.world import World


def trial(job: tuple[int, frozenset[str]]) -> tuple[int, str, dict[str, int]]:
    """One seed: what it broke, or nothing, and what happened in it."""
    seed, off = job
    world = World(seed, Rules(off), rot=with_rot(off))
    try:
        world.run()
    except Exception as error:
        return seed, f"{type(error).__name__}: {error}", world.counts
    return seed, "", world.counts


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.sync.model", description=__doc__)
    parser.add_argument("--seeds", type=int, default=int(os.environ.get("FIELDCRM_MODEL_SEEDS", "20000")))
    parser.add_argument("--first", type=int, default=0)
    parser.add_argument("--without", nargs="*", default=[], choices=RULES, metavar="RULE", help="rules to switch off")
    parser.add_argument("--mutations", action="store_true", help="every rule in turn: which seed notices first")
    options = parser.parse_args()
    if options.mutations:
        return mutations(options.seeds)
    started = time.monotonic()
    jobs = ((seed, frozenset(options.without)) for seed in range(options.first, options.first + options.seeds))
    broken: Counter[str] = Counter()
    totals: Counter[str] = Counter()
    with Pool() as pool:
        for seed, what, counts in pool.imap_unordered(trial, jobs, chunksize=100):
            totals.update(counts)
            broken[what] += bool(what)
            if what and broken[what] == 1:
                sys.stdout.write(f"seed {seed}: {what}\n")
    bad = sum(broken.values())
    words = ", ".join(f"{count} {name}" for name, count in totals.items())
    sys.stdout.write(f"{options.seeds} seeds in {time.monotonic() - started:.0f} s, {bad} broken; {words}\n")
    return bool(bad) != bool(options.without)


def mutations(seeds: int) -> int:
    missed = 0
    for name, off in MUTATIONS.items():
        found = next(((seed, what) for seed in range(seeds) if (what := trial((seed, off))[1])), None)
        missed += found is None
        sys.stdout.write(f"{name:14} {'never noticed' if found is None else f'seed {found[0]}: {found[1]}'}\n")
    return missed


if __name__ == "__main__":
    sys.exit(main())
