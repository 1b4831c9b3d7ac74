"""What the buttons of the Sync Centre do: each decision is a change like any other, said in a line, with its undo."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

from PySide6.QtGui import QGuiApplication
from PySide6.QtWidgets import QFileDialog, QWidget

from fieldcrm import words
from fieldcrm.domain.changes import Changes
from fieldcrm.domain.ids import Id
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.sync_center.deeds import Deeds
from fieldcrm.ui.sync_center.hero import Switches
from fieldcrm.ui.sync_center.refused import copied
from fieldcrm.ui.widgets import Confirm
from fieldcrm.usecases import bundles, decisions, merges, receipts, refused, reopening, undo
from fieldcrm.usecases.bundles import Exported, Settled
from fieldcrm.usecases.decisions import Choice, Verdict
from fieldcrm.usecases.merges import Merge
from fieldcrm.usecases.refused import Refusal
from fieldcrm.usecases.schedule import PAUSE
from fieldcrm.words import tr, trn

Failed = Callable[[BaseException], None]


class Doing:
    """``told`` is called after something was decided: the lists are to be read again."""

    def __init__(self, session: AppSession, owner: QWidget, told: Callable[[], None]) -> None:
        self._session, self._owner, self._told = session, owner, told
        self._under_way: set[object] = set()

    def deeds(self) -> Deeds:
        return Deeds(
            self.decide, self.mend, self.try_again, self.discard, self.export, self.copy, self.take_back,
            self.reopen, self.open_outlet,
        )

    def switches(self) -> Switches:
        return Switches(
            self.sync_now, self.cancel, self.pause, self.pause_for_an_hour, self.resume, self.sign_in, self.photos_now
        )

    def lists_are_fresh(self) -> None:
        """What the lists show now has not been decided yet: each of it may be, once."""
        self._under_way.clear()

    def _once(self, what: object) -> bool:
        """``False`` for the second click on the same thing, before its card is gone."""
        if what in self._under_way:
            return False
        self._under_way.add(what)
        return True

    def _again(self, what: object, failed: Failed | None) -> Failed:
        """What did not work may be tried anew."""

        def refused(error: BaseException) -> None:
            self._under_way.discard(what)
            (failed or self._session.messages.error)(error)

        return refused

    # When to sync

    def sync_now(self) -> None:
        if self._session.sync is not None:
            self._session.sync.sync_now()

    def cancel(self) -> None:
        if self._session.sync is not None:
            self._session.sync.cancel()

    def photos_now(self) -> None:
        if self._session.sync is not None:
            self._session.sync.send_photos_now()

    def pause(self) -> None:
        self._set_automatic(False)

    def resume(self) -> None:
        self._set_automatic(True)

    def pause_for_an_hour(self) -> None:
        until = self._session.clock() + PAUSE
        self._session.preferences.paused_until = until
        if self._session.sync is not None:
            self._session.sync.pause_until(until)

    def _set_automatic(self, on: bool) -> None:
        self._session.preferences.paused_until = None
        self._session.preferences.auto_sync = on
        if self._session.sync is not None:
            self._session.sync.set_automatic(on)

    def toggle(self) -> None:
        sync = self._session.sync
        if sync is not None:
            self._set_automatic(not sync.state.automatic)

    def sign_in(self) -> None:
        self._session.navigator.go("settings", page="account")

    # Decisions

    def decide(self, verdicts: list[Verdict], failed: Failed) -> None:
        choices = {verdict.choice for verdict in verdicts}
        said = trn("Decided; it will be sent.", "{n} decided; they will be sent.", len(verdicts))
        if choices == {Choice.THEIRS}:
            said = trn("Left as it is.", "{n} left as they are.", len(verdicts))
        elif choices == {Choice.MINE}:
            said = trn("Your value is back; it will be sent.", "{n} of yours are back; they will be sent.",
                       len(verdicts))
        key = frozenset(verdict.clash.id for verdict in verdicts)
        if self._once(key):
            self._write(lambda tx: decisions.decide(tx, verdicts) > 0, said, self._again(key, failed))

    def undo_merge(self, merge: Merge) -> None:
        def work(tx: Any) -> bool:
            merges.undo_merge(tx, merge)
            return True

        if self._once(merge.id):
            self._write(work, tr("Yours was taken back; it will be sent."), self._again(merge.id, None))

    def mend(self, refusal: Refusal, text: str, failed: Failed) -> None:
        self._send_anew(refusal, lambda tx: refused.mend(tx, refusal, text), tr("Mended; it will be sent again."),
                        failed)

    def try_again(self, refusal: Refusal) -> None:
        self._send_anew(refusal, lambda tx: refused.try_again(tx, refusal), tr("It will be sent again."))

    def _send_anew(
        self, refusal: Refusal, work: Callable[[Any], bool], said: str, failed: Failed | None = None
    ) -> None:
        def done(new: bool) -> None:
            if new:
                self._done(said)
            else:
                self._told()

        if self._once(refusal.tx):
            self._session.do(work, done, self._again(refusal.tx, failed))

    def discard(self, refusals: list[Refusal]) -> None:
        title = trn("Let this change go?", "Let {n} changes go?", len(refusals))
        text = tr("What headquarters has will stand. What you wrote stays on this device under “Let go”: you can take "
                  "it back or export it.")
        if not Confirm.ask(self._owner.window(), title, text, tr("Let it go")):
            return
        said = trn("The change was let go.", "{n} changes were let go.", len(refusals))
        back = lambda: self.take_back(refusals)  # noqa: E731
        self._session.do(lambda tx: refused.discard(tx, refusals), lambda _: self._done(said, back))

    def reopen(self, refusal: Refusal) -> None:
        """A refused report as a draft again, in front."""
        self._session.do(
            lambda tx: reopening.reopen(tx, refusal), lambda draft: self._session.navigator.go("visit", draft=draft))

    def take_back(self, refusals: list[Refusal]) -> None:
        said = tr("It waits for your decision again.")
        key = tuple(refusal.tx for refusal in refusals)
        if self._once(key):
            self._session.do(lambda tx: refused.take_back(tx, refusals), lambda _: self._done(said),
                             self._again(key, None))

    def export(self, refusals: list[Refusal]) -> None:
        path = self._ask_path(self._session.clock().strftime("%Y-%m-%d"))
        if path is None:
            return
        device = self._session.actor.device or 0
        separator = ";" if words.language() == "fr" else ","

        def saved(_: int) -> None:
            self._session.messages.done(tr("Saved as {name}: give it to your administrator.", name=path.name))

        self._session.tasks.run(
            lambda: refused.save(path, refusals, device=device, separator=separator), saved,
            self._session.messages.error,
        )

    def _ask_path(self, day: str) -> Path | None:
        suggested = str(Path.home() / tr("refused changes {day}.json", day=day))
        kinds = ";;".join((tr("For the administrator (*.json)"), tr("For a spreadsheet (*.csv)")))
        chosen, kind = QFileDialog.getSaveFileName(self._owner, tr("Export refused changes"), suggested, kinds)
        if not chosen:
            return None
        path = Path(chosen)
        if path.suffix.lower() not in (".json", ".csv"):
            path = path.with_name(path.name + (".csv" if "csv" in kind else ".json"))
        return path

    # By stick, where there is no network for days

    def carry(self) -> None:
        """What waits goes into one encrypted file, which only headquarters can open."""
        chosen = QFileDialog.getExistingDirectory(self._owner, tr("Where to put the file for headquarters"))
        if chosen:
            session, now = self._session, self._session.clock()
            session.tasks.run(
                lambda: bundles.export(session.db, session.photos, Path(chosen), now=now), self._carried,
                session.messages.error,
            )

    def _carried(self, file: Exported) -> None:
        text = tr("Saved as {name}. Everything stays here too, until the answer or a sync comes.", name=file.path.name)
        self._session.messages.done(text)

    def take_answer(self) -> None:
        """The answer of headquarters to such a file."""
        kinds = f"{tr('Answers of headquarters')} (*{bundles.ANSWER_SUFFIX});;{tr('All files')} (*)"
        chosen, _ = QFileDialog.getOpenFileName(self._owner, tr("The answer of headquarters"), "", kinds)
        if chosen:
            session, now = self._session, self._session.clock()
            session.tasks.run(
                lambda: bundles.take_answer(session.db, session.photos, Path(chosen), now=now), self._answered,
                session.messages.error,
            )

    def _answered(self, answer: Settled) -> None:
        self._session.announce(Changes(everything=True))
        if answer.network:
            self._done(tr("Headquarters can go on over the network only: sync when there is one."))
        elif answer.again:
            self._done(tr("The answer was taken. Some of it is still to go: carry another file."))
        else:
            self._done(tr("The answer was taken."))

    def copy(self, refusal: Refusal) -> None:
        QGuiApplication.clipboard().setText(copied(refusal))
        self._session.messages.done(tr("Copied."))

    def resend(self, report: Id) -> None:
        """Offer the photos of a report again, and send what waits, photos too."""
        self._session.do(lambda tx: receipts.resend(tx, [report]), lambda _: self.photos_now())

    def open_outlet(self, outlet: Id | None) -> None:
        if outlet is not None:
            self._session.navigator.go("outlet", id=outlet)

    def _write(self, work: Callable[[Any], bool], said: str, failed: Failed) -> None:
        """Do it; the line that says so takes back exactly this change. Nothing is said of what was done before."""

        def noted(tx: Any) -> Id | None:
            return Id(bytes=tx.id.bytes) if work(tx) else None

        def done(change: Id | None) -> None:
            if change is None:
                self._told()
                return
            again = tr("It was taken back.")
            self._done(said, lambda: self._session.do(
                lambda tx: undo.undo_change(tx, change), lambda _: self._done(again)))

        self._session.do(noted, done, failed)

    def _done(self, said: str, back: Callable[[], None] | None = None) -> None:
        if self._session.sync is not None:
            self._session.sync.recount()
        self._session.messages.done(said, back)
        self._told()
