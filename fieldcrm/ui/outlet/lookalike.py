"""After an edit of what tells outlets apart: whether another one looks like this one now."""

from __future__ import annotations

from collections.abc import Iterable

from fieldcrm.domain.ids import Id
from fieldcrm.ui.appsession import AppSession
from fieldcrm.ui.duplicate_words import why
from fieldcrm.usecases import lookalikes, outlets
from fieldcrm.usecases.lookalikes import Lookalike
from fieldcrm.words import tr

TELLING = frozenset({"name", "phone", "siret"})
WORTH = 60  # of 100: an edit is interrupted by a word only when it is likely


def warn_of_lookalikes(session: AppSession, outlet_id: Id, fields: Iterable[str]) -> None:
    """A line with a way to the other one, when ``fields`` were changed to what another outlet has."""
    if not TELLING & set(fields):
        return

    def told(found: tuple[Lookalike, ...]) -> None:
        if found and found[0].score >= WORTH:
            other = found[0].outlet
            text = tr("{name} looks like this outlet: {reasons}.", name=other.name,
                      reasons=why(found[0].reasons, most=4, speaking_for=True))
            session.messages.say(text, "warning", tr("Open that one"),
                                 lambda: session.navigator.go("outlet", id=other.id))

    session.ask_later(lambda r: lookalikes.lookalikes_of(r, outlets.read(r, outlet_id)), told, key="outlet.lookalikes")
