"""What a call costs in gRPC requests: which, answered by whom, and how long each takes.

A whole cluster on this machine, with mTLS between its processes. One call after another: a menu, a
key, a queue, an agent's phone, a recording, wrap-up. Requests are counted by those who answer them
(`carillon_rpc_requests_total`), and so is their time, from a request to its answer; of streams,
which last as long as the call, only that they were opened and ended. What is asked all the time,
whether anybody calls or not, is measured at rest and taken off.

    python -m tests.bench.bench_hops [--calls 10] [--json]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
from collections import Counter
from dataclasses import asdict, dataclass
from time import monotonic
from typing import Final

from tests.bench.crowd import Wish
from tests.bench.readings import samples
from tests.bench.whole import NUMBER, Whole, whole

MAX_CALLS: Final = 30
LIFE_S: Final = 4.0
REST_S: Final = 15.0
SETTLE_S: Final = 4.0
LEAST: Final = 0.05
"""Of a request for a call: less is what comes by chance."""

Method = tuple[str, str]


@dataclass(frozen=True, slots=True)
class Hop:
    """One kind of request."""

    service: str
    method: str
    for_a_call: float
    """How many."""
    each_ms: float | None
    """Mean; None: a stream."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one run showed."""

    calls: int
    hops: list[Hop]
    answer_ms: float
    """From the INVITE to the answer, the median."""

    @property
    def requests(self) -> float:
        """For a call, streams among them."""
        return sum(hop.for_a_call for hop in self.hops)

    @property
    def waited_ms(self) -> float:
        """For a call: all answers together."""
        return sum(hop.for_a_call * (hop.each_ms or 0.0) for hop in self.hops)


@dataclass(frozen=True, slots=True)
class Counted:
    """Everything that was ever answered."""

    at_s: float
    requests: Counter[Method]
    timed: Counter[Method]
    """Those of them that have a time."""
    seconds: Counter[Method]


async def look(house: Whole) -> Counted:
    """All processes' counters, now."""
    requests, timed, seconds = Counter[Method](), Counter[Method](), Counter[Method]()
    for text in (await house.shown()).values():
        for name, into in (
            ("carillon_rpc_requests_total", requests),
            ("carillon_rpc_seconds_count", timed),
            ("carillon_rpc_seconds_sum", seconds),
        ):
            for labels, value in samples(text, name):
                into[labels["service"], labels["method"]] += value  # type: ignore[assignment]  # a float counts, too
    return Counted(monotonic(), requests, timed, seconds)


async def measure(calls: int) -> Result:
    """One run."""
    async with whole(agents=4) as house:
        await asyncio.sleep(SETTLE_S)
        quiet = await look(house)
        await asyncio.sleep(REST_S)
        before = await look(house)
        await house.crowd.keep(
            Wish(at_once=1, number=NUMBER, port=house.stage.sip_port, life_s=LIFE_S, ramp_s=0)
        )
        await asyncio.sleep(calls * (LIFE_S + 0.3))
        tally = await house.crowd.tally()
        await house.crowd.stop()
        ended = tally.ended + (await house.crowd.tally()).ended
        await asyncio.sleep(SETTLE_S)
        after = await look(house)
    assert not tally.failed, f"calls failed: {tally.failed}"
    share = (after.at_s - before.at_s) / (before.at_s - quiet.at_s)
    hops = []
    for method in sorted(after.requests):
        usual = (before.requests[method] - quiet.requests[method]) * share
        for_a_call = (after.requests[method] - before.requests[method] - usual) / ended
        timed = after.timed[method] - before.timed[method]
        took_s = after.seconds[method] - before.seconds[method]
        if for_a_call > LEAST:
            each_ms = 1_000 * took_s / timed if timed else None
            hops.append(Hop(*method, for_a_call=for_a_call, each_ms=each_ms))
    answers = sorted(tally.answer_ms)
    return Result(ended, hops, answers[len(answers) // 2])


def in_words(result: Result) -> str:
    """For a terminal."""
    lines = [f"{'':44}{'a call':>8}{'each':>10}"]
    for hop in sorted(result.hops, key=lambda hop: -hop.for_a_call):
        each = "stream" if hop.each_ms is None else f"{hop.each_ms:.1f} ms"
        lines.append(f"{hop.service + '/' + hop.method:44}{hop.for_a_call:>8.1f}{each:>10}")
    lines.append(
        f"{result.requests:.1f} requests for a call, {result.waited_ms:.0f} ms together; answered"
        f" after {result.answer_ms:.0f} ms ({result.calls} calls)"
    )
    return "\n".join(lines) + "\n"


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--calls", type=int, default=10, choices=range(1, MAX_CALLS + 1))
    parser.add_argument("--json", action="store_true")
    asked = parser.parse_args()
    result = asyncio.run(measure(asked.calls))
    sys.stdout.write(json.dumps(asdict(result)) + "\n" if asked.json else in_words(result))
    return 0


if __name__ == "__main__":
    sys.exit(main())
