"""Saved segments at the left of the search: choose one, keep the search as one, rename, share, delete."""

from __future__ import annotations

from collections.abc import Sequence

from PySide6.QtCore import QPoint, QRect, Signal
from PySide6.QtGui import QAction, QPaintEvent
from PySide6.QtWidgets import QLineEdit, QMenu, QWidget

from fieldcrm.domain.errors import CodedError
from fieldcrm.domain.ids import Id
from fieldcrm.ui import icons, theme
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.widgets import Button, Dialog, Field, Switch, Text, painting, plain, row
from fieldcrm.usecases.segments import NAME_LIMIT, Segment
from fieldcrm.words import number, tr

SHOWN = 28  # letters of a name on the button


class NameDialog(Dialog):
    """The name of a segment, and whether everybody may use it. Tests replace ``ask``."""

    def __init__(self, parent: QWidget | None, title: str, name: str, shared: bool | None) -> None:
        super().__init__(parent, title)
        self.name = QLineEdit(name)
        self.name.setMaxLength(NAME_LIMIT)
        self.name.selectAll()
        self.field = Field(tr("Name"), self.name)
        self.body.addWidget(self.field)
        self.shared = Switch(tr("Share with the whole organisation"), bool(shared))
        if shared is not None:
            line = row(3)
            line.addWidget(self.shared)
            line.addWidget(Text(tr("Share with the whole organisation"), "body"), 1)
            self.body.addLayout(line)
        self.add_button(tr("Cancel"), "secondary", 0)
        save = self.add_button(tr("Save"), "primary", 1)
        save.setDefault(True)
        self.name.setFocus()

    @classmethod
    def ask(cls, parent: QWidget | None, title: str, name: str = "", shared: bool | None = None,
            error: CodedError | None = None) -> tuple[str, bool] | None:  # fmt: skip
        """What was typed, or ``None`` when it was given up; ``error`` is why the last answer was refused."""
        dialog = cls(parent, title, name, shared)
        if error is not None:
            dialog.field.set_error(sentence(error))
        return (dialog.name.text(), dialog.shared.isChecked()) if dialog.exec() else None


class SegmentButton(Button):
    """``chosen(Segment | None)`` of the menu; what is done to a segment is asked of the screen by the other signals."""

    chosen = Signal(object)
    keep_wanted = Signal()
    replace_wanted = Signal(object)
    rename_wanted = Signal(object)
    share_wanted = Signal(object, bool)
    delete_wanted = Signal(object)
    opening = Signal()

    def __init__(self, person_id: Id) -> None:
        super().__init__(tr("All outlets"), "secondary", "bookmark", self.open_menu)
        self._person_id = person_id
        self._segments: tuple[Segment, ...] = ()
        self._counts: dict[Id, int] = {}
        self._open: QMenu | None = None
        self.current: Segment | None = None
        self.altered = False
        self.setStyleSheet(f"text-align: left; padding-right: {theme.space(8)}px;")  # room for the sign of a menu
        self._say()

    def set_segments(self, segments: Sequence[Segment], counts: dict[Id, int]) -> None:
        """The segments there are, with how many outlets each holds; a menu that is open follows."""
        self._segments, self._counts = tuple(segments), counts
        if self.current is not None:
            known = {one.id: one for one in segments}
            self.current = known.get(self.current.id)
        self._say()
        for action in self._open.actions() if self._open is not None else ():
            count = counts.get(action.data())
            if count is not None:
                action.setText(f"{action.text().split(chr(9))[0]}\t{number(count)}")

    def set_current(self, segment: Segment | None, *, altered: bool = False) -> None:
        """``altered``: the search is not as the segment has it any more."""
        self.current, self.altered = segment, altered and segment is not None
        self._say()

    def _say(self) -> None:
        name = self.current.name if self.current is not None else tr("All outlets")
        shown = name if len(name) <= SHOWN else name[: SHOWN - 1] + "…"
        self.setText(tr("{name} (changed)", name=shown) if self.altered else shown)
        self.setAccessibleName(tr("Segment: {name}", name=name))
        self.setToolTip(plain(name))

    def menu_now(self) -> QMenu:
        """The menu, made anew each time."""
        menu = QMenu(self)
        self._add(menu, None, tr("All outlets"))
        mine = [one for one in self._segments if one.person_id == self._person_id]
        others = [one for one in self._segments if one.person_id != self._person_id]
        for title, segments in ((tr("My segments"), mine), (tr("Shared with everybody"), others)):
            if segments:
                menu.addSeparator()
                menu.addAction(title).setEnabled(False)
            for one in segments:
                self._add(menu, one, one.name)
        menu.addSeparator()
        menu.addAction(tr("Save this search as a segment…"), self.keep_wanted.emit)
        if self.current is not None and self.current.person_id == self._person_id:
            self._add_own(menu, self.current)
        return menu

    def _add(self, menu: QMenu, segment: Segment | None, name: str) -> None:
        count = self._counts.get(segment.id) if segment is not None else None
        text = name.replace("&", "&&")
        action = QAction(text if count is None else f"{text}\t{number(count)}", menu)
        action.setCheckable(True)
        action.setChecked((segment.id if segment else None) == (self.current.id if self.current else None))
        action.setData(segment.id if segment is not None else None)
        action.triggered.connect(lambda _=False: self.chosen.emit(segment))
        menu.addAction(action)

    def _add_own(self, menu: QMenu, current: Segment) -> None:
        name = current.name.replace("&", "&&")
        if self.altered:
            menu.addAction(tr("Save the changes to “{name}”", name=name), lambda: self.replace_wanted.emit(current))
        menu.addAction(tr("Rename “{name}”…", name=name), lambda: self.rename_wanted.emit(current))
        share = QAction(tr("Share with the whole organisation"), menu)
        share.setCheckable(True)
        share.setChecked(current.shared)
        share.triggered.connect(lambda on: self.share_wanted.emit(current, on))
        menu.addAction(share)
        menu.addAction(tr("Delete “{name}”", name=name), lambda: self.delete_wanted.emit(current))

    def open_menu(self) -> None:
        self.opening.emit()
        self._open = self.menu_now()
        self._open.aboutToHide.connect(self._closed)
        self._open.popup(self.mapToGlobal(QPoint(0, self.height() + theme.space(1))))

    def paintEvent(self, event: QPaintEvent) -> None:
        super().paintEvent(event)
        side = theme.pixels(14)
        spot = QRect(self.width() - side - theme.space(3), (self.height() - side) // 2, side, side)
        painter = painting.smooth(self)
        icons.paint(painter, "chevron-down", spot, theme.current().color.muted)
        painter.end()

    def _closed(self) -> None:
        self._open = None
