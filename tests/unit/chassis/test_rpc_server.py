"""A server on a private unix socket."""

from __future__ import annotations

import asyncio
import contextlib
import stat
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import grpc
import pytest
from google.protobuf.wrappers_pb2 import StringValue
from grpc import aio
from grpc_health.v1 import health_pb2, health_pb2_grpc
from grpc_reflection.v1alpha import reflection_pb2, reflection_pb2_grpc

from services.chassis.rpc import AlreadyRunning, RpcServer, SocketPathTooLong, open_channel
from tests.unit.chassis.echo import NAME, Echo, EchoStub, face

ROOT = Path(__file__).parents[3]
SERVING = health_pb2.HealthCheckResponse.SERVING
NOT_SERVING = health_pb2.HealthCheckResponse.NOT_SERVING


@contextlib.asynccontextmanager
async def serving(path: Path) -> AsyncIterator[tuple[RpcServer, aio.Channel]]:
    server = RpcServer(path=path, faces=[face(Echo())])
    await server.start()
    channel = open_channel(path)
    try:
        yield server, channel
    finally:
        await channel.close()
        await server.stop()


async def health(channel: aio.Channel, name: str) -> int:
    stub: Any = health_pb2_grpc.HealthStub(channel)
    answer = await stub.Check(health_pb2.HealthCheckRequest(service=name))
    return int(answer.status)


async def say(channel: aio.Channel, words: str, **options: bool) -> str:
    answer: StringValue = await EchoStub(channel).Say(StringValue(value=words), **options)
    return answer.value


async def test_health_tells_of_the_whole_and_of_each_face(run_dir: Path) -> None:
    async with serving(run_dir / "echo.sock") as (_, channel):
        assert await health(channel, "") == SERVING
        assert await health(channel, NAME) == SERVING
        with pytest.raises(aio.AioRpcError) as caught:
            await health(channel, "no.such.Service")
        assert caught.value.code() is grpc.StatusCode.NOT_FOUND


async def test_a_leaving_server_says_so_and_still_answers(run_dir: Path) -> None:
    async with serving(run_dir / "echo.sock") as (server, channel):
        await server.leave()
        assert await health(channel, "") == NOT_SERVING
        assert await health(channel, NAME) == NOT_SERVING
        assert await say(channel, "echo still here") == "still here"


async def test_health_may_be_watched(run_dir: Path) -> None:
    async with serving(run_dir / "echo.sock") as (server, channel):
        made: Any = health_pb2_grpc
        watch = made.HealthStub(channel).Watch(health_pb2.HealthCheckRequest(service=NAME))
        assert (await watch.read()).status == SERVING
        await server.leave()
        assert (await watch.read()).status == NOT_SERVING


async def test_reflection_lists_what_is_served(run_dir: Path) -> None:
    async with serving(run_dir / "echo.sock") as (_, channel):
        made: Any = reflection_pb2_grpc
        messages: Any = reflection_pb2
        stub = made.ServerReflectionStub(channel)
        asked: Any = messages.ServerReflectionRequest(list_services="")
        answers = [answer async for answer in stub.ServerReflectionInfo(iter([asked]))]
    listed = {service.name for service in answers[0].list_services_response.service}
    assert {NAME, "grpc.health.v1.Health"} <= listed


async def test_socket_and_lock_are_this_users_alone(run_dir: Path) -> None:
    async with serving(run_dir / "echo.sock"):
        status = (run_dir / "echo.sock").stat()
        assert stat.S_ISSOCK(status.st_mode)
        assert stat.S_IMODE(status.st_mode) == 0o600
        assert stat.S_IMODE((run_dir / "echo.lock").stat().st_mode) == 0o600


async def test_a_second_server_is_refused_until_the_first_has_gone(run_dir: Path) -> None:
    path = run_dir / "echo.sock"
    second = RpcServer(path=path, faces=[face(Echo())])
    async with serving(path) as (_, channel):
        with pytest.raises(AlreadyRunning, match="echo is already running"):
            await second.start()
        await second.stop()
        assert await say(channel, "echo undisturbed") == "undisturbed"
    async with serving(path) as (_, channel):
        assert await say(channel, "echo next") == "next"


async def test_a_path_that_is_too_long_is_explained(run_dir: Path) -> None:
    folder = run_dir / ("x" * 100)
    folder.mkdir()
    server = RpcServer(path=folder / "echo.sock", faces=[])
    with pytest.raises(SocketPathTooLong, match="set CARILLON_RUN_DIR to a shorter folder"):
        await server.start()
    await server.stop()


async def test_the_longest_path_that_fits_is_taken(run_dir: Path) -> None:
    folder = run_dir / ("x" * (107 - len(str(run_dir)) - len("//echo.sock")))
    folder.mkdir()
    async with serving(folder / "echo.sock") as (_, channel):
        assert len(str(folder / "echo.sock")) == 107
        assert await say(channel, "echo long") == "long"


async def test_a_stopped_server_cuts_its_streams_off(run_dir: Path) -> None:
    async with serving(run_dir / "echo.sock") as (server, channel):
        call = EchoStub(channel).Count(StringValue(value="1 wait"))
        await call.read()
        await server.stop()
        with pytest.raises(aio.AioRpcError) as caught:
            await call.read()
        assert caught.value.code() is grpc.StatusCode.UNAVAILABLE


SERVER = """
import asyncio, sys
from pathlib import Path
from tests.unit.chassis.echo import over_socket

async def main():
    async with over_socket(Path(sys.argv[1])):
        print("ready", flush=True)
        await asyncio.Event().wait()

asyncio.run(main())
"""


async def test_a_killed_server_breaks_its_streams_and_may_be_replaced(run_dir: Path) -> None:
    process = await asyncio.create_subprocess_exec(
        *(sys.executable, "-c", SERVER, str(run_dir)), cwd=ROOT, stdout=asyncio.subprocess.PIPE
    )
    assert process.stdout is not None
    assert await process.stdout.readline() == b"ready\n"
    channel = open_channel(run_dir / "echo.sock")
    call = EchoStub(channel).Count(StringValue(value="1 wait"))
    assert (await call.read()).value == "0"
    process.kill()
    await process.wait()
    with pytest.raises(aio.AioRpcError) as caught:
        await call.read()
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    assert (run_dir / "echo.sock").exists()
    with pytest.raises(aio.AioRpcError) as caught:
        await say(channel, "echo nobody")
    assert caught.value.code() is grpc.StatusCode.UNAVAILABLE
    async with serving(run_dir / "echo.sock"):
        # The channel of before finds the new server.
        assert await say(channel, "echo again", wait_for_ready=True) == "again"
    await channel.close()
