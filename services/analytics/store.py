"""Where records are kept: the port, and an adapter in memory for simulation."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from heapq import nlargest, nsmallest
from typing import Any, ClassVar, Final, Protocol, TypeVar

from services.analytics.core.calls import merged, outcome_of
from services.analytics.core.story import MAX_STEPS, in_order
from services.analytics.model.questions import CallQuery, EntryQuery, IntervalQuery
from services.analytics.model.records import (
    Agent,
    Call,
    Entry,
    Interval,
    Position,
    Queue,
    Records,
)
from services.analytics.model.story import Ladder, Step, Story
from services.chassis.errors import CarillonError, Kind
from services.chassis.ids import TenantId

T = TypeVar("T")
K = TypeVar("K", bound="tuple[Any, ...]")

PAGE = 1_000
"""Records handed out at a time."""
BEYOND: Final = 2**62
"""Later than anything happens; UTC milliseconds."""


class StalePosition(CarillonError):
    """Somebody else has stored the tenant's records since: go on from theirs."""

    code: ClassVar[str] = "stale-position"
    kind: ClassVar[Kind] = Kind.ABORTED


class AnalyticsStore(Protocol):
    """Records and how far their events have come, changed together or not at all."""

    async def position(self, tenant_id: TenantId) -> Position:
        """How far a tenant's records have come; the beginning when there are none."""

    async def load(
        self,
        tenant_id: TenantId,
        *,
        from_ms: int,
        after_revision: int,
        take: Callable[[Records], None],
    ) -> Position:
        """Hands out records in portions, all as of the position that it returns.

        After revision 0: every queue and agent, with entries and intervals that go on or, at
        `from_ms` or later, began or ended. After a later one: what was stored since. In each
        kind, by when they began.
        """

    async def write(
        self,
        tenant_id: TenantId,
        *,
        before: Position,
        after: Position,
        records: Records,
        steps: Sequence[Step] = (),
    ) -> None:
        """Stores records, and steps, with the position of both; StalePosition, and nothing is.

        `before` is the position gone on from; the revision stored is the one after it.
        """

    async def put_calls(
        self,
        tenant_id: TenantId,
        calls: Sequence[Call],
        *,
        steps: Sequence[Step] = (),
        ladders: Sequence[Ladder] = (),
    ) -> None:
        """Stores what gateways told; what was told before changes nothing."""

    async def story(self, tenant_id: TenantId, contact_id: str) -> Story:
        """All that is known of a contact: nothing, where there is none of this id."""

    async def put_zone(self, tenant_id: TenantId, time_zone: str) -> None:
        """Remembers the tenant's IANA time zone."""

    async def zone(self, tenant_id: TenantId) -> str:
        """The tenant's IANA time zone; empty: not known."""

    async def directory(self, tenant_id: TenantId) -> Records:
        """Queues and agents as they are now, the removed ones included, by id."""

    async def entries(
        self, tenant_id: TenantId, query: EntryQuery, *, after: tuple[int, str], limit: int
    ) -> list[Entry]:
        """Entries in order of (offered_at_ms, entry_id), or backwards, from behind `after`."""

    async def intervals(
        self, tenant_id: TenantId, query: IntervalQuery, *, after: tuple[int, str, int], limit: int
    ) -> list[Interval]:
        """Intervals in order of (from_ms, agent_id, version), or backwards, from behind `after`."""

    async def calls(
        self, tenant_id: TenantId, query: CallQuery, *, after: tuple[int, str], limit: int
    ) -> list[Call]:
        """Calls in order of (started_at_ms, call_id), or backwards, with what became of them."""


@dataclass(slots=True)
class _Kept:
    """One tenant's records, each with the revision that it was stored under."""

    position: Position = field(default_factory=Position)
    zone: str = ""
    queues: dict[str, tuple[int, Queue]] = field(default_factory=dict)
    agents: dict[str, tuple[int, Agent]] = field(default_factory=dict)
    entries: dict[str, tuple[int, Entry]] = field(default_factory=dict)
    intervals: dict[tuple[str, int], tuple[int, Interval]] = field(default_factory=dict)
    calls: dict[str, Call] = field(default_factory=dict)
    steps: dict[str, dict[str, Step]] = field(default_factory=dict)
    ladders: dict[str, Ladder] = field(default_factory=dict)

    def tell(self, steps: Iterable[Step]) -> None:
        """Adds steps to their stories, as far as there is room."""
        for step in steps:
            story = self.steps.setdefault(step.contact_id, {})
            if len(story) < MAX_STEPS:
                story.setdefault(step.event_id, step)


class MemoryStore:
    """Records in this process; see `AnalyticsStore`."""

    def __init__(self) -> None:
        self._kept: dict[TenantId, _Kept] = defaultdict(_Kept)

    async def position(self, tenant_id: TenantId) -> Position:
        """See `AnalyticsStore.position`."""
        return self._kept[tenant_id].position

    async def load(
        self,
        tenant_id: TenantId,
        *,
        from_ms: int,
        after_revision: int,
        take: Callable[[Records], None],
    ) -> Position:
        """See `AnalyticsStore.load`."""
        kept = self._kept[tenant_id]

        def since(rows: Iterable[tuple[int, T]]) -> list[T]:
            return [record for revision, record in rows if revision > after_revision]

        entries = sorted(since(kept.entries.values()), key=entry_key)
        intervals = sorted(since(kept.intervals.values()), key=interval_key)
        if not after_revision:
            entries = [e for e in entries if not e.is_finished or e.offered_at_ms >= from_ms]
            intervals = [i for i in intervals if i.to_ms is None or i.to_ms >= from_ms]
        take(
            Records(
                queues=tuple(since(kept.queues.values())),
                agents=tuple(since(kept.agents.values())),
                entries=tuple(entries),
                intervals=tuple(intervals),
            )
        )
        return kept.position

    async def write(
        self,
        tenant_id: TenantId,
        *,
        before: Position,
        after: Position,
        records: Records,
        steps: Sequence[Step] = (),
    ) -> None:
        """See `AnalyticsStore.write`."""
        kept = self._kept[tenant_id]
        if kept.position.revision != before.revision:
            raise StalePosition(f"{tenant_id}: {kept.position.revision}, not {before.revision}")
        revision = before.revision + 1
        kept.position = replace(after, revision=revision)
        kept.queues |= {each.queue_id: (revision, each) for each in records.queues}
        kept.agents |= {each.agent_id: (revision, each) for each in records.agents}
        kept.entries |= {each.entry_id: (revision, each) for each in records.entries}
        kept.intervals |= {
            (each.agent_id, each.version): (revision, each) for each in records.intervals
        }
        kept.tell(steps)

    async def put_calls(
        self,
        tenant_id: TenantId,
        calls: Sequence[Call],
        *,
        steps: Sequence[Step] = (),
        ladders: Sequence[Ladder] = (),
    ) -> None:
        """See `AnalyticsStore.put_calls`."""
        kept = self._kept[tenant_id]
        for call in calls:
            kept.calls[call.call_id] = merged(kept.calls.get(call.call_id), call)
        kept.tell(steps)
        for ladder in ladders:
            kept.ladders.setdefault(ladder.contact_id, ladder)

    async def story(self, tenant_id: TenantId, contact_id: str) -> Story:
        """See `AnalyticsStore.story`."""
        kept = self._kept[tenant_id]
        entries = [each for _, each in kept.entries.values() if each.contact_id == contact_id]
        call, ladder = kept.calls.get(contact_id), kept.ladders.get(contact_id)
        return Story(
            contact_id=contact_id,
            call=None if call is None else with_entries(call, entries),
            entries=tuple(sorted(entries, key=entry_key)),
            steps=in_order(kept.steps.get(contact_id, {}).values()),
            ladder=() if ladder is None else ladder.steps,
        )

    async def put_zone(self, tenant_id: TenantId, time_zone: str) -> None:
        """See `AnalyticsStore.put_zone`."""
        self._kept[tenant_id].zone = time_zone

    async def zone(self, tenant_id: TenantId) -> str:
        """See `AnalyticsStore.zone`."""
        return self._kept[tenant_id].zone

    async def directory(self, tenant_id: TenantId) -> Records:
        """See `AnalyticsStore.directory`."""
        kept = self._kept[tenant_id]
        return Records(
            queues=tuple(kept.queues[key][1] for key in sorted(kept.queues)),
            agents=tuple(kept.agents[key][1] for key in sorted(kept.agents)),
        )

    async def entries(
        self, tenant_id: TenantId, query: EntryQuery, *, after: tuple[int, str], limit: int
    ) -> list[Entry]:
        """See `AnalyticsStore.entries`."""
        found = (
            entry
            for _, entry in self._kept[tenant_id].entries.values()
            if query.from_ms <= entry.offered_at_ms < query.to_ms
            and (not query.queue_ids or entry.queue_id in query.queue_ids)
            and (not query.agent_ids or entry.agent_id in query.agent_ids)
            and (not query.exits or entry.exit in query.exits)
        )
        return _listed(found, entry_key, after, limit=limit, newest_first=query.newest_first)

    async def intervals(
        self, tenant_id: TenantId, query: IntervalQuery, *, after: tuple[int, str, int], limit: int
    ) -> list[Interval]:
        """See `AnalyticsStore.intervals`."""
        found = (
            interval
            for _, interval in self._kept[tenant_id].intervals.values()
            if _touches(interval, query)
            and (not query.queue_ids or set(interval.queue_ids) & set(query.queue_ids))
            and (not query.agent_ids or interval.agent_id in query.agent_ids)
            and (not query.states or interval.state in query.states)
        )
        return _listed(found, interval_key, after, limit=limit, newest_first=query.newest_first)

    async def calls(
        self, tenant_id: TenantId, query: CallQuery, *, after: tuple[int, str], limit: int
    ) -> list[Call]:
        """See `AnalyticsStore.calls`."""
        kept = self._kept[tenant_id]
        stays: dict[str, list[Entry]] = defaultdict(list)
        for _, entry in kept.entries.values():
            stays[entry.contact_id].append(entry)
        found = (
            with_entries(call, stays.get(call.call_id, ()))
            for call in kept.calls.values()
            if query.from_ms <= call.started_at_ms < query.to_ms
        )
        return _listed(found, call_key, after, limit=limit, newest_first=query.newest_first)


def with_entries(call: Call, entries: Collection[Entry]) -> Call:
    """A call with what became of it in queues."""
    return replace(call, outcome=outcome_of([entry.exit for entry in entries]))


def before_all(*, newest_first: bool) -> tuple[int, str]:
    """What the first page of entries or calls goes on from."""
    return (BEYOND if newest_first else -1), ""


def before_all_intervals(*, newest_first: bool) -> tuple[int, str, int]:
    """What the first page of intervals goes on from."""
    return (*before_all(newest_first=newest_first), -1)


def entry_key(entry: Entry) -> tuple[int, str]:
    """What entries are listed by."""
    return entry.offered_at_ms, entry.entry_id


def interval_key(interval: Interval) -> tuple[int, str, int]:
    """What intervals are listed by."""
    return interval.from_ms, interval.agent_id, interval.version


def call_key(call: Call) -> tuple[int, str]:
    """What calls are listed by."""
    return call.started_at_ms, call.call_id


def _listed(
    found: Iterable[T], key: Callable[[T], K], after: K, *, limit: int, newest_first: bool
) -> list[T]:
    if newest_first:
        return nlargest(limit, (each for each in found if key(each) < after), key=key)
    return nsmallest(limit, (each for each in found if key(each) > after), key=key)


def _touches(interval: Interval, query: IntervalQuery) -> bool:
    if interval.from_ms >= query.to_ms:
        return False
    open_or_later = interval.to_ms is None or interval.to_ms > query.from_ms
    return open_or_later or interval.from_ms >= query.from_ms
