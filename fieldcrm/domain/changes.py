"""What a use case touched, so that each screen can tell whether it is stale."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field

from fieldcrm.domain.ids import Id


@dataclass(frozen=True, slots=True)
class Changes:
    """Ids touched per kind (a collection name, or "draft", "sync"; no ids: any of that kind), or everything at once.

    ``transaction`` is the recorded change that the Edit menu can take back, ``label`` the code of what was done.
    """

    ids: Mapping[str, frozenset[Id]] = field(default_factory=dict)
    everything: bool = False
    label: str = ""
    transaction: Id | None = None

    def touches(self, *kinds: str) -> bool:
        return self.everything or any(kind in self.ids for kind in kinds)

    def touches_id(self, kind: str, id: Id) -> bool:
        ids = self.ids.get(kind)
        return self.everything or (ids is not None and (not ids or id in ids))


def changed(kind: str, ids: Iterable[Id], label: str = "") -> Changes:
    return Changes({kind: frozenset(ids)}, label=label)
