"""gRPC for integrators: the same RPCs as REST, by the same way in, forwarded as bytes."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator
from typing import Any
from urllib.parse import unquote

import grpc
from google.protobuf import descriptor_pb2
from google.protobuf.descriptor import FileDescriptor
from google.protobuf.descriptor_pool import DescriptorPool
from google.protobuf.message import DecodeError, Message
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_health.v1._async import HealthServicer
from grpc_reflection.v1alpha import reflection

from services.chassis.errors import CarillonError, Kind
from services.chassis.log import get_logger
from services.chassis.status import DETAILS_KEY, STATUS_OF_KIND, details_of, words_of
from services.portal.access import FILES, Exposed, Registry
from services.portal.edge import ANSWER_LIMIT_S, STREAM_LIMIT_S, Asked, Edge
from services.portal.problem import BadRequest, Problem, problem_of
from services.portal.proxies import FORWARDED, TrustedProxies
from services.portal.rest_values import check_texts

log = get_logger("portal.grpc")

MAX_REQUEST_BYTES = 1024 * 1024
MAX_CONCURRENT_CALLS = 20_000
STOP_GRACE_S = 1.0
_WITHHELD = frozenset({500, 503})
"""As REST would answer: of these nobody outside learns more than that."""
HEALTH = "grpc.health.v1.Health"
_HEALTH_FILE: Any = health_pb2.DESCRIPTOR

Context = aio.ServicerContext[Any, Any]


class GrpcEdge:
    """A gRPC server on TCP that offers every RPC that is for outside, and no other."""

    def __init__(
        self, *, edge: Edge, registry: Registry, proxies: TrustedProxies | None = None
    ) -> None:
        self._health = HealthServicer()
        self._names = sorted({each.action.partition("/")[0] for each in registry})
        # A port that somebody else has must be refused, not shared.
        options = (
            ("grpc.max_receive_message_length", MAX_REQUEST_BYTES),
            ("grpc.so_reuseport", 0),
        )
        self._server = aio.server(options=options, maximum_concurrent_rpcs=MAX_CONCURRENT_CALLS)
        self._server.add_generic_rpc_handlers(
            (_Handlers(edge=edge, registry=registry, proxies=proxies or TrustedProxies()),)
        )
        health_pb2_grpc.add_HealthServicer_to_server(self._health, self._server)
        pool = offered(registry)
        reflection.enable_server_reflection((*self._names, HEALTH), self._server, pool=pool)

    async def start(self, address: str) -> int:
        """Listens on `host:port` and returns the port; RuntimeError when it is in use."""
        port = self._server.add_insecure_port(address)
        await self._server.start()
        for name in ("", *self._names):
            await self._health.set(name, health_pb2.HealthCheckResponse.SERVING)
        return int(port)

    async def leave(self) -> None:
        """Says NOT_SERVING to whoever asks for health; calls go on."""
        await self._health.enter_graceful_shutdown()

    async def stop(self) -> None:
        """Ends the server; what still runs is cut off after a second."""
        await self._server.stop(STOP_GRACE_S)


class _Handlers(grpc.GenericRpcHandler):
    """Finds what is for outside by its path; nothing is parsed before it has to be."""

    def __init__(self, *, edge: Edge, registry: Registry, proxies: TrustedProxies) -> None:
        self._edge = edge
        self._registry = registry
        self._proxies = proxies

    def service(
        self, handler_call_details: grpc.HandlerCallDetails
    ) -> grpc.RpcMethodHandler[bytes, bytes] | None:
        """What answers a path; None: it does not exist here."""
        exposed = self._registry.find(handler_call_details.method)
        if exposed is None:
            return None
        make: Any = (
            grpc.unary_stream_rpc_method_handler
            if exposed.streams
            else grpc.unary_unary_rpc_method_handler
        )
        handler: grpc.RpcMethodHandler[bytes, bytes] = make(
            self._stream(exposed) if exposed.streams else self._single(exposed)
        )
        return handler

    def _single(self, exposed: Exposed) -> Any:
        async def run(data: bytes, context: Context) -> bytes:
            async with _told(context):
                answer = await self._edge.ask(self._asked(exposed, data, context, ANSWER_LIMIT_S))
            if answer.replayed:
                context.set_trailing_metadata((("idempotency-replayed", "true"),))
            return answer.body

        return run

    def _stream(self, exposed: Exposed) -> Any:
        async def run(data: bytes, context: Context) -> AsyncIterator[bytes]:
            stream = self._edge.stream(self._asked(exposed, data, context, STREAM_LIMIT_S))
            async with _told(context), contextlib.aclosing(stream):
                async for answer in stream:
                    yield answer

        return run

    def _asked(self, exposed: Exposed, data: bytes, context: Context, limit_s: float) -> Asked:
        shown: dict[str, str] = {}
        forwarded: list[str] = []
        for key, value in context.invocation_metadata() or ():
            if isinstance(value, str):
                shown.setdefault(key, value)
                if key == FORWARDED:
                    forwarded.append(value)
        scheme, _, token = shown.get("authorization", "").partition(" ")
        left_s = context.time_remaining()
        return Asked(
            exposed=exposed,
            bearer=token.strip() if scheme.lower() == "bearer" else "",
            address=self._proxies.client(_host(context.peer()), forwarded),
            read=lambda: _message(exposed, data),
            idempotency_key=shown.get("idempotency-key"),
            timeout_s=limit_s if left_s is None else min(limit_s, left_s),
        )


async def _message(exposed: Exposed, data: bytes) -> Message:
    try:
        message = exposed.request.FromString(data)
    except DecodeError:
        raise BadRequest(f"this is no {exposed.method.input_type.full_name}") from None
    if b"\x00" in data:  # most have none, and need not be looked through
        check_texts(message)
    return message


def _host(peer: str) -> str:
    """The address in `ipv4:127.0.0.1:5000` or `ipv6:%5B::1%5D:5000`."""
    return unquote(peer).partition(":")[2].rpartition(":")[0].strip("[]")


class _Withheld(CarillonError):
    """What nobody outside learns more about than that it happened."""

    def __init__(self, problem: Problem) -> None:
        super().__init__(problem.detail)
        # Of the instance, because they are those of what happened.
        self.code = problem.code  # type: ignore[misc]  # see above
        kind = Kind.UNAVAILABLE if problem.status == 503 else Kind.INTERNAL
        self.kind = kind  # type: ignore[misc]  # see above


@contextlib.asynccontextmanager
async def _told(context: Context) -> AsyncIterator[None]:
    """Ends a refused call with the status that says why."""
    try:
        yield
    except Exception as error:  # whatever it is: grpc itself would tell its words to whoever asks
        problem = problem_of(error)
        if problem.status == 500:
            log.error("request failed", code=problem.code, exc_info=error)
        if isinstance(error, aio.AioRpcError) and problem.status not in _WITHHELD:
            trailing = error.trailing_metadata() or ()
            details = tuple((key, value) for key, value in trailing if key == DETAILS_KEY)
            await context.abort(error.code(), error.details() or "", details)
        if not isinstance(error, CarillonError) or problem.status in _WITHHELD:
            error = _Withheld(problem)
        told = ((DETAILS_KEY, details_of(error)),)
        await context.abort(STATUS_OF_KIND[error.kind], words_of(error), told)


def offered(registry: Registry) -> DescriptorPool:
    """Descriptors for reflection, without the RPCs that are not for outside."""
    pool = DescriptorPool()
    done: set[str] = set()

    def add(file: FileDescriptor) -> None:
        if file.name in done:
            return
        done.add(file.name)
        for needed in file.dependencies:
            add(needed)
        proto = descriptor_pb2.FileDescriptorProto()
        file.CopyToProto(proto)
        for service in proto.service:
            kept = [
                method
                for method in service.method
                if service.name == "Health"
                or registry.find(f"/{proto.package}.{service.name}/{method.name}") is not None
            ]
            del service.method[:]
            service.method.extend(kept)
        pool.Add(proto)

    for file in [*(file for _, file in FILES), _HEALTH_FILE]:
        add(file)
    return pool
