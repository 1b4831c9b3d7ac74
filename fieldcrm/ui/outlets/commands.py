"""What can be done on the screen of outlets: the commands of its menus, with their keys."""

from __future__ import annotations

from typing import Any

from fieldcrm.ui.actions import Action
from fieldcrm.words import tr


def commands(screen: Any) -> list[Action]:
    """``screen`` is the ``OutletsScreen``, which asks for them and so cannot be named here."""

    def chosen() -> bool:
        return screen.row_now() is not None

    return [
        Action("outlets.find", tr("&Find an outlet"), screen.find_outlet, ("Ctrl+F",), "search", "edit", 2),
        Action("outlets.new", tr("New &outlet…"), screen.begin_new, ("Ctrl+Shift+N",), "plus", "file"),
        Action(
            "outlets.open",
            tr("Open &card"),
            lambda: screen.with_current(screen.open_card),
            ("Ctrl+Return",),
            "arrow-right",
            "visit",
            1,
            chosen,
        ),
        Action(
            "outlets.start",
            tr("&Start a visit"),
            lambda: screen.with_current(screen.start),
            ("Ctrl+N",),
            "play",
            "visit",
            0,
            chosen,
        ),
        Action(
            "outlets.preview",
            tr("&Preview"),
            screen.toggle_preview,
            ("F9",),
            "panel-right",
            "view",
            1,
            checked=lambda: screen.previewing,
        ),
        Action(
            "outlets.export", tr("&Export the list…"), screen.export, ("Ctrl+Shift+E",), "file-spreadsheet", "file", 1
        ),
        Action(
            "outlets.map",
            tr("&Map"),
            screen.sides.toggle,
            ("Ctrl+M",),
            "map",
            "view",
            1,
            checked=lambda: screen.sides.showing_map,
        ),
        Action(
            "outlets.change_many",
            tr("Change the selec&ted outlets…"),
            screen.sides.change_selected,
            ("Ctrl+Shift+B",),
            "square-pen",
            "edit",
            3,
            screen.sides.any_selected,
        ),
        Action(
            "outlets.segments",
            tr("Se&gments"),
            screen.searches.button.open_menu,
            ("Ctrl+Shift+G",),
            "bookmark",
            "view",
            1,
        ),
        Action(
            "outlets.keep", tr("Save this search as a seg&ment…"), screen.searches.keep, (), "bookmark-plus", "edit", 2
        ),
        Action(
            "outlets.filters",
            tr("More fi&lters…"),
            screen.more_filters,
            ("Ctrl+Shift+F",),
            "sliders-horizontal",
            "view",
            1,
        ),
        Action("outlets.clear", tr("C&lear search and filters"), screen.clear, (), "x", "view", 1),
    ]
