"""What a call costs each process of a cluster: the figures that `carillon size` plans with.

A whole cluster on this machine (PostgreSQL, Kafka, S3, Kamailio, two of each service), callers and
agents' phones in a process of their own. Three measurements: at rest; long calls, of which none
begins or ends: what a second of talk costs; short calls: what a call costs besides. Processor time
is the processes' own, so that what else the machine does lengthens nothing; caches that others
empty make it dearer.

    python -m tests.bench.bench_capacity [--talking 20] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Final

import asyncpg

from tests.bench.crowd import Wish
from tests.bench.readings import total
from tests.bench.whole import NUMBER, Whole, whole

MAX_TALKING: Final = 100
REST_S: Final = 8.0
TALK_S: Final = 12.0
SETTLE_S: Final = 4.0
SHORT_LIFE_S: Final = 6.0
SHORT_S: Final = 30.0
SHORT_AT_ONCE: Final = 8
LOAD: Final = 0.7


@dataclass(frozen=True, slots=True)
class Spent:
    """What happened in a while, by service: all its replicas together."""

    seconds: float
    cpu_s: Mapping[str, float]
    requests: float
    """Answered, by all."""
    events: float
    """Acknowledged by the bus."""
    segments: float
    """Of recordings, stored."""
    segment_bytes: float
    commits: int
    """Of the database."""
    database_bytes: int
    """That it grew by."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one run showed."""

    talking: int
    calls: int
    """Short ones, that were answered by an agent and ended."""
    failed: int
    """Of them, that did not come so far."""
    behind_ms: float
    """How late the crowd was at most: above 100 the machine was too busy."""
    at_rest: Mapping[str, float]
    """Shares of a core."""
    talk_ms: Mapping[str, float]
    """For a second of one conversation, recorded."""
    call_ms: Mapping[str, float]
    """For a call, without its seconds of talk."""
    requests: float
    """gRPC requests that were answered for a call; so the next four."""
    events: float
    commits: float
    database_bytes: float
    segments_per_s: float
    """For a recorded conversation."""
    recorded_bytes_per_s: float
    """The same."""


async def look(house: Whole) -> tuple[dict[str, float], dict[str, str], int, int]:
    """All counters, now."""
    database = house.stage.cluster.postgres
    assert database is not None
    connection = await asyncpg.connect(database.admin_dsn("carillon"))
    try:
        row = await connection.fetchrow(
            "SELECT xact_commit, pg_database_size(datname) AS size FROM pg_stat_database"
            " WHERE datname = current_database()"
        )
    finally:
        await connection.close()
    assert row is not None
    return house.cpu_s(), await house.shown(), row["xact_commit"], row["size"]


async def during(house: Whole, seconds: float) -> Spent:
    """What is spent in so many seconds."""
    began_s = monotonic()
    cpu, shown, commits, size = await look(house)
    await asyncio.sleep(seconds)
    cpu_after, shown_after, commits_after, size_after = await look(house)
    spent: dict[str, float] = defaultdict(float)
    for name, now_s in cpu_after.items():
        spent[service_of(name)] += now_s - cpu[name]

    def grown(metric: str) -> float:
        return sum(total(shown_after[name], metric) - total(shown[name], metric) for name in shown)

    return Spent(
        seconds=monotonic() - began_s,
        cpu_s=spent,
        requests=grown("carillon_rpc_requests_total"),
        events=grown("carillon_bus_published_total"),
        segments=grown("carillon_recording_segments_total"),
        segment_bytes=grown("carillon_recording_segment_bytes_total"),
        commits=commits_after - commits,
        database_bytes=size_after - size,
    )


def service_of(process: str) -> str:
    """`acd` of `acd-2`; the others are called by their names."""
    name, _, number = process.rpartition("-")
    return name if number.isdigit() else process


async def measure(talking: int) -> Result:
    """One run."""
    async with whole(agents=talking + SHORT_AT_ONCE) as house:
        await asyncio.sleep(SETTLE_S)
        rest = await during(house, REST_S)
        port = house.stage.sip_port
        await house.crowd.keep(
            Wish(at_once=talking, number=NUMBER, port=port, life_s=600, ramp_s=talking / 4)
        )
        await asyncio.sleep(talking / 4 + SETTLE_S)
        await house.crowd.tally()
        talk = await during(house, TALK_S)
        told = await house.crowd.tally()
        assert told.agents == talking, f"only {told.agents} of {talking} talk"
        behind_ms = told.behind_ms
        await house.crowd.stop()
        await asyncio.sleep(SETTLE_S)
        await house.crowd.keep(
            Wish(
                at_once=SHORT_AT_ONCE,
                number=NUMBER,
                port=port,
                life_s=SHORT_LIFE_S,
                ramp_s=SHORT_LIFE_S,
            )
        )
        await asyncio.sleep(2 * SHORT_LIFE_S)
        await house.crowd.tally()
        short = await during(house, SHORT_S)
        told = await house.crowd.tally()
        await house.crowd.stop()
    idle = {name: cpu_s / rest.seconds for name, cpu_s in rest.cpu_s.items()}
    talk_ms = {
        name: 1_000 * (cpu_s / talk.seconds - idle[name]) / talking
        for name, cpu_s in talk.cpu_s.items()
    }
    talk_s = SHORT_AT_ONCE * short.seconds
    calls = min(told.connected, told.ended)

    def each(now: float, quiet: float, while_talking: float = 0.0) -> float:
        """For a call: what is neither there at rest nor of talk."""
        before = quiet / rest.seconds * short.seconds
        talked = (while_talking / talk.seconds - quiet / rest.seconds) / talking * talk_s
        return (now - before - (talked if while_talking else 0.0)) / calls

    return Result(
        talking=talking,
        calls=calls,
        failed=sum(told.failed.values()),
        behind_ms=max(behind_ms, told.behind_ms),
        at_rest=idle,
        talk_ms=talk_ms,
        call_ms={
            name: 1_000 * each(cpu_s, rest.cpu_s[name], talk.cpu_s[name])
            for name, cpu_s in short.cpu_s.items()
        },
        requests=each(short.requests, rest.requests, talk.requests),
        events=each(short.events, rest.events, talk.events),
        commits=each(short.commits, rest.commits, talk.commits),
        database_bytes=each(short.database_bytes, rest.database_bytes),
        segments_per_s=(talk.segments - rest.segments) / talk.seconds / talking,
        recorded_bytes_per_s=talk.segment_bytes / talk.seconds / talking,
    )


def in_words(result: Result) -> str:
    """For a terminal."""
    told = f"{result.talking} talking; {result.calls} short calls, {result.failed} failed"
    lines = [
        f"{told}; the crowd was {result.behind_ms:.0f} ms late at most",
        f"{'':12}{'at rest':>10}{'a second of talk':>18}{'a call besides':>16}{'talking/core':>14}",
    ]
    for name in sorted(result.call_ms):
        talk_ms = result.talk_ms[name]
        carried = f"{1_000 * LOAD / talk_ms:,.0f}" if talk_ms > 0.01 else "-"
        lines.append(
            f"{name:12}{result.at_rest[name]:>9.1%} {talk_ms:>14.2f} ms"
            f" {result.call_ms[name]:>12.1f} ms {carried:>13}"
        )
    database = f"{result.commits:.1f} commits, {result.database_bytes / 1_000:.1f} kB"
    stored = f"{result.segments_per_s:.2f} segments, {result.recorded_bytes_per_s / 1_000:.1f} kB"
    lines += [
        f"a call: {result.requests:.1f} gRPC requests, {result.events:.1f} events, {database}",
        f"a recorded second: {stored}",
    ]
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--talking", type=int, default=20, choices=range(1, MAX_TALKING + 1))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    result = asyncio.run(measure(asked.talking))
    sys.stdout.write(json.dumps(asdict(result)) + "\n" if asked.json else in_words(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
