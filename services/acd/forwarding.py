"""Requests that reach a replica which does not own the tenant's shard go on to the one that does.

Written once for every RPC: the message passes as bytes, its metadata is kept, and the answer comes
back as it was given. A marker in the metadata stops a request from going round. While an owner is
dead and its lease still runs, requests wait for whoever takes over.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Mapping
from contextlib import aclosing
from typing import Any, ClassVar, cast

import grpc
from grpc import StatusCode, aio

from services.acd.shards import Shards
from services.chassis.clock import Clock
from services.chassis.errors import CarillonError, Kind
from services.chassis.journal import JournalUnavailable, OwnedElsewhere
from services.chassis.log import get_logger
from services.chassis.rpc import Handler, tenant_id
from services.chassis.status import DETAILS_KEY

log = get_logger("acd.forwarding")

HOP_KEY = "carillon-forwarded"
WAIT_MS = 4_000
"""How long a request waits for an owner, unless it is a stream that comes from the outside; longer
than a lease."""
ASK_AGAIN_S = 0.1

Context = aio.ServicerContext[Any, Any]


class OwnerAway(CarillonError):
    """Nobody decides for the tenant now, or it could not be reached; ask again."""

    code: ClassVar[str] = "owner-away"
    kind: ClassVar[Kind] = Kind.UNAVAILABLE


class Forwarding:
    """Wraps handlers so that each request is served by its shard's owner."""

    def __init__(
        self, *, shards: Shards, clock: Clock, dial_at: Callable[[str], aio.Channel]
    ) -> None:
        """`dial_at` is the way to another replica by its address."""
        self._shards = shards
        self._clock = clock
        self._dial_at = dial_at
        self.forwarded = 0
        """Requests that went on to another replica."""

    def wrapped(self, handler: Handler, method: str) -> Handler:
        """The same handler; `method` is its full name. Requests do not stream."""
        inner: Any = handler
        make: Any = grpc.unary_unary_rpc_method_handler
        wrap: Any = self._single(inner.unary_unary, inner, method)
        if inner.response_streaming:
            make = grpc.unary_stream_rpc_method_handler
            wrap = self._stream(inner.unary_stream, inner, method)
        made: Handler = make(wrap, request_deserializer=None, response_serializer=None)
        return made

    def _single(self, behaviour: Any, handler: Any, method: str) -> Callable[..., Awaitable[bytes]]:
        async def run(raw: bytes, context: Context) -> bytes:
            until_ms = self._clock.monotonic_ms() + WAIT_MS
            while True:
                address = await self._owner(context, until_ms)
                if address is None:
                    answer = await behaviour(handler.request_deserializer(raw), context)
                    return bytes(handler.response_serializer(answer))
                self.forwarded += 1
                call: Any = self._dial_at(address).unary_unary(method)
                try:
                    return cast("bytes", await call(raw, **_passed_on(context)))
                except aio.AioRpcError as error:
                    await self._again_or_abort(error, context, until_ms)

        return run

    def _stream(self, behaviour: Any, handler: Any, method: str) -> Callable[..., Any]:
        async def run(raw: bytes, context: Context) -> AsyncIterator[bytes]:
            head = _Head(context)
            # A stream that was passed on goes back to who did so, and looks for the owner again.
            forwarded = _was_forwarded(context)
            wait_until_ms = self._clock.monotonic_ms() + WAIT_MS if forwarded else None
            while True:
                address = await self._owner(context, wait_until_ms)
                if address is None:
                    request = handler.request_deserializer(raw)
                    async with aclosing(behaviour(request, head)) as answers:
                        async for answer in answers:
                            yield bytes(handler.response_serializer(answer))
                    return
                self.forwarded += 1
                stub: Any = self._dial_at(address).unary_stream(method)
                call = stub(raw, **_passed_on(context))
                told = False
                try:
                    async with aclosing(_answers(call, head)) as passed:
                        async for each in passed:
                            told = True
                            yield each
                except aio.AioRpcError as error:
                    # Whoever has heard something asks again, and is told where things stand.
                    until_ms = 0 if told else None
                    await self._again_or_abort(error, context, until_ms)
                else:
                    return

        return run

    async def _owner(self, context: Context, until_ms: float | None) -> str | None:
        """Where the shard is; None: here. OwnerAway or JournalUnavailable when nobody knows."""
        tenant = tenant_id()
        while True:
            try:
                await self._shards.of(tenant)
            except OwnedElsewhere as owner:
                if not _was_forwarded(context):
                    return owner.address
                self._shards.doubt(tenant)
                await self._pause(until_ms, OwnerAway(str(owner)))
            except JournalUnavailable as error:
                await self._pause(until_ms, error)
            else:
                return None

    async def _again_or_abort(
        self, error: aio.AioRpcError, context: Context, until_ms: float | None
    ) -> None:
        """Waits a moment when another owner may soon be there; else passes the failure on."""
        late = until_ms is not None and self._clock.monotonic_ms() >= until_ms
        if error.code() is not StatusCode.UNAVAILABLE or late:
            trailing = [(k, v) for k, v in error.trailing_metadata() or () if k == DETAILS_KEY]
            await context.abort(error.code(), error.details() or "", tuple(trailing))
        self._shards.doubt(tenant_id())
        await asyncio.sleep(ASK_AGAIN_S)

    async def _pause(self, until_ms: float | None, error: CarillonError) -> None:
        if until_ms is not None and self._clock.monotonic_ms() >= until_ms:
            raise error
        await asyncio.sleep(ASK_AGAIN_S)


class Collector:
    """Stands in for a server while generated code adds a servicer to it."""

    def __init__(self, server: aio.Server, forwarding: Forwarding) -> None:
        self._server = server
        self._forwarding = forwarding

    def add_registered_method_handlers(self, name: str, handlers: Mapping[str, Handler]) -> None:
        """Adds every handler of a service, wrapped."""
        wrapped = {
            method: self._forwarding.wrapped(handler, f"/{name}/{method}")
            for method, handler in handlers.items()
        }
        generic = grpc.method_handlers_generic_handler(name, wrapped)
        self._server.add_generic_rpc_handlers((generic,))

    def add_generic_rpc_handlers(self, handlers: object) -> None:
        """The same handlers once more, in a form that cannot be looked into."""


class _Head:
    """What a streaming servicer uses of its context: the answer's head, which is sent once."""

    def __init__(self, context: Context) -> None:
        self._context = context
        self._sent = False

    async def send_initial_metadata(self, metadata: Any) -> None:
        """Tells the caller that the answer has begun; repeated, it does nothing."""
        if not self._sent:
            self._sent = True
            await self._context.send_initial_metadata(metadata)


async def _answers(call: Any, head: _Head) -> AsyncGenerator[bytes, None]:
    """What another replica answers; the call ends with the reading."""
    try:
        await call.initial_metadata()
        await head.send_initial_metadata(())
        async for answer in call:
            yield answer
    finally:
        call.cancel()


def _passed_on(context: Context) -> dict[str, Any]:
    """The caller's own metadata and time, for the call that goes on."""
    kept = [
        (key, value)
        for key, value in context.invocation_metadata() or ()
        if key == "traceparent" or (key.startswith("carillon-") and key != HOP_KEY)
    ]
    return {"metadata": (*kept, (HOP_KEY, "1")), "timeout": context.time_remaining()}


def _was_forwarded(context: Context) -> bool:
    return any(key == HOP_KEY for key, _ in context.invocation_metadata() or ())
