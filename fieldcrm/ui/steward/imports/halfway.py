"""At the start: an import that a crash or a power cut stopped midway is taken out again, and the person is told."""

from __future__ import annotations

from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.steward.work import work_of
from fieldcrm.usecases import importing
from fieldcrm.usecases.importing import Undone
from fieldcrm.words import tr

TAKE_OUT = "halfway"


def take_out_halfway(session: AppSession) -> None:
    """Begin taking out what a crash left of an import, in a worker thread; does nothing when there is nothing."""
    if session.ask(importing.interrupted) is None:
        return

    def done(undone: Undone | None) -> None:
        if undone is None or undone.stopped:
            return  # closed meanwhile: it goes on at the next start
        said = tr("An import was cut short when the program ended. It was taken out again: nothing of it is left.")
        if undone.kept:
            said = tr("An import was cut short when the program ended. It was taken out again, but for what you used.")
        session.messages.say(said)

    work_of(session).begin(
        TAKE_OUT, tr("Taking out an import that was cut short."),
        lambda told, stopped: importing.take_out_interrupted(
            session.db, actor=session.actor, clock=session.clock, on_progress=told, stopped=stopped),
        done, session.messages.error,
    )  # fmt: skip
