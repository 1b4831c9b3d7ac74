"""The formulas of the trade, on counts small enough to check by hand."""

from __future__ import annotations

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fieldcrm.domain.ids import new_id
from fieldcrm.domain.metrics import PriceAlert, ScoreItem, TrendPoint, Universe
from fieldcrm.insights import kpi
from fieldcrm.insights.intervals import ClusterSums

NOW = datetime(2026, 11, 20, 9, tzinfo=UTC)
LINES = st.integers(1, 40).flatmap(lambda x: st.tuples(st.integers(0, x), st.just(x)))
COUNTS = st.builds(kpi.StateCounts, st.integers(0, 300), st.integers(0, 300), st.integers(0, 300))


def test_distribution_says_held_and_present_apart() -> None:
    counts = kpi.StateCounts(present=60, oos=20, absent=20)
    held, present = kpi.numeric_distribution(counts, 250), kpi.presence(counts, 250)
    assert (held.value, held.part, held.seen, held.population) == (0.8, 80, 100, 250)
    assert (present.value, present.part) == (0.6, 60)
    assert held.universe is Universe.LISTING_STORES


def test_out_of_stock_is_counted_on_stores_that_list_the_product() -> None:
    figure = kpi.product_out_of_stock(kpi.StateCounts(present=60, oos=20, absent=20), 250)
    assert (figure.value, figure.part, figure.whole) == (0.25, 20, 80)


def test_a_product_nobody_looked_for_has_no_value_rather_than_zero() -> None:
    figure = kpi.numeric_distribution(kpi.StateCounts(0, 0, 0), 40)
    assert (figure.value, figure.interval, figure.population) == (None, None, 40)


def test_more_stores_seen_than_listed_widen_the_universe() -> None:
    figure = kpi.numeric_distribution(kpi.StateCounts(5, 0, 0), 3)
    assert (figure.seen, figure.population) == (5, 5)


@given(COUNTS, st.integers(0, 1000))
def test_present_never_exceeds_held_and_both_stay_in_their_interval(counts: kpi.StateCounts, population: int) -> None:
    held, present = kpi.numeric_distribution(counts, population), kpi.presence(counts, population)
    if held.value is None or present.value is None:
        assert counts.seen == 0
        return
    assert 0 <= present.value <= held.value <= 1
    assert held.interval is not None and held.interval.low <= held.value <= held.interval.high


@given(st.lists(LINES, min_size=1, max_size=30))
def test_out_of_stock_and_availability_add_up_to_one_on_the_same_base(pairs: list[tuple[int, int]]) -> None:
    lines = ClusterSums.of(pairs)
    missing, there = kpi.out_of_stock(lines, 100), kpi.on_shelf_availability(lines, 100)
    assert missing.value is not None and there.value is not None
    assert missing.value + there.value == pytest.approx(1)
    assert missing.whole == there.whole
    assert missing.interval is not None and there.interval is not None
    assert missing.interval.high == pytest.approx(1 - there.interval.low)


def test_share_of_shelf_is_facings_over_facings() -> None:
    figure = kpi.share_of_shelf(ClusterSums.of([(12, 40), (8, 40)]), 10)
    assert (figure.value, figure.part, figure.whole, figure.seen) == (0.25, 20, 80, 2)


def test_completion_counts_what_was_planned_and_has_no_interval() -> None:
    figure = kpi.call_completion(7, 11)
    assert (figure.value, figure.part, figure.whole, figure.interval) == (pytest.approx(7 / 11), 7, 11, None)
    assert kpi.call_completion(0, 0).value is None


def test_coverage_never_exceeds_the_stores_assigned() -> None:
    assert kpi.coverage(12, 10).value == 1.0


def test_must_stock_has_two_readings_named_apart() -> None:
    full = kpi.must_stock_full(complete=1, audited=4, population=9)
    lines = kpi.must_stock_lines(ClusterSums.of([(10, 10), (9, 10), (9, 10), (8, 10)]), 9)
    assert (full.code, full.value) == ("must_stock_full", 0.25)
    assert (lines.code, lines.value) == ("must_stock_lines", 0.9)


def _price(seen: int, reference: int) -> PriceAlert:
    return PriceAlert(new_id(NOW), new_id(NOW), new_id(NOW), seen, reference)


def test_price_alerts_come_furthest_first_and_leave_the_tolerated_out() -> None:
    alerts = kpi.price_alerts([_price(110, 100), _price(150, 100), _price(70, 100), _price(99, 0)], 0.10)
    assert [alert.seen_minor for alert in alerts] == [150, 70]


SCORE_TABLE = [
    ([ScoreItem("stock", 3, 1.0), ScoreItem("promo", 1, 0.0)], 0.75),
    ([ScoreItem("stock", 3, 1.0), ScoreItem("promo", 1, None)], 1.0),  # does not apply: leaves both sums
    ([ScoreItem("stock", 2, 3.0, 4.0), ScoreItem("shelf", 2, 2.0, 4.0)], 0.625),
    ([ScoreItem("stock", 2, None)], None),
    ([], None),
]


@pytest.mark.parametrize(("items", "expected"), SCORE_TABLE)
def test_the_store_score_leaves_what_does_not_apply_out_of_both_sums(
    items: list[ScoreItem], expected: float | None
) -> None:
    assert kpi.perfect_store(items) == expected


ITEMS = st.lists(st.builds(
    ScoreItem, st.sampled_from("abcd"), st.floats(0.1, 9), st.none() | st.floats(0, 5), st.floats(0.5, 5),
), max_size=8)


@given(ITEMS)
def test_the_store_score_is_a_share_and_an_item_that_does_not_apply_never_moves_it(items: list[ScoreItem]) -> None:
    score = kpi.perfect_store(items)
    assert score is None or 0 <= score <= 1
    assert kpi.perfect_store([*items, ScoreItem("x", 5, None)]) == score


def test_the_mean_score_counts_each_store_once() -> None:
    figure = kpi.perfect_store_mean([1.0, 0.5, 0.0], 3)
    assert (figure.value, figure.seen, figure.complete) == (0.5, 3, True)


def test_a_trend_compares_the_last_two_weeks_that_have_a_value() -> None:
    points = [TrendPoint(date(2026, 11, 2), 0.5, 1, 2), TrendPoint(date(2026, 11, 9), None, 0, 0),
              TrendPoint(date(2026, 11, 16), 0.75, 3, 4)]
    assert kpi.trend_change(points) == 0.25
    assert kpi.trend_change(points[:2]) is None


@pytest.mark.parametrize(("values", "middle"), [([], None), ([3], 3), ([9, 1], 5), ([5, 1, 2], 2)])
def test_the_median_age_is_the_middle_one(values: list[float], middle: float | None) -> None:
    assert kpi.median(values) == middle
