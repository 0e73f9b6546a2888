"""The server's end of calls without a network."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterable, Mapping
from contextvars import Context
from typing import Any, Never

import grpc
from grpc import StatusCode, aio

from services.chassis.log import get_logger
from services.chassis.memory_call import Call, Ended, PipeClosed, too_large
from services.chassis.rpc import MAX_MESSAGE_BYTES, Handler

log = get_logger("memory-server")


def serve(call: Call, handler: Handler) -> None:
    """Begins to answer a call, in a context of its own as in a process of its own."""
    task = asyncio.get_running_loop().create_task(
        _serve(call, handler), name=f"serve {call.method}", context=Context()
    )
    call.serve_by(task)


async def _serve(call: Call, handler: Any) -> None:
    context = MemoryContext(call, handler)
    try:
        await _behave(call, handler, context)
    except aio.AbortError:
        pass  # the abort has told the caller
    except asyncio.CancelledError:
        call.finish(Ended(StatusCode.CANCELLED, "the server gave the call up"))
        raise
    except Exception as error:
        log.error("request failed", method=call.method, exc_info=error)
        call.finish(Ended(StatusCode.UNKNOWN, f"Unexpected {type(error)}: {error}"))
    else:
        call.finish(Ended(context.code(), context.details(), context.trailing_metadata()))


async def _behave(call: Call, handler: Any, context: MemoryContext) -> None:
    request: Any = context.requests()
    if not handler.request_streaming:
        data = await call.requests.get()
        if data is None:
            return  # gone before it asked
        request = handler.request_deserializer(data) if handler.request_deserializer else data
    if handler.response_streaming:
        behaviour = handler.stream_stream or handler.unary_stream
        async with contextlib.aclosing(behaviour(request, context)) as answers:
            async for answer in answers:
                await context.write(answer)
        return
    behaviour = handler.stream_unary or handler.unary_unary
    answer = await behaviour(request, context)
    if context.code() is StatusCode.OK:
        call.answer = await context.checked(answer)


class MemoryContext(aio.ServicerContext[Any, Any]):
    """What a servicer's method is given beside its request."""

    def __init__(self, call: Call, handler: Any) -> None:
        self._call = call
        # A handler without them takes and gives messages as they travel.
        self._parse = handler.request_deserializer or bytes
        self._serialise = handler.response_serializer or bytes
        self._code = StatusCode.OK
        self._details = ""
        self._trailing = aio.Metadata()
        self._aborted = False

    async def requests(self) -> AsyncIterator[Any]:
        """The caller's messages."""
        while (message := await self.read()) is not aio.EOF:
            yield message

    async def read(self) -> Any:
        """The caller's next message, or `aio.EOF`."""
        data = await self._call.requests.get()
        return aio.EOF if data is None else self._parse(data)

    async def write(self, message: Any) -> None:
        """Sends one of several answers."""
        data = await self.checked(message)
        await self.send_initial_metadata(())
        try:
            await self._call.answers.put(data)
        except PipeClosed:
            raise aio.UsageError("RPC already finished.") from None

    async def checked(self, message: Any) -> bytes:
        """An answer's bytes; one that is too large ends the call."""
        data: bytes = self._serialise(message)
        if len(data) > MAX_MESSAGE_BYTES:
            await self.abort(StatusCode.RESOURCE_EXHAUSTED, too_large(data))
        return data

    async def send_initial_metadata(self, initial_metadata: Any) -> None:
        """Sends the metadata that come before the answers; once."""
        if not self._call.initial.done():
            self._call.initial.set_result(aio.Metadata(*initial_metadata))

    async def abort(
        self, code: StatusCode, details: str = "", trailing_metadata: Any = ()
    ) -> Never:
        """Ends the call with a status and always raises AbortError."""
        if self._aborted:
            raise aio.UsageError("Abort already called!")
        self._aborted = True
        trailing = aio.Metadata(*trailing_metadata) if trailing_metadata else self._trailing
        self._call.finish(Ended(code, details, trailing))
        raise aio.AbortError("Locally aborted.")

    async def abort_with_status(self, status: grpc.Status) -> Never:
        """Ends the call with a status and always raises AbortError."""
        await self.abort(status.code, status.details, status.trailing_metadata or ())

    def set_trailing_metadata(self, trailing_metadata: Any) -> None:
        """What goes with the status."""
        self._trailing = aio.Metadata(*trailing_metadata)

    def invocation_metadata(self) -> aio.Metadata:
        """What came with the call."""
        return self._call.metadata

    def set_code(self, code: StatusCode) -> None:
        """The status when the method returns."""
        self._code = code

    def set_details(self, details: str) -> None:
        """Its words."""
        self._details = details

    def set_compression(self, compression: grpc.Compression) -> None:
        """Nothing is compressed in memory."""

    def disable_next_message_compression(self) -> None:
        """Nothing is compressed in memory."""

    def peer(self) -> str:
        """Who calls."""
        return "memory:"

    def peer_identities(self) -> Iterable[bytes] | None:
        """None: nobody authenticates in memory."""

    def peer_identity_key(self) -> str | None:
        """None: nobody authenticates in memory."""

    def auth_context(self) -> Mapping[str, Iterable[bytes]]:
        """Empty: nobody authenticates in memory."""
        return {}

    def time_remaining(self) -> float:
        """Seconds until the deadline; None without one, as in grpc.aio itself."""
        return self._call.time_remaining()  # type: ignore[return-value]  # typed so upstream

    def trailing_metadata(self) -> aio.Metadata:
        """What goes with the status."""
        return self._trailing

    def code(self) -> StatusCode:
        """The status when the method returns."""
        return self._code

    def details(self) -> str:
        """Its words."""
        return self._details

    def add_done_callback(self, callback: Any) -> None:
        """Calls back with this context once the call has ended."""
        self._call.over.add_done_callback(lambda _: callback(self))

    def cancelled(self) -> bool:
        """Whether the caller cancelled."""
        return self._call.ended is not None and self._call.ended.by_caller

    def done(self) -> bool:
        """Whether the call has ended."""
        return self._call.ended is not None
