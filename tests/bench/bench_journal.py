"""What durability costs: decisions per second through the shell into PostgreSQL.

The same contacts go through the core alone, through the shell with a journal in memory, and
through the shell with the journal in a PostgreSQL of this run's own that really writes (fsync on).
A contact takes seven commands: enqueued, reserved and rung, accepted, bridged, completed, wrapped
up, and the agent is free again for the next. Many contacts are under way at once, as in a day;
`freed agent` is the time from the end of an agent's wrap-up to the reply that the next contact is
reserved, committed. Beside the wall's seconds stand those of this process's CPU, which other work
on the machine does not lengthen.

    python -m tests.bench.bench_journal [--json]
"""

from __future__ import annotations

import asyncio
import gc
import json
import sys
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import asdict, dataclass
from itertools import count
from time import perf_counter, process_time

import uvloop

from services.acd import model
from services.acd.core.shard import ShardCore
from services.acd.model import AgentId, Command, EntryId, Event, QueueId, ReservationId
from services.acd.wire import make_codec
from services.chassis.clock import SystemClock
from services.chassis.database import Database
from services.chassis.journal import Journal, MemoryJournal
from services.chassis.journal_postgres import PostgresJournal
from services.chassis.shell import Hooks, Shell
from tests.stage.postgres import fresh_database, running_postgres

AGENTS = 1_000
QUEUES = 20
AT_ONCE = 400
"""Agents at work at the same time, each with one command under way."""
CONTACTS = 4_000
"""Of each measurement."""
ALONE_CONTACTS = 60
"""One after another, for the time of one decision without company."""

Decide = Callable[[Command], Awaitable[list[Event]]]


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured."""

    agents: int
    queues: int
    core_alone_commands_per_s: int
    core_alone_commands_per_cpu_s: int
    in_memory_commands_per_s: int
    journalled_commands_per_s: int
    journalled_commands_per_cpu_s: int
    journalled_reservations_per_s: int
    journalled_to_core_alone_percent: int
    rows_per_commit: int
    rows_in_the_journal: int
    successor_decides_after_ms: int
    freed_agent_to_next_reservation_p50_ms: float
    freed_agent_to_next_reservation_p99_ms: float
    alone_to_next_reservation_p50_ms: float
    alone_to_next_reservation_p99_ms: float


def furniture() -> Iterator[Command]:
    """Queues and agents, ready."""
    for i in range(QUEUES):
        policy = model.WrapUpPolicy(model.WrapUpMode.OPTIONAL, max_ms=60_000)
        yield model.PutQueue(model.QueueConfig(QueueId(f"q{i}"), wrap_up=policy))
    for i in range(AGENTS):
        agent_id = AgentId(f"a{i:04}")
        queues = tuple(model.QueueMembership(QueueId(f"q{(i + j) % QUEUES}")) for j in range(3))
        skills = tuple(model.SkillLevel(f"s{(i + j) % 8}", 1 + i % 10) for j in range(4))
        yield model.PutAgent(
            model.AgentConfig(agent_id, endpoint=f"webrtc:{agent_id}", queues=queues, skills=skills)
        )
        yield model.ReportLink(agent_id, model.Link.REACHABLE)


class Floor:
    """A queue that never runs dry, and agents who take from it."""

    def __init__(self) -> None:
        self._decide: Decide = _nobody_decides
        self._entries = count(1)
        self._left = 0
        self._reserved: dict[AgentId, asyncio.Queue[model.ContactReserved | None]] = {}
        self.commands = 0
        self.reservations = 0
        self.freed_s: list[float] = []

    def react(self, events: Sequence[Event], _now_ms: int) -> None:
        """Tells agents what they are reserved for."""
        for event in events:
            if isinstance(event, model.ContactReserved):
                self._reserved[event.agent_id].put_nowait(event)

    async def fill(self, waiting: int) -> None:
        """Contacts wait before anybody is free."""
        names = (QueueId(f"q{i % QUEUES}") for i in range(waiting))
        await asyncio.gather(*(self._enqueue(queue_id) for queue_id in names))

    def begin(self, decide: Decide) -> None:
        """From now on something decides."""
        self._decide = decide

    async def work(self, agents: int, contacts: int) -> None:
        """So many agents at once, until so many contacts are done."""
        self._left = contacts
        names = [AgentId(f"a{i:04}") for i in range(agents)]
        self._reserved = {agent_id: asyncio.Queue() for agent_id in names}
        await asyncio.gather(*(self._agent(agent_id) for agent_id in names))

    async def _agent(self, agent_id: AgentId) -> None:
        reserved = self._reserved[agent_id]
        await self._do(model.SetPresence(agent_id, model.Presence.READY))
        while (event := await reserved.get()) is not None:
            self._left -= 1
            self.reservations += 1
            if self._left == 0:
                for mailbox in self._reserved.values():
                    mailbox.put_nowait(None)
            await self._enqueue(event.queue_id)
            await self._talk(event.reservation_id, agent_id)
        await self._do(model.SetPresence(agent_id, model.Presence.BREAK, "done"))
        while not reserved.empty():
            last = reserved.get_nowait()
            if last is not None:
                await self._talk(last.reservation_id, agent_id)

    async def _talk(self, reservation_id: ReservationId, agent_id: AgentId) -> None:
        try:
            await self._do(model.ConfirmRing(reservation_id, agent_id))
        except model.NoSuchReservationError:
            return  # on a machine this slow the ring came too late
        await self._do(model.AcceptReservation(reservation_id, agent_id))
        await self._do(model.ConfirmBridged(reservation_id))
        await self._do(model.CompleteContact(reservation_id, model.BridgeEnder.CALLER))
        began_s = perf_counter()
        events = await self._do(model.FinishWrapUp(reservation_id, "sold"))
        if any(isinstance(e, model.ContactReserved) and e.agent_id == agent_id for e in events):
            self.freed_s.append(perf_counter() - began_s)

    async def _enqueue(self, queue_id: QueueId) -> None:
        number = next(self._entries)
        command = model.EnqueueContact(
            entry_id=EntryId(f"e{number:08}"),
            contact_id=model.ContactId(f"c{number:08}"),
            queue_id=queue_id,
            attributes=(model.Attribute("number", f"+49301234{number:04}"),),
        )
        await self._do(command)

    async def _do(self, command: Command) -> list[Event]:
        self.commands += 1
        return await self._decide(command)


@dataclass(frozen=True, slots=True)
class Measured:
    """One way of deciding."""

    commands_per_s: float
    commands_per_cpu_s: float
    reservations_per_s: float
    freed_s: list[float]
    alone_s: list[float]


async def _nobody_decides(_command: Command) -> list[Event]:
    raise AssertionError("the floor has no core yet")


async def measure(floor: Floor, decide: Decide) -> Measured:
    floor.begin(decide)
    await asyncio.gather(*(decide(command) for command in furniture()))
    await floor.fill(4 * AT_ONCE)
    gc.collect()
    gc.freeze()
    floor.commands = 0
    began_s, began_cpu_s = perf_counter(), process_time()
    await floor.work(AT_ONCE, CONTACTS)
    took_s, cpu_s = perf_counter() - began_s, process_time() - began_cpu_s
    freed_s, floor.freed_s = floor.freed_s, []
    commands, reservations = floor.commands, floor.reservations
    await floor.work(1, ALONE_CONTACTS)
    return Measured(
        commands_per_s=commands / took_s,
        commands_per_cpu_s=commands / cpu_s,
        reservations_per_s=reservations / took_s,
        freed_s=freed_s,
        alone_s=floor.freed_s,
    )


async def core_alone() -> Measured:
    core, clock, floor = ShardCore(), SystemClock(), Floor()

    async def decide(command: Command) -> list[Event]:
        events = core.handle(command, clock.now_ms())
        for event in events:
            core.apply(event)
        floor.react(events, 0)
        return events

    return await measure(floor, decide)


async def through_shell(journal: Journal) -> tuple[Measured, float]:
    """Also the rows of a commit."""
    floor = Floor()
    shell: Shell[Command, Event] = Shell(
        shard="bench",
        owner="bench",
        core=ShardCore(),
        journal=journal,
        codec=make_codec(),
        clock=SystemClock(),
        hooks=Hooks(react=floor.react, after_gap=model.ResumeClock),
    )
    await shell.start()
    measured = await measure(floor, shell.submit)
    rows_per_commit = shell.seq / shell.commits
    await shell.close()
    return measured, rows_per_commit


async def recovery(journal: Journal) -> tuple[int, float]:
    """Rows of the journal, and the seconds until a successor decides."""
    core = ShardCore()
    shell: Shell[Command, Event] = Shell(
        shard="bench",
        owner="successor",
        core=core,
        journal=journal,
        codec=make_codec(),
        clock=SystemClock(),
        hooks=Hooks(react=lambda _events, _now_ms: None, after_gap=model.ResumeClock),
    )
    began_s = perf_counter()
    await shell.start()
    await shell.query(lambda _now_ms: len(core.agent_ids()))
    took_s = perf_counter() - began_s
    rows = shell.seq
    await shell.close()
    return rows, took_s


async def main_async() -> Result:
    alone = await core_alone()
    in_memory, _ = await through_shell(MemoryJournal())
    with running_postgres(fast=False) as server:
        async with fresh_database(server) as address:
            database = Database(address, schema="acd")
            journal = PostgresJournal(database)
            journalled, rows_per_commit = await through_shell(journal)
            rows, recovery_s = await recovery(journal)
            await journal.close()
            await database.close()
    return Result(
        agents=AGENTS,
        queues=QUEUES,
        core_alone_commands_per_s=round(alone.commands_per_s),
        core_alone_commands_per_cpu_s=round(alone.commands_per_cpu_s),
        in_memory_commands_per_s=round(in_memory.commands_per_s),
        journalled_commands_per_s=round(journalled.commands_per_s),
        journalled_commands_per_cpu_s=round(journalled.commands_per_cpu_s),
        journalled_reservations_per_s=round(journalled.reservations_per_s),
        journalled_to_core_alone_percent=round(
            100 * journalled.commands_per_s / alone.commands_per_s
        ),
        rows_per_commit=round(rows_per_commit),
        rows_in_the_journal=rows,
        successor_decides_after_ms=round(1_000 * recovery_s),
        freed_agent_to_next_reservation_p50_ms=_ms(journalled.freed_s, 0.5),
        freed_agent_to_next_reservation_p99_ms=_ms(journalled.freed_s, 0.99),
        alone_to_next_reservation_p50_ms=_ms(journalled.alone_s, 0.5),
        alone_to_next_reservation_p99_ms=_ms(journalled.alone_s, 0.99),
    )


def _ms(times_s: list[float], share: float) -> float:
    ordered = sorted(times_s)
    return round(1_000 * ordered[min(len(ordered) - 1, int(share * len(ordered)))], 2)


def main() -> None:
    result = uvloop.run(main_async())
    if "--json" in sys.argv[1:]:
        print(json.dumps(asdict(result)))
        return
    for name, value in asdict(result).items():
        print(f"{name.replace('_', ' '):44}{value:>12,}")


if __name__ == "__main__":
    main()
