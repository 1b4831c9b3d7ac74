"""The merge rules as a machine that Hypothesis drives; what may be changed about a history without changing its end."""

from __future__ import annotations

import random
from collections.abc import Sequence
from typing import Any
from uuid import UUID

from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, rule

from sync.merge import CREATED, Pending, Stamp, decide_update, overlay
from sync.protocol import Op, Tx
from tests.sync.model.catalogue import NEW, SHOP_2, Hello, Request
from tests.sync.model.rules import Rules
from tests.sync.model.server import Server

DEVICES = 3
LINES = st.lists(st.sampled_from(["a", "b", "c", "x", "y"]), max_size=4).map("\n".join)
CHANGES = st.fixed_dictionaries(
    {},
    optional={
        "name": st.sampled_from("pqrs"), "grade": st.sampled_from("pqrs"), "note": LINES,
        "custom": st.dictionaries(st.sampled_from("kl"), st.integers(0, 2)),
        "seen": st.integers(0, 5), "first": st.integers(0, 5),
        "tags": st.sets(st.sampled_from("tuv")).map(sorted), "stock": st.integers(-3, 3),
    },
)  # fmt: skip


class OneRecord(RuleBasedStateMachine):
    """One shop, one server, some devices that edit it offline, push in their order, and pull when they like."""

    @initialize()
    def begin(self) -> None:
        self.rev = 1
        self.values: dict[str, Any] = dict.fromkeys(SHOP_2.field_names) | {"name": "p", "stock": 0}
        self.stamps = {CREATED: Stamp(1, 0)}
        self.base = [dict(self.values) for _ in range(DEVICES)]
        self.base_rev = [1] * DEVICES
        self.unsent: list[list[tuple[int, dict[str, Any], dict[str, Any]]]] = [[] for _ in range(DEVICES)]
        self.stocked = 0
        self.seen: list[int] = []
        self.wrote: dict[str, int] = {}

    def shown(self, device: int) -> dict[str, Any]:
        pending = [Pending("upd", change, was) for _, change, was in self.unsent[device]]
        row = overlay(SHOP_2, self.base[device], pending)
        assert row is not None
        return row

    @rule(device=st.integers(0, DEVICES - 1), change=CHANGES)
    def edit(self, device: int, change: dict[str, Any]) -> None:
        now = self.shown(device)
        new = {name: (now["stock"] + value if name == "stock" else value) for name, value in change.items()}
        new = {name: value for name, value in new.items() if value != now[name]}
        self.unsent[device].append((self.base_rev[device], new, {name: now[name] for name in new}))
        for name in ("name", "grade"):
            assert name not in new or self.shown(device)[name] == new[name], "an own edit is not shown"

    @rule(device=st.integers(0, DEVICES - 1))
    def push(self, device: int) -> None:
        if not self.unsent[device]:
            return
        base, change, was = self.unsent[device].pop(0)
        before = dict(self.values)
        outcome = decide_update(SHOP_2, self.values, self.stamps, change, was, base, device + 1)
        self.rev += 1
        self.values.update(outcome.values)
        self.stamps.update(dict.fromkeys(outcome.values, Stamp(self.rev, device + 1)))
        for name in outcome.lost:
            assert self.wrote[name] != device, "a field gave way to the device's own earlier value"
            assert self.values[name] == before[name], "what was said to be kept was not"
        for name in outcome.displaced:
            assert self.wrote[name] != device, "a clash with oneself"
        assert set(outcome.values) | set(outcome.lost) == set(change), "a field was neither taken nor given back"
        self.wrote.update(dict.fromkeys(outcome.values, device))
        self.stocked += change.get("stock", 0) - (was.get("stock") or 0) if "stock" in change else 0
        if "seen" in change:
            self.seen.append(change["seen"])
        self.base[device], self.base_rev[device] = dict(self.values), self.rev

    @rule(device=st.integers(0, DEVICES - 1))
    def pull(self, device: int) -> None:
        self.base[device], self.base_rev[device] = dict(self.values), self.rev

    @invariant()
    def counters_add_up_and_extremes_hold(self) -> None:
        assert self.values["stock"] == self.stocked
        assert self.values["seen"] == (max(self.seen) if self.seen else None)

    @invariant()
    def untouched_devices_show_what_the_server_said(self) -> None:
        for device in range(DEVICES):
            if not self.unsent[device]:
                assert self.shown(device) == self.base[device]


TestOneRecord = OneRecord.TestCase
TestOneRecord.settings = settings(max_examples=60, stateful_step_count=25, deadline=None)


# What may be changed about a history without changing its end


def history(seed: int) -> list[Tx]:
    """Transactions of one device on some shops: made, edited, deleted, and a few that must be refused."""
    luck = random.Random(seed)
    shops = [UUID(int=luck.getrandbits(128)) for _ in range(4)]
    made: list[Tx] = [Tx("t0", [_op(n + 1, "new", shop, {"name": "n", "sector": "A", "stock": 0})
                                for n, shop in enumerate(shops)])]  # fmt: skip
    number = len(shops)
    stock = dict.fromkeys(shops, 0)
    for turn in range(1, luck.randint(4, 12)):
        ops: list[Op] = []
        for shop in luck.sample(sorted(stock), min(len(stock), luck.randint(1, 2))):
            number += 1
            if luck.random() < 0.1 and len(stock) > 1:
                ops.append(_op(number, "del", shop, {}))
                del stock[shop]  # nobody edits what they deleted
            elif luck.random() < 0.1:
                ops.append(_op(number, "upd", shop, {"area": -1}))
            else:
                stock[shop] += 1
                values = {"name": f"v{number}", "stock": stock[shop]}
                ops.append(_op(number, "upd", shop, values, {"name": "?", "stock": stock[shop] - 1}))
        made.append(Tx(f"t{turn}", ops))
    return made


def _op(n: int, kind: Any, shop: UUID, values: dict[str, Any], was: dict[str, Any] | None = None) -> Op:
    return Op(n, f"o{n}", kind, NEW.by_name["shop"].number, shop.hex, 1, values, was or {})


def play(batches: Sequence[Sequence[Tx]], *, doubled: bool = False) -> Server:
    server = Server(Rules(), {0: {"A"}})
    device = server.new_device(0)
    last = 0
    before = None
    for batch in batches:
        ops = [op for tx in batch for op in tx.ops]
        for _ in range(2 if doubled else 1):
            reply = server.sync(Request(0, Hello(server.epoch, device, ops[0].n, before, {}), tuple(batch), 0))
            assert reply.control is None
        last, before = ops[-1].n, ops[-1].op
    assert server.db.last[device] == last
    return server


def end(server: Server) -> Any:
    """What stands, whatever the revisions: records, answers, and what was written by whom."""
    rows = {key: (row.values, row.deleted) for key, row in server.db.rows.items()}
    answers = {op: (a.status, a.lost, a.code) for op, a in server.db.answers.items()}
    return rows, answers, sorted(server.db.log)


@given(st.integers(0, 10_000), st.data())
@settings(max_examples=60, deadline=None)
def test_batches_may_be_split_and_joined_at_will(seed: int, data: st.DataObject) -> None:
    whole = history(seed)
    cuts = sorted(data.draw(st.sets(st.integers(1, len(whole) - 1))))
    parts = [whole[a:b] for a, b in zip([0, *cuts], [*cuts, len(whole)], strict=True)]
    assert end(play([whole])) == end(play(parts))


@given(st.integers(0, 10_000))
@settings(max_examples=60, deadline=None)
def test_anything_may_be_sent_twice(seed: int) -> None:
    whole = history(seed)
    assert end(play([[tx] for tx in whole])) == end(play([[tx] for tx in whole], doubled=True))


@given(st.integers(0, 10_000), st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_devices_that_touch_different_records_may_arrive_in_any_order(seed: int, luck: random.Random) -> None:
    """Three devices, each with a history of its own; only each one's own order counts."""
    histories = [history(seed * 3 + n) for n in range(3)]
    ends = []
    for shuffled in (False, True):
        server = Server(Rules(), {user: {"A"} for user in range(3)})
        devices = [server.new_device(user) for user in range(3)]
        before: list[str | None] = [None] * 3
        turns = [user for user, txs in enumerate(histories) for _ in txs]
        if shuffled:
            luck.shuffle(turns)
        position = [0, 0, 0]
        for user in turns:
            tx = histories[user][position[user]]
            ops = [Op(o.n, f"{user}-{o.op}", o.k, o.c, o.id, o.base, o.set, o.was) for o in tx.ops]
            hello = Hello(server.epoch, devices[user], ops[0].n, before[user], {})
            assert server.sync(Request(user, hello, (Tx(tx.t, ops),), 0)).control is None
            before[user] = ops[-1].op
            position[user] += 1
        ends.append(end(server))
    assert ends[0] == ends[1]
