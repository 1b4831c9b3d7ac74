"""The regions on this device: what each pack brings, another one installed from a file, one taken away."""

from __future__ import annotations

import threading
from functools import partial
from pathlib import Path

from PySide6.QtWidgets import QFileDialog, QHBoxLayout, QProgressBar, QVBoxLayout, QWidget

from fieldcrm import words
from fieldcrm.ui import theme
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.widgets import Button, Divider, IconButton, InlineMessage, Text, clear_layout
from fieldcrm.usecases import regions
from fieldcrm.usecases.regions import PackInfo
from fieldcrm.words import tr, trn


class RegionLines(QWidget):
    """A line for each pack, then the way to another one. What headquarters has comes by itself with a sync."""

    def __init__(self, session: AppSession) -> None:
        super().__init__()
        self._session = session
        self._stopped = threading.Event()
        whole = QVBoxLayout(self)
        whole.setContentsMargins(0, 0, 0, 0)
        whole.setSpacing(theme.space(3))
        self._list = QVBoxLayout()
        self._list.setSpacing(theme.space(2.5))
        whole.addLayout(self._list)
        self._coming = Text("", "caption", "muted", wrap=True)
        self._coming.hide()
        whole.addWidget(self._coming)
        self.progress = QProgressBar()
        self.progress.setTextVisible(False)
        self.progress.setAccessibleName(tr("Installing the region"))
        self.progress.hide()
        self.message = InlineMessage()
        whole.addWidget(self.progress)
        whole.addWidget(self.message)
        buttons = QHBoxLayout()
        self.add_button = Button(tr("Install a region…"), "secondary", "map", self.ask)
        self.stop_button = Button(tr("Stop"), "ghost", "x", self._stopped.set)
        self.stop_button.hide()
        buttons.addWidget(self.add_button)
        buttons.addWidget(self.stop_button)
        buttons.addStretch(1)
        whole.addLayout(buttons)
        session.sync_changed.connect(self._tell_coming)
        self._read()

    def _read(self) -> None:
        profile = self._session.folder
        self._session.tasks.run(lambda: regions.installed(profile), self._show)
        self._tell_coming()

    def _show(self, found: tuple[PackInfo, ...]) -> None:
        clear_layout(self._list)
        if not found:
            self._list.addWidget(Text(tr("Only the map that comes with the program."), "body", "muted", wrap=True))
        for at, pack in enumerate(found):
            if at:
                self._list.addWidget(Divider())
            self._list.addWidget(self._line(pack))

    def _line(self, pack: PackInfo) -> QWidget:
        holder = QWidget()
        row = QHBoxLayout(holder)
        row.setContentsMargins(0, 0, 0, 0)
        texts = QVBoxLayout()
        texts.setSpacing(theme.space(0.5))
        texts.addWidget(Text(pack.name, "body-medium"))
        parts = [words.size(pack.bytes)]
        if pack.outlets:
            parts.append(trn("{n} outlet to import", "{n} outlets to import", pack.outlets))
        if pack.streets:
            parts.append(trn("{n} street", "{n} streets", pack.streets))
        if pack.has_roads:
            parts.append(tr("roads"))
        texts.addWidget(Text(" · ".join(parts), "caption", "muted", wrap=True))
        row.addLayout(texts, 1)
        row.addWidget(IconButton("trash-2", tr("Remove {name}", name=pack.name), partial(self._remove, pack)))
        return holder

    def _tell_coming(self) -> None:
        fetching = self._session.regions.fetching if self._session.regions is not None else None
        was = not self._coming.isHidden()
        self._coming.setVisible(fetching is not None)
        if fetching is not None:
            here, whole = words.size(fetching.done), words.size(fetching.size)
            self._coming.setText(tr("{name} is on its way from headquarters: {here} of {whole}", name=fetching.name,
                                    here=here, whole=whole))
        elif was:
            self._read()

    def ask(self) -> None:
        """Choose a pack and install it."""
        chosen, _ = QFileDialog.getOpenFileName(
            self, tr("Install a region"), "", tr("Region packs") + " (*.mbtiles)"
        )
        if chosen:
            self.install(Path(chosen))

    def install(self, source: Path) -> None:
        profile, tasks = self._session.folder, self._session.tasks
        self._stopped.clear()
        self._busy(True)

        def tell(done: int, size: int) -> None:
            tasks.post(lambda: self._progressed(done, size))

        tasks.run(
            lambda: regions.install(source, profile, on_progress=tell, stopped=self._stopped.is_set),
            self._installed,
            self._failed,
        )

    def _busy(self, busy: bool) -> None:
        self.progress.setVisible(busy)
        self.progress.setRange(0, 0)
        self.stop_button.setVisible(busy)
        self.add_button.setEnabled(not busy)
        self.message.hide()

    def _progressed(self, done: int, size: int) -> None:
        self.progress.setRange(0, 1000)
        self.progress.setValue(done * 1000 // max(1, size))

    def _installed(self, pack: PackInfo) -> None:
        self._busy(False)
        text = tr("{name} is installed. The program shows it when it is next opened.", name=pack.name)
        self.message.show_text(text, "success")
        self._read()

    def _failed(self, error: BaseException) -> None:
        self._busy(False)
        self.message.show_text(sentence(error), "danger")

    def _remove(self, pack: PackInfo) -> None:
        self._session.tasks.run(lambda: regions.remove(pack), lambda _: self._read(), self._failed)
