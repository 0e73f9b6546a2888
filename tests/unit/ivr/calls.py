"""Flows and calls for the tests of the interpreter: short to write, whole to run."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

from services.ivr.core import interpreter
from services.ivr.core.codec import decode, encode
from services.ivr.core.parsing import parse_flow
from services.ivr.core.turn import Outcome
from services.ivr.model.actions import GatherDigits, LookUpCustomer, PlayPrompts
from services.ivr.model.call import (
    AgentReserved,
    CallInvited,
    CustomerUnknown,
    Event,
    OperationEnded,
    OperationResult,
    PositionChanged,
)
from services.ivr.model.checkpoint import Checkpoint
from services.ivr.model.flow import Flow

CALL_ID = "0195c1a0-0000-7000-8000-000000000001"
NOW_MS = 1_750_000_000_000
INVITED = CallInvited(
    CALL_ID,
    "+4930111",
    "+4930222",
    gateway_address="gw:1",
    headers=(("X-Customer", "gold"),),
)
DEFAULT = {"say": "We have a problem.", "enqueue": "rescue"}
UNKNOWN = CustomerUnknown()
HANGUP = {"kind": "hangup"}


def definition(nodes: dict[str, Any], start: str = "begin", **more: Any) -> dict[str, Any]:
    """A flow of these nodes."""
    return {
        "schema": 1,
        "name": "Test",
        "language": "en-us",
        "start": start,
        "nodes": nodes,
        "default_treatment": DEFAULT,
        **more,
    }


def flow_of(nodes: dict[str, Any], **more: Any) -> Flow:
    """The checked flow of these nodes."""
    return parse_flow(json.dumps(definition(nodes, **more)))


class Talk:
    """One call through a flow: feeds events, keeps what came of them."""

    def __init__(
        self,
        flow: Flow,
        *,
        invited: CallInvited = INVITED,
        now_ms: int = NOW_MS,
        customer: Event | None = UNKNOWN,
    ) -> None:
        self.flow = flow
        self.now_ms = now_ms
        self.commands: list[Any] = []
        self.effects: list[Any] = []
        self.last = interpreter.start(
            flow, flow_id="test", version=1, invited=invited, now_ms=now_ms
        )
        if customer is not None:
            # Nearly always crm has answered before anything else happens.
            begun = self.last
            learnt = interpreter.advance(flow, begun.checkpoint, customer, now_ms)
            self.last = replace(
                learnt,
                commands=begun.commands + learnt.commands,
                effects=begun.effects + learnt.effects,
                ignored="",
            )
        self._keep()

    @property
    def at(self) -> Checkpoint:
        """Where the call stands."""
        return self.last.checkpoint

    @property
    def new(self) -> list[Any]:
        """The last outcome's commands, without notes."""
        return [command for command in self.last.commands if type(command).__name__ != "Note"]

    def notes(self) -> list[tuple[str, dict[str, str]]]:
        """All notes so far."""
        return [
            (command.kind, dict(command.values))
            for command in self.commands
            if type(command).__name__ == "Note"
        ]

    def feed(self, event: Event, after_ms: int = 0) -> Outcome:
        """An event, some time after the one before."""
        self.now_ms += after_ms
        self.last = interpreter.advance(self.flow, self.at, event, self.now_ms)
        self._keep()
        return self.last

    def end(self, digits: str = "", result: OperationResult = OperationResult.COMPLETE) -> Outcome:
        """The outstanding operation ends."""
        return self.feed(OperationEnded(self.at.operation, result, digits))

    def time_out(self) -> Outcome:
        """Nothing is keyed."""
        return self.end(result=OperationResult.TIMEOUT)

    def key(self, digits: str) -> Outcome:
        """Keys are pressed."""
        return self.end(digits)

    def place(self, position: int = 1, wait_ms: int | None = None) -> Outcome:
        """acd tells the place."""
        return self.feed(PositionChanged(self.entry, position, wait_ms))

    def reserve(self, reservation_id: str = "r1", ring_timeout_ms: int = 20_000) -> Outcome:
        """acd holds an agent."""
        return self.feed(
            AgentReserved(self.entry, reservation_id, "anna", "sip:anna@x", ring_timeout_ms)
        )

    @property
    def entry(self) -> str:
        """The present stay."""
        assert self.at.stay is not None
        return self.at.stay.entry_id

    def heard(self) -> list[str]:
        """What the last outcome lets the caller hear."""
        return [
            prompt.text or prompt.system or prompt.sha256
            for command in self.new
            if isinstance(command, (PlayPrompts, GatherDigits))
            for prompt in command.prompts
        ]

    def _keep(self) -> None:
        self.commands += self.last.commands
        self.effects += [
            effect for effect in self.last.effects if not isinstance(effect, LookUpCustomer)
        ]
        # Every step travels as bytes, so every test proves that nothing is lost on the way.
        assert decode(encode(self.at)) == self.at
