from __future__ import annotations

import time

import pytest

from services.chassis.clock import SystemClock


def test_it_tells_utc_milliseconds() -> None:
    before_ms = time.time_ns() // 1_000_000
    now_ms = SystemClock().now_ms()
    after_ms = time.time_ns() // 1_000_000
    assert before_ms - 2 <= now_ms <= after_ms + 2


def test_a_stepped_wall_clock_moves_nothing(monkeypatch: pytest.MonkeyPatch) -> None:
    clock = SystemClock()
    before_ms = clock.now_ms()
    monkeypatch.setattr(time, "time_ns", lambda: 0)
    monkeypatch.setattr(time, "time", lambda: 0.0)
    assert before_ms <= clock.now_ms() < before_ms + 60_000


def test_it_never_runs_backwards() -> None:
    clock = SystemClock()
    told = [clock.now_ms() for _ in range(1_000)]
    assert told == sorted(told)
    measured = [clock.monotonic_ms() for _ in range(1_000)]
    assert measured == sorted(measured)
