"""How callers and agents behave, drawn from one seed."""

from __future__ import annotations

import random
from dataclasses import dataclass

from services.acd import model
from services.acd.model import (
    AgentConfig,
    AgentId,
    Capacity,
    Channel,
    EmptyRule,
    ExprKind,
    Plan,
    PlanEnd,
    PlanStep,
    QueueConfig,
    QueueId,
    QueueMembership,
    RingRule,
    Scoring,
    SkillExpr,
    SkillLevel,
    WrapUpMode,
    WrapUpPolicy,
)

SALES, SUPPORT, VIP = QueueId("sales"), QueueId("support"), QueueId("vip")


def german(level: int) -> SkillExpr:
    return SkillExpr(ExprKind.SKILL, name="german", level=level)


QUEUES = (
    QueueConfig(
        SALES,
        strategies=("longest_idle",),
        plan=Plan((PlanStep(german(6), 10), PlanStep(german(3), 20))),
        ring_rules=(RingRule(model.Outcome.REJECT, rest_ms=10_000, exclude_ms=30_000),),
    ),
    QueueConfig(
        SUPPORT,
        strategies=("most_skilled", "round_robin"),
        max_waiting=40,
        max_wait_ms=240_000,
        plan=Plan((PlanStep(german(2), 60),), PlanEnd.OVERFLOW, SALES),
        wrap_up=WrapUpPolicy(WrapUpMode.FORCED, max_ms=15_000),
        leave_when_empty=EmptyRule(),
        assumed_handle_s=180,
    ),
    QueueConfig(
        VIP,
        strategies=("fewest_contacts", "random"),
        scoring=Scoring(accel=3, wait_cap_ms=60_000, return_credit=5_000),
        wrap_up=WrapUpPolicy(min_ms=2_000, max_ms=60_000, extensions=1, extension_ms=20_000),
        assumed_handle_s=120,
    ),
)


@dataclass(frozen=True, slots=True)
class Reaction:
    """What an agent does about one reservation."""

    kind: str
    """answer, reject, silent (rings out), deaf (never rings), or lost (the link breaks)."""
    after_ms: int
    """After so long."""
    connects: bool
    """Whether media comes up once answered."""


class People:
    """Everybody's decisions, in the order they are asked for."""

    def __init__(self, seed: int) -> None:
        self._random = random.Random(seed)

    def agents(self, count: int) -> list[AgentConfig]:
        return [self._agent(i) for i in range(count)]

    def arrival_in_ms(self, mean_ms: int) -> int:
        return 1 + int(self._random.expovariate(1 / mean_ms))

    def patience_ms(self) -> int:
        return 2_000 + int(self._random.expovariate(1 / 150_000))

    def queue(self) -> QueueId:
        return self._random.choices((SALES, SUPPORT, VIP), (5, 4, 1))[0]

    def channel(self) -> Channel:
        return self._random.choices((Channel.VOICE, Channel.CHAT), (5, 1))[0]

    def priority(self) -> int:
        return self._random.choices((0, 1, 3), (8, 2, 1))[0]

    def bits(self) -> int:
        return self._random.getrandbits(32)

    def reaction(self) -> Reaction:
        kinds = ("answer", "reject", "silent", "deaf", "lost", "busy")
        kind = self._random.choices(kinds, (84, 5, 4, 2, 3, 2))[0]
        return Reaction(kind, self._random.randint(800, 9_000), self._random.random() < 0.97)

    def talk_ms(self) -> int:
        return 5_000 + int(self._random.expovariate(1 / 150_000))

    def wrap_up_ms(self) -> int:
        return int(self._random.expovariate(1 / 15_000))

    def happens(self, chance: float) -> bool:
        return self._random.random() < chance

    def between(self, least_ms: int, most_ms: int) -> int:
        return self._random.randint(least_ms, most_ms)

    def _agent(self, i: int) -> AgentConfig:
        served = self._random.sample((SALES, SUPPORT, VIP), self._random.randint(1, 3))
        weight = self._random.choice((100, 100, 250))
        return AgentConfig(
            agent_id=AgentId(f"agent{i:03}"),
            skills=(SkillLevel("german", self._random.randint(1, 10)),),
            queues=tuple(QueueMembership(queue_id, weight) for queue_id in sorted(served)),
            capacities=(Capacity(Channel.VOICE, 1), Capacity(Channel.CHAT, 2)),
        )
