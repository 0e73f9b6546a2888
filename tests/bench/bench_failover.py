"""How long nobody decides for a tenant whose owner was killed.

Two acd processes, one PostgreSQL of this run's own (fsync on), contacts that wait for an agent. The
owner is ended by SIGKILL; the flows ask the other replica again, as flows do, and the agent becomes
ready. Measured is from the kill until the other replica decides for one of them, and until the one
that has waited longest is reserved. Each kill has processes and a database of its own.

    python -m tests.bench.bench_failover [--kills 20] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import signal
from contextlib import suppress
from dataclasses import asdict, dataclass
from math import ceil
from time import perf_counter

from grpc import aio

from services.chassis.database import DatabaseAddress
from services.chassis.journal import LEASE_MS
from tests.stage.postgres import fresh_database, running_postgres
from tests.unit.acd.replicas import Replica, enqueue, enqueue_again, following, furnish, ready

MAX_KILLS = 100
WAITING = 20
"""Contacts at the moment of the kill."""
ASK_AGAIN_S = 0.02


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured."""

    kills: int
    waiting: int
    lease_ms: int
    decides_again_p50_ms: int
    decides_again_p95_ms: int
    decides_again_most_ms: int
    next_reservation_p50_ms: int
    next_reservation_p95_ms: int
    next_reservation_most_ms: int


async def once(address: DatabaseAddress) -> tuple[float, float]:
    """Seconds from the kill until the other decides, and until it has reserved somebody."""
    owner, other = Replica(address), Replica(address)
    async with owner, other:
        await furnish(owner.acd)
        for number in range(WAITING):
            stream = enqueue(other.acd, f"e{number:02}")
            await following(stream, "position")
        await owner.end(signal.SIGKILL)
        killed_s = perf_counter()
        waits = asyncio.ensure_future(_reserved(other))
        again = [
            asyncio.ensure_future(enqueue_again(other.acd, f"e{number:02}"))
            for number in range(1, WAITING)
        ]
        await asyncio.wait(again, return_when=asyncio.FIRST_COMPLETED)
        decided_s = perf_counter() - killed_s
        await waits
        reserved_s = perf_counter() - killed_s
        await asyncio.gather(*again)
    return decided_s, reserved_s


async def _reserved(other: Replica) -> None:
    stream, _ = await enqueue_again(other.acd, "e00")
    while True:
        with suppress(aio.AioRpcError):
            await ready(other.acd)
            break
        await asyncio.sleep(ASK_AGAIN_S)
    await following(stream, "reserved")


async def main_async(kills: int) -> Result:
    decided, reserved = [], []
    with running_postgres(fast=False) as server:
        for _ in range(kills):
            async with fresh_database(server) as address:
                times = await once(address)
            decided.append(times[0])
            reserved.append(times[1])
    return Result(
        kills=kills,
        waiting=WAITING,
        lease_ms=LEASE_MS,
        decides_again_p50_ms=_ms(decided, 0.5),
        decides_again_p95_ms=_ms(decided, 0.95),
        decides_again_most_ms=_ms(decided, 1.0),
        next_reservation_p50_ms=_ms(reserved, 0.5),
        next_reservation_p95_ms=_ms(reserved, 0.95),
        next_reservation_most_ms=_ms(reserved, 1.0),
    )


def _ms(times_s: list[float], share: float) -> int:
    ordered = sorted(times_s)
    return round(1_000 * ordered[max(0, ceil(share * len(ordered)) - 1)])


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--kills", type=int, default=20, choices=range(1, MAX_KILLS + 1))
    parser.add_argument("--json", action="store_true")
    given = parser.parse_args()
    result = asyncio.run(main_async(given.kills))
    if given.json:
        print(json.dumps(asdict(result)))
        return
    for name, value in asdict(result).items():
        print(f"{name.replace('_', ' '):32}{value:>10,}")


if __name__ == "__main__":
    main()
