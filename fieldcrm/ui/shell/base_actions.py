"""The actions that hold on every screen."""

from __future__ import annotations

from collections.abc import Callable
from typing import Protocol

from fieldcrm.domain.changes import Changes
from fieldcrm.ui import labels, theme
from fieldcrm.ui.actions import Action
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.shell import routes
from fieldcrm.usecases import bulk_edit, undo
from fieldcrm.words import tr


class Frame(Protocol):
    """What these actions ask of the window."""

    def quit(self) -> None: ...

    def step_area(self, step: int) -> None: ...

    def open_palette(self) -> None: ...

    def open_shortcuts(self) -> None: ...

    def copy_report(self) -> None: ...

    def open_log_folder(self) -> None: ...


def base_actions(window: Frame, session: AppSession) -> list[Action]:
    """In the order of the menus."""
    return [
        *_file(window),
        *_edit(session),
        *_places(session),
        *_view(window, session),
        *_tools(window, session),
        *_help(window, session),
    ]


def _file(window: Frame) -> list[Action]:
    return [Action("file.quit", tr("&Quit"), window.quit, ("Ctrl+Q",), "log-out", "file", group=9)]


def _edit(session: AppSession) -> list[Action]:
    steps = session.ask(lambda r: undo.steps(r, session.actor))

    def take_back() -> None:
        if steps.undo is not None and bulk_edit.is_bulk(steps.undo.label):
            _swap(session, bulk_edit.take_back, steps.undo.label, lambda what: tr("Taken back: {what}", what=what))
            return
        session.do(undo.undo, lambda step: said(tr("Taken back: {what}", what=labels.what_was_done(step.label))))

    def put_back() -> None:
        if steps.redo is not None and bulk_edit.is_bulk(steps.redo.label):
            _swap(session, bulk_edit.put_back, steps.redo.label, lambda what: tr("Put back: {what}", what=what))
            return
        session.do(undo.redo, lambda step: said(tr("Put back: {what}", what=labels.what_was_done(step.label))))

    def said(text: str) -> None:
        session.messages.done(text)

    undo_text = labels.undo_text(steps.undo.label) if steps.undo else tr("&Undo")
    redo_text = labels.redo_text(steps.redo.label) if steps.redo else tr("&Redo")
    return [
        Action("edit.undo", undo_text, take_back, ("Ctrl+Z",), "undo-2", "edit",
               enabled=lambda: steps.undo is not None),
        Action("edit.redo", redo_text, put_back, ("Ctrl+Shift+Z", "Ctrl+Y"), "redo-2", "edit",
               enabled=lambda: steps.redo is not None),
    ]


def _swap(session: AppSession, swap: Callable[..., int], label: str, words: Callable[[str], str]) -> None:
    """Take back, or put back, all slices of one bulk change, beside the screens."""

    def done(_: int) -> None:
        session.wrote(Changes({}, True, label, None))
        session.messages.done(words(labels.what_was_done(label)))

    session.tasks.run(lambda: swap(session.db, session.actor, session.clock, label), done, session.messages.error)


def _places(session: AppSession) -> list[Action]:
    navigator = session.navigator
    rail = routes.rail_of(session.is_manager)

    def goer(route: str) -> Callable[[], None]:
        return lambda: navigator.go(route)

    made = [
        Action(f"go.{route}", tr("Go to {place}", place=routes.label(route)), goer(route),
               (f"Ctrl+{at}",), routes.ROUTES[route].icon, "view")
        for at, route in enumerate(rail, 1)
    ]
    return [
        *made,
        Action("go.back", tr("&Back"), navigator.back, ("Alt+Left",), "arrow-left", "view", 1,
               enabled=lambda: navigator.can_go_back, palette=False),
        Action("go.forward", tr("&Forward"), navigator.forward, ("Alt+Right",), "arrow-right", "view", 1,
               enabled=lambda: navigator.can_go_forward, palette=False),
        Action("go.drafts", tr("&Visits not sent yet"), goer("visit"), (), "clipboard-list", "visit", 3),
        Action("go.preferences", tr("Settings…"), goer("settings"), ("Ctrl+,",), "settings", "tools", 3, palette=False),
    ]


def _view(window: Frame, session: AppSession) -> list[Action]:
    preferences = session.preferences

    def size(step: int) -> None:
        sizes = theme.TEXT_SIZES
        at = sizes.index(preferences.text_size) if preferences.text_size in sizes else 0
        preferences.text_size = sizes[max(0, min(at + step, len(sizes) - 1))]

    def other_shade() -> None:
        preferences.theme = "light" if theme.current().dark else "dark"

    return [
        Action("view.next_area", tr("&Next area"), lambda: window.step_area(1), ("F6",), "", "view", 2, palette=False),
        Action("view.previous_area", tr("&Previous area"), lambda: window.step_area(-1), ("Shift+F6",), "", "view", 2,
               palette=False),
        Action("view.shade", tr("Light or &dark"), other_shade, ("Ctrl+Shift+L",), "sun-moon", "view", 3),
        Action("view.larger", tr("&Larger text"), lambda: size(1), ("Ctrl++", "Ctrl+="), "type", "view", 3),
        Action("view.smaller", tr("&Smaller text"), lambda: size(-1), ("Ctrl+-",), "type", "view", 3),
    ]


def _tools(window: Frame, session: AppSession) -> list[Action]:
    made = [
        Action("tools.palette", tr("&Search everything…"), window.open_palette, ("Ctrl+K",), "search", "tools",
               palette=False)
    ]
    if session.sync is not None:
        made.append(Action("sync.now", tr("Sync &now"), session.sync.sync_now, ("Ctrl+R",), "refresh-cw", "tools", 1))
    return made


def _help(window: Frame, session: AppSession) -> list[Action]:
    return [
        Action("help.shortcuts", tr("&Keyboard shortcuts"), window.open_shortcuts, ("F1", "Ctrl+/"), "keyboard",
               "help"),
        Action("help.report", tr("&Copy a report of this program"), window.copy_report, (), "copy", "help"),
        Action("help.log", tr("&Open the log folder"), window.open_log_folder, (), "folder-open", "help"),
        Action("help.about", tr("&About FieldCRM"), lambda: session.navigator.go("settings", page="about"), (),
               "info", "help", 1),
    ]
