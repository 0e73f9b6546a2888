"""Who calls: looked up from the first moment, waited for only where a node needs to know."""

from __future__ import annotations

from services.ivr.core import templates
from services.ivr.core.expressions import names_in
from services.ivr.core.limits import LOOK_UP_LIMIT_MS, MAX_FACT_BYTES
from services.ivr.core.templates import clip
from services.ivr.core.turn import Turn
from services.ivr.model.actions import LookUpCustomer
from services.ivr.model.call import CustomerFound, CustomerUnknown
from services.ivr.model.checkpoint import Checkpoint, CustomerFacts, Purpose, Stage
from services.ivr.model.flow import Enqueue, Node

_CUSTOMER = "customer"


def look_up(turn: Turn) -> None:
    """Begins the look-up; who withholds the number is nobody known."""
    if turn.at.call.caller:
        turn.change(customer_until_ms=turn.now_ms + LOOK_UP_LIMIT_MS)
        turn.effect(look_up_for(turn.at))


def look_up_for(at: Checkpoint) -> LookUpCustomer:
    """What crm is asked: the same whenever it is asked again."""
    return LookUpCustomer(number=at.call.caller, called=at.call.called)


def waits_for_customer(turn: Turn, node: Node) -> bool:
    """Stays before a node that needs to know the customer, while there is time to learn it."""
    if turn.now_ms >= turn.at.customer_until_ms or not _needs_customer(node):
        return False
    turn.change(
        stage=Stage.LOOKING_UP,
        node=node.id,
        operation="",
        purpose=Purpose.NONE,
        stay=None,
        ring=None,
    )
    return True


def note_customer(turn: Turn, event: CustomerFound | CustomerUnknown) -> str | None:
    """The look-up is over: the node that waits for it is entered."""
    if not turn.at.customer_until_ms:
        return "not-asked"
    if isinstance(event, CustomerFound):
        turn.change(customer=_facts(event))
    _go_on(turn)
    return None


def go_on_unknown(turn: Turn) -> str | None:
    """Nothing was learnt in time: on as with nobody known."""
    if turn.now_ms < turn.at.customer_until_ms:
        return "not-due"
    _go_on(turn)
    return None


def _go_on(turn: Turn) -> None:
    turn.change(customer_until_ms=0)
    if turn.at.stage is Stage.LOOKING_UP:
        turn.target = turn.at.node


def _needs_customer(node: Node) -> bool:
    if isinstance(node, Enqueue):
        return True  # the agent sees who it is
    if any(_CUSTOMER in names_in(expression) for expression in node.expressions()):
        return True
    texts = (*(prompt.text for prompt in node.prompts()), *node.templates())
    return any(name.startswith(f"{_CUSTOMER}.") for text in texts for name in templates.names(text))


def _facts(event: CustomerFound) -> CustomerFacts:
    return CustomerFacts(
        customer_id=_plain(event.customer_id),
        name=_plain(event.name),
        segment=_plain(event.segment),
        language=_plain(event.language),
    )


def _plain(text: str) -> str:
    """One line of bounded length, whatever crm sent: it is spoken, shown and stored."""
    begin = text[:MAX_FACT_BYTES]
    return clip(
        "".join(letter if letter.isprintable() else " " for letter in begin), MAX_FACT_BYTES
    )
