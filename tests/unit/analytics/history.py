"""Events of routing as analytics gets them, and what is to be true of the records they make."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from functools import cache
from zoneinfo import ZoneInfo

from services.acd import model as acd
from services.acd.model import Event as AcdEvent
from services.acd.wire import make_codec
from services.analytics import wire
from services.analytics.core.catalogue import CATALOGUE
from services.analytics.core.floor import Floor
from services.analytics.core.formulas import Figure, Formulas
from services.analytics.core.live import LIVE_KPIS, TENANT
from services.analytics.core.measures import Terms
from services.analytics.core.report import Report
from services.analytics.core.windows import INTERVAL_MS, Window, day_start_ms
from services.analytics.model.events import Happened
from services.analytics.model.records import Entry, Interval, Records
from services.analytics.model.words import AgentState, Exit, Grouping
from services.chassis.envelope import Envelope, enveloped
from services.chassis.ids import TenantId

UTC = ZoneInfo("UTC")
TERMS = Terms()
TENANT_ID = TenantId("demo")
WITHOUT_CALLS = tuple(kpi for kpi in CATALOGUE if not kpi.needs_calls)
codec = cache(make_codec)


def envelopes(log: Sequence[AcdEvent], tenant_id: TenantId = TENANT_ID) -> list[Envelope]:
    """acd's events as it publishes them, one decision for each moment."""
    made: list[Envelope] = []
    seq, index, last_ms = 0, 0, -1
    for event in log:
        # An answer is stamped at the acceptance, but decided with what stands before it.
        decided_ms = last_ms if isinstance(event, acd.ContactExited) else event.at_ms
        seq, index = (seq, index + 1) if decided_ms == last_ms else (seq + 1, 0)
        last_ms = decided_ms
        envelope = enveloped(
            codec().to_proto(event),
            event_id=f"{tenant_id}:{seq}:{index}",
            tenant_id=tenant_id,
            at_ms=event.at_ms,
            key=tenant_id,
            seq=seq,
        )
        made.append(envelope)
    return made


def happenings(log: Sequence[AcdEvent]) -> list[Happened]:
    return [wire.happened(envelope) for envelope in envelopes(log)]


class Keeper:
    """Keeps records as a store does: the newest version of each."""

    def __init__(self) -> None:
        self.entries: dict[str, Entry] = {}
        self.intervals: dict[tuple[str, int], Interval] = {}
        self.rest = Records()

    def keep(self, records: Records) -> None:
        self.entries |= {entry.entry_id: entry for entry in records.entries}
        self.intervals |= {(each.agent_id, each.version): each for each in records.intervals}
        queues = {queue.queue_id: queue for queue in (*self.rest.queues, *records.queues)}
        agents = {agent.agent_id: agent for agent in (*self.rest.agents, *records.agents)}
        self.rest = Records(queues=tuple(queues.values()), agents=tuple(agents.values()))

    def all(self, *, from_ms: int) -> Records:
        """What must be remembered to go on."""
        entries = sorted(self.entries.values(), key=lambda entry: entry.offered_at_ms)
        intervals = sorted(self.intervals.values(), key=lambda each: each.from_ms)
        return Records(
            queues=self.rest.queues,
            agents=self.rest.agents,
            entries=tuple(
                each for each in entries if not each.is_finished or each.offered_at_ms >= from_ms
            ),
            intervals=tuple(
                each for each in intervals if each.to_ms is None or each.to_ms >= from_ms
            ),
        )


def batch(
    keeper: Keeper,
    window: Window,
    grouping: Grouping = Grouping.TOTAL,
    *,
    formulas: Formulas | None = None,
    zone: ZoneInfo = UTC,
) -> dict[str, tuple[Figure, ...]]:
    """A report over stored records."""
    formulas = formulas or Formulas(LIVE_KPIS, TERMS)
    report = Report(grouping=grouping, window=window, zone=zone, formulas=formulas)
    for entry in keeper.entries.values():
        if window.holds(entry.offered_at_ms):
            report.add_entry(entry)
    for interval in keeper.intervals.values():
        report.add_interval(interval)
    return {row.key: row.figures for row in report.rows()}


def assert_live_is_batch(
    floor: Floor,
    keeper: Keeper,
    now_ms: int,
    *,
    formulas: Formulas | None = None,
    zone: ZoneInfo = UTC,
) -> None:
    """Every figure of every row, both windows, to the unit."""
    formulas = formulas or Formulas(LIVE_KPIS, TERMS)
    nothing = formulas.figures(formulas.nothing(), {})
    today = Window(day_start_ms(now_ms, zone), now_ms + 1, now_ms)
    recent = Window(now_ms - INTERVAL_MS, now_ms + 1, now_ms)
    rows = floor.rows(now_ms)
    assert rows[0].queue_id == TENANT
    for part in ("today", "now"):
        window = today if part == "today" else recent
        total = batch(keeper, window, formulas=formulas, zone=zone)
        queues = batch(keeper, window, Grouping.QUEUE, formulas=formulas, zone=zone)
        expected = total | queues
        for row in rows:
            assert getattr(row, part) == expected.get(row.queue_id, nothing), (part, row.queue_id)
    for row in rows:
        mine = [
            entry.offered_at_ms
            for entry in keeper.entries.values()
            if entry.exit is Exit.WAITING and row.queue_id in {TENANT, entry.queue_id}
        ]
        assert row.waiting == len(mine)
        assert row.oldest_waiting_since_ms == min(mine, default=None)
        agents = dict.fromkeys(AgentState, 0)
        for interval in keeper.intervals.values():
            if interval.to_ms is None and row.queue_id in {TENANT, *interval.queue_ids}:
                agents[interval.state] += 1
        assert dict(row.agents) == agents


def by_label(figures: Iterable[Figure]) -> dict[str, Figure]:
    return {f"{each.kpi}:{each.variant}" if each.variant else each.kpi: each for each in figures}
