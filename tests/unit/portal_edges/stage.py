"""The edges of portal over services that answer what they are told to."""

from __future__ import annotations

import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

import grpc
import httpx
from google.protobuf.message import Message
from google.protobuf.message_factory import GetMessageClass
from grpc import aio
from starlette.types import Receive, Scope, Send

from services.chassis.errors import CarillonError
from services.chassis.ids import TenantId
from services.chassis.rpc import Face
from services.chassis.simulated import MemoryExchange
from services.portal.access import FILES, Registry
from services.portal.core.replaying import check_key
from services.portal.edge import Edge
from services.portal.http_app import application, described
from services.portal.model.errors import KeyReused, NotAuthenticated, TokenExpired
from services.portal.model.people import PLATFORM_TENANT, Principal
from services.portal.model.trail import Replay, ReplayState

REGISTRY = Registry()
WORDS = described(REGISTRY)
ROLES = ("agent", "supervisor", "administrator", "platform")
NOW_MS = 1_767_225_600_000


def person(*roles: str, who: str = "", tenant: str = "demo", kind: Any = "user") -> Principal:
    name = who or "-".join(roles)
    return Principal(
        id=name,
        name=name.title(),
        roles=frozenset(roles),
        tenant_id=TenantId(tenant),
        tenant_name=tenant,
        kind=kind,
        session_id=f"session-of-{name}" if kind == "user" else "",
        time_zone="UTC",
    )


class Clock:
    """Stands still unless it is moved."""

    def __init__(self) -> None:
        self.at_ms = NOW_MS

    def now_ms(self) -> int:
        return self.at_ms

    def monotonic_ms(self) -> float:
        return float(self.at_ms)


@dataclass
class Entry:
    """What was written to the audit trail."""

    who: str
    tenant: str
    action: str
    subject: str
    outcome: str
    address: str
    detail: str


class Identities:
    """People by their tokens, and what was written and kept of them."""

    def __init__(self) -> None:
        self.by_token: dict[str, Principal] = {
            **{role: person(role) for role in ROLES},
            "nobody": person(who="nobody"),
            "both": person("agent", "supervisor", who="both"),
            "elsewhere": person("administrator", who="elsewhere", tenant="other"),
            "key": person("agent", "administrator", who="key", kind="api-key"),
        }
        self.expired: set[str] = set()
        self.failure: CarillonError | None = None
        self.entries: list[Entry] = []
        self.kept: dict[tuple[str, str, str], tuple[str, bytes | None]] = {}

    async def authenticate(self, bearer: str) -> Principal:
        if self.failure is not None:
            raise self.failure
        if bearer in self.expired:
            raise TokenExpired("the access token has expired: refresh the session")
        if bearer not in self.by_token:
            raise NotAuthenticated("the credentials are not valid")
        return self.by_token[bearer]

    async def audit(
        self,
        *,
        principal: Principal | None,
        tenant_id: TenantId,
        action: str,
        subject: str,
        outcome: str,
        address: str,
        detail_json: str,
    ) -> None:
        who = principal.id if principal else ""
        self.entries.append(Entry(who, tenant_id, action, subject, outcome, address, detail_json))

    async def replay(
        self, *, tenant_id: TenantId, principal_id: str, key: str, request_hash: str
    ) -> Replay:
        name = tenant_id, principal_id, key
        check_key(key)
        if name not in self.kept:
            self.kept[name] = request_hash, None
            return Replay(ReplayState.NEW)
        known, body = self.kept[name]
        if known != request_hash:
            raise KeyReused("this Idempotency-Key came with another request before")
        if body is None:
            return Replay(ReplayState.IN_PROGRESS)
        return Replay(ReplayState.STORED, 200, "", body)

    async def remember(
        self,
        *,
        tenant_id: TenantId,
        principal_id: str,
        key: str,
        request_hash: str,
        status: int,
        content_type: str,
        body: bytes,
    ) -> None:
        assert status == 200
        assert content_type
        self.kept[tenant_id, principal_id, key] = request_hash, body

    async def abandon(
        self, *, tenant_id: TenantId, principal_id: str, key: str, request_hash: str
    ) -> None:
        del self.kept[tenant_id, principal_id, key]


@dataclass
class Call:
    """What reached a service."""

    path: str
    request: Any
    metadata: dict[str, str | bytes]
    left_s: float | None

    @property
    def tenant(self) -> str | bytes | None:
        return self.metadata.get("carillon-tenant")


Answer = Message | CarillonError | list[Any] | Callable[[Any], Any]


class Backend(grpc.GenericRpcHandler):
    """All services: every RPC of the protos answers an empty message unless told otherwise."""

    def __init__(self) -> None:
        self.calls: list[Call] = []
        self.answers: dict[str, Answer] = {}
        self.waiting: dict[str, Callable[[Any], Awaitable[Any]]] = {}
        self._methods = {
            f"/{service.full_name}/{method.name}": method
            for _, file in FILES
            for service in file.services_by_name.values()
            for method in service.methods
        }

    def service(self, handler_call_details: grpc.HandlerCallDetails) -> Any:
        path = handler_call_details.method
        method = self._methods.get(path)
        if method is None:
            return None
        parse = GetMessageClass(method.input_type).FromString
        if method.client_streaming and not method.server_streaming:
            return grpc.stream_unary_rpc_method_handler(
                self._collecting(path), parse, lambda message: message.SerializeToString()
            )
        make: Any = (
            grpc.unary_stream_rpc_method_handler
            if method.server_streaming
            else grpc.unary_unary_rpc_method_handler
        )
        run = self._stream(path) if method.server_streaming else self._single(path)
        return make(run, parse, lambda message: message.SerializeToString())

    def _single(self, path: str) -> Any:
        async def run(request: Any, context: Any) -> Any:
            if path in self.waiting:
                await self.waiting[path](request)
            return self._answer(path, request, context)

        return run

    def _collecting(self, path: str) -> Any:
        async def run(requests: Any, context: Any) -> Any:
            return self._answer(path, [request async for request in requests], context)

        return run

    def _stream(self, path: str) -> Any:
        async def run(request: Any, context: Any) -> AsyncIterator[Any]:
            answer = self._answer(path, request, context)
            for each in answer if isinstance(answer, list) else [answer]:
                if isinstance(each, CarillonError):
                    raise each
                yield each
            if path in self.waiting:
                await self.waiting[path](request)

        return run

    def _answer(self, path: str, request: Any, context: Any) -> Any:
        metadata = dict(context.invocation_metadata() or ())
        self.calls.append(Call(path, request, metadata, context.time_remaining()))
        answer = self.answers.get(path)
        if isinstance(answer, CarillonError):
            raise answer
        if answer is None:
            return GetMessageClass(self._methods[path].output_type)()
        return answer(request) if callable(answer) and not isinstance(answer, Message) else answer


@dataclass
class Stage:
    """The edges, what is behind them, and a client in front of them."""

    exchange: MemoryExchange = field(default_factory=lambda: MemoryExchange(coin=lambda: True))
    people: Identities = field(default_factory=Identities)
    backend: Backend = field(default_factory=Backend)
    clock: Clock = field(default_factory=Clock)

    def __post_init__(self) -> None:
        self._channels: dict[str, aio.Channel] = {}
        for target in {target for target, _ in FILES}:
            self.exchange.serve(target, [Face(self._register, target)])
        self.edge = Edge(people=self.people, dial=self.dial, clock=self.clock)
        self.unready = ""
        app = application(
            edge=self.edge,
            registry=REGISTRY,
            words=WORDS,
            feed=no_feed,
            unready=self._unready,
        )
        transport = httpx.ASGITransport(app, client=("192.0.2.7", 5000))
        self.http = httpx.AsyncClient(transport=transport, base_url="http://portal")

    async def ask(
        self, verb: str, path: str, *, token: str = "administrator", **more: Any
    ) -> httpx.Response:
        headers = more.pop("headers", {})
        if token:
            headers = {"authorization": f"Bearer {token}", **headers}
        return await self.http.request(verb, path, headers=headers, **more)

    def dial(self, name: str) -> aio.Channel:
        if name not in self._channels:
            self._channels[name] = self.exchange.channel(name)
        return self._channels[name]

    async def close(self) -> None:
        await self.http.aclose()
        await self.edge.close()
        for channel in self._channels.values():
            await channel.close()

    def _register(self, server: aio.Server) -> None:
        server.add_generic_rpc_handlers((self.backend,))

    async def _unready(self) -> str:
        return self.unready


async def no_feed(scope: Scope, receive: Receive, send: Send) -> None:
    raise AssertionError("nobody asked for the feed")


@contextlib.asynccontextmanager
async def staged() -> AsyncIterator[Stage]:
    stage = Stage()
    try:
        yield stage
    finally:
        await stage.close()


def problem(answer: httpx.Response) -> dict[str, Any]:
    """What a refusal says, with the shape that every refusal has."""
    assert answer.headers["content-type"] == "application/problem+json"
    told: dict[str, Any] = answer.json()
    assert told["status"] == answer.status_code
    assert told["type"] == f"urn:carillon:problem:{told['code']}"
    assert told["title"]
    assert told["detail"]
    assert told["instance"] == answer.request.url.raw_path.decode().partition("?")[0]
    return told


assert PLATFORM_TENANT == "platform"
