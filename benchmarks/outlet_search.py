"""Search as a person types over half a million synthetic outlets, beside the bare full-text query on the same file.

    python -m benchmarks.outlet_search --outlets 500000 --folder FOLDER

Prints one JSON object. ``key_to_ids``: every beginning of every text of ``TYPED``, from the text to the row numbers
of the first answer (200 at least, in order of relevance, filtered), as the list asks for them. ``bare``: on the same
connection, ``SELECT rowid FROM outlet_search WHERE outlet_search MATCH ?`` with the words as beginnings, all rows
fetched; for a text that finds nothing as typed, with the words as they were meant. ``bare_ranked``: the same with
``ORDER BY rank LIMIT 200``. Milliseconds; p95 over all keys.
"""

from __future__ import annotations

import argparse
import gc
import json
import statistics
import sys
import time
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

from benchmarks.synthetic import KEY, NOW, base
from fieldcrm.store import facets, search
from fieldcrm.store.database import Database, Reader
from fieldcrm.store.search import Asked, Filters, Near, match_expression

MIDNIGHT = NOW.replace(hour=0)
HERE = Near(457_640_000, 48_357_000)  # Lyon
# What reps type: names, banners with towns, streets, postcodes, several words; then the same with a finger astray.
TYPED = (
    "carrefour lyon", "intermarche express", "boulangerie martin", "pharmacie de la gare", "epicerie du marche",
    "st-etienne tabac", "69030", "monoprix nantes", "bar des halles", "rue gambetta", "e.leclerc", "cafe du port",
    "super u angers", "restaurant du chateau", "fromagerie", "avenue jean jaures besancon", "totalenergies", "picard",
)  # fmt: skip
MISTYPED = (
    "carefour", "intermarhce", "boulagnerie martin", "farmacie", "xarrefour lyon", "monorpix", "frnaprix",
    "epicerrie", "restaurent", "besnacon", "lecelrc", "totalenrgies",
)  # fmt: skip
BOXES = (0.005, 0.02, 0.05)  # degrees: a street, a quarter, a town on the screen


def timed(work: Callable[[], Any]) -> tuple[float, Any]:
    started = time.perf_counter()
    value = work()
    return (time.perf_counter() - started) * 1000, value


def processor(work: Callable[[], Any]) -> tuple[float, Any]:
    """As ``timed``, in this thread's processor time, which another program on the machine lengthens little."""
    started = time.thread_time()
    value = work()
    return (time.thread_time() - started) * 1000, value


def summary(times: Sequence[float]) -> dict[str, float]:
    ordered = sorted(times)
    return {
        "p50_ms": round(statistics.median(ordered), 2),
        "p95_ms": round(ordered[min(len(ordered) - 1, int(0.95 * len(ordered)))], 2),
        "worst_ms": round(ordered[-1], 2),
        "asked": len(ordered),
    }


def beginnings(texts: Sequence[str]) -> list[str]:
    return [text[:end] for text in texts for end in range(1, len(text) + 1) if text[:end].strip()]


def typing(r: Reader, texts: Sequence[str], here: Near | None) -> dict[str, Any]:
    """Ours, whole and first, and bare, key by key in turn, so that both meet the same machine."""
    ours, whole, bare, ranked, misses = [], [], [], [], []
    cpu, bare_cpu = [], []
    sql = "SELECT rowid FROM outlet_search WHERE outlet_search MATCH ?"
    best = f"{sql} ORDER BY rank LIMIT {search.PAGE}"
    for typed in beginnings(texts):
        asked = Asked(typed, Filters(MIDNIGHT), here=here)
        spent, (took, found) = processor(lambda asked=asked: timed(lambda: search.search(r, asked, first=True)))
        ours.append(took)
        cpu.append(spent)
        took, everything = timed(lambda asked=asked: search.search(r, asked))
        whole.append(took)
        if not len(everything.rids):
            misses.append(typed)
        expression = match_expression(found.shown_for or typed)
        if expression is None:
            continue
        spent, (took, _) = processor(lambda e=expression: timed(lambda: r.conn.exec_driver_sql(sql, (e,)).all()))
        bare.append(took)
        bare_cpu.append(spent)
        ranked.append(timed(lambda e=expression: r.conn.exec_driver_sql(best, (e,)).all())[0])
    figures = {"key_to_ids": summary(ours), "key_to_all_ids": summary(whole), "bare": summary(bare)}
    figures |= {"bare_ranked": summary(ranked), "key_to_ids_cpu": summary(cpu), "bare_cpu": summary(bare_cpu)}
    return {
        **figures,
        "ratio_p95_to_bare": round(figures["key_to_ids"]["p95_ms"] / figures["bare"]["p95_ms"], 2),
        "ratio_p50_to_bare": round(figures["key_to_ids"]["p50_ms"] / figures["bare"]["p50_ms"], 2),
        "ratio_p95_to_bare_ranked": round(figures["key_to_ids"]["p95_ms"] / figures["bare_ranked"]["p95_ms"], 2),
        "ratio_all_p95_to_bare": round(figures["key_to_all_ids"]["p95_ms"] / figures["bare"]["p95_ms"], 2),
        "found_nothing": misses,
    }


def places(r: Reader) -> dict[str, Any]:
    """Boxes of the map and discs about a person, over towns and the country between them."""
    from benchmarks.synthetic import TOWNS

    boxes, discs = [], []
    for turn in range(3):
        for _, _, lat, lon, _ in TOWNS:
            for width in BOXES:
                south, west = round((lat - width + turn * 0.01) * 1e7), round((lon - width) * 1e7)
                edge = round(width * 2e7)
                box = (south, west, south + edge, west + edge)
                boxes.append(timed(lambda box=box: search.within_box(r, *box, Filters(MIDNIGHT), 2_000))[0])
            near = Near(round((lat + turn * 0.003) * 1e7), round(lon * 1e7), 1_500)
            discs.append(timed(lambda near=near: nearby(r, near))[0])
    return {"viewport": summary(boxes), "nearby": summary(discs)}


def nearby(r: Reader, near: Near) -> list[int]:
    """The hundred nearest within 1.5 km, in order."""
    return search.nearest(r, near, Filters(MIDNIGHT), 100)


def counting(r: Reader) -> dict[str, Any]:
    chips = [timed(lambda q=q: facets.facets(r, q, Filters(MIDNIGHT)))[0] for q in ("", "c", "carrefour", "lyon") * 5]
    return summary(chips[4:])


def run(outlets: int, folder: Path) -> dict[str, Any]:
    database = Database.open(base(folder, outlets), KEY, now=NOW)
    try:
        with database.read() as r:
            prepared, _ = timed(lambda: search.prepare(r))
            search.search(r, Asked("x", Filters(MIDNIGHT)))
            gc.collect()
            return {
                "outlets": outlets,
                "synthetic": True,
                "prepared_once_ms": round(prepared),
                "typed": typing(r, TYPED, None),
                "typed_with_position": typing(r, TYPED, HERE),
                "mistyped": typing(r, MISTYPED, None),
                **places(r),
                "chip_counts": counting(r),
            }
    finally:
        database.close()


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--outlets", type=int, default=500_000)
    parser.add_argument("--folder", type=Path, required=True, help="where the synthetic base is, or is made once")
    arguments = parser.parse_args()
    json.dump(run(arguments.outlets, arguments.folder), sys.stdout, indent=2)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
