"""What a flow did in an imagined call, told to people step by step."""

from __future__ import annotations

from collections.abc import Mapping

from services.ivr.core.checking import secret_variables
from services.ivr.core.opening import Door, door_at
from services.ivr.core.templates import spoken
from services.ivr.core.turn import Outcome
from services.ivr.model.actions import (
    Command,
    DialNumber,
    GatherDigits,
    HangUpCall,
    Note,
    PlayPrompts,
    RingAgent,
    SetConsent,
)
from services.ivr.model.checkpoint import Checkpoint
from services.ivr.model.flow import Flow, Hours, Prompt, SetVariables
from services.ivr.model.simulation import SimulatedStep

MAX_VALUE_CHARS = 2_000
_LETTER_MS = 67
"""About fifteen letters a second."""
_WIDE_LETTER_MS = 250
"""About four characters a second, where one is a syllable."""
_FIRST_WIDE = "\u2e80"
_UNKNOWN_MS = 2_000
_SYSTEM_MS = {"beep": 500, "apology": 3_000}
_MASK = "*"


def spoken_ms(prompt: Prompt, durations: Mapping[str, int]) -> int:
    """How long a prompt may take to be heard; `durations` of the library's, by their ids."""
    if prompt.text:
        wide = sum(letter >= _FIRST_WIDE for letter in prompt.text)
        return wide * _WIDE_LETTER_MS + (len(prompt.text) - wide) * _LETTER_MS
    if prompt.system:
        return _SYSTEM_MS.get(prompt.system, 0)
    return durations.get(prompt.prompt_id, 0) or _UNKNOWN_MS


class Narrator:
    """Collects the steps of one imagined call."""

    def __init__(self, flow: Flow, *, began_ms: int) -> None:
        self.steps: list[SimulatedStep] = []
        self._flow = flow
        self._began_ms = began_ms
        self._secret = secret_variables(flow)
        self._node = flow.start
        self._hung_up = False

    def tell(self, node: str, now_ms: int, kind: str, **values: str) -> None:
        """One step; values that are empty are left out."""
        shown = {name: text[:MAX_VALUE_CHARS] for name, text in values.items() if text}
        self.steps.append(SimulatedStep(node, now_ms - self._began_ms, kind, shown))
        self._hung_up = self._hung_up or kind == "hang-up"

    def stop_at(self, count: int) -> None:
        """Forgets the steps after the first so many."""
        del self.steps[count:]

    def take(self, outcome: Outcome, now_ms: int) -> None:
        """What came of one event."""
        for command in outcome.commands:
            self._take(command, outcome.checkpoint, now_ms)

    def _take(self, command: Command, at: Checkpoint, now_ms: int) -> None:
        match command:
            case Note():
                self._note(command.kind, dict(command.values), at, now_ms)
            case PlayPrompts():
                self._heard(command.prompts, now_ms)
            case GatherDigits():
                self._heard(command.prompts, now_ms)
                if not command.loop and at.stay is None:
                    self._here(
                        now_ms,
                        "ask",
                        max_digits=str(command.max_digits),
                        end_key=command.end_key,
                    )
            case SetConsent():
                recording = "yes" if command.granted else "no"
                self._here(now_ms, "set", recording=recording, basis=command.basis)
            case RingAgent():
                self._here(now_ms, "agent", state="rings")
            case DialNumber():
                self._here(now_ms, "dial", to=command.target, caller_id=command.caller_id)
            case HangUpCall():
                self._end(command, now_ms)
            case _:
                pass  # answering, bridging and stopping are seen by what comes of them

    def _note(self, kind: str, values: Mapping[str, str], at: Checkpoint, now_ms: int) -> None:
        match kind:
            case "node-entered":
                self._enter(values["node"], at, now_ms)
            case "flow-failed":
                self._here(now_ms, "fault", reason=values["reason"])
            case "queue-joined":
                self._here(now_ms, "queue", queue=values["queue"], state="joined")
            case "queue-left":
                self._here(now_ms, "queue", queue=values["queue"], exit=values["exit"])
            case _:
                pass  # told by other means

    def _enter(self, node_id: str, at: Checkpoint, now_ms: int) -> None:
        self._node = node_id
        self._here(now_ms, "enter")
        node = self._flow.node(node_id)
        if isinstance(node, Hours) and node.time_zone:
            door = door_at(node, now_ms)
            ways = {Door.OPEN: node.open, Door.CLOSED: node.closed, Door.HOLIDAY: node.holiday}
            self._here(now_ms, "hours", branch=door.value, next=ways[door], calendar=node.calendar)
        if isinstance(node, SetVariables):
            known = dict(at.variables)
            values = {name: spoken(known[name]) for name, _ in node.values}
            self._here(
                now_ms,
                "set",
                **{
                    name: _MASK * len(text) if name in self._secret else text
                    for name, text in values.items()
                },
            )

    def _heard(self, prompts: tuple[Prompt, ...], now_ms: int) -> None:
        for prompt in prompts:
            if prompt.text:
                self._here(now_ms, "say", text=prompt.text, language=prompt.language)
            else:
                self._here(
                    now_ms,
                    "play",
                    prompt=prompt.prompt_id,
                    sound=prompt.system,
                    sha256="" if prompt.prompt_id else prompt.sha256,
                )

    def _end(self, command: HangUpCall, now_ms: int) -> None:
        if not self._hung_up:
            self._here(now_ms, "hang-up", by="flow", reason=command.reason)
        status = str(command.sip_status) if command.sip_status else ""
        self._here(
            now_ms,
            "end",
            reason=command.reason,
            termination=command.termination_class.value,
            sip_status=status,
        )

    def _here(self, now_ms: int, kind: str, **values: str) -> None:
        self.tell(self._node, now_ms, kind, **values)
