"""Ten minutes of calls that come and go, and whether anything grows that should not.

A whole cluster on this machine, as many calls at once as told (70 % of what the machine carries),
each of them a new one every 45 seconds. Memory, threads, open files and tasks of each of Carillon's
processes are sampled, rows of tables that only hold what is under way, and jitter and late packets
of those who listen. A straight line through each tells whether it grows: more than three standard
errors, and more than 3 % of its mean in the time. Memory may come to rest first: the first part
does not count. What is remembered of calls up to a known number may fill. Exit status 1 when
anything else grows, or when a call fails.

    python -m tests.bench.bench_soak [--calls 20] [--minutes 10] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import asdict, dataclass, field
from time import monotonic
from typing import Final

import asyncpg

from tests.bench.crowd import Tally, Wish
from tests.bench.growth import Line, line
from tests.bench.readings import total
from tests.bench.whole import NUMBER, Whole, whole

MAX_CALLS: Final = 100
MAX_MINUTES: Final = 12.0
LIFE_S: Final = 45.0
EACH_S: Final = 10.0
WARM: Final = 0.3
"""Of the time: pools fill, caches warm."""
LISTEN: Final = 4
LEAST: Final = 2.0
"""Of threads, files, tasks, rows, milliseconds or per cent: one more of them is no growth."""
UNDER_WAY: Final = (
    "crm.outbox",
    "crm.unclaimed_call",
    "portal.outbox",
    "portal.session",
    "recording.outbox",
    "recording.gateway",
    "ivr.tenant_calls",
    "chassis.shard_lease",
    "chassis.snapshot",
    "chassis.journal_published",
    "analytics.alarm_lease",
)
"""Tables whose rows are of what is under way, or of what there is: none for each call."""
FILLS_KIB: Final = {"acd": 24.0, "analytics": 8.0}
"""For a call, until it is as much as is ever remembered: acd keeps the receipts of a tenant's last
10,000 contacts and the last 2,000 stays, analytics the entries of the last half hour. Ten minutes
are not enough to fill them; what is more than this is growth."""
PARTS: Final = ("Kafka", "S3", "Kamailio", "PostgreSQL", "crowd")
"""Not ours: shown, not judged."""


@dataclass(slots=True)
class Samples:
    """All series, by name."""

    series: dict[str, list[tuple[float, float]]] = field(default_factory=lambda: defaultdict(list))

    def add(self, name: str, at_s: float, value: float) -> None:
        """One more."""
        self.series[name].append((at_s, value))

    def lines(self, from_s: float) -> dict[str, Line]:
        """Through what came from then on."""
        found = {}
        for name, samples in self.series.items():
            late = [sample for sample in samples if sample[0] >= from_s]
            if len(late) > 2:
                found[name] = line(late)
        return found


@dataclass(frozen=True, slots=True)
class Result:
    """What one run showed."""

    minutes: float
    calls_at_once: int
    answered: int
    connected: int
    ended: int
    failed: int
    skipped_frames: float
    """By the gateways, over the whole time."""
    heard: int
    """Packets."""
    lost: int
    late: int
    busy_cores: float
    """Of the machine, by all these processes; the crowd's are among them."""
    behind_ms: float
    """How late the crowd was at most."""
    lines: dict[str, Line]
    growing: list[str]
    """Of what should not."""
    filling: dict[str, float]
    """Memory of a known size that is not full yet: KiB for each call."""

    @property
    def faults(self) -> list[str]:
        """What is not as it should be."""
        found = [f"{name} grows" for name in self.growing]
        if self.failed:
            found.append(f"{self.failed} calls failed")
        return found


async def sample(house: Whole, samples: Samples, at_s: float, tables: Sequence[str]) -> None:
    """All that is looked at, once."""
    for name, held in (await asyncio.to_thread(house.held)).items():
        samples.add(f"{name} MiB", at_s, held.rss_mib if name in PARTS else held.pss_mib)
        samples.add(f"{name} threads", at_s, held.threads)
        samples.add(f"{name} files", at_s, held.files)
    for name, text in (await house.shown()).items():
        samples.add(f"{name} tasks", at_s, total(text, "carillon_process_tasks"))
    for table, rows in (await rows_of(house, tables)).items():
        samples.add(f"rows {table}", at_s, rows)


async def rows_of(house: Whole, tables: Sequence[str]) -> dict[str, int]:
    """How many each table has; all tables when none is named."""
    database = house.stage.cluster.postgres
    assert database is not None
    connection = await asyncpg.connect(database.admin_dsn("carillon"))
    try:
        if not tables:
            found = await connection.fetch(
                "SELECT schemaname || '.' || relname FROM pg_stat_user_tables"
            )
            tables = [row[0] for row in found]
        return {name: await connection.fetchval(f"SELECT count(*) FROM {name}") for name in tables}
    finally:
        await connection.close()


async def measure(calls: int, minutes: float) -> Result:
    """One run."""
    samples, tallies = Samples(), list[Tally]()
    async with whole(agents=calls + max(2, calls // 5)) as house:
        there = await rows_of(house, [])
        tables = [name for name in UNDER_WAY if name in there]
        await house.crowd.keep(
            Wish(
                at_once=calls,
                number=NUMBER,
                port=house.stage.sip_port,
                life_s=LIFE_S,
                ramp_s=LIFE_S,
                listen=LISTEN,
            )
        )
        await asyncio.sleep(LIFE_S)
        await house.crowd.tally()
        began_s, cpu = monotonic(), house.cpu_s()
        skipped = await _skipped(house)
        for number in range(1, round(minutes * 60 / EACH_S) + 1):
            await asyncio.sleep(max(0.0, began_s + number * EACH_S - monotonic()))
            tally = await house.crowd.tally()
            tallies.append(tally)
            at_s = monotonic() - began_s
            samples.add("callers at once", at_s, tally.callers)
            if tally.heard.packets:
                late = tally.heard.late + tally.heard.lost
                samples.add("late or lost, %", at_s, 100 * late / tally.heard.packets)
                samples.add("jitter, ms", at_s, tally.heard.jitter_ms)
            await sample(house, samples, at_s, tables)
        took_s = monotonic() - began_s
        cpu_after = house.cpu_s()
        skipped = await _skipped(house) - skipped
        grown = {name: rows - there[name] for name, rows in (await rows_of(house, [])).items()}
        await house.crowd.stop()
    told_per_call = {name: rows for name, rows in grown.items() if rows}
    sys.stderr.write(f"rows that came: {json.dumps(told_per_call)}\n")
    lines = samples.lines(WARM * took_s)
    judged = {
        name: through
        for name, through in lines.items()
        if through.grows
        and (through.grown > LEAST or name.endswith(" MiB"))
        and name.split(maxsplit=1)[0] not in (*PARTS, "callers")
    }
    calls_judged = (1 - WARM) * sum(tally.ended for tally in tallies)
    filling = {
        name: 1_024 * through.grown / calls_judged
        for name, through in judged.items()
        if name.endswith(" MiB") and _may_fill(name, 1_024 * through.grown / calls_judged)
    }
    return Result(
        minutes=took_s / 60,
        calls_at_once=calls,
        answered=sum(tally.answered for tally in tallies),
        connected=sum(tally.connected for tally in tallies),
        ended=sum(tally.ended for tally in tallies),
        failed=sum(sum(tally.failed.values()) for tally in tallies),
        skipped_frames=skipped,
        heard=sum(tally.heard.packets for tally in tallies),
        lost=sum(tally.heard.lost for tally in tallies),
        late=sum(tally.heard.late for tally in tallies),
        busy_cores=sum(cpu_after[name] - cpu[name] for name in cpu) / took_s,
        behind_ms=max(tally.behind_ms for tally in tallies),
        lines=lines,
        growing=[name for name in judged if name not in filling],
        filling=filling,
    )


def _may_fill(name: str, kib_for_a_call: float) -> bool:
    """Whether a process may take so much for each call."""
    return kib_for_a_call <= FILLS_KIB.get(name.partition("-")[0], 0.0)


async def _skipped(house: Whole) -> float:
    shown = await house.shown()
    return sum(total(text, "carillon_gateway_frames_skipped_total") for text in shown.values())


def in_words(result: Result) -> str:
    """For a terminal."""
    became = f"{result.answered} answered, {result.connected} connected, {result.failed} failed"
    late = f"{result.lost} lost, {result.late} late"
    lines = [
        f"{result.minutes:.1f} minutes, {result.calls_at_once} calls at once: {became}",
        f"{result.busy_cores:.2f} cores busy; the crowd was {result.behind_ms:.0f} ms late at most",
        f"heard {result.heard} packets, {late}; {result.skipped_frames:.0f} frames skipped",
        f"{'':28}{'mean':>10}{'grown':>10}{'±':>9}",
    ]
    for name, through in sorted(result.lines.items()):
        fills = result.filling.get(name)
        mark = "  GROWS" if name in result.growing else ""
        mark = mark if fills is None else f"  fills, {fills:.1f} KiB a call"
        lines.append(
            f"{name:28}{through.mean:>10.1f}{through.grown:>10.2f}{through.error:>9.2f}{mark}"
        )
    verdict = "; ".join(result.faults) or "nothing grows"
    return "\n".join([*lines, verdict]) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=20, choices=range(1, MAX_CALLS + 1))
    parser.add_argument("--minutes", type=float, default=10.0)
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    if not 1.0 <= asked.minutes <= MAX_MINUTES:
        parser.error(f"--minutes: {asked.minutes:g} is not between 1 and {MAX_MINUTES:g}")
    result = asyncio.run(measure(asked.calls, asked.minutes))
    sys.stdout.write(json.dumps(asdict(result)) + "\n" if asked.json else in_words(result))
    return int(bool(result.faults))


if __name__ == "__main__":
    sys.exit(main())
