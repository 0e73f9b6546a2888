"""Drives a shard's core as its shell does, and keeps watch over what comes out."""

from __future__ import annotations

from typing import TypeVar

from services.acd import model
from services.acd.core.checker import check
from services.acd.core.shard import ShardCore
from services.acd.model import (
    AgentId,
    Channel,
    Command,
    ContactId,
    ContactReserved,
    EntryId,
    Event,
    Link,
    Plan,
    Presence,
    QueueId,
    ReservationId,
    SkillLevel,
)
from tests.unit.acd.laws import uphold

E = TypeVar("E")

Q = QueueId("q")
A, B, C = AgentId("a"), AgentId("b"), AgentId("c")
T0 = 1_700_000_000_000


class Desk:
    """A core, a clock, and a second core that only ever applies the first one's events."""

    def __init__(self, *, watch: bool = True) -> None:
        self.core = ShardCore()
        self.mirror = ShardCore()
        self.now_ms = T0
        self.log: list[Event] = []
        self._watch = watch
        self._versions: dict[AgentId, tuple[int, int]] = {}

    def do(self, command: Command) -> list[Event]:
        before = self.core.snapshot() if self._watch else None
        try:
            events = self.core.handle(command, self.now_ms)
        except model.RoutingError:
            assert before is None or self.core.snapshot() == before
            raise
        return self._take(events)

    def tick(self) -> list[Event]:
        events = self._take(self.core.tick(self.now_ms))
        due_ms = self.core.deadline_ms()
        assert due_ms is None or due_ms > self.now_ms
        return events

    def wait(self, wait_ms: int) -> list[Event]:
        """Lets time pass, ticking whenever the core asks for it."""
        until_ms = self.now_ms + wait_ms
        events: list[Event] = []
        while (due_ms := self.core.deadline_ms()) is not None and due_ms <= until_ms:
            self.now_ms = max(self.now_ms, due_ms)
            events += self.tick()
        self.now_ms = until_ms
        return events

    def _take(self, events: list[Event]) -> list[Event]:
        for event in events:
            if isinstance(event, ContactReserved):
                assert check(self.mirror.snapshot(), event.receipt) == ()
            if isinstance(event, model.AgentStateChanged):
                self._follow(event)
            if isinstance(event, model.AgentRemoved):
                self._versions.pop(event.agent_id, None)
            self.mirror.apply(event)
            self.core.apply(event)
        self.log += events
        if self._watch:
            snapshot = self.core.snapshot()
            assert snapshot == self.mirror.snapshot()
            uphold(snapshot)
        return events

    def _follow(self, event: model.AgentStateChanged) -> None:
        """Intervals are gap-free and numbered without holes."""
        version, since_ms = self._versions.get(event.agent_id, (0, event.previous_since_ms))
        assert (event.version, event.previous_since_ms) == (version + 1, since_ms)
        self._versions[event.agent_id] = (event.version, event.at_ms)

    # What tests say often, in one line each.

    def queue(self, queue_id: QueueId = Q, **rules: object) -> None:
        self.do(model.PutQueue(model.QueueConfig(queue_id=queue_id, **rules)))  # type: ignore[arg-type]  # any rule

    def agent(
        self, agent_id: AgentId = A, *, ready: bool = True, skills: str = "", **rules: object
    ) -> None:
        """An agent; skills as `de:5 en:3`; ready and reachable unless told otherwise."""
        pairs = (word.split(":") for word in skills.split())
        levels = tuple(SkillLevel(name, int(level)) for name, level in pairs)
        rules.setdefault("queues", (model.QueueMembership(Q),))
        self.do(model.PutAgent(model.AgentConfig(agent_id=agent_id, skills=levels, **rules)))  # type: ignore[arg-type]  # any rule
        if ready:
            self.do(model.ReportLink(agent_id, Link.REACHABLE))
            self.do(model.SetPresence(agent_id, Presence.READY))

    def enqueue(
        self,
        entry_id: str = "e",
        queue_id: QueueId = Q,
        *,
        plan: Plan | None = None,
        **more: object,
    ) -> list[Event]:
        command = model.EnqueueContact(
            entry_id=EntryId(entry_id),
            contact_id=ContactId(f"contact-{entry_id}"),
            queue_id=queue_id,
            channel=more.pop("channel", Channel.VOICE),  # type: ignore[arg-type]  # a Channel
            plan=plan,
            **more,  # type: ignore[arg-type]  # any field
        )
        return self.do(command)

    def ring(self, entry_id: str = "e") -> ReservationId:
        row = self.reservation(entry_id)
        self.do(model.ConfirmRing(row.reservation_id, row.agent_id))
        return row.reservation_id

    def answer(self, entry_id: str = "e") -> ReservationId:
        row = self.reservation(entry_id)
        self.do(model.AcceptReservation(row.reservation_id, row.agent_id))
        self.do(model.ConfirmBridged(row.reservation_id))
        return row.reservation_id

    def complete(self, entry_id: str = "e") -> list[Event]:
        row = self.reservation(entry_id)
        return self.do(model.CompleteContact(row.reservation_id, model.BridgeEnder.CALLER))

    def fail(self, outcome: model.Outcome, entry_id: str = "e") -> list[Event]:
        row = self.reservation(entry_id)
        return self.do(model.EndReservation(row.reservation_id, outcome))

    def reservation(self, entry_id: str = "e") -> model.ReservationRow:
        row = self.core.entry(EntryId(entry_id), self.now_ms).reservation
        assert row is not None, f"{entry_id} has no reservation"
        return row

    def rung(self, entry_id: str = "e") -> AgentId | None:
        """Who is reserved for a contact."""
        return self.core.entry(EntryId(entry_id), self.now_ms).agent_id

    def exit(self, entry_id: str = "e") -> model.Exit | None:
        return self.core.entry(EntryId(entry_id), self.now_ms).exit

    def state(self, agent_id: AgentId = A) -> model.AgentState:
        return self.core.agent(agent_id, self.now_ms).state


def one(events: list[Event], kind: type[E]) -> E:
    """The only event of a kind."""
    (found,) = (event for event in events if isinstance(event, kind))
    return found


def none(events: list[Event], kind: type[object]) -> bool:
    return not any(isinstance(event, kind) for event in events)
