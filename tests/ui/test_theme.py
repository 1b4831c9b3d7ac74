"""The tokens keep their contrast on every ground they meet, in every theme."""

from __future__ import annotations

import pytest

from fieldcrm.ui import icons
from fieldcrm.ui.palettes import PALETTES, TONES, Colors

GROUNDS = ("canvas", "rail", "surface", "raised", "hover", "selected")
WORDS = ("text", "muted", "faint", "accent_text")


def luminance(color: str) -> float:
    channels = [int(color[at : at + 2], 16) / 255 for at in (1, 3, 5)]
    red, green, blue = (c / 12.92 if c <= 0.04045 else ((c + 0.055) / 1.055) ** 2.4 for c in channels)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def contrast(one: str, other: str) -> float:
    """The contrast ratio of WCAG 2.2, from 1 to 21."""
    light, dark = sorted((luminance(one), luminance(other)), reverse=True)
    return (light + 0.05) / (dark + 0.05)


def word_pairs(color: Colors) -> dict[str, tuple[str, str]]:
    met = [(word, ground) for word in WORDS for ground in GROUNDS]
    pairs = {f"{word} on {ground}": (getattr(color, word), getattr(color, ground)) for word, ground in met}
    pairs |= {f"muted on {ground}": (color.muted, getattr(color, ground)) for ground in ("pressed", "sunken")}
    for tone in TONES:
        three = color.tone(tone)
        pairs[f"{tone} words on their ground"] = (three.text, three.soft)
        pairs[f"plain words on {tone}"] = (color.text, three.soft)
        pairs |= {f"{tone} words on {ground}": (three.text, getattr(color, ground)) for ground in GROUNDS}
    pairs |= {f"on accent {state}": (color.on_accent, value) for state, value in (
        ("", color.accent), ("hover", color.accent_hover), ("pressed", color.accent_pressed))}
    pairs["on danger"] = (color.on_danger, color.danger)
    pairs["on danger hover"] = (color.on_danger, color.danger_text)
    pairs["action in a message"] = (color.accent_text, color.danger_soft)
    pairs["tool tip"] = (color.on_tooltip, color.tooltip)
    return pairs


def edge_pairs(color: Colors) -> dict[str, tuple[str, str]]:
    pairs = {f"edge on {ground}": (color.border_strong, getattr(color, ground)) for ground in GROUNDS[:4]}
    pairs |= {f"focus on {ground}": (color.focus, getattr(color, ground)) for ground in GROUNDS}
    for tone in TONES:
        three = color.tone(tone)
        pairs[f"{tone} dot on its ground"] = (three.solid, three.soft)
        pairs[f"{tone} dot on a card"] = (three.solid, color.surface)
    pairs |= {f"series {i} on a card": (value, color.surface) for i, value in enumerate(color.series)}
    return pairs


@pytest.mark.parametrize("name", PALETTES)
def test_words_keep_four_and_a_half_to_one(name: str) -> None:
    poor = {pair: round(contrast(*two), 2) for pair, two in word_pairs(PALETTES[name]).items() if contrast(*two) < 4.5}
    assert poor == {}


@pytest.mark.parametrize("name", PALETTES)
def test_edges_and_dots_keep_three_to_one(name: str) -> None:
    poor = {pair: round(contrast(*two), 2) for pair, two in edge_pairs(PALETTES[name]).items() if contrast(*two) < 3}
    assert poor == {}


@pytest.mark.parametrize("name", [name for name in PALETTES if name.startswith("contrast")])
def test_high_contrast_words_keep_seven_to_one(name: str) -> None:
    poor = {pair: round(contrast(*two), 2) for pair, two in word_pairs(PALETTES[name]).items() if contrast(*two) < 7}
    assert poor == {}


@pytest.mark.parametrize("name", ["", "no-such-icon", "../licences", "../../README", "send/../send"])
def test_a_name_that_is_no_icon_is_known_as_such(name: str) -> None:
    assert icons.known("map-pin")
    assert not icons.known(name)
