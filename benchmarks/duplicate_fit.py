"""Fitting the weights of the duplicate model: logistic regression that is drawn towards weights written by hand.

Only the tuning half is ever given to it. A level that the tuning pairs hardly show keeps about the weight that was
written for it; one that they show often is what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fieldcrm.insights.duplicate_standing import LEVELS
from fieldcrm.insights.duplicates import BESIDE, NAMED, PARTLY

# Log-odds written before anything was fitted: what each level says by itself.
WRITTEN: dict[str, dict[str, float]] = {
    "name": {"same": 3.5, "same_common": 1.5, "close": 2.8, "close_common": 1.0, "chain_same": 0.5,
             "chain_one_named": 0.3, "chain_other_branch": -3.0, "contained": 0.8, "alike": 1.0, "far": -1.5,
             "differs": -3.5, "trade_only": 0.3, "trade_named": 0.0, "trade_other": -1.0, "word_in_common": 0.3,
             "contained_rare": 1.6, "word_in_common_rare": 1.0, "one_word": -1.0, "one_word_rare": 0.0,
             "somewhat": -0.5, "trade_within": 0.0, "trade_shared": -0.5, "short_word": 0.0, "run_together": 1.0,
             "same_each_more": -0.5, "close_each_more": -0.5,
             "contained_each_more": -1.0, "word_in_common_each_more": -1.0, "same_plus_own_trade": 3.0,
             "close_plus_own_trade": 2.5, "same_plus_trade": 2.5, "close_plus_trade": 2.0, "other_trade": -1.0},
    "enseigne": {"same": 0.8, "same_group": -1.5, "differs": -2.5},
    "distance": {"within_15": 2.0, "within_40": 1.5, "within_80": 0.8, "within_150": 0.0, "within_300": -3.0,
                 "within_1000": -5.0, "beyond": -7.0},
    "phone": {"same": 3.0, "differs": -1.0},
    "siret": {"same": 9.0, "same_company": -3.0, "differs": -4.0},
    "address": {"same": 2.0, "same_street": 0.5, "other_number": -2.0, "other_street": -1.5},
    "place": {"same": 0.2, "differs": -2.0},
    "web": {"same": 2.0, "same_domain": 0.3, "differs": -1.5},
    "email": {"same": 2.5, "same_domain": 0.3, "differs": -1.0},
    "trade": {"same": 0.5, "differs": -1.0, "pump_and_shop": -2.5},
}  # fmt: skip
for _evidence in sorted(BESIDE):  # a name that agrees makes less of them
    _plain = dict(WRITTEN[_evidence])
    for _name, _share in ((NAMED, 0.5), (PARTLY, 0.75)):
        WRITTEN[_evidence] |= {f"{level}{_name}": weight * _share for level, weight in _plain.items()}
for _level in ("within_300", "within_1000", "beyond"):
    for _name in (NAMED, PARTLY):
        WRITTEN["distance"][_level + _name] = WRITTEN["distance"][_level]
WRITTEN_PRIOR = -3.0


def fit(pairs: Sequence[dict[str, str]], truth: Sequence[bool], *, pull: float = 2.0) -> dict[str, Any]:
    """``prior`` and ``weights``: the most likely ones under the pairs, ``pull`` being what a departure costs."""
    names = [(evidence, level) for evidence, levels in WRITTEN.items() for level in levels]
    place = {name: at + 1 for at, name in enumerate(names)}
    start = np.array([WRITTEN_PRIOR, *(WRITTEN[e][level] for e, level in names)])
    table = np.zeros((len(pairs), len(start)))
    table[:, 0] = 1
    for at, levels in enumerate(pairs):
        for evidence, level in levels.items():
            table[at, place[evidence, level]] = 1
    wanted = np.array(truth, dtype=float)
    weights = start.copy()
    penalty = np.full(len(start), pull)
    penalty[0] = 0.01
    for _ in range(60):
        chance = 1 / (1 + np.exp(-np.clip(table @ weights, -35, 35)))
        slope = table.T @ (chance - wanted) + penalty * (weights - start)
        curve = (table * (chance * (1 - chance))[:, None]).T @ table + np.diag(penalty)
        step = np.linalg.solve(curve, slope)
        weights = weights - np.clip(step, -2, 2)
        if np.abs(step).max() < 1e-6:
            break
    return {
        "prior": round(float(weights[0]), 3),
        "weights": {
            evidence: {level: round(float(weights[place[evidence, level]]), 3) for level in levels}
            for evidence, levels in WRITTEN.items()
        },
        "seen": {f"{e}.{level}": int(table[:, place[e, level]].sum()) for e, level in names},
    }


def fit_standing(
    odds: Sequence[float], standings: Sequence[str], truth: Sequence[bool], *, pull: float = 2.0
) -> dict[str, float]:
    """What each standing among the other pairs adds to the log-odds of a pair by itself, drawn towards nothing."""
    by_itself, wanted = np.array(odds), np.array(truth, dtype=float)
    found = {}
    for level in LEVELS:
        here = np.array([standing == level for standing in standings])
        weight = 0.0
        for _ in range(60):
            chance = 1 / (1 + np.exp(-np.clip(by_itself[here] + weight, -35, 35)))
            slope = float((chance - wanted[here]).sum()) + pull * weight
            weight -= float(np.clip(slope / (float((chance * (1 - chance)).sum()) + pull), -1, 1))
        found[level] = round(weight, 3)
    return found


def threshold(scores: Sequence[float], truth: Sequence[bool], precision: float) -> float:
    """The lowest score from which on at least ``precision`` of the pairs are true."""
    order = np.argsort(-np.array(scores), kind="stable")
    right = np.cumsum(np.array(truth)[order])
    share = right / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= precision)
    return float(np.array(scores)[order][good[-1]]) if len(good) else 1.0
