"""The names that texts and expressions of a flow may use besides its own variables."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Any

from services.ivr.core.phrases import is_known, queue_message, whole_minutes
from services.ivr.model.checkpoint import Checkpoint, CustomerFacts
from services.ivr.model.flow import Flow, Value

CALL_NAMES = frozenset(
    {
        "call_id",
        "caller",
        "called",
        "caller_name",
        "asserted_identity",
        "diversion",
        "trunk",
        "digits",
    }
)
"""Known in every node. `digits` is the last menu choice or safe input."""

CUSTOMER_FIELDS = frozenset({"known", "id", "name", "segment", "language"})
"""Of `customer`, known in every node: in texts as `{customer.name}`."""

TEXT_NAMES = CALL_NAMES | {f"customer.{field}" for field in CUSTOMER_FIELDS}
"""What texts may name in every node."""

QUEUE_NAMES = frozenset({"queue", "entry", "position", "expected_wait_minutes", "queue_message"})
"""Known in a queue's messages only."""

EXPRESSION_NAMES = CALL_NAMES | {"headers", "customer"}
"""Known in expressions: `headers` is a map from lower-case names, `customer` one of its fields."""

RESERVED = CALL_NAMES | QUEUE_NAMES | {"headers", "customer"}
"""What no variable may be called."""


def text_values(checkpoint: Checkpoint) -> dict[str, Value]:
    """What texts may name, anywhere in a flow."""
    call = checkpoint.call
    return {
        **dict(checkpoint.variables),
        "call_id": call.call_id,
        "caller": call.caller,
        "called": call.called,
        "caller_name": call.caller_name,
        "asserted_identity": call.asserted_identity,
        "diversion": call.diversion,
        "trunk": call.trunk,
        "digits": checkpoint.digits,
        **{f"customer.{field}": value for field, value in _customer(checkpoint).items()},
    }


def _customer(checkpoint: Checkpoint) -> dict[str, Value]:
    known = checkpoint.customer or CustomerFacts()
    return {
        "known": checkpoint.customer is not None,
        "id": known.customer_id,
        "name": known.name,
        "segment": known.segment,
        "language": known.language,
    }


def expression_values(checkpoint: Checkpoint) -> Mapping[str, Any]:
    """What expressions may name."""
    values = {name: value for name, value in text_values(checkpoint).items() if "." not in name}
    headers = dict(checkpoint.call.headers)
    return MappingProxyType({**values, "headers": headers, "customer": _customer(checkpoint)})


def queue_values(flow: Flow, checkpoint: Checkpoint) -> dict[str, Value]:
    """What a queue's messages may name: only what is known, so that nothing false is said."""
    values = text_values(checkpoint)
    stay = checkpoint.stay
    assert stay is not None, f"no queue in stage {checkpoint.stage}"
    values |= {"queue": stay.queue_id, "entry": stay.entry_id}
    if stay.position > 0:
        values["position"] = stay.position
        wait_ms = stay.expected_wait_ms if stay.expected_wait_ms >= 0 else None
        if is_known(flow.language):
            values["queue_message"] = queue_message(flow.language, stay.position, wait_ms)
        if wait_ms is not None:
            values["expected_wait_minutes"] = whole_minutes(wait_ms)
    return values
