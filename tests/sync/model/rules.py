"""The rules of the protocol that can be switched off, to prove that the invariants need them."""

from __future__ import annotations

from collections.abc import Mapping

RULES: Mapping[str, str] = {
    "dedupe": "an operation known by its id gets its stored answer",
    "own_device": "a field last written by the same device never clashes with it",
    "transactions": "operations of a transaction stand or fall together",
    "refusal": "an operation that makes no sense is refused, and the ones behind it go on",
    "letters": "a refused operation waits for a person",
    "clone": "the same number with another operation id: another copy of this device spoke",
    "chain": "the hello names the operation before the next one",
    "hello": "a quiet device greets too, so that a restored server hears its number",
    "journal": "answered operations are kept, and offered again",
    "fork_journal": "a device that takes a new number offers its journal under it",
    "epoch": "after a restore of the server everything is compared",
    "sweep": "after everything was fetched anew, what was not named goes",
    "revoke": "a bucket says that a record left it",
    "evict": "a record that no bucket holds leaves the device",
    "drop": "a bucket that is no longer the person's is forgotten",
    "scope": "a pull gives the person's own buckets only",
    "former": "an edit made while the record was in sight still counts",
    "children": "records below go where the record above goes",
    "overlay": "unconfirmed changes stay on top of what the server says",
    "revision": "a version older than the one held is passed over",
    "cursor": "a cursor moves only after the last page",
    "keyset": "a page ends at a revision, a collection and an id, never at a revision alone",
    "floor": "a cursor older than what is forgotten compares everything",
    "verify": "sums are compared, and what differs is fetched again",
    "snapshot": "only a snapshot of this epoch, and not older than what is forgotten, is offered",
    "schema": "a program that knows more fetches what the last one passed over",
    "blob_hash": "a photo is there when the server has hashed the whole of it",
    "blob_keep": "a photo stays on the device until it is verified",
    "blob_again": "after a restore of the server photos are offered again",
}

# Rules that cover one another are switched off together. The sums would heal what these two let through, so they are
# tried without sums, and without damaged disks, which only the sums can heal.
COVERED = ("clone", "chain", "floor", "sweep")
MUTATIONS: Mapping[str, frozenset[str]] = {
    **{name: frozenset({name}) for name in RULES if name not in COVERED},
    "clone+chain": frozenset({"clone", "chain"}),
    "floor+verify": frozenset({"floor", "verify"}),
    "sweep+verify": frozenset({"sweep", "verify"}),
}


def with_rot(off: frozenset[str]) -> bool:
    """Whether histories with these rules off have damaged disks."""
    return "verify" not in off or len(off) == 1


class Rules:
    """Which rules are off. ``rules.dedupe`` is true while that rule holds."""

    def __init__(self, off: frozenset[str] = frozenset()) -> None:
        unknown = off - set(RULES)
        if unknown:
            raise ValueError(f"no such rule: {', '.join(sorted(unknown))}")
        self.off = off
        for name in RULES:
            setattr(self, name, name not in off)
