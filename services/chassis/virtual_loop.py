"""An event loop whose time is virtual: a simulated day takes as long as its work.

When nothing is ready, time jumps to the next timer. When there is no timer either, nothing can
ever happen again, and the loop says so instead of hanging. Work for a thread is done at once and
in place, so that a run with the same seed replays exactly; sockets and processes are not
followed.
"""

from __future__ import annotations

import asyncio
import selectors
from collections.abc import Callable
from pathlib import Path
from typing import Any

MAX_STEPS_AT_ONCE = 1_000_000
"""Rounds of the loop at one instant; more is a task that spins."""
DEFAULT_LIMIT_S = 7 * 86_400.0
"""Virtual seconds after which a simulation is taken to never end."""
_TOLD_TASKS = 20
_DEEPEST_FRAME = 100
_TOLD_FRAMES = 6
_ASYNCIO = str(Path(asyncio.__file__).parent)
_ROUNDING_S = 1e-6
"""Far below a millisecond, far above what adding up floats loses in a week."""


class Deadlock(RuntimeError):
    """Every task waits, and nothing is left that could wake one."""


class EndlessSimulation(RuntimeError):
    """Time stands still while a task spins, or runs on beyond the simulation's limit."""


class NotVirtual(RuntimeError):
    """Something that needs virtual time runs on another loop."""


class VirtualLoop(asyncio.SelectorEventLoop):
    """An asyncio loop on virtual time, which begins at 0 seconds."""

    def __init__(self, *, limit_s: float = DEFAULT_LIMIT_S) -> None:
        self._jumping = _JumpingSelector(limit_s=limit_s, waiting=self._waiting)
        super().__init__(self._jumping)

    def time(self) -> float:
        """Virtual seconds."""
        return self._jumping.now_s

    def run_in_executor(  # type: ignore[override]  # asyncio's own is typed by the callable
        self,
        executor: Any,  # noqa: ARG002  # asyncio's signature; there is no thread to choose
        func: Callable[..., Any],
        *args: Any,
    ) -> asyncio.Future[Any]:
        """Does a thread's work here and now."""
        done: asyncio.Future[Any] = self.create_future()
        try:
            done.set_result(func(*args))
        except Exception as error:  # noqa: BLE001  # whatever it is, it belongs to who awaits
            done.set_exception(error)
        return done

    def _waiting(self) -> str:
        tasks = sorted(asyncio.all_tasks(self), key=asyncio.Task.get_name)
        told = [f"{task.get_name()} at {_place(task)}" for task in tasks[:_TOLD_TASKS]]
        more = len(tasks) - len(told)
        return "; ".join(told) + (f"; {more} more" if more else "")


class VirtualClock:
    """The chassis's Clock on a virtual loop."""

    def __init__(self, loop: VirtualLoop, *, start_ms: int) -> None:
        self._loop = loop
        self._start_ms = start_ms

    def now_ms(self) -> int:
        """UTC milliseconds: `start_ms` and the virtual time since."""
        return self._start_ms + int((self._loop.time() + _ROUNDING_S) * 1_000)

    def monotonic_ms(self) -> float:
        """Virtual milliseconds since the loop began."""
        return self._loop.time() * 1_000


class _JumpingSelector(selectors.DefaultSelector):
    """Waits in no real time: it moves the clock instead."""

    def __init__(self, *, limit_s: float, waiting: Callable[[], str]) -> None:
        super().__init__()
        self.now_s = 0.0
        self._limit_s = limit_s
        self._waiting = waiting
        self._steps = 0

    def select(self, timeout: float | None = None) -> list[tuple[selectors.SelectorKey, int]]:
        events = super().select(0)
        if timeout is not None and timeout > 0 and not events:
            self._jump(timeout)
        elif timeout is None and not events:
            raise Deadlock(f"nothing can happen any more; waiting: {self._waiting()}")
        else:
            self._steps += 1
        if self._steps > MAX_STEPS_AT_ONCE:
            self._steps = 0
            raise EndlessSimulation(f"time stands at {self.now_s:.3f} s: {self._waiting()}")
        return events

    def _jump(self, by_s: float) -> None:
        self._steps = 0
        self.now_s += by_s
        if self.now_s > self._limit_s:
            limit_s, self._limit_s = self._limit_s, float("inf")
            raise EndlessSimulation(f"still going after {limit_s:.0f} s: {self._waiting()}")


def _place(task: asyncio.Task[Any]) -> str:
    """The functions that a task is in, and the line it waits at, outside of asyncio itself."""
    names: list[str] = []
    line = "its beginning"
    inner: Any = task.get_coro()
    for _ in range(_DEEPEST_FRAME):
        frame = getattr(inner, "cr_frame", None) or getattr(inner, "ag_frame", None)
        if frame is None:
            break
        code = frame.f_code
        if not code.co_filename.startswith(_ASYNCIO):
            names.append(code.co_name)
            line = f"{code.co_filename}:{frame.f_lineno}"
        inner = getattr(inner, "cr_await", None) or getattr(inner, "ag_await", None)
    return " > ".join((*names[-_TOLD_FRAMES:], line))
