"""How soon each process serves, and the memory that it holds, at rest and after calls.

A whole cluster on this machine. Each of Carillon's processes is ended and started again alone: the
time is from its exec until its gRPC says that it serves. Memory is PSS (proc(5)): what
processes share is divided among them; RSS beside it. Then the local world's two processes.

    python -m tests.bench.bench_processes [--calls 60] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from time import monotonic
from typing import Final

from tests.bench import spent
from tests.bench.crowd import Wish
from tests.bench.spent import Held
from tests.bench.whole import NUMBER, Whole, whole
from tests.stage.installation import Installation

MAX_CALLS: Final = 300
AT_ONCE: Final = 6
LIFE_S: Final = 3.0
SETTLE_S: Final = 5.0


@dataclass(frozen=True, slots=True)
class Process:
    """One kind of process."""

    name: str
    ready_s: float | None
    """From exec until it serves; None: not ours, not measured."""
    rest: Held
    """A while after its start."""
    worked: Held | None
    """After the calls; None: none was made."""


async def of_cluster(calls: int) -> list[Process]:
    """Its processes; of services, those that are the second of their kind."""
    async with whole(agents=AT_ONCE + 2) as house:
        names = [name for name in house.pids if not name.endswith("-1") and name != "crowd"]
        ready = {
            name: await _ready_s(house, name)
            for name in names
            if name in house.stage.cluster.programs
        }
        await asyncio.sleep(SETTLE_S)
        rest = house.held()
        await house.crowd.keep(
            Wish(
                at_once=AT_ONCE,
                number=NUMBER,
                port=house.stage.sip_port,
                life_s=LIFE_S,
                ramp_s=LIFE_S,
            )
        )
        ended = 0
        while ended < calls:
            await asyncio.sleep(LIFE_S)
            tally = await house.crowd.tally()
            assert not tally.failed, f"calls failed: {tally.failed}"
            ended += tally.ended
        await house.crowd.stop()
        await asyncio.sleep(SETTLE_S)
        worked = house.held()
    return [Process(name, ready.get(name), rest[name], worked[name]) for name in names]


async def _ready_s(house: Whole, name: str) -> float:
    await house.stage.cluster.programs[name].stop()
    began_s = monotonic()
    await house.stage.start(name)
    return monotonic() - began_s


async def of_one_machine() -> list[Process]:
    """As `make up` runs them: all services together, and the gateway."""
    with tempfile.TemporaryDirectory() as folder:
        carillon = Installation(var=Path(folder))
        try:
            await carillon.prepare()
            ready = {}
            for name in carillon.programs:
                began_s = monotonic()
                await carillon.start(name)
                ready[name] = monotonic() - began_s
            await asyncio.sleep(SETTLE_S)
            return [
                Process(f"one machine: {name}", ready[name], spent.held(program.pid), None)
                for name, program in carillon.programs.items()
            ]
        finally:
            await carillon.close()


async def measure(calls: int) -> list[Process]:
    """One run."""
    return [*await of_cluster(calls), *await of_one_machine()]


def in_words(found: list[Process]) -> str:
    """For a terminal."""
    heads = ("serves after", "PSS at rest", "after calls", "RSS", "threads", "files")
    lines = [f"{'':24}" + "".join(f"{head:>14}" for head in heads)]
    for each in found:
        last = each.worked or each.rest
        cells = (
            "-" if each.ready_s is None else f"{each.ready_s:.2f} s",
            f"{each.rest.pss_mib:.0f} MiB",
            "-" if each.worked is None else f"{each.worked.pss_mib:.0f} MiB",
            f"{last.rss_mib:.0f} MiB",
            f"{last.threads}",
            f"{last.files}",
        )
        lines.append(f"{each.name:24}" + "".join(f"{cell:>14}" for cell in cells))
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=60, choices=range(1, MAX_CALLS + 1))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    found = asyncio.run(measure(asked.calls))
    told = json.dumps([asdict(each) for each in found]) + "\n"
    sys.stdout.write(told if asked.json else in_words(found))
    return 0


if __name__ == "__main__":
    sys.exit(main())
