"""The colour tokens of each theme: words keep 4.5:1, the edges of controls 3:1, on every ground they meet (tested)."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Colors:
    """Colours by what they are for, as ``#rrggbb``."""

    # grounds, from the back to the front
    canvas: str  # behind the cards of a screen
    rail: str  # the left rail and the top bar
    surface: str  # cards, lists, fields
    raised: str  # menus, the palette, dialogs
    sunken: str  # wells: segmented controls, progress tracks, skeletons
    hover: str
    pressed: str
    selected: str
    # lines
    border: str  # decoration: card edges, dividers
    border_strong: str  # edges of controls
    # words
    text: str
    muted: str
    faint: str
    disabled: str
    # the accent
    accent: str
    accent_hover: str
    accent_pressed: str
    on_accent: str
    accent_text: str
    accent_soft: str
    focus: str
    # what happened: a solid for dots and bars, words on grounds, a soft ground
    success: str
    success_text: str
    success_soft: str
    warning: str
    warning_text: str
    warning_soft: str
    danger: str
    danger_text: str
    danger_soft: str
    on_danger: str
    neutral: str
    neutral_text: str
    neutral_soft: str
    # things that float
    shadow: str  # #aarrggbb
    scrim: str  # #aarrggbb
    tooltip: str
    on_tooltip: str
    # figures
    series: tuple[str, ...]

    def tone(self, name: str) -> Tone:
        """The three colours of a tone: ``neutral``, ``accent``, ``success``, ``warning`` or ``danger``."""
        if name == "accent":
            return Tone(self.accent, self.accent_text, self.accent_soft)
        return Tone(getattr(self, name), getattr(self, f"{name}_text"), getattr(self, f"{name}_soft"))


@dataclass(frozen=True, slots=True)
class Tone:
    solid: str
    text: str
    soft: str


TONES = ("neutral", "accent", "success", "warning", "danger")

LIGHT = Colors(
    canvas="#f6f6f4", rail="#efefec", surface="#ffffff", raised="#ffffff", sunken="#eeeeea",
    hover="#f3f3f0", pressed="#e9e9e4", selected="#e9f3ef",
    border="#e4e3de", border_strong="#8b8a83",
    text="#1b1c1a", muted="#55574f", faint="#666860", disabled="#a3a49d",
    accent="#0f6b57", accent_hover="#0c5c4b", accent_pressed="#094c3e", on_accent="#ffffff",
    accent_text="#0c6150", accent_soft="#e2f1ec", focus="#12816a",
    success="#2f8f3e", success_text="#1f6e2d", success_soft="#e6f3e6",
    warning="#b87503", warning_text="#855200", warning_soft="#fdf1d9",
    danger="#d0392b", danger_text="#b1281c", danger_soft="#fdeae7", on_danger="#ffffff",
    neutral="#7d7f77", neutral_text="#55574f", neutral_soft="#eeeeea",
    shadow="#24000000", scrim="#59161815", tooltip="#22241f", on_tooltip="#f4f4f0",
    series=("#0f6b57", "#c2691c", "#4661c4", "#a43d72", "#65791a", "#7a5bb5"),
)

DARK = Colors(
    canvas="#131514", rail="#0f1110", surface="#1a1d1b", raised="#222624", sunken="#252927",
    hover="#222624", pressed="#2b302d", selected="#1d3029",
    border="#2a2f2c", border_strong="#6f7772",
    text="#ecefec", muted="#aab2ad", faint="#959e99", disabled="#5f6662",
    accent="#4fc5a3", accent_hover="#66d1b2", accent_pressed="#3bb191", on_accent="#06211a",
    accent_text="#63d0b0", accent_soft="#17332a", focus="#4fc5a3",
    success="#57b85f", success_text="#7fd486", success_soft="#1a2f1d",
    warning="#e0a030", warning_text="#efb956", warning_soft="#352912",
    danger="#ee6a5b", danger_text="#ff9184", danger_soft="#3b1d1a", on_danger="#2a0703",
    neutral="#8b948f", neutral_text="#b4bcb7", neutral_soft="#262b28",
    shadow="#80000000", scrim="#a6000000", tooltip="#e8ebe8", on_tooltip="#161917",
    series=("#4fc5a3", "#f0a35e", "#8ea2f5", "#e58ab8", "#b5c65a", "#b89cf0"),
)

CONTRAST_LIGHT = Colors(
    canvas="#ffffff", rail="#ffffff", surface="#ffffff", raised="#ffffff", sunken="#f0f0f0",
    hover="#e6f1ee", pressed="#dcefe9", selected="#dcefe9",
    border="#5a5a5a", border_strong="#000000",
    text="#000000", muted="#1f1f1f", faint="#333333", disabled="#6b6b6b",
    accent="#004d3c", accent_hover="#003a2d", accent_pressed="#002a21", on_accent="#ffffff",
    accent_text="#004d3c", accent_soft="#e6f1ee", focus="#0037c8",
    success="#064d10", success_text="#064d10", success_soft="#e9f5ea",
    warning="#573500", warning_text="#573500", warning_soft="#fff3da",
    danger="#8a0a00", danger_text="#8a0a00", danger_soft="#ffecea", on_danger="#ffffff",
    neutral="#333333", neutral_text="#1f1f1f", neutral_soft="#f0f0f0",
    shadow="#40000000", scrim="#99000000", tooltip="#000000", on_tooltip="#ffffff",
    series=("#004d3c", "#8a3c00", "#1f3bb0", "#80104f", "#475700", "#52318f"),
)

CONTRAST_DARK = Colors(
    canvas="#000000", rail="#000000", surface="#000000", raised="#0a0a0a", sunken="#1a1a1a",
    hover="#0d2b23", pressed="#0f352b", selected="#0f352b",
    border="#9a9a9a", border_strong="#ffffff",
    text="#ffffff", muted="#ececec", faint="#d8d8d8", disabled="#8f8f8f",
    accent="#6ff0cb", accent_hover="#97f5da", accent_pressed="#4fd8b2", on_accent="#00140e",
    accent_text="#6ff0cb", accent_soft="#0d2b23", focus="#ffe14d",
    success="#7df08a", success_text="#7df08a", success_soft="#0e2a12",
    warning="#ffcc4d", warning_text="#ffcc4d", warning_soft="#2e2300",
    danger="#ffb3aa", danger_text="#ffb3aa", danger_soft="#360f0a", on_danger="#1f0300",
    neutral="#d8d8d8", neutral_text="#ececec", neutral_soft="#1a1a1a",
    shadow="#00000000", scrim="#cc000000", tooltip="#ffffff", on_tooltip="#000000",
    series=("#6ff0cb", "#ffb877", "#a9b8ff", "#ff9fd0", "#dcf06f", "#d3b8ff"),
)

PALETTES = {"light": LIGHT, "dark": DARK, "contrast-light": CONTRAST_LIGHT, "contrast-dark": CONTRAST_DARK}


@dataclass(frozen=True, slots=True)
class Theme:
    """``name`` is a key of PALETTES; ``text_size`` is in per cent of the type scale."""

    name: str
    color: Colors
    text_size: int = 100

    @property
    def dark(self) -> bool:
        return self.name in ("dark", "contrast-dark")

    @property
    def high_contrast(self) -> bool:
        return self.name.startswith("contrast")
