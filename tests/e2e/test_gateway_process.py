"""The gateway as a process among others: who gets in, how it drains, how it starts."""

from __future__ import annotations

import asyncio
import json
import signal
import socket
from pathlib import Path
from typing import Any

import pytest
from grpc import aio

from protos.gateway.v1 import gateway_pb2
from services.chassis.request import PLATFORM
from services.chassis.rpc import metadata, remote_error
from tests.e2e.gateway_command import gateway_command, last_word, started
from tests.e2e.gateway_stage import HOLD, TENANT, WAIT_S, Stage, Talk, answer, hold_on
from tests.softphone.errors import CallRefused
from tests.softphone.phone import SoftPhone

pytestmark = pytest.mark.e2e


async def test_a_draining_gateway_finishes_its_calls_and_takes_no_other() -> None:
    async with Stage(hold_on) as stage, SoftPhone() as phone:
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
        done, _ = await asyncio.wait((draining,), timeout=0.3)
        assert not done
        await call.hangup()
        await draining
        await stage.fact("call_ended", skip=1)
        reasons = [end.termination.reason for end in stage.found("call_ended")]
        assert reasons == ["draining", "caller-hung-up"]


async def test_calls_that_outlast_the_drain_are_ended() -> None:
    async with Stage(hold_on, drain_limit_s=0.2) as stage, SoftPhone() as phone:
        call = await phone.call(stage.uri)
        await call.answered()
        await stage.running.drain(10)
        ended = await call.ended()
        assert (ended.by, ended.reason) == ("peer", 'SIP;cause=503;text="Service unavailable"')
        assert await stage.ended() == ("server_error", "draining")


async def test_more_calls_than_allowed_are_told_when_to_come_again() -> None:
    async with (
        Stage(hold_on, max_calls=1, retry_after_s=7) as stage,
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
    async def of_another(talk: Talk) -> None:
        await talk.step(answer(), HOLD, tenant="other")
        await talk.until("leg_ended")

    async with Stage(hold_on, of_another) as stage, SoftPhone() as phone:
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
        own = list(stage.facts)
        seen: list[Any] = [await mine.read() for _ in own]
        assert [fact.seq for fact in seen] == [fact.seq for fact in own]
        assert {fact.tenant_id for fact in seen} == {TENANT}
        assert len({fact.event_id for fact in own}) == len(own)
        # The other tenant was told nothing of it: the first that they hear is their own call.
        await (await phone.call(stage.uri)).answered()
        async with asyncio.timeout(WAIT_S):
            first: Any = await theirs.read()
        assert (first.tenant_id, first.seq) == ("other", 1)
        assert first.call_id != own[0].call_id


async def test_the_command_starts_tells_where_and_drains(tmp_path: Path) -> None:
    run_dir = _private_folder(tmp_path)
    async with gateway_command(run_dir=run_dir, var_dir=tmp_path / "var") as process:
        told = await started(process, run_dir)
        assert told["pid"] == process.pid
        async with SoftPhone() as phone:
            assert (await phone.options(f"sip:{told['sip']}")).status == 200
        process.send_signal(signal.SIGTERM)
        status, _ = await last_word(process)
        assert status == 0
        assert not (run_dir / "gateway.json").exists()


async def test_a_taken_port_is_explained(tmp_path: Path) -> None:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as taken:
        taken.bind(("127.0.0.1", 0))
        env = {"CARILLON_GATEWAY_SIP_PORT": str(taken.getsockname()[1])}
        run_dir = _private_folder(tmp_path)
        async with gateway_command(run_dir=run_dir, var_dir=tmp_path / "var", env=env) as process:
            status, said = await last_word(process)
    last = json.loads(said)
    assert (status, last["code"]) == (1, "sip-port-taken")
    assert "CARILLON_GATEWAY_SIP_PORT" in last["reason"]


async def test_a_wrong_setting_is_named(tmp_path: Path) -> None:
    env = {"CARILLON_GATEWAY_MAX_CALLS": "many"}
    run_dir = _private_folder(tmp_path)
    async with gateway_command(run_dir=run_dir, var_dir=tmp_path / "var", env=env) as process:
        status, said = await last_word(process)
    assert status == 2
    assert "CARILLON_GATEWAY_MAX_CALLS" in said


def _private_folder(tmp_path: Path) -> Path:
    folder = tmp_path / "r"
    folder.mkdir(mode=0o700)
    return folder
