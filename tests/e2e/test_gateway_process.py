"""The gateway as a process among others: who gets in, how it drains, how it starts."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import socket
import sys
from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from protos.gateway.v1 import gateway_pb2
from services.chassis.request import PLATFORM
from services.chassis.rpc import metadata, remote_error
from tests.e2e.gateway_stage import MUSIC, TENANT, Stage, Talk, answer, play, until_the_end
from tests.softphone.errors import CallRefused
from tests.softphone.phone import SoftPhone

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).resolve().parents[2]


async def _hold_on(talk: Talk) -> None:
    await talk.step(answer(), play("hold", MUSIC, loop=True))
    await until_the_end(talk)


async def test_a_draining_gateway_finishes_its_calls_and_takes_no_other() -> None:
    async with Stage(_hold_on) as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri)
        await call.answered()
        assert (await phone.options(stage.uri)).status == 200
        request = gateway_pb2.DrainRequest()
        with pytest.raises(aio.AioRpcError) as denied:
            await stage.stub.Drain(request, metadata=metadata(tenant_id=TENANT))
        assert remote_error(denied.value).code == "platform-only"
        for _ in range(2):
            drained = await stage.stub.Drain(request, metadata=metadata(tenant_id=PLATFORM))
            assert drained.calls == 1
        health = await phone.options(stage.uri)
        assert health.status == 503
        other = await phone.call(stage.uri)
        with pytest.raises(CallRefused) as refused:
            await other.answered()
        assert refused.value.status == 503
        await call.hears_audio()
        draining = asyncio.ensure_future(stage.running.drain(10))
        await call.hears_audio(for_s=0.3)
        assert not draining.done()
        await call.hangup()
        await draining
        await stage.fact("call_ended", skip=1)
        reasons = [end.termination.reason for end in stage.found("call_ended")]
        assert reasons == ["draining", "caller-hung-up"]


async def test_calls_that_outlast_the_drain_are_ended() -> None:
    async with Stage(_hold_on, drain_limit_s=0.2) as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri)
        await call.answered()
        await stage.running.drain(10)
        ended = await call.ended()
        assert (ended.by, ended.reason) == ("peer", 'SIP;cause=503;text="Service unavailable"')
        assert await stage.ended() == ("server_error", "draining")


async def test_more_calls_than_allowed_are_told_when_to_come_again() -> None:
    async with (
        Stage(_hold_on, max_calls=1, retry_after_s=7) as stage,
        SoftPhone() as phone,
    ):
        call = await phone.call(stage.uri)
        await call.answered()
        other = await phone.call(stage.uri)
        with pytest.raises(CallRefused) as refused:
            await other.answered()
        assert refused.value.status == 503
        health = await phone.options(stage.uri)
        assert (health.status, health.header("Retry-After")) == (503, "7")
        await call.hangup()
        await stage.fact("call_ended", skip=1)
        again = await phone.call(stage.uri)
        await again.answered()


async def test_a_tenant_sees_its_own_calls_from_their_beginning() -> None:
    async with Stage(_hold_on) as stage, SoftPhone() as phone:
        mine = stage.stub.WatchCalls(
            gateway_pb2.WatchCallsRequest(), metadata=metadata(tenant_id=TENANT)
        )
        theirs = stage.stub.WatchCalls(
            gateway_pb2.WatchCallsRequest(), metadata=metadata(tenant_id="other")
        )
        await asyncio.gather(mine.initial_metadata(), theirs.initial_metadata())
        call = await phone.call(stage.uri)
        await call.answered()
        await call.hangup()
        await stage.ended()
        seen: list[Any] = [await mine.read() for _ in stage.facts]
        assert [fact.seq for fact in seen] == [fact.seq for fact in stage.facts]
        assert {fact.tenant_id for fact in seen} == {TENANT}
        assert len({fact.event_id for fact in stage.facts}) == len(stage.facts)
        reading = asyncio.ensure_future(theirs.read())
        done, _ = await asyncio.wait((reading,), timeout=0.1)
        assert not done
        theirs.cancel()
        await asyncio.gather(reading, return_exceptions=True)


async def test_the_command_starts_tells_where_and_drains(tmp_path: Path) -> None:
    run = await asyncio.to_thread(_short_folder, tmp_path)
    process = await _start(run, tmp_path, {"CARILLON_GATEWAY_SIP_PORT": "0"})
    try:
        told = await _told(process, run / "gateway.json")
        assert told["pid"] == process.pid
        async with SoftPhone() as phone:
            assert (await phone.options(f"sip:{told['sip']}")).status == 200
        process.send_signal(signal.SIGTERM)
        async with asyncio.timeout(10):
            assert await process.wait() == 0
        assert not (run / "gateway.json").exists()
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def test_a_taken_port_is_explained(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        port = str(taken.getsockname()[1])
        run = await asyncio.to_thread(_short_folder, tmp_path)
        process = await _start(run, tmp_path, {"CARILLON_GATEWAY_SIP_PORT": port})
        async with asyncio.timeout(20):
            _, said = await process.communicate()
        assert process.returncode == 1
        last = json.loads(said.decode().splitlines()[-1])
        assert last["code"] == "sip-port-taken"
        assert "CARILLON_GATEWAY_SIP_PORT" in last["reason"]


async def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    run = await asyncio.to_thread(_short_folder, tmp_path)
    process = await _start(run, tmp_path, {"CARILLON_GATEWAY_MAX_CALLS": "many"})
    async with asyncio.timeout(20):
        _, said = await process.communicate()
    assert process.returncode == 2
    assert b"CARILLON_GATEWAY_MAX_CALLS" in said


def _short_folder(tmp_path: Path) -> Path:
    run = tmp_path / "r"
    run.mkdir(mode=0o700)
    return run


async def _start(run: Path, var: Path, env: dict[str, str]) -> asyncio.subprocess.Process:
    return await asyncio.create_subprocess_exec(
        sys.executable,
        "-m",
        "media_gateway",
        cwd=ROOT,
        env={
            **os.environ,
            "PYTHONPATH": f"{ROOT}:{ROOT / 'media-gateway'}",
            "CARILLON_RUN_DIR": str(run),
            "CARILLON_VAR_DIR": str(var / "var"),
            **env,
        },
        stdout=asyncio.subprocess.DEVNULL,
        stderr=asyncio.subprocess.PIPE,
    )


async def _told(process: asyncio.subprocess.Process, record: Path) -> dict[str, object]:
    """What the gateway wrote down, once its log says that it takes calls."""
    assert process.stderr is not None
    async with asyncio.timeout(20):
        async for line in process.stderr:
            if b"service started" in line:
                told: dict[str, object] = json.loads(await asyncio.to_thread(record.read_text))
                return told
    raise AssertionError("the gateway ended")
