"""Duplicates: how many are found and how many findings are right, and how long it takes.

    python -m benchmarks.duplicates --osm MALTA.osm.pbf --unseen HELSINKI.osm.pbf     precision and recall
    python -m benchmarks.duplicates --osm MALTA.osm.pbf --fit                         the weights anew, tuning half only
    python -m benchmarks.duplicates --base FOLDER --outlets 500000                    the speed in an encrypted store

The labelled set and its recipe are in ``corruption.py``. The weights and both thresholds come from the tuning half of
``--osm``; the held-out half and the unseen city are only ever measured.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from benchmarks.corruption import SEEDS, SPLIT_SEED, Labelled, half_of, labelled
from benchmarks.duplicate_fit import fit, threshold
from fieldcrm.geo.osm import OutletFound, collect_outlets
from fieldcrm.insights import duplicates as _model
from fieldcrm.insights.duplicate_blocks import Columns, once
from fieldcrm.insights.duplicates import Prepared, Raw, Rules, compare, judge, metres_between, prepare

COUNTRIES = {"malta": "MT", "helsinki": "FI"}
REACH = 300
TUNINGS = 8  # ways in which the tuning half is spoilt before the weights are fitted
WEIGHTS = Path(__file__).resolve().parents[1] / "resources" / "duplicates" / "weights.json"


def raw_of(found: OutletFound, country: str) -> Raw:
    return Raw(
        found.name, found.brand, found.store_type, found.house_number, found.street, found.postcode, found.city,
        found.country or country, found.phone, found.email, found.website, "", found.lat_e7, found.lon_e7,
    )  # fmt: skip


def originals(path: Path) -> list[Raw]:
    country = next((code for word, code in COUNTRIES.items() if word in path.name), "")
    return [raw_of(found, country) for found in collect_outlets(path)[0]]


def compared(made: Labelled) -> tuple[list[Prepared], list[tuple[int, int]], list[dict[str, str]]]:
    """What blocking pairs in the whole set, with the levels of each pair; unclear pairs are left out."""
    prepared = [prepare(raw) for raw in made.outlets]
    columns = Columns()
    for one in prepared:
        columns.add(one)
    for one, count in zip(prepared, columns.commonness().tolist(), strict=True):
        one.common = count
    found = once([columns.keyed(), *columns.nearby(REACH)])
    pairs = [(int(a), int(b)) for a, b in found if (int(a), int(b)) not in made.unclear]
    return prepared, pairs, [compare(prepared[a], prepared[b]) for a, b in pairs]


def scored(made: Labelled) -> tuple[list[tuple[int, int]], list[float]]:
    prepared, pairs, levels = compared(made)
    rules = Rules.from_value({})
    scores = [judge(found, metres_between(prepared[a], prepared[b]), rules)
              for (a, b), found in zip(pairs, levels, strict=True)]
    return pairs, scores


def quality(made: Labelled, pairs: Sequence[tuple[int, int]], scores: Sequence[float], least: float) -> dict[str, Any]:
    shown = {pair for pair, score in zip(pairs, scores, strict=True) if score >= least}
    true = made.true_pairs - made.unclear
    right, wrong = shown & true, shown - true
    between = Counter("+".join(sorted(made.kind(at) for at in pair)) for pair in wrong)
    lost = Counter("not_compared" if pair not in set(pairs) else "scored_low" for pair in true - shown)
    return {
        "threshold": round(least, 4),
        "precision": round(len(right) / max(1, len(shown)), 4),
        # Two originals that look like one may be what the map has twice beyond rule 4: nobody has been there.
        "precision_but_two_originals": round(len(right) / max(1, len(shown) - between["original+original"]), 4),
        "recall": round(len(right) / max(1, len(true)), 4),
        "found": len(shown), "right": len(right), "wrong": len(wrong),
        "wrong_between": dict(between), "missed": dict(lost),
    }  # fmt: skip


def both(made: Labelled) -> dict[str, Any]:
    pairs, scores = scored(made)
    model = _model.model()
    return {
        **made.counts, "outlets": len(made.outlets), "pairs_compared": len(pairs),
        "true_pairs_counted": len(made.true_pairs - made.unclear),
        "certain": quality(made, pairs, scores, model.certain),
        "likely": quality(made, pairs, scores, model.likely),
        "shown": quality(made, pairs, scores, Rules.from_value({}).look),
    }  # fmt: skip


def halves(path: Path) -> dict[str, Labelled]:
    found: dict[str, list[Raw]] = {"tuning": [], "held-out": []}
    for raw in originals(path):
        found[half_of(raw)].append(raw)
    return {name: labelled(some, SEEDS[name]) for name, some in found.items()}


def make_weights(path: Path) -> None:
    """Fit on the tuning half, spoilt from several seeds, choose both thresholds there, and write them down."""
    some = [raw for raw in originals(path) if half_of(raw) == "tuning"]
    levels: list[dict[str, str]] = []
    truth: list[bool] = []
    shut: list[bool] = []
    true_pairs = 0
    for seed in range(SEEDS["tuning"], SEEDS["tuning"] + TUNINGS):
        made = labelled(some, seed)
        prepared, pairs, found = compared(made)
        levels += found
        truth += [pair in made.true_pairs for pair in pairs]
        true_pairs += len(made.true_pairs - made.unclear)
        apart = [metres_between(prepared[a], prepared[b]) for a, b in pairs]
        shut += [m is not None and m > REACH and f.get("siret") != "same" for m, f in zip(apart, found, strict=True)]
    fitted = fit(levels, truth)
    model = _model.Model(fitted["prior"], fitted["weights"], 1, 1)
    scores = [0.0 if out else _model.probability(model.log_odds(f)) for f, out in zip(levels, shut, strict=True)]
    content = {
        "how": (
            "Log-odds, natural logarithm, fitted by benchmarks/duplicates.py --fit: logistic regression drawn towards "
            "weights written by hand (benchmarks/duplicate_fit.py), on the tuning half alone of real OpenStreetMap "
            "outlets of Malta and copies of them spoilt by the recipe of benchmarks/corruption.py. What is missing "
            "weighs nothing."
        ),
        "seeds": {"split": SPLIT_SEED, "tuning": [SEEDS["tuning"], SEEDS["tuning"] + TUNINGS - 1]},
        "pairs": len(truth), "true_pairs": true_pairs,
        "prior": fitted["prior"],
        "certain": round(threshold(scores, truth, 0.997), 4),
        "likely": round(threshold(scores, truth, 0.98), 4),
        "weights": fitted["weights"],
        "seen": fitted["seen"],
    }  # fmt: skip
    WEIGHTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--osm", type=Path)
    parser.add_argument("--unseen", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--outlets", type=int, default=100_000)
    arguments = parser.parse_args()
    printed: dict[str, Any] = {}
    if arguments.fit:
        make_weights(arguments.osm)
    if arguments.osm:
        printed |= {name: both(made) for name, made in halves(arguments.osm).items()}
    if arguments.unseen:
        printed["unseen"] = both(labelled(originals(arguments.unseen), SEEDS["unseen"]))
    if arguments.base:
        from benchmarks.duplicate_speed import speed

        printed["speed"] = speed(arguments.base, arguments.outlets)
    json.dump(printed, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
