"""Duplicates: how many are found and how many findings are right, and how long it takes.

    python -m benchmarks.duplicates --osm MALTA.osm.pbf --unseen HELSINKI.osm.pbf     precision and recall
    python -m benchmarks.duplicates --osm MALTA.osm.pbf --groups final                the third group, see the recipe
    python -m benchmarks.duplicates --osm MALTA.osm.pbf --fit --groups tuning         the weights anew
    python -m benchmarks.duplicates --base FOLDER --outlets 500000                    the speed in an encrypted store

The labelled set and its recipe are in ``corruption.py``. The weights and both thresholds come from the tuning half of
``--osm``; the held-out half, the unseen city and the third group are only ever measured.
"""

from __future__ import annotations

import argparse
import hashlib
import json
import sys
from collections import Counter
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from benchmarks.corruption import FINALS, SEEDS, SPLIT_SEED, Labelled, half_of, labelled
from benchmarks.duplicate_fit import fit, fit_standing, threshold
from fieldcrm.geo.osm import OutletFound, collect_outlets
from fieldcrm.insights import duplicates as _model
from fieldcrm.insights.duplicate_blocks import Columns, once
from fieldcrm.insights.duplicate_standing import standings
from fieldcrm.insights.duplicates import Model, Prepared, Raw, Rules, compare, metres_between, prepare

COUNTRIES = {"malta": "MT", "helsinki": "FI"}
REACH = 300
FOLDS = 3
CERTAIN, LIKELY = 0.999, 0.985  # of the findings in unseen thirds that must be right, from each threshold on
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
    rare = columns.rarity()
    for one, count in zip(prepared, columns.commonness().tolist(), strict=True):
        one.common, one.rare = count, rare(one.core)
    found = once([columns.keyed(), *columns.nearby(REACH)])
    pairs = [(int(a), int(b)) for a, b in found if (int(a), int(b)) not in made.unclear]
    return prepared, pairs, [compare(prepared[a], prepared[b]) for a, b in pairs]


Found = tuple[list[tuple[int, int]], list[dict[str, str]], list[float | None]]  # pairs, levels, metres apart


def paired(made: Labelled) -> Found:
    prepared, pairs, levels = compared(made)
    return pairs, levels, [metres_between(prepared[a], prepared[b]) for a, b in pairs]


def weighed(model: Model, found: Found) -> tuple[list[float | None], list[str]]:
    """Log-odds of each pair by itself, none beyond the reach, and how it stands beside its rivals."""
    pairs, levels, metres = found
    odds = [None if m is not None and m > REACH and one.get("siret") != "same" else model.log_odds(one)
            for one, m in zip(levels, metres, strict=True)]
    return odds, standings(pairs, odds)


def scored(made: Labelled, model: Model | None = None) -> tuple[list[tuple[int, int]], list[float]]:
    model = model or _model.model()
    found = paired(made)
    return found[0], scores(model, *weighed(model, found))


def scores(model: Model, odds: Sequence[float | None], beside: Sequence[str]) -> list[float]:
    return [0.0 if one is None else _model.probability(one + model.standing.get(level, 0.0))
            for one, level in zip(odds, beside, strict=True)]


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
        "true_pairs_compared": len(made.true_pairs & set(pairs)),
        "certain": quality(made, pairs, scores, model.certain),
        "likely": quality(made, pairs, scores, model.likely),
        "shown": quality(made, pairs, scores, Rules.from_value({}).look),
    }  # fmt: skip


def halves(path: Path) -> dict[str, Labelled]:
    found: dict[str, list[Raw]] = {"tuning": [], "held-out": []}
    for raw in originals(path):
        found[half_of(raw)].append(raw)
    return {name: labelled(some, SEEDS[name]) for name, some in found.items()}


def final(path: Path) -> dict[str, Any]:
    """The third group, its ways of spoiling counted together: run once, when everything else stood."""
    some = [raw for raw in originals(path) if half_of(raw) == "held-out"]
    return summed([both(labelled(some, SEEDS["final"] + way)) for way in range(FINALS)])


def summed(each: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Counts added up, shares from the sums."""
    total: dict[str, Any] = {key: sum(one[key] for one in each) for key, value in each[0].items()
                             if isinstance(value, int)}
    for name in ("certain", "likely", "shown"):
        right, shown = (sum(one[name][key] for one in each) for key in ("right", "found"))
        originals_ = sum(one[name]["wrong_between"].get("original+original", 0) for one in each)
        total[name] = {
            "threshold": each[0][name]["threshold"], "precision": round(right / max(1, shown), 4),
            "precision_but_two_originals": round(right / max(1, shown - originals_), 4),
            "recall": round(right / max(1, total["true_pairs_counted"]), 4),
            "found": shown, "right": right, "wrong": shown - right,
            "wrong_between": dict(sum((Counter(one[name]["wrong_between"]) for one in each), Counter())),
            "missed": dict(sum((Counter(one[name]["missed"]) for one in each), Counter())),
        }  # fmt: skip
    return total


def _fold(raw: Raw) -> int:
    assert raw.lat_e7 is not None and raw.lon_e7 is not None
    square = f"fold/{raw.lat_e7 // 100_000}/{raw.lon_e7 // 100_000}"
    return hashlib.sha256(square.encode()).digest()[0] % FOLDS


def _fitted(some: Sequence[tuple[Labelled, Found]]) -> tuple[Model, dict[str, Any]]:
    levels = [one for _, found in some for one in found[1]]
    truth = [pair in made.true_pairs for made, found in some for pair in found[0]]
    fitted = fit(levels, truth)
    alone = Model(fitted["prior"], fitted["weights"], 1, 1)
    odds: list[float] = []
    beside: list[str] = []
    for _, found in some:
        mine, stand = weighed(alone, found)
        odds += [-99.0 if one is None else one for one in mine]
        beside += stand
    return replace(alone, standing=fit_standing(odds, beside, truth)), fitted


def make_weights(path: Path) -> None:
    """Fit on the tuning half, spoilt from several seeds, choose both thresholds there, and write them down.

    The thresholds come from scores of pairs whose squares the weights had not seen: thirds of the tuning half in turn.
    """
    some = [raw for raw in originals(path) if half_of(raw) == "tuning"]
    seeds = range(SEEDS["tuning"], SEEDS["tuning"] + TUNINGS)
    made = [labelled(some, seed) for seed in seeds]
    whole = [(one, paired(one)) for one in made]
    model, fitted = _fitted(whole)
    unseen: list[float] = []
    truth: list[bool] = []
    parts = {(fold, seed): labelled([raw for raw in some if _fold(raw) == fold], seed)
             for fold in range(FOLDS) for seed in seeds}
    found = {key: paired(one) for key, one in parts.items()}
    for fold in range(FOLDS):
        others, _ = _fitted([(parts[key], found[key]) for key in parts if key[0] != fold])
        for key in parts:
            if key[0] == fold:
                unseen += scores(others, *weighed(others, found[key]))
                truth += [pair in parts[key].true_pairs for pair in found[key][0]]
    content = {
        "how": (
            "Log-odds, natural logarithm, fitted by benchmarks/duplicates.py --fit: logistic regression drawn towards "
            "weights written by hand (benchmarks/duplicate_fit.py), on the tuning half alone of real OpenStreetMap "
            "outlets of Malta and copies of them spoilt by the recipe of benchmarks/corruption.py. What is missing "
            "weighs nothing. 'standing' is added where all pairs of a base are known: how a pair stands beside others "
            "of its two outlets. Both thresholds come from thirds of the tuning half that the weights had not seen."
        ),
        "seeds": {"split": SPLIT_SEED, "tuning": [seeds[0], seeds[-1]]},
        "pairs": sum(len(pairs) for _, (pairs, _, _) in whole),
        "true_pairs": sum(len(one.true_pairs - one.unclear) for one in made),
        "prior": fitted["prior"],
        "certain": round(threshold(unseen, truth, CERTAIN), 4),
        "likely": round(threshold(unseen, truth, LIKELY), 4),
        "standing": dict(model.standing),
        "weights": fitted["weights"],
        "seen": fitted["seen"],
    }  # fmt: skip
    WEIGHTS.write_text(json.dumps(content, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")
    _model.model.cache_clear()
    true = sum(len(one.true_pairs - one.unclear) for one in parts.values())
    for name, least in (("certain", content["certain"]), ("likely", content["likely"])):
        above = [right for score, right in zip(unseen, truth, strict=True) if score >= float(str(least))]
        precision, recall = sum(above) / max(1, len(above)), sum(above) / true
        sys.stderr.write(f"{name} from {least}: in unseen thirds precision {precision:.4f}, recall {recall:.4f}\n")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--osm", type=Path)
    parser.add_argument("--unseen", type=Path)
    parser.add_argument("--fit", action="store_true")
    parser.add_argument("--groups", nargs="*", default=["tuning", "held-out"], help="of --osm; final: the third group")
    parser.add_argument("--base", type=Path)
    parser.add_argument("--outlets", type=int, default=100_000)
    arguments = parser.parse_args()
    printed: dict[str, Any] = {}
    if arguments.fit:
        make_weights(arguments.osm)
    if arguments.osm:
        printed |= {name: both(made) for name, made in halves(arguments.osm).items() if name in arguments.groups}
        if "final" in arguments.groups:
            printed["final"] = final(arguments.osm)
    if arguments.unseen:
        printed["unseen"] = both(labelled(originals(arguments.unseen), SEEDS["unseen"]))
    if arguments.base:
        from benchmarks.duplicate_speed import speed

        printed["speed"] = speed(arguments.base, arguments.outlets)
    json.dump(printed, sys.stdout, indent=1)
    sys.stdout.write("\n")


if __name__ == "__main__":
    main()
