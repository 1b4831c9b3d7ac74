"""The top of the Sync Centre: how things stand in a sentence, what is under way, and the two buttons."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

from PySide6.QtCore import QRectF, Qt
from PySide6.QtGui import QPaintEvent, QResizeEvent
from PySide6.QtWidgets import QMenu, QVBoxLayout, QWidget

from fieldcrm.ui import icons, theme
from fieldcrm.ui.sync_center.phrases import held_words, photos_wait, progress_share, standing
from fieldcrm.ui.widgets import Button, Card, Disc, Text, column, painting, row
from fieldcrm.usecases.sync_state import Phases, SyncState
from fieldcrm.words import tr


class Bar(QWidget):
    """A thin bar of progress; without a known end a piece of it runs along."""

    def __init__(self) -> None:
        super().__init__()
        self._share: float | None = None
        self._step = 0
        self._timer = 0
        self.setFixedHeight(theme.pixels(4))

    def set_share(self, share: float | None) -> None:
        """From 0 to 1, or ``None`` while the end is not known."""
        self._share = share
        self._run(share is None and self.isVisible())
        self.update()

    def showEvent(self, event: object) -> None:
        self._run(self._share is None)

    def hideEvent(self, event: object) -> None:
        self._run(False)

    def _run(self, on: bool) -> None:
        if on and not self._timer:
            self._timer = self.startTimer(40)
        elif not on and self._timer:
            self.killTimer(self._timer)
            self._timer = 0

    def timerEvent(self, event: object) -> None:
        self._step = (self._step + 1) % 60
        self.update()

    def paintEvent(self, event: QPaintEvent) -> None:
        color = theme.current().color
        painter = painting.smooth(self)
        painter.setPen(Qt.PenStyle.NoPen)
        radius = self.height() / 2
        painter.setBrush(theme.qcolor(color.pressed))
        painter.drawRoundedRect(QRectF(self.rect()), radius, radius)
        painter.setBrush(theme.qcolor(color.accent))
        width = float(self.width())
        if self._share is None:
            piece = width * 0.28
            left = (width + piece) * self._step / 60 - piece
            painter.setClipRect(self.rect())
            painter.drawRoundedRect(QRectF(left, 0, piece, self.height()), radius, radius)
        elif self._share > 0:
            painter.drawRoundedRect(QRectF(0, 0, max(width * self._share, 2 * radius), self.height()), radius, radius)
        painter.end()


@dataclass(frozen=True)
class Switches:
    """What the buttons of the top do."""

    sync_now: Callable[[], None]
    cancel: Callable[[], None]
    pause: Callable[[], None]
    pause_for_an_hour: Callable[[], None]
    resume: Callable[[], None]
    sign_in: Callable[[], None]
    photos_now: Callable[[], None]


class StateCard(Card):
    """``show_state`` fills it."""

    def __init__(self, switches: Switches) -> None:
        super().__init__(padding=5, spacing=4)
        self._switches = switches
        self._automatic = True
        self._narrow = self._stopping = False
        line = row(4)
        self._disc = Disc()
        self.title = Text("", "title", wrap=True)
        self.detail = Text("", "body", "muted", wrap=True)
        line.addWidget(self._disc, 0, Qt.AlignmentFlag.AlignVCenter)
        line.addLayout(self._words(), 1)
        self.pause = Button("", "secondary", "pause", self._pause_or_resume)
        self.stop = Button("", "secondary", "x", self._stop)
        self.stop.setToolTip(tr("Stop: cut this sync at the next safe place; what is left goes with the next one."))
        self.photos = Button(tr("Send photos now"), "ghost", "image", switches.photos_now)
        self.sign_in = Button(tr("Sign in…"), "primary", "log-in", switches.sign_in)
        self.now = Button(tr("Sync now"), "primary", "refresh-cw", switches.sync_now)
        for button in (self.pause, self.stop, self.sign_in, self.now):
            line.addWidget(button, 0, Qt.AlignmentFlag.AlignVCenter)
        self.add(line)
        self.note = Text("", "body", wrap=True)  # the receipt of the day, where there is no room for its card
        self.note.hide()
        self.add(self.note)
        photos = row(3)
        self.held = Text("", "body", "muted", wrap=True)
        photos.addWidget(self.held, 1)
        photos.addWidget(self.photos)
        self.held.hide()
        self.photos.hide()
        self.add(photos)
        self._bar = Bar()
        self._bar.hide()
        self.add(self._bar)

    def _words(self) -> QVBoxLayout:
        lines = column(0.5)
        lines.addStretch(1)
        lines.addWidget(self.title)
        lines.addWidget(self.detail)
        lines.addStretch(1)
        return lines

    def set_room(self, *, narrow: bool, low: bool) -> None:
        """Smaller words and icons alone where a narrow window, or large text, has no room for more."""
        self._narrow = narrow
        self.title.setFont(theme.font("heading" if narrow or low else "title"))
        margin = theme.space(3 if low else 5)
        self.body.setContentsMargins(margin, margin, margin, margin)
        self.body.setSpacing(theme.space(2 if low else 4))
        self._name_buttons()
        self._keep_height()

    def resizeEvent(self, event: QResizeEvent) -> None:
        super().resizeEvent(event)
        self._keep_height()

    def _keep_height(self) -> None:
        """The lists below give way, not the lines of this sentence: squeezed, they would lie on one another."""
        self.body.activate()  # or lines that were hidden a moment ago still count
        self.setMinimumHeight(max(0, self.body.totalHeightForWidth(self.width())))

    def _name_buttons(self) -> None:
        pause = tr("Pause") if self._automatic else tr("Resume")
        for button, name in ((self.pause, pause), (self.stop, tr("Stop"))):
            button.setText("" if self._narrow else name)
            button.setAccessibleName(name)
        icons.set_icon(self.pause, "pause" if self._automatic else "play", "muted")

    def show_state(self, state: SyncState, now: datetime) -> None:
        shown = standing(state, now)
        self._disc.set(shown.icon, shown.tone)
        syncing = state.phase is Phases.SYNCING
        self._stopping = self._stopping and syncing
        detail = tr("Stopping at the next safe place…") if self._stopping else shown.detail
        self.title.setText(shown.title)
        self.detail.setText(detail)
        self.setAccessibleName(f"{shown.title}. {detail}")
        stuck = state.phase in (Phases.NEEDS_SIGN_IN, Phases.REVOKED)
        wait = photos_wait(state) and not syncing
        self.held.setText(held_words(state) + "." if wait else "")
        self.held.setVisible(wait)
        self.photos.setVisible(wait and not stuck)
        self.stop.setVisible(syncing)
        self.stop.setEnabled(not self._stopping)
        self.pause.setVisible(not syncing and state.phase is not Phases.REVOKED)
        self.now.setVisible(not syncing and not stuck)
        self.sign_in.setVisible(state.phase is Phases.NEEDS_SIGN_IN)
        self._automatic = state.automatic
        self._name_buttons()
        self.pause.setToolTip(
            tr("Pause: stop sending by itself; Sync now still works.") if state.automatic
            else tr("Resume: send by itself again, as soon as there is a network.")
        )
        self._bar.setVisible(syncing)
        if syncing:
            self._bar.set_share(progress_share(state.progress))
        self._keep_height()

    def _stop(self) -> None:
        """Heard at once: a server that does not answer may keep the request under way for many seconds."""
        self._stopping = True
        self.stop.setEnabled(False)
        self.detail.setText(tr("Stopping at the next safe place…"))
        self._keep_height()
        self._switches.cancel()

    def _pause_or_resume(self) -> None:
        if not self._automatic:
            self._switches.resume()
            return
        self.pause_menu().exec(self.pause.mapToGlobal(self.pause.rect().bottomLeft()))

    def pause_menu(self) -> QMenu:
        """For an hour, or until the person resumes."""
        menu = QMenu(self.pause)
        menu.addAction(icons.icon("timer", "muted"), tr("For an hour"), self._switches.pause_for_an_hour)
        menu.addAction(icons.icon("pause", "muted"), tr("Until I resume"), self._switches.pause)
        return menu
