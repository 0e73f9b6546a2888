"""How long a caller waits for the first prompt, and what a call that is held costs in memory.

The gateway is a process of its own; the interpreter is a script that answers and plays, so the
figure is the gateway's own share. Each set-up is followed by an OPTIONS on the same wire: what the
least conceivable exchange takes on this machine at that moment is the reference.

    python -m tests.bench.bench_setup [--json]
"""

from __future__ import annotations

import asyncio
import json
import sys
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import uvloop

from services.chassis.log import configure
from tests.bench.lone_gateway import lone_gateway, processor_ms
from tests.softphone.phone import SoftPhone

CALLS = 200
CALLS_PER_S = 20
WARM_UP_CALLS = 20
HELD_CALLS = 100
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
    async with lone_gateway() as gateway, SoftPhone() as phone:
        return await _calls(phone, f"sip:+12025550100@{gateway.address}", gateway.pid)


async def _calls(phone: SoftPhone, uri: str, pid: int) -> Result:
    for _ in range(WARM_UP_CALLS):
        await _set_up(phone, uri)
    held_kib = await _hold(phone, uri, pid)
    began_ms = processor_ms(pid)
    setups: list[float] = []
    pings: list[float] = []
    async with asyncio.TaskGroup() as group:
        for _ in range(CALLS):
            group.create_task(_measured(phone, uri, setups, pings))
            await asyncio.sleep(1 / CALLS_PER_S)
    used_ms = processor_ms(pid) - began_ms
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


def _resident_kib(pid: int) -> int:
    for line in Path(f"/proc/{pid}/status").read_text().splitlines():
        if line.startswith("VmRSS:"):
            return int(line.split()[1])
    raise RuntimeError("no resident memory is told")


def main() -> None:
    configure(level="error", as_json=False)
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
