"""What callers notice of a crm that is ill: INVITE to the first word, against a crm that is well.

The flow's first words need the customer, the worst that a flow can do. The crm is a stand-in on its
own socket; everything else is an installation of real processes, called one call after another.
Before each illness the same calls are made with a crm that is well: those are the reference.

    python -m tests.bench.bench_crm [--json] [--calls 40]
"""

from __future__ import annotations

import argparse
import asyncio
import json
import sys
import tempfile
from dataclasses import asdict, dataclass
from pathlib import Path
from statistics import quantiles

from services.ivr.customers import LIMITS
from tests.e2e.whole import Whole, whole
from tests.softphone import SoftPhone
from tests.stage.asking import eventually
from tests.stage.greeting import FLOW, Ledger, first_word_ms
from tests.stage.ill_crm import ILL, IllCrm, Illness

WARM_UP_CALLS = 5
TARGET = 1.05


@dataclass(frozen=True, slots=True)
class Result:
    """One illness; milliseconds from the INVITE to the first word."""

    illness: str
    well_p50_ms: float
    well_p95_ms: float
    first_p50_ms: float
    """Of the callers until the breaker opened."""
    ill_p50_ms: float
    """Of those after them."""
    ill_p95_ms: float
    ratio_p50: float
    requests: int
    """Look-ups that came to crm for those after them."""


async def calls(everyone: Whole, phone: SoftPhone, count: int) -> Ledger:
    """So many calls, one after another."""
    ledger = Ledger()
    for _ in range(count):
        ledger.placed += 1
        call = await everyone.dial(phone=phone)
        ledger.set_up_ms.append(await first_word_ms(call))
        await call.hangup()
    return ledger


async def measure_one(
    everyone: Whole, phone: SoftPhone, crm: IllCrm, illness: Illness, count: int
) -> Result:
    """An ivr that has just started, with a crm that is well at first."""
    await crm.becomes(Illness.NOTHING)
    await everyone.carillon.kill("ivr")
    await everyone.carillon.start("ivr")

    async def known() -> bool:
        before = crm.answers
        await calls(everyone, phone, WARM_UP_CALLS)
        return crm.answers - before == WARM_UP_CALLS

    await eventually(known, bool, 30, "an ivr that looks callers up")
    well = await calls(everyone, phone, count)
    await crm.becomes(illness)
    first = await calls(everyone, phone, LIMITS.failures)
    before = crm.requests
    ill = await calls(everyone, phone, count)
    return Result(
        illness=illness,
        well_p50_ms=well.median_ms,
        well_p95_ms=quantiles(well.set_up_ms, n=20)[-1],
        first_p50_ms=first.median_ms,
        ill_p50_ms=ill.median_ms,
        ill_p95_ms=quantiles(ill.set_up_ms, n=20)[-1],
        ratio_p50=ill.median_ms / well.median_ms,
        requests=crm.requests - before,
    )


async def measure(count: int) -> list[Result]:
    """All illnesses, on one installation."""
    with tempfile.TemporaryDirectory() as folder:
        async with whole(Path(folder)) as everyone:
            await everyone.tenant.put_flow(FLOW, flow_id="greeting")
            await everyone.carillon.kill("crm")
            crm = IllCrm(everyone.carillon.machine.run_dir / "crm.sock")
            phone = await everyone.phone("+12025550147")
            try:
                return [await measure_one(everyone, phone, crm, each, count) for each in ILL]
            finally:
                await crm.stop()


def main() -> int:
    """Prints a line for each illness."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--json", action="store_true")
    parser.add_argument("--calls", type=int, default=40, choices=range(2, 1_001))
    asked = parser.parse_args()
    results = asyncio.run(measure(asked.calls))
    if asked.json:
        sys.stdout.write(json.dumps([asdict(each) for each in results], indent=2) + "\n")
        return 0
    for each in results:
        sys.stdout.write(
            f"crm {each.illness:<9} p50 {each.ill_p50_ms:6.1f} ms, p95 {each.ill_p95_ms:6.1f};"
            f" well: {each.well_p50_ms:6.1f}, {each.well_p95_ms:6.1f};"
            f" ratio {each.ratio_p50:.2f} (target {TARGET:.2f});"
            f" the first {LIMITS.failures}: {each.first_p50_ms:6.1f} ms;"
            f" {each.requests} look-ups of {asked.calls} calls\n"
        )
    return 0


if __name__ == "__main__":
    sys.exit(main())
