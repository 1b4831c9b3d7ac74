"""A report while it is recorded: its live answers, saved as a draft half a second after the last change."""

from __future__ import annotations

from collections.abc import Collection, Iterable
from datetime import datetime
from functools import partial

from PySide6.QtCore import QObject, QTimer, Signal

from fieldcrm.domain.errors import CodedError
from fieldcrm.forms.grid import Grid, grids
from fieldcrm.forms.problems import Problem, Severity
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.tasks import alive
from fieldcrm.usecases import capture, visits
from fieldcrm.words import language

SAVE_AFTER = 500  # ms
UNDO_STEPS = 200

_Step = list[tuple[str, str]]  # (path, text before)


class Recording(QObject):
    """``answered(paths)`` after each change; ``saved(moment)`` when the draft is on the disk; ``unsaved`` before that;
    ``photos_changed(node)``; ``failed(error)`` when something could not be kept.
    """

    answered = Signal(object)
    saved = Signal(object)
    unsaved = Signal()
    photos_changed = Signal(str)
    failed = Signal(object)

    def __init__(self, session: AppSession, opened: visits.OpenDraft, parent: QObject | None = None) -> None:
        super().__init__(parent)
        self.session = session
        self.opened = opened
        self.form = opened.form
        self.draft_id = opened.draft.id
        self.step = opened.draft.step
        self.instance = visits.begin_instance(
            opened.form, opened.lines, opened.draft.answers,
            now=session.clock(), zone=opened.draft.zone, language=language(),
        )
        self.lines = {line.product_id.hex: line for line in opened.lines}
        self.grids = grids(self.form)
        self.known_photos = {photo.sha256: photo for photo in opened.photos}
        self.pending = 0  # photos on their way into the report
        self._undo: list[_Step] = []
        self._closed = False
        self._waiting = False
        self._timer = QTimer(self)
        self._timer.setSingleShot(True)
        self._timer.setInterval(SAVE_AFTER)
        self._timer.timeout.connect(self.flush)
        self._name_photos()

    # answers

    def get(self, path: str) -> str:
        return self.instance.get(path)

    def set(self, path: str, text: str) -> None:
        self.set_all([(path, text)])

    def set_all(self, answers: Iterable[tuple[str, str]]) -> None:
        """Answer several questions as one step of Undo."""
        before: _Step = []
        touched: set[str] = set()
        for path, text in answers:
            if self.instance.get(path) != text:
                before.append((path, self.instance.get(path)))
                touched |= self.instance.set(path, text)
        if before:
            self._undo = [*self._undo, before][-UNDO_STEPS:]
            self._changed(touched)

    @property
    def can_undo(self) -> bool:
        return bool(self._undo)

    def undo(self) -> str | None:
        """Take the last change back; returns the path of the first answer it touched."""
        if not self._undo:
            return None
        touched: set[str] = set()
        step = self._undo.pop()
        for path, text in reversed(step):
            if self.instance.has(path):
                touched |= self.instance.set(path, text)
        self._changed(touched)
        return step[0][0]

    def say_label(self, path: str) -> str:
        """The label of a question, group or repeat, in the language of the report; row keys are not needed."""
        item = self.instance.item(path)
        parts = item.label.in_language(self.instance.language)
        words = "".join(part for part in parts if isinstance(part, str)).strip()
        return words or str(item.name).replace("_", " ").capitalize()

    def add_row(self, path: str) -> str:
        taken = [row.rpartition("[")[2].rstrip("]") for row in self.instance.rows(path)]
        number = next(n for n in range(1, len(taken) + 2) if str(n) not in taken)
        row = self.instance.add_row(path, str(number))
        self._changed({row})
        return row

    def remove_row(self, row: str) -> None:
        self.instance.remove_row(row)
        self._undo = [step for step in self._undo if not any(path.startswith(row + "/") for path, _ in step)]
        self._changed({row})

    def _changed(self, touched: Collection[str]) -> None:
        self.answered.emit(frozenset(touched))
        self._waiting = True
        self._timer.start()
        self.unsaved.emit()

    # problems

    def problems(self) -> list[Problem]:
        """What is wrong, without lines that nobody looked at."""
        untouched = [
            row + "/" for grid in self.grids for row in self.instance.rows(grid.path)
            if not self.instance.answered(row)
        ]
        return [p for p in self.instance.problems() if not p.path.startswith(tuple(untouched))]

    def errors(self) -> list[Problem]:
        return [problem for problem in self.problems() if problem.severity is Severity.ERROR]

    def counts(self, grid: Grid) -> tuple[int, int]:
        """(lines checked, lines)."""
        rows = self.instance.rows(grid.path)
        return sum(1 for row in rows if self.instance.get(f"{row}/{grid.state}")), len(rows)

    # the draft

    def go_to(self, step: int) -> None:
        if step != self.step:
            self.step = step
            self._waiting = True
            self.flush()

    def flush(self) -> None:
        """Save now what is not saved yet. The write is on its way to the disk when this returns."""
        self._timer.stop()
        if not self._waiting or self._closed:
            return
        self._waiting = False
        answers, step = self.instance.document(), self.step
        self.session.do(
            lambda tx: visits.save_draft(tx, self.draft_id, answers, step), self._landed, self._not_saved)

    def close(self) -> None:
        """Nothing is saved from now on: the draft has been sent or thrown away."""
        self._closed = True
        self._timer.stop()

    def _landed(self, moment: datetime) -> None:
        if not self._waiting:
            self.saved.emit(moment)

    def _not_saved(self, error: BaseException) -> None:
        if isinstance(error, CodedError) and error.code == "draft_unknown":
            self._closed = True  # sent from elsewhere: nothing to keep any more
            return
        self._waiting = True
        self._timer.start(4 * SAVE_AFTER)
        self.failed.emit(error)

    # photos

    def photos(self, path: str) -> list[str]:
        return self.instance.get(path).split()

    def add_photo(self, path: str, data: bytes) -> None:
        """Check, shrink and keep a photo in the pool, where it also becomes part of the draft: what has begun is
        finished even when the window is closed. Then put it into the answer.
        """
        session, zone, draft_id = self.session, self.opened.draft.zone, self.draft_id
        pixels, actor, now = session.preferences.photo_pixels, session.actor, session.clock()

        def keep() -> visits.DraftPhoto:
            kept = capture.keep_photo(session.photos, data, zone=zone, long_side=pixels)
            written = session.db.write(lambda tx: capture.add_photo(tx, draft_id, path, kept), actor=actor, now=now)
            return written.result().value

        self.pending += 1
        session.tasks.run(keep, partial(self._added, path), self._refused)

    def _name_photos(self) -> None:
        """Photos that came into the draft just before the program was closed are named by their answers now."""
        for photo in self.opened.photos:
            if self.instance.has(photo.node) and photo.sha256 not in self.photos(photo.node):
                self.instance.set(photo.node, " ".join([*self.photos(photo.node), photo.sha256]))

    def _added(self, path: str, photo: visits.DraftPhoto) -> None:
        if self._closed or not alive(self._refused):
            return
        self.pending -= 1
        names, sha256 = self.photos(path), photo.sha256
        self.known_photos[sha256] = photo
        if sha256 not in names:
            # Not a step of Undo: taking a photo away is a button of its own.
            self._changed(self.instance.set(path, " ".join([*names, sha256])))
            self.flush()
        self.photos_changed.emit(path)

    def _refused(self, error: BaseException) -> None:
        if not isinstance(error, CodedError):
            raise error
        self.pending -= 1
        self.failed.emit(error)
        self.photos_changed.emit("")

    def remove_photo(self, path: str, sha256: str) -> None:
        names = [name for name in self.photos(path) if name != sha256]
        self._changed(self.instance.set(path, " ".join(names)))
        self.flush()
        store = self.session.photos

        def gone(unused: bool) -> None:
            if unused:
                store.delete(sha256)

        self.session.do(lambda tx: capture.remove_photo(tx, self.draft_id, path, sha256), gone)
        self.photos_changed.emit(path)
