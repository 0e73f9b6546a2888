"""What is known of a call besides its sound, and what is asked about it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import TypeAlias

from services.chassis.ids import CallId
from services.recording.model.evidence import Recording

MAX_ATTRIBUTES = 64
"""Of one call; what the flow knows is bounded before it comes here."""
MAX_PEOPLE = 256
"""Agents, queues, legs and dispositions of one call that are remembered, of each."""


@dataclass(frozen=True, slots=True)
class Leg:
    """An endpoint of a call."""

    role: str
    """caller, agent or external."""
    agent_id: str
    """Of an agent's leg."""


@dataclass(frozen=True, slots=True)
class Call:
    """What gateways and routing told of one call."""

    call_id: CallId
    """Which."""
    ended_at_ms: int = 0
    """UTC milliseconds; 0: it goes on, as far as is known."""
    bridged: bool = False
    """Somebody answered: two legs heard each other."""
    consent: str = ""
    """Why it was allowed to record; empty: it never was."""
    trouble: str = ""
    """Why recording failed, if it did."""
    agent_ids: tuple[str, ...] = ()
    """Who took part, in the order in which they did."""
    queue_ids: tuple[str, ...] = ()
    """For which queues."""
    dispositions: tuple[str, ...] = ()
    """What it was about."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """What the flow knew of the contact."""
    external_ref: str = ""
    """The customer's system's reference."""
    legs: Mapping[str, Leg] = field(default_factory=dict)
    """By id."""


@dataclass(frozen=True, slots=True)
class ContactKnown:
    """What the flow knew of a contact as it came to a queue."""

    call_id: CallId
    """The call."""
    attributes: Mapping[str, str]
    """What is added or replaced."""
    external_ref: str
    """Empty: as it was."""


@dataclass(frozen=True, slots=True)
class AgentTookPart:
    """An agent answered."""

    call_id: CallId
    """The call."""
    agent_id: str
    """Who."""
    queue_id: str
    """For which queue; empty: for none."""


@dataclass(frozen=True, slots=True)
class DispositionGiven:
    """What the call was about is on record."""

    call_id: CallId
    """The call."""
    disposition: str
    """The code."""


@dataclass(frozen=True, slots=True)
class LegKnown:
    """A leg was added to the call."""

    call_id: CallId
    """The call."""
    leg_id: str
    """Which."""
    leg: Leg
    """Whose."""


@dataclass(frozen=True, slots=True)
class LegsHeard:
    """Two legs heard each other."""

    call_id: CallId
    """The call."""
    leg_ids: tuple[str, ...]
    """Which."""


@dataclass(frozen=True, slots=True)
class RecordingAllowed:
    """Recording began, with a reason why it was allowed."""

    call_id: CallId
    """The call."""
    consent: str
    """announced, agreed or policy."""


@dataclass(frozen=True, slots=True)
class RecordingFailed:
    """The gateway could not record."""

    call_id: CallId
    """The call."""
    reason: str
    """For example disk-full."""


@dataclass(frozen=True, slots=True)
class CallOver:
    """The last leg is gone."""

    call_id: CallId
    """The call."""
    at_ms: int
    """UTC milliseconds."""


@dataclass(frozen=True, slots=True)
class Named:
    """What people call an agent or a queue."""

    kind: str
    """agent or queue."""
    id: str
    """Which."""
    name: str
    """Its name from now on."""


CallNote: TypeAlias = (
    ContactKnown
    | AgentTookPart
    | DispositionGiven
    | LegKnown
    | LegsHeard
    | RecordingAllowed
    | RecordingFailed
    | CallOver
)
Note: TypeAlias = CallNote | Named


@dataclass(frozen=True, slots=True)
class Found:
    """A recording with what is known of its call, and the names of who took part."""

    recording: Recording
    """The evidence."""
    call: Call
    """What others told."""
    names: Mapping[tuple[str, str], str] = field(default_factory=dict)
    """By (agent or queue, id)."""


@dataclass(frozen=True, slots=True)
class Search:
    """Which recordings are looked for; what is empty does not matter."""

    agent_id: str = ""
    """Who took part."""
    own_agent_id: str = ""
    """Who asks, and may see only what they took part in."""
    queue_id: str = ""
    """For which queue."""
    number: str = ""
    """Either side, or its last digits."""
    from_ms: int = 0
    """Begun at or after; UTC milliseconds."""
    to_ms: int = 0
    """Begun before; UTC milliseconds."""
    attributes: Mapping[str, str] = field(default_factory=dict)
    """All of which the call has."""
    external_ref: str = ""
    """The customer's system's reference."""
    state: str = ""
    """recording, complete or incomplete."""


@dataclass(frozen=True, slots=True)
class Pair:
    """What was told of a call, and what was recorded of it: at least one of the two."""

    call: Call | None
    """None: nobody told of it."""
    recording: Recording | None
    """None: nothing is stored."""

    @property
    def call_id(self) -> CallId:
        """Which call it is about."""
        if self.call is not None:
            return self.call.call_id
        assert self.recording is not None, "a pair of nothing"
        return self.recording.recording_id


@dataclass(frozen=True, slots=True)
class Difference:
    """One call whose recording is not as it should be."""

    call_id: CallId
    """Which."""
    kind: str
    """missing, unexpected, incomplete or orphan."""
    at_ms: int
    """When the call ended, or its recording began; UTC milliseconds."""
    detail: str
    """In words."""


@dataclass(frozen=True, slots=True)
class Reconciliation:
    """Answered calls against stored recordings."""

    answered_calls: int = 0
    """That ended in the stretch."""
    expected: int = 0
    """Of those, with consent to record."""
    stored: int = 0
    """Of those, with a recording."""
    differences: tuple[Difference, ...] = ()
    """What is not as it should be."""
