"""What a spreadsheet would run is told from what it shows."""

from __future__ import annotations

import pytest

from fieldcrm.exchange.writing import runs, safe_cell


@pytest.mark.parametrize("blank", ["", " ", "\t", "\r", "\x0b", "\u3000", "\u2003", "\ufeff", "\u200b", "\x01 "])
@pytest.mark.parametrize("sign", ["=", "+", "-", "@", "\uff1d"])
def test_a_formula_behind_what_nobody_sees_is_still_one(blank: str, sign: str) -> None:
    assert safe_cell(f"{blank}{sign}cmd|x") == f"'{blank}{sign}cmd|x"


@pytest.mark.parametrize("text", ["-12,5", "Spar", "12 rue = 3", "a@b.fr", "\u3000Spar", ""])
def test_plain_words_and_numbers_stay_as_they_are(text: str) -> None:
    assert not runs(text)
