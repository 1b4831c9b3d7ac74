"""The merge rules alone: what becomes of a field, a note, a map, a set, a place in a bucket."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sync.catalogue import Collection, Field, Kind, Merge
from sync.merge import (
    CREATED,
    Entry,
    Pending,
    Stamp,
    bucket_entries,
    carry,
    decide_update,
    foreign_fields,
    merge_lines,
    overlay,
)

ME, OTHER = 1, 2
CARD = Collection(1, "card", (
    Field(1, "phone"),
    Field(2, "grade", merge=Merge.SERVER),
    Field(3, "note", Kind.LONG, merge=Merge.LINES),
    Field(4, "custom", Kind.MAP, merge=Merge.KEYS),
    Field(5, "tags", Kind.SET),
    Field(6, "stock", Kind.COUNTER),
    Field(7, "seen", Kind.INTEGER, merge=Merge.MAX),
    Field(8, "first", Kind.INTEGER, merge=Merge.MIN),
))
LINES = st.lists(st.sampled_from(["a", "b", "c", "d"]), max_size=6).map("\n".join)


def stamps(**written: tuple[int, int]) -> dict[str, Stamp]:
    return {CREATED: Stamp(1, OTHER), **{name: Stamp(*stamp) for name, stamp in written.items()}}


def test_a_field_nobody_touched_since_the_base_takes_the_new_value() -> None:
    outcome = decide_update(CARD, {"grade": "b"}, stamps(), {"grade": "a"}, {"grade": "b"}, 5, ME)
    assert dict(outcome.values) == {"grade": "a"} and not outcome.lost and not outcome.foreign


def test_a_field_another_device_wrote_since_gives_way_by_its_class() -> None:
    written = stamps(grade=(9, OTHER), phone=(9, OTHER))
    current = {"grade": "c", "phone": "3"}
    outcome = decide_update(CARD, current, written, {"grade": "a", "phone": "1"}, {"grade": "b", "phone": "0"}, 5, ME)
    assert dict(outcome.values) == {"phone": "1"}
    assert dict(outcome.lost) == {"grade": "a"}
    assert dict(outcome.displaced) == {"phone": "3"}


def test_t8_the_same_device_never_gives_way_to_itself() -> None:
    outcome = decide_update(CARD, {"grade": "c"}, stamps(grade=(9, ME)), {"grade": "a"}, {"grade": "b"}, 5, ME)
    assert dict(outcome.values) == {"grade": "a"} and not outcome.lost


def test_two_devices_that_wrote_the_same_value_have_not_clashed() -> None:
    outcome = decide_update(CARD, {"grade": "a"}, stamps(grade=(9, OTHER)), {"grade": "a"}, {"grade": "b"}, 5, ME)
    assert dict(outcome.values) == {"grade": "a"} and not outcome.lost and not outcome.displaced


def test_a_note_changed_on_both_sides_in_one_line_keeps_the_servers_and_says_so() -> None:
    change, was = {"note": "mine"}, {"note": "old"}
    outcome = decide_update(CARD, {"note": "theirs"}, stamps(note=(9, OTHER)), change, was, 5, ME)
    assert not outcome.values and dict(outcome.lost) == change


def test_an_own_second_edit_of_a_note_does_not_wipe_the_line_that_was_merged_in() -> None:
    merged = "theirs\nold\nmine"
    change, was = {"note": "old\nmine\nmore"}, {"note": "old\nmine"}
    outcome = decide_update(CARD, {"note": merged}, stamps(note=(9, ME)), change, was, 5, ME)
    assert outcome.values["note"] == "theirs\nold\nmine\nmore"


@pytest.mark.parametrize(
    ("base", "ours", "theirs", "merged"),
    [
        ("a\nb", "x\na\nb", "a\nb\ny", "x\na\nb\ny"),
        ("a\nb\nc", "a\nc", "a\nb\nc\nd", "a\nc\nd"),
        ("a", "a\nx", "a\ny", "a\nx\ny"),
        ("a", "a\nx", "a\nx", "a\nx"),
        ("a", "b", "c", None),
        ("a\nb", "b", "a\nb", "b"),
        ("", "x", "y", "x\ny"),
    ],
)
def test_notes_merge_by_line(base: str, ours: str, theirs: str, merged: str | None) -> None:
    assert merge_lines(base, ours, theirs) == merged


@given(LINES, LINES)
def test_a_note_that_only_one_side_changed_is_that_sides(base: str, changed: str) -> None:
    assert merge_lines(base, changed, base) == changed
    assert merge_lines(base, base, changed) == changed
    assert merge_lines(base, changed, changed) == changed


@given(LINES, LINES, LINES)
def test_a_merged_note_has_every_line_that_either_side_added(base: str, ours: str, theirs: str) -> None:
    merged = merge_lines(base, ours, theirs)
    if merged is not None:
        for side in (ours, theirs):
            added = set(side.splitlines()) - set(base.splitlines())
            assert added <= set(merged.splitlines())


KEYS = st.dictionaries(st.sampled_from("abc"), st.integers(0, 3))


@given(KEYS, KEYS, KEYS)
def test_a_map_takes_each_key_from_the_side_that_changed_it(
    base: dict[str, int], ours: dict[str, int], theirs: dict[str, int]
) -> None:
    merged = carry(CARD.by_name["custom"], ours, base, theirs)
    for key in "abc":
        mine = theirs if theirs.get(key) != base.get(key) else ours
        assert merged.get(key) == mine.get(key)


@given(st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc")), st.sets(st.sampled_from("abc")))
def test_a_set_keeps_what_either_side_added_and_drops_what_either_removed(
    base: set[str], ours: set[str], theirs: set[str]
) -> None:
    merged = carry(CARD.by_name["tags"], sorted(ours), sorted(base), sorted(theirs))
    assert set(merged) == (ours | (theirs - base)) - (base - theirs)


@given(st.integers(-50, 50), st.integers(-50, 50), st.integers(-50, 50))
def test_counters_add_up_and_extremes_never_go_back(current: int, was: int, new: int) -> None:
    assert carry(CARD.by_name["stock"], current, was, new) == current + new - was
    assert carry(CARD.by_name["seen"], current, was, new) == max(current, new)
    assert carry(CARD.by_name["first"], current, was, new) == min(current, new)


def test_t15_a_delete_sees_what_others_wrote_since_and_not_its_own_edits() -> None:
    written = stamps(phone=(9, ME), grade=(8, OTHER))
    assert foreign_fields(written, 5, ME) == ("grade",)
    assert foreign_fields(written, 8, ME) == ()


def test_t14_a_record_that_moves_is_put_in_one_bucket_and_revoked_in_the_other() -> None:
    moved = bucket_entries(frozenset({"a", "b"}), frozenset({"b", "c"}), deleted=False)
    assert moved == {"a": Entry.REVOKE, "b": Entry.PUT, "c": Entry.PUT}
    assert bucket_entries(frozenset({"a"}), frozenset(), deleted=True) == {"a": Entry.GONE}


def test_t9_what_is_shown_is_the_servers_version_with_the_unsent_changes_on_top() -> None:
    server = {"phone": "server", "note": "a\nserver", "stock": 7}
    unsent = [
        Pending("upd", {"phone": "mine", "stock": 5}, {"phone": "old", "stock": 4}),
        Pending("upd", {"note": "mine\na"}, {"note": "a"}),
    ]
    assert overlay(CARD, server, unsent) == {"phone": "mine", "note": "mine\na\nserver", "stock": 8}
    assert overlay(CARD, server, [Pending("del")]) is None
    assert overlay(CARD, None, [Pending("new", {"phone": "x"}), Pending("upd", {"phone": "y"})]) == {"phone": "y"}
