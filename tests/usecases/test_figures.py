"""Figures against counts made by hand in a small sector, and the way from a figure down to its reports."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta

import pytest

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.metrics import Figure, Period, Universe
from fieldcrm.domain.review import Decision
from fieldcrm.store.database import Database
from fieldcrm.usecases import figures, review
from fieldcrm.usecases.dayreport import day_report
from fieldcrm.usecases.periods import PRESETS, preset, select_period, trend_period
from tests.reviewing import Sector

NORTH = ("corner", "market", "plaza")


@pytest.fixture
def sector(db: Database, now: datetime) -> Sector:
    return Sector(db, now)


def _page(sector: Sector, code: str = "last_4_weeks", north: bool = True) -> figures.FiguresPage:
    with sector.db.read() as r:
        chosen = [sector.id("north")] if north else []
        return figures.page(r, select_period(r, preset(code, sector.now.date()), sectors=chosen), now=sector.now)


def _tile(page: figures.FiguresPage, code: str) -> Figure:
    return next(figure for figure in page.tiles if figure.code == code)


def _product(page: figures.FiguresPage, name: str) -> figures.ProductFigures:
    return next(product for product in page.products if product.name == name)


def test_an_empty_sector_has_an_empty_page_and_no_zeros_that_look_like_results(sector: Sector) -> None:
    page = _page(sector)
    assert page.empty
    assert _tile(page, "out_of_stock").value is None


def test_distribution_counts_a_store_once_by_its_last_observation(sector: Sector) -> None:
    sector.report("corner", {"tea": ("absent",)}, days_ago=9)
    sector.report("corner", {"tea": ("present", 3)}, days_ago=2)
    sector.report("market", {"tea": ("oos",)}, days_ago=3)
    tea = _product(_page(sector), "Tea")
    assert (tea.held.part, tea.held.seen, tea.held.population, tea.held.value) == (2, 2, 3, 1.0)
    assert (tea.present.value, tea.out_of_stock.value) == (0.5, 0.5)
    assert tea.held.universe is Universe.LISTING_STORES
    assert tea.held.age_days == pytest.approx(2, abs=1.1)


def test_a_product_that_no_assortment_names_is_measured_against_every_store(sector: Sector) -> None:
    sector.report("corner", {"rival": ("present", 5)})
    rival = _product(_page(sector), "Rival")
    assert (rival.held.universe, rival.held.population) == (Universe.SECTOR_STORES, 3)


def test_out_of_stock_and_share_of_shelf_are_counted_over_lines_and_facings(sector: Sector) -> None:
    sector.report("corner", {"tea": ("present", 6), "oil": ("oos",), "jam": ("absent",), "rival": ("present", 6)})
    sector.report("market", {"tea": ("present", 2), "rival": ("present", 2)}, photos=("b",))
    page = _page(sector)
    missing, shelf = _tile(page, "out_of_stock"), _tile(page, "share_of_shelf")
    assert (missing.part, missing.whole, missing.seen, missing.population) == (1, 3, 2, 3)
    assert (shelf.part, shelf.whole, shelf.value) == (8, 16, 0.5)
    assert [(name, figure.value) for name, figure in page.shelf] == [("Grocery", 0.5)]


def test_must_stock_is_read_by_lines_and_by_whole_stores(sector: Sector) -> None:
    sector.report("corner", {"tea": ("present", 1), "oil": ("present", 1), "jam": ("absent",)})
    sector.report("market", {"tea": ("present", 1), "oil": ("oos",)}, photos=("b",))
    page = _page(sector)
    assert _tile(page, "must_stock_lines").value == 0.75
    assert _tile(page, "must_stock_full").value == 0.5


def test_price_alerts_are_those_beyond_the_tolerance(sector: Sector) -> None:
    sector.report("corner", {"tea": ("present", 1, 320), "oil": ("present", 1, 360)})
    alerts = _tile(_page(sector), "price_alerts")
    assert (alerts.part, alerts.whole) == (1, 2)
    with sector.db.read() as r:
        selection = select_period(r, preset("last_4_weeks", sector.now.date()))
        [row] = figures.stores_behind(r, selection, "price_alerts", now=sector.now)
    assert (row.name, row.product, row.part, row.whole) == ("Corner", "Oil", 360, 300)
    assert row.at is not None and row.zone == "Europe/Paris"


def test_completion_counts_stops_up_to_today(sector: Sector) -> None:
    today = sector.now.date()
    sector.plan({"corner": "done", "market": "skipped", "plaza": "planned"}, today)
    sector.plan({"corner": "planned"}, today + timedelta(days=1))
    done = _tile(_page(sector, "this_week"), "call_completion")
    assert (done.part, done.whole, done.interval) == (1, 3, None)


def test_a_returned_report_is_left_out_and_counted_apart(sector: Sector) -> None:
    sector.report("corner", {"tea": ("present", 3)})
    bad = sector.report("market", {"tea": ("absent",)}, photos=("b",))
    sector.db.write(
        lambda tx: review.decide(tx, bad, Decision.RETURNED, reason="other", now=sector.now),
        actor=sector.manager, now=sector.now).result()
    page = _page(sector)
    assert _product(page, "Tea").held.value == 1.0
    assert (page.excluded.returned, _tile(page, "out_of_stock").excluded) == (1, 1)


def test_a_merged_outlet_counts_as_the_one_that_stayed(sector: Sector) -> None:
    sector.report("corner", {"tea": ("present", 3)}, days_ago=3)
    sector.report("plaza", {"tea": ("absent",)}, days_ago=1, photos=("b",))
    sector.add("outlet_alias", outlet_id=sector.id("corner"), alias_id=sector.id("plaza"), active=True)
    tea = _product(_page(sector), "Tea")
    assert (tea.held.seen, tea.held.population, tea.held.value) == (1, 2, 0.0)


def test_coverage_counts_distinct_stores(sector: Sector) -> None:
    sector.visit("corner")
    sector.visit("corner", days_ago=2)
    coverage = _tile(_page(sector), "coverage")
    assert (coverage.part, coverage.whole) == (1, 3)


def test_each_rep_has_a_row(sector: Sector) -> None:
    sector.report("corner", {"tea": ("present", 3), "oil": ("oos",)}, minutes=30)
    sector.report("market", {"tea": ("present", 3)}, who="bruno", minutes=10, photos=("b",))
    asha, bruno = _page(sector).reps
    assert (asha.name, asha.visits, asha.reports, asha.minutes, asha.oos_part, asha.oos_whole) == (
        "Asha Roche", 1, 1, 30, 1, 2)
    assert (bruno.name, bruno.visits, bruno.minutes, bruno.oos_part) == ("Bruno Petit", 1, 10, 0)


def test_a_product_opens_down_to_its_stores_with_those_not_seen_last(sector: Sector) -> None:
    present = sector.report("corner", {"tea": ("present", 3)})
    sector.report("market", {"tea": ("oos",)}, photos=("b",))
    sector.db.write(
        lambda tx: review.decide(tx, present, Decision.APPROVED, now=sector.now),
        actor=sector.manager, now=sector.now).result()
    with sector.db.read() as r:
        selection = select_period(r, preset("last_4_weeks", sector.now.date()), sectors=[sector.id("north")])
        rows = figures.stores_behind(r, selection, "distribution_held", now=sector.now, product_id=sector.id("tea"))
    assert [(row.name, row.state) for row in rows] == [("Market", "oos"), ("Corner", "present"), ("Plaza", "unseen")]
    assert (rows[1].submission_id, rows[1].decision, rows[1].reviewer) == (present, "approved", "Maud Lenoir")
    behind = figures.provenance(rows)
    assert (len(behind.hits), behind.misses, present in behind.submissions) == (2, (sector.id("plaza"),), True)


@pytest.mark.parametrize("code", [
    "call_completion", "coverage", "out_of_stock", "share_of_shelf", "must_stock_lines", "must_stock_full",
])
def test_every_tile_opens_down_to_stores(sector: Sector, code: str) -> None:
    sector.report("corner", {"tea": ("present", 3), "oil": ("oos",), "rival": ("present", 3)})
    sector.plan({"corner": "done"}, sector.now.date())
    with sector.db.read() as r:
        selection = select_period(r, preset("last_4_weeks", sector.now.date()), sectors=[sector.id("north")])
        rows = figures.stores_behind(r, selection, code, now=sector.now)
    assert "Corner" in {row.name for row in rows if row.state != "unseen"}


def test_a_figure_that_does_not_exist_is_refused(sector: Sector) -> None:
    with sector.db.read() as r, pytest.raises(DomainError, match="figure_unknown"):
        figures.stores_behind(r, select_period(r, preset("today", sector.now.date())), "luck", now=sector.now)


def test_the_trend_has_thirteen_weeks_with_gaps_where_nothing_was_seen(sector: Sector) -> None:
    sector.report("corner", {"tea": ("oos",), "oil": ("present", 1)}, days_ago=1)
    sector.report("market", {"tea": ("present", 1)}, days_ago=15, photos=("b",))
    with sector.db.read() as r:
        selection = select_period(r, preset("last_4_weeks", sector.now.date()))
        trend = figures.trend(r, selection, "out_of_stock", now=sector.now)
    values = [point.value for point in trend.points]
    assert len(values) == 13
    assert (values[-1], values[-2], values[-3], trend.change) == (0.5, None, 0.0, 0.5)
    assert trend.points[-1].week == date(2026, 11, 16)


def test_presets_hold_whole_days_and_weeks_begin_on_monday() -> None:
    today = date(2026, 3, 1)  # a Sunday, the first of a month
    spans = {code: preset(code, today) for code in PRESETS}
    assert spans["this_week"].first == date(2026, 2, 23) and spans["this_week"].last == today
    assert (spans["last_month"].first, spans["last_month"].last) == (date(2026, 2, 1), date(2026, 2, 28))
    assert (spans["today"].days, spans["last_4_weeks"].days, trend_period(today).days) == (1, 28, 91)


def test_a_day_begins_at_midnight_where_the_outlets_are(sector: Sector) -> None:
    with sector.db.read() as r:
        selection = select_period(r, preset("today", date(2026, 7, 14)))
    assert (selection.since.hour, selection.since.day, selection.until.hour) == (22, 13, 22)


def test_the_day_report_says_what_was_done_found_promised_and_left(sector: Sector) -> None:
    today = sector.now.date()
    sector.plan({"corner": "done", "market": "skipped", "plaza": "planned"}, today)
    report = sector.report("corner", {"tea": ("present", 3), "oil": ("oos",), "rival": ("oos",)}, days_ago=0.1,
                           photos=("a", "b"))
    with sector.db.read() as r:
        visit = review.item_of(r, report).report.visit_id
    sector.add("task", outlet_id=sector.id("corner"), kind="promise", title="Second facing for Tea", state="open",
               visit_id=visit, promised_by="M. Roy", due=today + timedelta(days=7))
    with sector.db.read() as r:
        day = day_report(r, sector.id("asha"), today, now=sector.now)
    assert (day.person, day.done, day.planned, day.unplanned) == ("Asha Roche", 1, 3, 1)
    assert (day.reports, day.photos, day.lines, day.complete) == ((0, 1), (0, 2), 3, False)
    assert [visit.oos for visit in day.visits] == [1], "a competitor's empty place is not ours"
    assert [(x.outlet, x.product) for x in day.out_of_stocks] == [("Corner", "Oil")]
    assert [(p.title, p.by) for p in day.promises] == [("Second facing for Tea", "M. Roy")]
    assert [(s.outlet, s.reason) for s in day.skipped] == [("Market", "closed"), ("Plaza", None)]
    assert day.minutes_in_store == pytest.approx(25)


def test_a_price_is_measured_against_the_one_in_force_when_it_was_read(sector: Sector) -> None:
    dearer = sector.now.date() - timedelta(days=1)
    sector.add("price", product_id=sector.id("jam"), amount_minor=600, valid_from=dearer)
    sector.report("corner", {"jam": ("present", 1, 300)}, days_ago=3)
    sector.report("market", {"jam": ("present", 1, 600)}, days_ago=0.5, photos=("b",))
    alerts = _tile(_page(sector), "price_alerts")
    assert (alerts.part, alerts.whole) == (0, 2)


def test_half_past_eleven_in_the_evening_belongs_to_the_day_and_the_week_of_the_store(sector: Sector) -> None:
    sunday = datetime(2026, 11, 15, 22, 30, tzinfo=UTC)  # 23:30 in Paris, and the thirteen weeks begin in summer time
    sector.report("corner", {"tea": ("oos",)}, days_ago=(sector.now - sunday) / timedelta(days=1), minutes=0)
    with sector.db.read() as r:
        selection = select_period(r, preset("last_4_weeks", sector.now.date()))
        points = figures.trend(r, selection, "out_of_stock", now=sector.now).points
        days = [figures.page(r, select_period(r, Period(day, day)), now=sector.now)
                for day in (date(2026, 11, 15), date(2026, 11, 16))]
    assert [(point.week, point.part) for point in points if point.whole] == [(date(2026, 11, 9), 1)]
    assert [_tile(page, "coverage").part for page in days] == [1, 0]
    assert [_tile(page, "out_of_stock").part for page in days] == [1, 0]


def test_the_last_hour_of_the_last_week_is_in_the_trend(sector: Sector) -> None:
    late = datetime(2026, 11, 22, 22, 30, tzinfo=UTC)
    sector.report("corner", {"tea": ("oos",)}, days_ago=(sector.now - late) / timedelta(days=1), minutes=0)
    with sector.db.read() as r:
        selection = select_period(r, preset("this_week", sector.now.date()))
        assert figures.trend(r, selection, "out_of_stock", now=sector.now).points[-1].whole == 1


def test_a_store_whose_list_was_only_half_checked_does_not_pass_for_one_with_all_of_it(sector: Sector) -> None:
    sector.report("corner", {"tea": ("present", 1)})
    sector.report("market", {"tea": ("present", 1), "oil": ("oos",)}, photos=("b",))
    full = _tile(_page(sector), "must_stock_full")
    assert (full.part, full.whole, full.population) == (0, 1, 3)


def test_a_store_that_no_longer_lists_a_product_but_had_it_counted_widens_what_it_is_measured_against(
    sector: Sector,
) -> None:
    sector.ids["kiosk"] = sector.add("outlet", name="Kiosk", sector_id=sector.id("north"), zone="Europe/Paris",
                                     state="active", store_type="kiosk")
    sector.report("kiosk", {"tea": ("present", 2)})
    tea = _product(_page(sector), "Tea")
    with sector.db.read() as r:
        selection = select_period(r, preset("last_4_weeks", sector.now.date()), sectors=[sector.id("north")])
        rows = figures.stores_behind(r, selection, "distribution_held", now=sector.now, product_id=sector.id("tea"))
    assert (tea.held.seen, tea.held.population) == (1, 4)
    assert len(rows) == 4


def test_what_is_behind_a_figure_adds_up_to_it(sector: Sector) -> None:
    today = sector.now.date()
    sector.plan({"corner": "done", "market": "skipped"}, today)
    sector.plan({"corner": "planned", "plaza": "planned"}, today + timedelta(days=1))
    sector.report("corner", {"tea": ("oos",), "oil": ("present", 2)})
    sector.report("market", {"tea": ("absent",), "oil": ("absent",)}, photos=("b",))
    page = _page(sector, "this_week")
    with sector.db.read() as r:
        selection = select_period(r, preset("this_week", today), sectors=[sector.id("north")])
        behind = {code: figures.stores_behind(r, selection, code, now=sector.now)
                  for code in ("call_completion", "out_of_stock", "share_of_shelf")}
    assert len(behind["call_completion"]) == _tile(page, "call_completion").whole == 2
    assert sum(rep.planned for rep in page.reps) == 2
    for code in ("out_of_stock", "share_of_shelf"):
        assert sum(row.state != "unseen" for row in behind[code]) == _tile(page, code).seen == 1
        assert len(behind[code]) == _tile(page, code).population == 3


def test_a_report_sent_in_again_later_is_left_out_of_the_period_of_its_visit(sector: Sector) -> None:
    first = sector.report("corner", {"tea": ("present", 3)}, days_ago=40)
    with sector.db.read() as r:
        visit = review.item_of(r, first).report.visit_id
    begun = sector.now - timedelta(days=40)
    again = sector.add(
        "submission", visit_id=visit, outlet_id=sector.id("corner"), person_id=sector.id("asha"), form="shelf_audit",
        form_version="1", answers={}, started_at=begun, submitted_at=sector.now - timedelta(days=1),
        supersedes_id=first)
    sector.db.write(
        lambda tx: review.decide(tx, again, Decision.RETURNED, reason="other", now=sector.now),
        actor=sector.manager, now=sector.now).result()
    assert _page(sector).excluded.returned == 0
    assert _page(sector, "last_13_weeks").excluded.returned == 1
