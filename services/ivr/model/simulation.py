"""A call that is only imagined: what is done to its flow, and what the flow did."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum


@dataclass(frozen=True, slots=True)
class PressKeys:
    """Keys are pressed at the next question; those that it leaves are pressed at the one after."""

    digits: str
    """1 to 32."""


@dataclass(frozen=True, slots=True)
class StaySilent:
    """Nothing is pressed at the next question; in a queue, the next message is waited for."""


@dataclass(frozen=True, slots=True)
class HangUp:
    """The caller hangs up."""


@dataclass(frozen=True, slots=True)
class AgentAnswers:
    """An agent answers from the queue."""


@dataclass(frozen=True, slots=True)
class TakeExit:
    """Waiting in the queue ends otherwise."""

    exit: str
    """One of the exits that a queue has, for example `timeout`."""


@dataclass(frozen=True, slots=True)
class FarEndHangsUp:
    """The agent, or whoever was dialled, ends the conversation."""


@dataclass(frozen=True, slots=True)
class DialEnds:
    """What becomes of the number that was dialled."""

    outcome: str
    """answer, busy, no_answer or unreachable."""


SimulatedInput = (
    PressKeys | StaySilent | HangUp | AgentAnswers | TakeExit | FarEndHangsUp | DialEnds
)


class Wait(StrEnum):
    """What an imagined call waits for."""

    NOTHING = ""
    """It is over."""
    DIGITS = "digits"
    """Keys, or silence."""
    QUEUE = "queue"
    """An agent, an exit, or the next message."""
    AGENT = "agent"
    """The end of the conversation."""
    DIAL = "dial"
    """The number outside."""


@dataclass(frozen=True, slots=True)
class SimulatedStep:
    """One thing that the flow did."""

    node: str
    """The node that did it."""
    at_ms: int
    """Since the call began, as prompts and waits would take."""
    kind: str
    """enter, say, play, ask, keyed, queue, agent, dial, set, hours, hang-up, end or fault."""
    values: Mapping[str, str]
    """For people."""


@dataclass(frozen=True, slots=True)
class Walk:
    """What became of an imagined call."""

    steps: tuple[SimulatedStep, ...]
    """In order."""
    waits_for: Wait
    """Why it stopped."""
    variables: Mapping[str, str]
    """What the flow knows in the end, without keyed digits that are not safe."""
