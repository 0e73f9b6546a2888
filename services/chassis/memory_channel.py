"""The caller's end of calls without a network: a channel that generated stubs accept.

What it does not share with a real channel is time: it follows the loop's, which may be virtual.
Messages are serialised and parsed on the way, limits and the default deadline hold, and failures
are the same `AioRpcError`.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Generator
from types import TracebackType
from typing import Any, Protocol, Self

import grpc
from grpc import StatusCode, aio

from services.chassis.log import get_logger
from services.chassis.memory_call import Call, Ended, Pairs, PipeClosed, too_large
from services.chassis.rpc import MAX_MESSAGE_BYTES, UNARY_DEADLINE_S

log = get_logger("memory-channel")

_FINISHED = "RPC already finished."
_HALF_CLOSED = 'RPC is half closed after calling "done_writing".'
_TWO_STYLES = "The iterator and the read/write APIs may not be mixed on a single RPC."
_CANCELLED = Ended(StatusCode.CANCELLED, "Locally cancelled by application!", by_caller=True)


class Exchange(Protocol):
    """Where calls find the services."""

    def open(self, name: str, call: Call, *, wait: bool) -> None:
        """Hands a call to a service; ends it as UNAVAILABLE when there is none, unless `wait`."""

    def is_served(self, name: str) -> bool:
        """Whether a service of this name takes calls."""

    async def changed(self) -> None:
        """Returns when a service has come or gone."""


class MemoryChannel(aio.Channel):
    """A channel to the service `name` on an exchange."""

    def __init__(self, exchange: Exchange, name: str) -> None:
        self._exchange = exchange
        self._name = name
        self._closed = False
        self._calls: dict[Call, None] = {}

    def unary_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        """What calls a method of one request and one answer."""
        return self._method(_UnaryUnary, method, UNARY_DEADLINE_S, *codecs, **more)

    def unary_stream(self, method: str, *codecs: Any, **more: Any) -> Any:
        """What calls a method of one request and many answers."""
        return self._method(_UnaryStream, method, None, *codecs, **more)

    def stream_unary(self, method: str, *codecs: Any, **more: Any) -> Any:
        """What calls a method of many requests and one answer."""
        return self._method(_StreamUnary, method, None, *codecs, **more)

    def stream_stream(self, method: str, *codecs: Any, **more: Any) -> Any:
        """What calls a method of many requests and many answers."""
        return self._method(_StreamStream, method, None, *codecs, **more)

    async def close(self, grace: float | None = None) -> None:
        """Takes no more calls; cancels those that are not over after `grace` seconds."""
        self._closed = True
        over = [call.over for call in self._calls]
        if over and grace:
            await asyncio.wait(over, timeout=grace)
        for call in tuple(self._calls):
            call.cut(Ended(StatusCode.CANCELLED, "Channel closed!", by_caller=True))

    def get_state(
        self,
        try_to_connect: bool = False,  # noqa: ARG002, FBT001, FBT002  # gRPC's signature
    ) -> grpc.ChannelConnectivity:
        """READY while the service is there."""
        if self._closed:
            return grpc.ChannelConnectivity.SHUTDOWN
        if self._exchange.is_served(self._name):
            return grpc.ChannelConnectivity.READY
        return grpc.ChannelConnectivity.TRANSIENT_FAILURE

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Returns when the state is another."""
        while self.get_state() is last_observed_state:
            await self._exchange.changed()

    async def channel_ready(self) -> None:
        """Returns when the service is there."""
        while self.get_state() is not grpc.ChannelConnectivity.READY:
            if self._closed:
                raise aio.UsageError("Channel is closed.")
            await self._exchange.changed()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(
        self,
        exc_type: type[BaseException] | None,
        exc_val: BaseException | None,
        exc_tb: TracebackType | None,
    ) -> None:
        await self.close()

    def _method(
        self,
        kind: type[_ClientCall],
        method: str,
        default_timeout_s: float | None,
        request_serializer: Callable[[Any], bytes],
        response_deserializer: Callable[[bytes], Any],
        _registered_method: bool | None = None,  # noqa: FBT001  # stubs pass it; no use here
    ) -> Callable[..., _ClientCall]:
        def begin(
            request: Any = None,
            *,
            timeout: float | None = None,
            metadata: Pairs | None = None,
            credentials: grpc.CallCredentials | None = None,
            wait_for_ready: bool | None = None,
            compression: grpc.Compression | None = None,
        ) -> _ClientCall:
            if credentials is not None or compression is not None:
                raise aio.UsageError("there are no credentials and no compression in memory")
            if self._closed:
                raise aio.UsageError("Channel is closed.")
            limit_s = default_timeout_s if timeout is None else timeout
            call = Call(method=method, metadata=checked(metadata or ()), timeout_s=limit_s)
            begun = kind(call, request, request_serializer, response_deserializer)
            self._calls[call] = None
            call.over.add_done_callback(lambda _: self._calls.pop(call, None))
            self._exchange.open(self._name, call, wait=bool(wait_for_ready))
            return begun

        return begin


def checked(metadata: Pairs) -> Pairs:
    """The metadata, refused with ValueError where a real channel would refuse them."""
    for key, value in metadata:
        fits = isinstance(value, bytes if key.endswith("-bin") else str)
        printable = not isinstance(value, str) or (value.isascii() and value.isprintable())
        if key != key.lower() or not (fits and printable):
            raise ValueError(f"metadata was invalid: {key}")
    return tuple(metadata)


class _ClientCall(aio.Call):
    """What all calls have in common on the caller's side."""

    def __init__(
        self,
        call: Call,
        request: Any,
        serialise: Callable[[Any], bytes],
        parse: Callable[[bytes], Any],
    ) -> None:
        self._call = call
        self._serialise = serialise
        self._parse = parse
        self._loop = asyncio.get_running_loop()
        self._ask(request)

    def _ask(self, request: Any) -> None:
        """Sends the one request there is."""
        self._call.requests.put_only(self._bytes(request))

    def _bytes(self, request: Any) -> bytes:
        """A request's bytes; one that is too large ends the call."""
        data = self._serialise(request)
        if len(data) > MAX_MESSAGE_BYTES:
            self._call.cut(Ended(StatusCode.RESOURCE_EXHAUSTED, too_large(data)))
        return data

    def cancelled(self) -> bool:
        ended = self._call.ended
        return ended is not None and ended.code is StatusCode.CANCELLED

    def done(self) -> bool:
        return self._call.told.done()

    def time_remaining(self) -> float | None:
        return self._call.time_remaining()

    def cancel(self) -> bool:
        return self._call.cut(_CANCELLED)

    def add_done_callback(self, callback: Callable[[Any], None]) -> None:
        self._call.told.add_done_callback(lambda _: callback(self))

    async def initial_metadata(self) -> aio.Metadata:
        return await asyncio.shield(self._call.initial)

    async def trailing_metadata(self) -> aio.Metadata:
        return (await self._told()).trailing

    async def code(self) -> StatusCode:
        return (await self._told()).code

    async def details(self) -> str:
        return (await self._told()).details

    async def wait_for_connection(self) -> None:
        if self.done():
            await self._raise_unless_ok()

    async def _told(self) -> Ended:
        return await asyncio.shield(self._call.told)

    async def _raise_unless_ok(self) -> None:
        ended = await self._told()
        if ended.by_caller:
            raise asyncio.CancelledError
        if ended.code is not StatusCode.OK:
            initial = self._call.initial.result()
            raise aio.AioRpcError(
                ended.code, initial, ended.trailing, ended.details, f"{self._call.method}: memory"
            )


class _OneAnswer(_ClientCall):
    """Awaiting it gives the answer."""

    def __await__(self) -> Generator[Any, None, Any]:
        return self._answer().__await__()

    async def _answer(self) -> Any:
        try:
            await self._raise_unless_ok()
        except asyncio.CancelledError:
            self.cancel()
            raise
        assert self._call.answer is not None, "a call that ended well has its answer"
        return self._parse(self._call.answer)


class _ManyAnswers(_ClientCall):
    """Iterating over it, or reading, gives the answers."""

    _iterates = False
    _reads = False

    def __aiter__(self) -> Self:
        if self._reads:
            raise aio.UsageError(_TWO_STYLES)
        self._iterates = True
        return self

    async def __anext__(self) -> Any:
        answer = await self._next()
        if answer is aio.EOF:
            raise StopAsyncIteration
        return answer

    async def read(self) -> Any:
        """The next answer, or `aio.EOF`."""
        if self._iterates:
            raise aio.UsageError(_TWO_STYLES)
        self._reads = True
        return await self._next()

    async def _next(self) -> Any:
        try:
            data = await self._call.answers.get()
        except asyncio.CancelledError:
            self.cancel()
            raise
        if data is not None:
            return self._parse(data)
        await self._raise_unless_ok()
        return aio.EOF


class _ManyRequests(_ClientCall):
    """Takes its requests from an iterator, or by writing."""

    _closed = False
    _sending: asyncio.Task[None] | None = None

    def _ask(self, request: Any) -> None:
        if request is None:
            return  # by `write`
        sending = self._sending = self._loop.create_task(
            self._send_all(request), name=f"send {self._call.method}"
        )
        self._call.over.add_done_callback(lambda _: sending.cancel())

    async def _send_all(self, requests: Any) -> None:
        try:
            if hasattr(requests, "__aiter__"):
                async for request in requests:
                    await self._call.requests.put(self._bytes(request))
            else:
                for request in requests:
                    await self._call.requests.put(self._bytes(request))
        except PipeClosed:
            pass  # the status says how it ended
        except Exception as error:  # the caller's own, which ends its call
            log.warning("requests failed", method=self._call.method, exc_info=error)
            self.cancel()
        else:
            self._call.requests.close()

    async def write(self, request: Any) -> None:
        """Sends a request; waits while the other end reads too slowly."""
        self._refuse_two_styles()
        if self.done():
            raise asyncio.InvalidStateError(_FINISHED)
        if self._closed:
            raise asyncio.InvalidStateError(_HALF_CLOSED)
        try:
            await self._call.requests.put(self._bytes(request))
        except PipeClosed:
            if self.done():
                await self._raise_unless_ok()
        except asyncio.CancelledError:
            self.cancel()
            raise

    async def done_writing(self) -> None:
        """Says that no request follows."""
        self._refuse_two_styles()
        self._closed = True
        self._call.requests.close()

    def _refuse_two_styles(self) -> None:
        if self._sending is not None:
            raise aio.UsageError(_TWO_STYLES)


class _UnaryUnary(_OneAnswer, aio.UnaryUnaryCall[Any, Any]):
    pass


class _UnaryStream(_ManyAnswers, aio.UnaryStreamCall[Any, Any]):
    pass


class _StreamUnary(_ManyRequests, _OneAnswer, aio.StreamUnaryCall[Any, Any]):
    pass


class _StreamStream(_ManyRequests, _ManyAnswers, aio.StreamStreamCall[Any, Any]):
    pass
