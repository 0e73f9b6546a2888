"""A day of a call centre in virtual time, over the production core."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from functools import partial
from heapq import heappop, heappush

from services.acd import model
from services.acd.model import (
    AgentId,
    ContactReserved,
    EntryId,
    Event,
    Exit,
    Link,
    Outcome,
    Presence,
    QueueId,
    ReservationId,
)
from tests.sim.acd.people import QUEUES, SALES, People, Reaction
from tests.unit.acd.desk import T0, Desk
from tests.unit.acd.laws import uphold

Act = Callable[[], None]


class Day:
    """Callers, agents and faults act on one shard; every law is watched meanwhile."""

    def __init__(self, seed: int, *, agents: int, callers: int, mean_gap_ms: int) -> None:
        self.people = People(seed)
        self.desk = Desk(watch=False)
        self.callers = callers
        self.called = 0
        self.refused = 0
        self.outages: list[tuple[int, int]] = []
        self._mean_gap_ms = mean_gap_ms
        self._agenda: list[tuple[int, int, Act]] = []
        self._order = 0
        self._acts = 0
        for config in QUEUES:
            self.do(model.PutQueue(config))
        for agent in self.people.agents(agents):
            self.do(model.PutAgent(agent))
            self.later(self.people.between(0, 60_000), partial(self._come, agent.agent_id))
        self.later(self._mean_gap_ms, self._call)

    def run(self) -> None:
        """Until nobody has anything left to do."""
        while self._agenda:
            at_ms, _, act = heappop(self._agenda)
            # What people did during an outage comes in after it.
            self._react(self.desk.wait(max(0, at_ms - self.desk.now_ms)))
            act()
            self._acts += 1
            if self._acts % 40 == 0:
                self._watch()
        self._react(self.desk.wait(3_600_000))
        self._watch()

    def digest(self) -> str:
        """The whole day's events as one fingerprint."""
        return hashlib.sha256(repr(self.desk.log).encode()).hexdigest()

    def later(self, after_ms: int, act: Act) -> None:
        self._order += 1
        heappush(self._agenda, (self.desk.now_ms + after_ms, self._order, act))

    def do(self, command: model.Command) -> None:
        """What people do may come too late; that changes nothing, and they go on."""
        try:
            events = self.desk.do(command)
        except model.RoutingError:
            self.refused += 1
            return
        self._react(events)

    def _watch(self) -> None:
        snapshot = self.desk.core.snapshot()
        assert snapshot == self.desk.mirror.snapshot()
        uphold(snapshot)
        assert self.desk.core.oldest_matchable_ms(self.desk.now_ms) is None

    def _react(self, events: list[Event]) -> None:
        for event in events:
            match event:
                case ContactReserved():
                    self._ring(event)
                case model.ContactAnswered():
                    self._talk(event.reservation_id)
                case model.ContactExited(exit=Exit.OVERFLOWED):
                    self._enqueue(SALES, since_ms=event.at_ms - event.wait_ms)
                case model.PresenceChanged(reason="rona"):
                    back = self.people.between(5_000, 60_000)
                    self.later(back, partial(self._ready, event.agent_id))
                case model.LinkChanged(link=Link.UNREACHABLE):
                    self.later(15_000, partial(self._link, event.agent_id))
                case _:
                    pass

    # Callers.

    def _call(self) -> None:
        if self.called >= self.callers:  # those who overflow call a second time
            return
        self._enqueue(self.people.queue(), since_ms=self.desk.now_ms)
        self.later(self.people.arrival_in_ms(self._mean_gap_ms), self._call)

    def _enqueue(self, queue_id: QueueId, *, since_ms: int) -> None:
        self.called += 1
        entry_id = EntryId(f"e{self.called:05}")
        command = model.EnqueueContact(
            entry_id=entry_id,
            contact_id=model.ContactId(f"c{self.called:05}"),
            queue_id=queue_id,
            channel=self.people.channel(),
            priority=self.people.priority(),
            waiting_since_ms=since_ms,
            seed=self.people.bits(),
        )
        self.do(command)
        self.do(command)
        self.later(self.people.patience_ms(), lambda: self._hang_up(entry_id))
        if self.people.happens(0.3):
            self.later(4_000, lambda: self.do(model.AnnounceWait(entry_id)))
        if self.people.happens(0.05):
            self._lose_flow(entry_id)

    def _hang_up(self, entry_id: EntryId) -> None:
        way = Exit.CALLBACK if self.people.happens(0.2) else Exit.ABANDONED
        self.do(model.LeaveQueue(entry_id, way))

    def _lose_flow(self, entry_id: EntryId) -> None:
        self.later(2_500, lambda: self.do(model.DetachEntry(entry_id)))
        if self.people.happens(0.5):
            self.later(12_000, lambda: self.do(model.AttachEntry(entry_id)))

    # Agents.

    def _come(self, agent_id: AgentId) -> None:
        self.do(model.ReportLink(agent_id, Link.REACHABLE))
        self._ready(agent_id)

    def _ready(self, agent_id: AgentId) -> None:
        self.do(model.SetPresence(agent_id, Presence.READY))

    def _link(self, agent_id: AgentId) -> None:
        self.do(model.ReportLink(agent_id, Link.REACHABLE))

    def _ring(self, event: ContactReserved) -> None:
        reservation_id, agent_id = event.reservation_id, event.agent_id
        reaction = self.people.reaction()
        if reaction.kind == "deaf":
            return
        self.later(400, lambda: self.do(model.ConfirmRing(reservation_id, agent_id)))
        if reaction.kind != "silent":
            act = {
                "answer": lambda: self._answer(reservation_id, agent_id, reaction),
                "reject": lambda: self.do(model.EndReservation(reservation_id, Outcome.REJECT)),
                "busy": lambda: self.do(model.EndReservation(reservation_id, Outcome.BUSY)),
                "lost": lambda: self.do(model.ReportLink(agent_id, Link.UNREACHABLE)),
            }[reaction.kind]
            self.later(reaction.after_ms, act)

    def _answer(self, reservation_id: ReservationId, agent_id: AgentId, reaction: Reaction) -> None:
        self.do(model.AcceptReservation(reservation_id, agent_id))
        if reaction.connects:
            self.later(150, lambda: self.do(model.ConfirmBridged(reservation_id)))

    def _talk(self, reservation_id: ReservationId) -> None:
        row = next(
            row
            for row in self.desk.core.snapshot().reservations
            if row.reservation_id == reservation_id
        )
        talk_ms = self.people.talk_ms()
        if self.people.happens(0.2):
            self.later(talk_ms // 3, lambda: self.do(model.SetHold(reservation_id, holding=True)))
            self.later(talk_ms // 2, lambda: self.do(model.SetHold(reservation_id, holding=False)))
        if self.people.happens(0.1):
            self.later(talk_ms // 2, lambda: self._rest(row.agent_id))
        self.later(talk_ms, lambda: self._complete(reservation_id))

    def _complete(self, reservation_id: ReservationId) -> None:
        self.do(model.CompleteContact(reservation_id, model.BridgeEnder.CALLER))
        if self.people.happens(0.2):
            self.later(1_000, lambda: self.do(model.ExtendWrapUp(reservation_id)))
        finish = model.FinishWrapUp(reservation_id, "done")
        self.later(self.people.wrap_up_ms(), lambda: self.do(finish))

    def _rest(self, agent_id: AgentId) -> None:
        self.do(model.SetPresence(agent_id, Presence.BREAK, "coffee"))
        self.later(self.people.between(30_000, 400_000), lambda: self._ready(agent_id))

    # Those who run the place.

    def disturb(self) -> None:
        """Faults and edits in the middle of the day."""
        hour_ms = 3_600_000
        for after_ms, lasts_ms in ((hour_ms // 5, 40_000), (hour_ms // 2, 600_000)):
            self.later(after_ms, partial(self._stand_still, lasts_ms))
        legs = [AgentId(f"agent{i:03}") for i in range(3)]
        for i, agent_id in enumerate(legs):
            leg_id = model.LegId(f"own{i}")
            self.later(hour_ms // 2, partial(self.do, model.StartAgentLeg(agent_id, leg_id)))
            self.later(hour_ms, partial(self.do, model.EndAgentLeg(agent_id, leg_id)))
        for after_ms, strategies in ((hour_ms // 3, ("top_down",)), (hour_ms, ("random",))):
            edited = model.QueueConfig(SALES, strategies=strategies, plan=QUEUES[0].plan)
            self.later(after_ms, partial(self.do, model.PutQueue(edited)))
        fire = model.SetEmergency(SALES, active=True, message="fire", release_waiting=True)
        self.later(hour_ms // 4, lambda: self.do(fire))
        self.later(hour_ms // 4 + 60_000, lambda: self.do(model.SetEmergency(SALES, active=False)))

    def _stand_still(self, lasts_ms: int) -> None:
        """Nothing can be written, so nothing is decided."""
        self.desk.now_ms += lasts_ms
        self.outages.append((self.desk.now_ms - lasts_ms, self.desk.now_ms))
        self.do(model.ResumeClock(lasts_ms))

    @property
    def span_ms(self) -> int:
        return self.desk.now_ms - T0
