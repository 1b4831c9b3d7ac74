"""When to sync, in virtual time: no clock, no thread, no network."""

from __future__ import annotations

import random
from datetime import UTC, datetime, timedelta

import pytest

from fieldcrm.usecases import schedule as plan
from fieldcrm.usecases.schedule import LONGEST, Phase, Schedule, Trouble

NOW = datetime(2026, 11, 20, 9, 0, tzinfo=UTC)
SECOND = timedelta(seconds=1)


def idle(automatic: bool = True) -> Schedule:
    return plan.finished(plan.begun(plan.started(NOW, automatic=automatic)), NOW, waiting=False)


def test_a_change_goes_a_few_seconds_later_and_a_burst_goes_as_one() -> None:
    schedule = plan.wrote(idle(), NOW)
    assert schedule.phase is Phase.WAITING and schedule.next_try == NOW + plan.QUIET
    later = plan.wrote(schedule, NOW + 3 * SECOND)
    assert later.next_try == NOW + 3 * SECOND + plan.QUIET


def test_a_person_who_never_stops_typing_is_sent_all_the_same() -> None:
    schedule = idle()
    for second in range(60):
        schedule = plan.wrote(schedule, NOW + second * SECOND)
    assert schedule.next_try is not None
    assert schedule.next_try <= NOW + 60 * SECOND
    assert plan.due(schedule, NOW + 60 * SECOND)


def test_a_change_made_during_a_run_is_sent_right_after_it() -> None:
    running = plan.wrote(plan.begun(idle()), NOW)
    after = plan.finished(running, NOW, waiting=False)
    assert after.phase is Phase.WAITING and after.next_try == NOW + plan.QUIET


def test_failures_wait_longer_each_time_but_never_longer_than_five_minutes() -> None:
    schedule, waits = idle(), []
    for _ in range(12):
        schedule = plan.failed(plan.begun(schedule), NOW, Trouble.SERVER, chance=0.99)
        assert schedule.next_try is not None
        waits.append(schedule.next_try - NOW)
    assert waits == sorted(waits) and waits[0] <= 5 * SECOND and waits[-1] <= LONGEST


def test_the_server_may_ask_for_a_longer_wait_and_is_obeyed_within_reason() -> None:
    schedule = plan.failed(plan.begun(idle()), NOW, Trouble.SERVER, chance=0, wait=90 * SECOND)
    assert schedule.next_try == NOW + 90 * SECOND
    forever = plan.failed(plan.begun(idle()), NOW, Trouble.SERVER, chance=0, wait=timedelta(days=3))
    assert forever.next_try == NOW + LONGEST


def test_many_devices_that_lost_one_server_do_not_come_back_in_the_same_second() -> None:
    tries = {plan.failed(plan.begun(idle()), NOW, Trouble.OFFLINE, chance=n / 50).next_try for n in range(50)}
    assert len(tries) == 50


def test_the_network_coming_back_is_used_at_once() -> None:
    schedule = plan.failed(plan.begun(idle()), NOW, Trouble.OFFLINE, chance=0)
    assert plan.due(plan.network_back(schedule, NOW), NOW)


def test_an_expired_sign_in_waits_for_the_person_and_then_goes_at_once() -> None:
    schedule = plan.failed(plan.begun(plan.wrote(idle(), NOW)), NOW, Trouble.SIGN_IN, chance=0)
    assert schedule.phase is Phase.NEEDS_SIGN_IN and schedule.next_try is None
    assert plan.wrote(schedule, NOW).phase is Phase.NEEDS_SIGN_IN
    assert plan.due(plan.signed_in(schedule, NOW), NOW)


def test_paused_means_no_try_by_itself_but_a_person_may_still_ask() -> None:
    paused = plan.set_automatic(idle(), NOW, False)
    assert plan.wrote(paused, NOW).next_try is None
    once = plan.finished(plan.begun(plan.asked(paused, NOW)), NOW, waiting=False)
    assert once.phase is Phase.PAUSED and once.next_try is None
    assert plan.due(plan.set_automatic(once, NOW, True), NOW)


@pytest.mark.parametrize("seed", range(50))
def test_whatever_happens_what_waits_has_a_next_try_within_minutes(seed: int) -> None:
    """T12: the promise of the machine, over random histories."""
    chance = random.Random(seed)
    schedule, now = plan.started(NOW, automatic=True), NOW
    for _ in range(200):
        now += timedelta(seconds=chance.choice([0, 1, 5, 40, 400]))
        if plan.due(schedule, now):
            schedule = plan.begun(schedule)
        event = chance.randrange(5)
        if event == 0:
            schedule = plan.wrote(schedule, now)
        elif event == 1:
            schedule = plan.asked(schedule, now)
        elif event == 2:
            schedule = plan.network_back(schedule, now)
        elif schedule.phase is Phase.SYNCING and event == 3:
            schedule = plan.finished(schedule, now, waiting=chance.random() < 0.5)
        elif schedule.phase is Phase.SYNCING:
            trouble = chance.choice([Trouble.OFFLINE, Trouble.SERVER])
            wait = timedelta(seconds=chance.choice([0, 30, 100_000]))
            schedule = plan.failed(schedule, now, trouble, chance=chance.random(), wait=wait)
        if schedule.phase is not Phase.SYNCING:
            assert schedule.next_try is not None
            assert schedule.next_try <= now + plan.FURTHEST
