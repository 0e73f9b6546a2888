"""What happens on entering each kind of node, and on the end of what was said there."""

from __future__ import annotations

from services.ivr.core import expressions
from services.ivr.core.customers import waits_for_customer
from services.ivr.core.ending import SIP_SERVER_ERROR, fail, hang_up
from services.ivr.core.hearing import ask, play_ringback, speak
from services.ivr.core.limits import (
    MAX_NODES_PER_CALL,
    MAX_STEPS_PER_EVENT,
    MAX_VARIABLE_BYTES,
    RING_GRACE_MS,
)
from services.ivr.core.names import expression_values, text_values
from services.ivr.core.opening import Door, door_at
from services.ivr.core.templates import fill
from services.ivr.core.trail import note_answer, note_digits
from services.ivr.core.turn import Turn
from services.ivr.core.variables import variables_bytes
from services.ivr.core.waiting import join_queue, take_exit
from services.ivr.model.actions import DialNumber, SetConsent, TerminationClass
from services.ivr.model.call import OperationEnded, OperationResult
from services.ivr.model.checkpoint import Purpose, Ring, Stage
from services.ivr.model.errors import BadExpression
from services.ivr.model.flow import (
    POLICY,
    TREATMENT,
    Answer,
    Branch,
    Consent,
    Enqueue,
    Gather,
    Hangup,
    Hours,
    Menu,
    Node,
    SetVariables,
    Speak,
    Transfer,
    Value,
)


def run(turn: Turn) -> None:
    """Enters nodes until something has to be waited for, within the limit of steps."""
    steps = 0
    while turn.target is not None:
        if steps == MAX_STEPS_PER_EVENT:
            # What follows is the default treatment, whose two nodes have no way back.
            fail(turn, "too-many-steps")
        else:
            _enter(turn)
        steps += 1


def _enter(turn: Turn) -> None:
    node = turn.flow.node(turn.target or "")
    assert node is not None, f"{turn.target} is no node"  # every edge was checked at publication
    turn.target = None
    if waits_for_customer(turn, node):
        return
    if turn.at.entered >= MAX_NODES_PER_CALL and not turn.at.treated:
        fail(turn, "too-many-nodes")
        return
    turn.change(
        node=node.id,
        stage=Stage.IN_NODE,
        entered=turn.at.entered + 1,
        attempt=0,
        corrected=False,
        stay=None,
        ring=None,
        handing=None,
    )
    turn.note("node-entered", node=node.id)
    try:
        _begin(turn, node)
    except BadExpression:
        fail(turn, "expression-failed")


def _begin(turn: Turn, node: Node) -> None:
    match node:
        case Answer():
            turn.answer()
            turn.target = node.next
        case Speak():
            if not speak(turn, node.spoken):
                turn.target = node.next
        case Menu() | Gather():
            turn.answer()
            ask(turn, node)
        case Consent():
            turn.answer()
            seek_consent(turn, node)
        case SetVariables():
            for name, expression in node.values:
                assign(turn, name, expressions.evaluate(expression, expression_values(turn.at)))
            turn.target = turn.target or node.next
        case Branch():
            turn.target = _chosen(turn, node)
        case Hours():
            _go_by_clock(turn, node)
        case Enqueue():
            join_queue(turn, node, node.queue_id)
        case Transfer():
            _dial(turn, node)
        case _:
            assert isinstance(node, Hangup), f"no entrance for {type(node).__name__}"
            _end(turn, node)


def assign(turn: Turn, name: str, value: Value) -> None:
    """Writes a variable; a failure of the flow when they grow too large together."""
    variables = tuple(
        (known, value if known == name else kept) for known, kept in turn.at.variables
    )
    if variables_bytes(variables) > MAX_VARIABLE_BYTES:
        raise BadExpression(f"variables larger than {MAX_VARIABLE_BYTES} bytes")
    turn.change(variables=variables)


def _chosen(turn: Turn, node: Branch) -> str:
    values = expression_values(turn.at)
    for expression, target in node.cases:
        holds = expressions.evaluate(expression, values)
        if not isinstance(holds, bool):
            raise BadExpression(f"{expression[:80]}: neither true nor false")
        if holds:
            return target
    return node.otherwise


def _go_by_clock(turn: Turn, node: Hours) -> None:
    if not node.time_zone:
        fail(turn, "no-calendar")
        return
    ways = {Door.OPEN: node.open, Door.CLOSED: node.closed, Door.HOLIDAY: node.holiday}
    turn.target = ways[door_at(node, turn.now_ms)]


def _dial(turn: Turn, node: Transfer) -> None:
    number = turn.at.dials + 1
    ring_id = f"d{number}"
    give_up_at_ms = turn.now_ms + node.timeout_ms + RING_GRACE_MS
    play_ringback(turn)
    turn.command(
        DialNumber(
            ring_id, fill(node.target, text_values(turn.at)), node.timeout_ms, node.caller_id
        )
    )
    turn.change(
        stage=Stage.DIALLING,
        dials=number,
        ring=Ring(ring_id, agent_id="", give_up_at_ms=give_up_at_ms),
    )


def _end(turn: Turn, node: Hangup) -> None:
    if turn.at.treated:
        hang_up(turn, TerminationClass.SERVER_ERROR, turn.at.treated, SIP_SERVER_ERROR)
    else:
        hang_up(turn, TerminationClass.SUCCESS, node.reason, node.sip_status)


# ---- the end of a prompt or question -----------------------------------------------------------


def end_prompt(turn: Turn, event: OperationEnded) -> None:
    """Goes on from what was said or asked in a node."""
    if turn.at.purpose is Purpose.FAREWELL:
        take_exit(turn)
        return
    failed = event.result is OperationResult.FAILED
    node = turn.node
    match node:
        case Speak():
            # The default treatment's words may fail, but not keep it from what it leads to.
            if failed and node.id != TREATMENT:
                fail(turn, "prompt-failed")
            else:
                turn.target = node.next
        case Menu() | Gather() | Consent() if failed:
            fail(turn, "prompt-failed")
        case Consent():
            _take_consent(turn, node, event)
        case Menu():
            _choose(turn, node, event.digits)
        case _:
            assert isinstance(node, Gather), f"no prompt in {type(node).__name__}"
            _take_digits(turn, node, event.digits)


def _choose(turn: Turn, node: Menu, digits: str) -> None:
    target = dict(node.choices).get(digits)
    if target is None:
        _repeat(turn, node, digits)
        return
    turn.note("digits", node=node.id, digits=digits)
    turn.change(digits=digits)
    note_answer(turn, node.id, digits)
    turn.target = target


def _take_digits(turn: Turn, node: Gather, digits: str) -> None:
    if len(digits) < node.min_digits:
        _repeat(turn, node, digits)
        return
    turn.note("digits", node=node.id, digits=digits if node.safe else "*" * len(digits))
    note_digits(turn, node.id, digits, safe=node.safe)
    if node.safe:
        turn.change(digits=digits)
    try:
        assign(turn, node.into, digits)
    except BadExpression:
        fail(turn, "variables-too-large")
        return
    turn.target = node.next


def seek_consent(turn: Turn, node: Consent) -> None:
    """Tells of the recording, or asks for it."""
    if node.asks:
        ask(turn, node)
    elif not speak(turn, node.spoken):
        turn.target = node.next  # nothing was told, so nothing is consented to


def _take_consent(turn: Turn, node: Consent, event: OperationEnded) -> None:
    if not node.asks:
        if event.result is OperationResult.COMPLETE:
            _set_consent(turn, granted=True, basis="announced")
        turn.target = node.next
    elif event.digits == node.accept_key:
        _set_consent(turn, granted=True, basis="agreed")
        note_answer(turn, node.id, "agreed")
        turn.target = node.next
    elif event.digits == node.refuse_key:
        _refuse(turn, node)
    else:
        _repeat(turn, node, event.digits)


def _refuse(turn: Turn, node: Consent) -> None:
    _set_consent(turn, granted=False, basis="refused")
    note_answer(turn, node.id, "refused")
    turn.target = node.on_refused


def _set_consent(turn: Turn, *, granted: bool, basis: str) -> None:
    if granted and not turn.flow.may_record:
        granted, basis = False, POLICY
    turn.note("consent", granted="yes" if granted else "no", basis=basis)
    turn.command(SetConsent(granted, basis))


def _repeat(turn: Turn, node: Menu | Gather | Consent, digits: str) -> None:
    if digits:
        turn.note("digits", node=node.id, digits="*" * len(digits))
    if turn.at.attempt >= node.retries:
        if isinstance(node, Consent):
            _refuse(turn, node)
        else:
            note_answer(turn, node.id, "wrong" if digits else "silence")
            turn.target = node.on_invalid if digits else node.on_timeout
        return
    turn.change(attempt=turn.at.attempt + 1, corrected=bool(digits))
    ask(turn, node)
