"""Intervals against values worked out by hand, and against what must hold for any counts."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.insights.intervals import ClusterSums, ratio_interval, wilson

# Wilson's formula worked out by hand with z = 1.959964:
# 10 of 20: (0.5 + 3.8415/40) / (1 + 3.8415/20) -/+ 1.96/1.19207 * sqrt(0.25/20 + 3.8415/1600) = 0.5 -/+ 0.2007
BY_HAND = [
    (0.5, 20, None, None, 0.2993, 0.7007),
    (0.0, 10, None, None, 0.0, 0.2775),
    (1.0, 10, None, None, 0.7225, 1.0),
    (0.81, 100, None, None, 0.7222, 0.8749),
    (89 / 143, 143, 143, 180, 0.5854, 0.6580),  # the sentence of terms.md: "probably 58 to 66 %"
]


@pytest.mark.parametrize(("share", "size", "seen", "population", "low", "high"), BY_HAND)
def test_it_agrees_with_values_worked_out_by_hand(
    share: float, size: int, seen: int | None, population: int | None, low: float, high: float
) -> None:
    interval = wilson(share, size, seen=seen, population=population)
    assert interval is not None
    assert (interval.low, interval.high) == (pytest.approx(low, abs=6e-4), pytest.approx(high, abs=6e-4))


def test_nothing_seen_gives_no_interval() -> None:
    assert wilson(0.0, 0) is None


def test_everything_seen_leaves_no_doubt() -> None:
    interval = wilson(0.4, 50, seen=50, population=50)
    assert interval is not None
    assert (interval.low, interval.high) == (0.4, 0.4)


@given(st.integers(1, 500).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(n, 2000))))
def test_it_always_holds_the_share_and_stays_between_0_and_1(counts: tuple[int, int, int]) -> None:
    hits, seen, population = counts
    interval = wilson(hits / seen, seen, seen=seen, population=population)
    assert interval is not None
    assert 0 <= interval.low <= hits / seen <= interval.high <= 1


@given(st.integers(2, 300).flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n), st.integers(n + 1, 1000))))
def test_seeing_a_larger_part_of_the_universe_never_widens_it(counts: tuple[int, int, int]) -> None:
    hits, seen, population = counts
    whole = wilson(hits / seen, seen)
    finite = wilson(hits / seen, seen, seen=seen, population=population)
    assert whole is not None and finite is not None
    assert finite.high - finite.low <= whole.high - whole.low + 1e-12


@given(st.integers(2, 200).flatmap(lambda n: st.tuples(st.integers(0, n - 1), st.just(n))))
def test_one_more_hit_never_lowers_it(counts: tuple[int, int]) -> None:
    hits, seen = counts
    fewer, more = wilson(hits / seen, seen), wilson((hits + 1) / seen, seen)
    assert fewer is not None and more is not None
    assert fewer.low <= more.low and fewer.high <= more.high


PAIR = st.integers(1, 40).flatmap(lambda x: st.tuples(st.integers(0, x), st.just(x)))
PAIRS = st.lists(PAIR, min_size=1, max_size=40)


@given(PAIRS, st.randoms(use_true_random=False))
def test_the_order_of_stores_does_not_matter(pairs: list[tuple[int, int]], random: object) -> None:
    shuffled = list(pairs)
    random.shuffle(shuffled)  # type: ignore[attr-defined]
    assert ClusterSums.of(pairs) == ClusterSums.of(shuffled)


@given(PAIRS)
def test_a_ratio_is_worth_between_one_observation_and_its_whole(pairs: list[tuple[int, int]]) -> None:
    sums = ClusterSums.of(pairs)
    assert 1 <= sums.effective_size() <= max(sums.whole, sums.stores)


def test_lines_that_go_together_by_store_are_worth_about_as_many_observations_as_stores() -> None:
    # 10 stores of 30 lines, all missing in five of them: 300 lines, but no more known than 9 of 10 stores tell
    sums = ClusterSums.of([(30, 30)] * 5 + [(0, 30)] * 5)
    assert sums.effective_size() == pytest.approx(9.0)


def test_lines_spread_evenly_are_worth_what_they_are() -> None:
    assert ClusterSums.of([(3, 30)] * 10).effective_size() == 300


def test_a_ratio_of_stores_all_seen_is_certain() -> None:
    interval = ratio_interval(ClusterSums.of([(1, 4), (3, 4)]), population=2)
    assert interval is not None
    assert (interval.low, interval.high) == (0.5, 0.5)


def test_a_ratio_of_nothing_is_unknown() -> None:
    assert ratio_interval(ClusterSums.of([]), population=10) is None
