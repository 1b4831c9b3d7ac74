"""Words and figures in both languages."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest

from fieldcrm import words

NOW = datetime(2026, 6, 3, 8, 42, tzinfo=UTC)


@pytest.fixture(autouse=True)
def english_again() -> Iterator[None]:
    words.set_language("en")
    yield
    words.set_language("en")


def plain(text: str) -> str:
    return text.replace("\u202f", " ").replace("\xa0", " ")


def test_the_language_switches_live_and_an_unknown_one_is_english() -> None:
    words.set_language("fr")
    assert words.tr("Settings") == "Réglages"
    words.set_language("xx")
    assert words.language() == "en" and words.tr("Settings") == "Settings"


def test_french_counts_zero_as_one_and_english_does_not() -> None:
    one, many = "{n} visit saved on this device", "{n} visits saved on this device"
    assert words.trn(one, many, 0) == "0 visits saved on this device"
    assert words.trn(one, many, 1) == "1 visit saved on this device"
    words.set_language("fr")
    assert words.trn(one, many, 0) == "0 visite enregistrée sur cet appareil"
    assert words.trn(one, many, 2) == "2 visites enregistrées sur cet appareil"


def test_a_text_without_a_translation_is_shown_in_english_with_its_values() -> None:
    words.set_language("fr")
    assert words.tr("Nobody wrote this: {what}", what=3) == "Nobody wrote this: 3"


@pytest.mark.parametrize(("language", "money", "number", "percent", "day"), [
    ("en", "€1,234.56", "1,234.5", "62%", "3 Jun 2026"),
    ("fr", "1 234,56 €", "1 234,5", "62 %", "3 juin 2026"),
])
def test_figures_are_written_as_the_language_writes_them(
    language: str, money: str, number: str, percent: str, day: str
) -> None:
    words.set_language(language)
    shown = (words.money(123_456), words.number(1234.5), words.percent(0.62), words.date(date(2026, 6, 3)))
    assert tuple(map(plain, shown)) == (money, number, percent, day)


def test_a_yen_has_no_cents() -> None:
    assert words.money(1234, "JPY") == "JP¥1,234"


def test_times_are_told_in_the_zone_of_the_outlet() -> None:
    assert words.time(NOW, "Europe/Paris") == "10:42"
    assert words.day_time(NOW, "Asia/Tokyo") == "3 Jun, 17:42"


@pytest.mark.parametrize(("age", "said"), [
    (timedelta(seconds=20), "just now"),
    (timedelta(minutes=12), "12 min ago"),
    (timedelta(hours=3), "3 h ago"),
    (timedelta(days=1), "yesterday"),
    (timedelta(days=34), "34 days ago"),
])
def test_ages_are_told_as_people_tell_them(age: timedelta, said: str) -> None:
    assert words.since(NOW - age, NOW) == said


def test_lengths_and_sizes_use_the_unit_that_reads_best() -> None:
    assert [plain(words.distance(m)) for m in (47, 352, 2430, 31_400)] == ["47 m", "350 m", "2.4 km", "31 km"]
    assert [plain(words.size(b)) for b in (12, 640_000, 9_300_000)] == ["12 B", "640 kB", "9.3 MB"]
    assert [words.duration(m) for m in (45, 65, 120)] == ["45 min", "1 h 05", "2 h"]
