"""What routing shows of itself, over all tenants that are decided for here."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator, Sequence

from services.acd.model import AgentState
from services.acd.shard import Figures
from services.chassis.metrics import Reading


def of(shards: Sequence[Figures], *, forwarded: int) -> Iterator[Reading]:
    """The values now."""
    yield from _now(shards)
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
        ("journal_away", "Tenants whose journal is away.", sum(s.away for s in shards)),
        (
            "oldest_matchable_seconds",
            "Age of the oldest pair that could be matched and is not; 0, or routing stands.",
            max((s.oldest_matchable_ms for s in shards), default=0) / 1_000,
        ),
    ):
        yield Reading(f"carillon_acd_{name}", text, float(value))
