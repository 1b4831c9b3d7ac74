"""The supervisor's machine under every order of events, in virtual time: wall clock and true time are two things."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from fieldcrm.usecases import link as links
from fieldcrm.usecases import schedule as plan
from fieldcrm.usecases.link import Held, Link, PhotoRule
from fieldcrm.usecases.schedule import FURTHEST, PAUSE, Phase, Trouble

LOOK = timedelta(seconds=30)  # the supervisor's thread looks at the clock at least this often
TROUBLES = (Trouble.OFFLINE, Trouble.SERVER)
CHANCES = st.floats(0, 1, exclude_max=True)


class Supervising(RuleBasedStateMachine):
    """``true`` is the time that passes; ``wall`` is what the device's clock says, and may be set."""

    def __init__(self) -> None:
        super().__init__()
        self.wall = datetime(2026, 11, 20, 9, tzinfo=UTC)
        self.true = timedelta()
        self.schedule = plan.started(self.wall, automatic=True)
        self.unsent_since: timedelta | None = None  # true time since when something could go and has not been tried
        self.not_before: datetime | None = None  # what the server asked for
        self.asked = False  # a person did, since the last try began
        self.runs = 0

    def free(self) -> bool:
        return self.schedule.automatic and not self.schedule.stuck and self.schedule.phase is not Phase.SYNCING

    def look(self) -> None:
        """What the thread does each time it wakes."""
        self.schedule = plan.ticked(self.schedule, self.wall)
        if not plan.due(self.schedule, self.wall):
            return
        assert self.schedule.automatic or self.asked, "a try by itself while paused"
        assert not self.schedule.stuck
        assert self.not_before is None or self.asked or self.wall >= self.not_before, "earlier than the server asked"
        assert self.schedule.phase is not Phase.SYNCING, "two at once"
        self.schedule = plan.begun(self.schedule)
        self.runs += 1
        self.asked, self.unsent_since, self.not_before = False, None, None
        assert not plan.due(self.schedule, self.wall + timedelta(days=400)), "due while a run is under way"

    @rule(seconds=st.integers(0, 3 * 3600))
    def time_passes(self, seconds: int) -> None:
        left = timedelta(seconds=seconds)
        while left > timedelta() and self.schedule.phase is not Phase.SYNCING:
            step = min(left, LOOK)
            left -= step
            self.wall += step
            self.true += step
            self.look()
            if self.unsent_since is not None and not self.free():
                self.unsent_since = self.true
            elif self.unsent_since is not None:
                assert self.true - self.unsent_since <= FURTHEST + LOOK, "what waits was not tried in time"

    @rule(days=st.integers(-4000, 4000))
    def the_clock_is_set(self, days: int) -> None:
        self.wall += timedelta(days=days)
        self.not_before = None  # nobody can say any more when that was
        if self.unsent_since is not None:
            self.unsent_since = self.true
        self.look()

    @rule()
    def something_is_recorded(self) -> None:
        self.schedule = plan.wrote(self.schedule, self.wall)
        if self.unsent_since is None and self.schedule.phase is not Phase.SYNCING:
            self.unsent_since = self.true
        self.look()

    @rule()
    def a_person_asks(self) -> None:
        self.asked = True
        self.schedule = plan.asked(self.schedule, self.wall)
        running = self.schedule.phase is Phase.SYNCING
        assert running or plan.due(self.schedule, self.wall)
        self.look()
        self.asked = running

    @rule()
    def the_network_is_back(self) -> None:
        self.schedule = plan.network_back(self.schedule, self.wall)
        self.look()

    @rule()
    def the_network_is_another(self) -> None:
        self.schedule = plan.network_news(self.schedule, self.wall)
        self.look()

    @rule()
    def a_person_signs_in(self) -> None:
        self.asked = True
        self.schedule = plan.signed_in(self.schedule, self.wall)
        running = self.schedule.phase is Phase.SYNCING
        self.look()
        self.asked = running

    @rule(for_an_hour=st.booleans())
    def a_person_pauses(self, for_an_hour: bool) -> None:
        self.schedule = plan.pause(self.schedule, self.wall, self.wall + PAUSE if for_an_hour else None)
        self.look()

    @rule()
    def a_person_resumes(self) -> None:
        self.schedule = plan.resume(self.schedule, self.wall)
        self.not_before = None  # it is a way of asking
        if self.unsent_since is not None:
            self.unsent_since = self.true
        self.look()

    @precondition(lambda self: self.schedule.phase is Phase.SYNCING)
    @rule(waiting=st.booleans())
    def the_run_ends_well(self, waiting: bool) -> None:
        again = self.schedule.again
        self.schedule = plan.finished(self.schedule, self.wall, waiting=waiting)
        self.unsent_since = self.true if again else None
        self.look()

    @precondition(lambda self: self.schedule.phase is Phase.SYNCING)
    @rule(trouble=st.sampled_from(TROUBLES), chance=CHANCES, wait=st.sampled_from((0, 30, 299, 86_400, 10**8)))
    def the_run_fails(self, trouble: Trouble, chance: float, wait: int) -> None:
        asked_for = timedelta(seconds=wait)
        self.schedule = plan.failed(self.schedule, self.wall, trouble, chance=chance, wait=asked_for)
        self.asked, self.unsent_since = False, self.true
        if self.schedule.automatic:
            assert self.schedule.next_try is not None
            assert self.schedule.next_try <= self.wall + FURTHEST, "jitter without bound"
            if trouble is Trouble.SERVER:
                self.not_before = self.wall + min(asked_for, plan.LONGEST)
                assert self.schedule.next_try >= self.not_before
        self.look()

    @precondition(lambda self: self.schedule.phase is Phase.SYNCING)
    @rule(trouble=st.sampled_from((Trouble.SIGN_IN, Trouble.BLOCKED, Trouble.REVOKED)))
    def only_a_person_can_go_on(self, trouble: Trouble) -> None:
        self.schedule = plan.failed(self.schedule, self.wall, trouble, chance=0.5)
        self.asked, self.unsent_since = False, self.true
        assert self.schedule.stuck and self.schedule.next_try is None
        self.look()

    @invariant()
    def a_next_try_is_set_whenever_one_is_owed(self) -> None:
        if self.free():
            assert self.schedule.next_try is not None
            assert self.schedule.next_try <= self.wall + FURTHEST

    @invariant()
    def a_pause_is_what_the_state_says(self) -> None:
        if self.schedule.phase is Phase.PAUSED:
            assert not self.schedule.automatic and self.schedule.next_try is None
        if self.schedule.next_try is not None:
            assert self.schedule.automatic or self.asked, "a try is planned while paused"
        until = self.schedule.paused_until
        assert until is None or not self.schedule.automatic
        assert until is None or self.schedule.phase is Phase.SYNCING or until <= self.wall + PAUSE


Supervising.TestCase.settings = settings(max_examples=120, stateful_step_count=40, deadline=None)
TestSupervising = Supervising.TestCase

NOON = datetime(2026, 11, 20, 12, tzinfo=UTC)
MINUTE = timedelta(minutes=1)


def test_photos_wait_on_a_metered_network_unless_the_person_chose_otherwise() -> None:
    phone = links.told(Link(), metered=True)
    assert links.held(PhotoRule.AUTO, phone, NOON) is Held.METERED
    assert links.held(PhotoRule.ALWAYS, phone, NOON) is None
    assert links.held(PhotoRule.ASKED, Link(), NOON) is Held.ASKED
    assert links.held(PhotoRule.AUTO, links.told(phone, metered=False), NOON) is None


def test_a_network_that_proves_slow_is_left_to_the_reports_for_ten_minutes() -> None:
    slow = links.measured(Link(), NOON, 60_000, 12.0)
    assert links.held(PhotoRule.AUTO, slow, NOON + 9 * MINUTE) is Held.SLOW
    assert links.held(PhotoRule.AUTO, slow, NOON + 10 * MINUTE) is None
    assert links.held(PhotoRule.AUTO, slow, NOON - timedelta(days=900)) is None, "a clock that was set back"
    assert links.measured(slow, NOON, 2_000_000, 4.0) == Link()


def test_a_first_small_piece_proves_nothing() -> None:
    assert links.measured(Link(), NOON, 4_000, 1.0) == Link()


def test_another_network_has_another_speed() -> None:
    slow = links.measured(Link(), NOON, 60_000, 12.0)
    assert links.told(slow, metered=True).slow_since is None
    assert links.told(slow, metered=False) is slow, "the same network, named again"
