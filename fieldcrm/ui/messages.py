"""What the program says: inline messages with an undo, and the sentence for each error code."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from string import Formatter

from PySide6.QtCore import QObject, Signal

from fieldcrm.domain.errors import CodedError
from fieldcrm.ui.sentences import SENTENCES
from fieldcrm.words import number, tr

__all__ = ["SENTENCES", "Message", "Messages", "sentence"]

UNDO_SECONDS = 6


@dataclass(frozen=True)
class Message:
    """A line shown in the frame, never over the content. ``seconds`` 0 stays until it is closed."""

    text: str
    tone: str = "neutral"
    action: str = ""
    run: Callable[[], None] | None = None
    seconds: int = UNDO_SECONDS


def sentence(error: BaseException) -> str:
    """What to tell the person about ``error``, in their language. A code without a sentence names itself."""
    if not isinstance(error, CodedError):
        return tr("Something went wrong. Your data are untouched.")
    text = SENTENCES.get(error.code)
    if text is None:
        return tr("That did not work ({code}).", code=error.code)
    names = {name for _, name, _, _ in Formatter().parse(text) if name}
    params = {name: _shown(error.params.get(name, "")) for name in names}
    return tr(text, **params)


def _shown(value: object) -> str:
    return number(value) if isinstance(value, int | float) and not isinstance(value, bool) else str(value)


class Messages(QObject):
    """Screens post here; the shell shows the newest."""

    posted = Signal(object)  # Message

    def done(self, text: str, undo: Callable[[], None] | None = None) -> None:
        """Something was done, and can be undone for a few seconds."""
        self.posted.emit(Message(text, "success", tr("Undo") if undo else "", undo))

    def say(self, text: str, tone: str = "neutral", action: str = "", run: Callable[[], None] | None = None) -> None:
        self.posted.emit(Message(text, tone, action, run))

    def error(self, error: BaseException, retry: Callable[[], None] | None = None) -> None:
        """Stays until it is closed: an error is never to be missed."""
        action = tr("Try again") if retry else ""
        self.posted.emit(Message(sentence(error), "danger", action, retry, seconds=0))
