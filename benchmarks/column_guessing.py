"""How many tables have every column guessed right: those the guesser learnt from, and those it never saw.

    PYTHONPATH=. .venv/bin/python benchmarks/column_guessing.py

The tables are in ``tests/exchange/*_tables.txt``, with how earlier versions did on what was then unseen.
"""

from __future__ import annotations

import json
import sys

from tests.exchange.header_sets import HeaderSet, tables

EARLIER = [10, 13, 12]  # of 20, on tables that were unseen then and tune it now


def told(found: tuple[HeaderSet, ...]) -> dict[str, object]:
    missed = {table.name: table.missed() for table in found}
    columns = sum(len(table.header) for table in found)
    wrong = sum(len(one) for one in missed.values())
    return {
        "tables": len(found), "right": sum(not one for one in missed.values()), "columns": columns,
        "columns_right": columns - wrong, "missed": {name: one for name, one in missed.items() if one},
    }  # fmt: skip


def main() -> None:
    unseen = tables("unseen_tables.txt")
    answer = {
        "unseen": told(unseen),
        "unseen_french": told(tuple(one for one in unseen if one.name.startswith("fr-"))),
        "unseen_english": told(tuple(one for one in unseen if one.name.startswith("en-"))),
        "tuning": told(tables("tuning_tables.txt")),
        "earlier_versions_on_20_then_unseen": EARLIER,
    }
    json.dump(answer, sys.stdout, ensure_ascii=False, indent=2)
    print()


if __name__ == "__main__":
    main()
