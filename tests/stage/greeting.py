"""A number whose first words need the customer, and how long its callers wait for them."""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from statistics import median

import numpy as np

from tests.softphone.outgoing import OutgoingCall

KNOWN_QUEUE, UNKNOWN_QUEUE = "sales", "support"
_ENDS = {"timeout": "end", "closed": "end", "refused_full": "end"}
_WAIT = {"kind": "enqueue", "music": {"system": "music"}, "on_exit": _ENDS}
FLOW = json.dumps(
    {
        "schema": 1,
        "name": "Greeting",
        "language": "en-us",
        "start": "answer",
        "nodes": {
            "answer": {"kind": "answer", "next": "who"},
            "who": {
                "kind": "branch",
                "cases": [{"when": "customer.known", "next": "friend"}],
                "else": "stranger",
            },
            "friend": {"kind": "say", "text": "Hello {customer.name}.", "next": "friends"},
            "stranger": {"kind": "say", "text": "Hello.", "next": "strangers"},
            "friends": {**_WAIT, "queue": KNOWN_QUEUE},
            "strangers": {**_WAIT, "queue": UNKNOWN_QUEUE},
            "end": {"kind": "hangup", "reason": "flow-ended"},
        },
        "default_treatment": {"say": "Sorry.", "enqueue": UNKNOWN_QUEUE},
    }
)
"""Customers are greeted by name and wait in one queue; strangers, by the flow's `else`, in another.
Nothing can be said before the look-up is over: the worst that a flow can do."""


LOUD = 300
"""A sample that is no silence any more, of 32,768."""
SOUND_RATE_HZ = 8_000
WAIT_S = 10.0


async def first_word_ms(call: OutgoingCall) -> float:
    """From the INVITE to the first sound: what a gateway sends before a prompt is silence."""
    await call.answered(WAIT_S)
    await call.hears_audio(WAIT_S, for_s=0.04)
    first_packet_s = call.stats().first_rtp_at_s
    loud = np.flatnonzero(np.abs(call.received_pcm().astype(np.int32)) > LOUD)
    assert first_packet_s is not None, "something was heard"
    return 1_000 * (first_packet_s + float(loud[0]) / SOUND_RATE_HZ)


@dataclass(slots=True)
class Ledger:
    """What became of callers."""

    placed: int = 0
    """Calls that were made."""
    set_up_ms: list[float] = field(default_factory=list)
    """Of those that heard something: from the INVITE to the first sound."""

    @property
    def heard(self) -> int:
        """How many heard something."""
        return len(self.set_up_ms)

    @property
    def median_ms(self) -> float:
        """Half of them heard something by then."""
        return median(self.set_up_ms)
