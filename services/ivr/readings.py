"""What ivr shows of itself."""

from __future__ import annotations

from collections.abc import Iterator

from services.chassis.metrics import Reading
from services.ivr.figures import Figures
from services.ivr.flows import Flows
from services.ivr.rpc import Ivr


def of(figures: Figures, *, servicer: Ivr | None, flows: Flows | None) -> Iterator[Reading]:
    """The values now; `servicer` and `flows` are None before the start."""
    if servicer is not None:
        yield Reading(
            "carillon_ivr_sessions", "Calls whose flow is interpreted now.", servicer.sessions
        )
    if flows is not None:
        yield Reading("carillon_ivr_flows_cached", "Versions of flows in memory.", len(flows))
    for name, text, value in (
        ("calls", "Calls begun or taken over from another replica.", figures.calls),
        ("steps", "Steps that gateways were told.", figures.steps),
        ("prompts_failed", "Prompts that could not be spoken in time.", figures.prompts_failed),
        ("look_ups", "Customers asked for.", figures.look_ups),
        ("look_ups_failed", "Of those, without an answer in time.", figures.look_ups_failed),
        ("look_up_seconds", "What looking up took together.", figures.look_up_ms / 1_000),
        ("queue_losses", "Times that a queue's stream from acd broke.", figures.queue_losses),
        ("queue_refusals", "Contacts that acd did not take.", figures.queue_refusals),
        (
            "acd_disagreements",
            "Things told to acd that it did not take, or not in time.",
            figures.acd_disagreements,
        ),
    ):
        yield Reading(f"carillon_ivr_{name}_total", text, value, kind="counter")
