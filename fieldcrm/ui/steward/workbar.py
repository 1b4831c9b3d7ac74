"""The progress of long work in the page: what is being done, how far it is, and Stop."""

from __future__ import annotations

from PySide6.QtWidgets import QProgressBar

from fieldcrm.ui.steward.work import Work, phase_words, progress_words
from fieldcrm.ui.widgets import Button, Card, Text, column, row
from fieldcrm.words import tr

STEPS = 1000


class WorkBar(Card):
    """Shown while work of one of ``names`` is being done (of any, without names)."""

    def __init__(self, work: Work, *names: str) -> None:
        super().__init__(padding=4, spacing=2.5)
        self._work, self._names = work, names
        words = column(0.5)
        self._title = Text("", "body-strong", wrap=True)
        self._line = Text("", "caption", "muted", wrap=True)
        words.addWidget(self._title)
        words.addWidget(self._line)
        across = row(3)
        across.addLayout(words, 1)
        self.stop_button = Button(tr("Stop"), "secondary", "x", work.stop)
        across.addWidget(self.stop_button)
        self.add(across)
        self.bar = QProgressBar()
        self.bar.setTextVisible(False)
        self.add(self.bar)
        work.changed.connect(self.refresh)
        self.refresh()

    @property
    def busy(self) -> bool:
        running = self._work.running
        return running is not None and (not self._names or running.name in self._names)

    def refresh(self) -> None:
        running = self._work.running
        self.setVisible(self.busy)
        if running is None or not self.busy:
            return
        self._title.setText(running.said)
        if running.stopping:
            self._line.setText(tr("Stopping at a safe place…"))
        elif running.progress is None:
            self._line.setText(progress_words(running))
        else:
            self._line.setText(f"{phase_words(running.progress.phase)} · {progress_words(running)}")
        self.stop_button.setEnabled(not running.stopping)
        if running.progress is None:
            self.bar.setRange(0, 0)
        else:
            self.bar.setRange(0, STEPS)
            self.bar.setValue(round(running.progress.fraction * STEPS))
        self.bar.setAccessibleName(self._line.text())
