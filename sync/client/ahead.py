"""Asking for the next page while the last one is written."""

from __future__ import annotations

import threading
from collections.abc import Callable

from sync.protocol import SyncResponse

Ask = Callable[[], SyncResponse]


def in_turn(ask: Ask) -> Ask:
    """Not ahead: asked for when it is wanted."""
    return ask


def on_a_thread(ask: Ask) -> Ask:
    """Asked for at once; the result is called for it, and raises what asking raised.

    The thread dies with the program: an answer that nobody takes was of no use.
    """
    answers: list[SyncResponse] = []
    failures: list[BaseException] = []

    def work() -> None:
        try:
            answers.append(ask())
        except BaseException as failure:  # raised again where the answer is wanted
            failures.append(failure)

    thread = threading.Thread(target=work, name="sync-ahead", daemon=True)
    thread.start()

    def answer() -> SyncResponse:
        thread.join()
        if failures:
            raise failures[0]
        return answers[0]

    return answer
