"""One tenant's call centre as it stands: events in, records out, figures at any moment."""

from __future__ import annotations

from collections.abc import Collection
from zoneinfo import ZoneInfo

from services.analytics.core.formulas import Formulas
from services.analytics.core.live import LiveFigures, LiveRow
from services.analytics.core.measures import Terms
from services.analytics.core.projection import Projection
from services.analytics.core.story import step_of
from services.analytics.model.events import Happened
from services.analytics.model.records import Agent, Entry, Interval, Position, Queue, Records
from services.analytics.model.story import Step


class Floor:
    """The projection of events into records, with the figures that follow from these.

    It may be built from records alone, at any position, and goes on from there: what it holds is
    the same as if it had seen every event.
    """

    def __init__(
        self, *, zone: ZoneInfo, now_ms: int, terms: Terms, formulas: Formulas | None = None
    ) -> None:
        """`formulas`: the KPIs shown live; None: the usual ones."""
        self.zone = zone
        """Where its days begin."""
        self.position = Position()
        """How far it has come."""
        self._projection = Projection()
        self._figures = LiveFigures(zone=zone, now_ms=now_ms, terms=terms, formulas=formulas)
        self._queues: dict[str, Queue] = {}
        self._agents: dict[str, Agent] = {}
        self._entries: dict[str, Entry] = {}
        self._intervals: dict[tuple[str, int], Interval] = {}
        self._steps: list[Step] = []

    @property
    def remembered_from_ms(self) -> int:
        """Finished records from before this need not be remembered."""
        return self._figures.remembered_from_ms

    @property
    def unfinished(self) -> int:
        """Entries and intervals that go on."""
        return self._projection.unfinished

    def remember(self, records: Records) -> None:
        """Takes in records as they are stored: entries and intervals by when they began."""
        self._projection.remember(records)
        self._figures.take(records)

    def stand_at(self, position: Position) -> None:
        """What was remembered is all up to this position."""
        self.position = position

    def apply(self, happened: Happened) -> bool:
        """Takes an event in; False when it was in before."""
        if self.position.has(happened.event_id, happened.seq):
            return False
        self.position = self.position.after(happened.event_id, happened.seq, happened.at_ms)
        if happened.event is not None:
            step = step_of(happened, self._projection)
            if step is not None:
                self._steps.append(step)
            changed = self._projection.apply(happened.event)
            self._figures.take(changed)
            self._collect(changed)
        return True

    def changes(self) -> Records:
        """The records that have changed since this was last asked, as they are now."""
        changed = Records(
            queues=tuple(self._queues.values()),
            agents=tuple(self._agents.values()),
            entries=tuple(self._entries.values()),
            intervals=tuple(self._intervals.values()),
        )
        for kept in (self._queues, self._agents, self._entries, self._intervals):
            kept.clear()
        return changed

    def steps(self) -> tuple[Step, ...]:
        """What has been added to contacts' stories since this was last asked."""
        steps, self._steps = tuple(self._steps), []
        return steps

    def rows(self, now_ms: int, *, only: Collection[str] | None = None) -> tuple[LiveRow, ...]:
        """The figures at a moment, never from before the newest event; see `LiveFigures.rows`."""
        return self._figures.rows(max(now_ms, self.position.as_of_ms), only=only)

    def queues_of(self, agent_id: str) -> tuple[str, ...]:
        """The queues that an agent serves."""
        agent = self._projection.agents.get(agent_id)
        return () if agent is None else agent.queue_ids

    def _collect(self, changed: Records) -> None:
        self._queues |= {queue.queue_id: queue for queue in changed.queues}
        self._agents |= {agent.agent_id: agent for agent in changed.agents}
        self._entries |= {entry.entry_id: entry for entry in changed.entries}
        self._intervals |= {(each.agent_id, each.version): each for each in changed.intervals}
