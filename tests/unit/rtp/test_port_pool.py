from __future__ import annotations

import pytest
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, invariant, rule

from media_gateway.rtp.errors import NoPortsLeft
from media_gateway.rtp.port_pool import DRAIN_MS, PortPool


def test_ports_are_even_and_each_is_taken_once() -> None:
    pool = PortPool(first=20_001, last=20_010)
    assert [pool.take() for _ in range(4)] == [20_002, 20_004, 20_006, 20_008]
    with pytest.raises(NoPortsLeft):
        pool.take()


def test_the_last_rtcp_port_stays_in_the_range() -> None:
    assert len(PortPool(first=20_000, last=20_002)) == 1
    assert len(PortPool(first=20_000, last=20_003)) == 2


def test_a_retired_port_comes_back_after_its_drain_and_last() -> None:
    pool = PortPool(first=20_000, last=20_003)
    first = pool.take()
    pool.retire(first, 1_000.0)
    assert pool.drained(1_000.0 + DRAIN_MS - 1) == []
    assert pool.draining == 1
    assert pool.drained(1_000.0 + DRAIN_MS) == [first]
    assert [pool.take(), pool.take()] == [20_002, first]


def test_a_port_put_back_is_last_in_line() -> None:
    pool = PortPool(first=20_000, last=20_003)
    pool.put_back(pool.take())
    assert [pool.take(), pool.take()] == [20_002, 20_000]


@pytest.mark.parametrize(
    ("first", "last", "drain_ms"),
    [(80, 2_000, 2_000), (20_000, 20_000, 2_000), (20_000, 70_000, 2_000), (20_000, 20_099, 1_999)],
)
def test_unusable_ranges_and_drains_are_refused(first: int, last: int, drain_ms: int) -> None:
    with pytest.raises(ValueError, match="port"):
        PortPool(first=first, last=last, drain_ms=drain_ms)


class PoolLife(RuleBasedStateMachine):
    """A port that drains is never handed out, whatever the order of calls."""

    def __init__(self) -> None:
        super().__init__()
        self.pool = PortPool(first=20_000, last=20_015)
        self.now_ms = 0.0
        self.in_use: list[int] = []
        self.retired_ms: dict[int, float] = {}

    @rule()
    def take(self) -> None:
        try:
            port = self.pool.take()
        except NoPortsLeft:
            assert not len(self.pool)
            return
        assert port not in self.in_use
        assert self.now_ms - self.retired_ms.get(port, -DRAIN_MS) >= DRAIN_MS
        self.in_use.append(port)

    @rule(which=st.integers(0, 7))
    def retire(self, which: int) -> None:
        if self.in_use:
            port = self.in_use.pop(which % len(self.in_use))
            self.retired_ms[port] = self.now_ms
            self.pool.retire(port, self.now_ms)

    @rule(pause_ms=st.sampled_from([0, 1, 500, DRAIN_MS - 1, DRAIN_MS]))
    def pass_time(self, pause_ms: int) -> None:
        self.now_ms += pause_ms
        self.pool.drained(self.now_ms)

    @invariant()
    def every_port_is_somewhere(self) -> None:
        assert len(self.pool) + self.pool.draining + len(self.in_use) == 8


TestPoolLife = PoolLife.TestCase
TestPoolLife.settings = settings(deadline=None, max_examples=40, stateful_step_count=30)
