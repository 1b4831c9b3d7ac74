"""Who acts: the person signed in, the role, and the sectors this person may see."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from fieldcrm.domain.ids import Id


class Role(StrEnum):
    """A rep is *chef de secteur*, a manager *directeur régional*; an organisation may rename them."""

    REP = "rep"
    MANAGER = "manager"
    ADMIN = "admin"


@dataclass(frozen=True, slots=True)
class Actor:
    user_id: Id
    role: Role
    sectors: frozenset[Id] = frozenset()
    device: int = 0  # 0: the server itself
