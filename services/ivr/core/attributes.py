"""What routing and the agent's screen are told of a contact, within the limits of acd."""

from __future__ import annotations

from services.ivr.core.limits import (
    MAX_ATTRIBUTE_BYTES,
    MAX_CONTACT_ATTRIBUTES,
    MAX_CONTACT_BYTES,
    MAX_FACT_ATTRIBUTE_BYTES,
)
from services.ivr.core.names import text_values
from services.ivr.core.templates import clip, fill
from services.ivr.model.checkpoint import Checkpoint, CustomerFacts
from services.ivr.model.flow import Enqueue

_CALLER = "caller"
"""The attribute that every contact has beside these."""


def attributes_of(node: Enqueue, at: Checkpoint) -> tuple[tuple[str, str], ...]:
    """The attributes of a contact; what the flow says under the same name wins."""
    attributes = _facts(at)
    values = text_values(at)
    room = MAX_ATTRIBUTE_BYTES - sum(len(name.encode()) for name, _ in node.attributes)
    for name, template in node.attributes:
        # What does not fit is cut: routing by half an attribute beats no routing at all.
        text = clip(fill(template, values), room)
        room -= len(text.encode())
        attributes[name] = text
    _add_where_room_is(attributes, at)
    return tuple(attributes.items())


def _facts(at: Checkpoint) -> dict[str, str]:
    """Who calls whom."""
    customer = at.customer or CustomerFacts()
    facts = {
        "from": at.call.caller,
        "to": at.call.called,
        "customer_id": customer.customer_id,
        "customer_name": customer.name,
        "customer_segment": customer.segment,
    }
    return {
        name: clip(text, MAX_FACT_ATTRIBUTE_BYTES - len(name))
        for name, text in facts.items()
        if text
    }


def _add_where_room_is(attributes: dict[str, str], at: Checkpoint) -> None:
    """Why the caller is here, in the room that the flow leaves; what matters most first."""
    used = len(f"{_CALLER}{at.call.caller}".encode())
    used += sum(len(f"{name}{text}".encode()) for name, text in attributes.items())
    for name, text in _reasons(at).items():
        room = MAX_CONTACT_BYTES - used - len(name)
        full = len(attributes) + 1 >= MAX_CONTACT_ATTRIBUTES
        if name in attributes or not text or full or room <= 0:
            continue
        attributes[name] = clip(text, room)
        used += len(f"{name}{attributes[name]}".encode())


def _reasons(at: Checkpoint) -> dict[str, str]:
    handing = at.handing
    handed = (
        {
            "transfer_reason": handing.reason,
            "transferred_by": handing.by_name,
            "transferred_from": handing.from_queue_id,
            "transfer_failed": f"{handing.kind}: {handing.target}" if handing.failed else "",
        }
        if handing
        else {}
    )
    return {**handed, "menu_path": at.path, "keyed": at.keyed}
