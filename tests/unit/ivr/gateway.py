"""A gateway's end of a call's stream, and an acd that says what it is told to, for tests."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from typing import TYPE_CHECKING, Any

import grpc

from protos.acd.v1 import acd_pb2, acd_pb2_grpc
from protos.ivr.v1 import ivr_pb2, ivr_pb2_grpc
from services.chassis.errors import CarillonError
from services.chassis.rpc import Face, tenant_id
from services.ivr.speech import NoSuchVoice, Speech, VoiceFailed

CALL_ID = "0195c1a0-0000-7000-8000-000000000001"
PATIENCE_S = 5.0
"""Of tests that wait for a real socket; a story in virtual time may wait for a minute."""
TONE = b"".join((1_000 * (n % 20 - 10)).to_bytes(2, "little", signed=True) for n in range(8_000))


class Tone:
    """A voice that hums at once."""

    name = "tone 1"

    def __init__(self) -> None:
        self.said: list[str] = []
        self.broken = False
        self.lacks: tuple[str, ...] = ("xx",)

    async def speak(self, text: str, voice: str) -> Speech:
        if self.broken:
            raise VoiceFailed("hoarse")
        if voice.startswith(self.lacks):
            raise NoSuchVoice(voice)
        self.said.append(text)
        # Another text, another blob: the tests tell prompts apart by their hash.
        return Speech(TONE + text.encode() * 2, 8_000)

    async def close(self) -> None:
        pass


def _answer(name: str, message: object) -> Any:
    async def answer(self: Acd, request: object, _context: object) -> object:
        await self._take(name, request)
        return message

    return answer


if TYPE_CHECKING:  # most of its methods are nothing to these tests
    _Servicer = object
else:
    _Servicer = acd_pb2_grpc.AcdServicer


class Acd(_Servicer):
    """An acd whose answers are written by the test."""

    name = "acd"

    def __init__(self) -> None:
        self.asked: list[tuple[str, Any]] = []
        self.tenants: set[str] = set()
        self.refuse: dict[str, CarillonError] = {}
        self._streams: dict[str, asyncio.Queue[acd_pb2.EntryUpdate]] = {}
        self._changed = asyncio.Condition()

    def faces(self) -> list[Face]:
        return [Face(self._register, "carillon.acd.v1.Acd")]

    def _register(self, server: grpc.aio.Server) -> None:
        servicer: Any = self
        acd_pb2_grpc.add_AcdServicer_to_server(servicer, server)

    async def start(self) -> None: ...

    async def drain(self) -> None: ...

    async def stop(self) -> None: ...

    async def say(self, entry_id: str, **body: Any) -> None:
        """An update on the entry's stream."""
        async with self._changed, asyncio.timeout(PATIENCE_S):
            await self._changed.wait_for(lambda: entry_id in self._streams)
        await self._streams[entry_id].put(acd_pb2.EntryUpdate(entry_id=entry_id, **body))

    async def heard(self, name: str, nth: int = 1) -> Any:
        """The nth request of that name, when it comes."""
        async with self._changed, asyncio.timeout(PATIENCE_S):
            await self._changed.wait_for(lambda: len(self.all_of(name)) >= nth)
        return self.all_of(name)[nth - 1]

    def all_of(self, name: str) -> list[Any]:
        return [request for asked, request in self.asked if asked == name]

    async def _take(self, name: str, request: Any) -> None:
        self.tenants.add(tenant_id())
        async with self._changed:
            self.asked.append((name, request))
            self._changed.notify_all()
        if name in self.refuse:
            raise self.refuse[name]

    async def _follow(
        self, request: acd_pb2.EnqueueRequest, _context: object
    ) -> AsyncIterator[acd_pb2.EntryUpdate]:
        updates: asyncio.Queue[acd_pb2.EntryUpdate] = asyncio.Queue()
        self._streams[request.entry_id] = updates
        await self._take("Enqueue", request)
        while True:
            update = await updates.get()
            if update.WhichOneof("body") is None:
                return
            yield update

    Enqueue = _follow
    Leave = _answer("Leave", acd_pb2.LeaveResponse())
    AnnounceWait = _answer("AnnounceWait", acd_pb2.EntryPosition())
    RingConfirmed = _answer("RingConfirmed", acd_pb2.Reservation())
    Accept = _answer("Accept", acd_pb2.Reservation())
    Bridged = _answer("Bridged", acd_pb2.Reservation())
    EndReservation = _answer("EndReservation", acd_pb2.Reservation())
    Complete = _answer("Complete", acd_pb2.Reservation())
    SetHold = _answer("SetHold", acd_pb2.Reservation())


class GatewayCall:
    """One call as its gateway lives it."""

    def __init__(
        self, channel: grpc.aio.Channel, call_id: str = CALL_ID, patience_s: float = PATIENCE_S
    ) -> None:
        self._patience_s = patience_s
        self._stub: Any = ivr_pb2_grpc.IvrStub(channel)
        self._call_id = call_id
        self.epoch = 0
        self.seq = 0
        self.last = ivr_pb2.Step()
        self.commands: list[ivr_pb2.Command] = []
        self._unconsumed: list[ivr_pb2.CallEvent] = []
        self.operation = ""

    async def invite(self, called: str = "+49301", trunk: str = "local") -> ivr_pb2.Step:
        """Opens the first stream."""
        more: Any = {"from": "+49171"}  # a keyword, so it cannot be written as one
        invited = ivr_pb2.CallInvited(to=called, trunk=trunk, **more)
        self._open()
        await self.send(invited=invited)
        return await self.step()

    async def resume(self, legs: list[ivr_pb2.LegView], operation: str = "") -> ivr_pb2.Step:
        """Opens another stream."""
        self.stream.cancel()
        self._open()
        resumed = ivr_pb2.CallResumed(
            checkpoint=self.last.checkpoint,
            step=self.last.step,
            legs=legs,
            events=self._unconsumed,
            operation=operation,
            tenant_id=self.last.tenant_id,
        )
        await self.stream.write(
            ivr_pb2.CallEvent(call_id=self._call_id, epoch=self.epoch, resumed=resumed)
        )
        return await self.step()

    def _open(self) -> None:
        self.epoch += 1
        self.stream = self._stub.Handle()

    async def send(self, **body: Any) -> None:
        """The next event."""
        self.seq += 1
        event = ivr_pb2.CallEvent(
            call_id=self._call_id, epoch=self.epoch, seq=self.seq, at_ms=1, **body
        )
        self._unconsumed.append(event)
        await self.stream.write(event)

    async def miss(self, **body: Any) -> None:
        """An event that no stream carries."""
        self.seq += 1
        self._unconsumed.append(
            ivr_pb2.CallEvent(call_id=self._call_id, epoch=self.epoch, seq=self.seq, **body)
        )

    async def step(self) -> ivr_pb2.Step:
        """The next step, checked as a gateway checks it."""
        async with asyncio.timeout(self._patience_s):
            step: Any = await self.stream.read()
        assert isinstance(step, ivr_pb2.Step), "the stream ended"
        assert (step.epoch, step.step) == (self.epoch, self.last.step + 1)
        assert step.consumed_seq >= self.last.consumed_seq
        self.last = step
        self.commands += step.commands
        self._unconsumed = [event for event in self._unconsumed if event.seq > step.consumed_seq]
        for command in step.commands:
            body = getattr(command, str(command.WhichOneof("body")))
            self.operation = getattr(body, "operation", self.operation)
        return step

    async def until(self, kind: str) -> Any:
        """Steps until a command of that kind; gives it."""
        for _ in range(50):
            for command in self.last.commands:
                if command.WhichOneof("body") == kind:
                    return getattr(command, kind)
            await self.step()
        raise AssertionError(f"no {kind} came")

    async def end_operation(
        self,
        digits: str = "",
        reason: Any = ivr_pb2.OperationEnded.REASON_COMPLETE,
    ) -> ivr_pb2.Step:
        """What plays ends."""
        ended = ivr_pb2.OperationEnded(operation=self.operation, reason=reason, digits=digits)
        await self.send(operation_ended=ended)
        return await self.step()

    async def is_over(self) -> bool:
        """Whether the stream ends now."""
        async with asyncio.timeout(self._patience_s):
            return await self.stream.read() is grpc.aio.EOF

    @property
    def kinds(self) -> list[str]:
        """The last step's commands, without notes."""
        names = [str(command.WhichOneof("body")) for command in self.last.commands]
        return [name for name in names if name != "note"]
