"""What a manager is shown first, and what must never be held against a rep."""

from __future__ import annotations

import pytest

from fieldcrm.insights.quality import Evidence, FacingsSeen, Limits, PriceSeen, remarks

CALM = Evidence(minutes=25, usual_minutes=30, distance_m=40, lines=30, confirmed=12, photos=2)

TABLE = [
    (Evidence(minutes=3, usual_minutes=30, lines=30, photos=2), ["short"]),
    (Evidence(minutes=12, usual_minutes=60, lines=30, photos=2), ["short"]),  # under a quarter of the usual hour
    (Evidence(minutes=25, distance_m=900, accuracy_m=20, lines=30, photos=2), ["far"]),
    (Evidence(minutes=25, distance_m=900, accuracy_m=600, lines=30, photos=2), []),  # within its own accuracy
    (Evidence(minutes=25, lines=30, photos=0), ["photo_missing"]),
    (Evidence(minutes=25, lines=0, photos=0), []),  # nothing was audited
    (Evidence(minutes=25, lines=30, confirmed=30, photos=1), ["all_confirmed"]),
    (Evidence(minutes=25, lines=5, confirmed=5, photos=1), []),
    (Evidence(minutes=25, lines=30, photos=1, prices=(PriceSeen("Tea", 990, 299),)), ["price_far"]),
    (Evidence(minutes=25, lines=30, photos=1, prices=(PriceSeen("Tea", 320, 299),)), []),
    (Evidence(minutes=25, lines=30, photos=1, photo_reused_at=("Corner shop",)), ["photo_reused"]),
    (Evidence(minutes=25, lines=30, photos=1, facings=(FacingsSeen("Tea", 4, 40),)), ["facings_jump"]),
    (Evidence(minutes=25, lines=30, photos=1, facings=(FacingsSeen("Tea", 1, 4),)), []),
]


@pytest.mark.parametrize(("evidence", "codes"), TABLE)
def test_each_remark_has_its_own_ground(evidence: Evidence, codes: list[str]) -> None:
    assert [remark.code for remark in remarks(evidence, Limits())] == codes


def test_a_plain_report_has_no_remark() -> None:
    assert remarks(CALM, Limits()) == ()


def test_a_visit_without_a_position_is_never_remarked_for_it() -> None:
    assert remarks(Evidence(minutes=25, distance_m=None, lines=30, photos=1), Limits()) == ()


def test_the_weightiest_remark_comes_first() -> None:
    evidence = Evidence(minutes=2, distance_m=5000, lines=30, confirmed=30, photos=0)
    assert [r.code for r in remarks(evidence, Limits())] == ["far", "short", "photo_missing", "all_confirmed"]


def test_a_remark_carries_the_figures_for_its_sentence() -> None:
    evidence = Evidence(minutes=25, photos=1, prices=(PriceSeen("Tea", 990, 299), PriceSeen("Oil", 2000, 500)))
    assert remarks(evidence, Limits())[0].params == {
        "product": "Oil", "seen_minor": 2000, "reference_minor": 500, "count": 2,
    }


def test_an_organisation_sets_its_own_limits_and_nonsense_is_left_aside() -> None:
    limits = Limits.of({"far_m": 5000, "short_minutes": "soon", "colour": 3, "photos": True})
    assert limits == Limits(far_m=5000)
    assert remarks(Evidence(minutes=25, distance_m=900, lines=30, photos=1), limits) == ()
