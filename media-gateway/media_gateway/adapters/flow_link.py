"""A call's stream to its interpreter, opened anew for as long as it breaks and the call lives."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from typing import Protocol

from grpc import aio
from grpc_health.v1 import health_pb2

from media_gateway.adapters.flow_wire import event_of, resumed, step_of
from media_gateway.core.happenings import (
    AttachFlow,
    BeginEpoch,
    DetachFlow,
    Happening,
    KeepStep,
)
from media_gateway.core.reports import Reported
from media_gateway.core.state import Call
from media_gateway.model import BadCommand, CallIsOver, StaleStep, StepTooLarge
from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from services.chassis.clock import Clock
from services.chassis.log import get_logger
from services.chassis.rpc import metadata

log = get_logger("flow")

FIRST_PAUSE_S = 0.1
LONGEST_PAUSE_S = 1.0
PROOF_S = 1.0
"""A stream that has not broken for so long, and whose server is well, counts without a step."""
LAST_WORD_GRACE_S = 2.0
"""For the interpreter to end the stream itself after its last word."""
MAX_MAILBOX = 512
"""More than a call may have reports in flight: it ends before this is reached."""


class FlowHost(Protocol):
    """The call that a link speaks for."""

    @property
    def call(self) -> Call:
        """As it is now."""

    def handle(self, happening: Happening) -> None:
        """Takes a happening; its named error comes back."""

    def happen(self, happening: Happening) -> None:
        """Takes a happening that may come too late."""


class FlowLink:
    """Runs until the flow has said its last word or the call is over."""

    def __init__(
        self,
        host: FlowHost,
        *,
        dial: Callable[[str], aio.Channel],
        clock: Clock,
        gateway_address: str,
    ) -> None:
        self._host = host
        self._dial = dial
        self._clock = clock
        self._gateway_address = gateway_address
        self._mailbox: asyncio.Queue[ivr_pb2.CallEvent] = asyncio.Queue(MAX_MAILBOX)
        self._reading: asyncio.Task[str] | None = None
        self._over = asyncio.Event()

    def tell(self, report: Reported) -> None:
        """Sends a report on the present stream; a later one gets what this one did not consume."""
        event = event_of(self._host.call, report, gateway_address=self._gateway_address)
        with contextlib.suppress(asyncio.QueueFull):
            self._mailbox.put_nowait(event)

    def give_up(self, epoch: int) -> None:
        """Gives up a stream that lives and says nothing."""
        if self._reading is not None and self._host.call.flow.epoch == epoch:
            self._reading.cancel()

    def finish(self) -> None:
        """The call is over: no interpreter is asked any more."""
        self._over.set()

    async def run(self) -> None:
        """Keeps a stream open. Its retries end with the call, whose own patience is limited."""
        pause_s = FIRST_PAUSE_S
        while not self._is_done():
            try:
                epoch = self._begin()
            except CallIsOver:
                return
            reason = await self._converse(epoch)
            if self._is_done():
                return
            if self._host.call.flow.attached:
                pause_s = FIRST_PAUSE_S
                log.info("flow detached", call=self._host.call.call_id, epoch=epoch, reason=reason)
            self._host.happen(DetachFlow(epoch, reason))
            with contextlib.suppress(TimeoutError):
                await asyncio.wait_for(self._over.wait(), pause_s)
            pause_s = min(2 * pause_s, LONGEST_PAUSE_S)

    def _is_done(self) -> bool:
        return self._over.is_set() or self._host.call.flow.closed

    def _begin(self) -> int:
        self._mailbox = asyncio.Queue(MAX_MAILBOX)
        again = self._host.call.flow.epoch > 0
        self._host.handle(BeginEpoch())
        call = self._host.call
        if again:
            now_ms = self._clock.now_ms()
            self._mailbox.put_nowait(resumed(call, now_ms, gateway_address=self._gateway_address))
        return call.flow.epoch

    async def _converse(self, epoch: int) -> str:
        """One stream from its opening to its end; why it ended."""
        call = self._host.call
        channel = self._dial("ivr")
        stream = ivr_pb2_grpc.IvrStub(channel).Handle(
            metadata=metadata(tenant_id=call.flow.tenant_id, call_id=call.call_id)
        )
        reading = self._reading = asyncio.ensure_future(self._read(stream))
        helpers = [
            asyncio.ensure_future(self._write(stream, self._mailbox)),
            asyncio.ensure_future(self._prove(channel, epoch)),
        ]
        over = asyncio.ensure_future(self._over.wait())
        try:
            await asyncio.wait((reading, over), return_when=asyncio.FIRST_COMPLETED)
            if not reading.done():
                await asyncio.wait((reading,), timeout=LAST_WORD_GRACE_S)
            return reading.result() if reading.done() and not reading.cancelled() else "silent"
        finally:
            self._reading = None
            for task in (reading, over, *helpers):
                task.cancel()
            stream.cancel()
            await asyncio.gather(reading, over, *helpers, return_exceptions=True)

    async def _read(self, stream: aio.StreamStreamCall[ivr_pb2.CallEvent, ivr_pb2.Step]) -> str:
        try:
            async for message in stream:
                self._take(message)
        except aio.AioRpcError as error:
            return f"{error.code().name.lower()}: {error.details()}"
        except (BadCommand, StepTooLarge) as error:
            log.warning("step refused", call=self._host.call.call_id, reason=str(error))
            return f"{error.code}: {error}"
        return "ended by the interpreter"

    def _take(self, message: ivr_pb2.Step) -> None:
        step = step_of(message)
        try:
            self._host.handle(KeepStep(step))
        except StaleStep as error:
            log.info("step not done", call=self._host.call.call_id, reason=str(error))
        except CallIsOver:
            self._over.set()

    async def _write(
        self,
        stream: aio.StreamStreamCall[ivr_pb2.CallEvent, ivr_pb2.Step],
        mailbox: asyncio.Queue[ivr_pb2.CallEvent],
    ) -> None:
        # A broken stream is told by its reading end.
        with contextlib.suppress(aio.AioRpcError, asyncio.InvalidStateError):
            while True:
                await stream.write(await mailbox.get())

    async def _prove(self, channel: aio.Channel, epoch: int) -> None:
        """A stream that stays up counts once its server shows that it is alive.

        That the connection stands proves nothing: it outlives a process that is stuck.
        """
        check = channel.unary_unary(
            "/grpc.health.v1.Health/Check",
            request_serializer=health_pb2.HealthCheckRequest.SerializeToString,
            response_deserializer=health_pb2.HealthCheckResponse.FromString,
        )
        while True:
            await asyncio.sleep(PROOF_S)
            with contextlib.suppress(aio.AioRpcError):
                await check(health_pb2.HealthCheckRequest(), timeout=PROOF_S)
                self._host.happen(AttachFlow(epoch))
                return
