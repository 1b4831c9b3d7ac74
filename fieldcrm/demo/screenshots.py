"""Pictures of a window in both themes and languages, as files that say what they show."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from PySide6.QtCore import QRect
from PySide6.QtGui import QImage

from fieldcrm.demo import hands
from fieldcrm.demo.device import Device
from fieldcrm.ui.widgets import Skeleton

LOOKS = (("fr", "light"), ("fr", "dark"), ("en", "light"), ("en", "dark"))
PAUSE = 350  # ms
PATIENCE = 40  # pauses: figures are counted, photos decoded and the map is drawn in the background
STILL = 2  # pauses without a change
DRAWN = 24  # colours in the middle of a screen that shows something


@dataclass(frozen=True, slots=True)
class Photographer:
    """Takes pictures into ``out``, or none where there is no folder."""

    out: Path | None
    looks: Sequence[tuple[str, str]] = LOOKS

    def take(self, device: Device, name: str) -> None:
        """``NAME-fr-light.png`` and so on of what is in front now, in each look; then French and light again."""
        if self.out is None:
            return
        preferences = device.session.preferences
        for language, theme in self.looks:
            preferences.language, preferences.theme = language, theme
            still_picture(device).save(str(self.out / f"{name}-{language}-{theme}.png"))
        if len(self.looks) > 1:
            preferences.language, preferences.theme = LOOKS[0]
            still_picture(device)


def still_picture(device: Device) -> QImage:
    """The window once it shows something that no longer changes; as it is then when it never comes to rest."""
    before, still = QImage(), 0
    for _ in range(PATIENCE):
        hands.settle(PAUSE)
        now = device.window.grab().toImage()
        still = still + 1 if now == before and _is_drawn(now) and not _is_loading(device) else 0
        before = now
        if still == STILL:
            break
    return before


def _is_loading(device: Device) -> bool:
    return any(skeleton.isVisible() for skeleton in device.window.findChildren(Skeleton))


def _is_drawn(picture: QImage) -> bool:
    """Whether the middle of a picture holds more than one empty page."""
    wide, high = picture.width(), picture.height()
    middle = picture.copy(QRect(wide // 4, high // 8, wide // 2, high // 2))
    small = middle.scaled(96, 60)
    return len({small.pixel(x, y) for x in range(small.width()) for y in range(small.height())}) >= DRAWN
