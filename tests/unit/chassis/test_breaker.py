"""A breaker: what opens it, who may probe, what closes it, whatever comes in whichever order."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, precondition, rule

from services.chassis.breaker import Breaker, Limits, State, Ticket

LIMITS = Limits(slow_ms=300)
MIDDLE = 0.5
"""The random number that makes no time longer or shorter."""


def breaker_of(limits: Limits = LIMITS, random: float = MIDDLE) -> Breaker:
    return Breaker("crm", limits, random=lambda: random)


def asked(breaker: Breaker, now_ms: float, *, failed: bool, took_ms: float = 1) -> State | None:
    """A request that is admitted, and what it changed."""
    ticket = breaker.admit(now_ms)
    assert ticket is not None
    return breaker.ended(ticket, now_ms + took_ms, failed=failed)


def opened(now_ms: float = 0, random: float = MIDDLE) -> Breaker:
    """A breaker that has just been opened."""
    breaker = breaker_of(random=random)
    changes = [asked(breaker, now_ms, failed=True, took_ms=0) for _ in range(LIMITS.failures)]
    assert changes == [None] * (LIMITS.failures - 1) + [State.OPEN]
    return breaker


def test_it_opens_by_failures_that_are_many_enough() -> None:
    breaker = opened()
    assert (breaker.state, breaker.opened) == (State.OPEN, 1)
    assert breaker.admit(1) is None
    assert breaker.refused == 1


def test_it_opens_by_failures_in_a_row_however_well_it_was_before() -> None:
    breaker = breaker_of()
    for _ in range(LIMITS.window):
        asked(breaker, 0, failed=False)
    changes = [asked(breaker, 0, failed=True) for _ in range(LIMITS.failures)]
    assert changes == [None] * (LIMITS.failures - 1) + [State.OPEN]


def test_it_opens_when_every_second_one_fails() -> None:
    breaker = breaker_of()
    changes = [asked(breaker, 0, failed=each % 2 == 0) for each in range(2 * LIMITS.failures - 1)]
    assert changes[-1] is State.OPEN


def test_it_opens_by_answers_that_are_slow() -> None:
    breaker = breaker_of()
    changes = [asked(breaker, 0, failed=False, took_ms=301) for _ in range(LIMITS.failures)]
    assert changes[-1] is State.OPEN


def test_an_answer_in_time_is_well() -> None:
    breaker = breaker_of()
    for _ in range(100):
        assert asked(breaker, 0, failed=False, took_ms=300) is None


def test_failures_that_are_a_small_share_do_not_open_it() -> None:
    breaker = breaker_of()
    for each in range(400):
        assert asked(breaker, each, failed=each % 5 == 0) is None


def test_failures_of_long_ago_are_forgotten() -> None:
    breaker = breaker_of()
    for each in range(50):
        assert asked(breaker, each * 10_000, failed=True) is None


def test_one_probe_at_a_time_and_only_when_it_is_due() -> None:
    breaker = opened()
    assert breaker.admit(1_999) is None
    probe = breaker.admit(2_000)
    assert probe is not None
    assert probe.probe
    assert breaker.state is State.HALF_OPEN
    assert breaker.admit(2_001) is None


def test_a_good_probe_closes_it() -> None:
    breaker = opened()
    assert asked(breaker, 2_000, failed=False) is State.CLOSED
    ticket = breaker.admit(2_002)
    assert ticket is not None
    assert not ticket.probe


def test_a_slow_probe_does_not() -> None:
    breaker = opened()
    assert asked(breaker, 2_000, failed=False, took_ms=301) is State.OPEN


def test_each_failed_probe_doubles_the_time_as_far_as_a_limit() -> None:
    breaker, now_ms = opened(), 0.0
    for wait_ms in (2_000, 4_000, 8_000, 16_000, 30_000, 30_000):
        assert breaker.admit(now_ms + wait_ms - 1) is None
        now_ms += wait_ms
        assert asked(breaker, now_ms, failed=True, took_ms=0) is State.OPEN
    assert breaker.opened == 1


def test_a_probe_that_nobody_waits_for_any_more_makes_room_for_another() -> None:
    breaker = opened()
    probe = breaker.admit(2_000)
    assert probe is not None
    breaker.withdrawn(probe)
    assert breaker.state is State.HALF_OPEN
    assert breaker.admit(2_001) is not None


def test_what_began_before_a_change_says_nothing_afterwards() -> None:
    breaker = breaker_of()
    early = [breaker.admit(0) for _ in range(20)]
    for _ in range(LIMITS.failures):
        asked(breaker, 0, failed=True, took_ms=0)
    assert asked(breaker, 2_000, failed=False) is State.CLOSED
    for ticket in early:
        assert ticket is not None
        assert breaker.ended(ticket, 2_002, failed=True) is None
        breaker.withdrawn(ticket)
    assert breaker.state is State.CLOSED


def test_what_opens_again_soon_is_open_for_longer() -> None:
    breaker = opened()
    asked(breaker, 2_000, failed=False, took_ms=0)
    for _ in range(LIMITS.failures):
        asked(breaker, 2_000, failed=True, took_ms=0)
    assert breaker.admit(5_999) is None
    assert breaker.admit(6_000) is not None
    assert breaker.opened == 2


def test_what_opens_again_much_later_begins_anew() -> None:
    breaker = opened()
    asked(breaker, 2_000, failed=False, took_ms=0)
    later_ms = 2_000 + LIMITS.window_ms
    for _ in range(LIMITS.failures):
        asked(breaker, later_ms, failed=True, took_ms=0)
    assert breaker.admit(later_ms + 1_999) is None
    assert breaker.admit(later_ms + 2_000) is not None


def test_no_two_processes_look_again_at_the_same_moment() -> None:
    early, late = opened(random=0.0), opened(random=0.999)
    assert early.admit(1_500) is not None
    assert late.admit(2_498) is None
    assert late.admit(2_500) is not None


def test_its_readings_tell_the_state_and_what_was_refused() -> None:
    breaker = opened()
    breaker.admit(1)
    told = {each.name: (each.value, each.labels) for each in breaker.readings("ivr")}
    assert told == {
        "carillon_ivr_breaker_state": (2, (("to", "crm"),)),
        "carillon_ivr_breaker_opened_total": (1, (("to", "crm"),)),
        "carillon_ivr_breaker_refused_total": (1, (("to", "crm"),)),
    }


class AnyOrder(RuleBasedStateMachine):
    """Requests begin, end and are withdrawn in any order, while time goes on."""

    def __init__(self) -> None:
        super().__init__()
        self.limits = Limits(slow_ms=300, window=6, failures=3, window_ms=5_000)
        self.random = MIDDLE
        self.breaker = Breaker("crm", self.limits, random=lambda: self.random)
        self.now_ms = 0.0
        self.under_way: list[Ticket] = []
        self.opened_ms = 0.0
        self.ill = 0
        """Ill outcomes since the breaker changed last."""

    @rule(step_ms=st.integers(0, 40_000), random=st.floats(0, 1, exclude_max=True))
    def time_passes(self, step_ms: int, random: float) -> None:
        self.now_ms += step_ms
        self.random = random

    @rule()
    def a_request_comes(self) -> None:
        before, refused = self.breaker.state, self.breaker.refused
        ticket = self.breaker.admit(self.now_ms)
        if ticket is None:
            assert self.breaker.refused == refused + 1
            assert before is not State.CLOSED
            return
        assert ticket.probe == (before is not State.CLOSED)
        if before is State.OPEN:
            least_ms = self.limits.first_open_ms * (1 - self.limits.spread)
            assert self.now_ms - self.opened_ms >= least_ms
        self.under_way.append(ticket)

    @precondition(lambda self: self.under_way)
    @rule(data=st.data(), failed=st.booleans())
    def a_request_ends(self, data: st.DataObject, failed: Any) -> None:
        ticket = self._one(data)
        before = self.breaker.state
        current = ticket.turn == self.breaker._turn
        ill = failed or self.now_ms - ticket.began_ms > self.limits.slow_ms
        change = self.breaker.ended(ticket, self.now_ms, failed=failed)
        if not current:
            assert change is None
            assert self.breaker.state is before
            return
        self.ill += ill
        if ticket.probe:
            assert change is (State.OPEN if ill else State.CLOSED)
        elif change is not None:
            assert change is State.OPEN
            assert self.ill >= self.limits.failures
        if change is not None:
            assert self.breaker.state is change
            self.opened_ms, self.ill = self.now_ms, 0

    @precondition(lambda self: self.under_way)
    @rule(data=st.data())
    def a_request_is_withdrawn(self, data: st.DataObject) -> None:
        before = self.breaker.state
        self.breaker.withdrawn(self._one(data))
        assert self.breaker.state is before

    @invariant()
    def there_is_one_probe_at_most(self) -> None:
        turn = self.breaker._turn
        assert len([each for each in self.under_way if each.probe and each.turn == turn]) <= 1

    def teardown(self) -> None:
        """Whatever happened, a service that is well again is asked again."""
        for ticket in self.under_way:
            self.breaker.withdrawn(ticket)
        longest_ms = self.limits.longest_open_ms * (1 + self.limits.spread)
        asked(self.breaker, self.now_ms + longest_ms, failed=False)
        assert self.breaker.state is State.CLOSED

    def _one(self, data: st.DataObject) -> Ticket:
        at = data.draw(st.integers(0, len(self.under_way) - 1))
        return self.under_way.pop(at)


TestAnyOrder = AnyOrder.TestCase
