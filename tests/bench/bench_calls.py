"""The whole system under calls: CPU and memory per bridged call, and how soon a caller hears.

`python -m tests.bench.bench_calls [--json] [--calls 20] [--set-ups 40]`. Real processes, SIP and
RTP on loopback; the phones run in this process and are not counted. Ratios are against an OPTIONS
round trip, for set-up, and against what the gateway costs at rest, for CPU.
"""

from __future__ import annotations

import argparse
import asyncio
import json
import os
import statistics
import sys
import tempfile
import time
from contextlib import AsyncExitStack
from pathlib import Path
from typing import Any

from services.launcher.process import Program
from tests.softphone import Answer, OutgoingCall, SoftPhone
from tests.stage.installation import Installation
from tests.stage.seed import (
    NUMBER,
    SeedAgent,
    seed_agent,
    seed_number,
    seed_queues,
    set_presence,
)

MEASURE_S = 8.0
MAX_CALLS = 100
LOAD = 0.7
"""The share of a core that is planned for."""
PRESS_PAUSE_S = 0.1


def cpu_s(program: Program) -> float:
    """User and system time of a process so far, in seconds."""
    fields = Path(f"/proc/{program.pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


async def busy_share(program: Program, seconds: float) -> float:
    """The share of a core that a process takes during some seconds."""
    before, started = cpu_s(program), time.monotonic()
    await asyncio.sleep(seconds)
    return (cpu_s(program) - before) / (time.monotonic() - started)


async def dial(carillon: Installation, phone: SoftPhone) -> OutgoingCall:
    return await phone.call(f"sip:{NUMBER}@127.0.0.1:{carillon.sip_port}")


async def measure_set_up(carillon: Installation, count: int) -> dict[str, Any]:
    """INVITE to the first packet of the first prompt, one call after another."""
    uri = f"sip:127.0.0.1:{carillon.sip_port}"
    pings_ms, prompts_ms = [], []
    async with SoftPhone(user="+12025550147") as phone:
        for _ in range(count):
            started = time.monotonic()
            await phone.options(uri)
            pings_ms.append((time.monotonic() - started) * 1_000)
            call = await dial(carillon, phone)
            await call.answered(5)
            await call.hears_audio(5)
            first_s = call.stats().first_rtp_at_s
            assert first_s is not None
            prompts_ms.append(first_s * 1_000)
            await call.hangup()
    ping_ms = statistics.median(pings_ms)
    p50_ms = statistics.median(prompts_ms)
    p95_ms = statistics.quantiles(prompts_ms, n=20)[-1]
    return {
        "set_ups": count,
        "invite_to_prompt_p50_ms": round(p50_ms, 1),
        "invite_to_prompt_p95_ms": round(p95_ms, 1),
        "options_round_trip_ms": round(ping_ms, 2),
        "prompt_over_options": round(p50_ms / ping_ms, 1),
    }


async def bridge(carillon: Installation, count: int, stack: AsyncExitStack) -> None:
    """So many callers, each talking with an agent of their own."""
    for index in range(count):
        desk = await stack.enter_async_context(
            SoftPhone(user=f"agent-{index}", auto=Answer(ring_s=0.05))
        )
        await seed_agent(carillon, SeedAgent(f"agent-{index}", f"Agent {index}", desk.uri))
        await set_presence(carillon, f"agent-{index}", "ready")
        phone = await stack.enter_async_context(SoftPhone(user=f"+120255504{index:02}"))
        call = await dial(carillon, phone)
        await call.answered(5)
        await call.hears_audio(5)
        await asyncio.sleep(PRESS_PAUSE_S)
        await call.send_dtmf("1")
        leg = await desk.incoming(10)
        await leg.answered(10)
        call.play_tone(440)
        leg.play_tone(660)


async def measure(calls: int, set_ups: int) -> dict[str, Any]:
    with tempfile.TemporaryDirectory() as folder:
        async with Installation(var=Path(folder)) as carillon, AsyncExitStack() as stack:
            await seed_queues(carillon)
            await seed_number(carillon)
            gateway, services = carillon.programs["gateway"], carillon.programs["services"]
            rest_mb = {"gateway": gateway.resident_mb(), "services": services.resident_mb()}
            idle = await busy_share(gateway, 2.0)
            figures = await measure_set_up(carillon, set_ups)
            before_mb = gateway.resident_mb(), services.resident_mb()
            await bridge(carillon, calls, stack)
            busy = await busy_share(gateway, MEASURE_S)
            per_call = (busy - idle) / calls
            return {
                **figures,
                "bridged_calls": calls,
                "gateway_core_share_at_rest": round(idle, 4),
                "gateway_core_share_busy": round(busy, 3),
                "gateway_core_share_per_call": round(per_call, 5),
                "bridged_calls_per_core_at_70_percent": int(LOAD / per_call),
                "gateway_mb_at_rest": round(rest_mb["gateway"], 1),
                "services_mb_at_rest": round(rest_mb["services"], 1),
                "gateway_kb_per_call": round((gateway.resident_mb() - before_mb[0]) * 1024 / calls),
                "services_kb_per_call": round(
                    (services.resident_mb() - before_mb[1]) * 1024 / calls
                ),
            }


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--calls", type=int, default=20, choices=range(1, MAX_CALLS + 1))
    parser.add_argument("--set-ups", type=int, default=40, choices=range(2, 1_001))
    asked = parser.parse_args()
    figures = asyncio.run(measure(asked.calls, asked.set_ups))
    if asked.json:
        sys.stdout.write(json.dumps(figures, indent=2) + "\n")
    else:
        for name, value in figures.items():
            sys.stdout.write(f"{name.replace('_', ' '):<40} {value}\n")
    return 0


if __name__ == "__main__":
    sys.exit(main())
