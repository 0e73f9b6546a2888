"""Drives one call's core by hand: what happened in, what was decided out, time as told."""

from __future__ import annotations

from ipaddress import ip_network
from typing import TypeVar

from media_gateway.core import facts, reports
from media_gateway.core import happenings as h
from media_gateway.core.call import CallCore
from media_gateway.core.events import Event, PublishFact, ReportToFlow
from media_gateway.core.policy import OutboundPolicy
from media_gateway.core.state import Call, Limits
from media_gateway.core.steps import Answer, JoinLegs, Play, RingAgent, Step, StepCommand
from media_gateway.core.turn import Rules
from media_gateway.model import CALLER_LEG, Invitation, Prompt
from services.chassis.ids import CallId, LegId

T = TypeVar("T")
START_MS = 1_000_000
AGENT_LEG = LegId("2")
RULES = Rules(
    limits=Limits(),
    policy=OutboundPolicy(
        networks=(ip_network("127.0.0.0/8"),),
        dial_patterns=("+1202555*",),
        outbound_proxy="127.0.0.1:5080",
    ),
)
MUSIC = Prompt(system="music")
HELLO = Prompt(sha256="ab" * 32)


class Driver:
    """One call, from its INVITE on."""

    def __init__(self, *, codec: str = "PCMU", opened: bool = True) -> None:
        self.now_ms = START_MS
        call = Call(
            CallId("call-1"),
            Invitation(caller="+12025550123", called="+12025550100", display_name="Ann"),
            START_MS,
        )
        self.core = CallCore(call, RULES)
        self.events: list[Event] = []
        if opened:
            self.do(h.OpenCall(codec=codec))

    @property
    def call(self) -> Call:
        return self.core.call

    def do(self, happening: h.Happening) -> list[Event]:
        return self._take(self.core.handle(happening, self.now_ms))

    def wait(self, milliseconds: int) -> list[Event]:
        """Lets time pass, waking the core exactly when it asks to be woken."""
        until = self.now_ms + milliseconds
        decided: list[Event] = []
        while (at_ms := self.core.deadline_ms()) is not None and at_ms <= until:
            self.now_ms = max(self.now_ms, at_ms)
            decided += self._take(self.core.tick(self.now_ms))
        self.now_ms = until
        return decided

    def step(self, *commands: StepCommand, consumed: int = 0, tenant: str = "acme") -> list[Event]:
        """A step of the present interpreter, as it should be."""
        flow = self.call.flow
        step = Step(
            epoch=flow.epoch,
            step=flow.step + 1,
            consumed_seq=consumed,
            checkpoint=b"checkpoint %d" % (flow.step + 1),
            commands=commands,
            tenant_id=tenant,
        )
        return self.do(h.KeepStep(step))

    def attached(self) -> Driver:
        """To an interpreter on a stream of its own."""
        self.do(h.MediaOpened(CALLER_LEG))
        self.do(h.BeginEpoch())
        return self

    def answered(self) -> Driver:
        """To a caller who hears music."""
        self.attached()
        self.step(Answer(), Play("hold", (MUSIC,), loop=True))
        return self

    def ringing(self) -> Driver:
        """To an agent whose phone rings."""
        self.answered()
        self.step(RingAgent("r.1", "agent-1", "sip:100@127.0.0.1:5070", 20_000, "Ann"))
        self.do(h.MediaOpened(AGENT_LEG))
        self.do(h.LegRings(AGENT_LEG))
        return self

    def talking(self) -> Driver:
        """To a caller and an agent who hear each other."""
        self.ringing()
        self.do(h.LegAnswers(AGENT_LEG, "PCMU"))
        self.do(h.MediaHeard(CALLER_LEG))
        self.do(h.MediaHeard(AGENT_LEG))
        self.step(JoinLegs("r.1"))
        return self

    def _take(self, events: list[Event]) -> list[Event]:
        for event in events:
            self.core.apply(event)
        self.events += events
        return events


def only(events: list[Event], kind: type[T]) -> T:
    """The one event of a kind."""
    found = [event for event in events if isinstance(event, kind)]
    assert len(found) == 1, f"{len(found)} of {kind.__name__} in {events}"
    return found[0]


def any_of(events: list[Event], kind: type[T]) -> bool:
    """Whether there is an event of a kind."""
    return any(isinstance(event, kind) for event in events)


def told(events: list[Event]) -> list[reports.Report]:
    """What the flow was told."""
    return [event.report.body for event in events if isinstance(event, ReportToFlow)]


def published(events: list[Event]) -> list[facts.FactBody]:
    """What went on the record."""
    return [event.body for event in events if isinstance(event, PublishFact)]


def ends(events: list[Event]) -> list[facts.CallEnded]:
    """The call's ends: there must be one."""
    return [body for body in published(events) if isinstance(body, facts.CallEnded)]
