"""The face towards administrators: a flow tried without a call."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any, ClassVar

from grpc import aio

from protos.ivr.v1 import ivr_pb2
from services.chassis.errors import CarillonError, Kind
from services.chassis.rpc import tenant_id
from services.ivr.core.node_fields import QUEUE_EXITS
from services.ivr.core.reading import KEYS
from services.ivr.core.simulating import DIAL_OUTCOMES, simulate
from services.ivr.flows import Flows
from services.ivr.model import simulation
from services.ivr.model.call import CallInvited
from services.ivr.model.errors import BadFlow
from services.ivr.model.simulation import SimulatedInput, Walk
from services.ivr.session import Parts
from services.ivr.wire import problem_message

MAX_INPUTS = 64
MAX_KEYS = 32
MAX_NUMBER_CHARS = 64
MAX_AT_MS = 4_102_444_800_000
"""The end of the century."""
SIMULATED_CALL = "00000000-0000-7000-8000-000000000000"
"""No call has it; stays in queues are named after it."""

Context = aio.ServicerContext[Any, Any]


class BadSimulation(CarillonError):
    """What the imagined call meets can not happen; the message says which input."""

    code: ClassVar[str] = "bad-simulation"
    kind: ClassVar[Kind] = Kind.INVALID


class SimulationCalls:
    """The part of the face that tries flows."""

    _flows: Flows
    _parts: Parts

    async def SimulateFlow(
        self, request: ivr_pb2.SimulateFlowRequest, _context: Context
    ) -> ivr_pb2.SimulateFlowResponse:
        """Walks an imagined call through a flow; nothing is stored, nobody is rung."""
        tenant = tenant_id()
        inputs = _inputs(request)
        invited = _invited(request)
        now_ms = request.at_ms or self._parts.clock.now_ms()
        try:
            flow = await self._flows.check(request.definition_json)
            flow, durations = await self._flows.imagined(tenant, flow)
        except BadFlow as error:
            problems = [problem_message(problem) for problem in error.problems]
            return ivr_pb2.SimulateFlowResponse(problems=problems)
        # In a thread: a long walk takes longer than other calls should wait.
        walk = await asyncio.to_thread(
            simulate, flow, invited=invited, inputs=inputs, now_ms=now_ms, durations=durations
        )
        return _answer(walk)


def _invited(request: ivr_pb2.SimulateFlowRequest) -> CallInvited:
    for number in (request.caller, request.called):
        if len(number) > MAX_NUMBER_CHARS:
            raise BadSimulation(f"a number has at most {MAX_NUMBER_CHARS} characters")
    if not 0 <= request.at_ms <= MAX_AT_MS:
        raise BadSimulation("`at_ms` is UTC milliseconds of this century")
    return CallInvited(SIMULATED_CALL, request.caller, request.called)


def _inputs(request: ivr_pb2.SimulateFlowRequest) -> tuple[SimulatedInput, ...]:
    if len(request.inputs) > MAX_INPUTS:
        raise BadSimulation(f"{len(request.inputs)} inputs, at most {MAX_INPUTS}")
    return tuple(_input(message, place) for place, message in enumerate(request.inputs))


def _input(message: ivr_pb2.SimulatedInput, place: int) -> SimulatedInput:
    read = _READERS.get(message.WhichOneof("body") or "")
    found = read(message) if read is not None else None
    if found is None:
        raise BadSimulation(f"input {place} says nothing that can happen")
    return found


def _keys(message: ivr_pb2.SimulatedInput) -> SimulatedInput | None:
    keys = message.digits
    fits = 0 < len(keys) <= MAX_KEYS and all(key in KEYS for key in keys)
    return simulation.PressKeys(keys) if fits else None


def _exit(message: ivr_pb2.SimulatedInput) -> SimulatedInput | None:
    return simulation.TakeExit(message.queue_exit) if message.queue_exit in QUEUE_EXITS else None


def _dial(message: ivr_pb2.SimulatedInput) -> SimulatedInput | None:
    return simulation.DialEnds(message.dial) if message.dial in DIAL_OUTCOMES else None


_READERS: dict[str, Callable[[ivr_pb2.SimulatedInput], SimulatedInput | None]] = {
    "digits": _keys,
    "silence": lambda _: simulation.StaySilent(),
    "hang_up": lambda _: simulation.HangUp(),
    "agent_answers": lambda _: simulation.AgentAnswers(),
    "queue_exit": _exit,
    "agent_hangs_up": lambda _: simulation.FarEndHangsUp(),
    "dial": _dial,
}


def _answer(walk: Walk) -> ivr_pb2.SimulateFlowResponse:
    return ivr_pb2.SimulateFlowResponse(
        steps=[
            ivr_pb2.SimulatedStep(
                node=step.node, at_ms=step.at_ms, kind=step.kind, values=step.values
            )
            for step in walk.steps
        ],
        waits_for=walk.waits_for.value,
        variables=walk.variables,
    )
