"""The import that is being prepared: the file, what was recognised, the columns, the check. It outlives the page."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any

from PySide6.QtCore import QObject, Signal

from fieldcrm.domain.errors import DomainError
from fieldcrm.domain.ids import Id
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.messages import sentence
from fieldcrm.ui.steward.work import work_of
from fieldcrm.usecases import customfields, feeds, import_settings, importing
from fieldcrm.usecases.customfields import CustomField
from fieldcrm.usecases.feeds import ColumnMap, Feed, Line, Opened, Options
from fieldcrm.usecases.importing import Defaults, Imported, Openings, Preview, Undone
from fieldcrm.usecases.longwork import OnProgress, Phase, Progress, Stopped
from fieldcrm.words import language, tr, trn

CHECK, RUN, UNDO, SAVE = "import.check", "import.run", "import.undo", "import.refused"
TELL_EVERY = 2000  # rows
FILE, RECOGNISED, COLUMNS, CHECKED, DONE = "file", "recognised", "columns", "check", "done"


@dataclass(frozen=True)
class Aim:
    """What a person settles about the outlets as a whole."""

    sector_id: Id | None = None
    state: str = "prospect"
    openings: str = Openings.AUTO
    complete: bool = False
    country: str = ""  # where the file says none; empty: that of most outlets of the sector


class ImportDesk(QObject):
    """``changed`` when any of it is otherwise; ``moved(step)`` when a step is ready to be shown."""

    changed = Signal()
    moved = Signal(str)

    def __init__(self, session: AppSession) -> None:
        super().__init__(session)
        self._session = session
        self.work = work_of(session)
        self.work.changed.connect(self.changed)
        self.own: tuple[CustomField, ...] = ()
        self._turn = 0
        self._blank()

    def _blank(self) -> None:
        self.reading: Path | None = None
        self.opened: Opened | None = None
        self.mapping: ColumnMap | None = None
        self.remembered = self.touched = False
        self.chosen: set[int] = set()  # columns whose target a person chose
        self.aim = Aim()
        self.preview: Preview | None = None
        self.result: Imported | None = None
        self.error: BaseException | None = None

    # what the steps ask

    @property
    def under_way(self) -> bool:
        """Whether there is an import that is neither done nor given up."""
        return self.opened is not None and (self.result is None or self.result.stopped)

    def steps(self) -> list[str]:
        skipped = self.opened is not None and not self.opened.needs_mapping
        return [step for step in (FILE, RECOGNISED, COLUMNS, CHECKED, DONE) if not (skipped and step == COLUMNS)]

    def reachable(self, step: str) -> str:
        """``step``, or the furthest before it that makes sense now."""
        if self.result is not None and not self.result.stopped:
            return DONE
        if self.busy(RUN):
            return DONE
        if self.opened is None or self.mapping is None:
            return FILE
        if step == DONE or (step == CHECKED and not self.ready):
            return CHECKED if self.ready else COLUMNS
        return step if step in self.steps() else RECOGNISED

    def busy(self, *names: str) -> bool:
        running = self.work.running
        return running is not None and (not names or running.name in names)

    @property
    def ready(self) -> bool:
        """Whether the columns and the aim allow a check."""
        return self.mapping is not None and not self.problems() and self.aim.sector_id is not None

    def problems(self) -> tuple[Any, ...]:
        if self.opened is None or self.mapping is None or not self.opened.needs_mapping:
            return ()
        return self.mapping.problems()

    # the file

    def open_file(self, path: Path, options: Options | None = None) -> None:
        """Read the beginning of a file in the pool, and say what it is."""
        if self.busy():
            return
        self._turn += 1
        turn, session = self._turn, self._session
        self.reading, self.error = path, None

        def read() -> tuple[Opened, tuple[CustomField, ...], ColumnMap | None]:
            own = session.ask(customfields.fields)
            titles = {field.key: field.name(language()) for field in own}
            opened = feeds.open_file(path, options or Options(), custom=titles)
            kept = session.ask(lambda r: import_settings.remembered(r, opened.header)) if opened.needs_mapping else None
            return opened, own, kept

        def arrived(found: tuple[Opened, tuple[CustomField, ...], ColumnMap | None]) -> None:
            if turn == self._turn:
                self._opened(*found)

        def failed(error: BaseException) -> None:
            if turn == self._turn:
                self.reading, self.error = None, error
                self.changed.emit()

        session.tasks.run(read, arrived, failed)
        self.changed.emit()

    def _opened(self, opened: Opened, own: tuple[CustomField, ...], kept: ColumnMap | None) -> None:
        again = self.opened is not None and self.opened.path == opened.path and self.mapping is not None
        named = self.mapping if again else None
        aim = self.aim if again else Aim()
        self._blank()
        self.opened, self.own, self.aim = opened, own, aim
        self.remembered = kept is not None
        self.mapping = kept or opened.suggestion
        if kept is not None and not kept.source:
            self.mapping = replace(kept, source=opened.suggestion.source, licence=opened.suggestion.licence)
        if named is not None:  # other options of the same file: what a person named stays
            self.mapping = replace(self.mapping, source=named.source, licence=named.licence)
        self.changed.emit()
        self.moved.emit(RECOGNISED)

    def set_options(self, **changes: Any) -> None:
        """Read the file in another way: ``sheet``, ``encoding``, ``delimiter``, ``header_row``."""
        if self.opened is not None:
            self.open_file(self.opened.path, replace(self.opened.options, **changes))

    def forget_mapping(self) -> None:
        """Guess the columns anew instead of what was remembered."""
        if self.opened is not None and self.mapping is not None:
            guessed = self.opened.suggestion
            self.mapping = replace(guessed, source=self.mapping.source, licence=self.mapping.licence)
            self.remembered, self.chosen = False, set()
            self._otherwise()

    # the columns and the aim

    def change_mapping(self, **changes: Any) -> None:
        """``source``, ``licence``, ``coordinates``, ``decimal``, ``words``."""
        if self.mapping is not None:
            changed = replace(self.mapping, **changes)
            if changed != self.mapping:
                self.mapping, self.touched = changed, True
                self._otherwise()

    def set_target(self, column: int, target: str) -> None:
        """Make a column something of the outlet; a field that takes one column alone leaves the other."""
        if self.mapping is None:
            return
        targets = list(self.mapping.targets)
        if target and target not in feeds.JOINED:
            targets = ["" if other == target else other for other in targets]
        targets[column] = target
        self.chosen.add(column)
        self.change_mapping(targets=tuple(targets))

    def set_word(self, field: str, word: str, value: str) -> None:
        """Translate a word of the file into one of our choices; empty: as it is guessed."""
        if self.mapping is None:
            return
        words: dict[str, Mapping[str, str]] = {name: dict(table) for name, table in self.mapping.words.items()}
        table = dict(words.get(field, {}))
        table[feeds.folded(word)] = value
        words[field] = table
        self.change_mapping(words=words)

    def set_aim(self, **changes: Any) -> None:
        changed = replace(self.aim, **changes)
        if changed != self.aim:
            self.aim = changed
            self._otherwise()

    def settle_openings(self, openings: str) -> None:
        """What becomes of new outlets: the check holds all the same."""
        self.aim = replace(self.aim, openings=openings)
        self.changed.emit()

    def _otherwise(self) -> None:
        """What was checked no longer holds."""
        if self.busy(CHECK):
            self.work.stop()
        self.preview = None
        self.error = None
        self.changed.emit()

    # the work

    def _feed(self) -> Feed:
        """Raises the first of the mapping's problems."""
        assert self.opened is not None and self.mapping is not None
        zone, country = self._place()
        takers = {field.key: partial(customfields.check_value, field) for field in self.own}
        return feeds.feed(self.opened, self.mapping, zone=zone, country=country, custom=takers)

    def _place(self) -> tuple[str, str]:
        return self._session.ask(lambda r: import_settings.place_of(r, self.aim.sector_id, self.aim.country))

    @property
    def country(self) -> str:
        """In which country outlets are whose line does not say."""
        return self._place()[1]

    def _defaults(self) -> Defaults:
        assert self.aim.sector_id is not None
        zone, country = self._place()
        return Defaults(
            self.aim.sector_id, zone, country, self.aim.state, Openings(self.aim.openings), self.aim.complete)

    def check(self) -> None:
        """A dry run: what the import would do."""
        if not self.ready or self.busy():
            return
        self.preview, self.error = None, None
        feed, defaults, mapping, read = self._feed(), self._defaults(), self.mapping, self._session.db.read
        aim = self.aim

        def checked(preview: Preview) -> None:
            if not preview.stopped and (mapping, aim) == (self.mapping, self.aim):
                self.preview = preview
            self.changed.emit()

        self.work.begin(
            CHECK, tr("Checking {file}.", file=self._name()),
            lambda told, stopped: importing.dry_run(read, feed, defaults, on_progress=told, stopped=stopped),
            checked, self._failed, writes=False,
        )  # fmt: skip

    def run(self) -> None:
        """The import itself; what the columns became is remembered first."""
        if self.preview is None or self.busy():
            return
        session, feed, defaults, mapping = self._session, self._feed(), self._defaults(), self.mapping
        self.result, self.error = None, None
        if mapping is not None and self.opened is not None and self.opened.needs_mapping:
            session.do(lambda tx: import_settings.remember(tx, mapping))
        begun = self.work.begin(
            RUN, tr("Importing {file}.", file=self._name()),
            lambda told, stopped: importing.run_import(
                session.db, feed, defaults, actor=session.actor, clock=session.clock, on_progress=told,
                stopped=stopped),
            self._ran, self._failed,
        )  # fmt: skip
        if begun:
            self.moved.emit(DONE)

    def _ran(self, result: Imported) -> None:
        self.result = result
        if result.stopped:
            self._session.messages.say(tr("Stopped. Nothing was imported, and everything is as it was."))
            self.moved.emit(CHECKED)
        self.changed.emit()

    def _failed(self, error: BaseException) -> None:
        self.error = error
        self.changed.emit()

    def undo(self, batch_id: Id, name: str) -> None:
        """Take a whole import back; what stays is said at the end."""
        session = self._session
        self.work.begin(
            UNDO, tr("Undoing the import of {file}.", file=name),
            lambda told, stopped: importing.undo_import(
                session.db, batch_id, actor=session.actor, clock=session.clock, on_progress=told, stopped=stopped),
            self._undone, session.messages.error,
        )  # fmt: skip

    def _undone(self, undone: Undone) -> None:
        from fieldcrm.ui.steward.imports.undoing import undone_words

        self._session.messages.say(undone_words(undone), "neutral" if undone.stopped else "success")
        self.changed.emit()

    def save_refused(self, path: Path) -> None:
        """Write every line that cannot be taken, and why, to a file that a spreadsheet opens."""
        if self.busy():
            return
        feed, separator = self._feed(), ";" if language() == "fr" else ","
        header = [
            tr("Row"), tr("Column"), tr("Value"), tr("Reason"), tr("What happened"), tr("The row was refused"),
            tr("The value was left out"),
        ]  # fmt: skip

        def said(code: str, params: Mapping[str, Any]) -> str:
            return sentence(DomainError(code, **params))

        def write(told: OnProgress, stopped: Stopped) -> int | None:
            try:
                return feeds.refused_file(path, _watched(feed, told, stopped), header, said, separator=separator)
            except StoppedError:
                return None

        def saved(count: int | None) -> None:
            if count is not None:
                self._session.messages.say(trn(
                    "{n} row saved in {file}.", "{n} rows saved in {file}.", count, file=path.name), "success")

        self.work.begin(
            SAVE, tr("Writing the refused rows to {file}.", file=path.name), write, saved,
            self._session.messages.error, writes=False,
        )  # fmt: skip

    def reset(self) -> None:
        """Give the import up, or begin another."""
        if self.busy(CHECK):
            self.work.stop()
        self._turn += 1
        self._blank()
        self.changed.emit()

    def undo_last(self) -> None:
        if self.result is not None and self.result.batch_id is not None:
            self.undo(self.result.batch_id, self._name())

    def _name(self) -> str:
        return self.opened.file if self.opened is not None else ""


class StoppedError(Exception):
    """A file is being written, and the person said Stop."""


def _watched(feed: Feed, told: OnProgress, stopped: Stopped) -> Iterator[Line]:
    for at, line in enumerate(feed.lines(), 1):
        if at % TELL_EVERY == 0:
            if stopped():
                raise StoppedError
            told(Progress(Phase.COMPARING, feed.position(), at))
        yield line


def desk_of(session: AppSession) -> ImportDesk:
    """The session's import, the same after the screens were made anew."""
    found = session.findChild(ImportDesk)
    return found if isinstance(found, ImportDesk) else ImportDesk(session)
