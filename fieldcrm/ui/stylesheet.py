"""The little QSS there is: what Fusion and a palette cannot say (round corners, focus rings, kinds of buttons)."""

from __future__ import annotations

from functools import cache
from string import Template

from fieldcrm import resources
from fieldcrm.ui.palettes import Theme


@cache
def _template() -> Template:
    return Template(resources.text("style/app.qss"))



def sheet(theme: Theme) -> str:
    """The style sheet of a theme, lengths scaled with its text size."""
    color = theme.color
    values: dict[str, str] = {name: getattr(color, name) for name in color.__slots__ if name != "series"}
    values["scroll"] = color.border_strong if theme.high_contrast else ("#c9c8c2" if not theme.dark else "#434945")

    def grown(size: int) -> int:
        return round(size * theme.text_size / 100)

    for size in (7, 8, 9, 10, 13, 14):
        values[f"p{size}"] = str(grown(size))
    for size in (22, 24, 28, 30, 32):
        values[f"h{size}"] = str(grown(size))
    values |= {"w16": str(grown(16)), "w20": str(grown(20)), "r9": str(grown(16) // 2 + 1), "f12": str(grown(12))}
    shade = "dark" if theme.dark else "light"
    for name in ("tick", "dot", "arrow"):
        values[name] = resources.path(f"style/{name}-{shade}.svg").as_posix()
    return _template().substitute(values)
