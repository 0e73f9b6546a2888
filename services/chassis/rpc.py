"""gRPC servers, and what every call gets on its way; `rpc_channel` is the clients' end."""

from __future__ import annotations

import asyncio
import contextlib
import inspect
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, TypeAlias

import grpc
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from services.chassis import request, spans
from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger
from services.chassis.metrics import Metrics
from services.chassis.request import (
    PLATFORM,
    MissingTenant,
    RequestContext,
    metadata,
    present,
    tenant_id,
    tenant_scope,
)
from services.chassis.rpc_channel import (
    LIMITS,
    MAX_MESSAGE_BYTES,
    MAX_STREAMS,
    UNARY_DEADLINE_S,
    open_channel,
)
from services.chassis.rpc_door import AlreadyRunning, Door, SocketPathTooLong, UnixDoor
from services.chassis.status import (
    DETAILS_KEY,
    STATUS_OF_KIND,
    details_of,
    remote_error,
    remote_errors,
    words_of,
)

__all__ = [
    "MAX_MESSAGE_BYTES",
    "MAX_STREAMS",
    "PLATFORM",
    "UNARY_DEADLINE_S",
    "AlreadyRunning",
    "Face",
    "MissingTenant",
    "RpcServer",
    "SocketPathTooLong",
    "guarded",
    "metadata",
    "open_channel",
    "present",
    "remote_error",
    "remote_errors",
    "tenant_id",
    "tenant_scope",
]

log = get_logger("rpc")

STOP_GRACE_S = 1.0

Handler: TypeAlias = "grpc.RpcMethodHandler[Any, Any]"


@dataclass(frozen=True, slots=True)
class Face:
    """One gRPC service that a server offers."""

    register: Callable[[aio.Server], None]
    """Adds the servicer to a server."""
    name: str
    """Its full proto name, for health and reflection."""


class RpcServer:
    """A gRPC server behind one door, with health and reflection.

    Every handler runs inside its request's context, and its named errors leave as one kind of
    status. A second server at the same door is refused by the door's own error.
    """

    def __init__(
        self,
        *,
        faces: Sequence[Face],
        path: Path | None = None,
        door: Door | None = None,
        metrics: Metrics | None = None,
    ) -> None:
        """`path` is short for a `UnixDoor`; `metrics` counts what is answered."""
        if door is None:
            assert path is not None, "a server needs a door"
            door = UnixDoor(path)
        self._door = door
        self._faces = tuple(faces)
        self._metrics = metrics
        self._health = HealthServicer()
        self._server: aio.Server | None = None

    async def start(self) -> None:
        """Opens the door."""
        door = self._door
        server = aio.server(
            interceptors=(_Guard(door, self._metrics),), options=(*LIMITS, *door.options())
        )
        for face in self._faces:
            face.register(server)
        health_pb2_grpc.add_HealthServicer_to_server(self._health, server)
        names = [face.name for face in self._faces]
        reflection.enable_server_reflection(
            (*names, health_pb2.DESCRIPTOR.services_by_name["Health"].full_name), server
        )
        door.hang(server)
        await server.start()
        door.opened()
        for name in ("", *names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        self._server = server

    async def leave(self) -> None:
        """Says NOT_SERVING to whoever asks for health; calls go on."""
        await self._health.enter_graceful_shutdown()

    async def stop(self) -> None:
        """Ends the server; what still runs is cut off after a second."""
        if self._server is not None:
            await self._server.stop(STOP_GRACE_S)
        self._door.close()


class _Guard(aio.ServerInterceptor):
    """Wraps every handler, whichever way its messages stream."""

    def __init__(self, door: Door, metrics: Metrics | None) -> None:
        self._door = door
        self._metrics = metrics

    async def intercept_service(
        self,
        continuation: Callable[[grpc.HandlerCallDetails], Awaitable[Handler | None]],
        handler_call_details: grpc.HandlerCallDetails,
    ) -> Handler | None:
        handler = await continuation(handler_call_details)
        if handler is None:
            return None
        watch = _Watch(self._door.service, handler_call_details.method, self._metrics, self._door)
        return guarded(handler, handler_call_details.method, watch)


@dataclass(frozen=True, slots=True)
class _Watch:
    """Who answers, what is asked, and who counts it."""

    service: str
    method: str
    metrics: Metrics | None
    door: Door | None = None

    def answered(self, status: str, seconds: float | None) -> None:
        if self.metrics is not None:
            self.metrics.answered(self.method, status, seconds)


def guarded(handler: Handler, method: str, watch: _Watch | None = None) -> Handler:
    """The same handler, inside its request's context and with one mapping of errors."""
    watch = watch or _Watch("", method, None)
    if handler.response_streaming:
        behaviour: Any = (
            handler.stream_stream if handler.request_streaming else handler.unary_stream
        )
        wrapped: Any = _stream(behaviour, watch)
    else:
        behaviour = handler.stream_unary if handler.request_streaming else handler.unary_unary
        wrapped = _single(behaviour, watch)
    make: Any = {
        (False, False): grpc.unary_unary_rpc_method_handler,
        (False, True): grpc.unary_stream_rpc_method_handler,
        (True, False): grpc.stream_unary_rpc_method_handler,
        (True, True): grpc.stream_stream_rpc_method_handler,
    }[handler.request_streaming, handler.response_streaming]
    made: Handler = make(wrapped, handler.request_deserializer, handler.response_serializer)
    return made


def _single(behaviour: Any, watch: _Watch) -> Any:
    name = watch.method.rpartition("/")[2]

    async def run(message: Any, context: aio.ServicerContext[Any, Any]) -> Any:
        async with _mapped(context, watch, timed=True) as asked:
            began_ns = time.time_ns()
            try:
                with spans.span(watch.service, name, call_id=asked.call_id or ""):
                    return await behaviour(message, context)
            finally:
                if asked.call_id is None:
                    _tell_late(watch.service, name, began_ns)

    return run


def _tell_late(service: str, name: str, began_ns: int) -> None:
    """A request that found out on its way which call it concerns is a step of that call, too."""
    call_id = present().call_id
    if call_id is not None:
        from_ms, to_ms = began_ns // 1_000_000, time.time_ns() // 1_000_000
        spans.step(service, name, call_id=call_id, from_ms=from_ms, to_ms=to_ms)


def _stream(behaviour: Any, watch: _Watch) -> Any:
    async def run(message: Any, context: aio.ServicerContext[Any, Any]) -> AsyncIterator[Any]:
        async with _mapped(context, watch, timed=False):
            # A library's own servicer may write to the context instead of yielding.
            result = behaviour(message, context)
            if inspect.isawaitable(result):
                await result
                return
            async with contextlib.aclosing(result):
                async for answer in result:
                    yield answer

    return run


@contextlib.asynccontextmanager
async def _mapped(
    context: aio.ServicerContext[Any, Any], watch: _Watch, *, timed: bool
) -> AsyncIterator[RequestContext]:
    asked = request.enter(context.invocation_metadata() or ())
    began = time.perf_counter()
    status = "OK"
    try:
        if watch.door is not None:
            watch.door.admit(context.auth_context())
        yield asked
    except CarillonError as error:
        status = STATUS_OF_KIND[error.kind].name
        if error.kind is Kind.INTERNAL:
            log.error("request failed", method=watch.method, code=error.code, exc_info=error)
        await context.abort(
            STATUS_OF_KIND[error.kind], words_of(error), ((DETAILS_KEY, details_of(error)),)
        )
    except (asyncio.CancelledError, aio.AbortError, GeneratorExit):
        status = "CANCELLED"
        raise
    except Exception as error:
        # The reader of the answer learns nothing about the inside; the log does.
        status = "INTERNAL"
        log.error("request failed", method=watch.method, exc_info=error)
        await context.abort(grpc.StatusCode.INTERNAL, "internal error")
    finally:
        took_s = time.perf_counter() - began
        watch.answered(status, took_s if timed else None)
        log.debug("answered", method=watch.method, status=status, took_ms=round(1_000 * took_s, 1))
