"""A gateway as a process of its own, whose interpreter is a script that answers and plays."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path

from protos.ivr.v1 import ivr_pb2
from services.chassis.rpc import Face, RpcServer
from services.chassis.world import local_world
from tests.e2e.gateway_stage import (
    IVR,
    Script,
    ScriptedIvr,
    Talk,
    answer,
    play,
    tone_wav,
    until_the_end,
)

ROOT = Path(__file__).resolve().parents[2]
START_WAIT_S = 20.0


@dataclass(frozen=True, slots=True)
class LoneGateway:
    """A gateway that runs."""

    pid: int
    address: str
    """host:port that it receives SIP at."""


@contextlib.asynccontextmanager
async def lone_gateway() -> AsyncIterator[LoneGateway]:
    """Starts a gateway, and ends it."""
    with tempfile.TemporaryDirectory(prefix="cg-") as folder:
        run, var = Path(folder) / "r", Path(folder) / "v"
        world = local_world(var_dir=var, run_dir=run)
        prompt = ivr_pb2.Prompt(sha256=await world.blobs.put(tone_wav(700, 2.0)))
        ivr = ScriptedIvr()
        ivr.scripts = [_answer_and_play(prompt)]
        server = RpcServer(path=run / "ivr.sock", faces=[Face(register=ivr.register, name=IVR)])
        await server.start()
        process = await _start(run, var)
        try:
            yield LoneGateway(process.pid, await _address(process, run))
        finally:
            process.terminate()
            await process.communicate()
            await server.stop()


def processor_ms(*pids: int) -> float:
    """User and system time of processes so far."""
    ticks = 0
    for pid in pids:
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        ticks += int(fields[11]) + int(fields[12])
    return 1_000 * ticks / os.sysconf("SC_CLK_TCK")


def _answer_and_play(prompt: ivr_pb2.Prompt) -> Script:
    async def script(talk: Talk) -> None:
        await talk.step(answer(), play("tone", prompt, loop=True))
        await until_the_end(talk)

    return script


async def _start(run: Path, var: Path) -> asyncio.subprocess.Process:
    env = {
        **os.environ,
        "PYTHONPATH": f"{ROOT}:{ROOT / 'media-gateway'}",
        "CARILLON_RUN_DIR": str(run),
        "CARILLON_VAR_DIR": str(var),
        "CARILLON_GATEWAY_SIP_PORT": "0",
        "CARILLON_GATEWAY_RTP_PORT_FIRST": "10000",
        "CARILLON_GATEWAY_DRAIN_LIMIT_S": "1",
        "CARILLON_LOG_LEVEL": "warning",
    }
    return await asyncio.create_subprocess_exec(
        sys.executable, "-m", "media_gateway", cwd=ROOT, env=env
    )


async def _address(process: asyncio.subprocess.Process, run: Path) -> str:
    """Where the gateway receives SIP, once it says so."""
    async with asyncio.timeout(START_WAIT_S):
        while process.returncode is None:
            with contextlib.suppress(FileNotFoundError):
                told = await asyncio.to_thread((run / "gateway.json").read_text)
                return str(json.loads(told)["sip"])
            await asyncio.sleep(0.05)
    raise RuntimeError("the gateway ended")
