"""A circuit breaker: who asks a service that is ill again and again makes neither of them well.

Pure: the moments and the randomness come in, and nothing waits here. Closed, every request is
admitted, and the latest outcomes are remembered. When too many of them were failures, or slower
than somebody is willing to wait, it opens: requests are refused at once, so that nobody waits for
what will not come. After a while one request at a time is a probe. What it finds closes the
breaker, or opens it for twice as long. No two processes look again at the same moment.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import StrEnum
from itertools import islice

from services.chassis.metrics import Reading


class State(StrEnum):
    """Whether requests are let through."""

    CLOSED = "closed"
    """All of them."""
    OPEN = "open"
    """None."""
    HALF_OPEN = "half_open"
    """One at a time, as a probe."""


NUMBERS = {State.CLOSED: 0, State.HALF_OPEN: 1, State.OPEN: 2}
"""Of the states, for metrics."""


@dataclass(frozen=True, slots=True)
class Limits:
    """When a breaker opens, and for how long."""

    slow_ms: float
    """An answer that took longer counts as none."""
    window: int = 20
    """The latest outcomes that are looked at, at most."""
    window_ms: float = 30_000
    """Those of longer ago are forgotten."""
    failures: int = 5
    """It opens when so many of the window were failures, and they were the latest ..."""
    share: float = 0.5
    """... or are at least this share of it."""
    first_open_ms: float = 2_000
    """It is open for about as long at first, ..."""
    longest_open_ms: float = 30_000
    """... and for about as long at most, when one probe after another fails."""
    spread: float = 0.25
    """Each of these times is made longer or shorter by up to this share."""

    def __post_init__(self) -> None:
        """Refuses what could never open, or never close again."""
        assert 0 < self.failures <= self.window, "a window holds the failures that open it"
        assert 0 < self.share <= 1, "a share of the window"
        assert 0 <= self.spread < 1, "a time stays above 0"
        assert 0 < self.first_open_ms <= self.longest_open_ms, "the first time is the shortest"


@dataclass(frozen=True, slots=True)
class Ticket:
    """A request that was admitted: `ended` or `withdrawn` is told of it, exactly once."""

    began_ms: float
    """When."""
    turn: int
    """How often the breaker had changed before."""
    probe: bool
    """Whether it asks how the service fares now: whoever can, goes on without its answer."""


class Breaker:
    """The breaker of one service, in one process. All moments are on one monotonic clock."""

    def __init__(self, to: str, limits: Limits, *, random: Callable[[], float]) -> None:
        """`to` names the service; `random` gives numbers from 0 to 1, 1 excluded."""
        self._to = to
        self._limits = limits
        self._random = random
        self._outcomes: deque[tuple[float, bool]] = deque(maxlen=limits.window)
        self._turn = 0
        self._state = State.CLOSED
        self._probing = False
        self._until_ms = 0.0
        self._open_ms = 0.0
        self._closed_ms = 0.0
        self.opened = 0
        """How often it opened, a failed probe not counted."""
        self.refused = 0
        """Requests that were not admitted."""

    @property
    def state(self) -> State:
        """As of the last request: it becomes half open with the first one that may be a probe."""
        return self._state

    def admit(self, now_ms: float) -> Ticket | None:
        """Lets a request through; None: not now."""
        if self._state is State.OPEN and now_ms >= self._until_ms:
            self._turn_to(State.HALF_OPEN)
        if self._state is State.CLOSED:
            return Ticket(now_ms, self._turn, probe=False)
        if self._state is State.HALF_OPEN and not self._probing:
            self._probing = True
            return Ticket(now_ms, self._turn, probe=True)
        self.refused += 1
        return None

    def ended(self, ticket: Ticket, now_ms: float, *, failed: bool) -> State | None:
        """What became of a request; the state, if that changed it to open or closed.

        `failed` is for what says that the service is ill, not that it will not do as it is asked.
        """
        if ticket.turn != self._turn:
            return None  # it began before the breaker changed, and tells of an earlier time
        ill = failed or now_ms - ticket.began_ms > self._limits.slow_ms
        if ticket.probe:
            return self._probed(now_ms, ill=ill)
        self._outcomes.append((now_ms, ill))
        if not self._is_ill(now_ms):
            return None
        self.opened += 1
        again = self._open_ms > 0 and now_ms - self._closed_ms < self._limits.window_ms
        return self._open(now_ms, 2 * self._open_ms if again else self._limits.first_open_ms)

    def withdrawn(self, ticket: Ticket) -> None:
        """Nobody will know what became of a request: the next one may be the probe."""
        if ticket.probe and ticket.turn == self._turn:
            self._probing = False

    def readings(self, service: str) -> Iterator[Reading]:
        """The values now, as `service` shows them."""
        labels = (("to", self._to),)
        name = f"carillon_{service}_breaker"
        text = "Whether a service is asked: 0 it is, 1 once in a while, 2 not for now."
        yield Reading(f"{name}_state", text, NUMBERS[self._state], labels)
        for what, help_text, value in (
            ("opened", "Times that a service was found to be ill.", self.opened),
            ("refused", "Requests that were not made, because a service is ill.", self.refused),
        ):
            yield Reading(f"{name}_{what}_total", help_text, value, labels, kind="counter")

    def _is_ill(self, now_ms: float) -> bool:
        outcomes, limits = self._outcomes, self._limits
        while outcomes and now_ms - outcomes[0][0] > limits.window_ms:
            outcomes.popleft()
        failures = sum(ill for _, ill in outcomes)
        if failures < limits.failures:
            return False
        latest = islice(reversed(outcomes), limits.failures)
        return failures >= limits.share * len(outcomes) or all(ill for _, ill in latest)

    def _probed(self, now_ms: float, *, ill: bool) -> State:
        if ill:
            return self._open(now_ms, 2 * self._open_ms)
        self._closed_ms = now_ms
        self._turn_to(State.CLOSED)
        return State.CLOSED

    def _open(self, now_ms: float, open_ms: float) -> State:
        limits = self._limits
        self._open_ms = min(open_ms, limits.longest_open_ms)
        spread = 1 + limits.spread * (2 * self._random() - 1)
        self._until_ms = now_ms + self._open_ms * spread
        self._turn_to(State.OPEN)
        return State.OPEN

    def _turn_to(self, state: State) -> None:
        self._state = state
        self._turn += 1
        self._probing = False
        self._outcomes.clear()
