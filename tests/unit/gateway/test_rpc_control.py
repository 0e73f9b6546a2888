"""Who may control which leg."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, cast

import pytest

from media_gateway.core import happenings as h
from media_gateway.core.state import Call
from media_gateway.model import BadKeys, BadTransfer, NoSuchLeg, Transfer, TransferKind
from media_gateway.rpc import GatewayFace
from media_gateway.rpc_trying import WholeFace
from protos.gateway.v1 import gateway_pb2
from services.chassis.ids import LegId
from services.chassis.request import enter, metadata, on_behalf
from tests.unit.gateway.driver import AGENT_LEG, Driver

CONTEXT = cast("Any", None)


@dataclass
class Shell:
    """A call with an agent's leg; keeps what it is told to do."""

    call: Call = field(default_factory=lambda: Driver().talking().call)
    told: list[h.Happening] = field(default_factory=list)

    def handle(self, happening: h.Happening) -> None:
        self.told.append(happening)

    def send_keys(self, leg_id: LegId, keys: str) -> None:
        self.told.append(h.KeysSent(leg_id, len(keys)))

    def media_numbers(self, leg_id: LegId) -> None:
        """None are known."""


@dataclass
class Switchboard:
    shell: Shell

    def find(self, scope: str, call_id: str) -> Shell:
        assert (scope, call_id) == ("acme", "call-1")
        return self.shell


def control(leg_id: str) -> gateway_pb2.LegControl:
    return gateway_pb2.LegControl(call_id="call-1", leg_id=leg_id)


def own(agent_id: str) -> None:
    enter(on_behalf(tenant_id="acme", user_id="u", user_name="U", own_agent_id=agent_id))


async def test_an_agent_controls_its_own_leg_and_no_other() -> None:
    shell = Shell()
    face = face_of(shell)
    agent = shell.call.leg(AGENT_LEG)
    own("somebody-else")
    for ask in (face.HangUp, face.Hold, face.Unhold, face.Mute, face.Unmute):
        with pytest.raises(NoSuchLeg):
            await ask(control(AGENT_LEG), CONTEXT)
    own(agent.agent_id)
    with pytest.raises(NoSuchLeg):
        await face.HangUp(control("1"), CONTEXT)
    assert shell.told == []
    await face.Mute(control(AGENT_LEG), CONTEXT)
    await face.HangUp(control(AGENT_LEG), CONTEXT)
    assert shell.told == [h.MuteLeg(AGENT_LEG, muted=True), h.HangUpLeg(AGENT_LEG)]


def face_of(shell: Shell) -> GatewayFace:
    nobody = cast("Any", None)
    return WholeFace(
        switchboard=cast("Any", Switchboard(shell)), facts=nobody, probes=nobody, test_calls=nobody
    )


def keys(leg_id: str, digits: str) -> gateway_pb2.SendDigitsRequest:
    return gateway_pb2.SendDigitsRequest(call_id="call-1", leg_id=leg_id, digits=digits)


def transfer(**fields: str) -> gateway_pb2.TransferRequest:
    return gateway_pb2.TransferRequest(call_id="call-1", leg_id=AGENT_LEG, **fields)


async def test_an_agent_presses_keys_on_its_own_leg_and_no_other() -> None:
    shell = Shell()
    own("somebody-else")
    with pytest.raises(NoSuchLeg):
        await face_of(shell).SendDigits(keys(AGENT_LEG, "1"), CONTEXT)
    own(shell.call.leg(AGENT_LEG).agent_id)
    assert (await face_of(shell).SendDigits(keys(AGENT_LEG, "12#"), CONTEXT)).leg_id == AGENT_LEG
    assert shell.told == [h.KeysSent(AGENT_LEG, 3)]


@pytest.mark.parametrize("digits", ["", "1" * 33])
async def test_as_many_keys_as_a_person_presses(digits: str) -> None:
    shell = Shell()
    enter(metadata(tenant_id="acme"))
    with pytest.raises(BadKeys):
        await face_of(shell).SendDigits(keys(AGENT_LEG, digits), CONTEXT)
    assert shell.told == []


@pytest.mark.parametrize("kind", ["queue", "agent", "number"])
async def test_a_transfer_says_to_whom_why_and_by_whom(kind: str) -> None:
    shell = Shell()
    enter(on_behalf(tenant_id="acme", user_id="u", user_name="Ann", own_agent_id="agent-1"))
    field = "number" if kind == "number" else f"{kind}_id"
    await face_of(shell).Transfer(transfer(**{field: "x", "reason": "why", "by": "me"}), CONTEXT)
    asked = Transfer(TransferKind(kind), "x", "why", "u", "Ann")
    assert shell.told == [h.AskTransfer(AGENT_LEG, asked)]


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"queue_id": ""},
        {"number": "1" * 257},
        {"queue_id": "q", "reason": "x" * 101},
        {"agent_id": "a", "via_queue_id": "x" * 257},
    ],
)
async def test_a_transfer_to_nowhere_is_refused_by_name(fields: dict[str, str]) -> None:
    shell = Shell()
    enter(metadata(tenant_id="acme"))
    with pytest.raises(BadTransfer):
        await face_of(shell).Transfer(transfer(**fields), CONTEXT)
    assert shell.told == []


async def test_whoever_is_bound_to_no_agent_controls_every_leg() -> None:
    shell = Shell()
    face = face_of(shell)
    enter(metadata(tenant_id="acme"))
    await face.HangUp(control("1"), CONTEXT)
    assert shell.told == [h.HangUpLeg(LegId("1"))]
