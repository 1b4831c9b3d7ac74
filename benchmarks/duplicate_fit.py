"""Fitting the weights of the duplicate model: logistic regression that is drawn towards weights written by hand.

Only the tuning half is ever given to it. A level that the tuning pairs hardly show keeps about the weight that was
written for it; one that they show often is what they say.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np

from fieldcrm.insights.duplicates import NAMED

# Log-odds written before anything was fitted: what each level says by itself.
WRITTEN: dict[str, dict[str, float]] = {
    "name": {"same": 3.5, "same_common": 1.5, "close": 2.8, "close_common": 1.0, "chain_same": 0.5,
             "chain_one_named": 0.3, "chain_other_branch": -3.0, "contained": 0.8, "alike": 1.0, "far": -1.5,
             "differs": -3.5, "trade_only": 0.3, "trade_named": 0.0, "trade_other": -1.0, "word_in_common": 0.3,
             "same_plus_trade": 2.5, "close_plus_trade": 2.0, "other_trade": -1.0},
    "enseigne": {"same": 0.8, "same_group": -1.5, "differs": -2.5},
    "distance": {"within_15": 2.0, "within_40": 1.5, "within_80": 0.8, "within_150": 0.0, "within_300": -3.0,
                 "within_1000": -5.0, "beyond": -7.0},
    "phone": {"same": 3.0, "differs": -1.0},
    "siret": {"same": 6.0, "same_company": -1.5, "differs": -4.0},
    "address": {"same": 2.0, "same_street": 0.5, "other_number": -2.0, "other_street": -1.5},
    "place": {"same": 0.2, "differs": -2.0},
    "web": {"same": 2.0, "same_domain": 0.3, "differs": -1.5},
    "email": {"same": 2.5, "same_domain": 0.3, "differs": -1.0},
    "trade": {"same": 0.5, "differs": -1.0, "pump_and_shop": -2.5},
}  # fmt: skip
for _evidence in ("distance", "trade"):  # a name that agrees makes less of them
    WRITTEN[_evidence] |= {f"{level}{NAMED}": weight / 2 for level, weight in WRITTEN[_evidence].items()}
for _level in ("within_300", "within_1000", "beyond"):
    WRITTEN["distance"][_level + NAMED] = WRITTEN["distance"][_level]
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


def threshold(scores: Sequence[float], truth: Sequence[bool], precision: float) -> float:
    """The lowest score from which on at least ``precision`` of the pairs are true."""
    order = np.argsort(-np.array(scores), kind="stable")
    right = np.cumsum(np.array(truth)[order])
    share = right / np.arange(1, len(order) + 1)
    good = np.flatnonzero(share >= precision)
    return float(np.array(scores)[order][good[-1]]) if len(good) else 1.0
