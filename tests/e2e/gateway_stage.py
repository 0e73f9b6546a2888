"""A gateway in this process, before an interpreter that plays a scenario: no other service."""

from __future__ import annotations

import asyncio
import contextlib
import io
import os
import tempfile
import wave
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from types import TracebackType
from typing import TYPE_CHECKING, Any, Self

import grpc
import numpy as np
from grpc import aio

from media_gateway.main import GatewayService
from media_gateway.settings import GatewaySettings
from protos.common.v1 import common_pb2
from protos.gateway.v1 import events_pb2, gateway_pb2
from protos.gateway.v1.gateway_pb2_grpc import GatewayStub
from protos.ivr.v1 import ivr_pb2
from services.chassis.blobs import Blobs
from services.chassis.lifecycle import Running
from services.chassis.request import PLATFORM
from services.chassis.rpc import Face, RpcServer, metadata, open_channel
from services.chassis.world import World, local_world
from tests.softphone.call import Call
from tests.softphone.incoming import Answer, IncomingCall
from tests.softphone.phone import SoftPhone

if TYPE_CHECKING:  # the generator writes this type into the stubs' types alone
    from protos.gateway.v1.gateway_pb2_grpc import GatewayAsyncStub

WAIT_S = 10.0
"""For whatever happens at once, or when a time-out of a few seconds is over."""
TENANT = "acme"
IVR = "carillon.ivr.v1.Ivr"
HANDLED = common_pb2.Termination(
    termination_class=common_pb2.TERMINATION_CLASS_SUCCESS, reason="handled"
)
MUSIC = ivr_pb2.Prompt(system="music")
CALLER_HZ, AGENT_HZ = 440.0, 660.0
"""The tones that tell the two apart."""

Script = Callable[["Talk"], Awaitable[None]]


class Talk:
    """One stream as a scenario sees it: events come, steps go."""

    def __init__(
        self,
        events: AsyncIterator[ivr_pb2.CallEvent],
        context: aio.ServicerContext[Any, Any],
    ) -> None:
        self._events = events
        self._context = context
        self.first = ivr_pb2.CallEvent()
        """The event that opened the stream."""
        self.seen: list[ivr_pb2.CallEvent] = []
        self.step_number = 0
        self.consumed = 0

    async def open(self) -> None:
        self.first = await self._next()
        if self.first.HasField("resumed"):
            self.step_number = self.first.resumed.step

    async def until(self, kind: str) -> Any:
        """The next event of a kind; what comes before it is kept in `seen`."""
        try:
            async with asyncio.timeout(WAIT_S):
                while True:
                    event = await self._next()
                    if event.WhichOneof("body") == kind:
                        return getattr(event, kind)
        except TimeoutError:
            seen = [event.WhichOneof("body") for event in self.seen]
            raise AssertionError(f"the flow was told no {kind}, but {seen}") from None

    async def step(self, *commands: ivr_pb2.Command, tenant: str = TENANT) -> None:
        self.step_number += 1
        await self._context.write(
            ivr_pb2.Step(
                epoch=self.first.epoch,
                step=self.step_number,
                consumed_seq=self.consumed,
                checkpoint=b"at %d" % self.step_number,
                commands=commands,
                tenant_id=tenant,
            )
        )

    async def hang_up(self, termination: common_pb2.Termination = HANDLED, status: int = 0) -> None:
        await self.step(
            ivr_pb2.Command(hangup=ivr_pb2.Hangup(termination=termination, sip_status=status))
        )

    async def _next(self) -> ivr_pb2.CallEvent:
        event = await anext(self._events)
        self.seen.append(event)
        self.consumed = max(self.consumed, event.seq)
        return event


class ScriptedIvr:
    """Plays one script per stream; what a script raised is raised by the stage."""

    def __init__(self) -> None:
        self.scripts: list[Script] = []
        """One per stream, in the order of the streams; the last one serves all further ones."""
        self.streams = 0
        self.failures: list[BaseException] = []
        self.talks: list[Talk] = []

    def register(self, server: aio.Server) -> None:
        handler = grpc.stream_stream_rpc_method_handler(
            self._handle,
            request_deserializer=ivr_pb2.CallEvent.FromString,
            response_serializer=ivr_pb2.Step.SerializeToString,
        )
        server.add_generic_rpc_handlers(
            (grpc.method_handlers_generic_handler(IVR, {"Handle": handler}),)
        )

    async def _handle(self, request_iterator: Any, context: Any) -> None:
        script = self.scripts[min(self.streams, len(self.scripts) - 1)]
        self.streams += 1
        talk = Talk(request_iterator, context)
        self.talks.append(talk)
        try:
            await talk.open()
            await script(talk)
        except StopAsyncIteration:
            pass  # the gateway closed the stream: the call is over
        except Exception as error:
            self.failures.append(error)
            raise


class Stage:
    """The gateway and, unless it is away, the scripted interpreter."""

    def __init__(self, *scripts: Script, blobs: Blobs | None = None, **settings: Any) -> None:
        """`blobs` are there in place of a directory's."""
        self._blobs = blobs
        self.ivr = ScriptedIvr()
        self.ivr.scripts = list(scripts)
        given = {
            "sip_port": 0,
            "rtp_port_first": 30_000 + os.getpid() % 20 * 1_000,
            "rtp_port_last": 30_999 + os.getpid() % 20 * 1_000,
            **settings,
        }
        self.settings = GatewaySettings(**given)
        self.facts: list[events_pb2.CallFact] = []
        self._more = asyncio.Event()
        self._cleanup = contextlib.AsyncExitStack()
        self._ivr_server: RpcServer | None = None

    async def __aenter__(self) -> Self:
        folder = self._cleanup.enter_context(tempfile.TemporaryDirectory(prefix="cg-"))
        self.world: World = local_world(var_dir=Path(folder) / "var", run_dir=Path(folder) / "run")
        if self._blobs is not None:
            self.world = replace(self.world, blobs=self._blobs)
        self._cleanup.push_async_callback(self.stop_ivr)
        try:
            await self._open()
        except BaseException:
            await self._cleanup.aclose()
            raise
        return self

    async def _open(self) -> None:
        if self.ivr.scripts:
            await self.start_ivr()
        self.gateway = GatewayService(self.world, self.settings)
        self.running = Running([self.gateway], self.world)
        await self.running.start()
        self._cleanup.push_async_callback(self.running.stop)
        channel = open_channel(self.world.run_dir / "gateway.sock")
        self._cleanup.push_async_callback(channel.close)
        self.stub: GatewayAsyncStub = GatewayStub(channel)
        watching = self.stub.WatchCalls(
            gateway_pb2.WatchCallsRequest(), metadata=metadata(tenant_id=PLATFORM)
        )
        await watching.initial_metadata()
        reading = asyncio.ensure_future(self._watch(watching))
        self._cleanup.callback(reading.cancel)

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        await self._cleanup.aclose()
        if error is None and self.ivr.failures:
            raise self.ivr.failures[0]
        for failure in self.ivr.failures:
            # What a phone missed is often what the flow never said.
            assert error is not None
            error.add_note(f"the flow failed: {failure!r}")

    @property
    def uri(self) -> str:
        return f"sip:+12025550100@{self.gateway.sip_address}"

    async def start_ivr(self) -> None:
        server = RpcServer(
            path=self.world.run_dir / "ivr.sock",
            faces=[
                Face(register=self.ivr.register, name=IVR),
            ],
        )
        await server.start()
        self._ivr_server = server

    async def stop_ivr(self) -> None:
        server, self._ivr_server = self._ivr_server, None
        if server is not None:
            await server.stop()

    async def put_tone(self, frequency_hz: float, seconds: float) -> ivr_pb2.Prompt:
        """A prompt that is a tone, so that a phone can tell it from others."""
        return ivr_pb2.Prompt(sha256=await self.world.blobs.put(tone_wav(frequency_hz, seconds)))

    async def fact(self, kind: str, *, skip: int = 0) -> Any:
        """The first fact of a kind, past or to come, or a later one."""
        try:
            async with asyncio.timeout(WAIT_S):
                while len(found := self.found(kind)) <= skip:
                    self._more.clear()
                    await self._more.wait()
        except TimeoutError:
            seen = [fact.WhichOneof("body") for fact in self.facts]
            raise AssertionError(f"no {kind} among {seen}") from None
        return found[skip]

    def found(self, kind: str) -> list[Any]:
        """The facts of a kind so far."""
        return [getattr(f, kind) for f in self.facts if f.WhichOneof("body") == kind]

    async def ended(self) -> tuple[str, str]:
        """The class and reason of the call's termination; there is exactly one."""
        end = (await self.fact("call_ended")).termination
        assert len(self.found("call_ended")) == 1
        assert self.facts[-1].WhichOneof("body") == "call_ended"
        name = common_pb2.TerminationClass.Name(end.termination_class)
        return name.removeprefix("TERMINATION_CLASS_").lower(), end.reason

    async def only_call(self) -> gateway_pb2.Call:
        listed = await self.stub.ListCalls(
            gateway_pb2.ListCallsRequest(), metadata=metadata(tenant_id=TENANT)
        )
        (call,) = listed.calls
        return call

    async def control(self, verb: str, leg_id: str) -> gateway_pb2.Leg:
        """Hold, Unhold, Mute, Unmute or HangUp a leg of the only call."""
        call = await self.only_call()
        leg: gateway_pb2.Leg = await getattr(self.stub, verb)(
            gateway_pb2.LegControl(call_id=call.call_id, leg_id=leg_id),
            metadata=metadata(tenant_id=TENANT),
        )
        return leg

    async def _watch(self, watching: Any) -> None:
        async for fact in watching:
            self.facts.append(fact)
            self._more.set()


def tone_wav(frequency_hz: float, seconds: float) -> bytes:
    time_s = np.arange(int(8_000 * seconds)) / 8_000
    samples = (8_000 * np.sin(2 * np.pi * frequency_hz * time_s)).astype("<i2")
    file = io.BytesIO()
    with wave.open(file, "wb") as output:
        output.setnchannels(1)
        output.setsampwidth(2)
        output.setframerate(8_000)
        output.writeframes(samples.tobytes())
    return file.getvalue()


def answer() -> ivr_pb2.Command:
    return ivr_pb2.Command(answer=ivr_pb2.Answer())


def play(operation: str, *prompts: ivr_pb2.Prompt, loop: bool = False) -> ivr_pb2.Command:
    return ivr_pb2.Command(play=ivr_pb2.Play(operation=operation, prompts=prompts, loop=loop))


def gather(operation: str, *prompts: ivr_pb2.Prompt, **fields: Any) -> ivr_pb2.Command:
    message = ivr_pb2.Gather(operation=operation, prompts=prompts, barge_in=True, **fields)
    return ivr_pb2.Command(gather=message)


def ring(endpoint: str, *, ring_id: str = "r.1", timeout_ms: int = 10_000) -> ivr_pb2.Command:
    return ivr_pb2.Command(
        ring_agent=ivr_pb2.RingAgent(
            reservation_id=ring_id,
            agent_id="agent-1",
            endpoint=endpoint,
            timeout_ms=timeout_ms,
            caller_display="Ann Example",
        )
    )


def bridge(ring_id: str = "r.1") -> ivr_pb2.Command:
    return ivr_pb2.Command(bridge=ivr_pb2.Bridge(ring_id=ring_id))


def consent(*, granted: bool = True, basis: str = "announced") -> ivr_pb2.Command:
    return ivr_pb2.Command(set_consent=ivr_pb2.SetConsent(granted=granted, basis=basis))


HOLD = play("hold", MUSIC, loop=True)


async def until_the_end(talk: Talk) -> None:
    """Waits for the caller to leave, then says the last word."""
    while (await talk.until("leg_ended")).role != ivr_pb2.LEG_ROLE_CALLER:
        pass
    await talk.hang_up()


async def hold_on(talk: Talk) -> None:
    """The flow of a caller who hears music until they leave."""
    await talk.step(answer(), HOLD)
    await until_the_end(talk)


@asynccontextmanager
async def phones() -> AsyncIterator[tuple[SoftPhone, SoftPhone]]:
    """A caller's phone, and an agent's that answers at once."""
    async with SoftPhone(user="agent", auto=Answer()) as agent, SoftPhone() as caller:
        yield caller, agent


async def speak(stage: Stage, caller: SoftPhone, agent: SoftPhone) -> tuple[Call, IncomingCall]:
    """A caller and an agent who hear each other's tone."""
    call = await caller.call(stage.uri)
    rung = await agent.incoming()
    await stage.fact("legs_bridged")
    call.play_tone(CALLER_HZ)
    rung.play_tone(AGENT_HZ)
    await asyncio.gather(call.hears_tone(AGENT_HZ), rung.hears_tone(CALLER_HZ))
    return call, rung
