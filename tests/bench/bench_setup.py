"""How long a caller waits for the first prompt, and what a call that is held costs in memory.

The gateway is a process of its own; the interpreter is a script that answers and plays, so the
figure is the gateway's own share. Each set-up is followed by an OPTIONS on the same wire: what the
least conceivable exchange takes on this machine at that moment is the reference.

    python -m tests.bench.bench_setup [--json]
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import uvloop

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
from tests.softphone.phone import SoftPhone

ROOT = Path(__file__).resolve().parents[2]
CALLS = 200
CALLS_PER_S = 20
WARM_UP_CALLS = 20
HELD_CALLS = 100
START_WAIT_S = 20.0
CALL_WAIT_S = 10.0
TARGET_P95_MS = 150.0


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured; milliseconds, and KiB of resident memory."""

    setup_p50_ms: float
    setup_p95_ms: float
    options_p50_ms: float
    setup_to_options_p50: float
    share_of_target_p95: float
    memory_kib_per_held_call: float
    processor_ms_per_setup: float


async def measure() -> Result:
    """Starts a gateway, calls it, and ends it."""
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
            uri = f"sip:+12025550100@{await _address(process, run)}"
            async with SoftPhone() as phone:
                return await _calls(phone, uri, process.pid)
        finally:
            process.terminate()
            await process.communicate()
            await server.stop()


async def _calls(phone: SoftPhone, uri: str, pid: int) -> Result:
    for _ in range(WARM_UP_CALLS):
        await _set_up(phone, uri)
    held_kib = await _hold(phone, uri, pid)
    began_ms = _processor_ms(pid)
    setups: list[float] = []
    pings: list[float] = []
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLS):
            group.create_task(_measured(phone, uri, setups, pings))
            await asyncio.sleep(1 / CALLS_PER_S)
    used_ms = _processor_ms(pid) - began_ms
    p50, p95, ping = median(setups), quantiles(setups, n=20)[-1], median(pings)
    return Result(
        setup_p50_ms=p50,
        setup_p95_ms=p95,
        options_p50_ms=ping,
        setup_to_options_p50=p50 / ping,
        share_of_target_p95=p95 / TARGET_P95_MS,
        memory_kib_per_held_call=held_kib,
        processor_ms_per_setup=used_ms / CALLS,
    )


async def _hold(phone: SoftPhone, uri: str, pid: int) -> float:
    """How much the gateway grows for each call that hears a prompt; the first ones count whole."""
    before_kib = _resident_kib(pid)
    held = [await phone.call(uri) for _ in range(HELD_CALLS)]
    for call in held:
        await call.hears_audio(CALL_WAIT_S, for_s=0.04)
    grown_kib = _resident_kib(pid) - before_kib
    for call in held:
        await call.hangup()
    return grown_kib / HELD_CALLS


async def _measured(phone: SoftPhone, uri: str, setups: list[float], pings: list[float]) -> None:
    setups.append(await _set_up(phone, uri))
    began = perf_counter()
    await phone.options(uri)
    pings.append(1_000 * (perf_counter() - began))


async def _set_up(phone: SoftPhone, uri: str) -> float:
    """Milliseconds from INVITE to the first packet of the prompt."""
    call = await phone.call(uri)
    await call.answered(CALL_WAIT_S)
    await call.hears_audio(CALL_WAIT_S, for_s=0.02)
    first_s = call.stats().first_rtp_at_s
    assert first_s is not None, "something was heard"
    await call.hangup()
    return 1_000 * first_s


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


def _resident_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no resident memory is told")


def _processor_ms(pid: int) -> float:
    fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    return 1_000 * (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def main() -> None:
    result = uvloop.run(measure())
    if "--json" in sys.argv:
        print(json.dumps(asdict(result)))
        return
    print(f"INVITE to first prompt packet   p50 {result.setup_p50_ms:7.1f} ms")
    print(f"                                p95 {result.setup_p95_ms:7.1f} ms")
    print(f"  of the target of {TARGET_P95_MS:.0f} ms, p95   {result.share_of_target_p95:8.2f}")
    print(f"OPTIONS and its answer          p50 {result.options_p50_ms:7.1f} ms")
    print(f"  set-up to OPTIONS             {result.setup_to_options_p50:11.1f}")
    print(f"processor time for each set-up and its end {result.processor_ms_per_setup:5.1f} ms")
    print(f"memory for each call that is held  {result.memory_kib_per_held_call:7.0f} KiB")


if __name__ == "__main__":
    main()
