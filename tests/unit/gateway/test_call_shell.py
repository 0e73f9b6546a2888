"""One call's shell when its surroundings fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

import pytest

from media_gateway.adapters.call_shell import CallShell, Surroundings
from media_gateway.adapters.call_signalling import Trunk
from media_gateway.adapters.fact_stream import FactStream
from media_gateway.adapters.sip_endpoint import SipEndpoint
from media_gateway.core import happenings as h
from media_gateway.core.call import CallCore
from media_gateway.core.state import Call
from media_gateway.core.termination import EndCause
from media_gateway.model import (
    CALLER_LEG,
    CallState,
    Invitation,
    LegEnd,
    LegState,
    NoSuchLeg,
)
from media_gateway.recording.recorder import Recorder
from media_gateway.recording.spool import Room
from media_gateway.rtp.engine import MediaEngine
from media_gateway.rtp.errors import NoPortsLeft
from media_gateway.sip.events import SessionId
from services.chassis.ids import CallId, LegId
from services.chassis.tasks import Tasks
from tests.unit.gateway.driver import RULES
from tests.unit.gateway.listening import Endpoint, ListeningStack, SilentPort, invite


@dataclass
class Engine:
    """Opens a port when it is let, or fails."""

    ports: list[SilentPort] = field(default_factory=list)
    error: Exception | None = None
    gate: asyncio.Event = field(default_factory=asyncio.Event)

    async def open(self, leg_id: str, listener: object) -> SilentPort:
        del leg_id, listener
        await self.gate.wait()
        if self.error:
            raise self.error
        self.ports.append(SilentPort())
        return self.ports[-1]


class Faulty:
    """A recorder with a fault of its own."""

    def follow(self, trouble: object) -> Faulty:
        del trouble
        return self

    def observe(self, event: object, call: object) -> None:
        raise RuntimeError("not today")


class Still:
    """Time that stands, so that no patience ends however slow this machine is."""

    def now_ms(self) -> int:
        return 1_000_000

    def monotonic_ms(self) -> float:
        return 1_000_000.0


class Away:
    """No service is there."""

    def __call__(self, name: str) -> Any:
        raise ConnectionError(name)


class Stand:
    """A shell between fakes."""

    def __init__(
        self, new_id: Callable[[], str] = lambda: "id", recorder: Recorder | None = None
    ) -> None:
        self.stack = ListeningStack()
        self.engine = Engine()
        self.tasks = Tasks()
        self.ended: list[CallShell] = []
        clock = Still()
        call = Call(CallId("call"), Invitation("+2", "+1"), clock.now_ms())
        self.shell = CallShell(
            CallCore(call, RULES),
            invite(SessionId(1), offer=None),
            around=Surroundings(
                clock=clock,
                new_id=new_id,
                random_bits=lambda bits: bits,
                endpoint=cast("SipEndpoint", Endpoint(self.stack)),
                trunk=Trunk(credentials=None, proxy=None, retry_after_s=5),
                way_out=lambda: None,
                engine=cast("MediaEngine", self.engine),
                connector=cast("Any", None),
                media_host="127.0.0.1",
                shelf=cast("Any", None),
                facts=FactStream(),
                recorder=recorder
                or Recorder(
                    folder=Path("nowhere"),
                    room=Room(max_bytes=0, min_free_bytes=0),
                    dial=Away(),
                    clock=clock,
                    incarnation="i",
                ),
                dial=Away(),
                gateway_address="unix:g",
                tasks=self.tasks,
            ),
            claim=lambda _: None,
            on_browser_rung=lambda _: None,
            on_ended=self.ended.append,
        )

    async def rest(self) -> None:
        """Until nothing more happens by itself."""
        for _ in range(10):
            await asyncio.sleep(0)

    async def opened(self) -> Stand:
        self.shell.happen(h.OpenCall("PCMU"))
        self.engine.gate.set()
        await self.rest()
        return self


async def test_a_fault_ends_the_call_that_it_is_in() -> None:
    ids = iter(["id"])
    stand = Stand(new_id=lambda: next(ids, None) or _fail())
    await stand.opened()
    assert stand.shell.call.termination is not None
    assert stand.shell.call.termination.reason == "gateway-fault"
    assert "refuse" in stand.stack.verbs()


def _fail() -> str:
    raise RuntimeError("no more ids")


async def test_without_a_port_the_caller_is_refused() -> None:
    stand = Stand()
    stand.engine.error = NoPortsLeft("none")
    await stand.opened()
    assert stand.stack.verbs() == ["refuse"]
    stand.shell.happen(h.LegReleased(CALLER_LEG))
    assert stand.ended == [stand.shell]
    assert stand.shell.call.termination is not None
    assert stand.shell.call.termination.reason == "no-media-ports"


async def test_a_port_that_comes_too_late_is_closed() -> None:
    stand = Stand()
    stand.shell.happen(h.OpenCall("PCMU"))
    await stand.rest()
    stand.shell.happen(h.LegLeaves(CALLER_LEG, LegEnd.CANCELLED))
    stand.engine.gate.set()
    await stand.rest()
    assert [port.closed for port in stand.engine.ports] == [1]
    assert stand.shell.call.state is CallState.ENDED


async def test_a_link_that_fails_leaves_the_call_to_its_own_patience() -> None:
    stand = await Stand().opened()
    assert stand.tasks.failed == 1
    assert not stand.shell.call.flow.attached
    assert stand.shell.call.state is CallState.INVITED
    stand.shell.happen(h.LegLeaves(CALLER_LEG, LegEnd.CANCELLED))
    stand.shell.happen(h.CloseFlow())
    assert [port.closed for port in stand.engine.ports] == [1]
    assert stand.ended == [stand.shell]


async def test_a_named_error_is_for_who_asked_and_of_no_account_otherwise() -> None:
    stand = await Stand().opened()
    with pytest.raises(NoSuchLeg):
        stand.shell.handle(h.HangUpLeg(LegId("9")))
    stand.shell.happen(h.HangUpLeg(LegId("9")))
    assert stand.shell.media_numbers(LegId("9")) is None


async def test_a_port_for_a_leg_that_is_being_released_is_closed() -> None:
    stand = Stand()
    stand.shell.happen(h.OpenCall("PCMU"))
    await stand.rest()
    stand.shell.happen(h.EndCall(EndCause.DRAINING))
    assert stand.shell.call.leg(CALLER_LEG).state is LegState.ENDING
    stand.engine.gate.set()
    await stand.rest()
    assert [port.closed for port in stand.engine.ports] == [1]


async def test_a_recording_that_fails_in_its_own_way_ends_its_call_and_leaves_it_able_to() -> None:
    stand = Stand(recorder=cast("Recorder", Faulty()))
    stand.shell.happen(h.OpenCall("PCMU"))
    assert stand.shell.call.state is CallState.ENDING
    assert stand.stack.verbs() == ["refuse"]
    stand.shell.happen(h.LegReleased(CALLER_LEG))
    assert stand.ended == [stand.shell]
