"""The client's end of gRPC: channels to a socket, to all replicas of a service, or to one."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable
from functools import cache
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from typing import Any, Self

import grpc
from google.api import annotations_pb2
from grpc import aio

import protos
from services.chassis.rpc_door import KEEPALIVE_MS, KEEPALIVE_TIMEOUT_MS
from services.chassis.tls import ServiceTLS

UNARY_DEADLINE_S = 5.0
MAX_MESSAGE_BYTES = 4 * 1024 * 1024
MAX_STREAMS = 20_000
DNS_AGAIN_MS = 1_000
"""Names are looked up again at most so often, and only when a connection has ended."""
DRAIN_S = 86_400.0
"""What runs on a channel with an old certificate may last so long."""
IDEMPOTENT_SERVICES = frozenset({"carillon.acd.v1.Acd"})
"""Every write of theirs is idempotent by the ids in it."""

Options = tuple[tuple[str, int | str], ...]

LIMITS: Options = (
    ("grpc.max_receive_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_send_message_length", MAX_MESSAGE_BYTES),
    ("grpc.max_concurrent_streams", MAX_STREAMS),
    ("grpc.so_reuseport", 0),
)
_CLIENT: Options = (
    *LIMITS,
    # A service that was restarted is back within a second, not within 20.
    ("grpc.initial_reconnect_backoff_ms", 100),
    # For one attempt to connect: a busy machine may need that long, with certificates above all.
    ("grpc.min_reconnect_backoff_ms", 2_000),
    ("grpc.max_reconnect_backoff_ms", 1_000),
)
_NETWORK: Options = (
    *_CLIENT,
    ("grpc.keepalive_time_ms", KEEPALIVE_MS),
    ("grpc.keepalive_timeout_ms", KEEPALIVE_TIMEOUT_MS),
    ("grpc.keepalive_permit_without_calls", 1),
    ("grpc.http2.max_pings_without_data", 0),
    ("grpc.dns_min_time_between_resolutions_ms", DNS_AGAIN_MS),
    # What is inside an installation does not go through the proxy for what is outside.
    ("grpc.enable_http_proxy", 0),
)


def open_channel(path: Path) -> aio.Channel:
    """A channel to the server on a unix socket; unary calls get a deadline of 5 s unless told."""
    return aio.insecure_channel(f"unix:{path}", options=_CLIENT, interceptors=(_Deadline(),))


def open_remote(target: str, *, service: str, tls: ServiceTLS | None) -> aio.Channel:
    """A channel to every replica of a service that `target` names, in turn.

    `target` is gRPC's: `dns:///name:port`, `ipv4:a:1,b:2`. Calls that may be repeated are tried
    again within their deadline while a replica is away. With `tls` the server must be `service`,
    and a renewed certificate is shown by the next calls.
    """
    options: Options = (*_NETWORK, ("grpc.service_config", service_config(service)))
    if tls is None:
        return aio.insecure_channel(target, options=options, interceptors=(_Deadline(),))
    named: Options = (*options, ("grpc.ssl_target_name_override", tls.name_of(service)))

    def make() -> aio.Channel:
        return aio.secure_channel(
            target, tls.channel_credentials(), options=named, interceptors=(_Deadline(),)
        )

    return RenewedChannel(make, tls)


@cache
def service_config(service: str) -> str:
    """How calls to a service are spread and tried again (gRPC's service config, JSON)."""
    repeatable = {
        "name": [{"service": face, "method": name} for face, name in repeatable_methods(service)],
        "retryPolicy": {
            "maxAttempts": 4,
            "initialBackoff": "0.05s",
            "maxBackoff": "0.5s",
            "backoffMultiplier": 3,
            "retryableStatusCodes": ["UNAVAILABLE"],
        },
    }
    return json.dumps(
        {
            "loadBalancingConfig": [{"round_robin": {}}],
            "methodConfig": [repeatable] if repeatable["name"] else [],
        }
    )


@cache
def repeatable_methods(service: str) -> tuple[tuple[str, str], ...]:
    """The methods of a service's protos that a second call does no harm to, as (face, method).

    Those that only read, by their name or their GET; and all of a face that says so of itself.
    Streams are opened again by whoever reads them.
    """
    found: set[tuple[str, str]] = set()
    for folder in protos.__path__:
        place = Path(folder) / service / "v1"
        for module in iter_modules([str(place)]):
            if module.name.endswith("_pb2"):
                found |= _repeatable_in(f"protos.{service}.v1.{module.name}")
    return tuple(sorted(found))


def _repeatable_in(module: str) -> set[tuple[str, str]]:
    descriptor: Any = import_module(module).DESCRIPTOR
    return {
        (face.full_name, method.name)
        for face in descriptor.services_by_name.values()
        for method in face.methods
        if not (method.client_streaming or method.server_streaming)
        and (
            face.full_name in IDEMPOTENT_SERVICES
            or method.name.startswith(("Get", "List"))
            or method.GetOptions().Extensions[annotations_pb2.http].HasField("get")
        )
    }


class RenewedChannel(aio.Channel):
    """A channel that is made anew when the certificate it shows has been renewed.

    What runs goes on over the old connections until it ends.
    """

    def __init__(self, make: Callable[[], aio.Channel], tls: ServiceTLS) -> None:
        self._make = make
        self._tls = tls
        self._generation = tls.generation
        self._inner = make()
        self._ending: set[asyncio.Task[None]] = set()

    @property
    def generation(self) -> int:
        """Of the certificate that is shown."""
        return self._generation

    def present(self) -> aio.Channel:
        """The channel that calls begin on now."""
        self._tls.renewed()
        if self._generation != self._tls.generation:
            old, self._inner = self._inner, self._make()
            self._generation = self._tls.generation
            ending = asyncio.get_running_loop().create_task(old.close(DRAIN_S))
            self._ending.add(ending)
            ending.add_done_callback(self._ending.discard)
        return self._inner

    def unary_unary(self, *method: Any, **more: Any) -> Any:
        """What calls a method of one request and one answer."""
        return _Method(self, "unary_unary", method, more)

    def unary_stream(self, *method: Any, **more: Any) -> Any:
        """What calls a method of one request and many answers."""
        return _Method(self, "unary_stream", method, more)

    def stream_unary(self, *method: Any, **more: Any) -> Any:
        """What calls a method of many requests and one answer."""
        return _Method(self, "stream_unary", method, more)

    def stream_stream(self, *method: Any, **more: Any) -> Any:
        """What calls a method of many requests and many answers."""
        return _Method(self, "stream_stream", method, more)

    async def close(self, grace: float | None = None) -> None:
        """Ends all calls, those on older connections included, after `grace` seconds."""
        for ending in tuple(self._ending):
            ending.cancel()
        await asyncio.gather(*self._ending, return_exceptions=True)
        await self._inner.close(grace)

    def get_state(self, try_to_connect: bool = False) -> grpc.ChannelConnectivity:  # noqa: FBT001, FBT002 (the library's)
        """Of the channel that calls begin on."""
        return self._inner.get_state(try_to_connect)

    async def wait_for_state_change(self, last_observed_state: grpc.ChannelConnectivity) -> None:
        """Of the channel that calls begin on."""
        await self._inner.wait_for_state_change(last_observed_state)

    async def channel_ready(self) -> None:
        """Until a replica has been reached."""
        await self.present().channel_ready()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()


class _Method:
    """What calls one method, on whichever channel is the present one."""

    def __init__(
        self, channel: RenewedChannel, kind: str, method: tuple[Any, ...], more: dict[str, Any]
    ) -> None:
        self._channel = channel
        self._kind = kind
        self._method = method
        self._more = more
        self._made: tuple[aio.Channel, Any] | None = None

    def __call__(self, *arguments: Any, **more: Any) -> Any:
        inner = self._channel.present()
        if self._made is None or self._made[0] is not inner:
            self._made = inner, getattr(inner, self._kind)(*self._method, **self._more)
        return self._made[1](*arguments, **more)


class _Deadline(aio.UnaryUnaryClientInterceptor):
    """No unary call waits for ever."""

    async def intercept_unary_unary(
        self,
        continuation: Callable[..., Any],
        client_call_details: aio.ClientCallDetails,
        request: Any,
    ) -> Any:
        details = client_call_details
        if details.timeout is None:
            details = aio.ClientCallDetails(
                method=details.method,
                timeout=UNARY_DEADLINE_S,
                metadata=details.metadata,
                credentials=details.credentials,
                wait_for_ready=details.wait_for_ready,
            )
        return await continuation(details, request)
