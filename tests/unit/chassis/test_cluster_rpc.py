"""gRPC between the processes of a cluster: certificates, balancing, ageing, trying again."""

from __future__ import annotations

import asyncio
import contextlib
from collections import Counter
from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc import aio

from services.chassis.rpc import RpcServer
from services.chassis.rpc_channel import (
    RenewedChannel,
    open_remote,
    repeatable_methods,
    service_config,
)
from services.chassis.rpc_door import Ageing, ListenRefused, TcpDoor
from services.chassis.rpc_pool import Channels
from services.chassis.tls import DOMAIN, BadServiceTLS, ServiceTLS
from services.launcher.ports import free_port
from tests.stage.authority import Authority, Identity
from tests.unit.chassis.echo import Echo, EchoStub, face

LOOPBACK = "127.0.0.1"
SERVICE = "echo"
PATIENCE_S = 20.0


class Named(Echo):
    """Says who it is."""

    def __init__(self, name: str) -> None:
        super().__init__()
        self.name = name

    async def Say(self, message: StringValue, context: Any) -> StringValue:
        said = context.peer() if message.value == "peer" else message.value
        return StringValue(value=f"{self.name}: {said}")


def tls_of(identity: Identity) -> ServiceTLS:
    return ServiceTLS(
        authority=identity.ca, certificate=identity.cert, key=identity.key, domain=DOMAIN
    )


@pytest.fixture
def authority(tmp_path: Path) -> Authority:
    return Authority(tmp_path / "authority")


@contextlib.asynccontextmanager
async def serving(
    name: str = "one", *, tls: ServiceTLS | None, port: int = 0, ageing: Ageing | None = None
) -> AsyncIterator[int]:
    port = port or free_port()
    door = TcpDoor(service=SERVICE, host=LOOPBACK, port=port, tls=tls, ageing=ageing or Ageing())
    server = RpcServer(door=door, faces=[face(Named(name))])
    await server.start()
    try:
        yield port
    finally:
        await server.stop()


@contextlib.asynccontextmanager
async def calling(
    *ports: int, tls: ServiceTLS | None, service: str = SERVICE
) -> AsyncIterator[aio.Channel]:
    target = "ipv4:" + ",".join(f"{LOOPBACK}:{port}" for port in ports)
    channel = open_remote(target, service=service, tls=tls)
    try:
        yield channel
    finally:
        await channel.close()


async def say(channel: aio.Channel, words: str = "hello", **options: Any) -> str:
    answer: StringValue = await EchoStub(channel).Say(StringValue(value=words), **options)
    return answer.value


async def refusal(channel: aio.Channel) -> aio.AioRpcError:
    with pytest.raises(aio.AioRpcError) as caught:
        await say(channel)
    return caught.value


async def test_services_of_one_authority_talk(authority: Authority) -> None:
    server, client = authority.identity(f"echo.{DOMAIN}"), authority.identity(f"acd.{DOMAIN}")
    async with serving(tls=tls_of(server)) as port, calling(port, tls=tls_of(client)) as channel:
        assert await say(channel) == "one: hello"


async def test_a_client_without_a_certificate_is_refused(authority: Authority) -> None:
    everyone = tls_of(authority.everyone())
    async with serving(tls=everyone) as port:
        naked = grpc.ssl_channel_credentials(everyone.present.authority)
        named = (("grpc.ssl_target_name_override", f"echo.{DOMAIN}"),)
        async with aio.secure_channel(f"{LOOPBACK}:{port}", naked, options=named) as channel:
            assert (await refusal(channel)).code() is grpc.StatusCode.UNAVAILABLE
        async with aio.insecure_channel(f"{LOOPBACK}:{port}") as channel:
            assert (await refusal(channel)).code() is grpc.StatusCode.UNAVAILABLE


async def test_a_client_of_another_authority_is_refused(
    authority: Authority, tmp_path: Path
) -> None:
    everyone = authority.everyone()
    theirs = Authority(tmp_path / "theirs").everyone()
    stranger = Identity(ca=everyone.ca, cert=theirs.cert, key=theirs.key)
    async with (
        serving(tls=tls_of(everyone)) as port,
        calling(port, tls=tls_of(stranger)) as channel,
    ):
        assert (await refusal(channel)).code() is grpc.StatusCode.UNAVAILABLE


async def test_a_server_must_be_the_service_that_was_meant(authority: Authority) -> None:
    tls = tls_of(authority.identity(f"crm.{DOMAIN}"))
    async with serving(tls=tls) as port:
        async with calling(port, tls=tls) as channel:
            assert (await refusal(channel)).code() is grpc.StatusCode.UNAVAILABLE
        async with calling(port, tls=tls, service="crm") as channel:
            assert await say(channel) == "one: hello"


async def test_a_client_of_another_domain_is_refused(authority: Authority) -> None:
    other = authority.identity("acd.elsewhere.internal")
    client = ServiceTLS(
        authority=other.ca, certificate=other.cert, key=other.key, domain="elsewhere.internal"
    )
    async with serving(tls=tls_of(authority.everyone())) as port:
        named = (("grpc.ssl_target_name_override", f"echo.{DOMAIN}"),)
        async with aio.secure_channel(
            f"{LOOPBACK}:{port}", client.channel_credentials(), options=named
        ) as channel:
            error = await refusal(channel)
            assert error.code() is grpc.StatusCode.UNAUTHENTICATED
            assert DOMAIN in (error.details() or "")


async def test_renewed_certificates_are_shown_without_a_restart(authority: Authority) -> None:
    tls = tls_of(authority.identity(f"echo.{DOMAIN}", file="own"))
    async with serving(tls=tls) as port, calling(port, tls=tls) as channel:
        assert isinstance(channel, RenewedChannel)
        waiting = EchoStub(channel).Say(StringValue(value="before"))
        before = channel.generation
        authority.identity(f"echo.{DOMAIN}", file="own", lasts=timedelta(days=3))
        assert tls.look_again()
        assert await say(channel) == "one: hello"
        assert channel.generation == before + 1
        assert (await waiting).value == "one: before"
        # A client that comes anew is shown the renewed one.
        assert tls.present.ends_at > tls_of(authority.identity(f"x.{DOMAIN}")).present.ends_at
        async with calling(port, tls=tls_of(authority.everyone())) as later:
            assert await say(later) == "one: hello"


async def test_half_a_renewal_changes_nothing(authority: Authority) -> None:
    own = authority.identity(f"echo.{DOMAIN}", file="own")
    tls = tls_of(own)
    own.key.write_bytes(authority.identity(f"other.{DOMAIN}").key.read_bytes())
    assert not tls.look_again()
    async with serving(tls=tls) as port, calling(port, tls=tls) as channel:
        assert await say(channel) == "one: hello"
    own.cert.write_bytes((authority.folder / f"other.{DOMAIN}.crt").read_bytes())
    assert tls.look_again()


async def test_certificates_that_cannot_be_used_are_refused(authority: Authority) -> None:
    good = authority.everyone()
    old = authority.identity(f"echo.{DOMAIN}", file="old", lasts=timedelta(days=-1))
    other = authority.identity("echo.example.org", file="other")
    for broken, words in (
        (Identity(good.ca, good.cert, other.key), "is not the key of"),
        (old, "CARILLON_TLS_CERT ended"),
        (other, "CARILLON_TLS_CERT names echo.example.org"),
        (Identity(good.ca, good.cert, good.cert), "CARILLON_TLS_KEY"),
        (Identity(good.key, good.cert, good.key), "CARILLON_TLS_CA"),
        (Identity(Path("/nowhere/ca.crt"), good.cert, good.key), "CARILLON_TLS_CA: /nowhere"),
    ):
        with pytest.raises(BadServiceTLS, match=words):
            tls_of(broken)


async def test_calls_go_to_all_replicas_in_turn(authority: Authority) -> None:
    tls = tls_of(authority.everyone())
    async with (
        serving("one", tls=tls) as first,
        serving("two", tls=tls) as second,
        calling(first, second, tls=tls) as channel,
    ):
        told: Counter[str] = Counter()
        async with asyncio.timeout(PATIENCE_S):
            while len(told) < 2:  # until both are connected
                told[await say(channel)] += 1
        told = Counter([await say(channel) for _ in range(10)])
        assert told == {"one: hello": 5, "two: hello": 5}


async def test_calls_go_on_when_a_replica_ends_and_comes_back(authority: Authority) -> None:
    tls = tls_of(authority.everyone())
    async with serving("one", tls=tls) as first:
        async with serving("two", tls=tls) as second:
            pass
        async with calling(first, second, tls=tls) as channel:
            assert {await say(channel, wait_for_ready=True) for _ in range(4)} == {"one: hello"}
            async with serving("two", tls=tls, port=second), asyncio.timeout(PATIENCE_S):
                while await say(channel) != "two: hello":  # noqa: ASYNC110 (the network's)
                    await asyncio.sleep(0.02)


async def test_aged_connections_are_made_anew_and_streams_go_on(authority: Authority) -> None:
    tls = tls_of(authority.everyone())
    ageing = Ageing(age_s=1.0, grace_s=60.0)
    async with (
        serving(tls=tls, ageing=ageing) as port,
        calling(port, tls=tls) as channel,
        asyncio.timeout(PATIENCE_S),
    ):
        chat = EchoStub(channel).Chat()
        await chat.write(StringValue(value="first"))
        assert (await chat.read()).value == "FIRST"
        peers: set[str] = set()
        while len(peers) < 2:
            peers.add(await say(channel, "peer"))
            await asyncio.sleep(0.1)
        await chat.write(StringValue(value="second"))
        assert (await chat.read()).value == "SECOND"
        await chat.done_writing()


async def test_a_port_that_is_taken_is_named() -> None:
    async with serving(tls=None) as port:
        with pytest.raises(ListenRefused, match="CARILLON_LISTEN"):
            async with serving(tls=None, port=port):
                pass


def test_only_what_may_be_repeated_is_tried_again() -> None:
    crm = {name for _, name in repeatable_methods("crm")}
    assert {"GetCustomer", "ListCustomers", "ListHistory"} <= crm
    assert not {"CreateCustomer", "AddNote"} & crm
    acd = {name for _, name in repeatable_methods("acd")}
    assert {"Accept", "SetPresence", "ListQueues"} <= acd
    assert "Enqueue" not in acd, "streams are opened again by whoever reads them"
    assert repeatable_methods("echo") == ()
    assert '"round_robin"' in service_config("echo")


async def test_of_many_channels_the_least_used_is_let_go() -> None:
    channels = Channels(limit=2)
    made: dict[str, aio.Channel] = {}

    def to(name: str) -> aio.Channel:
        def make() -> aio.Channel:
            made[name] = aio.insecure_channel(f"ipv4:{LOOPBACK}:9")
            return made[name]

        return channels.to(name, make)

    first = to("a")
    assert to("a") is first
    to("b")
    to("a")
    to("c")
    assert len(channels) == 2
    assert to("a") is first
    assert to("b") is made["b"]
    await channels.close()
    assert len(channels) == 0
