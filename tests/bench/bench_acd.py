"""How many decisions the routing core makes in a second, and against what.

One shard with 10,000 agents, 200 queues, 4 skills for each agent and 1,000 contacts that wait all
the time. A decision is a command after which somebody is reserved: an agent becomes free and gets
the best of those waiting, or a contact arrives and gets the best agent free for it. The time is
that of `handle` and `apply` together, taken at the median, so that other work on the machine does
not count. The reference is the brute force of the receipts' checker,
which looks at every agent and every contact, on the same state in the same run.

    python -m tests.bench.bench_acd [--json]
"""

from __future__ import annotations

import gc
import json
import random
import sys
from dataclasses import asdict, dataclass
from statistics import median
from time import perf_counter

from services.acd import model
from services.acd.core.checker import check
from services.acd.core.evolve import evolve
from services.acd.core.shard import ShardCore
from services.acd.model import (
    AgentId,
    ContactReserved,
    EntryId,
    Exit,
    ExprKind,
    Link,
    Plan,
    PlanEnd,
    PlanStep,
    Presence,
    QueueId,
    QueueMembership,
    SkillExpr,
    SkillLevel,
)

AGENTS = 10_000
QUEUES = 200
SKILLS = 12
SKILLS_EACH = 4
QUEUES_EACH = 4
WAITING = 1_000
DECISIONS = 10_000
REFERENCE_DECISIONS = 15
DEMANDS = 4
"""Different skills asked for in one queue."""


@dataclass(frozen=True, slots=True)
class Result:
    """What was measured."""

    agents: int
    queues: int
    waiting: int
    freed_agent_decisions_per_s: int
    arriving_contact_decisions_per_s: int
    decisions_per_s: int
    commands_per_s: int
    reference_decisions_per_s: int
    ratio_to_reference: int


class Bench:
    """A shard under load, and a stop-watch for what it does."""

    def __init__(self, seed: int) -> None:
        self.core = ShardCore()
        self.random = random.Random(seed)
        self.now_ms = 1_000_000
        self.entries = 0
        self.commands = 0
        self.spent_s = 0.0

    def do(self, command: model.Command) -> tuple[ContactReserved | None, float]:
        """Decides and applies: whom that reserved, and the seconds it took."""
        self.now_ms += 1
        began = perf_counter()
        events = self.core.handle(command, self.now_ms)
        for event in events:
            self.core.apply(event)
        took_s = perf_counter() - began
        self.commands += 1
        self.spent_s += took_s
        return next((e for e in events if isinstance(e, ContactReserved)), None), took_s

    def build(self) -> None:
        for i in range(QUEUES):
            self.do(model.PutQueue(model.QueueConfig(queue_name(i))))
        for i in range(AGENTS):
            skills = self.random.sample(range(SKILLS), SKILLS_EACH)
            queues = self.random.sample(range(QUEUES), QUEUES_EACH)
            config = model.AgentConfig(
                agent_id=agent_name(i),
                endpoint=f"sip:{i}@phones",
                skills=tuple(SkillLevel(f"s{s}", self.random.randint(1, 10)) for s in skills),
                queues=tuple(QueueMembership(queue_name(q)) for q in queues),
            )
            self.do(model.PutAgent(config))
            self.do(model.ReportLink(config.agent_id, Link.REACHABLE))

    def enqueue(self, skill: str | None = None) -> tuple[ContactReserved | None, float]:
        """A contact for a queue at random that asks for a skill of that queue."""
        self.entries += 1
        queue = self.random.randrange(QUEUES)
        name = skill or f"s{(queue + self.random.randrange(DEMANDS)) % SKILLS}"
        expr = SkillExpr(ExprKind.SKILL, name=name, level=2)
        command = model.EnqueueContact(
            entry_id=EntryId(f"e{self.entries}"),
            contact_id=model.ContactId(f"c{self.entries}"),
            queue_id=queue_name(queue),
            priority=self.random.randint(0, 3),
            plan=Plan((PlanStep(expr, 3_600),), PlanEnd.STAY),
        )
        return self.do(command)

    def freed_agents(self) -> list[float]:
        """Seconds each for agents who become ready, one by one, while 1,000 contacts wait."""
        spent_s: list[float] = []
        for _ in range(WAITING):
            self.enqueue()
        while len(spent_s) < DECISIONS:
            agent_id = agent_name(self.random.randrange(AGENTS))
            reserved, took_s = self.do(model.SetPresence(agent_id, Presence.READY))
            self.do(model.SetPresence(agent_id, Presence.BREAK, "pause"))
            if reserved is not None:
                spent_s.append(took_s)
                self.do(model.LeaveQueue(reserved.entry_id, Exit.ABANDONED))
                self.enqueue()
        for row in self.core.snapshot().entries:
            self.do(model.LeaveQueue(row.contact.entry_id, Exit.ABANDONED))
        return spent_s

    def arriving_contacts(self) -> list[float]:
        """Seconds each for contacts that find an agent, while 1,000 wait for a rare skill."""
        spent_s: list[float] = []
        for i in range(AGENTS):
            self.do(model.SetPresence(agent_name(i), Presence.READY))
        for _ in range(WAITING):
            self.enqueue("rare")
        while len(spent_s) < DECISIONS:
            reserved, took_s = self.enqueue()
            if reserved is not None:
                spent_s.append(took_s)
                self.do(model.LeaveQueue(reserved.entry_id, Exit.ABANDONED))
        return spent_s

    def reference(self) -> list[float]:
        """Seconds each for decisions of the last kind by brute force."""
        spent_s: list[float] = []
        while len(spent_s) < REFERENCE_DECISIONS:
            before = self.core.snapshot()
            reserved, _ = self.enqueue()
            if reserved is None:
                continue
            row = next(
                e for e in self.core.snapshot().entries if e.contact.entry_id == reserved.entry_id
            )
            waiting = evolve(row, reservation_id=None, attempts=0, last_agent=None)
            # The contact had just come when the decision was made.
            before = evolve(before, seq=before.seq + 1, entries=(*before.entries, waiting))
            began = perf_counter()
            problems = check(before, reserved.receipt)
            spent_s.append(perf_counter() - began)
            assert problems == (), problems
            self.do(model.LeaveQueue(reserved.entry_id, Exit.ABANDONED))
        return spent_s


def agent_name(i: int) -> AgentId:
    return AgentId(f"a{i:05}")


def queue_name(i: int) -> QueueId:
    return QueueId(f"q{i:03}")


def measure(seed: int = 1) -> Result:
    bench = Bench(seed)
    bench.build()
    gc.collect()
    gc.freeze()
    bench.commands, bench.spent_s = 0, 0.0
    freed_s = median(bench.freed_agents())
    arriving_s = median(bench.arriving_contacts())
    commands_per_s = bench.commands / bench.spent_s
    reference_s = median(bench.reference())
    decision_s = (freed_s + arriving_s) / 2
    return Result(
        agents=AGENTS,
        queues=QUEUES,
        waiting=WAITING,
        freed_agent_decisions_per_s=round(1 / freed_s),
        arriving_contact_decisions_per_s=round(1 / arriving_s),
        decisions_per_s=round(1 / decision_s),
        commands_per_s=round(commands_per_s),
        reference_decisions_per_s=round(1 / reference_s),
        ratio_to_reference=round(reference_s / decision_s),
    )


def main() -> None:
    result = measure()
    if "--json" in sys.argv[1:]:
        print(json.dumps(asdict(result)))
        return
    for name, value in asdict(result).items():
        print(f"{name.replace('_', ' '):36}{value:>10,}")


if __name__ == "__main__":
    main()
