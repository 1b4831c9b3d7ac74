"""Pictures of a window in both themes and languages, as files that say what they show."""

from __future__ import annotations

from pathlib import Path

from fieldcrm.demo import hands
from fieldcrm.demo.device import Device

LOOKS = (("fr", "light"), ("fr", "dark"), ("en", "light"), ("en", "dark"))
PAUSE = 900  # ms: figures are counted and the map is drawn in the background


def photograph(device: Device, out: Path | None, name: str) -> int:
    """``NAME-fr-light.png`` and three more of what is in front now; returns how many. Nothing without a folder."""
    if out is None:
        return 0
    preferences = device.session.preferences
    for language, theme in LOOKS:
        preferences.language, preferences.theme = language, theme
        hands.settle(PAUSE)
        device.window.grab().save(str(out / f"{name}-{language}-{theme}.png"))
    preferences.language, preferences.theme = LOOKS[0]
    hands.settle(PAUSE)
    return len(LOOKS)
