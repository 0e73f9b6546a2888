"""A small service with a method of every arity, and the ways to reach it."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from pathlib import Path
from typing import Any, ClassVar

import grpc
from google.protobuf.wrappers_pb2 import StringValue
from grpc import aio

from services.chassis import request
from services.chassis.errors import CarillonError, Kind
from services.chassis.rpc import Face, RpcServer, open_channel
from services.chassis.simulated import MemoryExchange

NAME = "test.v1.Echo"
Context = aio.ServicerContext[Any, Any]


def problem(named: Kind) -> CarillonError:
    """A named error of a kind."""

    class Problem(CarillonError):
        code: ClassVar[str] = f"a-{named}-problem"
        kind: ClassVar[Kind] = named

    return Problem(f"this is {named}")


def fail(verb: str, rest: str) -> None:
    """Fails in the way that a verb asks for."""
    error = problem(Kind.CONFLICT)
    match verb:
        case "fail":
            raise problem(Kind(rest))
        case "fail-with":
            error.args = (rest,)
            raise error
        case "fail-oddly":
            error.args = ("text that UTF-8 cannot hold: \udcff",)
            raise error
        case "crash":
            raise ZeroDivisionError(rest)


def said(what: str) -> str:
    """What the present request says of itself."""
    ask: dict[str, Callable[[], str]] = {
        "tenant": request.tenant_id,
        "scope": request.tenant_scope,
        "call": lambda: str(request.present().call_id),
    }
    return ask[what]()


class Echo:
    """The servicer. What its requests say is what it does."""

    def __init__(self) -> None:
        self.begun = asyncio.Event()
        self.cancelled = asyncio.Event()
        self.over = asyncio.Event()
        self.gate = asyncio.Event()
        self.present = 0

    async def Say(self, message: StringValue, context: Context) -> StringValue:
        verb, _, rest = message.value.partition(" ")
        fail(verb, rest)
        match verb:
            case "echo":
                return StringValue(value=rest)
            case "wait":
                await self._wait()
            case "tenant" | "scope" | "call":
                return StringValue(value=said(verb))
            case "gathered-tenant":
                return await self._gathered(int(rest))
            case "code":
                context.set_code(grpc.StatusCode[rest])
                context.set_details("as told")
            case "metadata":
                await context.send_initial_metadata((("before", rest),))
                context.set_trailing_metadata((("after", rest), ("after-bin", b"\x00")))
            case "large":
                return StringValue(value="x" * int(rest))
            case "abort-twice":
                with contextlib.suppress(aio.AbortError):
                    await context.abort(grpc.StatusCode.ABORTED, "the first counts")
                await context.abort(grpc.StatusCode.NOT_FOUND, "the second does not")
            case "note-done":
                made: Any = context
                made.add_done_callback(lambda _: self.over.set())
                assert not context.done()
                assert not context.cancelled()
                assert context.peer_identities() is None
                assert context.peer_identity_key() is None
                assert context.peer()
                assert context.auth_context() is not None
            case "left":
                return StringValue(value=str(context.time_remaining()))
        return StringValue(value="")

    async def Count(self, message: StringValue, context: Context) -> AsyncIterator[StringValue]:
        upto, _, then = message.value.partition(" ")
        for number in range(int(upto)):
            yield StringValue(value=str(number))
        if then == "wait":
            await self._wait()
        elif then == "crash":
            raise ZeroDivisionError("secret-of-the-house")
        elif then:
            raise problem(Kind(then))

    async def Join(self, messages: AsyncIterator[StringValue], context: Context) -> StringValue:
        self.begun.set()
        parts = []
        with self._noting_cancel():
            async for message in messages:
                if message.value == "fail":
                    raise problem(Kind.PRECONDITION)
                parts.append(message.value)
        return StringValue(value="+".join(parts))

    async def Chat(
        self, messages: AsyncIterator[StringValue], context: Context
    ) -> AsyncIterator[StringValue]:
        with self._noting_cancel():
            async for message in messages:
                self.begun.set()
                if message.value == "stop":
                    return
                if message.value == "fail":
                    raise problem(Kind.ABORTED)
                yield StringValue(value=message.value.upper())

    async def _wait(self) -> None:
        self.begun.set()
        with self._noting_cancel():
            await asyncio.Event().wait()

    async def _gathered(self, count: int) -> StringValue:
        before = request.tenant_id()
        self.present += 1
        if self.present == count:
            self.gate.set()
        await self.gate.wait()
        assert request.tenant_id() == before
        return StringValue(value=request.tenant_id())

    @contextlib.contextmanager
    def _noting_cancel(self) -> Any:
        try:
            yield
        except asyncio.CancelledError:
            self.cancelled.set()
            raise
        finally:
            self.over.set()


def face(servicer: Echo) -> Face:
    """The servicer as a server takes it, registered as generated code does."""
    codecs: Any = {
        "request_deserializer": StringValue.FromString,
        "response_serializer": StringValue.SerializeToString,
    }
    made: Any = grpc
    handlers = {
        "Say": made.unary_unary_rpc_method_handler(servicer.Say, **codecs),
        "Count": made.unary_stream_rpc_method_handler(servicer.Count, **codecs),
        "Join": made.stream_unary_rpc_method_handler(servicer.Join, **codecs),
        "Chat": made.stream_stream_rpc_method_handler(servicer.Chat, **codecs),
    }

    def register(server: aio.Server) -> None:
        server.add_generic_rpc_handlers((grpc.method_handlers_generic_handler(NAME, handlers),))
        server.add_registered_method_handlers(NAME, handlers)

    return Face(register=register, name=NAME)


class EchoStub:
    """As generated code makes it."""

    def __init__(self, channel: aio.Channel) -> None:
        codecs: Any = {
            "request_serializer": StringValue.SerializeToString,
            "response_deserializer": StringValue.FromString,
            "_registered_method": True,
        }
        self.Say: Any = channel.unary_unary(f"/{NAME}/Say", **codecs)
        self.Count: Any = channel.unary_stream(f"/{NAME}/Count", **codecs)
        self.Join: Any = channel.stream_unary(f"/{NAME}/Join", **codecs)
        self.Chat: Any = channel.stream_stream(f"/{NAME}/Chat", **codecs)
        self.Missing: Any = channel.unary_unary(f"/{NAME}/Missing", **codecs)


class Peer:
    """The service and a caller, whatever lies between them."""

    def __init__(self, channel: aio.Channel, servicer: Echo) -> None:
        self.channel = channel
        self.servicer = servicer
        self.stub = EchoStub(channel)

    async def say(self, words: str, **options: Any) -> str:
        answer: StringValue = await self.stub.Say(StringValue(value=words), **options)
        return answer.value


@contextlib.asynccontextmanager
async def over_socket(folder: Path) -> AsyncIterator[Peer]:
    servicer = Echo()
    server = RpcServer(path=folder / "echo.sock", faces=[face(servicer)])
    await server.start()
    channel = open_channel(folder / "echo.sock")
    try:
        yield Peer(channel, servicer)
    finally:
        await channel.close()
        await server.stop()


@contextlib.asynccontextmanager
async def in_memory(exchange: MemoryExchange) -> AsyncIterator[Peer]:
    servicer = Echo()
    exchange.serve("echo", [face(servicer)])
    channel = exchange.channel("echo")
    try:
        yield Peer(channel, servicer)
    finally:
        await channel.close()
        exchange.kill("echo")
