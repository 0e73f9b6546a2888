"""What the edge costs a call's set-up, and how many calls Kamailio carries on a core.

Calls go straight to a gateway and by the edge to the same one, in turns, so that the ratio is of
one machine at one moment. Then SIPp calls SIPp, straight and by the edge, as fast as both can.

    python -m tests.bench.bench_edge [--json]
"""

from __future__ import annotations

import asyncio
import json
import sys
import tempfile
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import median, quantiles
from time import perf_counter

import uvloop

from services.chassis.log import configure
from services.launcher.parts.kamailio import Kamailio
from services.launcher.ports import free_port
from tests.bench.lone_gateway import lone_gateway, processor_ms
from tests.e2e.sipp_runner import MAX_CALLS, demand_flawless, run_callers, sipp_agent
from tests.softphone.phone import SoftPhone
from tests.stage.edge import NUMBER, gateways_list

CALLS = 150
"""Each way."""
PAUSE_S = 0.02
WARM_UP_CALLS = 20
CALL_WAIT_S = 10.0
BARE_CALLS = 4_000
"""In one run of SIPp."""
ROUNDS = 3
AT_ONCE = 20
RATE = 20_000
"""More than SIPp can begin: a new call begins as soon as another one has ended."""
LOAD = 0.7
"""The share of a core that is planned for."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured; milliseconds unless said."""

    straight_p50_ms: float
    straight_p95_ms: float
    edge_p50_ms: float
    edge_p95_ms: float
    edge_to_straight_p50: float
    edge_adds_p50_ms: float
    options_p50_ms: float
    bare_calls_per_s: float
    bare_calls_per_s_by_edge: float
    bare_by_edge_to_straight: float
    kamailio_processor_ms_per_call: float
    kamailio_calls_per_s_and_core: float


async def measure() -> Result:
    """Both parts, one after the other."""
    with tempfile.TemporaryDirectory(prefix="ce-") as folder:
        straight, edge, options = await _set_ups(Path(folder) / "a")
        bare, bare_by_edge, processor = await _as_fast_as_can_be(Path(folder) / "b")
    p50, edge_p50 = median(straight), median(edge)
    return Result(
        straight_p50_ms=p50,
        straight_p95_ms=quantiles(straight, n=20)[-1],
        edge_p50_ms=edge_p50,
        edge_p95_ms=quantiles(edge, n=20)[-1],
        edge_to_straight_p50=edge_p50 / p50,
        edge_adds_p50_ms=edge_p50 - p50,
        options_p50_ms=median(options),
        bare_calls_per_s=bare,
        bare_calls_per_s_by_edge=bare_by_edge,
        bare_by_edge_to_straight=bare_by_edge / bare,
        kamailio_processor_ms_per_call=processor,
        kamailio_calls_per_s_and_core=LOAD * 1_000 / processor,
    )


async def _set_ups(folder: Path) -> tuple[list[float], list[float], list[float]]:
    """Milliseconds from INVITE to answer, straight and by the edge; of OPTIONS at the edge."""
    async with lone_gateway() as gateway, SoftPhone() as phone:
        host, _, port = gateway.address.rpartition(":")
        async with _edge(folder, (host, int(port))) as kamailio:
            ways = (
                f"sip:{NUMBER}@{gateway.address}",
                f"sip:{NUMBER}@{kamailio.host}:{kamailio.port}",
            )
            for _ in range(WARM_UP_CALLS):
                for uri in ways:
                    await _set_up(phone, uri)
            straight, edge, options = [], [], []
            for _ in range(CALLS):
                straight.append(await _set_up(phone, ways[0]))
                edge.append(await _set_up(phone, ways[1]))
                began = perf_counter()
                await phone.options(ways[1])
                options.append(1_000 * (perf_counter() - began))
            return straight, edge, options


async def _set_up(phone: SoftPhone, uri: str) -> float:
    call = await phone.call(uri)
    await call.answered(CALL_WAIT_S)
    await call.hangup()
    assert call.answered_after_s is not None, "it was answered"
    await asyncio.sleep(PAUSE_S)
    return 1_000 * call.answered_after_s


async def _as_fast_as_can_be(folder: Path) -> tuple[float, float, float]:
    """Calls per second of SIPp, straight and by the edge; Kamailio's processor time for each."""
    rounds = [await _round(folder / f"{number}") for number in range(ROUNDS)]
    straight, edge, processor = map(median, zip(*rounds, strict=True))
    return straight, edge, processor


async def _round(folder: Path) -> tuple[float, float, float]:
    async with sipp_agent("bare_agent", calls=MAX_CALLS) as agent:
        port = int(agent.uri.rpartition(":")[2])
        async with _edge(folder, ("127.0.0.1", port)) as kamailio:
            straight = await _bare(port)
            before_ms = processor_ms(*_processes(kamailio))
            edge = await _bare(kamailio.port)
            used_ms = processor_ms(*_processes(kamailio)) - before_ms
            return straight, edge, used_ms / BARE_CALLS


async def _bare(port: int) -> float:
    verdict = await run_callers(
        "bare", number=NUMBER, port=port, calls=BARE_CALLS, rate=RATE, at_once=AT_ONCE
    )
    demand_flawless(verdict, BARE_CALLS)
    return verdict.calls_per_s


@asynccontextmanager
async def _edge(folder: Path, gateway: tuple[str, int]) -> AsyncIterator[Kamailio]:
    """Kamailio in front of one gateway."""
    await asyncio.to_thread(folder.mkdir, mode=0o700, parents=True)
    listed = gateways_list({"g1": gateway})
    await asyncio.to_thread((folder / "gateways.list").write_text, listed)
    async with Kamailio(folder=folder, port=free_port()) as kamailio:
        yield kamailio


def _processes(kamailio: Kamailio) -> list[int]:
    """Kamailio's process and those that it has made."""
    main = kamailio.child.pid
    assert main is not None, "it runs"
    children = Path(f"/proc/{main}/task/{main}/children").read_text().split()
    return [main, *map(int, children)]


def main() -> None:
    configure(level="error", as_json=False)
    result = uvloop.run(measure())
    if "--json" in sys.argv:
        print(json.dumps(asdict(result)))
        return
    r = result
    print(
        f"INVITE to answer, straight p50 {r.straight_p50_ms:6.1f} ms, p95 {r.straight_p95_ms:.1f}"
    )
    print(f"  by the edge              p50 {r.edge_p50_ms:6.1f} ms, p95 {r.edge_p95_ms:.1f}")
    print(f"  adds {r.edge_adds_p50_ms:.1f} ms: {r.edge_to_straight_p50:.2f} of straight")
    print(f"OPTIONS to the edge        p50 {r.options_p50_ms:6.1f} ms")
    print(f"SIPp to SIPp, straight     {r.bare_calls_per_s:6.0f} calls/s")
    print(
        f"  by the edge              {r.bare_calls_per_s_by_edge:6.0f} calls/s,"
        f" {r.bare_by_edge_to_straight:.2f} of straight"
    )
    print(
        f"Kamailio's processor time  {r.kamailio_processor_ms_per_call:6.2f} ms a call:"
        f" {r.kamailio_calls_per_s_and_core:.0f} calls/s for each core at {LOAD:.0%}"
    )


if __name__ == "__main__":
    main()
