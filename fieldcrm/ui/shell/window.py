"""The main window. Screens are made when first shown, told what changed, and rebuilt when language or theme change."""

from __future__ import annotations

import logging
from typing import cast

from PySide6.QtCore import QByteArray, QSize, Qt, QTimer, QUrl
from PySide6.QtGui import QCloseEvent, QDesktopServices, QGuiApplication, QResizeEvent
from PySide6.QtWidgets import QApplication, QHBoxLayout, QMainWindow, QMenu, QStackedWidget, QVBoxLayout, QWidget

from fieldcrm import words
from fieldcrm.domain.changes import Changes
from fieldcrm.ui import preferences as prefs
from fieldcrm.ui import theme
from fieldcrm.ui.actions import MENUS, ActionTable
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.diagnostics import report
from fieldcrm.ui.messages import Message
from fieldcrm.ui.navigator import Place
from fieldcrm.ui.shell import finders, routes
from fieldcrm.ui.shell.base_actions import base_actions
from fieldcrm.ui.shell.counts import StewardCount
from fieldcrm.ui.shell.palette import Palette
from fieldcrm.ui.shell.rail import Rail
from fieldcrm.ui.shell.shortcuts import ShortcutHelp, menu_name
from fieldcrm.ui.shell.status import StatusLine
from fieldcrm.ui.shell.top_bar import TopBar
from fieldcrm.ui.widgets import Confirm, InlineMessage
from fieldcrm.words import tr

log = logging.getLogger(__name__)

NARROW_BELOW = 960  # pixels of window width at which the rail shows icons alone
UNDOABLE = ("outlet", "contact", "task", "plan_stop")  # a write to these changes the words of the Edit menu
LOOKS = {prefs.THEME, prefs.TEXT_SIZE, prefs.LANGUAGE}


class MainWindow(QMainWindow):
    """The frame of one session."""

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self.session = session
        self._screens: dict[str, routes.Screen] = {}
        self._front = ""
        self.setMinimumSize(720, 480)
        self.setWindowTitle("FieldCRM")
        session.finders[:0] = [finders.outlet_finder(session), finders.people_finder(session)]
        self.table = ActionTable(self, session.preferences.own_keys)
        self.table.changed.connect(self._fill_menus)
        session.action_table = self.table
        self._menus: dict[str, QMenu] = {}
        self._frame()
        session.navigator.moved.connect(self._show)
        session.changed.connect(self._on_changes)
        session.messages.posted.connect(self._say)
        session.preferences.changed.connect(self._on_preference)
        theme.follow_system(self._system_shade_changed)
        self._waiting = StewardCount(session, self)
        self._restore()

    # ---- building ----

    def _frame(self) -> None:
        """Everything that speaks or has colours: made again when the language or the theme changes."""
        whole = QWidget()
        sides = QHBoxLayout(whole)
        sides.setContentsMargins(0, 0, 0, 0)
        sides.setSpacing(0)
        self.rail = Rail(self.session)
        self.rail.chosen.connect(self._chosen)
        sides.addWidget(self.rail)
        column = QVBoxLayout()
        column.setContentsMargins(0, 0, 0, 0)
        column.setSpacing(0)
        self.message = InlineMessage()
        holder = QWidget()
        inset = QVBoxLayout(holder)
        inset.setContentsMargins(theme.space(6), theme.space(3), theme.space(6), 0)
        inset.addWidget(self.message)
        self._message_holder = holder
        self.stack = QStackedWidget()
        self.top = TopBar(self.session, "Ctrl+K")
        column.addWidget(self.top)
        column.addWidget(holder)
        column.addWidget(self.stack, 1)
        sides.addLayout(column, 1)
        self.setCentralWidget(whole)
        self.palette_panel = Palette(self, self.session, self.table)
        self.shortcuts = ShortcutHelp(self, self.table)
        self.top.search.connect(self.palette_panel.ask)
        self.top.help.connect(self.shortcuts.ask)
        self.statusBar().setSizeGripEnabled(False)
        self.status = StatusLine(self.session)
        self.statusBar().addWidget(self.status, 1)
        self._fit()
        self._make_menus()
        self._register_everywhere()

    def _register_everywhere(self) -> None:
        self.table.register(base_actions(self, self.session))

    def _rebuild(self) -> None:
        """Make everything again in the new language and look, and show the same place."""
        here = self.session.navigator.here
        had_focus = self.isActiveWindow()
        self._leave_front()
        for screen in self._screens.values():
            cast(QWidget, screen).deleteLater()
        self._screens.clear()
        self._front = ""
        self.statusBar().removeWidget(self.status)
        for gone in (self.status, self.palette_panel, self.shortcuts):
            gone.deleteLater()
        self.table.forget()
        self._frame()
        if here is not None:
            self._show(here)
        if had_focus:
            self.activateWindow()

    def _make_menus(self) -> None:
        bar = self.menuBar()
        bar.clear()
        self._menus = {menu: bar.addMenu(menu_name(menu)) for menu in MENUS}
        for menu in self._menus.values():
            menu.aboutToShow.connect(self.table.refresh)

    def _fill_menus(self) -> None:
        for name, menu in self._menus.items():
            menu.clear()
            group = None
            listed = sorted((a for a in self.table.actions() if a.menu == name), key=lambda a: a.group)
            for action in listed:
                if group is not None and action.group != group:
                    menu.addSeparator()
                group = action.group
                made = self.table.qt(action.id)
                if made is not None:
                    menu.addAction(made)
            menu.menuAction().setVisible(bool(listed))

    # ---- places ----

    def _chosen(self, route: str) -> None:
        self.session.navigator.go(route)

    def _show(self, place: Place) -> None:
        screen = self._screens.get(place.route)
        if screen is None:
            screen = self._screens[place.route] = routes.make(place.route, self.session)
            self.stack.addWidget(cast(QWidget, screen))
        leaving = self._screens.get(self._front)
        if leaving is not None and leaving is not screen and hasattr(leaving, "leaving"):
            leaving.leaving()
        self._front = place.route
        focus = QApplication.focusWidget()
        taken_along = leaving is not None and focus is not None and cast(QWidget, leaving).isAncestorOf(focus)
        screen.open(**place.params)
        self.stack.setCurrentWidget(cast(QWidget, screen))
        if taken_along:
            self._keep_focus_in(cast(QWidget, screen))
        self.table.register(screen.actions(), place.route)
        self.table.bring_to_front(place.route)
        self.rail.show_route(place.route)
        self.top.refresh()
        self.setWindowTitle(tr("{place} – FieldCRM", place=routes.label(place.route)))

    @staticmethod
    def _keep_focus_in(screen: QWidget) -> None:
        """Qt gives the focus of a screen that goes to the rail, where the next arrow key would go elsewhere."""
        focus = QApplication.focusWidget()
        if focus is None or not screen.isAncestorOf(focus):
            screen.setFocus(Qt.FocusReason.OtherFocusReason)

    @property
    def screens(self) -> dict[str, QWidget]:
        """The screens made so far, by route."""
        return {route: cast(QWidget, screen) for route, screen in self._screens.items()}

    def _on_changes(self, changes: Changes) -> None:
        front = self._screens.get(self._front)  # the others read everything again when they are opened
        if front is not None:
            front.refresh(changes)
        if changes.touches(*UNDOABLE):
            self._register_everywhere()

    def _say(self, message: Message) -> None:
        self.message.show_message(message)

    def _leave_front(self) -> None:
        """What was typed in the screen in front goes to the disk before the screen goes."""
        screen = self._screens.get(self._front)
        if screen is not None and hasattr(screen, "leaving"):
            screen.leaving()

    # ---- looks ----

    def _on_preference(self, name: str) -> None:
        if name not in LOOKS:
            return
        if name == prefs.LANGUAGE:
            words.set_language(self.session.preferences.language)
        else:
            theme.apply(self.session.preferences.theme, self.session.preferences.text_size)
        # Not in the middle of the click that changed it: its widget is about to go.
        QTimer.singleShot(0, self._rebuild)

    def _system_shade_changed(self) -> None:
        if self.session.preferences.theme == "system" and theme.resolve("system") != theme.current().name:
            self._on_preference(prefs.THEME)

    def _fit(self) -> None:
        self.rail.set_narrow(self.width() < theme.pixels(NARROW_BELOW))

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._fit()

    # ---- keyboard ----

    @property
    def areas(self) -> list[QWidget]:
        """What F6 steps through: the rail, then the areas of the screen in front, then the status line."""
        screen = self._screens.get(self._front)
        own: list[QWidget] = list(screen.areas()) if screen is not None and hasattr(screen, "areas") else []
        if not own and screen is not None:
            own = [cast(QWidget, screen)]
        shown = [area for area in own if area.isVisibleTo(self)]
        return [self.rail.view, *shown, self.status.button if self.status.button.isVisible() else self.top.field]

    def step_area(self, step: int) -> None:
        """Put the focus into the next (or previous) area."""
        areas = self.areas
        focus = cast("QWidget | None", self.focusWidget())
        inside = [] if focus is None else [
            at for at, area in enumerate(areas) if focus is area or area.isAncestorOf(focus)
        ]
        at = inside[-1] if inside else (-1 if step > 0 else 0)
        target = areas[(at + step) % len(areas)]
        if target is self.rail.view:
            self.rail.focus_list()
            return
        if target.focusPolicy() == Qt.FocusPolicy.NoFocus:
            first = next((w for w in target.findChildren(QWidget) if _takes_focus(w)), target)
            first.setFocus(Qt.FocusReason.ShortcutFocusReason)
        else:
            target.setFocus(Qt.FocusReason.ShortcutFocusReason)

    def open_palette(self) -> None:
        self.palette_panel.ask()

    def open_shortcuts(self) -> None:
        self.shortcuts.ask()

    # ---- the window itself ----

    def copy_report(self) -> None:
        QGuiApplication.clipboard().setText(report(self.session))
        self.session.messages.done(tr("The report is in the clipboard."))

    def open_log_folder(self) -> None:
        QDesktopServices.openUrl(QUrl.fromLocalFile(str(self.session.folder)))

    def come_to_front(self) -> None:
        """A second start of the program raises this window."""
        self.setWindowState(self.windowState() & ~Qt.WindowState.WindowMinimized)
        self.show()
        self.raise_()
        self.activateWindow()

    def quit(self) -> None:
        self.close()

    def _restore(self) -> None:
        kept: QByteArray = self.session.preferences.state("window")
        if kept.isEmpty() or not self.restoreGeometry(kept):
            screen = QGuiApplication.primaryScreen().availableSize()
            self.resize(QSize(1280, 800).boundedTo(screen * 0.92))

    def closeEvent(self, event: QCloseEvent) -> None:
        if self.session.under_way and not Confirm.ask(
            self, tr("Stop and close?"),
            tr("{what} What it has written so far is taken out again.", what=self.session.under_way),
            tr("Stop and close"),
        ):  # fmt: skip
            event.ignore()
            return
        self._leave_front()
        self.session.preferences.set_state("window", self.saveGeometry())
        self.session.preferences.save()
        super().closeEvent(event)


def _takes_focus(widget: QWidget) -> bool:
    return widget.isVisible() and widget.isEnabled() and bool(widget.focusPolicy() & Qt.FocusPolicy.TabFocus)
