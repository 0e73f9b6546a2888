"""What happened to a contact, step by step."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from services.analytics.model.events import CallFact
from services.analytics.model.records import Call, Entry
from services.analytics.model.words import Source


@dataclass(frozen=True, slots=True)
class Step:
    """One thing that happened."""

    contact_id: str
    """To this contact."""
    event_id: str
    """Of the event that tells; unique."""
    seq: int
    """Its place among those of its source."""
    at_ms: int
    """UTC milliseconds on the source's clock."""
    kind: str
    """What: see carillon.analytics.v1.StoryStep."""
    source: Source
    """Who tells."""
    values: Mapping[str, str]
    """What is needed to say it in words."""


@dataclass(frozen=True, slots=True)
class LadderStep:
    """One SIP message."""

    at_ms: int
    """UTC milliseconds."""
    leg_id: str
    """The leg that it concerns."""
    sent: bool
    """True: the gateway sent it."""
    peer: str
    """The other side's address."""
    line: str
    """Its method, or its status."""
    cseq: str
    """Which transaction."""
    times: int
    """Of what was sent again, how often in all."""


@dataclass(frozen=True, slots=True)
class Ladder:
    """Who said what in SIP."""

    contact_id: str
    """In this call."""
    steps: tuple[LadderStep, ...]
    """In order."""


@dataclass(frozen=True, slots=True)
class Told:
    """What one fact of a gateway says."""

    fact: CallFact
    """About the call as a whole."""
    step: Step | None = None
    """Of its story; None: nothing."""
    ladder: Ladder | None = None
    """Its signalling, once."""


@dataclass(frozen=True, slots=True)
class Story:
    """A contact as it went."""

    contact_id: str
    """The contact."""
    call: Call | None
    """None: no gateway has told of it."""
    entries: tuple[Entry, ...]
    """Its stays in queues, in order."""
    steps: tuple[Step, ...]
    """In order."""
    ladder: tuple[LadderStep, ...] = ()
    """In order; empty while the call goes on."""

    @property
    def is_empty(self) -> bool:
        """Whether nothing is known of such a contact."""
        return self.call is None and not self.entries and not self.steps
