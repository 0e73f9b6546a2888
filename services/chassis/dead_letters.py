"""Events that a group refuses again and again: kept in a topic of its own, so that others go on.

The same in every world. What is buried stays as long as any event does; nothing reads it by itself.
"""

from __future__ import annotations

import asyncio
from dataclasses import dataclass

from protos.common.v1 import dead_letter_pb2
from services.chassis.bus import Batch
from services.chassis.envelope import Envelope
from services.chassis.envelope_wire import message_of
from services.chassis.errors import CarillonError, Kind, RemoteError
from services.chassis.ids import TenantId

ALONE_AFTER = 3
"""Refusals of a batch, after which its events are handed over one at a time."""
BURIED_AFTER = 8
"""Refusals of one event, those of its batch included, after which it is buried: some 20 s."""
BURIED_IN_A_ROW = 10
"""Events without one that was taken between them: then it is not the events' fault."""
MAX_WORDS = 500
MAX_RECORD_BYTES = 65_536
_WAITS = (Kind.UNAVAILABLE, Kind.DEADLINE, Kind.EXHAUSTED, Kind.ABORTED)


def topic_of(group: str) -> str:
    """Where a group's dead letters are."""
    return f"{group}.dead.v1"


def waits(error: Exception) -> bool:
    """Whether an error says that something is away or busy, and nothing about the event."""
    if isinstance(error, CarillonError | RemoteError):
        return error.kind in _WAITS
    return isinstance(error, OSError | TimeoutError | asyncio.TimeoutError)


def letter(group: str, one: Batch, error: Exception, *, tries: int) -> Envelope:
    """The dead letter of a batch of one event. Buried twice, it has the same id twice."""
    (event,) = one.events
    message = dead_letter_pb2.DeadLetter(
        group=group,
        topic=one.topic,
        partition=one.partition,
        offset=one.first_offset,
        reason=_reason(error),
        words=str(error)[:MAX_WORDS],
        tries=tries,
        event=message_of(event),
    )
    return Envelope(
        event_id=f"dead:{group}:{event.event_id}",
        tenant_id=event.tenant_id,
        at_ms=event.at_ms,
        key=event.key,
        type=message.DESCRIPTOR.full_name,
        payload=message.SerializeToString(),
        seq=event.seq,
        traceparent=event.traceparent,
    )


def letter_of_record(
    group: str, topic: str, partition: int, offset: int, record: bytes, *, at_ms: int
) -> Envelope:
    """The dead letter of a record that is no event."""
    message = dead_letter_pb2.DeadLetter(
        group=group,
        topic=topic,
        partition=partition,
        offset=offset,
        reason="not-an-event",
        tries=1,
        record=record[:MAX_RECORD_BYTES],
    )
    return Envelope(
        event_id=f"dead:{group}:{topic}/{partition}/{offset}",
        tenant_id=TenantId(""),
        at_ms=at_ms,
        key=f"{topic}/{partition}",
        type=message.DESCRIPTOR.full_name,
        payload=message.SerializeToString(),
    )


@dataclass(slots=True)
class _Trouble:
    offset: int
    tries: int


class Refusals:
    """What one consumer has refused, by partition, and when it is given up."""

    def __init__(self) -> None:
        self._troubles: dict[tuple[str, int], _Trouble] = {}
        self._in_a_row = 0

    def alone(self, batch: Batch) -> bool:
        """Whether the batch's events are handed over one at a time."""
        return self.tries(batch) >= ALONE_AFTER

    def refused(self, batch: Batch) -> int:
        """Counts a refusal of the batch, or of its only event; how many there were."""
        place = (batch.topic, batch.partition)
        trouble = self._troubles.get(place)
        if trouble is None or trouble.offset != batch.first_offset:
            # What comes after an event that was alone is looked at alone, too.
            tries = ALONE_AFTER if trouble and trouble.tries >= ALONE_AFTER else 0
            trouble = self._troubles[place] = _Trouble(batch.first_offset, tries)
        trouble.tries += 1
        return trouble.tries

    def hopeless(self, one: Batch) -> bool:
        """Whether an event that was refused now is to be buried."""
        return self.tries(one) >= BURIED_AFTER and self._in_a_row < BURIED_IN_A_ROW

    def buried(self) -> None:
        """Counts one that was."""
        self._in_a_row += 1

    def taken(self) -> None:
        """Some event was: it is not everything that is refused."""
        self._in_a_row = 0

    def over(self, batch: Batch) -> None:
        """All of the batch is done or buried."""
        self._troubles.pop((batch.topic, batch.partition), None)

    def tries(self, batch: Batch) -> int:
        """How often the batch that begins there was refused."""
        trouble = self._troubles.get((batch.topic, batch.partition))
        known = trouble is not None and trouble.offset == batch.first_offset
        return trouble.tries if trouble is not None and known else 0


def _reason(error: Exception) -> str:
    if isinstance(error, CarillonError | RemoteError):
        return error.code
    return type(error).__name__
