"""What routing shows of itself, over all tenants that are decided for here."""

from __future__ import annotations

from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence

from services.acd.core.watching import QueueLine
from services.acd.model import AgentState
from services.acd.shard import Figures
from services.chassis.metrics import Places, Reading

MAX_TENANTS = 200
"""Tenants that are told one by one; all further ones together."""
MAX_QUEUES = 1_000
"""Queues, likewise."""


class Named:
    """The tenants and queues that have labels of their own, for as long as the process lives."""

    def __init__(self) -> None:
        self._tenants, self._queues = Places(MAX_TENANTS), Places(MAX_QUEUES)

    def of(self, tenant_id: str, queue_id: str) -> tuple[str, str]:
        """The labels of a tenant's queue."""
        tenant = self._tenants.of(tenant_id)
        known = tenant != Places.REST and self._queues.of(f"{tenant_id}/{queue_id}") != Places.REST
        return tenant, queue_id if known else Places.REST


def of(
    shards: Sequence[Figures], *, forwarded: int, named: Named | None = None
) -> Iterator[Reading]:
    """The values now."""
    yield from _now(shards)
    yield from _queues(shards, named or Named())
    agents: Counter[AgentState] = sum((each.agents for each in shards), Counter())
    for state in AgentState:
        yield Reading(
            "carillon_acd_agents", "Agents, by state.", agents[state], (("state", state.value),)
        )
    for name, text, value in (
        ("rows", "Rows of the tenants' journals.", sum(s.rows for s in shards)),
        ("commits", "Group commits.", sum(s.commits for s in shards)),
        ("events_published", "Events brought to the bus.", sum(s.published for s in shards)),
        ("forwarded", "Requests that went on to the replica that decides.", forwarded),
        (
            "clock_stopped_seconds",
            "Time that counted for no deadline.",
            sum(s.stopped_ms for s in shards) / 1_000,
        ),
    ):
        yield Reading(f"carillon_acd_{name}_total", text, float(value), kind="counter")


def _queues(shards: Sequence[Figures], named: Named) -> Iterator[Reading]:
    """Each queue, as far as there are places for its name."""
    lines: defaultdict[tuple[str, str], list[QueueLine]] = defaultdict(list)
    for shard in shards:
        for line in shard.queues:
            lines[named.of(shard.tenant_id, line.queue_id)].append(line)
    for (tenant, queue), those in lines.items():
        labels = (("tenant", tenant), ("queue", queue))
        yield Reading(
            "carillon_acd_queue_waiting",
            "Contacts that nobody is held for, by tenant and queue.",
            sum(line.waiting for line in those),
            labels,
        )
        yield Reading(
            "carillon_acd_queue_oldest_seconds",
            "How long the first of them has waited, by tenant and queue.",
            max(line.oldest_ms for line in those) / 1_000,
            labels,
        )
        for outcome, count in (
            ("offered", sum(line.offered for line in those)),
            ("answered", sum(line.answered for line in those)),
            ("abandoned", sum(line.abandoned for line in those)),
        ):
            yield Reading(
                "carillon_acd_queue_contacts_total",
                "Contacts that ever came to a queue, and what became of them.",
                count,
                (*labels, ("outcome", outcome)),
                "counter",
            )


def _now(shards: Sequence[Figures]) -> Iterator[Reading]:
    reserved = sum(s.reserved for s in shards)
    for name, text, value in (
        ("shards", "Tenants decided for by this process.", len(shards)),
        (
            "contacts_waiting",
            "Contacts in queues that nobody is held for.",
            sum(s.contacts for s in shards) - reserved,
        ),
        ("contacts_reserved", "Contacts in queues that an agent is held for.", reserved),
        ("commands_waiting", "Commands not decided yet.", sum(s.commands for s in shards)),
        ("publishing_behind", "Rows not on the bus yet.", sum(s.behind for s in shards)),
        (
            "publishing_age_seconds",
            "For how long some tenant has had rows that are not on the bus yet.",
            max((s.behind_s for s in shards), default=0.0),
        ),
        ("journal_away", "Tenants whose journal is away.", sum(s.away for s in shards)),
        (
            "oldest_matchable_seconds",
            "Age of the oldest pair that could be matched and is not; 0, or routing stands.",
            max((s.oldest_matchable_ms for s in shards), default=0) / 1_000,
        ),
    ):
        yield Reading(f"carillon_acd_{name}", text, float(value))
