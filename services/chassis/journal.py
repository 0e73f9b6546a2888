"""Where a core's inputs and events are kept before their effect is acknowledged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass
from typing import ClassVar, Protocol

from services.chassis.errors import CarillonError, Kind


@dataclass(frozen=True, slots=True)
class JournalRow:
    """One input of a shard and what followed from it."""

    shard: str
    """Whose state it is; one tenant."""
    seq: int
    """From 1, without gaps."""
    epoch: int
    """The ownership under which it was written."""
    at_ms: int
    """UTC milliseconds of the owner, never less than the row before."""
    input: bytes
    """The command, encoded; empty for a tick."""
    events: tuple[bytes, ...]
    """The events, encoded, in order."""


class Fenced(CarillonError):
    """Another owner has written to the shard: this one's state is no longer true."""

    code: ClassVar[str] = "fenced"
    kind: ClassVar[Kind] = Kind.ABORTED


class JournalUnavailable(CarillonError):
    """The journal cannot be reached now; nothing was written."""

    code: ClassVar[str] = "journal-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class Journal(Protocol):
    """Durable rows per shard, with one writer at a time."""

    async def open(self, shard: str) -> int:
        """Takes the shard over and returns the new epoch: writers of older ones are fenced."""

    async def append(self, rows: Sequence[JournalRow]) -> None:
        """Writes rows of one shard, all or none; Fenced or JournalUnavailable."""

    def read(self, shard: str) -> AsyncIterator[JournalRow]:
        """All rows of a shard in order."""


class MemoryJournal:
    """Rows in this process's memory: for tests, simulation, and a world without a database."""

    def __init__(self) -> None:
        self._rows: dict[str, list[JournalRow]] = defaultdict(list)
        self._epochs: dict[str, int] = defaultdict(int)

    async def open(self, shard: str) -> int:
        """Takes the shard over; see `Journal.open`."""
        self._epochs[shard] += 1
        return self._epochs[shard]

    async def append(self, rows: Sequence[JournalRow]) -> None:
        """Writes rows; see `Journal.append`."""
        if not rows:
            return
        shard = rows[0].shard
        kept = self._rows[shard]
        for offset, row in enumerate(rows, start=len(kept) + 1):
            if row.shard != shard:
                raise ValueError("a batch never spans shards")
            if row.epoch != self._epochs[shard] or row.seq != offset:
                raise Fenced(f"shard {shard}: epoch {row.epoch}, seq {row.seq}")
        kept.extend(rows)

    async def read(self, shard: str) -> AsyncIterator[JournalRow]:
        """All rows of a shard; see `Journal.read`."""
        for row in tuple(self._rows[shard]):
            yield row
