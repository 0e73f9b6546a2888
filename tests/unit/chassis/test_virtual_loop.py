"""Virtual time: jumps when idle, says so when nothing can happen any more."""

from __future__ import annotations

import asyncio
from collections.abc import Coroutine
from functools import partial
from typing import Any, TypeVar

import pytest
from hypothesis import given
from hypothesis import strategies as st

from services.chassis import virtual_loop
from services.chassis.virtual_loop import Deadlock, EndlessSimulation, VirtualClock, VirtualLoop

T = TypeVar("T")


def run(work: Coroutine[Any, Any, T], *, limit_s: float = 1e6) -> T:
    with asyncio.Runner(loop_factory=partial(VirtualLoop, limit_s=limit_s)) as runner:
        return runner.run(work)


def test_a_day_passes_at_once() -> None:
    async def day() -> float:
        await asyncio.sleep(86_400)
        return asyncio.get_running_loop().time()

    assert run(day()) == pytest.approx(86_400)


@given(st.lists(st.integers(0, 10_000_000), min_size=1, max_size=20))
def test_timers_fire_in_order_and_never_early(waits_ms: list[int]) -> None:
    fired: list[tuple[int, int]] = []

    async def wait(clock: VirtualClock, wait_ms: int) -> None:
        await asyncio.sleep(wait_ms / 1_000)
        fired.append((wait_ms, clock.now_ms() - 5_000))

    async def all_of_them() -> None:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock = VirtualClock(loop, start_ms=5_000)
        async with asyncio.TaskGroup() as group:
            for wait_ms in waits_ms:
                group.create_task(wait(clock, wait_ms))

    run(all_of_them())
    assert [wait_ms for wait_ms, _ in fired] == sorted(waits_ms)
    # A core asked to wake at a millisecond must see that millisecond, or it would spin.
    assert [at_ms for _, at_ms in fired] == sorted(waits_ms)


def test_the_clock_measures_virtual_time() -> None:
    async def measure() -> tuple[float, int]:
        loop = asyncio.get_running_loop()
        assert isinstance(loop, VirtualLoop)
        clock = VirtualClock(loop, start_ms=1_000)
        before = clock.monotonic_ms(), clock.now_ms()
        await asyncio.sleep(0.25)
        return clock.monotonic_ms() - before[0], clock.now_ms() - before[1]

    monotonic_ms, wall_ms = run(measure())
    assert monotonic_ms == pytest.approx(250)
    assert wall_ms == 250


def test_a_deadlock_is_told_with_who_waits_where() -> None:
    async def forever() -> None:
        await asyncio.Event().wait()

    async def story() -> None:
        await asyncio.create_task(forever(), name="the one that waits")

    told = r"nothing can happen.*; the one that waits at forever > .*test_virtual_loop\.py:\d+"
    with pytest.raises(Deadlock, match=told):
        run(story())


def test_a_deadlock_of_many_names_some() -> None:
    async def story() -> None:
        await asyncio.gather(*(asyncio.Event().wait() for _ in range(40)))

    with pytest.raises(Deadlock, match=r"; 21 more$"):
        run(story())


def test_a_timeout_still_works_where_nothing_else_happens() -> None:
    async def story() -> str:
        try:
            async with asyncio.timeout(30):
                await asyncio.Event().wait()
        except TimeoutError:
            return "timed out"
        return "woken"

    assert run(story()) == "timed out"


def test_a_simulation_that_never_ends_is_ended() -> None:
    async def heartbeat() -> None:
        while True:  # noqa: ASYNC110  # it waits for nothing: that is the fault
            await asyncio.sleep(1)

    with pytest.raises(EndlessSimulation, match=r"still going after 60 s.*heartbeat"):
        run(heartbeat(), limit_s=60)


def test_a_task_that_spins_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    async def spin() -> None:
        while True:  # noqa: ASYNC110  # it waits for nothing: that is the fault
            await asyncio.sleep(0)

    monkeypatch.setattr(virtual_loop, "MAX_STEPS_AT_ONCE", 1_000)
    with pytest.raises(EndlessSimulation, match=r"time stands at 0\.000 s.*spin"):
        run(spin())


def test_what_a_thread_would_do_is_done_in_place() -> None:
    async def story() -> tuple[int, float]:
        with pytest.raises(ZeroDivisionError):
            await asyncio.to_thread(divmod, 1, 0)
        quotient, _ = await asyncio.to_thread(divmod, 7, 2)
        return quotient, asyncio.get_running_loop().time()

    assert run(story()) == (3, 0)
