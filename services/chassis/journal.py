"""Where a core's inputs and events are kept before their effect is acknowledged."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import AsyncGenerator, Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar, Protocol

from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind

LEASE_MS = 2_000
"""An owner that was not heard of for so long has lost the shard."""
MAX_ROWS = 1_000
"""Rows of one `append`."""
SNAPSHOTS_KEPT = 2
"""Of each shard. Rows are kept for ever: the past can be decided again from them."""


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
    config_version: int = 0
    """Of the rules that decided: an input is decided again by the same ones only."""


@dataclass(frozen=True, slots=True)
class SavedState:
    """A shard's whole state at one point of its journal."""

    shard: str
    """Whose."""
    seq: int
    """The last row that is in it."""
    at_ms: int
    """That row's time."""
    state: bytes
    """The snapshot, encoded."""


@dataclass(frozen=True, slots=True)
class Opened:
    """A shard that was taken over."""

    epoch: int
    """The new ownership: writers of older ones are fenced."""
    last_seq: int
    """Of the last row; 0 when there is none."""
    silent_ms: int
    """Since the last owner gave a sign of life; 0 when there was none."""
    now_ms: int | None = None
    """UTC milliseconds by the clock that all owners' leases go by; None: there is none."""


class Fenced(CarillonError):
    """Another owner has written to the shard: this one's state is no longer true."""

    code: ClassVar[str] = "fenced"
    kind: ClassVar[Kind] = Kind.ABORTED


class JournalUnavailable(CarillonError):
    """The journal cannot be reached now. What was asked may still come true; it can be repeated."""

    code: ClassVar[str] = "journal-unavailable"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class OwnedElsewhere(CarillonError):
    """Another process that is alive decides for the shard."""

    code: ClassVar[str] = "owned-elsewhere"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE

    def __init__(self, address: str) -> None:
        """`address` is the owner's, as it gave it to `open`."""
        super().__init__(address)
        self.address = address


class Journal(Protocol):
    """Durable rows per shard, with one writer at a time.

    Every method may raise JournalUnavailable, and everything may be repeated after it.
    """

    lease_ms: int | None
    """How long an owner's silence is borne; None: ownership does not end by itself."""

    async def open(self, shard: str, owner: str) -> Opened:
        """Takes a shard over from nobody, from the dead, or from an earlier life at this address.

        OwnedElsewhere while another owner's lease runs. `owner` is an address at which others
        reach it; only one process at a time answers there.
        """

    async def renew(self, shard: str, epoch: int) -> None:
        """A sign of life; Fenced when another has taken the shard over."""

    async def release(self, shard: str, epoch: int) -> None:
        """Lets the shard go at once; nothing when it is another's by now."""

    async def append(self, rows: Sequence[JournalRow]) -> None:
        """Writes rows of one shard, all or none; a sign of life, too.

        Fenced when the epoch is over or the first row does not follow the last one written.
        Rows that are there already, from an append whose reply was lost, are not written twice.
        """

    def read(
        self, shard: str, after_seq: int = 0, *, limit: int | None = None
    ) -> AsyncGenerator[JournalRow, None]:
        """A shard's rows after one of them, in order; all of them unless told."""

    async def save_snapshot(
        self, shard: str, seq: int, at_ms: int, encode: Callable[[], bytes]
    ) -> None:
        """Keeps a snapshot; `encode` may take long and may run in another thread."""

    async def load_snapshot(self, shard: str) -> SavedState | None:
        """The newest snapshot."""

    async def published(self, shard: str) -> int:
        """The last row whose events are on the bus; 0: none."""

    async def set_published(self, shard: str, seq: int) -> None:
        """Remembers that; never goes back."""

    async def unowned(self, limit: int) -> list[str]:
        """Shards that have rows and no living owner, those first that have been so longest."""

    async def close(self) -> None:
        """Releases what the journal holds."""


@dataclass(frozen=True, slots=True)
class _Lease:
    """Who owns a shard."""

    owner: str = ""
    """The address."""
    epoch: int = 0
    """Ownerships so far."""
    alive_ms: int = 0
    """The last sign of life."""
    released: bool = True
    """True: it is free."""


class MemoryJournal:
    """Rows in this process's memory: for tests, simulation, and a world without a database."""

    def __init__(self, clock: Clock | None = None) -> None:
        """With a clock, ownership is a lease; without one, whoever opens a shard has it."""
        self.lease_ms = None if clock is None else LEASE_MS
        self._clock = clock
        self._rows: dict[str, list[JournalRow]] = defaultdict(list)
        self._leases: dict[str, _Lease] = defaultdict(_Lease)
        self._snapshots: dict[str, SavedState] = {}
        self._published: dict[str, int] = defaultdict(int)

    async def open(self, shard: str, owner: str) -> Opened:
        """Takes the shard over; see `Journal.open`."""
        known, now_ms = self._leases[shard], self._now_ms()
        held = self.lease_ms is not None and not self._lapsed(shard)
        if held and known.owner != owner:
            raise OwnedElsewhere(known.owner)
        silent_ms = now_ms - known.alive_ms if known.epoch else 0
        self._leases[shard] = _Lease(owner, known.epoch + 1, now_ms, released=False)
        told_ms = None if self._clock is None else now_ms
        return Opened(known.epoch + 1, len(self._rows[shard]), silent_ms, told_ms)

    async def renew(self, shard: str, epoch: int) -> None:
        """A sign of life; see `Journal.renew`."""
        lease = self._leases[shard]
        if lease.epoch != epoch:
            raise Fenced(f"shard {shard}: epoch {epoch} is over")
        self._leases[shard] = replace(lease, alive_ms=self._now_ms(), released=False)

    async def release(self, shard: str, epoch: int) -> None:
        """Lets the shard go; see `Journal.release`."""
        if self._leases[shard].epoch == epoch:
            self._leases[shard] = replace(self._leases[shard], released=True)

    async def append(self, rows: Sequence[JournalRow]) -> None:
        """Writes rows; see `Journal.append`."""
        if not rows:
            return
        shard = checked_shard(rows)
        kept = self._rows[shard]
        await self.renew(shard, rows[0].epoch)
        if kept[rows[0].seq - 1 : rows[0].seq - 1 + len(rows)] == list(rows):
            return
        if rows[0].seq != len(kept) + 1:
            raise Fenced(f"shard {shard}: seq {rows[0].seq} does not follow {len(kept)}")
        kept.extend(rows)

    async def read(
        self, shard: str, after_seq: int = 0, *, limit: int | None = None
    ) -> AsyncGenerator[JournalRow, None]:
        """Rows in order; see `Journal.read`."""
        last = None if limit is None else after_seq + limit
        for row in tuple(self._rows[shard][after_seq:last]):
            yield row

    async def save_snapshot(
        self, shard: str, seq: int, at_ms: int, encode: Callable[[], bytes]
    ) -> None:
        """Keeps a snapshot; see `Journal.save_snapshot`."""
        known = self._snapshots.get(shard)
        if known is None or known.seq <= seq:
            self._snapshots[shard] = SavedState(shard, seq, at_ms, encode())

    async def load_snapshot(self, shard: str) -> SavedState | None:
        """The newest snapshot."""
        return self._snapshots.get(shard)

    async def published(self, shard: str) -> int:
        """The last row on the bus; see `Journal.published`."""
        return self._published[shard]

    async def set_published(self, shard: str, seq: int) -> None:
        """Remembers it; see `Journal.set_published`."""
        self._published[shard] = max(self._published[shard], seq)

    async def unowned(self, limit: int) -> list[str]:
        """Shards without an owner; see `Journal.unowned`."""
        free = [shard for shard, rows in self._rows.items() if rows and self._lapsed(shard)]
        return sorted(free, key=lambda shard: (self._leases[shard].alive_ms, shard))[:limit]

    async def close(self) -> None:
        """Nothing is held."""

    def _lapsed(self, shard: str) -> bool:
        lease = self._leases[shard]
        if lease.released or self.lease_ms is None:
            return lease.released
        return self._now_ms() - lease.alive_ms > self.lease_ms

    def _now_ms(self) -> int:
        return 0 if self._clock is None else self._clock.now_ms()


def checked_shard(rows: Sequence[JournalRow]) -> str:
    """The one shard and epoch of consecutive rows; ValueError when they are not that."""
    first = rows[0]
    if len(rows) > MAX_ROWS:
        raise ValueError(f"{len(rows)} rows, at most {MAX_ROWS}")
    if any((row.shard, row.epoch) != (first.shard, first.epoch) for row in rows):
        raise ValueError("a batch never spans shards or epochs")
    if [row.seq for row in rows] != list(range(first.seq, first.seq + len(rows))):
        raise ValueError("a batch has no gaps")
    return first.shard
