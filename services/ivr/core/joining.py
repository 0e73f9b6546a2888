"""A flow and what it names of its tenant's library, brought together for one call."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields, replace
from typing import Any

from services.ivr.model.calendars import Calendar
from services.ivr.model.errors import Problem
from services.ivr.model.flow import Flow, Hours, Node, Prompt
from services.ivr.model.library import SILENT, Shelf, Uses

WITHOUT_SOUND = "prompt-without-sound"


def uses_of(flow: Flow) -> Uses:
    """What a flow names of its tenant's library."""
    return Uses(
        prompts=frozenset(
            prompt.prompt_id for node in flow.nodes for prompt in node.prompts() if prompt.prompt_id
        ),
        calendars=frozenset(
            node.calendar for node in flow.nodes if isinstance(node, Hours) and node.calendar
        ),
    )


def joined(flow: Flow, shelf: Shelf) -> Flow:
    """The flow as a call meets it: prompts with their sounds, hours with their calendars."""
    nodes = tuple(_joined(node, shelf) for node in flow.nodes)
    return replace(flow, nodes=nodes, may_record=shelf.may_record)


def find_missing(flow: Flow, shelf: Shelf) -> Iterator[Problem]:
    """What the flow names and the library does not have, by the nodes that name it."""
    for node in flow.nodes:
        if isinstance(node, Hours) and node.calendar and node.calendar not in shelf.calendars:
            yield Problem(
                node.id,
                "no-such-calendar",
                f"there is no calendar `{node.calendar}`; make it, or name another",
            )
        for prompt_id in dict.fromkeys(prompt.prompt_id for prompt in node.prompts()):
            if prompt_id:
                yield from _missing_prompt(node, prompt_id, shelf)


def _missing_prompt(node: Node, prompt_id: str, shelf: Shelf) -> Iterator[Problem]:
    sound = shelf.sounds.get(prompt_id)
    if sound is None:
        yield Problem(
            node.id,
            "no-such-prompt",
            f"there is no prompt `{prompt_id}`; make it, or name another",
        )
    elif not sound.sha256:
        yield Problem(
            node.id,
            WITHOUT_SOUND,
            f"the prompt `{prompt_id}` has no sound; record it, or have its text spoken",
        )


def _joined(node: Node, shelf: Shelf) -> Node:
    if isinstance(node, Hours):
        calendar = shelf.calendars.get(node.calendar)
        return node if calendar is None else by_calendar(node, calendar, shelf.time_zone)
    if not any(prompt.prompt_id for prompt in node.prompts()):
        return node
    values = {field.name: getattr(node, field.name) for field in fields(node)}
    return replace(node, **{name: _sounding(value, shelf) for name, value in values.items()})


def by_calendar(node: Hours, calendar: Calendar, time_zone: str) -> Hours:
    """The node with a calendar's hours; `time_zone` counts if that has none of its own."""
    return replace(
        node,
        time_zone=calendar.time_zone or time_zone,
        weekly=calendar.week,
        special_days=calendar.special_days,
    )


def _sounding(value: Any, shelf: Shelf) -> Any:
    """A node's value with the sounds of the prompts that it holds, however deep."""
    if isinstance(value, tuple):
        return tuple(_sounding(each, shelf) for each in value)
    if not isinstance(value, Prompt) or not value.prompt_id:
        return value
    return replace(value, sha256=shelf.sounds.get(value.prompt_id, SILENT).sha256)
