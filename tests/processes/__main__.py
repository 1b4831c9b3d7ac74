"""``python -m tests.processes --minutes 30``: the loop for as long as is wanted, on SQLite and then on PostgreSQL."""

from __future__ import annotations

import argparse
import sys
import tempfile
from contextlib import ExitStack
from dataclasses import asdict
from pathlib import Path

from tests import postgres
from tests.processes.loop import Loop


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.processes", description=__doc__)
    parser.add_argument("--minutes", type=float, default=30, help="on each database")
    parser.add_argument("--seed", type=int, default=1)
    options = parser.parse_args()
    for database in ("sqlite", "postgresql"):
        with ExitStack() as stack:
            folder = Path(stack.enter_context(tempfile.TemporaryDirectory()))
            address = None
            if database == "postgresql":
                address = stack.enter_context(postgres.fresh_database(stack.enter_context(postgres.cluster())))
            outcome = Loop(folder, address, options.seed).run(1, options.minutes * 60)
            sys.stdout.write(f"{database}: nothing lost, nothing twice; {asdict(outcome)}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
