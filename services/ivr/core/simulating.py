"""A call through a flow without a call: the interpreter that calls meet, with imagined events."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Mapping, Sequence

from services.ivr.core import interpreter
from services.ivr.core.checking import secret_variables
from services.ivr.core.narrating import Narrator, spoken_ms
from services.ivr.core.templates import spoken
from services.ivr.core.turn import Outcome
from services.ivr.model.actions import GatherDigits, PlayPrompts
from services.ivr.model.call import (
    AgentReserved,
    Bridged,
    CallInvited,
    CustomerUnknown,
    Event,
    LegAnswered,
    LegEnded,
    LegFailed,
    LegRole,
    OperationEnded,
    OperationResult,
    PositionChanged,
    QueueLeft,
    ReservationAccepted,
    RingOutcome,
    TimePassed,
)
from services.ivr.model.checkpoint import Checkpoint, Purpose, Stage
from services.ivr.model.flow import Enqueue, Flow, Gather
from services.ivr.model.simulation import (
    AgentAnswers,
    DialEnds,
    FarEndHangsUp,
    HangUp,
    PressKeys,
    SimulatedInput,
    StaySilent,
    TakeExit,
    Wait,
    Walk,
)

MAX_STEPS = 1_000
MAX_TURNS = 2_000
"""Events that one imagined call meets."""
MASK = "*"

_AGENT = "simulated"
_BROWSER = "webrtc:"
_RING_MS = 3_000
"""From the agent's reservation, or the dialling, to the answer."""
_KEY_MS = 500
"""From key to key."""
_NO_MESSAGE_MS = 10_000
"""What silence in a queue without messages takes."""
_DIAL_FAILURES = {
    "busy": RingOutcome.BUSY,
    "no_answer": RingOutcome.NO_ANSWER,
    "unreachable": RingOutcome.UNREACHABLE,
}
DIAL_OUTCOMES = ("answer", *_DIAL_FAILURES)


def simulate(
    flow: Flow,
    *,
    invited: CallInvited,
    inputs: Sequence[SimulatedInput],
    now_ms: int,
    durations: Mapping[str, int],
) -> Walk:
    """What the flow would do; `durations` of prompts, by their ids, in milliseconds."""
    call = _Call(flow, inputs=inputs, now_ms=now_ms, durations=durations)
    waits_for = call.walk(invited)
    return Walk(tuple(call.narrator.steps[:MAX_STEPS]), waits_for, _variables(flow, call.at))


def _variables(flow: Flow, at: Checkpoint) -> dict[str, str]:
    secret = secret_variables(flow)
    shown = {name: spoken(value) for name, value in at.variables}
    return {name: MASK * len(text) if name in secret else text for name, text in shown.items()}


class _Call:
    """One imagined call, alive while it is walked."""

    def __init__(
        self,
        flow: Flow,
        *,
        inputs: Sequence[SimulatedInput],
        now_ms: int,
        durations: Mapping[str, int],
    ) -> None:
        self.narrator = Narrator(flow, began_ms=now_ms)
        self._flow = flow
        self._inputs = deque(inputs)
        self._now_ms = now_ms
        self._durations = durations
        self._heard: PlayPrompts | GatherDigits | None = None
        self.at: Checkpoint

    def walk(self, invited: CallInvited) -> Wait:
        """Goes on until there is something to wait for, and nothing that comes."""
        begun = interpreter.start(
            self._flow, flow_id="simulated", version=0, invited=invited, now_ms=self._now_ms
        )
        self._take(begun)
        if self.at.customer_until_ms:
            self._feed(CustomerUnknown())
        turns = 0
        while turns < MAX_TURNS and len(self.narrator.steps) < MAX_STEPS:
            if self.at.stage is Stage.ENDED:
                return Wait.NOTHING
            turns += 1
            waits_for = self._go_on()
            if waits_for is not None:
                return waits_for
        self.narrator.stop_at(MAX_STEPS - 1)
        self.narrator.tell(self.at.node, self._now_ms, "fault", reason="too-many-steps")
        return Wait.NOTHING

    def _go_on(self) -> Wait | None:
        """Feeds what happens by itself, or the next input; else says what is waited for."""
        match self.at.stage:
            case Stage.JOINING:
                self._feed(PositionChanged(self._entry, 1, None, self._now_ms))
            case Stage.QUEUED if self.at.purpose is not Purpose.MUSIC:
                self._end_operation()
            case Stage.QUEUED if self._first_message_is_due():
                self._await_message()
            case Stage.QUEUED:
                return self._meet(Wait.QUEUE, self._in_queue)
            case Stage.DIALLING:
                return self._meet(Wait.DIAL, self._on_dial)
            case Stage.TALKING:
                return self._meet(Wait.AGENT, self._in_talk)
            case _ if isinstance(self._heard, GatherDigits):
                return self._meet(Wait.DIGITS, self._at_question)
            case _:
                self._end_operation()
        return None

    # ---- the inputs, where they fit ----

    def _meet(self, wait: Wait, answer: Callable[[SimulatedInput], bool]) -> Wait | None:
        if not self._inputs:
            return wait
        given = self._inputs.popleft()
        if isinstance(given, HangUp):
            self.narrator.tell(self.at.node, self._now_ms, "hang-up", by="caller")
            self._feed(LegEnded("caller", LegRole.CALLER))
        elif not answer(given):
            name = type(given).__name__
            self.narrator.tell(
                self.at.node, self._now_ms, "fault", reason="input-does-not-fit", input=name
            )
            return wait
        return None

    def _at_question(self, given: SimulatedInput) -> bool:
        asked = self._heard
        assert isinstance(asked, GatherDigits), "a question was asked"
        if isinstance(given, StaySilent):
            self._pass(self._heard_ms() + asked.first_digit_timeout_ms)
            self._keyed("")
            self._feed(OperationEnded(self.at.operation, OperationResult.TIMEOUT))
        elif isinstance(given, PressKeys):
            digits, rest = _typed(asked, given.digits)
            if rest:
                self._inputs.appendleft(PressKeys(rest))
            self._pass(self._heard_ms() + _KEY_MS * len(digits))
            self._keyed(digits)
            self._feed(OperationEnded(self.at.operation, OperationResult.COMPLETE, digits))
        else:
            return False
        return True

    def _in_queue(self, given: SimulatedInput) -> bool:
        match given:
            case StaySilent():
                self._await_message()
            case PressKeys():
                self._keyed(given.digits[:1])
                if isinstance(self._heard, GatherDigits):
                    ended = OperationResult.COMPLETE
                    self._feed(OperationEnded(self.at.operation, ended, given.digits[:1]))
            case AgentAnswers():
                self._let_agent_answer()
            case TakeExit():
                self._feed(QueueLeft(self._entry, given.exit))
            case _:
                return False
        return True

    def _let_agent_answer(self) -> None:
        ring_id = f"{self._entry}.1"
        timeout_ms = 10 * _RING_MS
        self._feed(AgentReserved(self._entry, ring_id, _AGENT, _BROWSER, timeout_ms))
        self._pass(_RING_MS)
        self._feed(ReservationAccepted(ring_id))
        self._feed(Bridged(ring_id))
        self.narrator.tell(self.at.node, self._now_ms, "agent", state="talks")

    def _on_dial(self, given: SimulatedInput) -> bool:
        if not isinstance(given, DialEnds):
            return False
        ring_id = self._ring
        self._pass(_RING_MS)
        self.narrator.tell(self.at.node, self._now_ms, "dial", outcome=given.outcome)
        if given.outcome in _DIAL_FAILURES:
            self._feed(LegFailed(ring_id, _DIAL_FAILURES[given.outcome]))
        else:
            self._feed(LegAnswered(ring_id, "far"))
            self._feed(Bridged(ring_id))
        return True

    def _in_talk(self, given: SimulatedInput) -> bool:
        if not isinstance(given, FarEndHangsUp):
            return False
        by_agent = isinstance(self._flow.node(self.at.node), Enqueue)
        role = LegRole.AGENT if by_agent else LegRole.EXTERNAL
        self.narrator.tell(self.at.node, self._now_ms, "hang-up", by=role.value)
        self._feed(LegEnded("far", role, self._ring))
        return True

    # ---- what happens by itself ----

    def _first_message_is_due(self) -> bool:
        """The first message comes before anything else can: it is heard without being asked for."""
        stay = self.at.stay
        return stay is not None and stay.messages_said == 0 and bool(stay.next_message_at_ms)

    def _await_message(self) -> None:
        due_ms = interpreter.deadline_ms(self.at)
        if due_ms is None:
            self._pass(_NO_MESSAGE_MS)
            return
        self._now_ms = max(self._now_ms, due_ms)
        self._feed(TimePassed())

    def _end_operation(self) -> None:
        self._pass(self._heard_ms())
        self._feed(OperationEnded(self.at.operation, OperationResult.COMPLETE))

    def _feed(self, event: Event) -> None:
        self._take(interpreter.advance(self._flow, self.at, event, self._now_ms))

    def _take(self, outcome: Outcome) -> None:
        self.at = outcome.checkpoint
        for command in outcome.commands:
            if isinstance(command, (PlayPrompts, GatherDigits)):
                self._heard = command
        self.narrator.take(outcome, self._now_ms)

    def _keyed(self, digits: str) -> None:
        node = self._flow.node(self.at.node)
        shown = MASK * len(digits) if isinstance(node, Gather) and not node.safe else digits
        self.narrator.tell(self.at.node, self._now_ms, "keyed", digits=shown)

    def _pass(self, wait_ms: int) -> None:
        self._now_ms += wait_ms

    def _heard_ms(self) -> int:
        prompts = self._heard.prompts if self._heard is not None else ()
        return sum(spoken_ms(prompt, self._durations) for prompt in prompts)

    @property
    def _entry(self) -> str:
        assert self.at.stay is not None, f"no stay in stage {self.at.stage}"
        return self.at.stay.entry_id

    @property
    def _ring(self) -> str:
        assert self.at.ring is not None, f"no ring in stage {self.at.stage}"
        return self.at.ring.ring_id


def _typed(asked: GatherDigits, keys: str) -> tuple[str, str]:
    """What of the keys answers the question, and what is left for the next."""
    for at, key in enumerate(keys):
        if key == asked.end_key:
            return keys[:at], keys[at + 1 :]
        if at + 1 == asked.max_digits:
            return keys[: at + 1], keys[at + 1 :]
    return keys, ""
