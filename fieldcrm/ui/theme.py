"""One look for the whole program: colour tokens, type scale, spacing scale; Fusion, QPalette and a little QSS.

Widgets that paint themselves read :func:`current` at paint time; the shell rebuilds its screens when the theme changes.
"""

from __future__ import annotations

from collections.abc import Callable
from functools import cache

from PySide6.QtCore import QObject, Qt, Signal
from PySide6.QtGui import QColor, QFont, QFontDatabase, QFontMetrics, QGuiApplication, QPalette
from PySide6.QtWidgets import QApplication, QStyleFactory, QWidget

from fieldcrm import resources
from fieldcrm.ui.palettes import PALETTES, TONES, Colors, Theme, Tone
from fieldcrm.ui.stylesheet import sheet

__all__ = [
    "MODES", "TEXT_SIZES", "TONES", "Colors", "Theme", "Tone",
    "apply", "current", "font", "metrics", "pixels", "qcolor", "set_kind", "signals", "space",
]

MODES = ("system", "light", "dark", "contrast-light", "contrast-dark")
TEXT_SIZES = (100, 112, 125, 150)  # per cent
FAMILY = "Inter"
GRID = 4  # every distance is a multiple of this many pixels
RADIUS = 8
RADIUS_SMALL = 6
RADIUS_LARGE = 12

# name -> (pixels at 100 %, weight, letter spacing in per cent)
SCALE: dict[str, tuple[int, QFont.Weight, float]] = {
    "micro": (11, QFont.Weight.Medium, 100.5),
    "caption": (12, QFont.Weight.Normal, 100),
    "caption-strong": (12, QFont.Weight.DemiBold, 100),
    "body": (14, QFont.Weight.Normal, 99.5),
    "body-medium": (14, QFont.Weight.Medium, 99.5),
    "body-strong": (14, QFont.Weight.DemiBold, 99.5),
    "lead": (16, QFont.Weight.Normal, 99),
    "heading": (16, QFont.Weight.DemiBold, 99),
    "title": (22, QFont.Weight.DemiBold, 98),
    "display": (30, QFont.Weight.DemiBold, 97),
    "figure": (24, QFont.Weight.DemiBold, 98),
}


class Signals(QObject):
    """``changed`` after a new theme is in force."""

    changed = Signal()


_current = Theme("light", PALETTES["light"])


def current() -> Theme:
    return _current


@cache
def signals() -> Signals:
    return Signals()


def space(steps: float) -> int:
    """A distance on the grid, in pixels: ``space(2)`` is 8."""
    return round(steps * GRID)


def pixels(size: float) -> int:
    """A length that grows with the text size, for what holds text."""
    return round(size * _current.text_size / 100)


def font(name: str = "body", *, figures: bool = False) -> QFont:
    """A font of the type scale; ``figures`` gives digits of one width, for columns and counters."""
    size, weight, tracking = SCALE[name]
    made = QFont(FAMILY)
    made.setPixelSize(pixels(size))
    made.setWeight(weight)
    made.setLetterSpacing(QFont.SpacingType.PercentageSpacing, tracking)
    made.setHintingPreference(QFont.HintingPreference.PreferNoHinting)
    if figures:
        made.setFeature(QFont.Tag("tnum"), 1)
    return made


def metrics(name: str = "body") -> QFontMetrics:
    return QFontMetrics(font(name))


def qcolor(value: str, alpha: float | None = None) -> QColor:
    """A token as a colour, ``alpha`` from 0 to 1 when it is to be see-through."""
    color = QColor(value)
    if alpha is not None:
        color.setAlphaF(alpha)
    return color


def resolve(mode: str) -> str:
    """The palette for a mode: ``system`` follows the computer."""
    if mode in PALETTES:
        return mode
    scheme = QGuiApplication.styleHints().colorScheme()
    return "dark" if scheme == Qt.ColorScheme.Dark else "light"


@cache
def load_fonts() -> bool:
    """Make the bundled family known to Qt; ``False`` when the system's own font has to do."""
    faces = [resources.path(f"fonts/Inter-{face}.ttf") for face in ("Regular", "Medium", "SemiBold", "Bold")]
    return all(QFontDatabase.addApplicationFont(str(path)) >= 0 for path in faces)


def apply(mode: str = "system", text_size: int = 100) -> None:
    """Put a theme in force for the whole application, and say so."""
    global _current
    app = QApplication.instance()
    if not isinstance(app, QApplication):
        raise TypeError("a theme needs a running QApplication")
    load_fonts()
    name = resolve(mode)
    _current = Theme(name, PALETTES[name], text_size)
    if app.style().name().lower() != "fusion":
        app.setStyle(QStyleFactory.create("Fusion"))
    _tell_native_dialogs(mode, name)
    app.setFont(font())
    app.setPalette(_palette(_current.color))
    app.setStyleSheet(sheet(_current))
    signals().changed.emit()


def _tell_native_dialogs(mode: str, name: str) -> None:
    hints = QGuiApplication.styleHints()
    if mode == "system":
        hints.unsetColorScheme()
    else:
        hints.setColorScheme(Qt.ColorScheme.Dark if name.endswith("dark") else Qt.ColorScheme.Light)


def _palette(color: Colors) -> QPalette:
    role = QPalette.ColorRole
    palette = QPalette()
    for where, value in (
        (role.Window, color.canvas), (role.WindowText, color.text), (role.Base, color.surface),
        (role.AlternateBase, color.hover), (role.Text, color.text), (role.Button, color.surface),
        (role.ButtonText, color.text), (role.BrightText, color.on_accent), (role.PlaceholderText, color.faint),
        (role.ToolTipBase, color.tooltip), (role.ToolTipText, color.on_tooltip),
        (role.Highlight, color.accent), (role.HighlightedText, color.on_accent), (role.Accent, color.accent),
        (role.Link, color.accent_text), (role.LinkVisited, color.accent_text),
        (role.Light, color.raised), (role.Midlight, color.border), (role.Mid, color.border),
        (role.Dark, color.border_strong), (role.Shadow, color.border_strong),
    ):
        palette.setColor(where, QColor(value))
    for where in (role.WindowText, role.Text, role.ButtonText):
        palette.setColor(QPalette.ColorGroup.Disabled, where, QColor(color.disabled))
    palette.setColor(QPalette.ColorGroup.Disabled, role.Highlight, QColor(color.sunken))
    return palette


def set_kind(widget: QWidget, kind: str) -> None:
    """Give a widget a look of the style sheet (``primary``, ``ghost``, ``title`` …) and show it at once."""
    widget.setProperty("kind", kind)
    widget.style().unpolish(widget)
    widget.style().polish(widget)


def follow_system(tell: Callable[[], None]) -> None:
    """Call ``tell`` when the computer changes between light and dark."""
    QGuiApplication.styleHints().colorSchemeChanged.connect(lambda _: tell())
