"""How many events analytics takes in: a simulated day's routing events and the facts of its calls.

The reference of the same run: the same events fetched and committed, and nothing done with them.
Everything is on the bus before it begins, so batches are as large as they get: the rate of a
catch-up. Beside the wall's seconds stand those of this process's CPU, which other work on the
machine does not lengthen.

    python -m tests.bench.bench_analytics [--json]
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Iterator
from dataclasses import asdict, dataclass
from time import perf_counter, process_time

import uvloop

from protos.common.v1 import common_pb2
from protos.gateway.v1 import events_pb2 as gateway
from services.acd import model as acd
from services.analytics.core.measures import Terms
from services.analytics.feed import GATEWAYS, ROUTING, Intake
from services.analytics.floors import Floors
from services.analytics.store_sql import SqlStore
from services.chassis.bus import Batch, Bus
from services.chassis.bus_postgres import PostgresBus
from services.chassis.clock import SystemClock
from services.chassis.database import Database, DatabaseAddress
from services.chassis.envelope import Envelope, enveloped
from services.chassis.ids import TenantId
from tests.sim.acd.day import Day
from tests.stage.postgres import fresh_database, running_postgres
from tests.unit.analytics.history import envelopes

TENANT_ID = TenantId("demo")
AGENTS = 40
CALLERS = 1_000
PUBLISHED = 1_000
ROUNDS = 3
"""Times that all is taken in, each into a database of its own; the middle one counts."""


@dataclass(frozen=True, slots=True)
class Result:
    """What one run showed."""

    routing_events: int
    facts: int
    taken_in_per_s: float
    taken_in_per_cpu_s: float
    fetched_only_per_s: float

    @property
    def ratio(self) -> float:
        """Of the speed of fetching alone."""
        return self.taken_in_per_s / self.fetched_only_per_s


def bodies() -> Iterator[dict[str, object]]:
    """The facts of one call: a menu, a queue, an agent, hold, and the end."""
    caller, agent = "leg-caller", "leg-agent"
    yield {"call_started": gateway.CallStarted(**{"from": "+491"}, to="+4930", trunk="local")}
    yield {"leg_started": gateway.LegStarted(leg_id=caller, role="caller")}
    for node in ("welcome", "menu", "sales"):
        values = {"node": node}
        yield {"flow_noted": gateway.FlowNoted(kind="node-entered", values=values)}
        yield {"play_started": gateway.PlayStarted(leg_id=caller, prompts=["a" * 64])}
    yield {"leg_state_changed": gateway.LegStateChanged(leg_id=caller, state="answered")}
    yield {"digits_received": gateway.DigitsReceived(leg_id=caller, count=1, how="rfc4733")}
    yield {
        "flow_noted": gateway.FlowNoted(kind="queue-joined", values={"queue": "sales", "entry": ""})
    }
    yield {"recording_changed": gateway.RecordingChanged(state="on", reason="announced")}
    yield {"leg_started": gateway.LegStarted(leg_id=agent, role="agent", agent_id="a1")}
    for state in ("ringing", "answered", "bridged"):
        yield {"leg_state_changed": gateway.LegStateChanged(leg_id=agent, state=state)}
    yield {"legs_bridged": gateway.LegsBridged(leg_id=caller, peer_leg_id=agent, took_ms=20)}
    for held in (True, False):
        yield {"leg_hold_changed": gateway.LegHoldChanged(leg_id=caller, held=held)}
    for leg_id, role in ((agent, "agent"), (caller, "caller")):
        yield {"leg_ended": gateway.LegEnded(leg_id=leg_id, role=role, reason="hung-up")}
    termination = common_pb2.Termination(
        termination_class=common_pb2.TERMINATION_CLASS_SUCCESS, reason="caller-hung-up"
    )
    yield {"call_ended": gateway.CallEnded(termination=termination, duration_ms=60_000)}


def facts(call_id: str, at_ms: int) -> list[Envelope]:
    """The facts of one call as a gateway publishes them."""
    made = []
    for seq, body in enumerate(bodies(), start=1):
        fact = gateway.CallFact(
            event_id=f"{call_id}.{seq}",
            call_id=call_id,
            tenant_id=TENANT_ID,
            seq=seq,
            at_ms=at_ms + 1_000 * seq,
            **body,  # type: ignore[arg-type]  # any body
        )
        made.append(
            enveloped(
                fact,
                event_id=fact.event_id,
                tenant_id=TENANT_ID,
                at_ms=fact.at_ms,
                key=call_id,
                seq=seq,
                call_id=call_id,
            )
        )
    return made


def day() -> dict[str, list[Envelope]]:
    """All events of a day, by topic, in their order."""
    history = Day(1, agents=AGENTS, callers=CALLERS, mean_gap_ms=6_000)
    history.run()
    log = history.desk.log
    told = [
        fact
        for event in log
        if isinstance(event, acd.ContactEnqueued)
        for fact in facts(event.contact.contact_id, event.at_ms)
    ]
    return {
        ROUTING: envelopes(log, TENANT_ID),
        GATEWAYS: sorted(told, key=lambda event: event.at_ms),
    }


async def publish(bus: Bus, story: dict[str, list[Envelope]]) -> None:
    """Brings it all to the bus."""
    for topic, events in story.items():
        for first in range(0, len(events), PUBLISHED):
            await bus.publish(topic, events[first : first + PUBLISHED])


async def nothing(_batch: Batch) -> None:
    """What the reference does with a batch."""


async def drain(
    bus: Bus, group: str, number: int, handle: Callable[[Batch], Awaitable[None]]
) -> tuple[float, float]:
    """Takes in so many events; the wall's and the CPU's seconds that it took."""
    async with bus.consumer(group=group, topics=(ROUTING, GATEWAYS)) as consumer:
        began, cpu, seen = perf_counter(), process_time(), 0
        while seen < number:
            batch = await consumer.fetch(wait_s=5)
            assert batch is not None
            await handle(batch)
            await consumer.commit(batch)
            seen += len(batch.events)
        return perf_counter() - began, process_time() - cpu


async def measure(address: DatabaseAddress, story: dict[str, list[Envelope]]) -> Result:
    """One round."""
    database, own = Database(address, schema="bus"), Database(address, schema="analytics")
    bus = PostgresBus(lambda: database, name="bench")
    await publish(bus, story)
    number = sum(map(len, story.values()))
    fetched_s, _ = await drain(bus, "reference", number, nothing)
    store = SqlStore(own)
    intake = Intake(
        floors=Floors(store=store, clock=SystemClock(), terms=Terms()),
        store=store,
    )
    taken_s, cpu_s = await drain(bus, "analytics", number, intake.handle)
    await bus.close()
    await own.close()
    await database.close()
    return Result(
        routing_events=len(story[ROUTING]),
        facts=len(story[GATEWAYS]),
        taken_in_per_s=number / taken_s,
        taken_in_per_cpu_s=number / cpu_s,
        fetched_only_per_s=number / fetched_s,
    )


async def run() -> Result:
    # With fsync, as an installation has it.
    story = await asyncio.to_thread(day)
    rounds = []
    with running_postgres(fast=False) as server:
        for _ in range(ROUNDS):
            async with fresh_database(server) as address:
                rounds.append(await measure(address, story))
    return sorted(rounds, key=lambda result: result.taken_in_per_s)[ROUNDS // 2]


def main() -> int:
    result = uvloop.run(run())
    if "--json" in sys.argv[1:]:
        sys.stdout.write(json.dumps(asdict(result), indent=2) + "\n")
        return 0
    sys.stdout.write(
        f"{result.routing_events} routing events, {result.facts} facts\n"
        f"taken in  {result.taken_in_per_s:8.0f} events/s"
        f"  ({result.taken_in_per_cpu_s:.0f} per second of this process's CPU)\n"
        f"fetched   {result.fetched_only_per_s:8.0f} events/s and not looked at: ratio"
        f" {result.ratio:.2f}\n"
    )
    return 0


if __name__ == "__main__":
    sys.exit(main())
