"""Stories: routing's events in words' reach, and what is kept of a contact, in its order."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, Final, TypeAlias

from services.analytics.core.projection import Projection
from services.analytics.model import events as e
from services.analytics.model.records import Records
from services.analytics.model.story import Step, Story
from services.analytics.model.words import Source

MAX_STEPS: Final = 2_000
"""Of one contact; what comes after them is not kept."""

Values: TypeAlias = dict[str, str]


def step_of(happened: e.Happened, projection: Projection) -> Step | None:
    """What an event adds to a contact's story, before the projection takes it in; None: nothing."""
    event = happened.event
    tell = _TELLS.get(type(event))
    if tell is None:
        return None
    kind, values = tell(event, projection)
    if isinstance(event, e.ContactEnqueued):
        contact_id, queue_id = event.contact_id, event.queue_id
        values["queue"] = projection.queue_name(queue_id)
    else:
        entry = projection.entry(event.entry_id)  # type: ignore[union-attr]  # all of these have one
        if entry is None:
            return None  # it began before the events that are kept
        contact_id, queue_id = entry.contact_id, entry.queue_id
        values["queue"] = entry.queue_name
    values["queue_id"] = queue_id
    return Step(
        contact_id=contact_id,
        event_id=happened.event_id,
        seq=happened.seq,
        at_ms=happened.at_ms,
        kind=kind,
        source=Source.ACD,
        values=values,
    )


def in_order(steps: Iterable[Step]) -> tuple[Step, ...]:
    """Each step once, by when it happened; the first ones when there are too many."""
    once = {step.event_id: step for step in steps}
    ordered = sorted(once.values(), key=lambda step: (step.at_ms, step.source, step.seq))
    return tuple(ordered[:MAX_STEPS])


def roles_of(steps: Iterable[Step]) -> dict[str, str]:
    """Whose each leg of a story was: caller, agent or external."""
    return {
        step.values["leg"]: step.values["role"]
        for step in steps
        if step.kind == "leg" and "role" in step.values
    }


def with_names(story: Story, directory: Records) -> tuple[Step, ...]:
    """The steps with names beside ids: those of the time where a step has one, else today's."""
    queues = {queue.queue_id: queue.name for queue in directory.queues}
    agents = {agent.agent_id: agent.name for agent in directory.agents}
    of_legs: dict[str, Values] = {}
    for step in story.steps:
        values = step.values
        if values.get("queue"):
            queues[values["queue_id"]] = values["queue"]
        if values.get("agent"):
            agents[values["agent_id"]] = values["agent"]
        if step.kind == "leg" and "role" in values:
            # A leg's end tells its role again, but no longer whose it was.
            of_legs[values["leg"]] = of_legs.get(values["leg"], {}) | {
                name: values[name] for name in ("role", "agent_id") if name in values
            }
    return tuple(
        replace(
            step,
            values=_named(
                {**of_legs.get(step.values.get("leg", ""), {}), **step.values},
                queues=queues,
                agents=agents,
            ),
        )
        for step in story.steps
    )


def _named(values: Values, *, queues: Mapping[str, str], agents: Mapping[str, str]) -> Values:
    known = {"queue": queues, "agent": agents}
    wanted = [
        ("queue_id", "queue", queues),
        ("agent_id", "agent", agents),
        ("by", "by_name", agents),
    ]
    if values.get("to") in known:
        wanted.append(("target", "target_name", known[values["to"]]))
    named = {
        name: names[values[key]]
        for key, name, names in wanted
        if names.get(values.get(key, "")) and not values.get(name)
    }
    return {**values, **named}


def _agent(agent_id: str, projection: Projection) -> Values:
    if not agent_id:
        return {}
    return {"agent_id": agent_id, "agent": projection.agent_name(agent_id)}


def _queued(event: e.ContactEnqueued, _projection: Projection) -> tuple[str, Values]:
    return "queued", {"entry_id": event.entry_id, "priority": str(event.priority)}


def _position(event: e.WaitAnnounced, _projection: Projection) -> tuple[str, Values]:
    return "position", {"wait_s": str(event.wait_s), "basis": event.basis}


def _reserved(event: e.ContactReserved, projection: Projection) -> tuple[str, Values]:
    return "reserved", {**_agent(event.agent_id, projection), "attempt": str(event.attempt)}


def _ringing(event: e.RingConfirmed, projection: Projection) -> tuple[str, Values]:
    return "ringing", _agent(event.agent_id, projection)


def _released(event: e.ReservationEnded, projection: Projection) -> tuple[str, Values]:
    return "released", {**_agent(event.agent_id, projection), "outcome": event.outcome}


def _accepted(event: e.ReservationAccepted, projection: Projection) -> tuple[str, Values]:
    return "accepted", _agent(event.agent_id, projection)


def _left(event: e.ContactExited, projection: Projection) -> tuple[str, Values]:
    values = {"exit": event.exit, "wait_ms": str(event.wait_ms), "reason": event.reason}
    if event.target:
        values["target_id"] = event.target
        values["target"] = projection.queue_name(event.target)
    return "left", {**values, **_agent(event.agent_id, projection)}


def _completed(event: e.ContactCompleted, projection: Projection) -> tuple[str, Values]:
    return "completed", {
        **_agent(event.agent_id, projection),
        "ended_by": event.ended_by,
        "reason": event.reason,
        "talk_ms": str(event.talk_ms),
        "hold_ms": str(event.hold_ms),
    }


def _disposed(event: e.WrapUpCodeSet, projection: Projection) -> tuple[str, Values]:
    return "disposition", {**_agent(event.agent_id, projection), "code": event.code}


def _wrapped_up(event: e.WrapUpEnded, projection: Projection) -> tuple[str, Values]:
    return "wrap-up-ended", {
        **_agent(event.agent_id, projection),
        "cause": event.cause,
        "code": event.code,
        "wrap_up_ms": str(event.wrap_up_ms),
    }


_TELLS: Final[Mapping[type, Callable[[Any, Projection], tuple[str, Values]]]] = MappingProxyType(
    {
        e.ContactEnqueued: _queued,
        e.WaitAnnounced: _position,
        e.ContactReserved: _reserved,
        e.RingConfirmed: _ringing,
        e.ReservationEnded: _released,
        e.ReservationAccepted: _accepted,
        e.ContactExited: _left,
        e.ContactCompleted: _completed,
        e.WrapUpCodeSet: _disposed,
        e.WrapUpEnded: _wrapped_up,
    }
)
"""The events that stories are made of. That two hear each other, and hold, is the gateway's to
tell: it is where they happen."""
