"""The words in which the four transaction machines of RFC 3261, section 17, are written.

Each machine is a table from (state, input) to a rule: the next state, what to do, which timers
to stop and start. A pair that stands in no table is listed in the machine's IGNORED set: that
input changes nothing in that state. Together they cover every pair, and a test proves it.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import Enum, auto

T1_MS = 500
"""Estimate of the round trip (RFC 3261, table 4)."""
T2_MS = 4_000
"""Longest interval between retransmissions, except of an INVITE."""
T4_MS = 5_000
"""Longest time a message stays in the network."""
PATIENCE_MS = 64 * T1_MS
"""How long anything waits for the other side: timers B, D, F, H, J, L, M."""


class State(Enum):
    """Where a transaction stands; each machine uses some of these."""

    CALLING = auto()
    TRYING = auto()
    PROCEEDING = auto()
    COMPLETED = auto()
    CONFIRMED = auto()
    ACCEPTED = auto()
    TERMINATED = auto()


class Input(Enum):
    """What can happen to a transaction; each machine knows some of these."""

    RECEIVE_1XX = auto()
    RECEIVE_2XX = auto()
    RECEIVE_FAILURE = auto()
    RECEIVE_REQUEST = auto()
    RECEIVE_ACK = auto()
    SEND_1XX = auto()
    SEND_2XX = auto()
    SEND_FAILURE = auto()
    RETRANSMIT = auto()
    GIVE_UP = auto()
    LINGER_OVER = auto()
    UNREACHABLE = auto()
    ABANDON = auto()


class Timer(Enum):
    """The RFC's lettered timers, grouped by what they mean to a machine."""

    RETRANSMIT = Input.RETRANSMIT
    """A, E, G: send the last message again."""
    GIVE_UP = Input.GIVE_UP
    """B, F, H: the other side never answered."""
    LINGER = Input.LINGER_OVER
    """D, I, J, K, L, M: stray retransmissions need no more absorbing."""


class Action(Enum):
    """What a machine wants done, in the order given."""

    SEND = auto()
    """Send the last request or response (again)."""
    ACK = auto()
    """Acknowledge a failure response, within the transaction."""
    TELL = auto()
    """Hand the message to the transaction's user."""
    TELL_TIMEOUT = auto()
    """Tell the user that nobody answered: a 408 made here."""
    TELL_UNREACHABLE = auto()
    """Tell the user that it could not be sent: a 503 made here."""


@dataclass(frozen=True, slots=True)
class Rule:
    """One row of a table."""

    state: State
    """The next state."""

    actions: tuple[Action, ...] = ()
    """What to do."""

    stop: tuple[Timer, ...] = ()
    """Timers that no longer matter."""

    start: tuple[tuple[Timer, int], ...] = ()
    """Timers to start, with their milliseconds; RETRANSMIT's is its first interval."""

    again: bool = False
    """Whether to run RETRANSMIT once more, after an interval that has doubled."""


Table = Mapping[tuple[State, Input], Rule]
Pairs = frozenset[tuple[State, Input]]


@dataclass(frozen=True, slots=True)
class Machine:
    """One of the four: its states, its inputs and its table."""

    name: str
    """For logs and failed tests."""

    first: State
    """The state that a new transaction is in."""

    on_start: Rule
    """What happens when it is created; its state is `first`."""

    inputs: frozenset[Input]
    """The inputs that it knows."""

    states: frozenset[State]
    """The states that it can be in."""

    table: Table
    """Rules by state and input."""

    ignored: Pairs
    """The pairs in which nothing happens."""

    longest_interval_ms: int | None = T2_MS
    """Where doubling of the retransmission interval ends; None never."""

    def rule(self, state: State, given: Input) -> Rule | None:
        """The rule for an input in a state; None when that input changes nothing there."""
        return self.table.get((state, given))
